import type { Name } from '../name/index.js';
import { pause } from '../util/index.js';
import type { SessionRunner } from './session-runner.js';

/** Pause after an attempt that nobody answered; the attempt itself has lasted (R+1) × T. */
const PAUSE_MS = 1000;

/** A member that went offline may be away for long: pauses grow up to this, and after so many attempts nobody waits for it any more. */
const MAX_PAUSE_MS = 30_000;
const MAX_COMEBACK_TRIES = 60;

/** Somebody who is wanted in the group. */
interface Wanted {
  readonly name: Name;
  pauseMs: number;
  /** Between two attempts. */
  isPausing: boolean;
  /** How often it may still be tried; somebody who never was there is waited for without end. */
  triesLeft: number;
}

/**
 * Invites a list of names, and those who do not answer again and again, until they have joined or it is stopped; and members who went
 * offline, so that they are in again when they come back. Not those who left or were removed: somebody wanted that. An attempt
 * starts only after the one before has ended.
 */
export class InviteKeeper {
  readonly #runner: SessionRunner;
  readonly #isPatient: boolean;
  readonly #guard: (work: Promise<unknown>) => void;
  /** By name without id. */
  readonly #wanted = new Map<string, Wanted>();
  readonly #stopped = new AbortController();

  /**
   * @param isPatient - whether to try again
   * @param guard - gets the work that this starts by itself; it rejects only because of a bug
   */
  constructor(runner: SessionRunner, isPatient: boolean, guard: (work: Promise<unknown>) => void) {
    this.#runner = runner;
    this.#isPatient = isPatient;
    this.#guard = guard;
    runner.retryAfter = (name, { code }) => this.#pauseAfter(this.#wanted.get(name.prefixKey), code);
    runner.onOffline = (member) => {
      const comeback = toWanted(member.withoutId(), MAX_COMEBACK_TRIES);
      if (isPatient && !this.#stopped.signal.aborted) this.#guard(this.#keep(comeback));
    };
  }

  /** Starts with all names at once. Resolves when nothing is left to do; rejects only because of a bug. */
  async run(names: readonly Name[]): Promise<void> {
    await Promise.all(names.map((name) => this.#keep(toWanted(name, Infinity))));
  }

  /** Somebody is not wanted any more; whether nothing but a pause between two attempts was to be ended. */
  forget(name: Name): boolean {
    const isPausing = this.#wanted.get(name.prefixKey)?.isPausing === true;
    this.#wanted.delete(name.prefixKey);
    return isPausing && !this.#runner.hasMember(name);
  }

  /** Starts no attempt any more. */
  stop(): void {
    this.#stopped.abort();
  }

  async #keep(wanted: Wanted): Promise<void> {
    const { name } = wanted;
    const { signal } = this.#stopped;
    this.#wanted.set(name.prefixKey, wanted);
    const isWanted = (): boolean => this.#wanted.get(name.prefixKey) === wanted;
    // Somebody may have been invited by hand in the pause.
    while (!signal.aborted && isWanted() && !this.#runner.hasMember(name)) {
      wanted.triesLeft -= 1;
      const error = await this.#runner.invite(name, undefined);
      const pauseMs = error === undefined ? undefined : this.#pauseAfter(wanted, error.code);
      if (pauseMs === undefined || !isWanted()) break;
      wanted.isPausing = true;
      await pause(pauseMs, signal).catch(() => undefined);
      wanted.isPausing = false;
      if (Number.isFinite(wanted.triesLeft)) wanted.pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    }
    if (isWanted()) this.#wanted.delete(name.prefixKey);
  }

  /** How long until the next attempt; `undefined` if there is none. */
  #pauseAfter(wanted: Wanted | undefined, code: string): number | undefined {
    const isOver = !this.#isPatient || this.#stopped.signal.aborted || code !== 'invite-timeout';
    return isOver || wanted === undefined || wanted.triesLeft <= 0 ? undefined : wanted.pauseMs;
  }
}

function toWanted(name: Name, triesLeft: number): Wanted {
  return { name, pauseMs: PAUSE_MS, isPausing: false, triesLeft };
}
