import { cleanText } from './clean-text.js';
import { readCsi, readSs3 } from './csi.js';
import { chord, type InputEvent } from './input-event.js';

/** How long a lone ESC may be the start of a sequence that is still under way, in ms. */
export const ESCAPE_TIMEOUT_MS = 100;
/** Silence after which a paste without an end is taken as it is, in ms. */
export const PASTE_TIMEOUT_MS = 30_000;
/** Longest paste, in UTF-16 units; the rest of a longer one is thrown away. */
export const PASTE_LIMIT = 1024 * 1024;

const ESC = '\u001b';
const PASTE_END = `${ESC}[201~`;
/** No key has a longer report; a longer one is noise. */
const SEQUENCE_LIMIT = 64;
/** Answers to queries can be long, but never this long. */
const STRING_LIMIT = 65_536;

const TEXT = /[^\u0000-\u001f\u007f-\u009f]+/y;
const STRING_STARTERS = new Set([']', 'P', 'X', '^', '_']);
const NAMED: Readonly<Record<string, string>> = {
  '\t': 'tab',
  '\n': 'linefeed',
  '\r': 'enter',
  '\u0000': 'ctrl+space',
  '\u001c': 'ctrl+\\',
  '\u001d': 'ctrl+]',
  '\u001e': 'ctrl+^',
  '\u001f': 'ctrl+_',
  '\u007f': 'backspace',
};

type State = 'ground' | 'escape' | 'csi' | 'ss3' | 'string' | 'linux-function-key' | 'paste';

/**
 * Turns the bytes of a terminal into {@link InputEvent}s.
 *
 * The way the bytes are cut into chunks makes no difference, except that a text may come in more pieces. The one thing that time
 * decides is whether ESC is a key or the start of something: whoever feeds this calls {@link flush} after {@link waitsMs} of silence.
 */
export class Tokenizer {
  // Keeps a character whose bytes are split over two chunks.
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #state: State = 'ground';
  /** What the state has collected so far, without the introducer. */
  #held = '';
  #stringStarter = '';
  #pasteTooLong = false;
  #events: InputEvent[] = [];

  /** Milliseconds of silence after which {@link flush} is due; `undefined` while nothing is pending. */
  get waitsMs(): number | undefined {
    if (this.#state === 'ground') return undefined;
    return this.#state === 'paste' ? PASTE_TIMEOUT_MS : ESCAPE_TIMEOUT_MS;
  }

  /** Takes the next chunk and gives the events it completes. */
  push(bytes: Uint8Array): InputEvent[] {
    this.#consume(this.#decoder.decode(bytes, { stream: true }));
    return this.#take();
  }

  /** Says that nothing more follows what is pending, and gives the events that makes of it. */
  flush(): InputEvent[] {
    const [state, held] = [this.#state, this.#held];
    this.#state = 'ground';
    this.#held = '';
    switch (state) {
      case 'ground':
        break;
      case 'escape':
        this.#key('escape');
        break;
      case 'csi':
        // Alt+[ looks like the start of a sequence. With parameters it was one, and it is broken.
        if (held === '') this.#key('alt+[');
        break;
      case 'ss3':
        if (held === '') this.#key('alt+O');
        break;
      case 'string':
        this.#key(chord(this.#stringStarter, { alt: true }));
        this.#consume(held);
        break;
      case 'linux-function-key':
        break;
      case 'paste':
        this.#endPaste(held, true);
        break;
    }
    return this.#take();
  }

  #take(): InputEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #key(key: string): void {
    this.#events.push({ kind: 'key', key });
  }

  #consume(text: string): void {
    let index = 0;
    while (index < text.length) index = this.#step(text, index);
  }

  /** Handles what stands at `index` and returns the index after it. */
  #step(text: string, index: number): number {
    if (this.#state === 'paste') return this.#stepPaste(text, index);
    if (this.#state === 'ground') {
      TEXT.lastIndex = index;
      const run = TEXT.exec(text)?.[0];
      if (run !== undefined) {
        this.#events.push({ kind: 'text', text: run });
        return index + run.length;
      }
    }
    const char = String.fromCodePoint(text.codePointAt(index) ?? 0);
    this.#handle(char);
    return index + char.length;
  }

  #handle(char: string): void {
    switch (this.#state) {
      case 'ground':
        this.#inGround(char);
        break;
      case 'escape':
        this.#inEscape(char);
        break;
      case 'csi':
        this.#inCsi(char);
        break;
      case 'ss3':
        this.#inSs3(char);
        break;
      case 'string':
        this.#inString(char);
        break;
      case 'linux-function-key':
        // The Linux console sends ESC [ [ A for F1; nothing here uses it.
        this.#enter('ground');
        if (char < ' ') this.#handle(char);
        break;
      case 'paste':
        break;
    }
  }

  #enter(state: State): void {
    this.#state = state;
    this.#held = '';
  }

  #inGround(char: string): void {
    if (char === ESC) this.#enter('escape');
    else if (char < ' ' || char === '\u007f') this.#key(controlKey(char));
    else if (char > '\u009f') this.#events.push({ kind: 'text', text: char });
    // C1 controls are no keys of any terminal that speaks UTF-8.
  }

  #inEscape(char: string): void {
    if (char === '[') this.#enter('csi');
    else if (char === 'O') this.#enter('ss3');
    else if (STRING_STARTERS.has(char)) {
      this.#enter('string');
      this.#stringStarter = char;
    } else if (char === ESC) {
      this.#key('escape');
      this.#enter('escape');
    } else {
      this.#enter('ground');
      if (char < ' ' || char === '\u007f') this.#key(this.#altControl(char));
      else if (char < '\u0080' || char > '\u009f') this.#key(chord(char, { alt: true }));
    }
  }

  #altControl(char: string): string {
    const key = controlKey(char);
    return key.startsWith('ctrl+') ? chord(key.slice('ctrl+'.length), { ctrl: true, alt: true }) : `alt+${key}`;
  }

  #inCsi(char: string): void {
    if (char >= '\u0020' && char <= '\u003f' && this.#held.length < SEQUENCE_LIMIT) {
      this.#held += char;
      return;
    }
    const parameters = this.#held;
    this.#enter('ground');
    if (char === '[' && parameters === '') {
      this.#enter('linux-function-key');
    } else if (char >= '@' && char <= '~') {
      const meaning = readCsi(parameters, char);
      if (meaning?.kind === 'paste-start') this.#enter('paste');
      else if (meaning !== undefined) this.#events.push(meaning);
    } else {
      // Not a sequence after all: what came of it is dropped, this character counts.
      this.#handle(char);
    }
  }

  #inSs3(char: string): void {
    if (char >= '0' && char <= '9' && this.#held === '') {
      this.#held = char;
      return;
    }
    const modifier = this.#held;
    this.#enter('ground');
    if (char >= '@' && char <= '~') {
      const event = readSs3(modifier, char);
      if (event !== undefined) this.#events.push(event);
    } else {
      this.#handle(char);
    }
  }

  /** Swallows an answer of the terminal (OSC, DCS and the like) up to BEL or ST. */
  #inString(char: string): void {
    if (char === '\u0007' || char === '\u009c' || char === '\u0018' || char === '\u001a') {
      this.#enter('ground');
    } else if (char === '\\' && this.#held.endsWith(ESC)) {
      this.#enter('ground');
    } else if (this.#held.length >= STRING_LIMIT) {
      this.#enter('ground');
    } else {
      this.#held += char;
    }
  }

  /** Collects up to the end mark. The mark may be split over chunks, so it is looked for in what was held, too. */
  #stepPaste(text: string, index: number): number {
    const seam = Math.max(0, this.#held.length - PASTE_END.length + 1);
    const before = this.#held.length;
    const joined = this.#held.slice(seam) + text.slice(index);
    const at = joined.indexOf(PASTE_END);
    if (at === -1) {
      this.#holdPaste(text.slice(index));
      return text.length;
    }
    const content = this.#held.slice(0, seam) + joined.slice(0, at);
    this.#enter('ground');
    this.#endPaste(content, false);
    return index + (seam + at + PASTE_END.length - before);
  }

  #holdPaste(text: string): void {
    this.#held += text;
    // Room for one more end mark behind the limit, so that cutting never cuts a mark in two.
    const keep = PASTE_LIMIT + PASTE_END.length;
    if (this.#held.length > keep) {
      this.#pasteTooLong = true;
      const tail = this.#held.slice(1 - PASTE_END.length);
      this.#held = this.#held.slice(0, PASTE_LIMIT) + tail;
    }
  }

  #endPaste(content: string, broken: boolean): void {
    const truncated = broken || this.#pasteTooLong || content.length > PASTE_LIMIT;
    this.#pasteTooLong = false;
    this.#events.push({ kind: 'paste', text: cleanText(content.slice(0, PASTE_LIMIT)), truncated });
  }
}

/** Name of a C0 control or DEL as a key; Ctrl+H is one of its own, so that a key map can say it is Backspace. */
function controlKey(char: string): string {
  return NAMED[char] ?? `ctrl+${String.fromCharCode(char.charCodeAt(0) + 0x60)}`;
}
