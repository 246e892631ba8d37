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

function setUp(): { timers: FakeTimers; seen: InputEvent[]; reader: InputReader; type: (text: string) => void } {
  const timers = new FakeTimers();
  const seen: InputEvent[] = [];
  const reader = new InputReader({ onEvents: (events) => seen.push(...events), startTimer: timers.start });
  return { timers, seen, reader, type: (text) => reader.feed(new TextEncoder().encode(text)) };
}

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
