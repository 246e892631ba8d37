import { expect, test } from 'vitest';

import { parseDuration } from '../../src/util/index.js';

test.each([
  ['10s', 10_000],
  ['500ms', 500],
  ['1m30s', 90_000],
  ['1h', 3_600_000],
  ['2d', 172_800_000],
  ['0s', 0],
  ['1us', 1],
  ['1500us', 2],
  ['1.5s', 1500],
  ['0.07s', 70],
  ['600h', 2_160_000_000],
])('%s is %i ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each(['', '5', 's', '1.s', '.5s', '-1s', '1 s', '1s ', '5sec', '1S', '1m30', '9999999999999999999h'])(
  "'%s' is no duration",
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);
