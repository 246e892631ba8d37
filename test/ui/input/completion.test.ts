import { describe, expect, test } from 'vitest';

import { complete } from '../../../src/ui/input/completion.js';

const vocabulary = {
  commands: ['/help', '/who', '/invite', '/quit'],
  names: ['alice', 'bob', 'bobby', 'Carol', 'agntcy/ns/dave'],
};

describe('complete', () => {
  test('completes a command, only as the first word', () => {
    expect(complete('/in', 3, vocabulary)).toEqual({ text: '/invite ', cursor: 8, choices: [] });
    expect(complete('see /in', 7, vocabulary)).toBeUndefined();
  });

  test('addresses a member by the first word', () => {
    expect(complete('al', 2, vocabulary)).toEqual({ text: 'alice: ', cursor: 7, choices: [] });
  });

  test('completes names elsewhere, also after a command', () => {
    expect(complete('/remove ali', 11, vocabulary)).toEqual({ text: '/remove alice ', cursor: 14, choices: [] });
    expect(complete('/invite agn', 11, vocabulary)?.text).toBe('/invite agntcy/ns/dave ');
  });

  test('does not care about case, and spells as the candidate does', () => {
    expect(complete('hi ca', 5, vocabulary)?.text).toBe('hi Carol ');
  });

  test('goes as far as the candidates agree and lists them', () => {
    expect(complete('hi b', 4, vocabulary)).toEqual({ text: 'hi bob', cursor: 6, choices: ['bob', 'bobby'] });
  });

  test('keeps what stands behind the cursor and does not double the blank', () => {
    expect(complete('hi al and bob', 5, vocabulary)).toEqual({ text: 'hi alice and bob', cursor: 8, choices: [] });
  });

  test('says nothing about an empty word or an unknown one', () => {
    expect(complete('', 0, vocabulary)).toBeUndefined();
    expect(complete('hi ', 3, vocabulary)).toBeUndefined();
    expect(complete('hi zzz', 6, vocabulary)).toBeUndefined();
  });
});
