import type { Member } from '../harness/index.js';
import { type Exchange, type Role, isComplete, messageText } from './findings.js';

/** Nothing arrives for so long after every publish has its outcome: nothing more will come. */
const QUIET_MS = 1_000;

/** How the publishes of one sender ended: one entry each, `undefined` for a full acknowledgement, else the reason. */
export type Outcomes = readonly (string | undefined)[];

function outcomesOf(member: Member, exchange: Exchange): Outcomes {
  const prefix = `${member.label}:${exchange.step}:`;
  const outcomes: (string | undefined)[] = [];
  for (const event of member.events) {
    if (event.kind === 'settled' && event.ref?.startsWith(prefix) === true) outcomes.push(event.error);
  }
  return outcomes;
}

/**
 * Everyone of the exchange publishes its messages at once. Ends when all is delivered and every publish has its outcome, when
 * all have one and nothing arrives any more, or after `timeoutMs`. Resolves with the outcomes per sender.
 */
export async function runExchange(
  exchange: Exchange,
  members: ReadonlyMap<Role, Member>,
  timeoutMs: number,
): Promise<ReadonlyMap<Role, Outcomes>> {
  const senders = [...members].filter(([role]) => exchange.members.includes(role));
  for (const [role, sender] of senders) {
    for (let index = 0; index < exchange.count; index += 1) {
      const text = messageText(exchange.step, role, index);
      sender.publish(text, text);
    }
  }
  const isSettled = (): boolean => senders.every(([, member]) => outcomesOf(member, exchange).length >= exchange.count);
  await untilQuiet([...members.values()], isSettled, () => isComplete(exchange, members), timeoutMs);
  return new Map(senders.map(([role, member]) => [role, outcomesOf(member, exchange)]));
}

async function untilQuiet(
  members: readonly Member[],
  isSettled: () => boolean,
  isDelivered: () => boolean,
  timeoutMs: number,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const stops: (() => void)[] = [];
    let quiet: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(quiet);
      clearTimeout(deadline);
      for (const stop of stops) stop();
      resolve();
    };
    const check = (): void => {
      clearTimeout(quiet);
      if (!isSettled()) return;
      if (isDelivered()) finish();
      else quiet = setTimeout(finish, QUIET_MS);
    };
    const deadline = setTimeout(finish, timeoutMs);
    for (const member of members) stops.push(member.process.onChange(check));
    check();
  });
}
