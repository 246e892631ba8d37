import { setImmediate } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { DeliveryError, MAX_PAYLOAD_BYTES, type ReceivedMessage, type SessionEvent } from '../../src/client/index.js';
import { MessageType } from '../../src/wire/index.js';
import {
  CHANNEL,
  connect,
  eventsOf,
  MemoryNode,
  outcomeOf,
  pair,
  pass,
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

/** Loses payloads until it is told otherwise. */
function losePayloads(node: MemoryNode): void {
  node.drops = ({ session }) => session.messageType === MessageType.msg;
}

function deliveries(events: readonly SessionEvent[]): string[] {
  return events.flatMap((event) =>
    event.kind === 'delivery' ? [`${event.state} ${String(event.acked.length)}/${String(event.missing.length)}`] : [],
  );
}

describe('publish', () => {
  test('text and bytes arrive as they were, with payload type and metadata', async () => {
    const { aliceSession, bobSession, alice } = await pair(new MemoryNode());
    await within(100, Promise.resolve(aliceSession.publish('grüße 💬')));
    await within(
      100,
      Promise.resolve(aliceSession.publish(Uint8Array.of(0xff, 0), { payloadType: 'raw', metadata: { k: 'v' } })),
    );
    const text = await within(100, bobSession.getMessage());
    expect(text).toMatchObject({
      source: alice.app.name,
      messageId: 1,
      payloadType: 'msg',
      text: 'grüße 💬',
      metadata: {},
      encrypted: false,
      identity: expect.stringContaining('alice') as string,
    });
    expect(text.destination.toString()).toBe(CHANNEL);
    const bytes = await within(100, bobSession.getMessage());
    expect(bytes).toMatchObject({
      payloadType: 'raw',
      payload: Uint8Array.of(0xff, 0),
      text: undefined,
      metadata: { k: 'v' },
    });
  });

  test('copies its buffer and its metadata: a retransmission is what was published', async () => {
    const node = new MemoryNode();
    const { aliceSession, bobSession } = await pair(node);
    losePayloads(node);
    const buffer = Uint8Array.of(1, 2, 3);
    const metadata: Record<string, string> = { k: 'v' };
    aliceSession.publish(buffer, { metadata });
    buffer.fill(9);
    metadata['k'] = 'w';
    await settle();
    node.drops = () => false;
    const message = await within(1500, bobSession.getMessage());
    expect(message.payload).toEqual(Uint8Array.of(1, 2, 3));
    expect(message.metadata).toEqual({ k: 'v' });
  });

  test.each(['IS_MODERATOR', 'DELETE_GROUP', 'PUBLISH_TO', 'DISCONNECTION_DETECTED', 'LEAVING_SESSION'])(
    'metadata key %s is refused',
    async (key) => {
      const { aliceSession, alice } = await pair(new MemoryNode());
      expect(() => aliceSession.publish('x', { metadata: { [key]: 'anything' } })).toThrow(
        expect.objectContaining({ code: 'invalid-payload' }) as Error,
      );
      await settle();
      expect(alice.stream.messages('msg')).toEqual([]);
    },
  );

  test('the largest payload goes, one byte more is refused; metadata counts', async () => {
    const { aliceSession, bobSession } = await pair(new MemoryNode());
    const options = { payloadType: '' };
    await within(1000, Promise.resolve(aliceSession.publish(new Uint8Array(MAX_PAYLOAD_BYTES), options)));
    expect((await within(100, bobSession.getMessage())).payload).toHaveLength(MAX_PAYLOAD_BYTES);
    const refused = expect.objectContaining({ code: 'invalid-payload' }) as Error;
    expect(() => aliceSession.publish(new Uint8Array(MAX_PAYLOAD_BYTES + 1), options)).toThrow(refused);
    expect(() => aliceSession.publish('x'.repeat(MAX_PAYLOAD_BYTES + 1), options)).toThrow(refused);
    const metadata = { k: 'v'.repeat(MAX_PAYLOAD_BYTES) };
    expect(() => aliceSession.publish('', { ...options, metadata })).toThrow(refused);
  });

  test('with nobody there it is queued, and goes out when the first one has joined', async () => {
    const node = new MemoryNode();
    const alice = await connect(node, 'agntcy/ns/alice');
    const bob = await connect(node, 'agntcy/ns/bob');
    const session = await alice.app.createSession({ channel: CHANNEL });
    const handle = session.publish('early');
    expect([handle.state, handle.messageId]).toEqual(['queued', undefined]);
    const joined = bob.app.listenForSession();
    await within(1000, session.invite('agntcy/ns/bob'));
    await within(100, Promise.resolve(handle));
    expect(handle.messageId).toBe(1);
    expect((await within(100, (await within(100, joined)).getMessage())).text).toBe('early');
  });

  test('to one member only', async () => {
    const node = new MemoryNode();
    const { alice, aliceSession, bobSession } = await pair(node);
    await connect(node, 'agntcy/ns/carol');
    await within(1000, aliceSession.invite('agntcy/ns/carol'));
    const handle = bobSession.publishTo(alice.app.name, 'psst');
    await within(100, Promise.resolve(handle));
    expect(handle.acked).toEqual([alice.app.name]);
    const message = await within(100, aliceSession.getMessage());
    expect([message.text, message.destination]).toEqual(['psst', alice.app.name]);
    const stranger = outcomeOf(bobSession.publishTo('agntcy/ns/nobody/1', 'x'));
    await settle();
    expect(stranger.error).toMatchObject({ code: 'participant-not-found' });
  });
});

describe('the completion handle', () => {
  test('tells each change, and settles once for everybody who awaits it', async () => {
    const node = new MemoryNode();
    const { aliceSession, bob } = await pair(node);
    const events = eventsOf(aliceSession);
    losePayloads(node);
    const handle = aliceSession.publish('x');
    const outcomes = [outcomeOf(handle), outcomeOf(handle)];
    expect([handle.state, handle.missing]).toEqual(['sent', [bob.app.name]]);
    await pass(500);
    expect(outcomes.map(({ isSettled }) => isSettled)).toEqual([false, false]);
    node.drops = () => false;
    await pass(600);
    expect([handle.state, handle.acked, handle.missing]).toEqual(['acked', [bob.app.name], []]);
    await within(10, Promise.resolve(handle));
    await pass(10_000);
    expect(outcomes.map(({ count, error }) => [count, error])).toEqual([
      [1, undefined],
      [1, undefined],
    ]);
    expect(deliveries(events)).toEqual(['sent 0/1', 'acked 1/0']);
  });

  test('fails after R retransmissions and names who is missing, once', async () => {
    const node = new MemoryNode();
    const { aliceSession, bob } = await pair(node);
    losePayloads(node);
    const handle = aliceSession.publish('x');
    const outcome = outcomeOf(handle);
    await pass(5999);
    expect(outcome.isSettled).toBe(false);
    await pass(1);
    expect(outcome.error).toBeInstanceOf(DeliveryError);
    expect(outcome.error).toMatchObject({ code: 'not-acked', details: { messageId: 1, missing: [bob.app.name] } });
    expect(handle.error).toBe(outcome.error);
    node.drops = () => false;
    await pass(10_000);
    expect(outcome.count).toBe(1);
    expect(handle.state).toBe('failed');
  });

  test('a failure that nobody awaits is no unhandled rejection', async () => {
    const node = new MemoryNode();
    const unhandled = watchRejections();
    const { aliceSession } = await pair(node);
    losePayloads(node);
    const handle = aliceSession.publish('x');
    await pass(10_000);
    expect(handle.state).toBe('failed');
    vi.useRealTimers();
    await setImmediate();
    await setImmediate();
    expect(unhandled).toEqual([]);
    node.drops = () => false;
  });

  test('what is under way fails when the session ends, with the reason of the end', async () => {
    const node = new MemoryNode();
    const { alice, aliceSession, bobSession } = await pair(node);
    losePayloads(node);
    const outcomes = [outcomeOf(aliceSession.publish('x')), outcomeOf(bobSession.publish('y'))];
    await within(1000, alice.app.deleteSession(aliceSession));
    await settle();
    expect(outcomes.map(({ error }) => (error as { code: string }).code)).toEqual(['closed', 'closed']);
    const late = outcomeOf(aliceSession.publish('late'));
    await settle();
    expect(late.error).toMatchObject({ code: 'closed' });
    node.drops = () => false;
  });
});

describe('getMessage', () => {
  test('ends with timeout or abort, and the message that comes later is not lost', async () => {
    const { aliceSession, bobSession } = await pair(new MemoryNode());
    const late = outcomeOf(bobSession.getMessage({ timeoutMs: 100 }));
    await pass(100);
    expect(late.error).toMatchObject({ code: 'timeout' });
    const abort = new AbortController();
    const aborted = outcomeOf(bobSession.getMessage({ signal: abort.signal }));
    abort.abort();
    await settle();
    expect(aborted.error).toMatchObject({ code: 'aborted' });
    aliceSession.publish('x');
    expect(
      (
        await within(
          100,
          bobSession.getMessage({ timeoutMs: 0 }).catch(() => bobSession.getMessage()),
        )
      ).text,
    ).toBe('x');
  });

  test('what arrived before the end is given out after it; then the reason', async () => {
    const { aliceSession, bobSession } = await pair(new MemoryNode());
    await within(100, Promise.resolve(aliceSession.publish('last')));
    const waiting = await within(
      1000,
      aliceSession.remove('agntcy/ns/bob').then(() => 'removed'),
    );
    expect(waiting).toBe('removed');
    expect(bobSession.closeReason).toBe('removed');
    expect((await bobSession.getMessage()).text).toBe('last');
    await expect(bobSession.getMessage()).rejects.toMatchObject({ code: 'removed' });
  });

  test('whoever waits when the session ends gets the reason', async () => {
    const { alice, aliceSession, bobSession } = await pair(new MemoryNode());
    const waiting = outcomeOf(bobSession.getMessage());
    await within(1000, alice.app.deleteSession(aliceSession));
    await settle();
    expect(waiting.error).toMatchObject({ code: 'closed' });
  });

  test('iteration gives every message and ends with the session', async () => {
    const { alice, aliceSession, bobSession } = await pair(new MemoryNode());
    const texts: (string | undefined)[] = [];
    const iterating = outcomeOf(
      (async () => {
        for await (const message of bobSession) texts.push(message.text);
      })(),
    );
    for (const text of ['a', 'b', 'c']) aliceSession.publish(text);
    await settle();
    expect(texts).toEqual(['a', 'b', 'c']);
    await within(1000, alice.app.deleteSession(aliceSession));
    await settle();
    expect(iterating).toMatchObject({ isSettled: true });
    expect(iterating.error).toBeUndefined();
  });

  test('a lost message is an event, no error', async () => {
    const node = new MemoryNode();
    const { aliceSession, bobSession, alice } = await pair(node);
    const events = eventsOf(bobSession);
    await within(100, Promise.resolve(aliceSession.publish('1')));
    node.drops = ({ session }) => session.messageId === 2 && session.messageType !== MessageType.msgAck;
    aliceSession.publish('2');
    aliceSession.publish('3');
    await pass(7000);
    const texts: (string | undefined)[] = [];
    while (texts.length < 2) texts.push((await within(10, bobSession.getMessage())).text);
    expect(texts).toEqual(['1', '3']);
    expect(events).toContainEqual({ kind: 'lost', from: alice.app.name, messageId: 2 });
    node.drops = () => false;
  });
});

describe('messages as events', () => {
  test('come in order to every listener; getMessage is refused', async () => {
    const { aliceSession, bobSession } = await pair(new MemoryNode(), { messageDelivery: 'events' });
    const events = eventsOf(bobSession);
    for (const text of ['a', 'b']) aliceSession.publish(text);
    await settle();
    expect(events.flatMap((event) => (event.kind === 'message' ? [event.message.text] : []))).toEqual(['a', 'b']);
    await expect(bobSession.getMessage()).rejects.toMatchObject({ code: 'invalid-option' });
  });
});

describe('an application that reads too slowly', () => {
  test('messages beyond the queue are not acknowledged, and come later, all and in order', async () => {
    const node = new MemoryNode();
    const { aliceSession, bobSession } = await pair(node);
    const count = 16_384 + 100;
    const handles = [];
    for (let index = 0; index < count; index += 1) {
      handles.push(aliceSession.publish(String(index)));
      if (index % 200 === 199) await settle();
    }
    await settle();
    expect(handles.filter(({ state }) => state === 'acked')).toHaveLength(16_384);
    const received: ReceivedMessage[] = [];
    for (let index = 0; index < 5000; index += 1) received.push(await bobSession.getMessage());
    await pass(2000);
    expect(new Set(handles.map(({ state }) => state))).toEqual(new Set(['acked']));
    while (received.length < count) received.push(await bobSession.getMessage());
    expect(received.map(({ text }) => text)).toEqual(Array.from({ length: count }, (_, index) => String(index)));
  });
});

describe('an application that reads large messages too slowly', () => {
  test('beyond 64 MiB they are not acknowledged, and come later', async () => {
    const { aliceSession, bobSession } = await pair(new MemoryNode());
    const payload = new Uint8Array(4_000_000);
    const handles = Array.from({ length: 20 }, () => aliceSession.publish(payload));
    await pass(4000);
    expect(handles.filter(({ state }) => state === 'acked')).toHaveLength(17);
    for (let count = 0; count < 20; count += 1) {
      expect((await within(2000, bobSession.getMessage())).payload).toHaveLength(payload.length);
    }
    await pass(1000);
    expect(handles.filter(({ state }) => state === 'acked')).toHaveLength(20);
  });

  test('metadata counts', async () => {
    const { aliceSession, bobSession } = await pair(new MemoryNode());
    const metadata = { note: 'x'.repeat(1_000_000) };
    const handles = Array.from({ length: 50 }, () => aliceSession.publish('', { metadata }));
    await pass(4000);
    expect(handles.filter(({ state }) => state === 'acked')).toHaveLength(34);
    for (let count = 0; count < 50; count += 1) await within(2000, bobSession.getMessage());
  });
});

describe('receiving that is paused', () => {
  test('new messages are neither given out nor acknowledged; then they come, all and in order', async () => {
    const { aliceSession, bobSession } = await pair(new MemoryNode(), { messageDelivery: 'events' });
    const events = eventsOf(bobSession);
    const texts = () => events.flatMap((event) => (event.kind === 'message' ? [event.message.text] : []));
    aliceSession.publish('before');
    await settle();
    bobSession.pauseReceiving();
    const handles = ['a', 'b', 'c'].map((text) => aliceSession.publish(text));
    await pass(3500);
    expect(texts()).toEqual(['before']);
    expect(handles.map(({ state }) => state)).toEqual(['sent', 'sent', 'sent']);
    bobSession.resumeReceiving();
    await pass(1000);
    expect(texts()).toEqual(['before', 'a', 'b', 'c']);
    expect(handles.map(({ state }) => state)).toEqual(['acked', 'acked', 'acked']);
  });
});

describe('writable', () => {
  test('resolves at once while there is room, later when there is none, and rejects at the end', async () => {
    const node = new MemoryNode();
    const { alice, aliceSession } = await pair(node);
    await within(10, aliceSession.writable());
    losePayloads(node);
    for (let count = 0; count < 600; count += 1) aliceSession.publish('x');
    const waiting = outcomeOf(aliceSession.writable());
    const impatient = outcomeOf(aliceSession.writable({ timeoutMs: 100 }));
    await pass(500);
    expect(waiting.isSettled).toBe(false);
    expect(impatient.error).toMatchObject({ code: 'timeout' });
    node.drops = () => false;
    await pass(600);
    expect(waiting).toMatchObject({ isSettled: true });
    losePayloads(node);
    for (let count = 0; count < 600; count += 1) aliceSession.publish('x');
    const last = outcomeOf(aliceSession.writable());
    await within(2000, alice.app.deleteSession(aliceSession));
    await settle();
    expect(last.error).toMatchObject({ code: 'closed' });
    node.drops = () => false;
  });
});

describe('invite and remove', () => {
  test('resolve to who joined, and tell how it goes', async () => {
    const node = new MemoryNode();
    const { aliceSession, bob } = await pair(node);
    const carol = await connect(node, 'agntcy/ns/carol');
    const events = eventsOf(aliceSession);
    expect(await within(1000, aliceSession.invite('agntcy/ns/carol'))).toEqual(carol.app.name);
    await within(1000, aliceSession.remove(bob.app.name));
    const kinds = events.map((event) => ('state' in event ? `${event.kind} ${event.state}` : event.kind));
    expect(kinds).toEqual(['invite started', 'joined', 'invite joined', 'remove started', 'left', 'remove removed']);
    expect(aliceSession.members.map(String)).toEqual([aliceSession.local, carol.app.name].map(String));
  });

  test('have events that tell which call they are about', async () => {
    const node = new MemoryNode();
    const { aliceSession, bob } = await pair(node);
    await connect(node, 'agntcy/ns/carol');
    const events = eventsOf(aliceSession);
    await within(1000, aliceSession.invite('agntcy/ns/carol', { ref: 'i1', timeoutMs: 900 }));
    await within(1000, aliceSession.remove(bob.app.name, { ref: 'r1' }));
    const marks = events.flatMap((event) =>
      'ref' in event && event.kind !== 'delivery' ? [`${event.ref} ${event.state} ${event.by}`] : [],
    );
    expect(marks).toEqual(['i1 started app', 'i1 joined app', 'r1 started app', 'r1 removed app']);
  });

  test('two invitations of one name at once both resolve to who joined', async () => {
    const node = new MemoryNode();
    const { aliceSession } = await pair(node);
    const carol = await connect(node, 'agntcy/ns/carol');
    const both = Promise.all([aliceSession.invite('agntcy/ns/carol'), aliceSession.invite('agntcy/ns/carol')]);
    expect(await within(1000, both)).toEqual([carol.app.name, carol.app.name]);
  });

  test('an invitation that is under way when the session ends is told of before its last event', async () => {
    const node = new MemoryNode();
    const { alice, aliceSession } = await pair(node);
    const events = eventsOf(aliceSession);
    const nobody = outcomeOf(aliceSession.invite('agntcy/ns/nobody'));
    await within(1000, alice.app.deleteSession(aliceSession));
    expect(nobody.error).toMatchObject({ code: 'closed' });
    const kinds = events.map((event) => ('state' in event ? `${event.kind} ${event.state}` : event.kind));
    expect(kinds).toEqual(['invite started', 'invite failed', 'closed']);
    await expect(aliceSession.invite('agntcy/ns/carol')).rejects.toMatchObject({ code: 'closed' });
    expect(events).toHaveLength(3);
  });

  test('fail with their reasons', async () => {
    const { aliceSession, bobSession } = await pair(new MemoryNode());
    const nobody = outcomeOf(aliceSession.invite('agntcy/ns/nobody'));
    await expect(aliceSession.invite('agntcy/ns/bob')).rejects.toMatchObject({ code: 'already-in-group' });
    await expect(aliceSession.invite('bob')).rejects.toMatchObject({ code: 'invalid-name' });
    await expect(aliceSession.remove('agntcy/ns/carol')).rejects.toMatchObject({ code: 'participant-not-found' });
    await expect(bobSession.invite('agntcy/ns/carol')).rejects.toMatchObject({ code: 'not-moderator' });
    await expect(bobSession.remove('agntcy/ns/alice')).rejects.toMatchObject({ code: 'not-moderator' });
    await pass(6000);
    expect(nobody.error).toMatchObject({ code: 'invite-timeout' });
  });

  test('an abort stops the waiting, not the invitation; and leaves no unhandled rejection', async () => {
    const node = new MemoryNode();
    const unhandled = watchRejections();
    const { aliceSession } = await pair(node);
    const events = eventsOf(aliceSession);
    const abort = new AbortController();
    const waiting = outcomeOf(aliceSession.invite('agntcy/ns/nobody', { signal: abort.signal }));
    const never = outcomeOf(aliceSession.invite('agntcy/ns/ghost', { signal: AbortSignal.abort() }));
    abort.abort();
    await settle();
    expect(waiting.error).toMatchObject({ code: 'aborted' });
    expect(never.error).toMatchObject({ code: 'aborted' });
    await pass(6000);
    expect(events.filter((event) => event.kind === 'invite' && event.state === 'failed')).toHaveLength(2);
    vi.useRealTimers();
    await setImmediate();
    await setImmediate();
    expect(unhandled).toEqual([]);
  });
});

describe('the end', () => {
  test('is the last event, tells the reason once, and leaves the member list as it was', async () => {
    const { alice, bob, aliceSession, bobSession } = await pair(new MemoryNode());
    const events = eventsOf(bobSession);
    await within(1000, alice.app.deleteSession(aliceSession));
    await pass(60_000);
    expect(events).toEqual([{ kind: 'closed', reason: 'closed' }]);
    expect(bobSession.members.map(String).sort()).toEqual([alice.app.name, bob.app.name].map(String).sort());
  });

  test('a member that comes back to the same session goes on with its numbers (trap 12)', async () => {
    const node = new MemoryNode();
    const { bob, aliceSession, bobSession } = await pair(node);
    await within(100, Promise.resolve(bobSession.publish('one')));
    await within(1000, aliceSession.remove('agntcy/ns/bob'));
    const joined = bob.app.listenForSession();
    await within(1000, aliceSession.invite('agntcy/ns/bob'));
    const again = await within(1000, joined);
    expect(again.id).toBe(bobSession.id);
    await within(100, Promise.resolve(again.publish('two')));
    const messages = [await within(100, aliceSession.getMessage()), await within(100, aliceSession.getMessage())];
    expect(messages.map(({ text, messageId }) => [text, messageId])).toEqual([
      ['one', 1],
      ['two', 2],
    ]);
  });
});
