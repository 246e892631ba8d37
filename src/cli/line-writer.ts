import type { Writable } from 'node:stream';

import { OutputError, withinBudget } from '../util/index.js';

/** Bytes that may wait for a slow reader before whoever writes should pause. */
const PAUSE_ABOVE_BYTES = 1024 * 1024;

/** How long a reader that takes nothing is waited for at the end, milliseconds. */
const FLUSH_BUDGET_MS = 5000;

/** What a {@link LineWriter} tells. */
export interface LineWriterHandlers {
  /** Nothing can be written any more; called once. */
  onGone(error: Error): void;
  /** The reader does not keep up, or does again. */
  onBlocked(isBlocked: boolean): void;
}

/** Writes lines to a stream that may go away or be full, as a pipe to `head` or a disk. */
export class LineWriter {
  readonly #stream: Writable;
  readonly #handlers: LineWriterHandlers;
  #failure: Error | undefined;
  #isBlocked = false;

  constructor(stream: Writable, handlers: LineWriterHandlers) {
    this.#stream = stream;
    this.#handlers = handlers;
    stream.on('error', (error: Error) => {
      this.#fail(error);
    });
  }

  /** @throws OutputError `output-failed` if something could not be written */
  assertWritten(): void {
    if (this.#failure !== undefined) throw outputError(this.#failure);
  }

  /** Writes one line at once; `line` has no line end. */
  write(line: string): void {
    if (this.#failure !== undefined) return;
    this.#stream.write(`${line}\n`);
    if (this.#isBlocked || this.#stream.writableLength <= PAUSE_ABOVE_BYTES) return;
    this.#isBlocked = true;
    this.#handlers.onBlocked(true);
    this.#stream.once('drain', () => {
      this.#isBlocked = false;
      this.#handlers.onBlocked(false);
    });
  }

  /** Resolves when everything is written, or cannot be: a reader that takes nothing for five seconds is given up. */
  async flush(): Promise<void> {
    if (this.#failure !== undefined || this.#stream.writableEnded) return;
    const written = new Promise<void>((resolve) => {
      this.#stream.write('', (error) => {
        // A file tells of a failure only now, when nothing seems to wait any more.
        if (error) this.#fail(error);
        resolve();
      });
    });
    // As long as something goes out, there is a reader.
    let before: number;
    do {
      before = this.#stream.writableLength;
      await withinBudget(written, FLUSH_BUDGET_MS);
    } while (this.#stream.writableLength > 0 && this.#stream.writableLength < before);
    if (this.#stream.writableLength > 0) this.#fail(new Error('nobody reads it'));
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#handlers.onGone(error);
  }
}

/** What a program ends with whose output cannot be written. */
function outputError(cause: Error): OutputError {
  const { code = cause.message } = cause as NodeJS.ErrnoException;
  const why = code === 'EPIPE' ? 'whoever read it has stopped (EPIPE)' : `writing it failed (${code})`;
  return new OutputError('output-failed', `The output is incomplete: ${why}.`, { cause });
}
