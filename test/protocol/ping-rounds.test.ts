import { expect, test } from 'vitest';

import { MAX_MISSED_PINGS, PING_INTERVAL_MS, PingRounds } from '../../src/protocol/ping-rounds.js';
import { A, B } from './support.js';

/** Rounds with A and B in them; `round` closes one, in which nobody may be gone, and starts the next. */
function roundsOf(): { pings: PingRounds; round: () => void } {
  const pings = new PingRounds();
  pings.add(A);
  pings.add(B);
  let nowMs = 0;
  return {
    pings,
    round: () => {
      expect(pings.closeRound()).toEqual([]);
      pings.startRound(nowMs);
      nowMs += PING_INTERVAL_MS;
    },
  };
}

test('a member that is silent for three rounds is gone, whether or not it has ever answered', () => {
  for (const hasAnswered of [true, false]) {
    const { pings, round } = roundsOf();
    round();
    if (hasAnswered) pings.onSign(B, true);
    pings.onSign(A, true);
    for (let missed = hasAnswered ? 1 : 2; missed <= MAX_MISSED_PINGS; missed += 1) {
      round();
      pings.onSign(A, true);
    }
    expect(pings.closeRound()).toEqual([B]);
  }
});

test('any sign of life counts for a member that answers no ping', () => {
  const { pings, round } = roundsOf();
  for (let rounds = 1; rounds <= 20; rounds += 1) {
    round();
    pings.onSign(A);
    pings.onSign(B);
  }
});

test('the rounds must be consecutive', () => {
  const { pings, round } = roundsOf();
  for (let rounds = 1; rounds <= 20; rounds += 1) {
    round();
    if (rounds % MAX_MISSED_PINGS !== 0) continue;
    pings.onSign(A);
    pings.onSign(B);
  }
});

test('who is silent is asked again within the round, and who has given a sign is not', () => {
  const pings = new PingRounds();
  pings.add(A);
  pings.add(B);
  pings.startRound(0);
  pings.onSign(A, true);
  const asked = new Map<string, number>();
  for (let nowMs = 0; nowMs < PING_INTERVAL_MS; nowMs += pings.dueInMs(nowMs) ?? PING_INTERVAL_MS) {
    for (const { name } of pings.takeSilent(nowMs)) asked.set(name.key, (asked.get(name.key) ?? 0) + 1);
  }
  expect([asked.get(A.key) ?? 0, asked.get(B.key)]).toEqual([0, 9]);
  // However often it was asked, the round counts once.
  expect(pings.closeRound()).toEqual([]);
  pings.startRound(PING_INTERVAL_MS);
  expect(pings.closeRound()).toEqual([]);
});

test('who is asked is told apart by whether it answers pings', () => {
  const pings = new PingRounds();
  pings.add(A);
  pings.add(B);
  pings.startRound(0);
  pings.onSign(A, true);
  pings.startRound(1);
  expect(pings.takeSilent(5000).map(({ name, answersPings }) => [name, answersPings])).toEqual([
    [A, true],
    [B, undefined],
  ]);
});

test('a member in doubt must give another sign of life in the running round', () => {
  const { pings, round } = roundsOf();
  round();
  pings.onSign(A, true);
  pings.onSign(B, true);
  expect(pings.doubt(B, 5000)).toMatchObject({ name: B, answersPings: true });
  expect(pings.dueInMs(5000)).toBeGreaterThan(0);
  round();
  pings.onSign(A);
  round();
  pings.onSign(A);
  expect(pings.closeRound()).toEqual([B]);
});

test('a round that nobody could answer does not count', () => {
  const { pings, round } = roundsOf();
  round();
  pings.onSign(A);
  for (let rounds = 2; rounds <= 10; rounds += 1) {
    round();
    pings.forgetRound();
  }
  expect(pings.closeRound()).toEqual([]);
});

test('who joined during a round is not missing in it; who was removed is not missed', () => {
  const pings = new PingRounds();
  pings.add(A);
  pings.startRound(0);
  pings.onSign(A);
  pings.add(B);
  expect(pings.closeRound()).toEqual([]);
  pings.startRound(1);
  pings.remove(A);
  for (let missed = 1; missed <= MAX_MISSED_PINGS; missed += 1) {
    expect(pings.closeRound()).toEqual(missed === MAX_MISSED_PINGS ? [B] : []);
    pings.startRound(1 + missed);
  }
});

test('a sign of a stranger means nothing', () => {
  const pings = new PingRounds();
  pings.startRound(0);
  pings.onSign(A);
  expect(pings.doubt(A, 0)).toBeUndefined();
  expect(pings.closeRound()).toEqual([]);
});
