import { chord, type InputEvent, type Modifiers } from './input-event.js';

/** What a control sequence means. */
export type CsiMeaning = InputEvent | { readonly kind: 'paste-start' } | undefined;

const LETTERS: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  F: 'end',
  H: 'home',
  M: 'enter',
};

const TILDE: Readonly<Record<string, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
};

/** Keys with a code point of their own in the kitty and modifyOtherKeys reports. */
const CODES: Readonly<Record<number, string>> = {
  8: 'backspace',
  9: 'tab',
  10: 'linefeed',
  13: 'enter',
  27: 'escape',
  127: 'backspace',
  57414: 'enter',
};

/** Modifier field of a report: one more than a bit mask. */
function modifiersOf(field: string | undefined): Modifiers {
  const mask = Math.max(0, (Number.parseInt(field ?? '', 10) || 1) - 1);
  // Bit 3 is "super" for kitty and "meta" for xterm; meta is what others call Alt.
  return { shift: (mask & 1) !== 0, alt: (mask & 2) !== 0 || (mask & 8) !== 0, ctrl: (mask & 4) !== 0 };
}

/** A key that was reported by its code point. */
function fromCode(code: number, shifted: number, modifiers: Modifiers): InputEvent | undefined {
  const name = CODES[code];
  if (name !== undefined) return { kind: 'key', key: chord(name, modifiers) };
  // Control characters are not keys here, and the private use area is kitty's list of keys that have no text.
  if (!(code >= 0x20 && code <= 0x10ffff) || (code >= 0x7f && code <= 0x9f)) return undefined;
  if ((code >= 0xd800 && code <= 0xdfff) || (code >= 0xe000 && code <= 0xf8ff)) return undefined;
  if (modifiers.ctrl === true || modifiers.alt === true) {
    return { kind: 'key', key: chord(String.fromCodePoint(code), modifiers) };
  }
  const usable = shifted > 0x20 && shifted <= 0x10ffff && !(shifted >= 0xd800 && shifted <= 0xdfff);
  return { kind: 'text', text: String.fromCodePoint(usable ? shifted : code) };
}

/** `CSI code:shifted:base;modifiers:event;text u` */
function fromKitty(fields: readonly string[]): InputEvent | undefined {
  const [code, shifted] = (fields[0] ?? '').split(':');
  const [modifiers, event] = (fields[1] ?? '').split(':');
  // 3 is the release of a key; its press was reported before.
  if (event === '3') return undefined;
  return fromCode(Number.parseInt(code ?? '', 10), Number.parseInt(shifted ?? '', 10), modifiersOf(modifiers));
}

function fromTilde(fields: readonly string[]): CsiMeaning {
  const [number = '', modifiers, code] = fields;
  if (number === '200') return { kind: 'paste-start' };
  // xterm's modifyOtherKeys: CSI 27 ; modifiers ; code ~
  if (number === '27') {
    const point = Number.parseInt(code ?? '', 10);
    return fromCode(point, point, modifiersOf(modifiers));
  }
  const name = TILDE[number];
  return name === undefined ? undefined : { kind: 'key', key: chord(name, modifiersOf(modifiers?.split(':')[0])) };
}

/**
 * Reads a complete control sequence.
 *
 * @param parameters - what stands between `ESC [` and the final character
 * @param final - the final character
 * @returns `undefined` for sequences that are answers to queries or keys nobody uses
 */
export function readCsi(parameters: string, final: string): CsiMeaning {
  if (/[^\d;:]/.test(parameters)) return undefined;
  const fields = parameters.split(';');
  if (final === '~') return fromTilde(fields);
  if (final === 'u') return fromKitty(fields);
  if (parameters === '' && (final === 'I' || final === 'O')) return { kind: 'focus', focused: final === 'I' };
  if (final === 'Z') return { kind: 'key', key: 'shift+tab' };
  const name = final === 'M' ? undefined : LETTERS[final];
  if (name === undefined) return undefined;
  return { kind: 'key', key: chord(name, modifiersOf(fields[1]?.split(':')[0])) };
}

/**
 * Reads a complete `ESC O` sequence (cursor keys in application mode, keypad Enter).
 *
 * @param modifier - the digit some terminals put before the final character, or nothing
 * @param final - the final character
 */
export function readSs3(modifier: string, final: string): InputEvent | undefined {
  const name = LETTERS[final];
  return name === undefined ? undefined : { kind: 'key', key: chord(name, modifiersOf(modifier)) };
}
