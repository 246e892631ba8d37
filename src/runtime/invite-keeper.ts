import type { Name } from '../name/index.js';
import { pause } from '../util/index.js';
import type { SessionRunner } from './session-runner.js';

/** Pause after an attempt that nobody answered; the attempt itself has lasted (R+1) × T. */
const PAUSE_MS = 1000;

/**
 * Invites a list of names, and those who do not answer again and again, until they have joined or it is stopped. An attempt
 * starts only after the one before has ended.
 */
export class InviteKeeper {
  readonly #runner: SessionRunner;
  readonly #isPatient: boolean;
  readonly #names = new Set<string>();
  readonly #stopped = new AbortController();

  /** @param isPatient - whether to try again */
  constructor(runner: SessionRunner, isPatient: boolean) {
    this.#runner = runner;
    this.#isPatient = isPatient;
    runner.retryAfter = (name, { code }) =>
      this.#triesAgain(code) && this.#names.has(name.prefixKey) ? PAUSE_MS : undefined;
  }

  /** Starts with all names at once. Resolves when nothing is left to do; rejects only because of a bug. */
  async run(names: readonly Name[]): Promise<void> {
    for (const name of names) this.#names.add(name.prefixKey);
    await Promise.all(names.map((name) => this.#keep(name)));
  }

  /** Starts no attempt any more. */
  stop(): void {
    this.#stopped.abort();
  }

  async #keep(name: Name): Promise<void> {
    // Somebody may have been invited by hand in the pause.
    while (!this.#stopped.signal.aborted && !this.#runner.hasMember(name)) {
      const error = await this.#runner.invite(name, undefined);
      if (error === undefined || !this.#triesAgain(error.code)) break;
      await pause(PAUSE_MS, this.#stopped.signal).catch(() => undefined);
    }
    this.#names.delete(name.prefixKey);
  }

  #triesAgain(code: string): boolean {
    return this.#isPatient && !this.#stopped.signal.aborted && code === 'invite-timeout';
  }
}
