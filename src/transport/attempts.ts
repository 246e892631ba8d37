import { onAbort, SessionError } from '../util/index.js';

/**
 * The attempts of one transport to open a stream: each ends when the caller aborts it or the transport is closed.
 *
 * @internal
 */
export class Attempts {
  readonly #endpoint: string;
  readonly #running = new Set<AbortController>();
  #isClosed = false;

  /** @param endpoint - for messages */
  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  /** No further attempt is possible. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Runs one attempt. It must end when the signal of its controller fires, with the signal's reason.
   *
   * @param signal - of the caller
   * @throws SessionError `aborted`, `closed`, or whatever the attempt throws
   */
  async run<T>(signal: AbortSignal | undefined, attempt: (controller: AbortController) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw this.#closedError();
    const controller = new AbortController();
    this.#running.add(controller);
    const stopWaiting = onAbort(signal, () => {
      const message = `connecting to ${this.#endpoint} was aborted`;
      controller.abort(new SessionError('aborted', message, { cause: signal?.reason }));
    });
    try {
      controller.signal.throwIfAborted();
      return await attempt(controller);
    } finally {
      stopWaiting();
      this.#running.delete(controller);
    }
  }

  /** Ends all attempts. */
  close(): void {
    this.#isClosed = true;
    for (const controller of this.#running) controller.abort(this.#closedError());
  }

  #closedError(): SessionError {
    return new SessionError('closed', `the transport to ${this.#endpoint} is closed`);
  }
}
