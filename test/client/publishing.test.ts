import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { CompletionHandle, Name, Session, SessionEvent } from '../../src/client/index.js';
import { loadOpenMls } from '../../src/mls/index.js';
import { MessageType } from '../../src/wire/index.js';
import { CHANNEL, connect, eventsOf, MemoryNode, outcomeOf, pair, pass, settle, within } from './support.js';

/** Own messages that may wait before writers are held up. */
const WRITABLE = 256;

beforeEach(async () => {
  // Read with real time; from then on it is there at once.
  await loadOpenMls();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A group of one, with MLS or without. */
async function alone(mls = false): Promise<Session> {
  const { app } = await connect(new MemoryNode(), 'agntcy/ns/alice');
  return app.createSession({ channel: CHANNEL, mls });
}

/** A moderator and two members. */
async function trio(mls = false) {
  const node = new MemoryNode();
  const alice = await connect(node, 'agntcy/ns/alice');
  const session = await alice.app.createSession({ channel: CHANNEL, timeoutMs: 1000, maxRetries: 2, mls });
  const members: { name: Name; session: Session; texts: (string | undefined)[] }[] = [];
  for (const name of ['bob', 'carol']) {
    const member = await connect(node, `agntcy/ns/${name}`, { messageDelivery: 'events' });
    const joined = member.app.listenForSession();
    await within(5000, session.invite(`agntcy/ns/${name}`));
    const own = await within(1000, joined);
    const texts: (string | undefined)[] = [];
    own.onEvent((event) => {
      if (event.kind === 'message') texts.push(event.message.text);
    });
    members.push({ name: member.app.name, session: own, texts });
  }
  const [bob, carol] = members;
  if (bob === undefined || carol === undefined) throw new Error('nobody joined');
  return { node, session, bob, carol };
}

function deliveriesOf(events: readonly SessionEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'delivery' ? [`${event.ref ?? '-'} ${event.state}`] : []));
}

function codes(handles: readonly CompletionHandle[]): Set<string | undefined> {
  return new Set(handles.map(({ error }) => error?.code));
}

test('what a message is called by its publisher comes back with each report of it', async () => {
  const { aliceSession } = await pair(new MemoryNode());
  const events = eventsOf(aliceSession);
  const handle = aliceSession.publish('x', { ref: 'mine' });
  aliceSession.publish('y');
  await settle();
  expect(deliveriesOf(events)).toEqual(['mine sent', '- sent', 'mine acked', '- acked']);
  expect(handle.ref).toBe('mine');
});

describe('a message that is taken back', () => {
  test('while nobody is there: it fails, and who joins gets the others only', async () => {
    const node = new MemoryNode();
    const alice = await connect(node, 'agntcy/ns/alice');
    const bob = await connect(node, 'agntcy/ns/bob');
    const session = await alice.app.createSession({ channel: CHANNEL });
    const events = eventsOf(session);
    const handles = ['one', 'two', 'three'].map((text) => session.publish(text, { ref: text }));
    session.cancel(handles[1]!);
    session.cancel(handles[1]!);
    await expect(handles[1]).rejects.toMatchObject({ code: 'cancelled' });
    const joined = bob.app.listenForSession();
    await within(1000, session.invite('agntcy/ns/bob'));
    const other = await within(1000, joined);
    expect([(await other.getMessage()).text, (await other.getMessage()).text]).toEqual(['one', 'three']);
    await settle();
    expect(deliveriesOf(events).filter((line) => line.startsWith('two'))).toEqual(['two queued', 'two failed']);
  });

  test('once it was sent, is settled, or of another session: nothing happens', async () => {
    const { aliceSession, bobSession } = await pair(new MemoryNode());
    const handle = aliceSession.publish('x');
    aliceSession.cancel(handle);
    await settle();
    expect(handle.state).toBe('acked');
    aliceSession.cancel(handle);
    const lonely = await alone();
    const queued = lonely.publish('y');
    bobSession.cancel(queued);
    await settle();
    expect(queued.state).toBe('queued');
  });

  test.each([false, true])('all of a full queue can be (MLS: %s), and then there is room again', async (mls) => {
    const session = await alone(mls);
    const handles = Array.from({ length: 16_384 }, () => session.publish('x'));
    const refused = session.publish('over');
    expect(refused.error).toMatchObject({ code: 'queue-full' });
    for (const handle of handles) session.cancel(handle);
    await settle();
    expect(codes(handles)).toEqual(new Set(['cancelled']));
    const next = session.publish('x');
    await settle();
    expect(next.error).toBeUndefined();
  });
});

describe('who publishes too fast is held up', () => {
  test.each([false, true])('while nobody else is in the group (MLS: %s)', async (mls) => {
    const session = await alone(mls);
    for (let count = 0; count < WRITABLE; count += 1) {
      expect(session.isWritable).toBe(true);
      session.publish('x');
    }
    expect(session.isWritable).toBe(false);
    const writable = outcomeOf(session.writable());
    await pass(10_000);
    expect(writable.isSettled).toBe(false);
  });

  test('while the link is down', async () => {
    const node = new MemoryNode();
    const { aliceSession, alice } = await pair(node);
    node.refusal = new Error('not now');
    alice.stream.connection.cut();
    await settle();
    for (let count = 0; count < WRITABLE; count += 1) aliceSession.publish('x');
    expect(aliceSession.isWritable).toBe(false);
    node.refusal = undefined;
    await within(20_000, aliceSession.writable());
    expect(aliceSession.isWritable).toBe(true);
  });

  test('by bytes, too', async () => {
    const session = await alone();
    session.publish(new Uint8Array(4 * 1000 * 1000));
    session.publish(new Uint8Array(4 * 1000 * 1000));
    expect(session.isWritable).toBe(true);
    session.publish(new Uint8Array(1000 * 1000));
    expect(session.isWritable).toBe(false);
  });

  test('with MLS, where each message costs time, before the event loop has had one turn', async () => {
    const { session } = await trio(true);
    let published = 0;
    const writing = (async () => {
      for (; published < 2000; published += 1) {
        await session.writable();
        session.publish('x');
      }
    })();
    // Promises alone get it no further than this.
    for (let turns = 0; turns < 20_000; turns += 1) await Promise.resolve();
    expect(published).toBeGreaterThan(100);
    expect(published).toBeLessThan(1000);
    await within(60_000, writing);
    expect(published).toBe(2000);
    await pass(1000);
  });

  test.each([false, true])('a taken back message lets a writer go on (MLS: %s)', async (mls) => {
    const session = await alone(mls);
    const handles = Array.from({ length: WRITABLE }, () => session.publish('x'));
    const writable = outcomeOf(session.writable());
    await settle();
    expect(writable.isSettled).toBe(false);
    session.cancel(handles[7]!);
    await settle();
    expect(writable.isSettled).toBe(true);
  });

  test('seventeen thousand writers at once that wait for their turn are all served', async () => {
    const { aliceSession } = await pair(new MemoryNode(), { messageDelivery: 'events' });
    vi.useRealTimers();
    const handles: CompletionHandle[] = [];
    const writers = Array.from({ length: 17_000 }, async () => {
      await aliceSession.writable();
      handles.push(aliceSession.publish('x'));
    });
    await Promise.all(writers);
    await Promise.all(handles);
    expect(handles).toHaveLength(17_000);
  });

  test('sixty writers at once with the largest payloads find room', async () => {
    const session = await alone();
    const payload = new Uint8Array(4 * 1000 * 1000);
    const handles: CompletionHandle[] = [];
    for (let count = 0; count < 60; count += 1) {
      outcomeOf(session.writable().then(() => handles.push(session.publish(payload))));
    }
    await pass(100);
    expect(codes(handles)).toEqual(new Set([undefined]));
    expect(handles.length).toBeLessThan(20);
  });

  test('those who wait and do not publish do not keep the others waiting', async () => {
    const { aliceSession } = await pair(new MemoryNode());
    await within(1000, Promise.all(Array.from({ length: 1000 }, () => aliceSession.writable())));
    expect(aliceSession.isWritable).toBe(true);
  });

  test.each([false, true])('who never waits gets queue-full beyond 16 384, not more memory (MLS: %s)', async (mls) => {
    const { session } = await trio(mls);
    const handles = Array.from({ length: 20_000 }, () => session.publish('x'));
    const refused = handles.filter(({ error }) => error?.code === 'queue-full');
    expect(refused.length).toBeGreaterThan(20_000 - 16_384 - 600);
    expect(refused.length).toBeLessThanOrEqual(20_000 - 16_384);
    expect(handles.indexOf(refused[0]!)).toBe(20_000 - refused.length);
    for (const handle of handles) session.cancel(handle);
    await pass(5000);
    expect(new Set(handles.map(({ state }) => state))).toEqual(new Set(['acked', 'failed']));
  });

  test('who never waits gets queue-full beyond 64 MiB', async () => {
    const session = await alone();
    const payload = new Uint8Array(4 * 1000 * 1000);
    const handles = Array.from({ length: 20 }, () => session.publish(payload));
    expect(handles.filter(({ error }) => error !== undefined)).toHaveLength(4);
    expect(codes(handles)).toEqual(new Set([undefined, 'queue-full']));
  });
});

describe('a message that failed for a member and is sent again', () => {
  test.each([false, true])('who missed it gets it once, who has it not again (MLS: %s)', async (mls) => {
    const { node, session, bob, carol } = await trio(mls);
    const stream = node.streams[2]!;
    stream.isDeaf = true;
    const handle = session.publish('x');
    await pass(4000);
    expect(handle.state).toBe('failed');
    expect(handle.missing.map(String)).toEqual([String(carol.name)]);
    stream.isDeaf = false;
    const again = { messageId: handle.messageId!, missing: handle.missing };
    const retry = session.publish('x', { again });
    await within(2000, Promise.resolve(retry));
    expect(retry.messageId).toBe(handle.messageId);
    await within(2000, Promise.resolve(session.publish('y')));
    expect(bob.texts).toEqual(['x', 'y']);
    expect(carol.texts).toEqual(['x', 'y']);
  });

  test.each([false, true])('who had been told that it is lost gets it late (MLS: %s)', async (mls) => {
    const { node, session, carol } = await trio(mls);
    const events = eventsOf(carol.session);
    const stream = node.streams[2]!;
    await within(1000, Promise.resolve(session.publish('w')));
    stream.isDeaf = true;
    const handle = session.publish('x');
    await pass(4000);
    stream.isDeaf = false;
    // Nor is it to be had when carol asks for it.
    node.drops = ({ session: { messageId, messageType } }) =>
      messageId === handle.messageId && (messageType === MessageType.rtxReply || messageType === MessageType.msg);
    await within(10_000, Promise.resolve(session.publish('y')));
    await pass(4000);
    expect(events.filter(({ kind }) => kind === 'lost')).toHaveLength(1);
    expect(carol.texts).toEqual(['w', 'y']);
    node.drops = () => false;
    const again = { messageId: handle.messageId!, missing: handle.missing };
    await within(2000, Promise.resolve(session.publish('x', { again })));
    expect(carol.texts).toEqual(['w', 'y', 'x']);
  });

  test.each([false, true])(
    'who was stopped and finds the first copy when it goes on has it once (MLS: %s)',
    async (mls) => {
      const { node, session, bob, carol } = await trio(mls);
      const stream = node.streams[2]!;
      stream.freeze();
      const handle = session.publish('x');
      await pass(4000);
      expect(handle.state).toBe('failed');
      stream.thaw();
      const again = { messageId: handle.messageId!, missing: handle.missing };
      await within(2000, Promise.resolve(session.publish('x', { again })));
      await within(2000, Promise.resolve(session.publish('y')));
      expect(bob.texts).toEqual(['x', 'y']);
      expect(carol.texts).toEqual(['x', 'y']);
    },
  );

  test('with MLS it is encrypted anew, in the epoch of now', async () => {
    const { node, session, bob, carol } = await trio(true);
    node.streams[2]!.isDeaf = true;
    const handle = session.publish('x');
    await pass(4000);
    node.streams[2]!.isDeaf = false;
    await within(5000, session.remove(bob.name));
    const again = { messageId: handle.messageId!, missing: handle.missing };
    await within(2000, Promise.resolve(session.publish('x', { again })));
    const copies = node.streams[0]!.messages('msg').map(({ content }) => content);
    expect(copies[0]).not.toEqual(copies.at(-1));
    expect(carol.texts).toEqual(['x']);
  });

  test('who has left is not waited for; with nobody left it fails', async () => {
    const { node, session, carol } = await trio();
    node.streams[2]!.isDeaf = true;
    const handle = session.publish('x');
    await pass(4000);
    node.streams[2]!.isDeaf = false;
    await within(5000, session.remove(carol.name));
    const again = { messageId: handle.messageId!, missing: handle.missing };
    await expect(session.publish('x', { again })).rejects.toMatchObject({ code: 'participant-not-found' });
  });
});
