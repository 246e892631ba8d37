import { describe, expect, test } from 'vitest';

import { emptyHistory, HISTORY_LIMIT, newer, older, remember } from '../../../src/ui/input/history.js';

const three = ['one', 'two', 'three'].reduce(remember, emptyHistory);

describe('history', () => {
  test('goes back to the oldest entry and stays there', () => {
    const first = older(three, 'draft');
    expect(first?.text).toBe('three');
    const second = older(first!.history, first!.text);
    const third = older(second!.history, second!.text);
    expect(third?.text).toBe('one');
    expect(older(third!.history, 'one')).toBeUndefined();
  });

  test('comes forward to what was being written', () => {
    const first = older(three, 'draft');
    const second = older(first!.history, first!.text);
    const forward = newer(second!.history, second!.text);
    expect(forward?.text).toBe('three');
    const end = newer(forward!.history, forward!.text);
    expect(end?.text).toBe('draft');
    expect(newer(end!.history, end!.text)).toBeUndefined();
  });

  test('does not go forward from the end, nor anywhere when empty', () => {
    expect(newer(three, '')).toBeUndefined();
    expect(older(emptyHistory, 'x')).toBeUndefined();
  });

  test('finds again what was changed in an entry and left there', () => {
    const first = older(three, 'draft');
    const second = older(first!.history, 'three, changed');
    expect(second?.text).toBe('two');
    const forward = newer(second!.history, second!.text);
    expect(forward?.text).toBe('three, changed');
    expect(newer(forward!.history, forward!.text)?.text).toBe('draft');
    expect(remember(forward!.history, 'sent').entries).toEqual(['one', 'two', 'three', 'draft', 'sent']);
  });

  test('keeps no blank line', () => {
    expect(remember(three, '  ').entries).toEqual(three.entries);
  });

  test('counts the same line twice in a row once', () => {
    expect(remember(three, 'three').entries).toEqual(['one', 'two', 'three']);
    expect(remember(three, 'one').entries).toEqual(['one', 'two', 'three', 'one']);
  });

  test('ends looking back when something is sent', () => {
    const back = older(three, '');
    const sent = remember(back!.history, 'four');
    expect(older(sent, '')?.text).toBe('four');
  });

  test('keeps a bounded number of entries, the youngest', () => {
    let history = emptyHistory;
    for (let index = 0; index < HISTORY_LIMIT + 5; index += 1) history = remember(history, `line ${index}`);
    expect(history.entries).toHaveLength(HISTORY_LIMIT);
    expect(older(history, '')?.text).toBe(`line ${HISTORY_LIMIT + 4}`);
  });
});
