import { expect, test } from 'vitest';

import { backoffDelayMs } from '../../src/transport/index.js';

const EXPONENTIAL = {
  kind: 'exponential',
  baseMs: 10,
  factor: 2,
  maxDelayMs: 3000,
  jitter: false,
  maxAttempts: 5,
} as const;

test('an exponential backoff is the base to the power of the attempt, times the factor, up to the maximum', () => {
  const delays = [1, 2, 3, 4, 5, 6].map((failed) => backoffDelayMs(EXPONENTIAL, failed, () => 0.5));
  expect(delays).toEqual([20, 200, 2000, 3000, 3000, undefined]);
});

test('jitter takes a random part of it', () => {
  expect(backoffDelayMs({ ...EXPONENTIAL, jitter: true }, 2, () => 0.25)).toBe(50);
});

test('a fixed interval stays the same until the attempts are used up', () => {
  const backoff = { kind: 'fixed-interval', intervalMs: 700, maxAttempts: 2 } as const;
  expect([1, 2, 3].map((failed) => backoffDelayMs(backoff, failed, Math.random))).toEqual([700, 700, undefined]);
});
