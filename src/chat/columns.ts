import stringWidth from 'string-width';

import { RecentMap } from '../util/index.js';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const ASCII = /^[\u0020-\u007e]*$/;

/** No emoji of real life takes more, in as many parts as it may be drawn. */
const MAX_COLUMNS = 12;

/** Enough for the characters of a language: measuring each anew would let a long message stop the program for a moment. */
const MAX_KNOWN = 5000;
const MAX_KNOWN_LENGTH = 32;
const knownColumns = new RecentMap<string, number>(MAX_KNOWN);

/** The characters that people see, in order. */
export function graphemesOf(text: string): string[] {
  // Segmenting takes ten times as long.
  if (ASCII.test(text)) return text.split('');
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Columns that a text takes on a terminal. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** The text with blanks behind it, up to a number of columns. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

/**
 * The most columns that a character takes on any terminal: many draw the parts of an emoji one beside the other, others draw one
 * picture.
 */
function mostColumns(grapheme: string): number {
  if (ASCII.test(grapheme)) return grapheme.length;
  const known = knownColumns.get(grapheme);
  if (known !== undefined) return known;
  const parts = Array.from(grapheme, widthOf).reduce((sum, columns) => sum + columns, 0);
  const most = Math.max(widthOf(grapheme), parts);
  if (grapheme.length <= MAX_KNOWN_LENGTH) knownColumns.set(grapheme, most);
  return most;
}

/** The most columns that a text takes on any terminal. */
export function mostWidthOf(text: string): number {
  return graphemesOf(text).reduce((sum, grapheme) => sum + mostColumns(grapheme), 0);
}

/** What goes into a row as a whole: characters that people see, unless somebody has made a row of one. */
function piecesOf(text: string): string[] {
  return graphemesOf(text).flatMap((grapheme) =>
    mostColumns(grapheme) > MAX_COLUMNS ? Array.from(grapheme) : grapheme,
  );
}

/** Where to break a text. */
export interface BreakOptions {
  /** Columns of the first row, at least 1. */
  readonly first: number;
  /** Columns of the other rows, at least 1. */
  readonly others: number;
  /** What stands at the start of the text and holds no place to break. */
  readonly head?: number;
}

/**
 * Breaks a text into rows: at blanks, and within words that are longer than a row. No terminal has to break these rows itself, not
 * even one that draws some characters wider than others do.
 *
 * @param text - one line
 */
export function breakText(text: string, { first, others, head = 0 }: BreakOptions): readonly string[] {
  if (first === Infinity || (text.length <= first && ASCII.test(text))) return [text];
  const pieces = piecesOf(text);
  const widths = pieces.map(mostColumns);
  const headEnd = piecesOf(text.slice(0, head)).length;
  const rows: string[] = [];
  let start = 0;
  for (;;) {
    const end = fittingEnd(widths, start, rows.length === 0 ? first : others);
    if (end === pieces.length) break;
    // The break takes the place of a blank: the one that does not fit any more, or the last one in the row.
    let blank = end;
    while (blank > start && pieces[blank] !== ' ') blank -= 1;
    const isAtBlank = blank > start && blank >= headEnd;
    rows.push(pieces.slice(start, isAtBlank ? blank : end).join(''));
    start = isAtBlank ? blank + 1 : end;
  }
  return [...rows, pieces.slice(start).join('')];
}

/** Where a row ends that begins at an index; it has at least one character. */
function fittingEnd(widths: readonly number[], start: number, columns: number): number {
  let end = start;
  let used = 0;
  while (end < widths.length && (end === start || used + (widths[end] ?? 0) <= columns)) {
    used += widths[end] ?? 0;
    end += 1;
  }
  return end;
}
