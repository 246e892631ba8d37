import fc from 'fast-check';
import { expect, test } from 'vitest';

import { LinkedQueue, type QueueEntry } from '../../src/util/index.js';

test('first in, first out; an entry leaves from anywhere, once', () => {
  const queue = new LinkedQueue<string>();
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((value) => queue.push(value)) as [
    QueueEntry<string>,
    QueueEntry<string>,
    QueueEntry<string>,
    QueueEntry<string>,
  ];
  expect(queue.delete(b)).toBe(true);
  expect(queue.delete(b)).toBe(false);
  expect(queue.delete(d)).toBe(true);
  expect([queue.size, queue.first]).toEqual([2, 'a']);
  expect([queue.shift(), queue.shift(), queue.shift()]).toEqual(['a', 'c', undefined]);
  expect([queue.delete(a), queue.delete(c), queue.size]).toEqual([false, false, 0]);
});

test('an entry of another queue is left alone', () => {
  const [one, other] = [new LinkedQueue<string>(), new LinkedQueue<string>()];
  const entry = one.push('a');
  expect(other.delete(entry)).toBe(false);
  expect(one.shift()).toBe('a');
});

test('does what an array does, whatever is asked of it', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant('push' as const) },
    { weight: 3, arbitrary: fc.constant('shift' as const) },
    { weight: 3, arbitrary: fc.nat({ max: 20 }) },
    { weight: 1, arbitrary: fc.constant('all' as const) },
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const queue = new LinkedQueue<number>();
      const model: QueueEntry<number>[] = [];
      const entries: QueueEntry<number>[] = [];
      for (const [index, step] of steps.entries()) {
        if (step === 'push') {
          entries.push(queue.push(index));
          model.push(entries.at(-1)!);
        } else if (step === 'shift') {
          expect(queue.shift()).toBe(model.shift()?.value);
        } else if (step === 'all') {
          expect(queue.takeAll()).toEqual(model.splice(0).map(({ value }) => value));
        } else {
          const entry = entries[step];
          if (entry === undefined) continue;
          const place = model.indexOf(entry);
          expect(queue.delete(entry)).toBe(place >= 0);
          if (place >= 0) model.splice(place, 1);
        }
        expect([queue.size, queue.first]).toEqual([model.length, model[0]?.value]);
      }
    }),
  );
});
