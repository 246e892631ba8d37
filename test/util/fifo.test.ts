import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Fifo } from '../../src/util/index.js';

test('gives out what was put in, in that order, like an array does', () => {
  const operations = fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.constant('push') }, fc.constantFrom('shift', 'peek', 'all')),
  );
  fc.assert(
    fc.property(operations, (names) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      for (const [index, name] of names.entries()) {
        if (name === 'push') {
          fifo.push(index);
          model.push(index);
        } else if (name === 'shift') expect(fifo.shift()).toBe(model.shift());
        else if (name === 'peek') expect(fifo.peek()).toBe(model[0]);
        else expect(fifo.takeAll()).toEqual(model.splice(0));
        expect(fifo.size).toBe(model.length);
      }
    }),
  );
});

test('keeps its order across the pieces it is cut into', () => {
  const fifo = new Fifo<number>();
  for (let item = 0; item < 5000; item += 1) fifo.push(item);
  const taken = Array.from({ length: 3000 }, () => fifo.shift());
  expect([...taken, ...fifo.takeAll()]).toEqual(Array.from({ length: 5000 }, (_, item) => item));
});
