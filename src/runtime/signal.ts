import { startTimer } from '../util/index.js';

/** Wakes those who wait for something to change, without saying what. */
export class Signal {
  #waiters = new Set<() => void>();

  /** Wakes everybody who waits now. */
  notify(): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const wake of waiters) wake();
  }

  /** Resolves with the next `notify`, or after `timeoutMs`. */
  async next(timeoutMs?: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        timer?.cancel();
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = timeoutMs === undefined ? undefined : startTimer(timeoutMs, wake);
      this.#waiters.add(wake);
    });
  }
}
