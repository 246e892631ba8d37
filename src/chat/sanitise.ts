import { anyOf, Characters } from '../util/index.js';

const REPLACEMENT = '\uFFFD';
const MAX_TEXT_LENGTH = 20_000;
const MAX_TEXT_LINES = 500;
const MAX_NAME_LENGTH = 64;

// Controls: C0, DEL and C1, all but LF. A terminal obeys many of them, also the 8-bit forms of C1.
const CONTROLS = /(?!\n)\p{Cc}/gu;

// Characters without a picture: bidi controls reorder what stands around them, zero-width ones hide text or make two
// different texts look equal. Kept are the joiners and variation selectors that emoji and many scripts need, and tag
// characters where they make a flag.
const INVISIBLE =
  /\u{1F3F4}[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{1,6}\u{E007F}|(?!\u200c|\u200d|[\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}|\p{Bidi_Control}|[\ufff9-\ufffb]/gu;

// Stacks of combining marks paint over neighbouring lines; no language needs more than a few.
const MARK_STACK = /(\p{M}{8})\p{M}+/gu;

// The last one is a braille pattern without dots, which looks like a blank.
const NOT_IN_NAMES = anyOf(Characters.others, Characters.ignorable, '\\u2800');

function dropInvisible(match: string): string {
  return match.startsWith('\u{1F3F4}') ? match : '';
}

/**
 * Makes text that a peer wrote safe for a terminal: no control characters except LF, no bidi controls, no lone surrogates, no
 * hidden characters, bounded length. Applying it twice changes nothing more.
 *
 * @param text - anything
 * @returns text of at most about 20 000 UTF-16 units and 500 lines; what was cut off is said at its end
 */
export function sanitiseText(text: string): string {
  let shown = text;
  if (shown.length > MAX_TEXT_LENGTH) {
    shown = `${shown.slice(0, MAX_TEXT_LENGTH - 100)}\n<${text.length - MAX_TEXT_LENGTH + 100} more characters not shown>`;
  }
  shown = shown
    .toWellFormed()
    .replace(/\r\n|\r|\u2028|\u2029/g, '\n')
    .replaceAll('\t', '    ')
    .replace(CONTROLS, REPLACEMENT)
    .replace(INVISIBLE, dropInvisible)
    .replace(MARK_STACK, '$1');
  const lines = shown.split('\n');
  if (lines.length <= MAX_TEXT_LINES) return shown;
  const kept = lines.slice(0, MAX_TEXT_LINES - 1);
  return `${kept.join('\n')}\n<${lines.length - kept.length} more lines not shown>`;
}

/** As {@link sanitiseText}, on one line: for quotes of messages, error texts, metadata and payload types. */
export function sanitiseLine(text: string): string {
  return sanitiseText(text).replaceAll('\n', ' ');
}

/**
 * Makes a name or a part of one safe for a terminal and for layout: every character that is not visible is replaced, spaces
 * become `_`, and it ends after 64 characters.
 */
export function sanitiseName(text: string): string {
  const safe = text.toWellFormed().replace(/\p{Z}/gu, '_').replace(NOT_IN_NAMES, REPLACEMENT).replace(MARK_STACK, '$1');
  if (safe.length <= MAX_NAME_LENGTH) return safe;
  return `${safe.slice(0, MAX_NAME_LENGTH - 3).toWellFormed()}...`;
}
