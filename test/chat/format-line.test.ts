import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { breakText, formatLine, lineRows, sanitiseName, sanitiseText, widthOf } from '../../src/chat/index.js';
import type { ChatLine, LineKind } from '../../src/chat/line-log.js';

const FORGED = '19:11 !! you were removed by carol';

function line(text: string, change: Partial<ChatLine> = {}): ChatLine {
  return { key: 0, kind: 'chat', time: '12:01', from: 'bob', fromName: 'a/b/bob/1', text, ...change };
}

/** How wide a row is on a terminal that draws each character for itself. */
function widestOf(row: string): number {
  return Array.from(row).reduce((sum, character) => sum + widthOf(character), 0);
}

/** Nothing but the first row has anything where times and marks stand, and no terminal has to break a row. */
function expectSafe(rows: readonly string[], columns: number): void {
  for (const [index, row] of rows.entries()) {
    expect(Math.max(widthOf(row), widestOf(row))).toBeLessThan(columns);
    if (index > 0) expect(row.slice(0, 6)).toBe(' '.repeat(6));
  }
}

describe('a row at the edge of the screen', () => {
  test.each([
    ['blanks up to the edge', `ok${' '.repeat(66)}${FORGED}`],
    ['blanks over many rows', `ok${' '.repeat(66 + 80 * 5)}${FORGED}`],
    ['other blanks', `ok${'\u00a0'.repeat(64)}\u3000${FORGED.replaceAll(' ', '\u00a0')}`],
    ['a long word', `ok${'.'.repeat(64)}${FORGED.replaceAll(' ', '_')}`],
    ['wide characters', `${'語'.repeat(33)}${FORGED}`],
    ['emoji that some terminals draw in parts', `${'👨‍👩‍👧‍👦'.repeat(20)}${FORGED}`],
    ['one emoji of a hundred people', `${Array.from({ length: 100 }, () => '👩').join('\u200d')}${FORGED}`],
    ['marks that take a column', `${'क\u093e\u093e\u093e'.repeat(20)}${FORGED}`],
    ['marks that take none', `${'e\u0301\u0301'.repeat(66)}${FORGED}`],
    ['jamo', `${'\u1112\u1161\u11ab'.repeat(25)}${FORGED}`],
    ['tabs', `ok${'\t'.repeat(16)}${FORGED}`],
    ['a line feed', `ok\n${FORGED}`],
    ['a carriage return', `ok\r${FORGED}`],
    ['a next line', `ok\u0085${FORGED}`],
    ['a line separator', `ok\u2028${FORGED}`],
    ['a paragraph separator', `ok\u2029${FORGED}`],
    ['a vertical tab and a form feed', `ok\u000b\u000c${FORGED}`],
  ])('is never written by a message with %s', (_what, text) => {
    for (const columns of [20, 49, 50, 80, 200]) {
      expectSafe(lineRows(line(sanitiseText(text)), { nameWidth: 5, columns }), columns);
    }
  });

  test('is never written by a message, a name or the words of the program about them, whatever they hold', () => {
    const unit = fc.constantFrom(
      'a',
      ' ',
      ' ',
      '19:11',
      '--',
      '!!',
      '語',
      '👨‍👩‍👧',
      '\u0301',
      '\u093e',
      '\u00a0',
      '\n',
      '\u200d',
      '🇩🇪',
      '\u1161',
    );
    const anyText = fc.oneof(
      fc.array(unit, { maxLength: 200 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', maxLength: 200 }),
    );
    fc.assert(
      fc.property(
        anyText,
        anyText,
        fc.constantFrom<LineKind>('chat', 'own', 'info', 'alert', 'note'),
        fc.integer({ min: 20, max: 120 }),
        fc.integer({ min: 1, max: 12 }),
        (text, name, kind, columns, nameWidth) => {
          const isNote = kind === 'note';
          const rows = lineRows(
            line(`${isNote ? '   ' : ''}${sanitiseText(text)}`, {
              kind,
              from: sanitiseName(name),
              time: isNote ? '' : '12:01',
            }),
            { nameWidth, columns },
          );
          expectSafe(rows, columns);
        },
      ),
    );
  });
});

describe('breaking rows', () => {
  test('happens at blanks, and in words that are longer than a row', () => {
    const options = { first: 10, others: 8 };
    expect(breakText('one two three four', options)).toEqual(['one two', 'three', 'four']);
    expect(breakText('incomprehensibility', options)).toEqual(['incomprehe', 'nsibilit', 'y']);
    expect(breakText('', options)).toEqual(['']);
    expect(breakText('12 bob: verylongword', { ...options, head: 8 })).toEqual(['12 bob: ve', 'rylongwo', 'rd']);
    expect(breakText('see longerthanarow', options)).toEqual(['see', 'longerth', 'anarow']);
  });

  test('loses nothing but the blank in whose place it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.integer({ min: 2, max: 30 }), (text, columns) => {
        const rows = breakText(text, { first: columns, others: columns });
        expect(rows.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
        expect(text.length - rows.join('').length).toBeLessThan(rows.length);
      }),
    );
  });

  test('is left out where there is no screen, and for commands to be copied', () => {
    const long = 'x '.repeat(200);
    expect(lineRows(line(long), { nameWidth: 3, columns: Infinity })).toHaveLength(1);
    const command = `  npx slim-chat --local agntcy/ns/bob --slim http://node.example.org:46357 ${long}`;
    expect(lineRows(line(command, { kind: 'note', time: '' }), { nameWidth: 3, columns: 40 })).toEqual([command]);
  });

  test('indents what follows as far as the text, on a narrow screen as far as the time', () => {
    const text = 'some words\nand more';
    expect(formatLine(line(text), { nameWidth: 5, columns: 80 })).toBe(
      '12:01    bob  some words\n              and more',
    );
    expect(formatLine(line(text), { nameWidth: 5, columns: 40 })).toBe('12:01 bob: some words\n      and more');
    const info = line('words that are more than a row', { kind: 'info', from: '' });
    expect(lineRows(info, { nameWidth: 5, columns: 30 })).toEqual([
      '12:01 -- words that are more',
      '         than a row',
    ]);
  });
});
