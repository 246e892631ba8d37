import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { edit, type EditorAction, type EditorState, emptyEditor, TEXT_LIMIT } from '../../../src/ui/input/editor.js';
import { graphemesOf } from '../../../src/ui/input/graphemes.js';

type Simple = Exclude<EditorAction['kind'], 'insert' | 'replace'>;

/** Text with `|` where the cursor is. */
function at(marked: string): EditorState {
  const cursor = marked.indexOf('|');
  return { ...emptyEditor, text: marked.replace('|', ''), cursor };
}

function show({ text, cursor }: EditorState): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

function run(marked: string, ...kinds: Simple[]): string {
  return show(kinds.reduce<EditorState>((state, kind) => edit(state, { kind }), at(marked)));
}

const FAMILY = '👩‍👩‍👧';

describe('moving', () => {
  test.each<[string, Simple, string]>([
    ['ab|c', 'left', 'a|bc'],
    ['|abc', 'left', '|abc'],
    [`x${FAMILY}|`, 'left', `x|${FAMILY}`],
    [`|${FAMILY}x`, 'right', `${FAMILY}|x`],
    ['e\u0301|', 'left', '|e\u0301'],
    ['one two|', 'word-left', 'one |two'],
    ['one, two|', 'word-left', 'one, |two'],
    ['one, |two', 'word-left', '|one, two'],
    ['|one two', 'word-right', 'one| two'],
    ['one| two', 'word-right', 'one two|'],
    ['über|all', 'word-left', '|überall'],
    ['a\nbc|d\ne', 'line-start', 'a\n|bcd\ne'],
    ['a\n|bcd\ne', 'line-end', 'a\nbcd|\ne'],
    ['abc\nde|f', 'line-up', 'ab|c\ndef'],
    ['a|bc\ndef', 'line-down', 'abc\nd|ef'],
    ['abcdef|\nab', 'line-down', 'abcdef\nab|'],
    [`${FAMILY}x|\nabc`, 'line-down', `${FAMILY}x\nab|c`],
    ['a|b', 'line-up', 'a|b'],
  ])('%s, %s', (before, kind, after) => {
    expect(run(before, kind)).toBe(after);
  });
});

describe('changing', () => {
  test.each<[string, Simple, string]>([
    [`a${FAMILY}|b`, 'delete-left', 'a|b'],
    [`a|${FAMILY}b`, 'delete-right', 'a|b'],
    ['|', 'delete-left', '|'],
    ['a|', 'delete-right', 'a|'],
    ['ab|cd\nef', 'kill-to-line-end', 'ab|\nef'],
    ['ab|\nef', 'kill-to-line-end', 'ab|ef'],
    ['x\nab|cd', 'kill-to-line-start', 'x\n|cd'],
    ['x\n|cd', 'kill-to-line-start', 'x|cd'],
    ['a path/to/file|', 'kill-blank-word-left', 'a |'],
    ['a path/to/file|', 'kill-word-left', 'a path/to/|'],
    ['|one two', 'kill-word-right', '| two'],
    ['ab|c', 'transpose', 'acb|'],
    ['abc|', 'transpose', 'acb|'],
    ['a|', 'transpose', 'a|'],
    ['x\na|\ny', 'transpose', 'x\na|\ny'],
    [`a${FAMILY}|`, 'transpose', `${FAMILY}a|`],
  ])('%s, %s', (before, kind, after) => {
    expect(run(before, kind)).toBe(after);
  });

  test('inserts at the cursor, cleaned', () => {
    const state = edit(at('a|b'), { kind: 'insert', text: 'x\r\ny\u001b[31m\u0007\u202e\tz' });
    expect(show(state)).toBe('ax\ny[31m\tz|b');
  });

  test('keeps the cursor on an edge when what is inserted joins with what follows', () => {
    const state = edit({ ...emptyEditor, text: '\u0301x', cursor: 0 }, { kind: 'insert', text: 'e' });
    expect(show(state)).toBe('e\u0301|x');
  });

  test('takes no more than the limit', () => {
    const full = edit(emptyEditor, { kind: 'insert', text: 'a'.repeat(TEXT_LIMIT) });
    expect(full.text).toHaveLength(TEXT_LIMIT);
    expect(edit(full, { kind: 'insert', text: 'b' })).toBe(full);
  });

  test('replaces everything', () => {
    expect(show(edit(at('a|b'), { kind: 'replace', text: 'new' }))).toBe('new|');
    expect(show(edit(at('a|b'), { kind: 'replace', text: `n${FAMILY}`, cursor: 2 }))).toBe(`n${FAMILY}|`);
  });
});

describe('kill ring', () => {
  const apply = (state: EditorState, ...kinds: Simple[]): EditorState =>
    kinds.reduce((next, kind) => edit(next, { kind }), state);

  test('yanks what was killed last', () => {
    expect(run('one two|', 'kill-word-left', 'line-start', 'yank')).toBe('two|one ');
  });

  test('joins kills in a row, in reading order', () => {
    expect(run('one two three|', 'kill-blank-word-left', 'kill-blank-word-left', 'yank')).toBe('one two three|');
    expect(run('|one two', 'kill-word-right', 'kill-word-right', 'yank')).toBe('one two|');
  });

  test('goes back through older kills with yank-pop, only right after a yank', () => {
    const killed = apply(at('one two|'), 'kill-word-left', 'left', 'right', 'kill-word-left');
    expect(killed.kills).toEqual(['two', 'one ']);
    const popped = apply(killed, 'yank', 'yank-pop');
    expect(show(popped)).toBe('two|');
    expect(show(apply(popped, 'yank-pop'))).toBe('one |');
    expect(apply(popped, 'left', 'yank-pop').text).toBe('two');
  });

  test('yanks nothing when nothing was killed', () => {
    expect(run('ab|', 'yank')).toBe('ab|');
  });
});

const anyAction: fc.Arbitrary<EditorAction> = fc.oneof(
  fc.record({
    kind: fc.constant('insert' as const),
    text: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.string({ unit: 'grapheme', maxLength: 4 }),
      fc.constantFrom('\u0301', '\u200d', '👩', '🇩', '🇪', '\ufe0f', '\n', 'a b', '한', '\u1161'),
    ),
  }),
  fc.record({
    kind: fc.constant('replace' as const),
    text: fc.string({ unit: 'grapheme', maxLength: 8 }),
    cursor: fc.nat(10),
  }),
  fc.record({
    kind: fc.constantFrom<Simple>(
      'left',
      'right',
      'word-left',
      'word-right',
      'line-start',
      'line-end',
      'line-up',
      'line-down',
      'delete-left',
      'delete-right',
      'kill-to-line-end',
      'kill-to-line-start',
      'kill-word-left',
      'kill-word-right',
      'kill-blank-word-left',
      'yank',
      'yank-pop',
      'transpose',
    ),
  }),
);

describe('after any actions', () => {
  test('the cursor stands on the edge of a grapheme and the text is clean', () => {
    fc.assert(
      fc.property(fc.array(anyAction, { maxLength: 30 }), (actions) => {
        let state = emptyEditor;
        for (const action of actions) {
          state = edit(state, action);
          const edges = new Set([0]);
          let end = 0;
          for (const grapheme of graphemesOf(state.text)) edges.add((end += grapheme.length));
          expect(edges.has(state.cursor)).toBe(true);
          expect(state.text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
          expect(state.text.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('left then right comes back, unless at the start', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 12 }), (text) => {
        const end = edit(emptyEditor, { kind: 'insert', text });
        fc.pre(end.text !== '');
        expect(edit(edit(end, { kind: 'left' }), { kind: 'right' }).cursor).toBe(end.cursor);
      }),
    );
  });
});
