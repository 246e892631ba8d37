import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import xxhash from 'xxhash-wasm';

import { hashComponent, Name, NULL_ID } from '../../src/name/index.js';
import { UsageError } from '../../src/util/index.js';

describe('hash of a component', () => {
  // Decimal: session.md 1.1. Hexadecimal: data-plane.md 9. Computed there, not here.
  test.each([
    ['org', 9745323415579563579n],
    ['default', 2419281581437851240n],
    ['agntcy', 1629362083701025730n],
    ['controller', 17891602600260292310n],
    ['agntcy', 0x169ca82eb17d6bc2n],
    ['ns', 0xeef9769a4c6990d1n],
    ['moderator', 0xfc9bbc406957794bn],
    ['client-1', 0x58ec40d7c837e0b9n],
    ['chat', 0x4abb367236cabc2an],
  ])('%s', (text, hash) => {
    expect(hashComponent(text)).toBe(hash);
  });

  test.each([
    ['', [0xff]],
    ['é', [0xc3, 0xa9, 0xff]],
    ['e\u0301', [0x65, 0xcc, 0x81, 0xff]],
    ['💬', [0xf0, 0x9f, 0x92, 0xac, 0xff]],
  ])('%j: that of its UTF-8 bytes and one byte 0xFF', async (text, bytes) => {
    const { h64Raw } = await xxhash();
    expect(hashComponent(text)).toBe(h64Raw(Uint8Array.from(bytes)));
  });

  test('stays the same when the cache of hashes has been emptied in between', () => {
    const before = hashComponent('agntcy');
    for (let index = 0; index < 10_000; index += 1) hashComponent(`filler-${String(index)}`);
    expect(hashComponent('agntcy')).toBe(before);
  });
});

describe('parse', () => {
  test('a name without an id means any instance', () => {
    const name = Name.parse('agntcy/ns/alice');
    expect(name.strings).toEqual(['agntcy', 'ns', 'alice']);
    expect(name.hashes).toEqual([0x169ca82eb17d6bc2n, 0xeef9769a4c6990d1n, hashComponent('alice')]);
    expect(name.id).toBe(NULL_ID);
    expect(name.hasId).toBe(false);
    expect(name.app).toBe('alice');
  });

  test('the id is hexadecimal, in either case', () => {
    expect(Name.parse('a/b/c/102030405060708').id).toBe(0x0102030405060708n);
    expect(Name.parse('a/b/c/FF').id).toBe(255n);
    expect(Name.parse('a/b/c/0').hasId).toBe(true);
    expect(Name.parse('a/b/c/ffffffffffffffff').hasId).toBe(false);
  });

  test.each([
    '',
    'alice',
    'a/b',
    'a/b/',
    '/b/c',
    'a//c',
    'a/b/c/',
    'a/b/c/xyz',
    'a/b/c/-1',
    'a/b/c/0x1',
    'a/b/c/11111111111111111',
    'a/b/c/1/2',
    'a/b/\ud800',
  ])('%j is no name', (text) => {
    expect(() => Name.parse(text)).toThrow(UsageError);
    expect(() => Name.parse(text)).toThrow(expect.objectContaining({ code: 'invalid-name' }));
  });

  test('the error shows the form and what was given', () => {
    expect(() => Name.parse('alice')).toThrow('Name must be org/ns/app, got "alice".');
  });
});

const component = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => !text.includes('/'));
const id = fc.bigInt({ min: 0n, max: NULL_ID });

describe('properties', () => {
  test('what is printed parses to an equal name with the same strings', () => {
    fc.assert(
      fc.property(component, component, component, id, (org, namespace, app, instance) => {
        const name = Name.of(org, namespace, app, instance);
        const again = Name.parse(name.toString());
        expect(again.key).toBe(name.key);
        expect(again.equals(name)).toBe(true);
        expect(again.strings).toEqual(name.strings);
        expect(again.toString()).toBe(name.toString());
      }),
    );
  });

  test('names are equal exactly when hashes and id are, whatever their strings', () => {
    const u64 = fc.bigInt({ min: 0n, max: NULL_ID });
    const few = fc.constantFrom(0n, 1n, 35n, 36n, NULL_ID);
    const hashes = fc.tuple(fc.oneof(few, u64), fc.oneof(few, u64), fc.oneof(few, u64));
    const ids = fc.oneof(few, u64);
    fc.assert(
      fc.property(hashes, ids, hashes, ids, (hashesA, idA, hashesB, idB) => {
        const a = Name.fromWire(['x', 'y', 'z'], hashesA, idA);
        const b = Name.fromWire(['p', 'q', 'r'], hashesB, idB);
        const samePrefix = hashesA.every((hash, index) => hash === hashesB[index]);
        expect(a.prefixKey === b.prefixKey).toBe(samePrefix);
        expect(a.equals(b)).toBe(samePrefix && idA === idB);
        expect(a.key === b.key).toBe(samePrefix && idA === idB);
      }),
    );
  });
});

describe('equality and ids', () => {
  test('equal strings with different ids are different names of one prefix', () => {
    const first = Name.of('a', 'b', 'c', 1n);
    const second = Name.of('a', 'b', 'c', 2n);
    expect(first.equals(second)).toBe(false);
    expect(first.prefixKey).toBe(second.prefixKey);
    expect(first.key).not.toBe(second.key);
  });

  test('withoutId and withId change the id and nothing else', () => {
    const name = Name.of('a', 'b', 'c', 7n);
    expect(name.withoutId().equals(Name.of('a', 'b', 'c'))).toBe(true);
    expect(name.withoutId().withId(7n).equals(name)).toBe(true);
    expect(name.withId(7n)).toBe(name);
  });

  test('prints the id in lower-case hexadecimal, and no id for "any"', () => {
    expect(Name.of('a', 'b', 'c', 0xabcn).toString()).toBe('a/b/c/abc');
    expect(Name.of('a', 'b', 'c').toString()).toBe('a/b/c');
    expect(JSON.stringify({ name: Name.of('a', 'b', 'c', 16n) })).toBe('{"name":"a/b/c/10"}');
  });
});
