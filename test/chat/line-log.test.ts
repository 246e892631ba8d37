import { describe, expect, test } from 'vitest';

import { type ChatLine, LineLog } from '../../src/chat/line-log.js';

const line = (text: string): Omit<ChatLine, 'key'> => ({ kind: 'note', time: '', from: '', fromName: '', text });
const texts = (log: LineLog): string[] => log.toArray().map(({ text }) => text);

describe('LineLog', () => {
  test('leaves the version it was appended to as it was', () => {
    const one = LineLog.empty().append(line('a'));
    const two = one.append(line('b'));
    expect(texts(one)).toEqual(['a']);
    expect(texts(two)).toEqual(['a', 'b']);
    expect(two.end).toBe(2);
  });

  test('keeps branches apart', () => {
    const one = LineLog.empty().append(line('a'));
    const left = one.append(line('b'));
    const right = one.append(line('c'));
    expect(texts(left)).toEqual(['a', 'b']);
    expect(texts(right)).toEqual(['a', 'c']);
  });

  test('counts keys on after lines were dropped', () => {
    const log = ['a', 'b', 'c'].reduce((before, text) => before.append(line(text)), LineLog.empty());
    const rest = log.dropBefore(2).append(line('d'));
    expect(rest.since(0).map(({ key, text }) => [key, text])).toEqual([
      [2, 'c'],
      [3, 'd'],
    ]);
    expect(rest.since(3).map(({ text }) => text)).toEqual(['d']);
    expect(texts(log)).toEqual(['a', 'b', 'c']);
    expect(texts(rest.dropBefore(99))).toEqual([]);
  });

  test('gives the same array for the same log', () => {
    const log = LineLog.empty().append(line('a'));
    expect(log.toArray()).toBe(log.toArray());
  });

  test('appends 100 000 lines without copying them each time', () => {
    let log = LineLog.empty();
    const start = performance.now();
    for (let i = 0; i < 100_000; i += 1) log = log.append(line('x'));
    expect(log.end).toBe(100_000);
    // Copying would take minutes; the bound is generous for a busy machine.
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
