/** What a line of the chat is: a message, one of ours, an event, something that asks for attention, or bare text. */
export type LineKind = 'chat' | 'own' | 'info' | 'alert' | 'note';

/** One finished line of the chat, safe for a terminal. Never changes. */
export interface ChatLine {
  /** Counts up from 0; a stable key. */
  readonly key: number;
  readonly kind: LineKind;
  /** `HH:MM`, or empty where no time is shown. */
  readonly time: string;
  /** Label of the author of a `chat` or `own` line, else empty. */
  readonly from: string;
  /** Printed full name of the author, else empty. For colours. */
  readonly fromName: string;
  /** May hold LF. */
  readonly text: string;
}

/**
 * The finished lines of a chat: an immutable list that only grows at its end.
 *
 * Appending costs O(1): versions share one array as long as only the newest is appended to. Copying an array for each line
 * would make a burst of n lines cost n².
 */
export class LineLog {
  readonly #lines: ChatLine[];
  readonly #dropped: number;
  /** How many lines there have ever been; the next line has this key. */
  readonly end: number;
  #array: readonly ChatLine[] | undefined;

  private constructor(lines: ChatLine[], dropped: number, end: number) {
    this.#lines = lines;
    this.#dropped = dropped;
    this.end = end;
  }

  /** A log without lines. */
  static empty(): LineLog {
    return new LineLog([], 0, 0);
  }

  /** The log with one more line. */
  append(line: Omit<ChatLine, 'key'>): LineLog {
    const count = this.end - this.#dropped;
    const lines = this.#lines.length === count ? this.#lines : this.#lines.slice(0, count);
    lines.push({ ...line, key: this.end });
    return new LineLog(lines, this.#dropped, this.end + 1);
  }

  /** The lines from `key` on, as far as they are kept. */
  since(key: number): readonly ChatLine[] {
    return this.#lines.slice(Math.max(0, key - this.#dropped), this.end - this.#dropped);
  }

  /** All kept lines; the same array for the same log. */
  toArray(): readonly ChatLine[] {
    this.#array ??= this.since(0);
    return this.#array;
  }

  /** The log without the lines before `key`, for a face that has printed them and runs for months. */
  dropBefore(key: number): LineLog {
    const end = Math.min(key, this.end);
    if (end <= this.#dropped) return this;
    return new LineLog(this.since(end).slice(), end, this.end);
  }
}
