import { describe, expect, test } from 'vitest';

import { Name } from '../../src/name/index.js';
import { type Route, routeInbound, SESSION_ID_LIMIT } from '../../src/protocol/index.js';
import { type Content, MessageType, SessionType } from '../../src/wire/index.js';
import { A, B, CHANNEL, M, message, type MessageKind, msg, SESSION_ID, welcome } from './support.js';

const none = (): boolean => false;
const all = (): boolean => true;

function join(content: Partial<Extract<Content, { kind: 'joinRequest' }>> = {}): Content {
  return {
    kind: 'joinRequest',
    enableMls: false,
    timerSettings: { timeoutMs: 5000, maxRetries: 5 },
    channel: CHANNEL,
    ...content,
  };
}

/** A JoinRequest without one of its optional fields. */
function joinWithout(field: 'timerSettings' | 'channel'): Content {
  return Object.fromEntries(Object.entries(join()).filter(([key]) => key !== field)) as Content;
}

function configOf(route: Route) {
  if (route.kind !== 'join') throw new Error(`a route of kind ${route.kind}`);
  return route.config;
}

describe('a DiscoveryRequest', () => {
  test.each([A.withoutId(), A])('to %s is answered without a session', (to) => {
    const request = message('discoveryRequest', M, { id: 9, to });
    expect(routeInbound(request, A, none)).toEqual({
      kind: 'reply',
      message: {
        source: A,
        destination: M,
        fanout: 1,
        sessionType: SessionType.multicast,
        messageType: MessageType.discoveryReply,
        sessionId: SESSION_ID,
        messageId: 9,
        content: { kind: 'discoveryReply' },
        metadata: {},
      },
    });
  });

  test('keeps the session type of the request', () => {
    const request = message('discoveryRequest', M, { to: A, sessionType: SessionType.pointToPoint });
    expect(routeInbound(request, A, none)).toMatchObject({ message: { sessionType: SessionType.pointToPoint } });
  });

  test('for another app, for another instance, or from nobody in particular is ignored', () => {
    expect(routeInbound(message('discoveryRequest', M, { to: B.withoutId() }), A, none)).toEqual({ kind: 'ignore' });
    expect(routeInbound(message('discoveryRequest', M, { to: A.withId(5n) }), A, none)).toEqual({ kind: 'ignore' });
    expect(routeInbound(message('discoveryRequest', M.withoutId(), { to: A }), A, none)).toEqual({ kind: 'ignore' });
  });

  test('with the id of an existing session is answered as any other', () => {
    expect(routeInbound(message('discoveryRequest', M, { to: A }), A, all).kind).toBe('reply');
  });
});

describe('an existing session', () => {
  test('gets everything with its id, whoever sends it and whatever it is', () => {
    const messages = [
      msg(B, 1),
      welcome([M, A]),
      message('joinRequest', M, { to: A }),
      message('groupAck', B, { to: A }),
      message('unspecified', B, { content: { kind: 'unknown' } }),
    ];
    for (const inbound of messages) {
      expect(routeInbound(inbound, A, (id) => id === SESSION_ID)).toEqual({ kind: 'session', sessionId: SESSION_ID });
    }
  });

  test('gets nothing of another id', () => {
    expect(routeInbound(msg(B, 1, 'x', { sessionId: 8 }), A, (id) => id === SESSION_ID)).toEqual({ kind: 'ignore' });
  });
});

test('trap 24: nothing but a JoinRequest makes or answers anything for an unknown session', () => {
  const kinds = Object.keys(MessageType) as MessageKind[];
  for (const kind of kinds.filter((kind) => kind !== 'joinRequest' && kind !== 'discoveryRequest')) {
    const inbound = message(kind, M, { to: A, content: { kind: 'unknown' } });
    expect(routeInbound(inbound, A, none), kind).toEqual({ kind: 'ignore' });
  }
});

describe('a JoinRequest', () => {
  test('makes a group session with T, R, channel, moderator and metadata of the request', () => {
    const request = message('joinRequest', M, { to: A, content: join(), metadata: { topic: 'x' } });
    expect(routeInbound(request, A, none)).toEqual({
      kind: 'join',
      config: {
        sessionId: SESSION_ID,
        type: 'group',
        local: A,
        channel: CHANNEL,
        moderator: M,
        timeoutMs: 5000,
        maxRetries: 5,
        isReliable: true,
        metadata: { topic: 'x' },
      },
    });
  });

  test('an hour of T is kept as far as it makes sense', () => {
    const content = join({ timerSettings: { timeoutMs: 3_600_000, maxRetries: 1 } });
    expect(configOf(routeInbound(message('joinRequest', M, { to: A, content }), A, none)).timeoutMs).toBe(600_000);
    const zero = join({ timerSettings: { timeoutMs: 0, maxRetries: 0 } });
    expect(configOf(routeInbound(message('joinRequest', M, { to: A, content: zero }), A, none)).timeoutMs).toBe(1);
  });

  test('calls point-to-point: the other side is the caller; without timer settings nothing is reliable', () => {
    const sessionType = SessionType.pointToPoint;
    const reliable = message('joinRequest', M, { to: A, sessionType, content: joinWithout('channel') });
    expect(configOf(routeInbound(reliable, A, none))).toMatchObject({
      type: 'pointToPoint',
      channel: M,
      moderator: M,
      isReliable: true,
    });
    const content: Content = { kind: 'joinRequest', enableMls: false };
    const bestEffort = message('joinRequest', M, { to: A, sessionType, content });
    expect(configOf(routeInbound(bestEffort, A, none))).toMatchObject({
      isReliable: false,
      timeoutMs: 1000,
      maxRetries: 10,
    });
  });

  test('to a name of this app with any id is for this app: the name is what it answers with', () => {
    expect(configOf(routeInbound(message('joinRequest', M, { to: A.withoutId() }), A, none)).local).toBe(A);
  });

  test('to another app is ignored', () => {
    expect(routeInbound(message('joinRequest', M, { to: B }), A, none)).toEqual({ kind: 'ignore' });
  });

  test.each([
    ['a group without timer settings', { content: joinWithout('timerSettings') }, 'protocol-violation'],
    ['a group without a channel', { content: joinWithout('channel') }, 'protocol-violation'],
    ['trap 22: a group that this app shall moderate', { metadata: { IS_MODERATOR: 'TRUE' } }, 'protocol-violation'],
  ])('is refused loudly, without an answer: %s', (_, options, code) => {
    const route = routeInbound(message('joinRequest', M, { to: A, ...options }), A, none);
    expect(route).toMatchObject({ kind: 'refuse', code });
    expect((route as { text: string }).text).toContain('agntcy/ns/m/1');
  });

  test('to a group with MLS brings how payloads are protected; without MLS there is nothing of it', () => {
    const request = message('joinRequest', M, { to: A, content: join({ enableMls: true }) });
    expect(configOf(routeInbound(request, A, none)).mls).toEqual({ policy: 'auto' });
    expect(configOf(routeInbound(request, A, none, 'require')).mls).toEqual({ policy: 'require' });
    expect(configOf(routeInbound(message('joinRequest', M, { to: A }), A, none))).not.toHaveProperty('mls');
  });

  test('of an unknown session type, with another content, or from nobody in particular is ignored', () => {
    expect(routeInbound(message('joinRequest', M, { to: A, sessionType: 9 }), A, none)).toEqual({ kind: 'ignore' });
    expect(routeInbound(message('joinRequest', M.withoutId(), { to: A }), A, none)).toEqual({ kind: 'ignore' });
    const wrong = message('joinRequest', M, { to: A, content: { kind: 'groupAck' } });
    expect(routeInbound(wrong, A, none)).toEqual({ kind: 'ignore' });
  });

  test('keys that mean something to SLIM do not become metadata of the session', () => {
    const metadata = { topic: 'x', PUBLISH_TO: 'TRUE', LEAVING_SESSION: 'no', IS_MODERATOR: 'no' };
    const request = message('joinRequest', M, { to: A, metadata });
    expect(configOf(routeInbound(request, A, none)).metadata).toEqual({ topic: 'x' });
  });
});

test('names are matched by their numbers, never by their strings', () => {
  const sameStrings = Name.fromWire(A.strings, [1n, 2n, 3n], A.id);
  expect(routeInbound(message('discoveryRequest', M, { to: sameStrings }), A, none)).toEqual({ kind: 'ignore' });
  const otherStrings = Name.fromWire(['x', 'y', 'z'], A.hashes, A.id);
  expect(routeInbound(message('discoveryRequest', M, { to: otherStrings }), A, none).kind).toBe('reply');
});

test('session ids leave the room at the top that upstream refuses', () => {
  expect(SESSION_ID_LIMIT).toBe(4_294_966_295);
});
