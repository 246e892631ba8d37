import { assertNever } from '../util/index.js';
import { breakText, widthOf } from './columns.js';
import type { ChatLine } from './line-log.js';

/** How lines are laid out. */
export interface LineLayout {
  /** Columns for names. */
  readonly nameWidth: number;
  /** Columns of the screen; below 50 the name column gives way to `alice: text`. Infinity where nobody breaks rows. */
  readonly columns: number;
}

/** A line in three parts: `${head}${name}${text}`. */
export interface LineParts {
  /** Time, and a mark for what is no message. */
  readonly head: string;
  /** Author with the space around it; empty for what is no message. */
  readonly name: string;
  /** May hold LF. */
  readonly text: string;
  /** How far the rows below the first one are indented. */
  readonly indent: number;
}

const NARROW = 50;

/** Columns of a time and the blank behind it: no row but the first of a line has anything in them. */
const TIME_WIDTH = 6;

/** What is indented by two blanks is a command to be copied: broken, it would be another one. */
const TO_COPY = /^ {2}\S/;

/** A finished line as text; may hold LF. */
export function formatLine(line: ChatLine, layout: LineLayout): string {
  return lineRows(line, layout).join('\n');
}

/**
 * A finished line as rows that the terminal need not break.
 *
 * A row that the terminal breaks goes on at the edge of the screen, where times and marks stand: whoever knows how wide the screen
 * is could write a line of somebody else, or of the program. Here only the first row begins at the edge.
 */
export function lineRows(line: ChatLine, layout: LineLayout): readonly string[] {
  const { head, name, text, indent } = lineParts(line, layout);
  if (line.kind === 'note' && TO_COPY.test(text)) return [text];
  // A terminal that became narrower by one column should not break all of them.
  const columns = Math.max(1, layout.columns - 1);
  const others = Math.max(1, columns - indent);
  const [first = '', ...lines] = text.split('\n');
  const start = `${head}${name}`;
  const rows = [
    ...breakText(start + first, { first: columns, others, head: start.length }),
    ...lines.flatMap((other) => breakText(other, { first: others, others })),
  ];
  return rows.map((row, index) => (index === 0 ? row : ' '.repeat(indent) + row));
}

/** Lays out a finished line. */
export function lineParts(line: ChatLine, layout: LineLayout): LineParts {
  switch (line.kind) {
    case 'note':
      return { head: '', name: '', text: line.text, indent: TIME_WIDTH };
    case 'info':
      return marked(line, '--');
    case 'alert':
      return marked(line, '!!');
    case 'chat':
    case 'own':
      return message(line, layout);
    default:
      return assertNever(line.kind);
  }
}

function marked(line: ChatLine, mark: string): LineParts {
  const head = line.time === '' ? `${mark} ` : `${line.time} ${mark} `;
  return { head, name: '', text: line.text, indent: Math.max(TIME_WIDTH, head.length) };
}

function message(line: ChatLine, { nameWidth, columns }: LineLayout): LineParts {
  const { text } = line;
  if (columns < NARROW) return { head: `${line.time} `, name: `${line.from}: `, text, indent: TIME_WIDTH };
  const padding = ' '.repeat(Math.max(0, nameWidth - widthOf(line.from)));
  const name = `${padding}${line.from}  `;
  const head = `${line.time}  `;
  return { head, name, text, indent: head.length + nameWidth + 2 };
}
