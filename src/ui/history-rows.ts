import { type ChatLine, type LineLayout, lineParts, lineRows, nameWithoutId } from '../chat/index.js';
import { nameStyle, type Paint, type Style, THEME } from './theme.js';

/** A finished line as it is printed: one string for each row of the screen. */
export function historyRows(line: ChatLine, layout: LineLayout, paint: Paint): readonly string[] {
  const rows = lineRows(line, layout);
  switch (line.kind) {
    case 'info':
    case 'alert':
    case 'note': {
      const style = ownStyle(line.kind);
      return rows.map((row) => paint(row, style));
    }
    case 'chat':
    case 'own': {
      const { head, name } = lineParts(line, layout);
      const [first = '', ...rest] = rows;
      const textStart = head.length + name.length;
      // The id changes with every start of a program; the colour of a person should not.
      const style = nameStyle(nameWithoutId(line.fromName), line.kind === 'own');
      const who = paint(first.slice(head.length, textStart), style);
      return [paint(head, THEME.time) + who + first.slice(textStart), ...rest];
    }
  }
}

/** How the program's own words look. */
function ownStyle(kind: 'info' | 'alert' | 'note'): Style {
  return kind === 'note' ? {} : THEME[kind];
}
