import type { Name } from '../name/index.js';

/** Time from one ping to the next (`controller_sender.rs:handle_ping_timeout`). */
export const PING_INTERVAL_MS = 10_000;
/** How many pings in a row may stay unanswered. */
export const MAX_MISSED_PINGS = 3;

/** What is known of one member. */
interface Health {
  readonly name: Name;
  /** 0.7 members never answer; only who has answered before can be found missing. */
  hasAnswered: boolean;
  missed: number;
}

/**
 * The moderator's pings: who answers, who is gone.
 * Differs from upstream: a ping is not repeated within its round. The stream loses nothing while it lives, and after a
 * reconnection the next round starts at once.
 */
export class PingRounds {
  readonly #health = new Map<string, Health>();
  #currentId: number | undefined;
  #missing = new Set<string>();

  get hasMembers(): boolean {
    return this.#health.size > 0;
  }

  add(name: Name): void {
    this.#health.set(name.key, { name, hasAnswered: false, missed: 0 });
  }

  remove(name: Name): void {
    this.#health.delete(name.key);
    this.#missing.delete(name.key);
  }

  /** Closes the running round; gives the members that have been silent too long. */
  closeRound(): Name[] {
    const gone: Name[] = [];
    for (const key of this.#missing) {
      const health = this.#health.get(key);
      if (health?.hasAnswered !== true) continue;
      health.missed += 1;
      if (health.missed >= MAX_MISSED_PINGS) gone.push(health.name);
    }
    this.forgetRound();
    return gone;
  }

  /** Drops the running round without counting it: nobody could answer. */
  forgetRound(): void {
    this.#missing.clear();
    this.#currentId = undefined;
  }

  /** Starts a round with everybody known now. */
  startRound(messageId: number): void {
    this.#currentId = messageId;
    this.#missing = new Set(this.#health.keys());
  }

  onAnswer(name: Name, messageId: number): void {
    const health = this.#health.get(name.key);
    if (health === undefined) return;
    health.hasAnswered = true;
    health.missed = 0;
    if (messageId === this.#currentId) this.#missing.delete(name.key);
  }
}
