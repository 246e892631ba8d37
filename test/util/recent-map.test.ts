import { expect, test } from 'vitest';

import { RecentMap } from '../../src/util/index.js';

test('keeps the newest entries; setting one again makes it new', () => {
  const map = new RecentMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  expect([map.get('a'), map.has('b'), map.get('c')]).toEqual([3, false, 4]);
  map.clear();
  expect(map.has('a')).toBe(false);
});
