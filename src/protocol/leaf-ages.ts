import type { Name } from '../name/index.js';
import type { Effect, Env } from './machine.js';

const MINUTE_MS = 60 * 1000;

/** Age of an MLS leaf, in milliseconds, at which the application is warned. */
export const LEAF_WARNING_MS = 50 * MINUTE_MS;

/** How long the token in a leaf lives. */
const LEAF_LIFE_MS = 60 * MINUTE_MS;

/** How often the wall clock is looked at: no timer goes off because that has jumped. */
const RECHECK_MS = 10_000;

/** A time by both clocks of {@link Env}. */
export type Moment = Pick<Env, 'nowMs' | 'wallMs'>;

/** The time now, kept. */
export function momentOf({ nowMs, wallMs }: Env): Moment {
  return { nowMs, wallMs };
}

/**
 * How old the leaves of the members are. A shared-secret token lives an hour, and upstream takes no addition or removal in a
 * group with an expired one; no generation 1 message renews a participant's leaf (identity-and-mls.md 4.3).
 *
 * Tokens live by the wall clock, which goes on while the machine sleeps. It can also be set back, here but not at the members,
 * so a leaf is as old as the clock says by which it is older.
 */
export class LeafAges {
  readonly #leaves = new Map<string, { readonly member: Name; readonly since: Moment }>();

  /** @param since - when the member was asked to join: its token is not older */
  add(member: Name, since: Moment): void {
    this.#leaves.set(member.key, { member, since });
  }

  remove(member: Name): void {
    this.#leaves.delete(member.key);
  }

  /** How long until the ages must be looked at; `undefined` when there is nobody to tell of. */
  dueInMs(nowMs: number): number | undefined {
    if (this.#leaves.size === 0) return undefined;
    const dueMs = [...this.#leaves.values()].map(({ since }) => since.nowMs + LEAF_WARNING_MS - nowMs);
    return Math.max(0, Math.min(RECHECK_MS, ...dueMs));
  }

  /** Warns of the members whose leaves are old by now, each once. */
  onTimer(env: Env): Effect[] {
    const effects: Effect[] = [];
    for (const { member, since } of [...this.#leaves.values()]) {
      const ageMs = Math.max(env.nowMs - since.nowMs, env.wallMs - since.wallMs);
      if (ageMs < LEAF_WARNING_MS) continue;
      this.#leaves.delete(member.key);
      const text = warning(member, ageMs);
      effects.push({ kind: 'notify', notice: { kind: 'warning', code: 'mls-leaf-ageing', text, member } });
    }
    return effects;
  }
}

function warning(member: Name, ageMs: number): string {
  const joined = `${member.toString()} joined ${String(Math.floor(ageMs / MINUTE_MS))} minutes ago`;
  return ageMs < LEAF_LIFE_MS
    ? `${joined}: when it has been here for 60, nobody can be invited into this encrypted group or removed from it any more, ` +
        'unless it is removed and invited again before'
    : `${joined}, more than 60: nobody can be invited into this encrypted group or removed from it any more`;
}
