import { describe, expect, test } from 'vitest';

import { clientOf, failureOf, groupOf, mlsSuite, utf8 } from '../compliance/mls-suite.js';
import { MemoryMls } from './memory-mls/memory-mls.js';

mlsSuite('the fake', async () => new MemoryMls());

describe('the fake itself', () => {
  test('does the same again', () => {
    const run = () => {
      const people = groupOf(new MemoryMls({ seed: 'x', nowMs: () => 0 }), 1, 'ann', 'ben');
      return [people[0]!.client.publicKey, people[0]!.group.groupId, people[1]!.group.encrypt(utf8('text'))];
    };
    expect(run()).toEqual(run());
  });

  test('makes other keys from another seed', () => {
    const keyOf = (seed: string) => new MemoryMls({ seed }).createClient(1).publicKey;
    expect(keyOf('x')).not.toEqual(keyOf('y'));
  });

  test('follows the clock that it was given', () => {
    let nowMs = 1_800_000_000_000;
    const early = clientOf(new MemoryMls({ nowMs: () => nowMs }), 1, 'ann');
    const late = clientOf(new MemoryMls({ seed: 'late', nowMs: () => nowMs + 7_200_000 }), 1, 'ben');
    expect(failureOf(() => early.inspectKeyPackage(late.createKeyPackage()))).toMatchObject({
      code: 'mls-lifetime-not-yet',
      details: { notBefore: 1_800_003_600 },
    });
    nowMs += 3_600_000;
    const keyPackage = late.createKeyPackage();
    nowMs += 3_600_000;
    expect(early.inspectKeyPackage(keyPackage).notBefore).toBe(1_800_007_200n);
    nowMs += 90 * 24 * 3_600_000;
    expect(failureOf(() => early.inspectKeyPackage(keyPackage))).toMatchObject({
      code: 'mls-lifetime-expired',
      details: { notAfter: 1_800_010_800 + 84 * 24 * 3600 },
    });
  });
});
