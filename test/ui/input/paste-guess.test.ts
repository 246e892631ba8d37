import { describe, expect, test } from 'vitest';

import { type InputEvent } from '../../../src/ui/input/input-event.js';
import { PASTE_GAP_MS, PasteGuess } from '../../../src/ui/input/paste-guess.js';

const key = (name: string): InputEvent => ({ kind: 'key', key: name });
const text = (value: string): InputEvent => ({ kind: 'text', text: value });
const paste = (value: string): InputEvent => ({ kind: 'paste', text: value, truncated: false });

function push(...chunk: InputEvent[]): InputEvent[] {
  const guess = new PasteGuess();
  return [...guess.push(chunk), ...guess.flush()];
}

describe('one chunk', () => {
  test('takes text with one Enter at its end as typed', () => {
    expect(push(text('hello'), key('enter'))).toEqual([text('hello'), key('enter')]);
  });

  test('takes Enter held down as typed', () => {
    expect(push(key('enter'), key('enter'))).toEqual([key('enter'), key('enter')]);
  });

  test('takes an Enter with text behind it as pasted', () => {
    expect(push(text('one'), key('enter'), text('two'))).toEqual([paste('one\ntwo')]);
    expect(push(text('one'), key('linefeed'), text('two'), key('enter'))).toEqual([paste('one\ntwo\n')]);
  });

  test('takes CR LF as pasted', () => {
    expect(push(text('one'), key('enter'), key('linefeed'))).toEqual([paste('one\n')]);
  });

  test('keeps tabs of a paste', () => {
    expect(push(text('a'), key('enter'), key('tab'), text('b'))).toEqual([paste('a\n\tb')]);
  });

  test('keeps a tab with text behind it, also in a single line', () => {
    expect(push(text('foo'), key('tab'), text('bar'))).toEqual([paste('foo\tbar')]);
    expect(push(key('tab'), text('bar'))).toEqual([paste('\tbar')]);
    expect(push(text('a'), key('tab'), key('tab'), text('b'), key('enter'))).toEqual([paste('a\t\tb\n')]);
  });

  test('takes Tab as typed alone, held down, and at the end', () => {
    for (const typed of [
      [key('tab')],
      [key('tab'), key('tab')],
      [text('/sta'), key('tab')],
      [text('/sta'), key('tab'), key('enter')],
      [text('bo'), key('tab'), key('left'), text('x')],
    ]) {
      expect(push(...typed)).toEqual(typed);
    }
  });

  test('ends the run at any other key', () => {
    const typed = [text('one'), key('enter'), key('up'), text('two'), key('enter')];
    expect(push(...typed)).toEqual(typed);
  });
});

describe('several chunks', () => {
  test('joins what follows a paste at once, so that its last line is not sent', () => {
    const guess = new PasteGuess();
    expect(guess.push([text('one'), key('enter'), text('tw')])).toEqual([]);
    expect(guess.waitsMs).toBe(PASTE_GAP_MS);
    expect(guess.push([text('o'), key('enter')])).toEqual([]);
    expect(guess.flush()).toEqual([paste('one\ntwo\n')]);
    expect(guess.waitsMs).toBeUndefined();
    expect(guess.push([text('x'), key('enter')])).toEqual([text('x'), key('enter')]);
  });

  test('keeps a tab where the paste was cut behind it, and takes it as typed if nothing follows', () => {
    const guess = new PasteGuess();
    expect(guess.push([text('foo'), key('tab')])).toEqual([]);
    expect(guess.waitsMs).toBe(PASTE_GAP_MS);
    expect(guess.push([text('bar'), key('tab')])).toEqual([]);
    expect(guess.push([text('end')])).toEqual([]);
    expect(guess.flush()).toEqual([paste('foo\tbar\tend')]);
    expect(guess.push([text('/sta'), key('tab')])).toEqual([]);
    expect(guess.flush()).toEqual([text('/sta'), key('tab')]);
    expect(guess.waitsMs).toBeUndefined();
  });

  test('does not let a single Tab wait', () => {
    const guess = new PasteGuess();
    expect(guess.push([text('b')])).toEqual([text('b')]);
    expect(guess.push([key('tab')])).toEqual([key('tab')]);
  });

  test('gives the paste before a key that follows it', () => {
    const guess = new PasteGuess();
    guess.push([text('one'), key('enter'), text('two')]);
    expect(guess.push([key('ctrl+c')])).toEqual([paste('one\ntwo'), key('ctrl+c')]);
  });
});
