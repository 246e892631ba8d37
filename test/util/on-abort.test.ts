import { getEventListeners } from 'node:events';

import { describe, expect, onTestFinished, test } from 'vitest';

import { AsyncQueue, onAbort, pause, withDeadline } from '../../src/util/index.js';

/** The warnings of Node until the test ends. */
function watchWarnings(): string[] {
  const warnings: string[] = [];
  const listener = (warning: Error): void => {
    warnings.push(warning.name);
  };
  process.on('warning', listener);
  onTestFinished(() => {
    process.off('warning', listener);
  });
  return warnings;
}

describe('many waits for one signal', () => {
  test('are no leak to Node, and leave no listener when they are over', async () => {
    const warnings = watchWarnings();
    const { signal } = new AbortController();
    const hundred = Array.from({ length: 100 });
    const queue = new AsyncQueue<number>();
    let answer: (() => void) | undefined;
    const promise = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const waits = [
      ...hundred.map(() => pause(1, signal)),
      ...hundred.map(() => withDeadline(promise, { signal })),
      ...hundred.map(() => queue.take({ signal })),
    ];
    hundred.forEach((_none, index) => {
      queue.push(index);
    });
    answer?.();
    await Promise.all(waits);
    // Node tells of a warning in the next turn.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect(warnings).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('all end when it fires, except those that were called off', async () => {
    const controller = new AbortController();
    const ran: string[] = [];
    const stops = ['a', 'b', 'c'].map((name) => onAbort(controller.signal, () => ran.push(name)));
    onAbort(controller.signal, () => stops[2]?.());
    stops[1]?.();
    const waits = [1, 2, 3].map(() => pause(60_000, controller.signal));
    controller.abort();
    for (const wait of waits) await expect(wait).rejects.toMatchObject({ code: 'aborted' });
    expect(ran).toEqual(['a', 'c']);
    onAbort(controller.signal, () => ran.push('late'));
    expect(ran).toEqual(['a', 'c', 'late']);
  });

  test('can begin again after all have ended', () => {
    const controller = new AbortController();
    onAbort(controller.signal, () => undefined)();
    let count = 0;
    onAbort(controller.signal, () => {
      count += 1;
    });
    controller.abort();
    expect(count).toBe(1);
  });
});
