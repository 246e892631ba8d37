import { type InputEvent } from './input-event.js';
import { PasteGuess } from './paste-guess.js';
import { Tokenizer } from './tokenizer.js';

/** Starts a timer and returns what stops it. */
export type StartTimer = (afterMs: number, run: () => void) => () => void;

/** Gets the events of each chunk, in order; never called with none. */
export type OnEvents = (events: readonly InputEvent[]) => void;

/** What an {@link InputReader} needs. */
export interface InputReaderOptions {
  readonly startTimer: StartTimer;
  /** Ctrl+C was typed before {@link InputReader.open}. */
  readonly onInterrupt: () => void;
}

/**
 * Joins tokenizer and paste guess, and runs the timers both ask for.
 *
 * What is typed before there is anything to type into is kept. It is not searched for unmarked pastes: while the program starts it
 * reads seldom, so that lines that were typed one after the other come in one chunk.
 */
export class InputReader {
  readonly #tokenizer = new Tokenizer();
  readonly #guess = new PasteGuess();
  readonly #options: InputReaderOptions;
  #typedAhead: InputEvent[] = [];
  #onEvents: OnEvents | undefined;
  #stopTokenizerTimer: (() => void) | undefined;
  #stopGuessTimer: (() => void) | undefined;

  constructor(options: InputReaderOptions) {
    this.#options = options;
  }

  /** Takes the next chunk from the terminal. */
  feed(bytes: Uint8Array): void {
    this.#pass(this.#tokenizer.push(bytes));
  }

  /**
   * Says who gets the events from now on.
   *
   * @returns what was typed before
   */
  open(onEvents: OnEvents): readonly InputEvent[] {
    this.#onEvents = onEvents;
    const events = this.#typedAhead;
    this.#typedAhead = [];
    return events;
  }

  /** Stops the timers; what is still pending is dropped. */
  close(): void {
    this.#stopTokenizerTimer?.();
    this.#stopGuessTimer?.();
  }

  #pass(tokens: readonly InputEvent[]): void {
    const events = this.#onEvents === undefined ? this.#keep(tokens) : this.#guess.push(tokens);
    this.#restartTimers();
    if (events.length > 0) this.#onEvents?.(events);
  }

  #keep(tokens: readonly InputEvent[]): readonly InputEvent[] {
    for (const token of tokens) {
      if (token.kind !== 'key') this.#typedAhead.push(token);
      else if (token.key === 'ctrl+c') this.#options.onInterrupt();
      // Before the terminal was in raw mode, it made a line feed of Enter.
      else this.#typedAhead.push(token.key === 'linefeed' ? { kind: 'key', key: 'enter' } : token);
    }
    return [];
  }

  #restartTimers(): void {
    this.#stopTokenizerTimer?.();
    this.#stopTokenizerTimer = this.#startIf(this.#tokenizer.waitsMs, () => {
      this.#pass(this.#tokenizer.flush());
    });
    this.#stopGuessTimer?.();
    this.#stopGuessTimer = this.#startIf(this.#guess.waitsMs, () => {
      const events = this.#guess.flush();
      if (events.length > 0) this.#onEvents?.(events);
    });
  }

  #startIf(afterMs: number | undefined, run: () => void): (() => void) | undefined {
    return afterMs === undefined ? undefined : this.#options.startTimer(afterMs, run);
  }
}
