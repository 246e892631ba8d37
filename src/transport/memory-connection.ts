import { ConnectionError, type SlimError } from '../util/index.js';

import { type LinkOptions, MemoryLink, setTimer } from './memory-link.js';
import type { Connection, ConnectionHandlers } from './transport.js';

/** As long as a gRPC connection takes at most. */
const CLOSE_TIMEOUT_MS = 1000;

/** One end of a stream in memory, with the levers that tests need. */
export class MemoryConnection implements Connection {
  readonly #options: LinkOptions;
  readonly #out: MemoryLink;
  readonly #peer: MemoryConnection;
  #handlers: ConnectionHandlers | undefined;
  /** The line was full and is not any more, and nobody has been told. */
  #isDrainDue = false;
  #isReading = true;
  #isEnded = false;
  #endError: SlimError | undefined;
  #closing: Promise<void> | undefined;
  #onEnded: (() => void) | undefined;

  private constructor(options: LinkOptions, peer?: MemoryConnection) {
    this.#options = options;
    this.#peer = peer ?? new MemoryConnection(options, this);
    this.#out = new MemoryLink(options, {
      deliver: (frame) => this.#peer.#handlers?.onFrame(frame),
      drain: () => {
        if (!this.#handlers) this.#isDrainDue = true;
        else if (!this.#isEnded && !this.#closing) this.#handlers.onDrain();
      },
    });
  }

  /**
   * Makes the two ends of a stream. Each hears nothing before {@link MemoryConnection.attach}, and misses nothing.
   *
   * @internal
   */
  static pair(options: LinkOptions): [MemoryConnection, MemoryConnection] {
    const near = new MemoryConnection(options);
    return [near, near.#peer];
  }

  /**
   * Sets the handlers, once. They are called when the promise jobs of this turn have run, so that whoever waits for the
   * connection has it before the first frame.
   *
   * @internal
   */
  attach(handlers: ConnectionHandlers): void {
    queueMicrotask(() =>
      process.nextTick(() => {
        this.#handlers = handlers;
        if (this.#isEnded) {
          handlers.onEnd(this.#endError);
          return;
        }
        if (this.#isDrainDue) handlers.onDrain();
        if (this.#isReading) this.resumeReading();
      }),
    );
  }

  send(frame: Uint8Array): boolean {
    return this.#isEnded || this.#closing !== undefined || this.#out.send(frame);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #close(): Promise<void> {
    if (this.#isEnded) return Promise.resolve();
    return new Promise((resolve) => {
      const cancelTimer = setTimer(this.#options, () => this.#endBoth(), CLOSE_TIMEOUT_MS);
      this.#onEnded = (): void => {
        cancelTimer();
        resolve();
      };
      // The other side hears of the end after the last frame, and what it had sent until then arrives too.
      this.#out.whenEmpty(() => this.#peer.#onPeerClosing());
    });
  }

  #onPeerClosing(): void {
    this.#out.whenEmpty(() => this.#peer.#endBoth());
    this.#end(endedInOrder());
  }

  #endBoth(): void {
    this.cut(endedInOrder());
  }

  /** Breaks the line: what is under way is lost, and both ends that did not close it themselves hear of `error`. */
  cut(error: SlimError = new ConnectionError('stream-lost', 'the line was cut')): void {
    this.#end(error);
    this.#peer.#end(error);
    this.#out.cut();
    this.#peer.#out.cut();
  }

  /** Takes no frames; the other side's `send` returns false once the line is full. */
  pauseReading(): void {
    this.#isReading = false;
    this.#peer.#out.pause();
  }

  /** Takes frames again. */
  resumeReading(): void {
    this.#isReading = true;
    if (this.#handlers) this.#peer.#out.resume();
  }

  #end(error: SlimError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#endError = this.#closing ? undefined : error;
    this.#onEnded?.();
    this.#handlers?.onEnd(this.#endError);
  }
}

/** The end that a status of gRPC tells. */
function endedInOrder(): ConnectionError {
  return new ConnectionError('stream-lost', 'the other side ended the stream', { details: { grpcStatus: 0 } });
}
