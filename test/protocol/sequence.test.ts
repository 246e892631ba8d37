import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { SEQUENCE_LIMIT, sequenceAdd, sequenceDistance } from '../../src/protocol/sequence.js';

const number = fc.integer({ min: 0, max: SEQUENCE_LIMIT - 1 });

describe('numbers of messages', () => {
  test('wrap after 2^31-1', () => {
    expect(sequenceAdd(SEQUENCE_LIMIT - 1, 1)).toBe(0);
    expect(sequenceAdd(0, -1)).toBe(SEQUENCE_LIMIT - 1);
    expect(sequenceDistance(SEQUENCE_LIMIT - 1, 0)).toBe(1);
    expect(sequenceDistance(0, SEQUENCE_LIMIT - 1)).toBe(-1);
    expect(sequenceDistance(1, 513)).toBe(512);
  });

  test('adding the distance leads there, forwards and backwards, across the wrap too', () => {
    fc.assert(
      fc.property(number, number, (from, to) => {
        const distance = sequenceDistance(from, to);
        expect(Math.abs(distance)).toBeLessThanOrEqual(SEQUENCE_LIMIT / 2);
        expect(sequenceAdd(from, distance)).toBe(to);
      }),
    );
  });
});
