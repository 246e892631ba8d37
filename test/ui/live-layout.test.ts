import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { widthOf } from '../../src/chat/index.js';
import { layoutComposer } from '../../src/ui/composer-layout.js';
import { edit, type EditorState, emptyEditor } from '../../src/ui/input/index.js';
import { layoutLive, type LiveContent } from '../../src/ui/live-layout.js';
import { truncate, wrap } from '../../src/ui/width.js';

function editor(marked: string): EditorState {
  return { ...emptyEditor, text: marked.replace('|', ''), cursor: marked.indexOf('|') };
}

describe('composer', () => {
  test('shows the prompt, and the cursor behind it', () => {
    expect(layoutComposer(editor('|'), 80, 6)).toEqual({ rows: ['> '], cursor: { x: 2, y: 0 } });
    expect(layoutComposer(editor('hi|'), 80, 6)).toEqual({ rows: ['> hi'], cursor: { x: 4, y: 0 } });
  });

  test('counts columns, not characters', () => {
    expect(layoutComposer(editor('日本|語'), 80, 6).cursor).toEqual({ x: 6, y: 0 });
    expect(layoutComposer(editor('👩‍👩‍👧|'), 80, 6).cursor).toEqual({ x: 4, y: 0 });
    expect(layoutComposer(editor('e\u0301|'), 80, 6).cursor).toEqual({ x: 3, y: 0 });
  });

  test('breaks lines where they end and where the screen does', () => {
    expect(layoutComposer(editor('one\ntwo|'), 80, 6)).toEqual({ rows: ['> one', '  two'], cursor: { x: 5, y: 1 } });
    // 10 columns: two for the prompt, one for the cursor alone.
    expect(layoutComposer(editor('1234567|'), 10, 6)).toEqual({ rows: ['> 1234567'], cursor: { x: 9, y: 0 } });
    expect(layoutComposer(editor('1234567|8'), 10, 6)).toEqual({
      rows: ['> 1234567', '  8'],
      cursor: { x: 2, y: 1 },
    });
    expect(layoutComposer(editor('123456日|'), 10, 6)).toEqual({ rows: ['> 123456', '  日'], cursor: { x: 4, y: 1 } });
  });

  test('keeps the cursor on the rows that are shown, and marks that there is more above', () => {
    const text = Array.from({ length: 20 }, (_, index) => `l${index}`).join('\n');
    expect(layoutComposer(editor(`${text}|`), 80, 3)).toEqual({
      rows: ['^ l17', '  l18', '  l19'],
      cursor: { x: 5, y: 2 },
    });
    expect(layoutComposer(editor(`|${text}`), 80, 3).rows).toEqual(['> l0', '  l1', '  l2']);
    expect(layoutComposer(editor(text.replace('l9', 'l|9')), 80, 3)).toEqual({
      rows: ['^ l8', '  l9', '  l10'],
      cursor: { x: 3, y: 1 },
    });
  });

  test('draws a tab as one blank', () => {
    expect(layoutComposer(editor('a\tb|'), 80, 6)).toEqual({ rows: ['> a b'], cursor: { x: 5, y: 0 } });
  });

  test('does not take longer for a long text', () => {
    const long = edit(emptyEditor, { kind: 'insert', text: 'word '.repeat(200_000) });
    const started = performance.now();
    const { rows, cursor } = layoutComposer(long, 80, 6);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(rows).toHaveLength(6);
    expect(rows[0]).toMatch(/^\^ /);
    expect(cursor.y).toBe(5);
  });
});

describe('live region', () => {
  const content: LiveContent = {
    pending: ['one ... 0/2', 'two ... queued'],
    notice: 'a hint',
    prompt: '> ',
    editor: editor('typing|'),
    status: 'chat | 3 members',
  };

  test('has messages under way, a notice, the composer and the status, in this order', () => {
    expect(layoutLive(content, { columns: 80, rows: 24 })).toEqual({
      rows: [
        { kind: 'pending', text: 'one ... 0/2' },
        { kind: 'pending', text: 'two ... queued' },
        { kind: 'notice', text: 'a hint' },
        { kind: 'composer', text: '> typing' },
        { kind: 'status', text: 'chat | 3 members' },
      ],
      cursor: { x: 8, y: 3 },
    });
  });

  test('drops the oldest of what is under way when the screen is low', () => {
    const { rows, cursor } = layoutLive(content, { columns: 80, rows: 6 });
    expect(rows.map(({ text }) => text)).toEqual(['two ... queued', 'a hint', '> typing', 'chat | 3 members']);
    expect(cursor).toEqual({ x: 8, y: 2 });
  });

  test('keeps the composer to the last', () => {
    expect(layoutLive(content, { columns: 80, rows: 3 }).rows).toEqual([{ kind: 'composer', text: '> typing' }]);
    expect(layoutLive(content, { columns: 80, rows: 1 }).rows).toHaveLength(1);
  });

  test('has no cursor without a composer', () => {
    expect(layoutLive({ ...content, editor: undefined }, { columns: 80, rows: 24 }).cursor).toBeUndefined();
  });

  test('wraps a notice, up to three rows', () => {
    const notice = 'Press Ctrl+C again to leave. You are the moderator: the group closes.';
    const { rows } = layoutLive({ ...content, notice }, { columns: 41, rows: 24 });
    expect(rows.filter(({ kind }) => kind === 'notice').map(({ text }) => text)).toEqual([
      'Press Ctrl+C again to leave. You are the',
      'moderator: the group closes.',
    ]);
    expect(
      layoutLive({ ...content, notice: notice.repeat(9) }, { columns: 41, rows: 24 }).rows.filter(
        ({ kind }) => kind === 'notice',
      ),
    ).toHaveLength(3);
  });

  test('keeps the cursor on a screen that is narrower than what was typed', () => {
    const editor = edit(emptyEditor, { kind: 'insert', text: '\u{1d158}\u{1d165}\u{1d16e}' });
    const { rows, cursor } = layoutLive(
      { ...content, pending: [], notice: '', status: '', editor },
      { columns: 5, rows: 24 },
    );
    expect(rows.every(({ text }) => widthOf(text) <= 4)).toBe(true);
    expect(cursor).toEqual({ x: 4, y: 0 });
  });

  test('fits into any screen with any content', () => {
    const anyText = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 120 }), fc.string({ maxLength: 200 }));
    const oneLine = anyText.map((text) => text.replaceAll('\n', ' '));
    fc.assert(
      fc.property(
        fc.record({
          pending: fc.array(oneLine, { maxLength: 40 }),
          notice: oneLine,
          typed: fc.array(anyText, { maxLength: 20 }),
          status: oneLine,
          prompt: oneLine.map((name) => `${name}> `),
          columns: fc.integer({ min: 5, max: 200 }),
          rows: fc.integer({ min: 1, max: 60 }),
        }),
        fc.nat(),
        ({ pending, notice, typed, status, prompt, columns, rows }, place) => {
          const { text } = edit(emptyEditor, { kind: 'insert', text: typed.join('\n') });
          const written = edit(emptyEditor, { kind: 'replace', text, cursor: place % (text.length + 1) });
          const layout = layoutLive({ pending, notice, prompt, editor: written, status }, { columns, rows });
          expect(layout.rows.length).toBeLessThanOrEqual(Math.max(1, rows - 2));
          for (const row of layout.rows) expect(widthOf(row.text)).toBeLessThanOrEqual(columns - 1);
          const cursor = layout.cursor!;
          expect(layout.rows[cursor.y]?.kind).toBe('composer');
          expect(cursor.x).toBeGreaterThanOrEqual(2);
          expect(cursor.x).toBeLessThanOrEqual(columns - 1);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('width', () => {
  test('cuts between graphemes', () => {
    expect(truncate('hello', 5)).toBe('hello');
    expect(truncate('hello world', 10)).toBe('hello w...');
    expect(truncate('日本語', 5)).toBe('日本');
    expect(truncate('a👩‍👩‍👧b', 2)).toBe('a');
    // As wide as the terminal draws it that draws four people.
    expect(truncate('👨‍👩‍👧‍👦'.repeat(5), 19)).toBe('👨‍👩‍👧‍👦👨‍👩‍👧‍👦...');
  });

  test('wraps at blanks and cuts what does not fit', () => {
    expect(wrap('one two three', 7, 3)).toEqual(['one two', 'three']);
    expect(wrap('one two three', 7, 1)).toEqual(['one two']);
    expect(wrap('one two three four five', 10, 2)).toEqual(['one two', 'three f...']);
    expect(wrap('incomprehensibility', 10, 3)).toEqual(['incomprehe', 'nsibility']);
    expect(wrap('incomprehensibility', 10, 1)).toEqual(['incompr...']);
    expect(wrap('', 10, 3)).toEqual(['']);
  });
});
