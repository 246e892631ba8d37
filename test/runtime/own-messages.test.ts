import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { type Chat, moderator, participant, text } from './chat-rig.js';
import { ALICE, BOB, CAROL } from './fake-app.js';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-23T12:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A moderator whose message has reached Bob, and failed for Carol. */
async function withFailure(): Promise<Chat> {
  const chat = await moderator();
  chat.session.join(BOB);
  chat.session.join(CAROL);
  await chat.do(text('a', 'the build?'));
  chat.session.ack(BOB);
  chat.session.giveUp();
  return chat;
}

describe('messages', () => {
  test('are held until somebody is there, and sent in order', async () => {
    const chat = await moderator();
    await chat.do(text('a', 'one'), text('b', 'two'));
    expect(chat.of('delivery')).toMatchObject([
      { ref: 'a', session: 7, id: null, state: 'queued', acked: [], missing: [] },
      { ref: 'b', session: 7, id: null, state: 'queued' },
    ]);
    expect(chat.session.handles).toEqual([]);
    chat.session.join(BOB);
    await chat.settle();
    expect(chat.session.handles.map(({ payload }) => payload)).toEqual(['one', 'two']);
    chat.session.ackAll();
    expect(chat.of('delivery').slice(2)).toMatchObject([
      { ref: 'a', id: 1, state: 'sent', missing: [BOB.toString()] },
      { ref: 'b', id: 2, state: 'sent' },
      { ref: 'a', id: 1, state: 'acked', acked: [BOB.toString()], missing: [] },
      { ref: 'b', id: 2, state: 'acked' },
    ]);
  });

  test('that are held can be given up', async () => {
    const chat = await moderator();
    await chat.do(text('a'), { type: 'drop' });
    expect(chat.of('delivery').at(-1)).toMatchObject({ ref: 'a', state: 'failed', reason: 'dropped', missing: [] });
    chat.session.join(BOB);
    await chat.settle();
    expect(chat.session.handles).toEqual([]);
    await chat.do({ type: 'exit' });
    expect(await chat.runtime.done).toBe(0);
  });

  test('carry bytes, payload type, metadata and a single recipient', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    const bytes = Uint8Array.of(0xff, 0);
    await chat.do({ type: 'publish', bytes, payloadType: 'x', metadata: { k: 'v' }, to: BOB.toString() });
    expect(chat.session.handles).toMatchObject([
      { payload: bytes, options: { payloadType: 'x', metadata: { k: 'v' } }, to: BOB },
    ]);
    expect(chat.of('delivery')[0]).not.toHaveProperty('ref');
  });

  test('report each acknowledgement', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    chat.session.join(CAROL);
    await chat.do(text('a'));
    chat.session.ack(BOB);
    chat.session.giveUp();
    expect(
      chat.of('delivery').map(({ state, acked, missing, reason }) => [state, acked.length, missing.length, reason]),
    ).toEqual([
      ['sent', 0, 2, undefined],
      ['sent', 1, 1, undefined],
      ['failed', 1, 1, 'unacked'],
    ]);
    await chat.do({ type: 'who', ref: 'w' }, { type: 'status' });
    expect(chat.of('who')[0]).toMatchObject({
      ref: 'w',
      session: 7,
      members: [
        { name: ALICE.toString(), role: 'moderator', presence: 'you', unacked: 0 },
        { name: BOB.toString(), role: 'participant', presence: 'online', unacked: 0 },
        { name: CAROL.toString(), role: 'participant', presence: 'silent', unacked: 1 },
      ],
    });
    expect(chat.of('status')[0]?.status).toMatchObject({
      undelivered: 1,
      members: 3,
      session: 7,
      role: 'moderator',
      connection: 'up',
    });
  });

  test('wait for who makes them while the session does not take more, and go on when it does', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    chat.session.block();
    for (let i = 0; i < 300; i += 1) chat.runtime.execute(text(`m${String(i)}`));
    let isWritable = false;
    const writable = chat.runtime.writable().then(() => {
      isWritable = true;
    });
    await chat.settle();
    expect(chat.session.handles).toHaveLength(0);
    expect(isWritable).toBe(false);
    chat.session.unblock();
    await writable;
    expect(chat.session.handles.map(({ messageId }) => messageId)).toEqual(
      Array.from({ length: 300 }, (_, i) => i + 1),
    );
  });

  test('wait for who makes them while somebody is invited, and are not lost', async () => {
    const chat = await moderator({ invites: [BOB.withoutId()] });
    let made = 0;
    const making = (async () => {
      for (; made < 1000; made += 1) {
        chat.runtime.execute(text(`m${String(made)}`));
        await chat.runtime.writable();
      }
    })();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(made).toBeLessThan(300);
    chat.session.join(BOB);
    await making;
    expect(chat.session.handles).toHaveLength(1000);
    expect(chat.of('error')).toEqual([]);
  });

  test('for the first group are no more than fit, in number and in size', async () => {
    for (const [length, most] of [
      [1, 300],
      [1_000_000, 12],
    ] as const) {
      const chat = await participant({ holdsMessages: true });
      let made = 0;
      const making = (async () => {
        for (; made < 400; made += 1) {
          chat.runtime.execute(text(`m${made}`, 'x'.repeat(length)));
          await chat.runtime.writable();
        }
      })();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(made).toBeLessThan(most);
      const session = chat.app.invited([ALICE, BOB]);
      await making;
      expect(session.handles).toHaveLength(400);
    }
  });

  test('hold nobody up where nobody is and nobody is invited: only a command could change that', async () => {
    const chat = await moderator();
    for (let i = 0; i < 300; i += 1) chat.runtime.execute(text(`m${String(i)}`));
    await chat.runtime.writable();
    await chat.do({ type: 'invite', name: 'agntcy/ns/bob' });
    chat.session.join(BOB);
    expect(chat.session.handles).toHaveLength(300);
  });

  test('that the session refuses are errors with their ref, and undelivered', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    await chat.do(text('a', 'x'.repeat(5_000_000)));
    expect(chat.events.slice(-2)).toMatchObject([
      { type: 'error', code: 'invalid-payload', ref: 'a' },
      { type: 'delivery', ref: 'a', state: 'failed', reason: 'refused', code: 'invalid-payload' },
    ]);
    await chat.do({ type: 'exit' });
    expect(await chat.runtime.done).toBe(6);
  });

  test('fail with the session', async () => {
    const chat = await participant();
    const session = chat.app.invited([ALICE, BOB]);
    await chat.do(text('a'));
    session.block();
    await chat.do(text('b'));
    session.end('removed');
    await chat.settle();
    expect(chat.of('delivery').slice(-2)).toMatchObject([
      { ref: 'a', state: 'failed', reason: 'closed', missing: [ALICE.toString()] },
      { ref: 'b', state: 'failed', reason: 'closed', id: null },
    ]);
  });

  test('that failed go again to those who miss them only, under the number that they had', async () => {
    const chat = await withFailure();
    await chat.do({ type: 'retry' });
    expect(chat.session.handles).toMatchObject([
      { payload: 'the build?', options: { again: { messageId: 1, missing: [CAROL] } } },
    ]);
    chat.session.ackAll();
    await chat.do({ type: 'exit' });
    expect(await chat.runtime.done).toBe(0);
  });

  test('that failed go to nobody else, however often they are sent again, when who misses them is gone', async () => {
    const chat = await withFailure();
    chat.session.leave(CAROL, 'removed');
    await chat.do({ type: 'retry' });
    await chat.do({ type: 'retry' });
    expect(chat.session.handles).toEqual([]);
    expect(chat.store.getState().failed).toMatchObject([{ id: 1, missing: [CAROL.toString()] }]);
    const told = chat.store.getState().lines.toArray().slice(-2);
    const gone = 'not delivered: "the build?"; no longer in the group: carol';
    expect(told.map((line) => line.text)).toEqual([gone, gone]);
  });

  test('that failed go again to their own group, or nowhere', async () => {
    const chat = await participant();
    const first = chat.app.invited([ALICE, BOB], 7);
    const second = chat.app.invited([CAROL, BOB], 8);
    await chat.do(text('a', 'for alice'));
    first.giveUp();
    await chat.do({ type: 'switch', session: 8 }, { type: 'retry' });
    expect(first.handles).toHaveLength(1);
    expect(second.handles).toEqual([]);
    first.giveUp();
    first.end('closed');
    await chat.do({ type: 'retry' });
    expect(second.handles).toEqual([]);
    expect(chat.store.getState().failed).toMatchObject([{ content: { payload: 'for alice' }, session: 7 }]);
  });

  test('without a group are an error, and undelivered', async () => {
    const chat = await participant();
    await chat.do(text('a'));
    expect(chat.events.slice(-2)).toMatchObject([
      { type: 'error', code: 'not-in-group', ref: 'a' },
      { type: 'delivery', ref: 'a', session: null, state: 'failed', reason: 'refused' },
    ]);
    await chat.do({ type: 'exit' });
    expect(await chat.runtime.done).toBe(6);
  });

  test('typed while the link is down, and given up by leaving, are told with their text', async () => {
    const chat = await moderator({ isStrict: false });
    chat.session.join(BOB);
    chat.session.block();
    await chat.do(text('a', 'do not lose this'), { type: 'exit' });
    await chat.runtime.done;
    expect(chat.of('delivery').at(-1)).toMatchObject({ ref: 'a', state: 'failed', reason: 'closed' });
    const lines = chat.store.getState().lines.toArray();
    expect(lines.map((line) => line.text)).toContain('not sent: "do not lose this"');
    expect(chat.store.getState().failed).toMatchObject([{ content: { payload: 'do not lose this' } }]);
  });
});

describe('output that nobody takes', () => {
  test('leaves messages to their senders, and commands unread, until somebody does', async () => {
    const chat = await participant();
    const session = chat.app.invited([ALICE, BOB]);
    chat.runtime.setOutputBlocked(true);
    expect(session.isReceiving).toBe(false);
    let isWritable = false;
    const writable = chat.runtime.writable().then(() => {
      isWritable = true;
    });
    await chat.settle();
    expect(isWritable).toBe(false);
    expect(chat.app.invited([CAROL, BOB], 8).isReceiving).toBe(false);
    chat.runtime.setOutputBlocked(false);
    await writable;
    expect(chat.app.sessions.map(({ isReceiving }) => isReceiving)).toEqual([true, true]);
  });
});
