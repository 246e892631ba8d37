import { Name } from '../name/index.js';
import { invisibleEnd, UsageError } from '../util/index.js';

/**
 * The name of somebody who is to be invited, as a person or a program wrote it.
 *
 * @throws UsageError `invalid-name`, also for a name with something at its ends that nobody sees: everybody else would look for another one
 */
export function parseInvitedName(text: string): Name {
  const end = invisibleEnd(text);
  if (end === undefined) return Name.parse(text);
  const message = `The name begins or ends with something that nobody sees (${end}), got ${JSON.stringify(text)}.`;
  throw new UsageError('invalid-name', message);
}
