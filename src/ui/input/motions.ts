import { GraphemeEdges } from './graphemes.js';

const WORD = /[\p{L}\p{N}\p{M}_]/u;

/** Index of the start of the line that holds `index`. */
export function startOfLine(text: string, index: number): number {
  return index === 0 ? 0 : text.lastIndexOf('\n', index - 1) + 1;
}

/** Index of the newline (or end of text) that ends the line that holds `index`. */
export function endOfLine(text: string, index: number): number {
  const end = text.indexOf('\n', index);
  return end === -1 ? text.length : end;
}

/**
 * Start of the word before `index`.
 *
 * @param text - the text
 * @param index - an edge of a grapheme
 * @param kind - `word`: letters, digits and underscore; `blank`: everything between blanks
 */
export function wordStart(text: string, index: number, kind: 'word' | 'blank'): number {
  const edges = new GraphemeEdges(text);
  const inWord = (grapheme: string): boolean => (kind === 'word' ? WORD.test(grapheme) : !/\s/.test(grapheme));
  let at = index;
  let found = false;
  while (at > 0) {
    const before = edges.before(at);
    if (inWord(text.slice(before, at))) found = true;
    else if (found) break;
    at = before;
  }
  return at;
}

/** End of the word behind `index`, an edge of a grapheme. */
export function wordEnd(text: string, index: number): number {
  const edges = new GraphemeEdges(text);
  let at = index;
  let found = false;
  while (at < text.length) {
    const after = edges.after(at);
    if (WORD.test(text.slice(at, after))) found = true;
    else if (found) break;
    at = after;
  }
  return at;
}

/** How many graphemes lie between two edges. */
function countGraphemes(text: string, from: number, to: number): number {
  const edges = new GraphemeEdges(text);
  let count = 0;
  for (let at = from; at < to; at = edges.after(at)) count += 1;
  return count;
}

/**
 * The place in the line above or below that is as many graphemes from its start.
 *
 * @returns `undefined` if there is no such line
 */
export function lineMove(text: string, index: number, direction: 'up' | 'down'): number | undefined {
  const start = startOfLine(text, index);
  const end = endOfLine(text, index);
  if (direction === 'up' ? start === 0 : end === text.length) return undefined;
  const target = direction === 'up' ? startOfLine(text, start - 1) : end + 1;
  const targetEnd = endOfLine(text, target);
  const edges = new GraphemeEdges(text);
  let at = target;
  for (let column = countGraphemes(text, start, index); column > 0 && at < targetEnd; column -= 1) at = edges.after(at);
  return at;
}
