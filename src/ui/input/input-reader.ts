import { type InputEvent } from './input-event.js';
import { PasteGuess } from './paste-guess.js';
import { Tokenizer } from './tokenizer.js';

/** Starts a timer and returns what stops it. */
export type StartTimer = (afterMs: number, run: () => void) => () => void;

/** What an {@link InputReader} needs. */
export interface InputReaderOptions {
  /** Gets the events of each chunk, in order; never called with none. */
  readonly onEvents: (events: readonly InputEvent[]) => void;
  readonly startTimer: StartTimer;
}

/** Joins tokenizer and paste guess, and runs the timers both ask for. */
export class InputReader {
  readonly #tokenizer = new Tokenizer();
  readonly #guess = new PasteGuess();
  readonly #options: InputReaderOptions;
  #stopTokenizerTimer: (() => void) | undefined;
  #stopGuessTimer: (() => void) | undefined;

  constructor(options: InputReaderOptions) {
    this.#options = options;
  }

  /** Takes the next chunk from the terminal. */
  feed(bytes: Uint8Array): void {
    this.#pass(this.#tokenizer.push(bytes));
  }

  /** Stops the timers; what is still pending is dropped. */
  close(): void {
    this.#stopTokenizerTimer?.();
    this.#stopGuessTimer?.();
  }

  #pass(tokens: readonly InputEvent[]): void {
    const events = this.#guess.push(tokens);
    this.#restartTimers();
    if (events.length > 0) this.#options.onEvents(events);
  }

  #restartTimers(): void {
    this.#stopTokenizerTimer?.();
    this.#stopTokenizerTimer = this.#startIf(this.#tokenizer.waitsMs, () => {
      this.#pass(this.#tokenizer.flush());
    });
    this.#stopGuessTimer?.();
    this.#stopGuessTimer = this.#startIf(this.#guess.waitsMs, () => {
      const events = this.#guess.flush();
      if (events.length > 0) this.#options.onEvents(events);
    });
  }

  #startIf(afterMs: number | undefined, run: () => void): (() => void) | undefined {
    return afterMs === undefined ? undefined : this.#options.startTimer(afterMs, run);
  }
}
