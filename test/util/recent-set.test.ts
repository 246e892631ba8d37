import { expect, test } from 'vitest';

import { RecentSet } from '../../src/util/index.js';

test('tells what is new, and forgets the oldest; what is added again does not get newer', () => {
  const set = new RecentSet<string>(2);
  expect([set.add('a'), set.add('b'), set.add('a'), set.add('c')]).toEqual([true, true, false, true]);
  expect([set.has('a'), set.has('b'), set.has('c')]).toEqual([false, true, true]);
  expect([set.delete('b'), set.delete('b'), set.has('b')]).toEqual([true, false, false]);
  set.clear();
  expect(set.has('c')).toBe(false);
});
