import { describe, expect, test } from 'vitest';

import { type InputEvent } from '../../../src/ui/input/input-event.js';
import { InputReader } from '../../../src/ui/input/input-reader.js';

/** Timers that fire when the test says so. */
class FakeTimers {
  readonly #pending = new Map<number, { atMs: number; run: () => void }>();
  #nowMs = 0;
  #lastId = 0;

  readonly start = (afterMs: number, run: () => void): (() => void) => {
    const id = (this.#lastId += 1);
    this.#pending.set(id, { atMs: this.#nowMs + afterMs, run });
    return () => this.#pending.delete(id);
  };

  get count(): number {
    return this.#pending.size;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const [id, timer] of [...this.#pending]) {
      if (timer.atMs > this.#nowMs) continue;
      this.#pending.delete(id);
      timer.run();
    }
  }
}

function startReader() {
  const timers = new FakeTimers();
  const seen: InputEvent[] = [];
  const interrupts: number[] = [];
  const reader = new InputReader({ onInterrupt: () => interrupts.push(1), startTimer: timers.start });
  const type = (text: string): void => reader.feed(new TextEncoder().encode(text));
  const open = (): readonly InputEvent[] => reader.open((events) => seen.push(...events));
  return { timers, seen, interrupts, reader, type, open };
}

function setUp(): ReturnType<typeof startReader> {
  const started = startReader();
  started.open();
  return started;
}

const ENTER: InputEvent = { kind: 'key', key: 'enter' };

describe('InputReader', () => {
  test('makes Escape of a lone ESC, but only after silence', () => {
    const { timers, seen, type } = setUp();
    type('\u001b');
    timers.advance(99);
    expect(seen).toEqual([]);
    timers.advance(1);
    expect(seen).toEqual([{ kind: 'key', key: 'escape' }]);
    expect(timers.count).toBe(0);
  });

  test('waits anew for each piece of a slow sequence', () => {
    const { timers, seen, type } = setUp();
    type('\u001b');
    timers.advance(60);
    type('[');
    timers.advance(60);
    type('A');
    expect(seen).toEqual([{ kind: 'key', key: 'up' }]);
    expect(timers.count).toBe(0);
  });

  test('gives up on a paste without an end after 30 s', () => {
    const { timers, seen, type } = setUp();
    type('\u001b[200~never ending\rstory');
    timers.advance(29_999);
    expect(seen).toEqual([]);
    timers.advance(1);
    expect(seen).toEqual([{ kind: 'paste', text: 'never ending\nstory', truncated: true }]);
    type('a');
    expect(seen.at(-1)).toEqual({ kind: 'text', text: 'a' });
  });

  test('delivers a guessed paste after the gap', () => {
    const { timers, seen, type } = setUp();
    type('one\rtwo');
    type(' more\r');
    expect(seen).toEqual([]);
    timers.advance(50);
    expect(seen).toEqual([{ kind: 'paste', text: 'one\ntwo more\n', truncated: false }]);
  });

  test('keeps what is typed ahead, line by line, whatever the chunks', () => {
    const { seen, type, open } = startReader();
    type('one\ntwo\rth');
    type('ree\u001b[');
    type('A');
    expect(open()).toEqual([
      { kind: 'text', text: 'one' },
      ENTER,
      { kind: 'text', text: 'two' },
      ENTER,
      { kind: 'text', text: 'th' },
      { kind: 'text', text: 'ree' },
      { kind: 'key', key: 'up' },
    ]);
    expect(open()).toEqual([]);
    type('four\r');
    expect(seen).toEqual([{ kind: 'text', text: 'four' }, ENTER]);
  });

  test('keeps a marked paste that is typed ahead as a paste, also if its end comes later', () => {
    const { seen, type, open } = startReader();
    type('\u001b[200~one\rtwo\u001b[201~\u001b[200~thr');
    expect(open()).toEqual([{ kind: 'paste', text: 'one\ntwo', truncated: false }]);
    type('ee\u001b[201~');
    expect(seen).toEqual([{ kind: 'paste', text: 'three', truncated: false }]);
  });

  test('tells of Ctrl+C at once while nothing is open, and not of one in a paste', () => {
    const { interrupts, type, open } = startReader();
    type('\u001b[200~\u0003\u001b[201~');
    expect(interrupts).toEqual([]);
    type('x\u0003');
    expect(interrupts).toEqual([1]);
    expect(open()).toContainEqual({ kind: 'text', text: 'x' });
  });

  test('leaves no timer behind when it is closed', () => {
    const { timers, seen, reader, type } = setUp();
    type('one\rtwo');
    type('\u001b');
    reader.close();
    expect(timers.count).toBe(0);
    timers.advance(60_000);
    expect(seen).toEqual([]);
  });
});
