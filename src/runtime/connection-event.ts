import type { ChatEventBody } from '../chat/index.js';
import type { SlimError } from '../util/index.js';
import type { AppPortEvent } from './ports.js';

type ConnectionState = Extract<AppPortEvent, { kind: 'connection' }>['state'];

/** What the chat tells of the connection to the node, while there is one or it is tried. */
export function connectionEvent(
  state: Exclude<ConnectionState, { kind: 'closed' }>,
): Extract<ChatEventBody, { type: 'connection' }> {
  return {
    type: 'connection',
    state: state.kind,
    ...('attempt' in state && { attempt: state.attempt }),
    ...('inMs' in state && { inMs: state.inMs }),
    ...('error' in state && { code: state.error.code, reason: reasonOf(state.error) }),
  };
}

/** What was seen, without the advice that an error text of a connection ends with. */
function reasonOf({ details, message }: SlimError): string {
  const why = details?.['why'];
  return typeof why === 'string' ? why : message;
}
