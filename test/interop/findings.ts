import { UNREADABLE_NOTE } from '../../src/protocol/payload-protection.js';
import type { MemberEvent } from '../harness/index.js';

/** Places in a cell. */
export type Role = 'M' | 'A' | 'B' | 'C';

/** Steps of a cell, in order. Each one after `start` is a change of the group and the messages that follow it. */
export const STEPS = ['start', 'invite', 'late', 'remove', 'rejoin', 'leave', 'close'] as const;

/** One of {@link STEPS}. */
export type Step = (typeof STEPS)[number];

/** What can be wrong. `at` names who saw or suffered it, `about` whom it is about. */
export type FindingKind =
  /** `at` did not come up. */
  | 'not-ready'
  /** The command of `at` (invite, remove, leave) about `about` failed or had no answer. */
  | 'command-failed'
  /** `at` was invited and has no session. */
  | 'no-session'
  /** `at` was removed, or its group closed, and it was not told. */
  | 'no-closed'
  /** `at` is ours and gave another reason for the end of its session than the true one. */
  | 'wrong-reason'
  /** `at` is ours and did not report that `about` joined, or left. */
  | 'no-joined'
  | 'no-left'
  /** A publish of `at` was reported as failed, or had no outcome in time. */
  | 'not-acked'
  | 'unsettled'
  /** `at` did not get messages of `about`, got them twice, in another order, or got them although it was no member. */
  | 'lost'
  | 'doubled'
  | 'out-of-order'
  | 'leaked'
  /** `at` got a payload that nobody published. */
  | 'foreign'
  /** The application at `at` was given ciphertext of `about` in place of messages. */
  | 'ciphertext'
  /** `at` says that its group has MLS, or that a message of `about` was encrypted, and that is not so; or the other way round. */
  | 'wrong-protection'
  /** `at` is ours and reported an error that belongs to no command, or wrote something that is no JSON. */
  | 'trouble';

/** One deviation from what should happen. */
export interface Finding {
  readonly step: Step;
  readonly kind: FindingKind;
  readonly at: Role;
  readonly about?: Role;
  /** How many messages; 1 for things that are no messages. */
  readonly count: number;
  readonly detail: string;
}

/** Messages of one step: everyone of `members` published `count` texts, for everyone of `members` to read. */
export interface Exchange {
  readonly step: Step;
  readonly members: readonly Role[];
  readonly count: number;
  /** Where it begins in the event log of each process, members or not; it ends where the next one begins. */
  readonly marks: ReadonlyMap<Role, number>;
}

/** What grading needs of a member. */
export interface Recorded {
  readonly label: string;
  readonly name: string;
  readonly events: readonly MemberEvent[];
}

/** Sums over a cell. */
export interface Totals {
  readonly sent: number;
  readonly expected: number;
  readonly received: number;
  readonly lost: number;
  readonly doubled: number;
  readonly outOfOrder: number;
  readonly leaked: number;
  /** Messages that came to the application as ciphertext. */
  readonly ciphertext: number;
}

/** What ours tell a member that cannot decrypt and misses what it did not get. */
const NOTE = new TextDecoder().decode(UNREADABLE_NOTE.blob);

/** What an MLS PrivateMessage begins with, in hex. */
const PRIVATE_MESSAGE = '00010002';

/** Text of message number `index` of a step; also its ref. */
export function messageText(step: Step, sender: Role, index: number): string {
  return `${sender}:${step}:${index}`;
}

/** Texts that `receiver` got of `sender` in a step, in the order of arrival, as numbers. */
function arrivals(receiver: Recorded, sender: Recorded, step: Step): readonly number[] {
  const prefix = `${sender.label}:${step}:`;
  const numbers: number[] = [];
  for (const event of receiver.events) {
    if (event.kind !== 'message' || event.from !== sender.name || event.text?.startsWith(prefix) !== true) continue;
    numbers.push(Number(event.text.slice(prefix.length)));
  }
  return numbers;
}

function isCiphertext(event: MemberEvent): boolean {
  return event.kind === 'message' && event.hex?.startsWith(PRIVATE_MESSAGE) === true;
}

/** How many ciphertexts of `sender` the application at `receiver` was given from one place of its log to another. */
function ciphertexts(receiver: Recorded, sender: Recorded, from: number, to: number | undefined): number {
  return receiver.events
    .slice(from, to)
    .filter((event) => event.kind === 'message' && event.from === sender.name && isCiphertext(event)).length;
}

/** How many arrivals came after a later message of the same sender; repeats do not count. */
function inversions(numbers: readonly number[]): number {
  let highest = -1;
  let count = 0;
  for (const number of new Set(numbers)) {
    if (number < highest) count += 1;
    highest = Math.max(highest, number);
  }
  return count;
}

/** Whether every member of an exchange has everything, readable or not. */
export function isComplete(exchange: Exchange, members: ReadonlyMap<Role, Recorded>): boolean {
  return pairsOf(exchange, members).every(([sender, receiver]) => {
    const mark = exchange.marks.get(receiver.label as Role) ?? 0;
    const unreadable = ciphertexts(receiver, sender, mark, undefined);
    return new Set(arrivals(receiver, sender, exchange.step)).size + unreadable >= exchange.count;
  });
}

function pairsOf(exchange: Exchange, members: ReadonlyMap<Role, Recorded>): readonly (readonly [Recorded, Recorded])[] {
  const present = exchange.members.map((role) => members.get(role)).filter((member) => member !== undefined);
  return present.flatMap((sender) =>
    present.filter((receiver) => receiver !== sender).map((receiver) => [sender, receiver] as const),
  );
}

/** Compares what was sent with what everyone got, over the whole cell. */
export function grade(
  exchanges: readonly Exchange[],
  members: ReadonlyMap<Role, Recorded>,
): { readonly totals: Totals; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const totals = { sent: 0, expected: 0, received: 0, lost: 0, doubled: 0, outOfOrder: 0, leaked: 0, ciphertext: 0 };
  const add = (step: Step, kind: FindingKind, at: Recorded, about: Recorded, count: number, detail: string): number => {
    if (count > 0) findings.push({ step, kind, at: at.label as Role, about: about.label as Role, count, detail });
    return count;
  };
  for (const [index, exchange] of exchanges.entries()) {
    const { step, count, marks } = exchange;
    const ends = exchanges[index + 1]?.marks;
    totals.sent += exchange.members.length * count;
    const sealed = (receiver: Recorded, sender: Recorded): number => {
      const role = receiver.label as Role;
      const got = ciphertexts(receiver, sender, marks.get(role) ?? 0, ends?.get(role));
      totals.ciphertext += add(step, 'ciphertext', receiver, sender, got, 'given to the application undecrypted');
      return got;
    };
    for (const [sender, receiver] of pairsOf(exchange, members)) {
      const numbers = arrivals(receiver, sender, step);
      const distinct = new Set(numbers);
      totals.expected += count;
      totals.received += distinct.size;
      const missing = Array.from({ length: count }, (_, index) => index).filter((index) => !distinct.has(index));
      // Which ones came as ciphertext cannot be told, only how many.
      const unreadable = sealed(receiver, sender);
      const lost = Math.max(0, missing.length - unreadable);
      const twice = numbers.length - distinct.size + Math.max(0, unreadable - missing.length);
      totals.lost += add(step, 'lost', receiver, sender, lost, `of numbers ${missing.join(' ')}`);
      totals.doubled += add(step, 'doubled', receiver, sender, twice, numbers.join(' '));
      totals.outOfOrder += add(step, 'out-of-order', receiver, sender, inversions(numbers), numbers.join(' '));
    }
    for (const [role, outsider] of members) {
      if (exchange.members.includes(role)) continue;
      for (const sender of exchange.members) {
        const from = members.get(sender);
        const got = from === undefined ? [] : arrivals(outsider, from, step);
        if (from === undefined) continue;
        totals.leaked += add(step, 'leaked', outsider, from, got.length, got.join(' '));
        sealed(outsider, from);
      }
    }
  }
  return { totals, findings: [...findings, ...foreignPayloads(members)] };
}

/** Payloads that nobody published, such as damaged ones. */
function foreignPayloads(members: ReadonlyMap<Role, Recorded>): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [role, member] of members) {
    for (const [about, sender] of members) {
      const strange = member.events.filter(
        (event) =>
          event.kind === 'message' &&
          event.from === sender.name &&
          !isCiphertext(event) &&
          event.text !== NOTE &&
          !STEPS.some((step) => event.text?.startsWith(`${about}:${step}:`) === true),
      );
      if (strange.length === 0) continue;
      findings.push({
        step: 'close',
        kind: 'foreign',
        at: role,
        about,
        count: strange.length,
        detail: 'unknown payloads',
      });
    }
  }
  return findings;
}
