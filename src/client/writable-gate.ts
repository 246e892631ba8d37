import { type QueuedMessages, SEND_QUEUE_MESSAGES } from '../protocol/index.js';
import { LinkedQueue, type SlimError, type WaitOptions, withDeadline } from '../util/index.js';

/** Own messages that may wait for their first transmission before writers are held up, and bytes of payload. */
const WRITABLE_MESSAGES = SEND_QUEUE_MESSAGES / 64;
const WRITABLE_BYTES = 8 * 1024 * 1024;

/**
 * Writers that may be let through at once. All may come with the largest payload (4 MiB) and still find room in the queue,
 * which takes 64 MiB.
 */
const MAX_ADMITTED = 14;

/** After this many the rest of the process gets its turn, also where no message ever waits. */
const MAX_PER_TURN = 512;

/** Holds up who publishes faster than messages leave. */
export class WritableGate {
  readonly #queued: () => QueuedMessages;
  readonly #waiters = new LinkedQueue<() => void>();
  /** Let through in this turn of the event loop, and not published yet. */
  #admitted = 0;
  /** Let through since the last turn of the event loop. */
  #passed = 0;
  #isTurnScheduled = false;
  #closedWith: SlimError | undefined;

  /** @param queued - what waits for its first transmission, wherever it is */
  constructor(queued: () => QueuedMessages) {
    this.#queued = queued;
  }

  /** Whether there is no long queue. */
  get isOpen(): boolean {
    const { count, bytes } = this.#queued();
    return count < WRITABLE_MESSAGES && bytes < WRITABLE_BYTES;
  }

  /**
   * Resolves when a message may be published.
   *
   * @throws SessionError `aborted`, `timeout`, or what the gate was closed with
   */
  async pass(options: WaitOptions): Promise<void> {
    while (this.#closedWith === undefined && !(this.isOpen && this.#room > 0)) {
      let wake = (): void => undefined;
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const waiter = this.#waiters.push(wake);
      try {
        await withDeadline(woken, options);
      } finally {
        this.#waiters.delete(waiter);
      }
    }
    if (this.#closedWith !== undefined) throw this.#closedWith;
    this.#admitted += 1;
    this.#passed += 1;
    this.#scheduleTurn();
  }

  /** A message was published. */
  onPublished(): void {
    this.#admitted = Math.max(0, this.#admitted - 1);
    this.wake();
  }

  /** Lets those go on who have waited longest, as far as there is room now. */
  wake(): void {
    if (this.#waiters.size === 0 || !this.isOpen) return;
    for (let room = this.#room; room > 0; room -= 1) this.#waiters.shift()?.();
    if (this.#waiters.size > 0) this.#scheduleTurn();
  }

  /** Nothing can be published any more. */
  close(error: SlimError): void {
    this.#closedWith ??= error;
    while (this.#waiters.size > 0) this.#waiters.shift()?.();
  }

  /** How many more may be let through now. */
  get #room(): number {
    return Math.min(MAX_ADMITTED - this.#admitted, MAX_PER_TURN - this.#passed);
  }

  /** Whoever was let through and has published nothing until then does not want to. */
  #scheduleTurn(): void {
    if (this.#isTurnScheduled) return;
    this.#isTurnScheduled = true;
    setImmediate(() => {
      this.#isTurnScheduled = false;
      this.#admitted = 0;
      this.#passed = 0;
      this.wake();
    });
  }
}
