import type { Name } from '../name/index.js';
import { startTimer } from '../util/index.js';
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
  readonly #wakeUps = new Set<() => void>();
  #isStopped = false;

  /** @param isPatient - whether to try again */
  constructor(runner: SessionRunner, isPatient: boolean) {
    this.#runner = runner;
    this.#isPatient = isPatient;
  }

  /** Starts with all names at once. Resolves when nothing is left to do; rejects only because of a bug. */
  async run(names: readonly Name[]): Promise<void> {
    await Promise.all(names.map((name) => this.#keep(name)));
  }

  /** Starts no attempt any more. */
  stop(): void {
    this.#isStopped = true;
    for (const wake of this.#wakeUps) wake();
  }

  async #keep(name: Name): Promise<void> {
    // Somebody may have been invited by hand in the pause.
    while (!this.#isStopped && !this.#runner.hasMember(name)) {
      const outcome = await this.#runner.invite(name, undefined, ({ code }) =>
        this.#isPatient && !this.#isStopped && code === 'invite-timeout' ? PAUSE_MS : undefined,
      );
      if (outcome.ok || outcome.error.code !== 'invite-timeout' || !this.#isPatient) return;
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    if (this.#isStopped) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        timer.cancel();
        this.#wakeUps.delete(wake);
        resolve();
      };
      const timer = startTimer(PAUSE_MS, wake);
      this.#wakeUps.add(wake);
    });
  }
}
