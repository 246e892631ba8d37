import type { MemberKind } from './cells.js';
import type { Outcomes } from './exchange.js';
import type { Finding, Role } from './findings.js';

/** What real members do to messages on lines that lose and repeat them, and why. Members of ours do nothing of it. */
export const LOSSY_ALLOWANCES = {
  'rtx-sealed':
    'a 1.x listener asks for a message that it misses and gives the answer to its application as it is, which with MLS is ' +
    'ciphertext, where another real member is asked (mls_state.rs:should_process_message, session.md 8.3)',
  'repeat-unacked':
    'a 1.x listener decrypts a message before it acknowledges it, which works once: when that acknowledgement is lost, no ' +
    'repetition gets another one (identity-and-mls.md 0.8), so its sender gives up what was delivered',
} as const;

/** A name of {@link LOSSY_ALLOWANCES}. */
export type LossyAllowance = keyof typeof LOSSY_ALLOWANCES;

/** Who is in the group. */
export type Kinds = Readonly<Partial<Record<Role, MemberKind>>>;

/** What is wrong, and how often what is allowed was needed. */
export interface LossyVerdict {
  readonly failures: readonly string[];
  readonly allowed: Readonly<Record<LossyAllowance, number>>;
}

/**
 * Judges what came of messages: nothing may be lost, doubled or out of order anywhere, or unreadable to a member of ours; and
 * every one must have its acknowledgement from each member of ours.
 *
 * @param findings - of `grade`
 * @param outcomes - how the publishes of each sender ended
 * @param count - how many messages each published
 * @param nameOf - name of a role, as members report it
 */
export function judgeLossy(
  findings: readonly Finding[],
  outcomes: ReadonlyMap<Role, Outcomes>,
  count: number,
  kinds: Kinds,
  nameOf: (role: Role) => string,
): LossyVerdict {
  const failures: string[] = [];
  const allowed = { 'rtx-sealed': 0, 'repeat-unacked': 0 };
  for (const { kind, at, about, count: times, detail } of findings) {
    const areReal = kinds[at] !== 'ours' && about !== undefined && kinds[about] !== 'ours';
    if (kind === 'ciphertext' && areReal) allowed['rtx-sealed'] += times;
    else failures.push(`${kind} at ${at} of ${about ?? 'nobody'}, ${times}: ${detail}`);
  }
  const roles = Object.keys(kinds) as Role[];
  for (const [sender, ended] of outcomes) {
    if (ended.length < count) failures.push(`${sender}: ${count - ended.length} without an outcome`);
    for (const error of ended) {
      if (error === undefined) continue;
      // A real sender does not say who has not acknowledged.
      const named = roles.filter((role) => error.includes(nameOf(role)));
      const suspects = named.length > 0 ? named : roles.filter((role) => role !== sender && kinds[role] !== 'ours');
      const areReal = suspects.length > 0 && suspects.every((role) => kinds[role] !== 'ours');
      if (areReal) allowed['repeat-unacked'] += 1;
      else failures.push(`${sender}: ${error}`);
    }
  }
  return { failures, allowed };
}
