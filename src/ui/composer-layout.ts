import { widthOf } from '../chat/index.js';
import { type EditorState, GraphemeEdges, graphemesOf } from './input/index.js';
import { truncate } from './width.js';

/** The composer as rows of the screen. */
export interface ComposerRows {
  readonly rows: readonly string[];
  /** Row and column of the cursor, counted from 0. */
  readonly cursor: { readonly x: number; readonly y: number };
}

/** What stands before the first row, and before the first one on show if there are more above it. */
const PROMPT_END = '> ';
const CLIPPED_END = '^ ';

/**
 * A text longer than this is only laid out around the cursor. Where its rows break may then shift while the cursor moves, but a
 * key does not take longer the longer the text is.
 */
const WINDOW = 4000;

/** The part of the text around the cursor that can be on the screen. */
function windowAround({ text, cursor }: EditorState): { text: string; cursor: number; isClipped: boolean } {
  if (text.length <= 2 * WINDOW) return { text, cursor, isClipped: false };
  const edges = new GraphemeEdges(text);
  const from = edges.snap(Math.max(0, cursor - WINDOW));
  const to = edges.snap(Math.min(text.length, cursor + WINDOW));
  return { text: text.slice(from, to), cursor: cursor - from, isClipped: from > 0 };
}

/** A tab is one blank here: a real one would move the terminal's cursor by a number of columns nobody counted. */
function shown(grapheme: string): string {
  return grapheme === '\t' ? ' ' : grapheme;
}

/** Breaks a text into rows and finds the cursor in them. */
function breakRows(text: string, cursor: number, width: number): { rows: string[]; x: number; y: number } {
  const rows: string[] = [];
  let row = '';
  let used = 0;
  let index = 0;
  let place = { x: 0, y: 0 };
  const endRow = (): void => {
    rows.push(row);
    row = '';
    used = 0;
  };
  for (const grapheme of graphemesOf(text)) {
    const drawn = shown(grapheme);
    const columns = widthOf(drawn);
    if (grapheme !== '\n' && used + columns > width && used > 0) endRow();
    if (index === cursor) place = { x: used, y: rows.length };
    index += grapheme.length;
    if (grapheme === '\n') {
      endRow();
    } else {
      row += drawn;
      used += columns;
    }
  }
  if (index === cursor) place = { x: used, y: rows.length };
  endRow();
  return { rows, ...place };
}

/**
 * Lays out the composer with its prompt, clipped around the cursor.
 *
 * @param editor - text and cursor
 * @param columns - of the screen; the last one is only ever used by the cursor
 * @param maxRows - at least 1
 * @param prompt - ends with `> `; what is before that gives way on a narrow screen
 */
export function layoutComposer(
  editor: EditorState,
  columns: number,
  maxRows: number,
  prompt: string = PROMPT_END,
): ComposerRows {
  const { text, cursor, isClipped } = windowAround(editor);
  const name = truncate(prompt.slice(0, -PROMPT_END.length), Math.floor(columns / 3));
  const promptWidth = widthOf(name) + PROMPT_END.length;
  const width = Math.max(1, columns - 1 - promptWidth);
  const { rows, x, y } = breakRows(text, cursor, width);
  const from = Math.max(0, Math.min(y - Math.floor(maxRows / 2), rows.length - maxRows));
  const prompted = rows.slice(from, from + maxRows).map((row, index) => {
    if (index > 0) return ' '.repeat(promptWidth) + row;
    return name + (from === 0 && !isClipped ? PROMPT_END : CLIPPED_END) + row;
  });
  // A grapheme may be wider than a row; it is cut off, and the cursor stands where the row ends.
  return { rows: prompted, cursor: { x: Math.min(promptWidth + x, columns - 1), y: y - from } };
}
