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
 * Breaks a text at blanks into rows; the last row is cut if that is not enough.
 *
 * @param text - one line
 * @param columns - of a row, at least 1
 * @param maxRows - at least 1
 */
export function wrap(text: string, columns: number, maxRows: number): readonly string[] {
  const rows: string[] = [];
  let rest = text;
  while (rows.length < maxRows - 1 && widthOf(rest) > columns) {
    const head = fitting(rest, columns + 1);
    const blank = head.lastIndexOf(' ');
    // A word that is too long for any row is not worth the trouble: it is cut where everything is.
    if (blank <= 0) break;
    rows.push(rest.slice(0, blank));
    rest = rest.slice(blank + 1);
  }
  return [...rows, truncate(rest, columns)];
}
