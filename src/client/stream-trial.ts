import { abortError, onAbort, type SlimError, startTimer, type Timer } from '../util/index.js';

/** Who has lived this long without a word is taken for good; nodes before 1.3 say nothing before there is a message. */
const TRIAL_MS = 200;

/** A stream that lives longer is not ended because of what this side said first. Far away nodes need some time for that. */
const TURNED_AWAY_WITHIN_MS = 10_000;

/**
 * Watches a new stream: it is of use when the node has said something on it, or has let it live for a while. Nodes of another
 * generation, and servers that only look like a node, accept each stream and end it at the first message.
 */
export class StreamTrial {
  readonly #onPassed: () => void;
  #startedMs = performance.now();
  #hasHeard = false;
  #hasPassed = false;
  #endedWith: SlimError | undefined;
  #timer: Timer | undefined;
  #settle: () => void = () => undefined;

  /** @param onPassed - called once, before what the node has said is looked at; never after the end of the stream */
  constructor(onPassed: () => void) {
    this.#onPassed = onPassed;
  }

  /**
   * Resolves when the stream is of use.
   *
   * @throws why it ended before, or SessionError `aborted`
   */
  async passed(signal: AbortSignal): Promise<void> {
    this.#startedMs = performance.now();
    const settled = new Promise<void>((resolve) => {
      this.#settle = resolve;
    });
    this.#timer = startTimer(TRIAL_MS, () => {
      this.#pass();
    });
    const stopWaiting = onAbort(signal, () => {
      this.#settle();
    });
    if (this.#hasPassed || this.#endedWith !== undefined) this.#settle();
    await settled;
    this.#timer.cancel();
    stopWaiting();
    if (signal.aborted) throw abortError(signal);
    if (!this.#hasPassed && this.#endedWith !== undefined) throw this.#endedWith;
  }

  /** The node has said something. */
  onFrame(): void {
    this.#hasHeard = true;
    this.#pass();
  }

  /** The stream is over. */
  onEnd(reason: SlimError): void {
    this.#endedWith = reason;
    this.#settle();
  }

  /** Whether a stream that ends like this, in order and without a word, may have been ended because of what this side said first. */
  isTurnedAwayBy(reason: SlimError): boolean {
    const isInOrder = reason.details?.['grpcStatus'] === 0;
    return isInOrder && !this.#hasHeard && performance.now() - this.#startedMs < TURNED_AWAY_WITHIN_MS;
  }

  #pass(): void {
    if (this.#hasPassed || this.#endedWith !== undefined) return;
    this.#hasPassed = true;
    this.#onPassed();
    this.#settle();
  }
}
