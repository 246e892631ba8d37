import { describe, expect, test } from 'vitest';

import { labelsOf, nameWithoutId, nameWithShortId, shortName } from '../../src/chat/index.js';

describe('shortName', () => {
  test.each(['!!', '--', '--_bob', '!!you', '[ops]', '\u00b7\u00b7', '>'])(
    'cannot look as the mark of a line of the program: %s',
    (app) => {
      expect(shortName(`a/b/${app}/1`)).toBe(`<${app}>`);
    },
  );

  test('is the name itself where it looks like one', () => {
    for (const app of ['bob', 'b-o-b', 'bob!!', '日本', '7']) expect(shortName(`a/b/${app}/1f`)).toBe(app);
  });
});

describe('labelsOf', () => {
  test('is the app part where that is enough', () => {
    expect(labelsOf(['a/b/alice/9f3c01', 'a/b/bob/41d0aa'])).toEqual(
      new Map([
        ['a/b/alice/9f3c01', 'alice'],
        ['a/b/bob/41d0aa', 'bob'],
      ]),
    );
  });

  test('has four digits of the id where two share the app part, also across namespaces', () => {
    expect([...labelsOf(['a/b/bob/41d0aa', 'x/y/bob/77aabb', 'a/b/carol/1']).values()]).toEqual([
      'bob#41d0',
      'bob#77aa',
      'carol',
    ]);
  });

  test('has more digits where four are equal', () => {
    expect([...labelsOf(['a/b/bob/41d0aa11', 'a/b/bob/41d0aa22ff']).values()]).toEqual([
      'bob#41d0aa11',
      'bob#41d0aa22',
    ]);
  });

  test('never gives two names one label', () => {
    const names = ['a/b/bob/41d0aa11', 'c/d/bob/41d0aa11', 'a/b/bob'];
    expect(new Set(labelsOf(names).values()).size).toBe(3);
  });

  test('is safe for a terminal', () => {
    expect([...labelsOf(['a/b/\u001b[31mbob/1']).values()]).toEqual(['\ufffd[31mbob']);
  });
});

describe('printed names', () => {
  test('reads the app part of names with and without id', () => {
    expect(shortName('agntcy/ns/alice')).toBe('alice');
    expect(shortName('agntcy/ns/alice/9f3c')).toBe('alice');
    expect(shortName('agntcy/ns/abc')).toBe('abc');
  });

  test('cuts the id', () => {
    expect(nameWithoutId('agntcy/ns/alice/9f3c01')).toBe('agntcy/ns/alice');
    expect(nameWithShortId('agntcy/ns/alice/9f3c01')).toBe('agntcy/ns/alice/9f3c...');
    expect(nameWithShortId('agntcy/ns/alice/1')).toBe('agntcy/ns/alice/1');
    expect(nameWithShortId('agntcy/ns/chat')).toBe('agntcy/ns/chat');
  });
});
