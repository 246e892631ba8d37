import { setImmediate } from 'node:timers/promises';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { AsyncQueue, SessionError, withDeadline } from '../../src/util/index.js';
import { watchRejections } from './watch-rejections.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What a promise came to, without waiting for it. */
function outcomeOf(promise: Promise<unknown>): { value?: unknown; error?: unknown } {
  const outcome: { value?: unknown; error?: unknown } = {};
  promise.then(
    (value) => (outcome.value = value),
    (error: unknown) => (outcome.error = error),
  );
  return outcome;
}

/** Long enough for Node to report an unhandled rejection: that happens between two turns of the event loop. */
async function nextTurn(): Promise<void> {
  vi.useRealTimers();
  await setImmediate();
  await setImmediate();
}

describe('AsyncQueue', () => {
  test('gives out what waits, in order', async () => {
    const queue = new AsyncQueue<number>();
    queue.push(1);
    queue.push(2);
    expect(queue.size).toBe(2);
    expect(await queue.take()).toBe(1);
    expect(await queue.take()).toBe(2);
    expect(queue.size).toBe(0);
  });

  test('who has waited longest gets the next item', async () => {
    const queue = new AsyncQueue<string>();
    const takers = [queue.take(), queue.take()];
    queue.push('a');
    queue.push('b');
    expect(await Promise.all(takers)).toEqual(['a', 'b']);
    expect(queue.size).toBe(0);
  });

  test('any mix of pushes and takes gives each item once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 3000 }), async (steps) => {
        const queue = new AsyncQueue<number>();
        const taken: Promise<number>[] = [];
        let pushed = 0;
        for (const isPush of steps) {
          if (isPush) queue.push((pushed += 1));
          else taken.push(queue.take());
        }
        while (pushed < taken.length) queue.push((pushed += 1));
        const expected = Array.from({ length: taken.length }, (_, index) => index + 1);
        expect(await Promise.all(taken)).toEqual(expected);
        expect(queue.size).toBe(pushed - taken.length);
      }),
      { numRuns: 50 },
    );
  });

  test('keeps the order over a long backlog', async () => {
    const queue = new AsyncQueue<number>();
    for (let item = 0; item < 5000; item += 1) queue.push(item);
    for (let item = 0; item < 5000; item += 1) expect(await queue.take()).toBe(item);
  });

  test('what waits is given out before the close is noticed; then everybody gets the error of the first close', async () => {
    const queue = new AsyncQueue<string>();
    const closed = new SessionError('closed', 'over');
    queue.push('last');
    queue.close(closed);
    queue.close(new SessionError('removed', 'later'));
    queue.push('ignored');
    expect(await queue.take()).toBe('last');
    await expect(queue.take()).rejects.toBe(closed);
  });

  test('the close wakes whoever waits', async () => {
    const queue = new AsyncQueue<string>();
    const outcomes = [outcomeOf(queue.take()), outcomeOf(queue.take({ timeoutMs: 1000 }))];
    const closed = new SessionError('closed', 'over');
    queue.close(closed);
    await vi.advanceTimersByTimeAsync(0);
    expect(outcomes).toEqual([{ error: closed }, { error: closed }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a timeout rejects, and the next item is not lost to it', async () => {
    const queue = new AsyncQueue<string>();
    const outcome = outcomeOf(queue.take({ timeoutMs: 50 }));
    await vi.advanceTimersByTimeAsync(49);
    expect(outcome).toEqual({});
    await vi.advanceTimersByTimeAsync(1);
    expect(outcome.error).toMatchObject({ code: 'timeout' });
    queue.push('a');
    expect(await queue.take()).toBe('a');
  });

  test('an abort rejects with its reason as the cause, and the next item is not lost to it', async () => {
    const queue = new AsyncQueue<string>();
    const abort = new AbortController();
    const outcome = outcomeOf(queue.take({ signal: abort.signal }));
    abort.abort('enough');
    await vi.advanceTimersByTimeAsync(0);
    expect(outcome.error).toMatchObject({ code: 'aborted', cause: 'enough' });
    queue.push('a');
    expect(await queue.take()).toBe('a');
  });

  test('a signal that is aborted already takes nothing', async () => {
    const queue = new AsyncQueue<string>();
    queue.push('a');
    await expect(queue.take({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    expect(queue.size).toBe(1);
  });

  test('an item that arrives in the same instant as the abort is not lost', async () => {
    const queue = new AsyncQueue<string>();
    const abort = new AbortController();
    const outcome = outcomeOf(queue.take({ signal: abort.signal }));
    queue.push('a');
    abort.abort();
    await vi.advanceTimersByTimeAsync(0);
    const given = outcome.value === undefined ? await queue.take() : outcome.value;
    expect(given).toBe('a');
  });

  test('leaves no timer and no listener behind', async () => {
    const queue = new AsyncQueue<string>();
    const abort = new AbortController();
    const remove = vi.spyOn(abort.signal, 'removeEventListener');
    const taken = queue.take({ signal: abort.signal, timeoutMs: 1000 });
    queue.push('a');
    expect(await taken).toBe('a');
    expect(vi.getTimerCount()).toBe(0);
    expect(remove).toHaveBeenCalled();
  });
});

describe('withDeadline', () => {
  test('settles as the promise does', async () => {
    await expect(withDeadline(Promise.resolve('a'), { timeoutMs: 10 })).resolves.toBe('a');
    const failure = new Error('no');
    await expect(withDeadline(Promise.reject(failure), { timeoutMs: 10 })).rejects.toBe(failure);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('rejects when the time is over or the signal aborts, whichever comes first', async () => {
    const never = new Promise<never>(() => {});
    const abort = new AbortController();
    const late = outcomeOf(withDeadline(never, { timeoutMs: 10, signal: abort.signal }));
    const aborted = outcomeOf(withDeadline(never, { timeoutMs: 30, signal: abort.signal }));
    await vi.advanceTimersByTimeAsync(10);
    abort.abort();
    await vi.advanceTimersByTimeAsync(100);
    expect(late.error).toMatchObject({ code: 'timeout' });
    expect(aborted.error).toMatchObject({ code: 'aborted' });
  });

  test.each([
    ['aborted from the start', { signal: AbortSignal.abort() }],
    ['over already', { timeoutMs: 0 }],
  ])('a wait that is %s leaves no unhandled rejection when the promise fails later', async (_, options) => {
    const unhandled = watchRejections();
    let fail: (error: Error) => void = () => {};
    const failing = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const outcome = outcomeOf(withDeadline(failing, options));
    await vi.advanceTimersByTimeAsync(10);
    expect(outcome.error).toBeInstanceOf(SessionError);
    fail(new Error('failed later'));
    await nextTurn();
    expect(unhandled).toEqual([]);
  });
});
