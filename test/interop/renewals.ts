import type { MemberEvent } from '../harness/index.js';
import { nameOf } from './ageing-group.js';
import type { Outcome, Speech, Told } from './speeches.js';

/** The time in which a member was out of its group to be invited again, by the events of its moderator. */
export interface Renewal {
  readonly label: string;
  readonly leftAtMs: number;
  readonly joinedAtMs: number;
}

/** What may happen to messages of participants around a renewal, whatever the moderator does, and why. */
export const RENEWAL_ALLOWANCES = {
  'sender-out':
    'the sender was being removed or was out: it has no session, or its message is not answered any more (§4.3 c)',
  'listener-out': 'the listener was out, or the sender did not know of its return yet: nobody sends to it (§4.3 c)',
  'late-start':
    'said when the listener was about to join, and repeated when it had heard a later message: ours gives it out late (§4.5)',
  'member-departs': 'a 1.4.0 sender whose message is under way when a member departs may never learn how that ended',
} as const;

/** A name of {@link RENEWAL_ALLOWANCES}. */
export type Allowance = keyof typeof RENEWAL_ALLOWANCES;

/** A member that spoke and listened while others were renewed. */
export interface Witness {
  readonly speech: Speech;
  readonly isModerator: boolean;
  readonly isOurs: boolean;
  readonly outcomes: ReadonlyMap<number, Outcome>;
  /** By label of the sender. */
  readonly heard: ReadonlyMap<string, readonly number[]>;
}

/** What is wrong, and how often what is allowed was needed. */
export interface RenewalVerdict {
  readonly failures: readonly string[];
  readonly allowed: Readonly<Partial<Record<Allowance, number>>>;
}

/** For news of a change to get around on a busy machine. */
const NEWS_MS = 500;

/** For what a member learns before it says that its session is over. */
const END_MS = 100;

/**
 * When a member was renewed: from the end of its session, or the moment its moderator said that it left, until that said that it
 * joined.
 */
export function renewalsOf(label: string, moderator: readonly Told[], member: readonly Told[]): readonly Renewal[] {
  const times = (told: readonly Told[], isIt: (event: MemberEvent) => boolean): readonly number[] =>
    told.filter(({ event }) => isIt(event)).map(({ atMs }) => atMs);
  const name = nameOf(label);
  const joined = times(moderator, (event) => event.kind === 'joined' && event.member === name);
  const closed = times(member, (event) => event.kind === 'closed');
  return times(moderator, (event) => event.kind === 'left' && event.member === name).map((leftMs, index) => ({
    label,
    // Real members sometimes report the end of the old session late, or not at all when there is a new one.
    leftAtMs: Math.min(leftMs, closed[index] ?? Infinity),
    joinedAtMs: joined[index] ?? Infinity,
  }));
}

/** Whether a message that was under way from one moment to another met a renewal. */
function meets(renewal: Renewal, saidAtMs: number, untilMs: number): boolean {
  return saidAtMs <= renewal.joinedAtMs + NEWS_MS && untilMs >= renewal.leftAtMs - END_MS;
}

/** The numbers that came after a higher one. */
function overtaken(numbers: readonly number[]): readonly number[] {
  let highest = -1;
  return numbers.filter((number) => {
    highest = Math.max(highest, number);
    return number < highest;
  });
}

/**
 * Judges what everybody heard while members were removed and invited again. What the moderator says must be acknowledged, and
 * come once and in order to everybody. So must what participants say, with the {@link RENEWAL_ALLOWANCES}; nothing comes twice or
 * out of order in any case.
 */
export function judgeRenewals(witnesses: readonly Witness[], renewals: readonly Renewal[]): RenewalVerdict {
  const failures: string[] = [];
  const allowed: Partial<Record<Allowance, number>> = {};
  const allow = (allowance: Allowance): void => {
    allowed[allowance] = (allowed[allowance] ?? 0) + 1;
  };
  for (const sender of witnesses) {
    const { speech, isModerator, isOurs, outcomes } = sender;
    const { label, saidAtMs } = speech;
    for (const [index, saidMs] of saidAtMs.entries()) {
      const outcome = outcomes.get(index);
      if (outcome !== undefined && outcome.error === undefined) continue;
      const met = isModerator ? [] : renewals.filter((renewal) => meets(renewal, saidMs, outcome?.atMs ?? Infinity));
      if (met.some((renewal) => renewal.label === label)) allow('sender-out');
      else if (met.length > 0 && !isOurs) allow('member-departs');
      else failures.push(`${label} ${index}: ${outcome?.error ?? 'no outcome'}`);
    }
    for (const listener of witnesses.filter((other) => other !== sender)) {
      const numbers = listener.heard.get(label) ?? [];
      const heard = new Set(numbers);
      const who = `${listener.speech.label} of ${label}`;
      if (heard.size < numbers.length) failures.push(`doubled at ${who}: ${numbers.join(' ')}`);
      // Whether a message was under way while the listener was out.
      const metAbsence = (index: number): boolean =>
        renewals.some(
          (renewal) =>
            renewal.label === listener.speech.label &&
            meets(renewal, saidAtMs[index] ?? 0, outcomes.get(index)?.atMs ?? Infinity),
        );
      for (const late of overtaken(numbers)) {
        if (metAbsence(late) && listener.isOurs && !isModerator) allow('late-start');
        else failures.push(`disorder at ${who}: ${late}`);
      }
      for (const index of saidAtMs.keys()) {
        const outcome = outcomes.get(index);
        // What its sender knows to have failed is not lost; it was counted above.
        if (heard.has(index) || outcome === undefined || outcome.error !== undefined) continue;
        if (metAbsence(index) && !isModerator) allow('listener-out');
        else failures.push(`lost at ${who}: ${index}`);
      }
    }
  }
  return { failures, allowed };
}
