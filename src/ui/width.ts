import stringWidth from 'string-width';

import { graphemesOf } from './input/index.js';

/** Columns a text takes. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** The longest start of a text that fits into a number of columns; never ends inside a grapheme. */
function fitting(text: string, columns: number): string {
  let out = '';
  let left = columns;
  for (const grapheme of graphemesOf(text)) {
    left -= widthOf(grapheme);
    if (left < 0) break;
    out += grapheme;
  }
  return out;
}

/**
 * Cuts a text to a number of columns, never inside a grapheme. What is cut off is marked by `...` where there is room for it.
 *
 * @param text - one line
 * @param columns - at least 0
 */
export function truncate(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  const mark = columns >= 10 ? '...' : '';
  return fitting(text, columns - mark.length) + mark;
}

/**
 * Breaks a text at blanks into rows. A word that is longer than a row keeps its row for itself and is not cut.
 *
 * @param text - one line
 * @param columns - of a row, at least 1
 */
export function breakWords(text: string, columns: number): readonly string[] {
  const rows: string[] = [];
  let rest = text;
  while (widthOf(rest) > columns) {
    const head = fitting(rest, columns + 1);
    const last = head.lastIndexOf(' ');
    const blank = last > 0 ? last : rest.indexOf(' ', Math.max(1, head.length));
    if (blank < 0) break;
    rows.push(rest.slice(0, blank));
    rest = rest.slice(blank + 1);
  }
  return [...rows, rest];
}

/**
 * Breaks a text at blanks into rows that all fit; what does not fit is cut.
 *
 * @param text - one line
 * @param columns - of a row, at least 1
 * @param maxRows - at least 1
 */
export function wrap(text: string, columns: number, maxRows: number): readonly string[] {
  const rows = breakWords(text, columns);
  const shown = rows.length <= maxRows ? rows : [...rows.slice(0, maxRows - 1), rows.slice(maxRows - 1).join(' ')];
  return shown.map((row) => truncate(row, columns));
}
