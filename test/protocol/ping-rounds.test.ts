import { expect, test } from 'vitest';

import { MAX_MISSED_PINGS, PingRounds } from '../../src/protocol/ping-rounds.js';
import { A, B } from './support.js';

/** Rounds with A and B in them. */
function roundsOf(): { pings: PingRounds; round: (id: number) => void } {
  const pings = new PingRounds();
  pings.add(A);
  pings.add(B);
  return {
    pings,
    round: (id) => {
      expect(pings.closeRound()).toEqual([]);
      pings.startRound(id);
    },
  };
}

test('a member that answered before and is silent for three rounds is gone', () => {
  const { pings, round } = roundsOf();
  round(1);
  pings.onAnswer(A, 1);
  pings.onAnswer(B, 1);
  for (let missed = 1; missed <= MAX_MISSED_PINGS; missed += 1) {
    round(1 + missed);
    pings.onAnswer(A, 1 + missed);
  }
  expect(pings.closeRound()).toEqual([B]);
});

test('a member that never answered is 0.7 and is never found missing', () => {
  const { round } = roundsOf();
  for (let id = 1; id <= 20; id += 1) round(id);
});

test('the rounds must be consecutive', () => {
  const { pings, round } = roundsOf();
  for (let id = 1; id <= 20; id += 1) {
    round(id);
    if (id % MAX_MISSED_PINGS !== 0) continue;
    pings.onAnswer(A, id);
    pings.onAnswer(B, id);
  }
});

test('a late answer to an earlier round is a sign of life', () => {
  const { pings, round } = roundsOf();
  for (let id = 1; id <= 20; id += 1) {
    round(id);
    pings.onAnswer(A, id - 1);
    pings.onAnswer(B, id - 1);
  }
});

test('a round that nobody could answer does not count', () => {
  const { pings, round } = roundsOf();
  round(1);
  pings.onAnswer(A, 1);
  for (let id = 2; id <= 10; id += 1) {
    round(id);
    pings.forgetRound();
  }
  expect(pings.closeRound()).toEqual([]);
});

test('who joined during a round is not missing in it; who was removed is not missed', () => {
  const pings = new PingRounds();
  pings.add(A);
  pings.startRound(1);
  pings.onAnswer(A, 1);
  pings.add(B);
  pings.onAnswer(B, 1);
  pings.startRound(2);
  pings.remove(A);
  for (let id = 3; id <= 2 + MAX_MISSED_PINGS; id += 1) {
    const gone = pings.closeRound();
    expect(gone).toEqual(id === 2 + MAX_MISSED_PINGS ? [B] : []);
    pings.startRound(id);
  }
});

test('an answer of a stranger means nothing', () => {
  const pings = new PingRounds();
  pings.startRound(1);
  pings.onAnswer(A, 1);
  expect(pings.closeRound()).toEqual([]);
});
