import type { Effect, Env } from './machine.js';
import type { MembershipChange } from './moderator-task.js';

/** Changes of the member list in their order, one at a time. */
export class ModeratorChanges {
  readonly #start: (change: MembershipChange, env: Env) => Effect[];
  readonly #waiting: MembershipChange[] = [];
  #current: MembershipChange | undefined;

  /** @param start - carries a change out; when it is through, it must be said with `next` */
  constructor(start: (change: MembershipChange, env: Env) => Effect[]) {
    this.#start = start;
  }

  /** A change behind all others. */
  add(change: MembershipChange, env: Env): Effect[] {
    this.#waiting.push(change);
    return this.next(undefined, env);
  }

  /** A change before all that wait; it does not start by itself. */
  addFirst(change: MembershipChange): void {
    this.#waiting.unshift(change);
  }

  /** Forgets a change that has not started. */
  drop(change: MembershipChange): void {
    const index = this.#waiting.indexOf(change);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  isRunning(change: MembershipChange): boolean {
    return this.#current === change;
  }

  /** Starts the next change if `done` was the running one, or none runs. */
  next(done: MembershipChange | undefined, env: Env): Effect[] {
    if (this.#current !== done) return [];
    const next = this.#waiting.shift();
    this.#current = next;
    return next === undefined ? [] : this.#start(next, env);
  }

  clear(): void {
    this.#waiting.length = 0;
    this.#current = undefined;
  }
}
