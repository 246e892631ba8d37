import { type InputEvent } from './input-event.js';

/** Pieces of one paste come closer together than this, in ms. */
export const PASTE_GAP_MS = 50;

/** The keys that a paste may consist of, besides text. */
const TYPED_KEYS: Readonly<Record<string, string>> = { enter: '\r', linefeed: '\n', tab: '\t' };

type Typed = Extract<InputEvent, { kind: 'text' | 'key' }>;

/**
 * Finds pastes in terminals that do not mark them: there a newline in the middle of a text would send half of it, and a tab would
 * complete a name.
 *
 * It is told which events came in one chunk, because only that tells pasting from typing: text with one Enter or Tab at its end is
 * typed (or sent by a program that drives the terminal), an Enter or a Tab with more text behind it is a paste. A paste that has been
 * found is held for {@link PASTE_GAP_MS}, since a long one comes in several chunks and its last chunk may look like typing. So is a
 * text with a Tab at its end: the paste may have been cut there.
 */
export class PasteGuess {
  #held: string | undefined;
  /** What ends in a Tab and is typed unless more follows at once. */
  #maybe: readonly Typed[] = [];

  /** Milliseconds of silence after which {@link flush} is due; `undefined` while nothing is held. */
  get waitsMs(): number | undefined {
    return this.#held === undefined && this.#maybe.length === 0 ? undefined : PASTE_GAP_MS;
  }

  /** Takes the events of one chunk and gives what is certain by now. */
  push(chunk: readonly InputEvent[]): InputEvent[] {
    const out: InputEvent[] = [];
    let run: Typed[] = [];
    for (const event of chunk) {
      if (isTyped(event)) {
        run.push(event);
      } else {
        this.#settleRun(run, out);
        run = [];
        out.push(...this.flush(), event);
      }
    }
    this.#settleRun(run, out);
    return out;
  }

  /** Says that what is held is complete. */
  flush(): InputEvent[] {
    const [held, maybe] = [this.#held, this.#maybe];
    this.#held = undefined;
    this.#maybe = [];
    return held === undefined ? [...maybe] : [{ kind: 'paste', text: held.replace(/\r\n?/g, '\n'), truncated: false }];
  }

  #settleRun(run: readonly Typed[], out: InputEvent[]): void {
    if (run.length === 0) return;
    const all = [...this.#maybe, ...run];
    const text = all.map(typedText).join('');
    this.#maybe = [];
    if (this.#held !== undefined) this.#held += text;
    else if (looksPasted(text)) this.#held = text;
    else if (/[^\t]\t+$/.test(text)) this.#maybe = all;
    else out.push(...all);
  }
}

function isTyped(event: InputEvent): event is Typed {
  return event.kind === 'text' || (event.kind === 'key' && TYPED_KEYS[event.key] !== undefined);
}

/** What an event contributes to a run of typed text. */
function typedText(event: Typed): string {
  return event.kind === 'text' ? event.text : (TYPED_KEYS[event.key] ?? '');
}

/**
 * Whether nobody types like this: a line end or a tab with more behind it, all at once. Several Enter or Tab in a row are a key held
 * down.
 */
function looksPasted(text: string): boolean {
  return /[\r\n][^\r\n]|\t[^\t\r\n]/.test(text) || text.includes('\r\n');
}
