import type { PeerStream } from '../../compliance/transport-suite.js';

/** The far ends of streams, for those who wait for the next one. */
export class StreamQueue {
  readonly #streams: PeerStream[] = [];
  readonly #waiting: ((stream: PeerStream) => void)[] = [];

  /** Adds a new stream. */
  push(stream: PeerStream): void {
    const next = this.#waiting.shift();
    if (next) next(stream);
    else this.#streams.push(stream);
  }

  /** The oldest stream that nobody has taken, or the next that comes. */
  next(): Promise<PeerStream> {
    const stream = this.#streams.shift();
    if (stream) return Promise.resolve(stream);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
