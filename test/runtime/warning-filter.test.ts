import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { WarningFilter } from '../../src/runtime/warning-filter.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a warning comes again after ten seconds, not before', () => {
  const filter = new WarningFilter();
  expect([filter.admits('a', 'x'), filter.admits('a', 'x'), filter.admits('a', 'y')]).toEqual([true, false, true]);
  vi.advanceTimersByTime(9999);
  expect(filter.admits('a', 'x')).toBe(false);
  vi.advanceTimersByTime(1);
  expect(filter.admits('a', 'x')).toBe(true);
});

test('a flood of different warnings does not bring back the one of a moment ago', () => {
  const filter = new WarningFilter();
  for (let count = 0; count < 5000; count += 1) {
    expect(filter.admits('a', `from ${String(count)}`)).toBe(true);
    expect(filter.admits('a', `from ${String(Math.max(0, count - 1))}`)).toBe(false);
  }
});
