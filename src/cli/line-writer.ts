import type { Writable } from 'node:stream';

/** Writes lines to a stream that may go away, as a pipe to `head` does. */
export class LineWriter {
  readonly #stream: Writable;
  #isGone = false;

  /** @param onGone - called once when nobody reads any more */
  constructor(stream: Writable, onGone: () => void) {
    this.#stream = stream;
    stream.on('error', () => {
      if (this.#isGone) return;
      this.#isGone = true;
      onGone();
    });
  }

  /** Writes one line at once; `line` has no line end. */
  write(line: string): void {
    if (!this.#isGone) this.#stream.write(`${line}\n`);
  }

  /** Resolves when everything is written, or cannot be. */
  async flush(): Promise<void> {
    if (this.#isGone || this.#stream.writableEnded) return;
    await new Promise<void>((resolve) => {
      this.#stream.write('', () => {
        resolve();
      });
    });
  }
}
