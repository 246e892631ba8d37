import { type ChatLine, type LineLayout, lineParts, nameWithoutId } from '../chat/index.js';
import { nameStyle, type Paint, type Style, THEME } from './theme.js';

function textStyle(line: ChatLine): Style {
  switch (line.kind) {
    case 'info':
      return THEME.info;
    case 'alert':
      return THEME.alert;
    case 'chat':
    case 'own':
    case 'note':
      return {};
  }
}

/**
 * A finished line as it is printed: one string for each line of the text, not wrapped, because the terminal does that better: it
 * wraps anew when it is resized, and what is copied has no newlines that nobody wrote.
 */
export function historyRows(line: ChatLine, layout: LineLayout, paint: Paint): readonly string[] {
  const { head, name, text } = lineParts(line, layout);
  const style = textStyle(line);
  const [first = '', ...rest] = text.split('\n');
  const headStyle = name === '' ? style : THEME.time;
  // The id changes with every start of a program; the colour of a person should not.
  const who = paint(name, nameStyle(nameWithoutId(line.fromName), line.kind === 'own'));
  return [paint(head, headStyle) + who + paint(first, style), ...rest.map((row) => paint(row, style))];
}
