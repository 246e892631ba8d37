import type { Name } from '../name/index.js';
import type { Env } from './machine.js';

const MINUTE_MS = 60 * 1000;

/** How long the token in a leaf lives unless it says otherwise: one of a shared secret. */
const LEAF_LIFE_MS = 60 * MINUTE_MS;

/**
 * No leaf counts as shorter-lived: upstream's verifiers take a JWT for so long after its end (`builder.rs:build_validation`), and a
 * member whose tokens end at once must not be removed and invited all the time.
 */
const MIN_LIFE_MS = MINUTE_MS;

/** How long before its end a leaf is old, at most; that of a short life is in the last sixth of it. */
const LAST_MS = 10 * MINUTE_MS;

/** Age of an MLS leaf that lives an hour, in milliseconds, at which the application is warned. */
export const LEAF_WARNING_MS = oldAfterMs(LEAF_LIFE_MS);

/** How often the wall clock is looked at: no timer goes off because that has jumped. */
const RECHECK_MS = 10_000;

/** A time by both clocks of {@link Env}. */
export type Moment = Pick<Env, 'nowMs' | 'wallMs'>;

/** A member whose leaf is old. */
export interface AgedLeaf {
  readonly member: Name;
  /** A warning for the application. */
  readonly text: string;
  /** Whether it can still be removed and invited again. */
  readonly isRenewable: boolean;
}

interface Known {
  readonly member: Name;
  readonly since: Moment;
  /** Counted from `since`. */
  readonly lifeMs: number;
  isTold: boolean;
}

/**
 * How old the leaves of the members are. A shared-secret token lives an hour, a JWT as long as it says, and upstream takes no
 * addition or removal in a group with an expired one; no generation 1 message renews a participant's leaf
 * (identity-and-mls.md 4.3).
 *
 * Tokens live by the wall clock, which goes on while the machine sleeps. It can also be set back, here but not at the members,
 * so a leaf is as old as the clock says by which it is older.
 */
export class LeafAges {
  readonly #leaves = new Map<string, Known>();

  /**
   * @param since - when the member was asked to join: its token is not older
   * @param endsAtMs - when its token ends, in milliseconds since 1970, if not an hour later
   */
  add(member: Name, since: Moment, endsAtMs?: number): void {
    const lifeMs = endsAtMs === undefined ? LEAF_LIFE_MS : Math.max(MIN_LIFE_MS, endsAtMs - since.wallMs);
    this.#leaves.set(member.key, { member, since, lifeMs, isTold: false });
  }

  remove(member: Name): void {
    this.#leaves.delete(member.key);
  }

  /** How long until the ages must be looked at; `undefined` when there is nobody to tell of. */
  dueInMs(nowMs: number): number | undefined {
    const untold = [...this.#leaves.values()].filter(({ isTold }) => !isTold);
    if (untold.length === 0) return undefined;
    const dueMs = untold.map(({ since, lifeMs }) => since.nowMs + oldAfterMs(lifeMs) - nowMs);
    return Math.max(0, Math.min(RECHECK_MS, ...dueMs));
  }

  /** The members whose leaves are old by now, each once. */
  takeAged(env: Env): readonly AgedLeaf[] {
    const aged = [...this.#leaves.values()].map((leaf) => ({ leaf, ageMs: ageOf(leaf, env) }));
    // Who is alone with us can be removed at any age: nobody else has to agree.
    const isFrozen = aged.length > 1 && aged.some(({ leaf, ageMs }) => ageMs >= leaf.lifeMs);
    return aged.flatMap(({ leaf, ageMs }) => {
      if (leaf.isTold || ageMs < oldAfterMs(leaf.lifeMs)) return [];
      leaf.isTold = true;
      return [{ member: leaf.member, text: warning(leaf, ageMs, isFrozen), isRenewable: !isFrozen }];
    });
  }
}

/** The time now, kept. */
export function momentOf({ nowMs, wallMs }: Env): Moment {
  return { nowMs, wallMs };
}

function ageOf({ since }: Known, { nowMs, wallMs }: Env): number {
  return Math.max(nowMs - since.nowMs, wallMs - since.wallMs);
}

function oldAfterMs(lifeMs: number): number {
  return lifeMs - Math.min(LAST_MS, lifeMs / 6);
}

function warning({ member, lifeMs }: Known, ageMs: number, isFrozen: boolean): string {
  const [unit, unitMs] = lifeMs < 10 * MINUTE_MS ? ['seconds', 1000] : ['minutes', MINUTE_MS];
  const joined = `${member.toString()} joined ${String(Math.floor(ageMs / unitMs))} ${unit} ago`;
  // Rounded: a token says whole seconds, so its life seems a moment shorter.
  const life = String(Math.round(lifeMs / unitMs));
  return isFrozen
    ? `${joined}, and the identity of a member has ended: nobody can be invited into this encrypted group or removed from it any more`
    : `${joined}: when it has been here for ${life}, nobody can be invited into this encrypted group or removed from it any more, ` +
        'unless it is removed and invited again before';
}
