import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { RetryQueue } from '../../src/protocol/retry-queue.js';

describe('RetryQueue', () => {
  // session.md 4.1: events at T, 2T ... RT (again) and (R+1)T (failure).
  test('repeats R times, every T, and gives up one T later', () => {
    const queue = new RetryQueue<number, string>(100, 2);
    queue.add(1, 'a', 0);
    expect(queue.dueInMs(0)).toBe(100);
    expect(queue.expire(99)).toEqual({ retry: [], failed: [] });
    expect(queue.expire(100)).toEqual({ retry: ['a'], failed: [] });
    expect(queue.expire(200)).toEqual({ retry: ['a'], failed: [] });
    expect(queue.expire(300)).toEqual({ retry: [], failed: ['a'] });
    expect(queue.size).toBe(0);
    expect(queue.dueInMs(300)).toBeUndefined();
  });

  test('R = 0: gives up at T without repeating', () => {
    const queue = new RetryQueue<number, string>(100, 0);
    queue.add(1, 'a', 0);
    expect(queue.expire(100)).toEqual({ retry: [], failed: ['a'] });
  });

  test('several entries in parallel, each on its own time', () => {
    const queue = new RetryQueue<number, string>(100, 1);
    queue.add(1, 'a', 0);
    queue.add(2, 'b', 40);
    expect(queue.expire(100)).toEqual({ retry: ['a'], failed: [] });
    expect(queue.dueInMs(100)).toBe(40);
    expect(queue.expire(140)).toEqual({ retry: ['b'], failed: [] });
    expect(queue.expire(240)).toEqual({ retry: [], failed: ['a', 'b'] });
  });

  test('what is answered is not repeated', () => {
    const queue = new RetryQueue<number, string>(100, 1);
    queue.add(1, 'a', 0);
    queue.add(2, 'b', 0);
    expect(queue.delete(1)).toBe(true);
    expect(queue.delete(1)).toBe(false);
    expect(queue.expire(100)).toEqual({ retry: ['b'], failed: [] });
  });

  test('one late expiry repeats each entry once, not once for each T that passed', () => {
    const queue = new RetryQueue<number, string>(100, 5);
    queue.add(1, 'a', 0);
    expect(queue.expire(10_000)).toEqual({ retry: ['a'], failed: [] });
    expect(queue.dueInMs(10_000)).toBe(100);
  });

  test('a restart gives all tries back', () => {
    const queue = new RetryQueue<number, string>(100, 1);
    queue.add(1, 'a', 0);
    queue.expire(100);
    queue.restart(500);
    expect(queue.expire(599)).toEqual({ retry: [], failed: [] });
    expect(queue.expire(600)).toEqual({ retry: ['a'], failed: [] });
    expect(queue.expire(700)).toEqual({ retry: [], failed: ['a'] });
  });

  test('any mix of additions, answers and expiries: nothing is due before dueInMs says so, nothing is forgotten', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), key: fc.nat({ max: 20 }) }),
      fc.record({ kind: fc.constant('delete' as const), key: fc.nat({ max: 20 }) }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 150 }) }),
      fc.record({ kind: fc.constant('restart' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat({ max: 3 }), (steps, maxRetries) => {
        const queue = new RetryQueue<number, number>(100, maxRetries);
        const tries = new Map<number, number>();
        let nowMs = 0;
        for (const step of steps) {
          if (step.kind === 'add' && !queue.has(step.key)) {
            queue.add(step.key, step.key, nowMs);
            tries.set(step.key, 0);
          } else if (step.kind === 'delete') {
            expect(queue.delete(step.key)).toBe(tries.delete(step.key));
          } else if (step.kind === 'restart') {
            queue.restart(nowMs);
            for (const key of tries.keys()) tries.set(key, 0);
          } else if (step.kind === 'pass') {
            const dueInMs = queue.dueInMs(nowMs);
            nowMs += step.ms;
            const { retry, failed } = queue.expire(nowMs);
            expect(retry.length + failed.length > 0).toBe(dueInMs !== undefined && dueInMs <= step.ms);
            for (const key of retry) tries.set(key, tries.get(key)! + 1);
            for (const key of failed) {
              expect(tries.get(key)).toBe(maxRetries);
              tries.delete(key);
            }
          }
          expect(new Set(queue.values())).toEqual(new Set(tries.keys()));
        }
      }),
    );
  });
});
