import { breakText, graphemesOf, mostWidthOf } from '../chat/index.js';

/** The longest start of a text that fits into a number of columns; never ends inside a grapheme. */
function fitting(text: string, columns: number): string {
  let out = '';
  let left = columns;
  for (const grapheme of graphemesOf(text)) {
    left -= mostWidthOf(grapheme);
    if (left < 0) break;
    out += grapheme;
  }
  return out;
}

/**
 * Cuts a text to a number of columns, never inside a grapheme. What is cut off is marked by `...` where there is room for it. On a
 * terminal that draws characters narrower than others do, there is some room left: one that has to wrap a row of the live region
 * would leave debris of it behind.
 *
 * @param text - one line
 * @param columns - at least 0
 */
export function truncate(text: string, columns: number): string {
  if (mostWidthOf(text) <= columns) return text;
  const mark = columns >= 10 ? '...' : '';
  return fitting(text, columns - mark.length) + mark;
}

/**
 * Breaks a text into so many rows at most; what does not fit is cut.
 *
 * @param text - one line
 * @param columns - of a row, at least 1
 * @param maxRows - at least 1
 */
export function wrap(text: string, columns: number, maxRows: number): readonly string[] {
  const rows = breakText(text, { first: columns, others: columns });
  const shown = rows.length <= maxRows ? rows : [...rows.slice(0, maxRows - 1), rows.slice(maxRows - 1).join(' ')];
  return shown.map((row) => truncate(row, columns));
}
