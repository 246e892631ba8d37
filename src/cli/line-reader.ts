import type { Readable } from 'node:stream';

/** A line of the input, or what is wrong with it. Counted from 1. */
export type InputLine =
  | { readonly kind: 'line'; readonly number: number; readonly text: string }
  | { readonly kind: 'too-long'; readonly number: number }
  | { readonly kind: 'not-text'; readonly number: number };

const LF = 0x0a;
const CR = 0x0d;

/** Cuts bytes into lines of UTF-8. Keeps no more than one line of the allowed length in memory. */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #parts: Uint8Array[] = [];
  #length = 0;
  #number = 0;

  /** @param maxBytes - longest line, without its end */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that these bytes complete. */
  push(chunk: Uint8Array): readonly InputLine[] {
    const lines: InputLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      this.#add(chunk.subarray(start, end));
      lines.push(this.#take());
      start = end + 1;
    }
    if (start < chunk.length) this.#add(chunk.subarray(start));
    return lines;
  }

  /** The last line, if the input did not end with a line end. */
  end(): readonly InputLine[] {
    return this.#length > 0 ? [this.#take()] : [];
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
    try {
      return { kind: 'line', number, text: this.#decoder.decode(line) };
    } catch {
      // The decoder throws for whatever is not UTF-8.
      return { kind: 'not-text', number };
    }
  }
}

/** The lines of a stream, as they come. A stream that breaks ends like one that ends. */
export async function* readLines(stream: Readable, maxBytes: number): AsyncGenerator<InputLine, void, void> {
  const splitter = new LineSplitter(maxBytes);
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array | string>) {
      yield* splitter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    }
  } catch {
    // A terminal that was closed reports an input error; to a chat that is the end of the input.
  }
  yield* splitter.end();
}
