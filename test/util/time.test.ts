import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { pause, startInterval, startTimer, withDeadline } from '../../src/util/index.js';
import { watchRejections } from './watch-rejections.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('a timer', () => {
  test('of 600 hours, which a timer of Node cannot count, runs after 600 hours and wakes the process up once in between', async () => {
    const started = vi.spyOn(globalThis, 'setTimeout');
    const run = vi.fn();
    startTimer(600 * HOUR_MS, run);
    await vi.advanceTimersByTimeAsync(600 * HOUR_MS - 1);
    expect(run).not.toHaveBeenCalled();
    expect(started.mock.calls.length).toBeLessThanOrEqual(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(run).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([3_600_000 * 1001, Number.POSITIVE_INFINITY])('of %d ms does not run in its first 40 days', async (ms) => {
    const run = vi.fn();
    const timer = startTimer(ms, run);
    await vi.advanceTimersByTimeAsync(40 * DAY_MS);
    expect(run).not.toHaveBeenCalled();
    timer.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that is cancelled in its second piece does not run', async () => {
    const run = vi.fn();
    const timer = startTimer(30 * DAY_MS, run);
    await vi.advanceTimersByTimeAsync(26 * DAY_MS);
    timer.cancel();
    await vi.advanceTimersByTimeAsync(10 * DAY_MS);
    expect(run).not.toHaveBeenCalled();
  });
});

describe('a process that stood still', () => {
  test('looks at what came meanwhile before a timer says that nothing came', async () => {
    vi.useRealTimers();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [far] = (await once(server, 'connection')) as [Socket];
    const order: string[] = [];
    far.on('data', () => order.push('answer'));
    const isOver = new Promise<void>((resolve) => {
      startTimer(20, () => {
        order.push('timeout');
        resolve();
      });
    });
    near.write('x');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
    await isOver;
    near.destroy();
    server.close();
    expect(order).toEqual(['answer', 'timeout']);
  });
});

describe('an interval', () => {
  test('runs again and again, however long it is, until it is cancelled', async () => {
    const run = vi.fn();
    const timer = startInterval(30 * DAY_MS, run);
    await vi.advanceTimersByTimeAsync(90 * DAY_MS);
    expect(run).toHaveBeenCalledTimes(3);
    timer.cancel();
    await vi.advanceTimersByTimeAsync(90 * DAY_MS);
    expect(run).toHaveBeenCalledTimes(3);
  });

  test('that is cancelled from inside does not go on', async () => {
    const timer = startInterval(1000, () => {
      timer.cancel();
    });
    await vi.advanceTimersByTimeAsync(1000);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('pause', () => {
  test('ends with an abort, before it begins or while it lasts, and leaves no timer', async () => {
    const unhandled = watchRejections();
    const abort = new AbortController();
    const waiting = pause(30 * DAY_MS, abort.signal);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    await expect(pause(1000, abort.signal)).rejects.toMatchObject({ code: 'aborted' });
    expect(vi.getTimerCount()).toBe(0);
    expect(unhandled).toEqual([]);
  });
});

test('a deadline of 600 hours is not over at once', async () => {
  const outcome = withDeadline(new Promise(() => {}), { timeoutMs: 600 * HOUR_MS });
  const over = vi.fn();
  outcome.catch(over);
  await vi.advanceTimersByTimeAsync(600 * HOUR_MS - 1);
  expect(over).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(over).toHaveBeenCalledWith(expect.objectContaining({ code: 'timeout' }));
});
