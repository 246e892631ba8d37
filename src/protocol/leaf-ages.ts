import type { Name } from '../name/index.js';
import type { Effect, Env } from './machine.js';

/** Age of an MLS leaf, in milliseconds, at which the application is warned. */
export const LEAF_WARNING_MS = 50 * 60 * 1000;

/**
 * How old the leaves of the members are. A shared-secret token lives an hour, and upstream takes no addition or removal in a
 * group with an expired one; no generation 1 message renews a participant's leaf (identity-and-mls.md 4.3).
 */
export class LeafAges {
  readonly #sinceMs = new Map<string, { readonly member: Name; readonly sinceMs: number }>();

  /** @param sinceMs - when the member was asked to join: its token is not older */
  add(member: Name, sinceMs: number): void {
    this.#sinceMs.set(member.key, { member, sinceMs });
  }

  remove(member: Name): void {
    this.#sinceMs.delete(member.key);
  }

  /** How long until a member must be told of; `undefined` when none must. */
  dueInMs(nowMs: number): number | undefined {
    let due: number | undefined;
    for (const { sinceMs } of this.#sinceMs.values()) {
      const inMs = Math.max(0, sinceMs + LEAF_WARNING_MS - nowMs);
      if (due === undefined || inMs < due) due = inMs;
    }
    return due;
  }

  /** Warns of the members whose leaves are old by now, each once. */
  onTimer({ nowMs }: Env): Effect[] {
    const old = [...this.#sinceMs.values()].filter(({ sinceMs }) => sinceMs + LEAF_WARNING_MS <= nowMs);
    for (const { member } of old) this.#sinceMs.delete(member.key);
    return old.map(({ member }) => {
      const text =
        `${member.toString()} joined 50 minutes ago: when it has been here for 60, nobody can be invited into this encrypted ` +
        'group or removed from it any more, unless it is removed and invited again before';
      return { kind: 'notify', notice: { kind: 'warning', code: 'mls-leaf-ageing', text, member } };
    });
  }
}
