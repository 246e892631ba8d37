import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Signal } from '../../src/runtime/signal.js';
import { withinBudget } from '../../src/util/index.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const HOUR_MS = 3_600_000;

/** Waits for a moment as the chat does for its deliveries: again and again until there is no time left. */
async function waits(budgetMs: number): Promise<{ readonly wakeUps: number; readonly waitedMs: number }> {
  const signal = new Signal();
  const startMs = Date.now();
  let wakeUps = 0;
  const done = (async () => {
    for (let leftMs = budgetMs; leftMs > 0 && wakeUps < 100; leftMs = startMs + budgetMs - Date.now()) {
      await signal.next(leftMs);
      wakeUps += 1;
    }
  })();
  // A busy loop would never let go of fake time, so it gets an hour at a time.
  for (let hours = 0; hours * HOUR_MS < budgetMs && wakeUps < 100; hours += 1)
    await vi.advanceTimersByTimeAsync(HOUR_MS);
  if (wakeUps < 100) await done;
  return { wakeUps, waitedMs: Date.now() - startMs };
}

test.each([
  ['--linger 600h', 600 * HOUR_MS],
  ['a timeout of 3600 s with 1000 tries', 1001 * HOUR_MS],
])('%s is one wait and no busy loop', async (_, budgetMs) => {
  expect(await waits(budgetMs)).toEqual({ wakeUps: 1, waitedMs: budgetMs });
});

test('a budget of 600 hours is not spent at once', async () => {
  const spent = vi.fn();
  void withinBudget(new Promise(() => {}), 600 * HOUR_MS).then(spent);
  await vi.advanceTimersByTimeAsync(600 * HOUR_MS - 1);
  expect(spent).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(spent).toHaveBeenCalledOnce();
});
