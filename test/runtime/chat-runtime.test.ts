import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { ChatCommand } from '../../src/chat/index.js';
import { ConnectionError, SessionError } from '../../src/util/index.js';
import { Chat, moderator, participant, text } from './chat-rig.js';
import { ALICE, BOB, CAROL, CHANNEL, FakeApp } from './fake-app.js';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-23T12:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a moderator', () => {
  test('is ready, makes the group, and invites everybody at once', async () => {
    const chat = await moderator({ invites: [BOB.withoutId(), CAROL.withoutId()], timeoutMs: 500, maxRetries: 3 });
    expect(chat.events).toEqual([
      expect.objectContaining({ type: 'connection', state: 'connecting', attempt: 1 }),
      expect.objectContaining({ type: 'connection', state: 'up' }),
      {
        at: '2026-11-23T12:00:00.000Z',
        type: 'ready',
        local: ALICE.toString(),
        node: { endpoint: 'http://127.0.0.1:46357', embedded: false },
        role: 'moderator',
        channel: 'agntcy/ns/chat-7q2k',
        version: '0.1.0',
      },
      {
        at: '2026-11-23T12:00:00.000Z',
        type: 'session',
        session: 7,
        channel: 'agntcy/ns/chat-7q2k',
        moderator: ALICE.toString(),
        members: [ALICE.toString()],
        role: 'moderator',
        mls: { state: 'off' },
        timeoutMs: 500,
        maxRetries: 3,
        metadata: {},
      },
      expect.objectContaining({ type: 'invite', name: 'agntcy/ns/bob', state: 'started' }),
      expect.objectContaining({ type: 'invite', name: 'agntcy/ns/carol', state: 'started' }),
    ]);
    expect(chat.session.invites.map(String)).toEqual(['agntcy/ns/bob', 'agntcy/ns/carol']);
    chat.session.join(BOB);
    await chat.settle();
    expect(chat.events.slice(6)).toMatchObject([
      { type: 'joined', session: 7, member: BOB.toString(), members: 2 },
      { type: 'invite', name: 'agntcy/ns/bob', state: 'joined' },
    ]);
  });

  test('invites again who did not answer, only after the attempt has ended, until the name has joined', async () => {
    const chat = await moderator({ invites: [BOB.withoutId()] });
    const timeout = (): SessionError => new SessionError('invite-timeout', 'no answer');
    chat.session.refuse(BOB, timeout());
    await chat.settle();
    expect(chat.of('invite').at(-1)).toMatchObject({ state: 'failed', code: 'invite-timeout', retryInMs: 1000 });
    expect(chat.session.invites).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(chat.session.invites).toHaveLength(2);
    chat.session.join(BOB);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(chat.session.invites).toHaveLength(2);
  });

  test('does not invite again who came in the pause, who refused for another reason, or when told so', async () => {
    const chat = await moderator({ invites: [BOB.withoutId(), CAROL.withoutId()] });
    chat.session.refuse(BOB, new SessionError('invite-timeout', 'no answer'));
    chat.session.refuse(CAROL, new SessionError('mls-unsupported', 'no'));
    await chat.settle();
    chat.session.join(BOB);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(chat.session.invites).toHaveLength(2);
    expect(chat.of('invite').find(({ code }) => code === 'mls-unsupported')).not.toHaveProperty('retryInMs');

    const once = await moderator({ invites: [BOB.withoutId()], waitInvites: false });
    once.session.refuse(BOB, new SessionError('invite-timeout', 'no answer'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(once.session.invites).toHaveLength(1);
    expect(once.of('invite').at(-1)).not.toHaveProperty('retryInMs');
  });

  test('invites nobody whose name has something at its ends that nobody sees, and says so', async () => {
    const chat = await moderator({});
    for (const name of ['agntcy/ns/bob\u200b', '\u00a0agntcy/ns/bob']) await chat.do({ type: 'invite', name });
    expect(chat.of('error').map(({ code }) => code)).toEqual(['invalid-name', 'invalid-name']);
    expect(chat.of('error')[0]?.message).toContain('U+200B');
    expect(chat.of('invite')).toEqual([]);
  });

  test('invites again who went offline, with growing pauses, until it is back', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    chat.session.leave(BOB, 'offline');
    await chat.settle();
    expect(chat.of('invite')).toMatchObject([{ name: 'agntcy/ns/bob', state: 'started' }]);
    const pauses: unknown[] = [];
    for (let tries = 1; tries <= 7; tries += 1) {
      expect(chat.session.invites).toHaveLength(tries);
      chat.session.refuse(BOB, new SessionError('invite-timeout', 'no answer'));
      await chat.settle();
      const { retryInMs } = chat.of('invite').at(-1) ?? {};
      pauses.push(retryInMs);
      await vi.advanceTimersByTimeAsync(retryInMs ?? 0);
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    chat.session.join(BOB.withId(99n));
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(chat.session.invites).toHaveLength(8);
  });

  test('gives up in the end who went offline and does not come back', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    chat.session.leave(BOB, 'offline');
    await chat.settle();
    while (chat.of('invite').at(-1)?.state === 'started') {
      chat.session.refuse(BOB, new SessionError('invite-timeout', 'no answer'));
      await chat.settle();
      await vi.advanceTimersByTimeAsync(30_000);
    }
    expect(chat.session.invites).toHaveLength(60);
    expect(chat.of('invite').at(-1)).not.toHaveProperty('retryInMs');
    expect(chat.store.getState().invitations).toEqual([]);
  });

  test('does not invite again who left or was removed, nor anybody when told so', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    chat.session.leave(BOB, 'left');
    chat.session.join(CAROL);
    chat.session.leave(CAROL, 'removed');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(chat.session.invites).toEqual([]);

    const once = await moderator({ waitInvites: false });
    once.session.join(BOB);
    once.session.leave(BOB, 'offline');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(once.session.invites).toEqual([]);
  });

  test('does not invite again who is removed while it is offline, and says that nobody waits for it', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    chat.session.leave(BOB, 'offline');
    await chat.settle();
    chat.session.refuse(BOB, new SessionError('invite-timeout', 'no answer'));
    await chat.settle();
    expect(chat.store.getState().invitations).toHaveLength(1);
    await chat.do({ type: 'remove', name: 'agntcy/ns/bob', ref: 'r1' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(chat.session.invites).toHaveLength(1);
    expect(chat.of('invite').at(-1)).toMatchObject({ state: 'failed', code: 'aborted' });
    expect(chat.of('remove')).toMatchObject([
      { ref: 'r1', state: 'started' },
      { ref: 'r1', state: 'removed' },
    ]);
    expect(chat.store.getState().invitations).toEqual([]);
  });

  test('does not say that an invitation was given up when somebody who came in meanwhile is removed', async () => {
    const chat = await moderator({ invites: [BOB.withoutId()] });
    chat.session.refuse(BOB, new SessionError('invite-timeout', 'no answer'));
    await chat.settle();
    await chat.do({ type: 'invite', name: 'agntcy/ns/bob' });
    chat.session.join(BOB);
    await chat.settle();
    await chat.do({ type: 'remove', name: 'agntcy/ns/bob' });
    expect(chat.of('invite').filter(({ code }) => code === 'aborted')).toEqual([]);
    chat.session.leave(BOB, 'removed');
    await chat.settle();
    expect(chat.of('remove').at(-1)).toMatchObject({ state: 'removed' });
  });

  test('does not invite again who is removed while an invitation of it is under way', async () => {
    const chat = await moderator({ invites: [BOB.withoutId()] });
    await chat.do({ type: 'remove', name: 'agntcy/ns/bob', ref: 'r1' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(chat.session.invites).toHaveLength(1);
    expect(chat.of('invite').at(-1)).toMatchObject({ state: 'failed', code: 'aborted' });
    expect(chat.of('remove').at(-1)).toMatchObject({ ref: 'r1', state: 'removed' });
    expect(chat.store.getState().invitations).toEqual([]);
  });

  test('shares the outcome of an invitation that is under way', async () => {
    const chat = await moderator({ invites: [BOB.withoutId()] });
    await chat.do({ type: 'invite', name: 'agntcy/ns/bob', ref: 'i1' });
    expect(chat.session.invites).toHaveLength(1);
    chat.session.join(BOB);
    await chat.settle();
    expect(chat.of('invite').filter(({ ref }) => ref === 'i1')).toMatchObject([
      { state: 'started' },
      { state: 'joined' },
    ]);
  });

  test('answers invitations and removals with their ref', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    await chat.do(
      { type: 'invite', name: 'agntcy/ns/bob', ref: 'i1' },
      { type: 'remove', name: 'agntcy/ns/bob', ref: 'r1' },
      { type: 'remove', name: 'agntcy/ns/carol', ref: 'r2' },
    );
    chat.session.leave(BOB, 'removed');
    await chat.settle();
    expect(chat.events.slice(5)).toMatchObject([
      { type: 'invite', ref: 'i1', state: 'started' },
      { type: 'invite', ref: 'i1', state: 'failed', code: 'already-in-group' },
      { type: 'remove', ref: 'r1', state: 'started' },
      { type: 'remove', ref: 'r2', state: 'started' },
      { type: 'remove', ref: 'r2', state: 'failed', code: 'participant-not-found' },
      { type: 'left', member: BOB.toString(), reason: 'removed' },
      { type: 'remove', ref: 'r1', state: 'removed' },
    ]);
  });

  test('passes on invitations and removals that a controller makes', async () => {
    const chat = await moderator();
    const error = new SessionError('invite-timeout', 'no');
    chat.session.emit({ kind: 'invite', name: BOB, state: 'started', by: 'controller' });
    chat.session.emit({ kind: 'invite', name: BOB, state: 'failed', error, by: 'controller' });
    chat.session.emit({ kind: 'remove', name: BOB, state: 'removed', by: 'controller' });
    expect(chat.events.slice(4)).toMatchObject([
      { type: 'invite', session: 7, name: BOB.toString(), state: 'started' },
      { type: 'invite', session: 7, state: 'failed', code: 'invite-timeout' },
      { type: 'remove', session: 7, state: 'removed' },
    ]);
  });

  test('leaves by ending: the group is over without it', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    await chat.do({ type: 'leave' });
    expect(await chat.runtime.done).toBe(0);
    expect(chat.events.slice(-2)).toMatchObject([
      { type: 'closed', reason: 'left' },
      { type: 'bye', exitCode: 0 },
    ]);
    expect(chat.app.isClosed).toBe(true);
    expect(chat.isCleanedUp).toBe(true);
  });

  test('ends with 5 when its group is closed by somebody else', async () => {
    const chat = await moderator();
    chat.session.end('closed');
    expect(await chat.runtime.done).toBe(5);
    expect(chat.summary.slice(-2)).toEqual(['closed', 'bye']);
  });
});

describe('presence', () => {
  test('is silent after five seconds without an acknowledgement, and online with the next sign of life', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    chat.session.say(BOB, 'hi');
    await vi.advanceTimersByTimeAsync(60_000);
    await chat.do(text('a'));
    await vi.advanceTimersByTimeAsync(4900);
    expect(chat.of('presence')).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(chat.of('presence')).toMatchObject([
      { session: 7, member: BOB.toString(), presence: 'silent', lastHeardAt: '2026-11-23T12:00:00.000Z' },
    ]);
    chat.session.ackAll();
    expect(chat.of('presence').at(-1)).toMatchObject({ presence: 'online' });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('counts nothing against members while the connection is down, and gives them their time when it is back', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    await chat.do(text('a'));
    await vi.advanceTimersByTimeAsync(4000);
    chat.app.emit({ kind: 'connection', state: { kind: 'lost', error: new ConnectionError('stream-lost', 'x') } });
    await vi.advanceTimersByTimeAsync(60_000);
    chat.app.emit({ kind: 'connection', state: { kind: 'up' } });
    await vi.advanceTimersByTimeAsync(4000);
    expect(chat.of('presence')).toEqual([]);
    await vi.advanceTimersByTimeAsync(3000);
    expect(chat.of('presence')).toMatchObject([{ presence: 'silent' }]);
  });

  test('does not take a member for silent that has spoken since', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    await chat.do(text('a'));
    await vi.advanceTimersByTimeAsync(3000);
    chat.session.say(BOB, 'still typing');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(chat.of('presence')).toEqual([]);
  });
});

describe('a participant', () => {
  test('waits, joins, is removed, and waits again', async () => {
    const chat = await participant();
    expect(chat.of('ready')).toMatchObject([{ role: 'participant', channel: null }]);
    const session = chat.app.invited([ALICE, BOB]);
    session.say(ALICE, 'hello');
    session.end('removed');
    expect(chat.summary.slice(3)).toEqual(['session', 'message', 'closed']);
    await chat.do(text('a'));
    expect(chat.of('error')).toMatchObject([{ code: 'not-in-group', ref: 'a' }]);
    chat.app.invited([ALICE, BOB], 8);
    await chat.do(text('b'));
    expect(chat.of('delivery').at(-1)).toMatchObject({ ref: 'b', session: 8, state: 'sent' });
    await chat.do({ type: 'exit' });
    expect(await chat.runtime.done).toBe(6);
  });

  test('reports what it gets: text, bytes, losses, members', async () => {
    const chat = await participant();
    const session = chat.app.invited([ALICE, BOB]);
    session.say(ALICE, 'hi', { metadata: { k: 'v' } });
    session.say(ALICE, undefined, { payload: Uint8Array.of(0xff, 0xfe) });
    session.emit({ kind: 'lost', from: ALICE, messageId: 4 });
    session.join(CAROL);
    session.leave(CAROL, 'offline');
    session.emit({ kind: 'warning', code: 'protocol-violation', text: 'odd' });
    expect(chat.events.slice(4)).toMatchObject([
      {
        type: 'message',
        session: 7,
        id: 1,
        from: ALICE.toString(),
        text: 'hi',
        payloadType: 'msg',
        metadata: { k: 'v' },
      },
      { type: 'message', textBase64: '//4=', encrypted: false },
      { type: 'lost', from: ALICE.toString(), id: 4 },
      { type: 'joined', member: CAROL.toString(), members: 3 },
      { type: 'left', member: CAROL.toString(), members: 2, reason: 'offline' },
      { type: 'warning', code: 'protocol-violation', message: 'odd' },
    ]);
    expect(chat.events[5]).not.toHaveProperty('text');
  });

  test('reports what protects the messages', async () => {
    const chat = await participant();
    const session = chat.app.invited([ALICE, BOB]);
    const protection = { state: 'keys-only', epoch: 2, clearPeers: [ALICE] } as const;
    session.protection = protection;
    session.emit({ kind: 'mls', protection });
    await chat.do({ type: 'status' });
    expect(chat.of('mls')).toMatchObject([
      { session: 7, state: 'keys-only', epoch: 2, clearPeers: [ALICE.toString()] },
    ]);
    expect(chat.of('status')[0]?.status.mls).toEqual({ state: 'keys-only', epoch: 2 });
  });

  test('tells with a new session who in it cannot read what is encrypted', async () => {
    const chat = await participant();
    const protection = { state: 'on', epoch: 2, clearPeers: [BOB], clearCopies: true } as const;
    chat.app.invited([ALICE, BOB], 7, CHANNEL, protection);
    const told = chat.events.slice(-2);
    expect(told.map(({ type }) => type)).toEqual(['session', 'mls']);
    expect(told[1]).toMatchObject({
      session: 7,
      state: 'on',
      epoch: 2,
      clearPeers: [BOB.toString()],
      clearCopies: true,
    });
  });

  test('warns at every start that copies in clear go out, if they are asked for', async () => {
    const chat = await participant({ givesClearCopies: true });
    expect(chat.of('warning')).toMatchObject([{ code: 'mls-clear-copies' }]);
    expect((await participant()).of('warning')).toEqual([]);
  });

  test('leaves a group and stays', async () => {
    const chat = await participant();
    chat.app.invited([ALICE, BOB]);
    await chat.do({ type: 'leave' });
    expect(chat.events.at(-1)).toMatchObject({ type: 'closed', reason: 'left' });
    await chat.do({ type: 'leave' });
    expect(chat.events.at(-1)).toMatchObject({ type: 'error', code: 'not-in-group' });
    chat.app.invited([ALICE, BOB], 8);
    expect(chat.events.at(-1)).toMatchObject({ type: 'session', session: 8 });
  });

  test('writes to the group on the screen, whatever comes beside it, unless a command names one', async () => {
    const chat = await participant();
    const first = chat.app.invited([ALICE, BOB], 7);
    const second = chat.app.invited([CAROL, BOB], 8);
    await chat.do(text('a'), { ...text('b'), session: 8 } as ChatCommand);
    expect([first.handles.length, second.handles.length]).toEqual([1, 1]);
    await chat.do({ type: 'leave', session: 9 });
    expect(chat.of('error')).toMatchObject([{ code: 'not-in-group', message: 'there is no session 9' }]);
    await chat.do({ type: 'leave', session: 7 }, text('c'));
    // The group on the screen has ended: nothing goes to the other one before somebody says so.
    expect([first.handles.length, second.handles.length]).toEqual([0, 1]);
    expect(chat.of('error').at(-1)).toMatchObject({ code: 'not-in-group', ref: 'c' });
    await chat.do({ type: 'switch', session: 8 }, text('d'));
    expect(second.handles).toHaveLength(2);
    expect(chat.active).toEqual([7, null, 8]);
  });

  test('answers a question about a session that it does not have with an error, not with an empty group', async () => {
    const chat = await participant();
    for (const group of [undefined, 7]) {
      if (group !== undefined) chat.app.invited([ALICE, BOB], group);
      await chat.do({ type: 'who', session: 9, ref: 'w' }, { type: 'status', session: 9, ref: 's' });
      expect(chat.of('error').splice(-2)).toMatchObject([
        { code: 'not-in-group', message: 'there is no session 9', ref: 'w' },
        { code: 'not-in-group', message: 'there is no session 9', ref: 's' },
      ]);
    }
    expect([...chat.of('who'), ...chat.of('status')]).toEqual([]);
    await chat.do({ type: 'who', ref: 'w' }, { type: 'status', session: 7, ref: 's' });
    expect(chat.of('who')).toMatchObject([{ session: 7, ref: 'w' }]);
    expect(chat.of('status')).toMatchObject([{ ref: 's', status: { session: 7 } }]);
  });

  test('takes a session that came before it was ready', async () => {
    const app = new FakeApp(BOB);
    const chat = new Chat({}, app, async (handlers) => {
      const connected = await app.connect(handlers);
      app.invited([ALICE, BOB]);
      return connected;
    });
    await chat.runtime.start();
    expect(chat.summary).toEqual(['connection connecting', 'connection up', 'ready', 'session']);
  });

  test('does not say that the group was closed, or that it waits, when the connection is given up for good', async () => {
    const chat = await participant();
    const session = chat.app.invited([ALICE, BOB]);
    const error = new ConnectionError('refused', 'nobody listens at x');
    chat.app.emit({ kind: 'connection', state: { kind: 'closed', error } });
    session.end('closed');
    expect(await chat.runtime.done).toBe(3);
    expect(chat.of('closed')).toMatchObject([{ reason: 'left' }]);
    expect(chat.store.getState()).toMatchObject({ waitingSinceMs: null, lostGroup: null });
  });

  test('ends when the connection is given up for good, and says why', async () => {
    const chat = await participant();
    const error = new ConnectionError('refused', 'nobody listens at x');
    chat.app.emit({ kind: 'connection', state: { kind: 'closed', error } });
    expect(await chat.runtime.done).toBe(3);
    expect(chat.of('error')).toMatchObject([
      { code: 'refused', message: 'The connection is given up: nobody listens at x' },
    ]);
  });

  test('reports the connection, and the same warning not twice in a row', async () => {
    const chat = await participant();
    const error = new SessionError('closed', 'x');
    chat.app.emit({ kind: 'connection', state: { kind: 'lost', error } });
    chat.app.emit({ kind: 'connection', state: { kind: 'retrying', attempt: 1, inMs: 250, error } });
    for (let i = 0; i < 5; i += 1) chat.app.emit({ kind: 'warning', code: 'identity-rejected', text: 'from x' });
    await vi.advanceTimersByTimeAsync(10_000);
    chat.app.emit({ kind: 'warning', code: 'identity-rejected', text: 'from x' });
    expect(chat.events.slice(3)).toMatchObject([
      { type: 'connection', state: 'lost', code: 'closed', reason: 'x' },
      { type: 'connection', state: 'retrying', attempt: 1, inMs: 250, code: 'closed', reason: 'x' },
      { type: 'warning', code: 'identity-rejected' },
      { type: 'warning', code: 'identity-rejected' },
    ]);
  });
});
