import { expect, test } from 'vitest';

import { WritableGate } from '../../src/client/writable-gate.js';

test('a writer whose messages never wait, as in a session that acknowledges nothing, lets the process have its turns', async () => {
  const gate = new WritableGate(() => ({ count: 0, bytes: 0 }));
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  for (let published = 0; published < 10_000; published += 1) {
    await gate.pass({});
    gate.onPublished();
  }
  isOver = true;
  expect(turns).toBeGreaterThan(10);
});

test('whoever gives up waiting takes no place of another', async () => {
  let count = 1000;
  const gate = new WritableGate(() => ({ count, bytes: 0 }));
  const impatient = Array.from({ length: 50 }, () => gate.pass({ signal: AbortSignal.timeout(1) }));
  const patient = gate.pass({});
  expect(new Set((await Promise.allSettled(impatient)).map(({ status }) => status))).toEqual(new Set(['rejected']));
  count = 0;
  gate.wake();
  await patient;
});
