import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decodeMessage, encodeMessage, type SlimMessage } from '../../src/wire/index.js';
import { contents, message, publish } from './arbitraries.js';
import { referenceDecode, toReference } from './reference.js';

function checkRoundTrip(original: SlimMessage): void {
  const bytes = encodeMessage(original);
  expect(decodeMessage(bytes)).toEqual(original);
  expect(referenceDecode(bytes)).toEqual(toReference(original));
}

describe('round trip, also as a second codec reads it', () => {
  test.each(Object.entries(contents))('%s', (_, content) => {
    fc.assert(fc.property(publish(content), checkRoundTrip), { numRuns: 60 });
  });

  test('all messages', () => {
    fc.assert(fc.property(message, checkRoundTrip), { numRuns: 400 });
  });
});
