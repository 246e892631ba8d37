import type { Name } from '../name/index.js';
import { RetryQueue } from './retry-queue.js';

/** Time from one ping to the next (`controller_sender.rs:handle_ping_timeout`). */
export const PING_INTERVAL_MS = 10_000;
/** How many rounds in a row may pass without a sign of life. */
export const MAX_MISSED_PINGS = 3;

/** Within a round, who is silent is asked again this often, by name: a single message may get lost. */
const ASK_AGAIN_MS = 1000;
const ASK_AGAIN_TIMES = 9;

/**
 * Number of a payload that nobody ever sent: they begin at 1. Every version of upstream answers a request for it that it has no such
 * message, if and only if it is in the session; so it finds who is there also where nobody answers pings, which is 0.7.
 */
export const PROBE_ID = 0;

/** What is known of one member. */
interface Health {
  readonly name: Name;
  /** Who does is no 0.7, and need not be asked otherwise; who does not is asked otherwise only. Undefined until that is known. */
  answersPings: boolean | undefined;
  missed: number;
}

/** Somebody who has not given a sign of life in this round. */
export type Silent = Readonly<Pick<Health, 'name' | 'answersPings'>>;

/**
 * Rounds of ten seconds, in each of which everybody watched must give a sign of life: who is silent for three is gone, whether or
 * not it was ever heard before. Upstream counts answers to pings only, and so throws out every 0.7 member.
 */
export class PingRounds {
  readonly #health = new Map<string, Health>();
  readonly #silent = new RetryQueue<string, Health>(ASK_AGAIN_MS, ASK_AGAIN_TIMES);
  /** Who has been asked for the last time in this round. */
  readonly #exhausted = new Set<string>();

  get hasMembers(): boolean {
    return this.#health.size > 0;
  }

  /** Whether there is anybody who may answer a ping. */
  get isPingWorthwhile(): boolean {
    return [...this.#health.values()].some(({ answersPings }) => answersPings !== false);
  }

  add(name: Name): void {
    this.#health.set(name.key, { name, answersPings: undefined, missed: 0 });
  }

  remove(name: Name): void {
    this.#health.delete(name.key);
    this.#clear(name);
  }

  /** Closes the running round; gives the members that have been silent too long. */
  closeRound(): Name[] {
    const gone: Name[] = [];
    for (const [key, health] of this.#health) {
      if (!this.#silent.has(key) && !this.#exhausted.has(key)) continue;
      health.missed += 1;
      if (health.missed >= MAX_MISSED_PINGS) gone.push(health.name);
    }
    this.forgetRound();
    return gone;
  }

  /** Drops the running round without counting it: nobody could answer. */
  forgetRound(): void {
    this.#silent.clear();
    this.#exhausted.clear();
  }

  /** Starts a round with everybody known now, who has just been pinged. */
  startRound(nowMs: number): void {
    this.forgetRound();
    for (const [key, health] of this.#health) this.#silent.add(key, health, nowMs);
  }

  /** Expects a sign of life of one member in this round, also if it has given one; gives it unless it is not watched. */
  doubt(name: Name, nowMs: number): Silent | undefined {
    const health = this.#health.get(name.key);
    this.#clear(name);
    if (health !== undefined) this.#silent.add(name.key, health, nowMs);
    return health;
  }

  /** It did something that only who is in the session can do. */
  onSign(name: Name, isPing = false): void {
    const health = this.#health.get(name.key);
    if (health === undefined) return;
    health.missed = 0;
    if (isPing) health.answersPings = true;
    this.#clear(name);
  }

  /** It is there, and has let the pings before pass: it does not know them. */
  onPingUnknown(name: Name): void {
    const health = this.#health.get(name.key);
    if (health !== undefined) health.answersPings ??= false;
  }

  /** How long until somebody silent is to be asked again; `undefined` when nobody is. */
  dueInMs(nowMs: number): number | undefined {
    return this.#silent.dueInMs(nowMs);
  }

  /** Who is to be asked again now. */
  takeSilent(nowMs: number): readonly Silent[] {
    const { retry, failed } = this.#silent.expire(nowMs);
    for (const { name } of failed) this.#exhausted.add(name.key);
    return retry;
  }

  #clear(name: Name): void {
    this.#silent.delete(name.key);
    this.#exhausted.delete(name.key);
  }
}
