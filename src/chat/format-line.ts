import stringWidth from 'string-width';

import { assertNever } from '../util/index.js';
import type { ChatLine } from './line-log.js';

/** How lines are laid out. */
export interface LineLayout {
  /** Columns for names. */
  readonly nameWidth: number;
  /** Columns of the screen; below 50 the name column gives way to `alice: text`. */
  readonly columns: number;
}

/** A line in three parts, so that a UI can colour them: `${head}${name}${text}`. Continuation lines are indented in `text`. */
export interface LineParts {
  /** Time, and a mark for what is no message. */
  readonly head: string;
  /** Author with the space around it; empty for what is no message. */
  readonly name: string;
  readonly text: string;
}

const NARROW = 50;

/** A finished line as text; may hold LF. */
export function formatLine(line: ChatLine, layout: LineLayout): string {
  const { head, name, text } = lineParts(line, layout);
  return `${head}${name}${text}`;
}

/** Lays out a finished line. Does not wrap. */
export function lineParts(line: ChatLine, layout: LineLayout): LineParts {
  switch (line.kind) {
    case 'note':
      return { head: '', name: '', text: line.text };
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
  return { head, name: '', text: indent(line.text, head.length) };
}

function message(line: ChatLine, { nameWidth, columns }: LineLayout): LineParts {
  if (columns < NARROW) return { head: `${line.time} `, name: `${line.from}: `, text: indent(line.text, 2) };
  const padding = ' '.repeat(Math.max(0, nameWidth - stringWidth(line.from)));
  const name = `${padding}${line.from}  `;
  const head = `${line.time}  `;
  return { head, name, text: indent(line.text, head.length + nameWidth + 2) };
}

function indent(text: string, columns: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(columns)}`);
}
