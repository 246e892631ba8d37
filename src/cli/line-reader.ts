import type { Readable } from 'node:stream';

import { withoutByteOrderMark } from '../util/index.js';

/** A line of the input, or what is wrong with it. Counted from 1. */
export type InputLine =
  | { readonly kind: 'line'; readonly number: number; readonly text: string }
  | { readonly kind: 'too-long'; readonly number: number }
  | { readonly kind: 'not-text'; readonly number: number }
  /** From here on nothing can be read; the last of all lines. */
  | { readonly kind: 'unreadable'; readonly number: number; readonly why: string };

const LF = 0x0a;
const CR = 0x0d;

/** How UTF-16 begins, in either order of its bytes. No UTF-8 has such bytes. */
const UTF_16_MARKS: readonly (readonly number[])[] = [
  [0xff, 0xfe],
  [0xfe, 0xff],
];

/**
 * Cuts bytes into lines of UTF-8. Keeps no more than one line of the allowed length in memory. A byte order mark at the beginning is
 * no text; if it is one of UTF-16, that is told once instead of for each line.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #parts: Uint8Array[] = [];
  #length = 0;
  #number = 0;
  #isOver = false;

  /** @param maxBytes - longest line, without its end */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that these bytes complete. */
  push(chunk: Uint8Array): readonly InputLine[] {
    const lines: InputLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0 && !this.#isOver; end = chunk.indexOf(LF, start)) {
      this.#add(chunk.subarray(start, end));
      lines.push(this.#take());
      start = end + 1;
    }
    if (start < chunk.length && !this.#isOver) this.#add(chunk.subarray(start));
    return lines;
  }

  /** The last line, if the input did not end with a line end. */
  end(): readonly InputLine[] {
    return this.#length > 0 ? [this.#take()] : [];
  }

  /** Ends it: the input has failed, and what there is of a line is not all of it. */
  fail(why: string): InputLine {
    this.#isOver = true;
    this.#length = 0;
    return { kind: 'unreadable', number: this.#number + 1, why };
  }

  #add(part: Uint8Array): void {
    this.#length += part.length;
    // One more byte than allowed is for a CR.
    if (this.#length <= this.#maxBytes + 1) this.#parts.push(Uint8Array.from(part));
    else this.#parts = [];
  }

  #take(): InputLine {
    this.#number += 1;
    const number = this.#number;
    const length = this.#length;
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    const line = bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes;
    if (length > this.#maxBytes + 1 || line.length > this.#maxBytes) return { kind: 'too-long', number };
    if (number === 1 && UTF_16_MARKS.some(([first, second]) => line[0] === first && line[1] === second)) {
      this.#isOver = true;
      return { kind: 'unreadable', number, why: 'it is UTF-16 and must be UTF-8' };
    }
    try {
      const text = this.#decoder.decode(line);
      return { kind: 'line', number, text: number === 1 ? withoutByteOrderMark(text) : text };
    } catch {
      // The decoder throws for whatever is not UTF-8.
      return { kind: 'not-text', number };
    }
  }
}

/** The lines of a stream, as they come. */
export async function* readLines(
  stream: Readable & { readonly isTTY?: boolean },
  maxBytes: number,
): AsyncGenerator<InputLine, void, void> {
  const splitter = new LineSplitter(maxBytes);
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array | string>) {
      for (const line of splitter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)) {
        yield line;
        if (line.kind === 'unreadable') return;
      }
    }
  } catch (error) {
    // A terminal that was closed reports an input error, which is its end. A file or a directory that does was not read to its end.
    const { code = 'no reason given' } = error as NodeJS.ErrnoException;
    if (stream.isTTY !== true) yield splitter.fail(`it cannot be read (${code})`);
  }
  yield* splitter.end();
}
