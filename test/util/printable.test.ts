import fc from 'fast-check';
import { expect, test } from 'vitest';

import { anyOf, Characters, printable, printableWord } from '../../src/util/index.js';

test.each([
  ['an escape sequence', 'a\u001b[2Jb', 'a?[2Jb'],
  ['an 8-bit control', 'a\u009bb', 'a?b'],
  ['a bidi override', 'a\u202eb', 'a?b'],
  ['a line separator', 'a\u2028b', 'a?b'],
  ['half of a pair', 'a\ud800b', 'a\ufffdb'],
  ['words', 'two words, 日本語', 'two words, 日本語'],
])('a sentence with %s is %j', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('a sentence is cut where it was said to be', () => {
  expect(printable('abcdef', 3)).toBe('abc...');
});

test.each([
  ['a blank', 'org/ns/a b', 'org/ns/a?b'],
  ['a private character', 'org/ns/\ue000', 'org/ns/?'],
  ['a zero-width space', 'org/ns/a\u200b', 'org/ns/a?'],
  ['half of a pair', 'org/ns/\ud800', 'org/ns/?'],
])('a word with %s shows it', (_, text, shown) => {
  expect(printableWord(text)).toBe(shown);
});

test('nothing that a terminal obeys passes, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const unsafe = anyOf(Characters.controls, Characters.bidiControls, Characters.lineSeparators);
      expect(printable(text)).not.toMatch(unsafe);
      expect(printableWord(text)).not.toMatch(unsafe);
    }),
  );
});
