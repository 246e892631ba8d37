import { describe, expect, test } from 'vitest';

import { type Effect, SessionModerator, SessionParticipant } from '../../src/protocol/index.js';
import { MAX_MISSED_PINGS, PING_INTERVAL_MS } from '../../src/protocol/ping-rounds.js';
import { SessionType } from '../../src/wire/index.js';
import {
  A,
  arrived,
  B,
  callConfig,
  idOf,
  M,
  message,
  msg,
  publish,
  R,
  Rig,
  sent,
  sentKinds,
  T,
  trace,
  welcome,
} from './support.js';

function caller(): Rig {
  return new Rig(new SessionModerator(callConfig(M)));
}

/** M has called A, and A has answered. */
function connected(): Rig {
  const rig = caller();
  const discovery = rig.command({ kind: 'invite', name: A.withoutId() });
  const join = rig.receive(message('discoveryReply', A, { id: idOf(discovery, 'discoveryRequest') }));
  const hello = rig.receive(message('joinReply', A, { id: idOf(join, 'joinRequest') }));
  rig.receive(message('groupAck', A, { id: idOf(hello, 'groupWelcome') }));
  expect(rig.machine.members).toEqual([M, A]);
  return rig;
}

/** A was called by M. */
function called(): Rig {
  const rig = new Rig(new SessionParticipant(callConfig(A)));
  rig.receive(message('joinRequest', M, { id: 1, to: A }), welcome([M, A], 2));
  return rig;
}

test('the whole of it, message by message, both sides (session.md 6)', () => {
  const moderator = caller();
  const participant = new Rig(new SessionParticipant(callConfig(A)));
  const toParticipant = (effects: readonly Effect[]) => participant.receive(...sent(effects).map(arrived));
  const toModerator = (effects: readonly Effect[]) => moderator.receive(...sent(effects).map(arrived));

  const discovery = moderator.command({ kind: 'invite', name: A.withoutId() });
  expect(trace(discovery)).toEqual(['discoveryRequest > a* #1000']);
  const join = moderator.receive(message('discoveryReply', A, { id: 1000, sessionType: SessionType.pointToPoint }));
  expect(trace(join)).toEqual(['joinRequest > a #1001']);
  expect(sent(join)[0]!.content).toEqual({
    kind: 'joinRequest',
    enableMls: false,
    timerSettings: { timeoutMs: T, maxRetries: R },
  });
  const joined = toParticipant(join);
  expect(trace(joined)).toEqual(['joinReply > m #1001']);
  const welcomed = toModerator(joined);
  expect(trace(welcomed)).toEqual(['groupWelcome > a #1002 [m a]']);
  const acked = toParticipant(welcomed);
  expect(trace(acked)).toEqual(['groupAck > m #1002', 'established [m a]']);
  expect(trace(toModerator(acked))).toEqual(['joined a [m a]', 'settle 1 a']);

  const hello = moderator.command(publish('hello'));
  expect(trace(hello)).toEqual(['msg > a #1 "hello"', 'delivery 2 sent 0/1']);
  const heard = toParticipant(hello);
  expect(trace(heard)).toEqual(['msgAck > m #1', 'got m "hello"']);
  expect(trace(toModerator(heard))).toEqual(['delivery 2 acked 1/0']);
  const answer = participant.command(publish('hi'));
  expect(trace(answer)).toEqual(['msg > m #1 "hi"', 'delivery 1 sent 0/1']);
  expect(trace(toModerator(answer))).toEqual(['msgAck > a #1', 'got a "hi"']);

  const close = moderator.command({ kind: 'close' });
  expect(trace(close)).toEqual(['groupClose > a #1003 all [m a]']);
  const closed = toParticipant(close);
  expect(trace(closed)).toEqual(['groupAck > m #1003', 'delivery 1 failed 0/1 closed', 'end closed']);
  expect(trace(toModerator(closed))).toEqual(['settle 3', 'end closed']);
  const types = [...discovery, ...join, ...joined, ...welcomed, ...acked, ...hello, ...heard, ...answer, ...close];
  expect(new Set(sent(types).map(({ sessionType }) => sessionType))).toEqual(new Set([SessionType.pointToPoint]));
});

describe('the caller', () => {
  test('nobody answers: the call fails', () => {
    const rig = caller();
    rig.command({ kind: 'invite', name: A.withoutId() });
    expect(trace(rig.advance((R + 1) * T)).at(-1)).toBe('settle 1 invite-timeout');
  });

  test('what was published before goes to the instance that answered, never to the name', () => {
    const rig = caller();
    rig.command(publish('early'));
    const join = rig.command({ kind: 'invite', name: A.withoutId() });
    const reply = rig.receive(message('discoveryReply', A, { id: idOf(join, 'discoveryRequest') }));
    const hello = rig.receive(message('joinReply', A, { id: idOf(reply, 'joinRequest') }));
    expect(sentKinds(hello)).toEqual(['groupWelcome']);
    expect(trace(rig.receive(message('groupAck', A, { id: idOf(hello, 'groupWelcome') })))).toContain(
      'msg > a #1 "early"',
    );
  });

  test('invite and remove are refused', () => {
    const rig = connected();
    expect(trace(rig.command({ kind: 'invite', name: B }))).toEqual(['settle 2 invalid-option']);
    expect(trace(rig.command({ kind: 'remove', name: A }))).toEqual(['settle 3 invalid-option']);
  });

  test('a retransmission goes to the same instance', () => {
    const rig = connected();
    rig.command(publish('x'));
    expect(trace(rig.advance(T))).toEqual(['msg > a #1 "x"']);
  });

  test('pings the peer, and hangs up when it has been silent for long', () => {
    const rig = connected();
    const ping = rig.advance(PING_INTERVAL_MS);
    expect(trace(ping)).toEqual([expect.stringMatching(/^ping > a #\d+$/) as string]);
    rig.receive(message('ping', A, { id: idOf(ping, 'ping') }));
    expect(trace(rig.advance(MAX_MISSED_PINGS * PING_INTERVAL_MS))).not.toContain('end closed');
    expect(trace(rig.advance(PING_INTERVAL_MS)).at(-1)).toBe('end closed');
  });

  test('hangs up on a peer that died before its first ping', () => {
    const effects = connected().advance((MAX_MISSED_PINGS + 1) * PING_INTERVAL_MS);
    expect(trace(effects).at(-1)).toBe('end closed');
  });

  test('the peer hangs up', () => {
    const rig = connected();
    const goodbye = message('leaveRequest', A, { id: 9, metadata: { LEAVING_SESSION: 'TRUE' } });
    expect(trace(rig.receive(goodbye))).toEqual(['leaveReply > a #9', 'end closed']);
  });

  test('a call that is abandoned before it was answered ends at once', () => {
    const rig = caller();
    rig.command({ kind: 'invite', name: A.withoutId() });
    expect(trace(rig.command({ kind: 'close' }))).toEqual(['settle 1 closed', 'settle 2', 'end closed']);
  });
});

describe('the callee', () => {
  test('publishes to the caller', () => {
    expect(trace(called().command(publish('x')))).toEqual(['msg > m #1 "x"', 'delivery 1 sent 0/1']);
  });

  test('leaves without an answer of a caller that never pinged', () => {
    expect(trace(called().command({ kind: 'close' }))).toEqual([
      expect.stringMatching(/^leaveRequest > m #\d+ LEAVING_SESSION$/) as string,
      'settle 1',
      'end left',
    ]);
  });

  test('of a caller without timer settings neither acknowledges nor orders anything', () => {
    const rig = new Rig(new SessionParticipant(callConfig(A, { isReliable: false })));
    rig.receive(message('joinRequest', M, { id: 1, to: A }), welcome([M, A], 2));
    expect(trace(rig.receive(msg(M, 5), msg(M, 2), message('rtxRequest', M, { id: 1 })))).toEqual([
      'got m "m5"',
      'got m "m2"',
    ]);
    expect(trace(rig.command(publish('x')))).toEqual(['msg > m #1 "x"', 'delivery 1 acked 0/0']);
    expect(rig.advance(3_600_000)).toEqual([]);
  });
});
