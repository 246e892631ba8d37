import { describe, expect, test } from 'vitest';

import { AppAnswers, type OutboundMessage, routeInbound } from '../../src/protocol/index.js';
import type { PublishMessage } from '../../src/wire/index.js';
import { A, CHANNEL, M, message } from './support.js';

const DISCOVERY = message('discoveryRequest', M, { id: 9, to: A.withoutId() });
const LEAVE = message('leaveRequest', M, { id: 10, to: A });

function replyTo(request: PublishMessage): OutboundMessage {
  const route = routeInbound(request, A, () => false);
  if (route.kind !== 'reply') throw new Error(`a route of kind ${route.kind}`);
  return route.message;
}

describe('a discovery', () => {
  test('is answered, a copy of it is not, and who asks again after a while has not got the answer', () => {
    const answers = new AppAnswers(A);
    const reply = replyTo(DISCOVERY);
    expect(answers.onDiscovery(DISCOVERY, reply, 0)).toBe(reply);
    expect(answers.onDiscovery(DISCOVERY, reply, 20)).toBeUndefined();
    expect(answers.onDiscovery(DISCOVERY, reply, 500)).toBe(reply);
    expect(answers.onDiscovery(DISCOVERY, reply, 520)).toBeUndefined();
    answers.mayBeLost();
    expect(answers.onDiscovery(DISCOVERY, reply, 530)).toBe(reply);
  });

  test('tells how long the way to the moderator and back is, also when the join request is repeated', () => {
    const answers = new AppAnswers(A);
    const join = message('joinRequest', M, { to: A });
    const upstream = 'agntcy/ns/m/ffffffffffffffff_AbCd1234';
    expect(answers.roundTripMs(join, upstream, 5)).toBeUndefined();
    answers.onDiscovery(DISCOVERY, replyTo(DISCOVERY), 10);
    answers.onDiscovery(DISCOVERY, replyTo(DISCOVERY), 1010);
    expect([1510, 9999].map((nowMs) => answers.roundTripMs(join, upstream, nowMs))).toEqual([1500, 1500]);
    // One of ours may be answered as often as it asks.
    expect(answers.roundTripMs(join, `${M.toString()}_AbCd1234`, 1510)).toBeUndefined();
  });
});

describe('the answer to a request that ended a session', () => {
  const leaveReply: OutboundMessage = { ...replyTo(DISCOVERY), messageId: 10, content: { kind: 'leaveReply' } };

  test('is given again to who asks again by name after half of T', () => {
    const answers = new AppAnswers(A);
    expect(answers.again(LEAVE, 0)).toBeUndefined();
    answers.keep({ message: leaveReply, pauseMs: 500 }, 0);
    expect(answers.again(LEAVE, 499)).toBeUndefined();
    expect(answers.again(LEAVE, 500)).toBe(leaveReply);
    expect(answers.again(LEAVE, 1000)).toBe(leaveReply);
  });

  test('is nobody else’s, and not given to who asks a channel', () => {
    const answers = new AppAnswers(A);
    answers.keep({ message: leaveReply, pauseMs: 500 }, 0);
    expect(answers.again(message('leaveRequest', M.withId(77n), { id: 10, to: A }), 5000)).toBeUndefined();
    expect(answers.again(message('leaveRequest', M, { id: 11, to: A }), 5000)).toBeUndefined();
    expect(answers.again(message('leaveRequest', M, { id: 10, to: CHANNEL }), 5000)).toBeUndefined();
  });
});
