import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';

import { SharedSecret, type TokenProvider } from '../../src/auth/index.js';
import { type AppEvent, Name, SlimApp } from '../../src/client/index.js';
import { SESSION_ID_LIMIT } from '../../src/protocol/index.js';
import { MessageType, type PublishMessage, SessionType } from '../../src/wire/index.js';
import {
  CHANNEL,
  connect,
  MemoryNode,
  outcomeOf,
  pair,
  pass,
  SECRET,
  settle,
  watchRejections,
  within,
} from './support.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function warnings(events: readonly AppEvent[]): { code: string; text: string }[] {
  return events.flatMap((event) => (event.kind === 'warning' ? [{ code: event.code, text: event.text }] : []));
}

/** A message of mallory to an app. */
function fromMallory(to: Name, token: string, messageType: number, content: PublishMessage['content']): PublishMessage {
  return {
    kind: 'publish',
    header: { source: Name.of('agntcy', 'ns', 'mallory', 66n), destination: to, fanout: 1, identity: token },
    session: { sessionType: SessionType.multicast, messageType, sessionId: 4711, messageId: 1 },
    content,
    metadata: {},
  };
}

/** @param aheadS - by how much the clock it is made by is ahead */
function tokenOf(identity: string, secret = SECRET, aheadS = 0): string {
  return new SharedSecret({ secret, identity }).mint(Date.now() + 1000 * aheadS);
}

describe('connect', () => {
  test.each([
    [{ local: 'alice' }, 'invalid-name'],
    [{ sharedSecret: 'short' }, 'secret-too-short'],
    [{ sharedSecret: undefined }, 'missing-option'],
    [{ slim: 'ftp://x' }, 'bad-config'],
  ])('%o is refused with %s', async (options, code) => {
    const all = { local: 'a/b/c', slim: new MemoryNode().transport(), sharedSecret: SECRET, ...options };
    await expect(SlimApp.connect(all as Parameters<typeof SlimApp.connect>[0])).rejects.toMatchObject({ code });
  });
});

describe('createSession', () => {
  test('a group sends nothing before the first invitation', async () => {
    const node = new MemoryNode();
    const { app, stream } = await connect(node, 'agntcy/ns/alice');
    const session = await app.createSession({ channel: CHANNEL });
    await pass(60_000);
    expect(stream.trace).toEqual(['subscribe agntcy/ns/alice']);
    expect(session).toMatchObject({ type: 'group', role: 'moderator', timeoutMs: 1000, maxRetries: 29 });
    expect(session.members).toEqual([app.name]);
    expect(app.sessions).toEqual([session]);
  });

  test('trap 11: ids are drawn over the whole range, each once', async () => {
    const { app } = await connect(new MemoryNode(), 'agntcy/ns/alice');
    const ids = new Set<number>();
    for (let count = 0; count < 100; count += 1) ids.add((await app.createSession({ channel: CHANNEL })).id);
    expect(ids.size).toBe(100);
    expect(Math.max(...ids)).toBeLessThan(SESSION_ID_LIMIT);
    expect(Math.max(...ids)).toBeGreaterThan(2 ** 30);
  });

  test.each([
    [{ channel: 'chat' }, 'invalid-name'],
    [{ timeoutMs: 0 }, 'invalid-option'],
    [{ timeoutMs: 1.5 }, 'invalid-option'],
    [{ timeoutMs: 3_600_001 }, 'invalid-option'],
    [{ maxRetries: -1 }, 'invalid-option'],
    [{ maxRetries: 10_001 }, 'invalid-option'],
    [{ metadata: { IS_MODERATOR: 'TRUE' } }, 'invalid-payload'],
    [{ metadata: { big: 'x'.repeat(5_000_000) } }, 'invalid-payload'],
  ])('%j is refused with %s', async (options, code) => {
    const { app } = await connect(new MemoryNode(), 'agntcy/ns/alice');
    await expect(app.createSession({ channel: CHANNEL, ...options })).rejects.toMatchObject({ code });
  });

  test('T, R and metadata reach the members, and do not change with the object they came in', async () => {
    const node = new MemoryNode();
    const alice = await connect(node, 'agntcy/ns/alice');
    const bob = await connect(node, 'agntcy/ns/bob');
    const metadata: Record<string, string> = { topic: 'x' };
    const created = alice.app.createSession({ channel: CHANNEL, timeoutMs: 700, maxRetries: 3, metadata });
    metadata['topic'] = 'y';
    const session = await created;
    const joined = bob.app.listenForSession();
    await within(1000, session.invite('agntcy/ns/bob'));
    const theirs = await within(1000, joined);
    expect(theirs).toMatchObject({ id: session.id, type: 'group', role: 'participant', timeoutMs: 700, maxRetries: 3 });
    expect(theirs.metadata).toEqual({ topic: 'x' });
    expect(theirs.channel.toString()).toBe(CHANNEL);
    expect(theirs.moderator).toEqual(alice.app.name);
    expect(theirs.local).toEqual(bob.app.name);
    expect(theirs.members.map(String).sort()).toEqual([alice.app.name, bob.app.name].map(String).sort());
  });

  test('a call resolves when the other side has joined, and both can talk', async () => {
    const node = new MemoryNode();
    const alice = await connect(node, 'agntcy/ns/alice');
    const bob = await connect(node, 'agntcy/ns/bob');
    const called = bob.app.listenForSession();
    const call = await within(1000, alice.app.createSession({ channel: 'agntcy/ns/bob', type: 'pointToPoint' }));
    const theirs = await within(1000, called);
    await within(1000, Promise.resolve(call.publish('hello')));
    expect((await within(1000, theirs.getMessage())).text).toBe('hello');
    await within(1000, Promise.resolve(theirs.publish('hi')));
    expect((await within(1000, call.getMessage())).text).toBe('hi');
    expect(alice.stream.trace.filter((line) => line.startsWith('subscribe'))).toEqual(['subscribe agntcy/ns/alice']);
  });

  test('a call that nobody answers fails, and leaves nothing behind', async () => {
    const { app } = await connect(new MemoryNode(), 'agntcy/ns/alice');
    const options = { channel: 'agntcy/ns/bob', type: 'pointToPoint', timeoutMs: 100, maxRetries: 2 } as const;
    const outcome = outcomeOf(app.createSession(options));
    await pass(299);
    expect(outcome.isSettled).toBe(false);
    await pass(2);
    expect(outcome.error).toMatchObject({ code: 'invite-timeout' });
    expect(app.sessions).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('after the close it is refused', async () => {
    const { app } = await connect(new MemoryNode(), 'agntcy/ns/alice');
    await within(1000, app.close());
    await expect(app.createSession({ channel: CHANNEL })).rejects.toMatchObject({ code: 'closed' });
    await expect(app.listenForSession()).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('listenForSession', () => {
  test('gives sessions that are usable, in order; the event comes with it', async () => {
    const node = new MemoryNode();
    const { bobSession, bob } = await pair(node);
    const sessions = bob.events.flatMap((event) => (event.kind === 'session' ? [event.session] : []));
    expect(sessions).toEqual([bobSession]);
    expect(bob.app.sessions).toEqual([bobSession]);
  });

  test('ends with timeout or abort', async () => {
    const { app } = await connect(new MemoryNode(), 'agntcy/ns/alice');
    const late = outcomeOf(app.listenForSession({ timeoutMs: 100 }));
    await pass(100);
    expect(late.error).toMatchObject({ code: 'timeout' });
    const abort = new AbortController();
    const aborted = outcomeOf(app.listenForSession({ signal: abort.signal }));
    abort.abort();
    await settle();
    expect(aborted.error).toMatchObject({ code: 'aborted' });
  });
});

describe('identities', () => {
  test('a message with a token that does not hold is dropped; one warning for each sender', async () => {
    const node = new MemoryNode();
    const { app, events, stream } = await connect(node, 'agntcy/ns/alice');
    const bad = tokenOf('agntcy/ns/mallory', 'another-secret-of-thirty-two-bytes-and-more');
    for (let times = 0; times < 3; times += 1) {
      node.send(stream, fromMallory(app.name, bad, MessageType.discoveryRequest, { kind: 'discoveryRequest' }));
      node.send(stream, fromMallory(app.name, '', MessageType.discoveryRequest, { kind: 'discoveryRequest' }));
    }
    await settle();
    expect(stream.messages('discoveryReply')).toEqual([]);
    expect(warnings(events)).toEqual([
      { code: 'identity-rejected', text: expect.stringContaining('agntcy/ns/mallory') as string },
    ]);
  });

  test('however many names a stranger takes, one line a minute tells of it, and says nothing of clocks', async () => {
    const node = new MemoryNode();
    const { app, events, stream } = await connect(node, 'agntcy/ns/alice');
    const bad = tokenOf('agntcy/ns/mallory', 'another-secret-of-thirty-two-bytes-and-more', 20);
    const discovery = fromMallory(app.name, bad, MessageType.discoveryRequest, { kind: 'discoveryRequest' });
    for (let count = 0; count < 1000; count += 1) {
      const source = Name.of('agntcy', 'ns', `mallory-${String(count)}-\u202e${'x'.repeat(1000)}`, 66n);
      node.send(stream, { ...discovery, header: { ...discovery.header, source } });
    }
    await settle();
    const [warning, ...others] = warnings(events);
    expect(others).toEqual([]);
    expect(warning).toMatchObject({ code: 'identity-rejected', text: expect.stringMatching(/bad-mac$/) as string });
    expect(warning?.text.length).toBeLessThan(300);
    expect(warning?.text).not.toContain('\u202e');
    expect(warning).not.toHaveProperty('seconds');
    expect(stream.messages('discoveryRequest')).toEqual([]);
  });

  test.each([20, 4000, -4000])(
    'an inviter whose clock is %i s ahead is not answered, but told of, once, and asked so that it sees the difference',
    async (aheadS) => {
      const node = new MemoryNode();
      const { app, events, stream } = await connect(node, 'agntcy/ns/alice');
      for (let count = 0; count < 5; count += 1) {
        const token = tokenOf('agntcy/ns/mallory', SECRET, aheadS);
        node.send(stream, fromMallory(app.name, token, MessageType.discoveryRequest, { kind: 'discoveryRequest' }));
        await vi.advanceTimersByTimeAsync(1000);
      }
      expect(stream.messages('discoveryReply')).toEqual([]);
      const told = events.filter((event) => event.kind === 'warning');
      expect(told).toMatchObject([{ code: 'clock-off' }]);
      expect(Math.abs((told[0]?.seconds ?? 0) - aheadS)).toBeLessThanOrEqual(1);
      expect(told[0]?.text).toContain(
        `${String(Math.abs(told[0]?.seconds ?? 0))} s ${aheadS > 0 ? 'ahead of' : 'behind'}`,
      );
      expect(stream.messages('discoveryRequest').map(({ header }) => header.destination.toString())).toEqual(
        Array(2).fill(Name.of('agntcy', 'ns', 'mallory', 66n).toString()),
      );
    },
  );

  test('one whose clock is 20 s behind is answered, and told of: it drops the answers', async () => {
    const node = new MemoryNode();
    const { app, events, stream } = await connect(node, 'agntcy/ns/alice');
    for (let count = 0; count < 5; count += 1) {
      const token = tokenOf('agntcy/ns/mallory', SECRET, -20);
      const request = fromMallory(app.name, token, MessageType.discoveryRequest, { kind: 'discoveryRequest' });
      node.send(stream, { ...request, session: { ...request.session, messageId: count } });
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(stream.messages('discoveryReply')).toHaveLength(5);
    expect(events.filter((event) => event.kind === 'warning')).toMatchObject([
      { code: 'clock-off', seconds: expect.closeTo(-20, -0.3) as number },
    ]);
  });

  test('a token that serves many messages and has ended: the line says how long ago, by which clock', async () => {
    const node = new MemoryNode();
    const provider = new SharedSecret({ secret: SECRET, identity: 'agntcy/ns/alice' });
    const verifier = { verify: () => ({ ok: false, reason: 'expired', endedS: 75 }) as const };
    const { app, events, stream } = await connect(node, 'agntcy/ns/alice', { identity: { provider, verifier } });
    node.send(stream, fromMallory(app.name, 'x', MessageType.discoveryRequest, { kind: 'discoveryRequest' }));
    await settle();
    expect(warnings(events)).toEqual([
      {
        code: 'identity-rejected',
        text: "dropped messages from agntcy/ns/mallory: its token ended 75 s ago by this computer's clock",
      },
    ]);
  });

  test('messages that were long on their way are no matter of clocks', async () => {
    const node = new MemoryNode();
    const { app, events, stream } = await connect(node, 'agntcy/ns/alice');
    // Made a second apart, while this process slept; all arrive now.
    for (let ageS = 60; ageS >= 0; ageS -= 1) {
      const token = tokenOf('agntcy/ns/mallory', SECRET, -ageS);
      node.send(stream, fromMallory(app.name, token, MessageType.discoveryRequest, { kind: 'discoveryRequest' }));
    }
    await settle();
    expect(warnings(events)).toEqual([]);
  });

  test('a JoinRequest with a bad token makes no session, the same with a good one does', async () => {
    const node = new MemoryNode();
    const { app, stream } = await connect(node, 'agntcy/ns/alice');
    const join: PublishMessage['content'] = {
      kind: 'joinRequest',
      enableMls: false,
      timerSettings: { timeoutMs: 1000, maxRetries: 3 },
      channel: Name.parse(CHANNEL),
    };
    node.send(stream, fromMallory(app.name, 'nonsense', MessageType.joinRequest, join));
    await settle();
    expect(stream.messages('joinReply')).toEqual([]);
    node.send(stream, fromMallory(app.name, tokenOf('agntcy/ns/mallory'), MessageType.joinRequest, join));
    await settle();
    expect(stream.messages('joinReply')).toHaveLength(1);
  });

  test('every message and retransmission carries a fresh token', async () => {
    const node = new MemoryNode();
    const { alice, aliceSession } = await pair(node);
    node.drops = ({ session }) => session.messageType === MessageType.msg;
    const handle = aliceSession.publish('x');
    await pass(3500);
    const tokens = alice.stream.messages('msg').map(({ header }) => header.identity);
    expect(tokens).toHaveLength(4);
    expect(new Set(tokens).size).toBe(4);
    node.drops = () => false;
    await within(2000, Promise.resolve(handle));
  });

  test('a provider that throws costs messages, and neither the session nor the process', async () => {
    const node = new MemoryNode();
    const secret = new SharedSecret({ secret: SECRET, identity: 'agntcy/ns/alice' });
    let isBroken = false;
    const provider: TokenProvider = {
      subject: secret.subject,
      mint: (nowMs) => {
        if (isBroken) throw new Error('no key');
        return secret.mint(nowMs);
      },
    };
    const unhandled = watchRejections();
    const uncaught: unknown[] = [];
    const listener = (error: unknown): void => void uncaught.push(error);
    process.on('uncaughtException', listener);
    onTestFinished(() => void process.off('uncaughtException', listener));
    const { aliceSession, alice } = await pair(node, { identity: { provider, verifier: secret } });
    isBroken = true;
    const handle = aliceSession.publish('x');
    await pass(2000);
    isBroken = false;
    await within(2000, Promise.resolve(handle));
    expect(warnings(alice.events).map(({ text }) => text)).toContainEqual(expect.stringContaining('no key'));
    expect([...unhandled, ...uncaught]).toEqual([]);
  });
});

describe('a provider that fails while the app connects', () => {
  const secret = new SharedSecret({ secret: SECRET, identity: 'agntcy/ns/alice' });
  const state = { isBroken: true };
  const provider: TokenProvider = {
    subject: secret.subject,
    mint: (nowMs) => {
      if (state.isBroken) throw new Error('no key');
      return secret.mint(nowMs);
    },
  };
  const identity = { provider, verifier: secret };

  test('for the first time: connect rejects with its error, and the stream ends', async () => {
    const node = new MemoryNode();
    state.isBroken = true;
    const outcome = outcomeOf(SlimApp.connect({ local: 'agntcy/ns/alice', slim: node.transport(), identity }));
    await pass(5000);
    expect(outcome.error).toMatchObject({ message: 'no key' });
    expect(node.stream.isOpen).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('again: it goes on trying, and no stream is left behind', async () => {
    const node = new MemoryNode();
    state.isBroken = false;
    const { stream } = await connect(node, 'agntcy/ns/alice', { identity });
    state.isBroken = true;
    stream.connection.cut();
    await pass(20_000);
    expect(node.streams.length).toBeGreaterThan(3);
    expect(node.streams.filter(({ isOpen }) => isOpen)).toEqual([]);
    state.isBroken = false;
    await pass(10_000);
    expect(node.stream.trace).toEqual(['subscribe agntcy/ns/alice']);
  });
});

describe('invitations that cannot be accepted', () => {
  test('are one warning each', async () => {
    const node = new MemoryNode();
    const { app, events, stream } = await connect(node, 'agntcy/ns/alice');
    const join = { kind: 'joinRequest', enableMls: false } as const;
    for (let times = 0; times < 3; times += 1) {
      node.send(stream, fromMallory(app.name, tokenOf('agntcy/ns/mallory'), MessageType.joinRequest, join));
    }
    await settle();
    expect(warnings(events)).toEqual([
      { code: 'protocol-violation', text: expect.stringContaining('without a channel') as string },
    ]);
    expect(stream.messages('joinReply')).toEqual([]);
  });
});

test('a group with MLS whose welcome cannot be opened is a warning of the app, which knows of no session', async () => {
  const node = new MemoryNode();
  const { app, events, stream } = await connect(node, 'agntcy/ns/alice');
  const token = tokenOf('agntcy/ns/mallory');
  const join: PublishMessage['content'] = {
    kind: 'joinRequest',
    enableMls: true,
    timerSettings: { timeoutMs: 1000, maxRetries: 3 },
    channel: Name.parse(CHANNEL),
  };
  const mls = { commitId: 1, content: Uint8Array.of(1, 2, 3) };
  const welcome: PublishMessage['content'] = { kind: 'groupWelcome', participants: [app.name], mls };
  node.send(stream, fromMallory(app.name, token, MessageType.joinRequest, join));
  node.send(stream, fromMallory(app.name, token, MessageType.groupWelcome, welcome));
  // The engine is read from disk, which no fake timer speeds up.
  vi.useRealTimers();
  await vi.waitFor(() => {
    expect(warnings(events)).toEqual([{ code: 'mls-failed', text: expect.stringContaining('MLS group') as string }]);
  });
  expect(app.sessions).toEqual([]);
});

describe('deleteSession', () => {
  test('a moderator closes the group, and every member knows', async () => {
    const { alice, aliceSession, bobSession } = await pair(new MemoryNode());
    await within(1000, alice.app.deleteSession(aliceSession));
    expect([aliceSession.closeReason, bobSession.closeReason]).toEqual(['closed', 'closed']);
    expect(alice.app.sessions).toEqual([]);
  });

  test('a participant leaves, and the moderator knows', async () => {
    const { bob, aliceSession, bobSession } = await pair(new MemoryNode());
    await within(1000, bob.app.deleteSession(bobSession));
    await settle();
    expect(bobSession.closeReason).toBe('left');
    expect(aliceSession.members).toHaveLength(1);
    expect(aliceSession.closeReason).toBeUndefined();
  });

  test.each([
    [undefined, 5000],
    [{ timeoutMs: 700 }, 700],
  ])('with silent peers and options %j it is cut short after %d ms', async (options, ms) => {
    const node = new MemoryNode();
    const { alice, aliceSession } = await pair(node);
    node.drops = ({ session }) => session.messageType === MessageType.groupClose;
    const outcome = outcomeOf(alice.app.deleteSession(aliceSession, options));
    await pass(ms - 1);
    expect(outcome.isSettled).toBe(false);
    await pass(2);
    expect(outcome).toMatchObject({ isSettled: true, count: 1 });
    expect(outcome.error).toBeUndefined();
    expect(aliceSession.closeReason).toBe('closed');
    expect(alice.stream.trace.at(-1)).toBe(`unsubscribe ${CHANNEL}`);
    node.drops = () => false;
  });

  test('twice is as good as once, and the second does not cut the first short', async () => {
    const node = new MemoryNode();
    const { alice, aliceSession, bobSession } = await pair(node);
    node.drops = ({ session }) => session.messageType === MessageType.groupClose;
    const outcomes = [
      outcomeOf(alice.app.deleteSession(aliceSession)),
      outcomeOf(alice.app.deleteSession(aliceSession)),
    ];
    const closing = outcomeOf(alice.app.close());
    await pass(1500);
    expect(outcomes.map(({ isSettled }) => isSettled)).toEqual([false, false]);
    node.drops = () => false;
    await pass(1000);
    expect(outcomes.map(({ isSettled, error }) => [isSettled, error])).toEqual([
      [true, undefined],
      [true, undefined],
    ]);
    expect(bobSession.closeReason).toBe('closed');
    await within(2000, alice.app.close());
    expect(closing.isSettled).toBe(true);
    await within(100, alice.app.deleteSession(aliceSession));
  });

  test('while the link is down it waits for its budget and no longer', async () => {
    const node = new MemoryNode();
    const { alice, aliceSession } = await pair(node);
    node.refusal = new Error('down');
    alice.stream.connection.cut();
    await settle();
    const outcome = outcomeOf(alice.app.deleteSession(aliceSession));
    await pass(5001);
    expect(outcome).toMatchObject({ isSettled: true, count: 1 });
    expect(outcome.error).toBeUndefined();
  });
});

describe('close', () => {
  test('leaves every session, takes the names back, ends the stream, leaves no timer', async () => {
    const node = new MemoryNode();
    const { alice, bob, aliceSession, bobSession } = await pair(node);
    aliceSession.publish('x');
    await within(6000, Promise.all([alice.app.close(), alice.app.close()]));
    expect([aliceSession.closeReason, bobSession.closeReason]).toEqual(['closed', 'closed']);
    expect(alice.stream.isOpen).toBe(false);
    await within(6000, bob.app.close());
    expect(vi.getTimerCount()).toBe(0);
    const states = alice.events.flatMap((event) => (event.kind === 'connection' ? [event.state.kind] : []));
    expect(states.filter((kind) => kind === 'closed')).toHaveLength(1);
  });

  test('an invitation that comes while the app closes makes no session that nobody ends', async () => {
    const node = new MemoryNode();
    const { alice, aliceSession } = await pair(node);
    node.drops = ({ session }) => session.messageType === MessageType.groupClose;
    const closing = outcomeOf(alice.app.close());
    await pass(1000);
    const content: PublishMessage['content'] = {
      kind: 'joinRequest',
      enableMls: false,
      timerSettings: { timeoutMs: 1000, maxRetries: 3 },
      channel: Name.parse(CHANNEL),
    };
    const token = tokenOf('agntcy/ns/mallory');
    node.send(alice.stream, fromMallory(alice.app.name, token, MessageType.joinRequest, content));
    await pass(6000);
    expect(closing.isSettled).toBe(true);
    expect(aliceSession.closeReason).toBe('closed');
    expect(alice.stream.messages('joinReply')).toEqual([]);
    node.drops = () => false;
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
  });
});

test('setRoute does nothing, but checks the name', async () => {
  const { app, stream } = await connect(new MemoryNode(), 'agntcy/ns/alice');
  app.setRoute('agntcy/ns/bob');
  app.setRoute(Name.parse('agntcy/ns/bob'));
  expect(() => {
    app.setRoute('bob');
  }).toThrow('Name must be');
  await settle();
  expect(stream.trace).toEqual(['subscribe agntcy/ns/alice']);
});
