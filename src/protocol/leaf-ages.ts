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

interface Known {
  readonly member: Name;
  readonly since: Moment;
  isTold: boolean;
}

/**
 * How old the leaves of the members are. A shared-secret token lives an hour, and upstream takes no addition or removal in a
 * group with an expired one; no generation 1 message renews a participant's leaf (identity-and-mls.md 4.3).
 *
 * Tokens live by the wall clock, which goes on while the machine sleeps. It can also be set back, here but not at the members,
 * so a leaf is as old as the clock says by which it is older.
 */
export class LeafAges {
  readonly #leaves = new Map<string, Known>();

  /** @param since - when the member was asked to join: its token is not older */
  add(member: Name, since: Moment): void {
    this.#leaves.set(member.key, { member, since, isTold: false });
  }

  remove(member: Name): void {
    this.#leaves.delete(member.key);
  }

  /** How long until the ages must be looked at; `undefined` when there is nobody to tell of. */
  dueInMs(nowMs: number): number | undefined {
    const untold = [...this.#leaves.values()].filter(({ isTold }) => !isTold);
    if (untold.length === 0) return undefined;
    const dueMs = untold.map(({ since }) => since.nowMs + LEAF_WARNING_MS - nowMs);
    return Math.max(0, Math.min(RECHECK_MS, ...dueMs));
  }

  /** Warns of the members whose leaves are old by now, each once; names them while they can still be invited again. */
  onTimer(env: Env): Effect[] {
    const aged = [...this.#leaves.values()].map((leaf) => ({ leaf, ageMs: ageOf(leaf, env) }));
    // Who is alone with us can be removed at any age: nobody else has to agree.
    const isFrozen = aged.length > 1 && aged.some(({ ageMs }) => ageMs >= LEAF_LIFE_MS);
    const effects: Effect[] = [];
    for (const { leaf, ageMs } of aged) {
      if (leaf.isTold || ageMs < LEAF_WARNING_MS) continue;
      leaf.isTold = true;
      const { member } = leaf;
      const minutes = String(Math.floor(ageMs / MINUTE_MS));
      const text = `${member.toString()} joined ${minutes} minutes ago${isFrozen ? FROZEN : AGEING}`;
      const notice = { kind: 'warning', code: 'mls-leaf-ageing', text, ...(!isFrozen && { member }) } as const;
      effects.push({ kind: 'notify', notice });
    }
    return effects;
  }
}

const AGEING =
  ': from its 60th minute on nobody can be invited into this encrypted group or removed from it any more, unless it is removed ' +
  'and invited again';

const FROZEN =
  ', and a member has been here for more than 60: nobody can be invited into this encrypted group or removed from it any more';

function ageOf({ since }: Known, { nowMs, wallMs }: Env): number {
  return Math.max(nowMs - since.nowMs, wallMs - since.wallMs);
}
