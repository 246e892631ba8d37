import { type ChatLine, formatLine, type LineLayout, lineParts, nameWithoutId } from '../chat/index.js';
import { nameStyle, type Paint, type Style, THEME } from './theme.js';
import { breakWords } from './width.js';

/**
 * A finished line as it is printed: one string for each row.
 *
 * The text of a message is not broken, because the terminal does that better: it breaks anew when it is resized, and what is copied
 * has no newlines that nobody wrote.
 */
export function historyRows(line: ChatLine, layout: LineLayout, paint: Paint): readonly string[] {
  switch (line.kind) {
    case 'info':
    case 'alert':
    case 'note': {
      const style = ownStyle(line.kind);
      return proseRows(formatLine(line, layout), layout.columns).map((row) => paint(row, style));
    }
    case 'chat':
    case 'own': {
      const { head, name, text } = lineParts(line, layout);
      // The id changes with every start of a program; the colour of a person should not.
      const who = paint(name, nameStyle(nameWithoutId(line.fromName), line.kind === 'own'));
      const [first = '', ...rest] = text.split('\n');
      return [paint(head, THEME.time) + who + first, ...rest];
    }
  }
}

/** How the program's own words look. */
function ownStyle(kind: 'info' | 'alert' | 'note'): Style {
  return kind === 'note' ? {} : THEME[kind];
}

/**
 * The program's own words: broken at blanks, for reading. What is indented is a table, or a command to be copied, and stays whole.
 */
function proseRows(text: string, columns: number): readonly string[] {
  return text.split('\n').flatMap((row) => (row.startsWith(' ') ? [row] : breakWords(row, columns)));
}
