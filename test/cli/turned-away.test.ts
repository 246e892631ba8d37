import { expect, test } from 'vitest';

import { TurnedAway } from '../../src/cli/turned-away.js';

function knock(turnedAway: TurnedAway, connection: number, remote: string, version = '3.4.6'): string | undefined {
  expect(turnedAway.onEvent({ kind: 'connected', connection, remote })).toBeUndefined();
  const words = turnedAway.onEvent({ kind: 'turned-away', connection, version });
  expect(turnedAway.onEvent({ kind: 'disconnected', connection, reason: 'other-generation' })).toBeUndefined();
  return words;
}

test('who runs a node is told of an app of another generation once for each address, whatever version it says', () => {
  const turnedAway = new TurnedAway();
  expect(knock(turnedAway, 0, '10.0.0.3 port 1000')).toBe(
    'turned away an app of SLIM 3.4.6 at 10.0.0.3: this node speaks generation 1, SLIM 0.7 to 1.4',
  );
  for (let again = 1; again < 100; again += 1) {
    expect(knock(turnedAway, again, `10.0.0.3 port ${String(1000 + again)}`, `3.4.${String(again)}`)).toBeUndefined();
  }
  expect(knock(turnedAway, 100, '10.0.0.4 port 1')).toContain('at 10.0.0.4');
});

test('from many addresses there are twenty lines', () => {
  const turnedAway = new TurnedAway();
  const told = Array.from({ length: 1000 }, (_, index) =>
    knock(turnedAway, index, `fe80::${index.toString(16)} port 1`),
  );
  expect(told.filter((words) => words !== undefined)).toHaveLength(20);
});
