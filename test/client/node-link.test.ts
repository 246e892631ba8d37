import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { type AppEvent, AuthError, ConnectionError, Name, SlimApp } from '../../src/client/index.js';
import { NodeLink } from '../../src/client/node-link.js';
import { MessageType, SessionType } from '../../src/wire/index.js';
import { CHANNEL, connect, MemoryNode, outcomeOf, pair, pass, SECRET, settle, within } from './support.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function states(events: readonly AppEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'connection' ? [event.state.kind] : []));
}

const REFUSED = new ConnectionError('refused', 'nobody listens');

describe('the first connection', () => {
  test('subscribes the own full name before anything else', async () => {
    const node = new MemoryNode();
    const { app, events, stream } = await connect(node, 'agntcy/ns/alice');
    expect(stream.trace).toEqual(['subscribe agntcy/ns/alice']);
    expect(stream.frames[0]).toMatchObject({
      kind: 'subscribe',
      header: {
        source: app.name,
        destination: app.name,
        fanout: 1,
        identity: expect.stringContaining('alice') as string,
      },
    });
    expect(states(events)).toEqual(['connecting', 'up']);
  });

  test('is tried ten times, one second apart', async () => {
    const node = new MemoryNode();
    node.refusal = REFUSED;
    const events: AppEvent[] = [];
    const outcome = outcomeOf(
      SlimApp.connect({
        local: 'agntcy/ns/alice',
        slim: node.transport(),
        sharedSecret: SECRET,
        onEvent: (event) => events.push(event),
      }),
    );
    await pass(8999);
    expect(node.attempts).toBe(9);
    expect(outcome.isSettled).toBe(false);
    await pass(1);
    expect(node.attempts).toBe(10);
    expect(outcome.error).toBe(REFUSED);
    expect(states(events).slice(0, 4)).toEqual(['connecting', 'retrying', 'connecting', 'retrying']);
    expect(states(events).at(-1)).toBe('closed');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('as often as it was told, and succeeds when the node comes up', async () => {
    const node = new MemoryNode();
    node.refusal = REFUSED;
    const outcome = outcomeOf(
      connect(node, 'agntcy/ns/alice', { connectAttempts: 3 }).catch((error: unknown) => error),
    );
    await pass(1500);
    node.refusal = undefined;
    await pass(1000);
    expect(outcome.isSettled).toBe(true);
    expect(outcome.value).toHaveProperty('app');
    expect(node.attempts).toBe(3);
  });

  test('is not repeated when the credentials are refused', async () => {
    const node = new MemoryNode();
    node.refusal = new AuthError('credentials-rejected', 'no');
    const outcome = outcomeOf(SlimApp.connect({ local: 'a/b/c', slim: node.transport(), sharedSecret: SECRET }));
    await pass(60_000);
    expect(outcome.error).toBe(node.refusal);
    expect(node.attempts).toBe(1);
  });

  test('an abort ends the wait between two attempts', async () => {
    const node = new MemoryNode();
    node.refusal = REFUSED;
    const abort = new AbortController();
    const { signal } = abort;
    const outcome = outcomeOf(
      SlimApp.connect({ local: 'a/b/c', slim: node.transport(), sharedSecret: SECRET, signal }),
    );
    await pass(500);
    abort.abort();
    await settle();
    expect(outcome.error).toMatchObject({ code: 'aborted' });
    await pass(60_000);
    expect(node.attempts).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is ready as soon as the node has acknowledged the name', async () => {
    const node = new MemoryNode();
    const outcome = outcomeOf(
      SlimApp.connect({ local: 'a/b/c', slim: node.transport({ latencyMs: 30 }), sharedSecret: SECRET }),
    );
    await pass(59);
    expect(outcome.isSettled).toBe(false);
    await pass(2);
    expect(outcome.isSettled).toBe(true);
    await within(5000, outcome.value!.close());
  });

  test('waits 200 ms at most for a node that acknowledges nothing', async () => {
    const node = new MemoryNode();
    node.acknowledgesSubscriptions = false;
    const outcome = outcomeOf(SlimApp.connect({ local: 'a/b/c', slim: node.transport(), sharedSecret: SECRET }));
    await pass(199);
    expect(outcome.isSettled).toBe(false);
    await pass(1);
    expect(outcome.isSettled).toBe(true);
    await within(5000, outcome.value!.close());
  });

  test('a node that acknowledges at once is not waited for', async () => {
    const node = new MemoryNode();
    const outcome = outcomeOf(SlimApp.connect({ local: 'a/b/c', slim: node.transport(), sharedSecret: SECRET }));
    await pass(1);
    expect(outcome.isSettled).toBe(true);
    await within(5000, outcome.value!.close());
  });
});

describe('a stream that is lost', () => {
  test('is opened again, and every name is subscribed before anything else', async () => {
    const node = new MemoryNode();
    const { alice, aliceSession, bobSession } = await pair(node);
    const lost = alice.stream;
    lost.connection.cut(new ConnectionError('stream-lost', 'cut'));
    const meanwhile = aliceSession.publish('meanwhile');
    await settle();
    expect(states(alice.events).slice(-2)).toEqual(['lost', 'retrying']);
    expect(meanwhile.state).toBe('queued');
    await pass(300);
    expect(node.stream.trace.slice(0, 3)).toEqual(['subscribe agntcy/ns/alice', `subscribe ${CHANNEL}`, 'msg']);
    expect(states(alice.events).at(-1)).toBe('up');
    expect((await within(100, bobSession.getMessage())).text).toBe('meanwhile');
    await within(100, Promise.resolve(meanwhile));
  });

  test('keeps the subscription ids, so that a node that counts them counts right', async () => {
    const node = new MemoryNode();
    const { alice } = await pair(node);
    const ids = (stream: typeof alice.stream): bigint[] =>
      stream.frames.flatMap((frame) => (frame.kind === 'subscribe' ? [frame.subscriptionId] : []));
    const before = ids(alice.stream);
    alice.stream.connection.cut();
    await pass(300);
    expect(ids(node.stream)).toEqual(before);
    expect(new Set(before).size).toBe(before.length);
    expect(before).not.toContain(0n);
  });

  test('pauses grow to ten seconds, and it never gives up', async () => {
    const node = new MemoryNode();
    const { events, stream } = await connect(node, 'agntcy/ns/alice');
    node.refusal = REFUSED;
    stream.connection.cut();
    await pass(3_600_000);
    const pauses = events.flatMap((event) =>
      event.kind === 'connection' && event.state.kind === 'retrying' ? [event.state.inMs] : [],
    );
    expect(pauses.length).toBeGreaterThan(300);
    pauses.forEach((inMs, index) => {
      const longest = Math.min(10_000, 250 * 2 ** index);
      expect(inMs).toBeLessThanOrEqual(longest);
      expect(inMs).toBeGreaterThanOrEqual(0.75 * longest - 1);
    });
    node.refusal = undefined;
    await pass(10_000);
    expect(states(events).at(-1)).toBe('up');
  });

  test('credentials that are refused later are tried again: a password may be in the middle of a change', async () => {
    const node = new MemoryNode();
    const { events, stream } = await connect(node, 'agntcy/ns/alice');
    node.refusal = new AuthError('credentials-rejected', 'no');
    stream.connection.cut();
    await pass(60_000);
    node.refusal = undefined;
    await pass(10_000);
    expect(states(events).at(-1)).toBe('up');
  });

  test.each([
    new AuthError('credentials-rejected', 'no such password'),
    new ConnectionError('not-a-slim-node', 'something else is there'),
    new ConnectionError('tls', 'its certificate is not valid now'),
  ])('what only a person can mend is told, once: $code', async (refusal) => {
    const node = new MemoryNode();
    const { events, stream } = await connect(node, 'agntcy/ns/alice');
    node.refusal = refusal;
    stream.connection.cut();
    await pass(60_000);
    node.refusal = REFUSED;
    await pass(60_000);
    expect(events.filter(({ kind }) => kind === 'warning')).toEqual([
      { kind: 'warning', code: refusal.code, text: refusal.message },
    ]);
    node.refusal = undefined;
    await pass(10_000);
    expect(states(events).at(-1)).toBe('up');
  });

  test('a close in the middle of the reconnection ends it', async () => {
    const node = new MemoryNode();
    const { app, events, stream } = await connect(node, 'agntcy/ns/alice');
    node.refusal = REFUSED;
    stream.connection.cut();
    await pass(1000);
    await within(100, app.close());
    const { attempts } = node;
    await pass(60_000);
    expect(node.attempts).toBe(attempts);
    expect(states(events).at(-1)).toBe('closed');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a discovery request that comes again after the reconnection is answered again', async () => {
    const node = new MemoryNode();
    const { app, stream } = await connect(node, 'agntcy/ns/alice');
    const other = await connect(node, 'agntcy/ns/bob');
    const token = other.stream.frames[0]!.header.identity;
    const request = {
      kind: 'publish' as const,
      header: { source: other.app.name, destination: app.name.withoutId(), fanout: 1, identity: token },
      session: {
        sessionType: SessionType.multicast,
        messageType: MessageType.discoveryRequest,
        sessionId: 5,
        messageId: 6,
      },
      content: { kind: 'discoveryRequest' as const },
      metadata: {},
    };
    node.send(stream, request);
    node.send(stream, request);
    await settle();
    expect(stream.messages('discoveryReply')).toHaveLength(1);
    stream.connection.cut();
    await pass(300);
    node.send(node.stream, request);
    await settle();
    expect(node.stream.messages('discoveryReply')).toHaveLength(1);
  });
});

describe('subscriptions', () => {
  test('are counted: two sessions on one channel subscribe it once, and the last one gives it up', async () => {
    const node = new MemoryNode();
    const alice = await connect(node, 'agntcy/ns/alice');
    await connect(node, 'agntcy/ns/bob');
    const sessions = [];
    for (let count = 0; count < 2; count += 1) {
      const session = await alice.app.createSession({ channel: CHANNEL });
      await within(1000, session.invite('agntcy/ns/bob'));
      sessions.push(session);
    }
    const ofChannel = (): string[] => alice.stream.trace.filter((line) => line.endsWith(CHANNEL));
    expect(ofChannel()).toEqual([`subscribe ${CHANNEL}`]);
    await within(1000, alice.app.deleteSession(sessions[0]!));
    expect(ofChannel()).toEqual([`subscribe ${CHANNEL}`]);
    await within(1000, alice.app.deleteSession(sessions[1]!));
    expect(ofChannel()).toEqual([`subscribe ${CHANNEL}`, `unsubscribe ${CHANNEL}`]);
  });

  test('are taken back with the id they were made with, the own name last, when the app closes', async () => {
    const node = new MemoryNode();
    const { alice } = await pair(node);
    await within(6000, alice.app.close());
    expect(alice.stream.names.size).toBe(0);
    expect(alice.stream.trace.at(-1)).toBe('unsubscribe agntcy/ns/alice');
    expect(alice.stream.isOpen).toBe(false);
  });

  test('one that the node refuses is a warning with its name', async () => {
    const node = new MemoryNode();
    const { events, stream } = await connect(node, 'agntcy/ns/alice');
    const [subscription] = stream.frames;
    if (subscription?.kind !== 'subscribe') throw new Error('no subscription');
    const { subscriptionId } = subscription;
    node.send(stream, { kind: 'subscriptionAck', subscriptionId, success: false, error: 'no' });
    node.send(stream, { kind: 'subscriptionAck', subscriptionId: 1n, success: false, error: 'not ours' });
    await settle();
    const warnings = events.filter(({ kind }) => kind === 'warning');
    expect(warnings).toEqual([
      { kind: 'warning', code: 'subscription-refused', text: expect.stringContaining('agntcy/ns/alice') as string },
    ]);
  });
});

describe('frames that make no sense', () => {
  test('are dropped with a warning; what a newer node may send is dropped without one', async () => {
    const node = new MemoryNode();
    const { events, stream } = await connect(node, 'agntcy/ns/alice');
    stream.connection.send(Uint8Array.of(0xff, 0xff, 0xff));
    stream.connection.send(Uint8Array.of(0x1a, 0x04, 0x0a, 0x00, 0x12, 0x00));
    node.send(stream, {
      kind: 'link',
      linkId: '6ba7b810-9dad-4d11-80b4-00c04fd430c8',
      slimVersion: '1.4.0',
      isReply: false,
    });
    stream.connection.send(Uint8Array.of(0x7a, 0x00));
    stream.connection.send(new Uint8Array(0));
    await settle();
    const warnings = events.flatMap((event) => (event.kind === 'warning' ? [event.code] : []));
    expect(warnings).toEqual(['protocol-violation', 'protocol-violation']);
    expect(stream.isOpen).toBe(true);
  });
});

describe('a node that takes messages slowly', () => {
  test('messages wait in order, subscriptions among them', async () => {
    const node = new MemoryNode();
    const transport = node.transport({ highWaterFrames: 4 });
    const { aliceSession, alice } = await pair(node, { slim: transport });
    alice.stream.connection.pauseReading();
    const before = alice.stream.frames.length;
    const handles = Array.from({ length: 100 }, (_, index) => aliceSession.publish(`m${String(index)}`));
    const second = await alice.app.createSession({ channel: 'agntcy/ns/other' });
    const inviting = outcomeOf(second.invite('agntcy/ns/bob'));
    await settle();
    expect(alice.stream.frames.length).toBe(before);
    alice.stream.connection.resumeReading();
    await pass(10);
    const came = alice.stream.frames.slice(before);
    expect(
      came.flatMap((frame) =>
        frame.kind === 'publish' && frame.session.messageType === MessageType.msg ? [frame.session.messageId] : [],
      ),
    ).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    await pass(100);
    expect(inviting.isSettled).toBe(true);
    expect(new Set(handles.map(({ state }) => state))).toEqual(new Set(['acked']));
  });

  test('what waited for a stream that is lost is not sent twice on the next one', async () => {
    const node = new MemoryNode();
    const { aliceSession, alice, bobSession } = await pair(node, { slim: node.transport({ highWaterFrames: 4 }) });
    alice.stream.connection.pauseReading();
    const handles = Array.from({ length: 20 }, (_, index) => aliceSession.publish(`m${String(index)}`));
    await settle();
    alice.stream.connection.cut();
    await pass(5000);
    expect(new Set(handles.map(({ state }) => state))).toEqual(new Set(['acked']));
    for (let index = 0; index < 20; index += 1) {
      expect((await within(100, bobSession.getMessage())).text).toBe(`m${String(index)}`);
    }
  });
});

test('the name of an app gets an id that is not 0 and not "any", and keeps one that it has', async () => {
  const node = new MemoryNode();
  const first = await connect(node, 'agntcy/ns/alice');
  const second = await connect(node, 'agntcy/ns/alice');
  expect(first.app.name.hasId).toBe(true);
  expect(first.app.name.id).not.toBe(0n);
  expect(first.app.name.equals(second.app.name)).toBe(false);
  expect((await connect(node, 'agntcy/ns/alice/2a')).app.name.id).toBe(0x2an);
  expect((await connect(node, 'agntcy/ns/x', { local: Name.of('agntcy', 'ns', 'carol', 3n) })).app.name.id).toBe(3n);
});

/** A link that is open, and a message to send with it. */
async function openLink(node: MemoryNode) {
  const warnings: string[] = [];
  const local = Name.of('agntcy', 'ns', 'alice', 1n);
  const link = new NodeLink({
    transport: node.transport(),
    local,
    mint: () => 'token',
    connectAttempts: 1,
    onMessage: () => {},
    onState: () => {},
    onWarning: (code) => warnings.push(code),
  });
  await within(1000, link.start());
  const message = {
    source: local,
    destination: local,
    fanout: 1,
    sessionType: SessionType.multicast,
    messageType: MessageType.msg,
    sessionId: 1,
    messageId: 1,
    metadata: {},
  };
  const content = (bytes: number) => ({ kind: 'app' as const, payloadType: '', blob: new Uint8Array(bytes) });
  return { link, warnings, message, content };
}

test('a message of more than 4 MiB is not sent, but told', async () => {
  const node = new MemoryNode();
  const { link, warnings, message, content } = await openLink(node);
  link.send({ ...message, content: content(4 * 1024 * 1024) });
  link.send({ ...message, content: content(1024) });
  await settle();
  expect(warnings).toEqual(['message-too-large']);
  expect(node.stream.messages('msg')).toHaveLength(1);
  await within(2000, link.close());
});

test('trap 15: error is written when it is true, and is not there at all otherwise', async () => {
  const node = new MemoryNode();
  const { link, message, content } = await openLink(node);
  link.send({ ...message, content: content(0), error: true });
  link.send({ ...message, content: content(0) });
  await settle();
  const [negative, positive] = node.stream.messages('msg');
  expect(negative?.header.error).toBe(true);
  expect(positive?.header).not.toHaveProperty('error');
  await within(2000, link.close());
});
