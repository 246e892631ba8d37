import { type InputEvent } from './input-event.js';

/** Pieces of one paste come closer together than this, in ms. */
export const PASTE_GAP_MS = 50;

type Typed = Extract<InputEvent, { kind: 'text' | 'key' }>;

/**
 * Finds pastes in terminals that do not mark them: there a newline in the middle of a text would send half of it.
 *
 * It is told which events came in one chunk, because only that tells pasting from typing: text with one Enter at its end is typed
 * (or sent by a program that drives the terminal), an Enter with more text behind it is a paste. A paste that has been found is held
 * for {@link PASTE_GAP_MS}, since a long one comes in several chunks and its last chunk may look like typing.
 */
export class PasteGuess {
  #held: string | undefined;

  /** Milliseconds of silence after which {@link flush} is due; `undefined` while nothing is held. */
  get waitsMs(): number | undefined {
    return this.#held === undefined ? undefined : PASTE_GAP_MS;
  }

  /** Takes the events of one chunk and gives what is certain by now. */
  push(chunk: readonly InputEvent[]): InputEvent[] {
    const out: InputEvent[] = [];
    let run: Typed[] = [];
    let text = '';
    const endRun = (): void => {
      if (run.length > 0) this.#settleRun(run, text, out);
      run = [];
      text = '';
    };
    for (const event of chunk) {
      const typed = typedText(event);
      if (typed === undefined) {
        endRun();
        out.push(...this.flush(), event);
      } else {
        run.push(event as Typed);
        text += typed;
      }
    }
    endRun();
    return out;
  }

  /** Says that the paste that is held is complete. */
  flush(): InputEvent[] {
    const held = this.#held;
    this.#held = undefined;
    return held === undefined ? [] : [{ kind: 'paste', text: held.replace(/\r\n?/g, '\n'), truncated: false }];
  }

  #settleRun(run: readonly Typed[], text: string, out: InputEvent[]): void {
    if (this.#held !== undefined) this.#held += text;
    else if (looksPasted(text)) this.#held = text;
    else out.push(...run);
  }
}

/** What an event contributes to a run of typed text; `undefined` for keys that end the run. */
function typedText(event: InputEvent): string | undefined {
  if (event.kind === 'text') return event.text;
  if (event.kind !== 'key') return undefined;
  if (event.key === 'enter') return '\r';
  if (event.key === 'linefeed') return '\n';
  if (event.key === 'tab') return '\t';
  return undefined;
}

/** Whether nobody types like this: a line end with more behind it, all at once. Several Enter in a row are a key held down. */
function looksPasted(text: string): boolean {
  return /[\r\n][^\r\n]/.test(text) || text.includes('\r\n');
}
