import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { type ChatCommand, type ChatEvent, type ChatStore, createChatStore } from '../../src/chat/index.js';
import { ChatRuntime } from '../../src/runtime/chat-runtime.js';
import type { Connect } from '../../src/runtime/ports.js';
import type { RuntimeConfig } from '../../src/runtime/runtime-config.js';
import { Name } from '../../src/name/index.js';
import { ConnectionError, SessionError } from '../../src/util/index.js';
import { utcClock } from '../chat/chat-helper.js';
import { ALICE, BOB, CAROL, CHANNEL, FakeApp, FakeInvitation, type FakeSession } from './fake-app.js';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-23T12:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

const BASE: RuntimeConfig = {
  version: '0.1.0',
  channel: undefined,
  invites: [],
  timeoutMs: undefined,
  maxRetries: undefined,
  mls: false,
  keepAliveGroup: false,
  waitInvites: true,
  accept: { kind: 'auto' },
  lingerMs: undefined,
  isNodeEmbedded: false,
  logFile: undefined,
  isStrict: true,
  holdsMessages: false,
};

class Chat {
  /** All events but `active`, which has tests of its own. */
  readonly events: ChatEvent[] = [];
  readonly active: (number | null)[] = [];
  readonly store: ChatStore = createChatStore({ clock: utcClock, echo: 'none', isLive: false, keepsLines: true });
  readonly app: FakeApp;
  readonly runtime: ChatRuntime;
  isCleanedUp = false;

  constructor(
    config: Partial<RuntimeConfig>,
    app = new FakeApp(config.channel === undefined ? BOB : ALICE),
    connect?: Connect,
  ) {
    this.app = app;
    this.runtime = new ChatRuntime(
      {
        connect: connect ?? app.connect,
        store: this.store,
        emit: (event) => {
          if (event.type === 'active') this.active.push(event.session);
          else this.events.push(event);
        },
        cleanUp: () => {
          this.isCleanedUp = true;
          return Promise.resolve();
        },
      },
      { ...BASE, ...config },
    );
  }

  get session(): FakeSession {
    const session = this.app.sessions.at(-1);
    if (session === undefined) throw new Error('there is no session');
    return session;
  }

  async do(...commands: readonly ChatCommand[]): Promise<void> {
    for (const command of commands) this.runtime.execute(command);
    await this.settle();
  }

  /** Runs what is due now, without letting time pass. */
  async settle(): Promise<void> {
    await vi.advanceTimersByTimeAsync(0);
  }

  of<Type extends ChatEvent['type']>(type: Type): Extract<ChatEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<ChatEvent, { type: Type }> => event.type === type);
  }

  /** Types of the events, with the state where there is one. */
  get summary(): string[] {
    return this.events.map((event) => ('state' in event ? `${event.type} ${event.state}` : event.type));
  }
}

async function moderator(config: Partial<RuntimeConfig> = {}): Promise<Chat> {
  const chat = new Chat({ channel: CHANNEL, ...config });
  await chat.runtime.start();
  await chat.settle();
  return chat;
}

async function participant(config: Partial<RuntimeConfig> = {}): Promise<Chat> {
  const chat = new Chat(config);
  await chat.runtime.start();
  return chat;
}

const text = (ref: string, words = 'hello'): ChatCommand => ({ type: 'publish', text: words, ref });

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
    const chat = await moderator();
    chat.session.join(BOB);
    chat.session.join(CAROL);
    await chat.do(text('a', 'the build?'));
    chat.session.ack(BOB);
    chat.session.giveUp();
    await chat.do({ type: 'retry' });
    expect(chat.session.handles).toMatchObject([
      { payload: 'the build?', options: { again: { messageId: 1, missing: [CAROL] } } },
    ]);
    chat.session.ackAll();
    await chat.do({ type: 'exit' });
    expect(await chat.runtime.done).toBe(0);
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

describe('invitations of others', () => {
  const OTHER = Name.parse('agntcy/ns/other');
  const toOther = (id = 8): FakeInvitation => new FakeInvitation(id, CAROL, OTHER);

  test('are accepted while there is no group, and asked about in one', async () => {
    const chat = await participant();
    const first = await chat.app.invite(new FakeInvitation(7, ALICE, CHANNEL));
    expect(first?.id).toBe(7);
    const joining = chat.app.invite(toOther());
    await chat.settle();
    expect(chat.of('invitation')).toMatchObject([
      {
        session: 8,
        from: CAROL.toString(),
        channel: 'agntcy/ns/other',
        state: 'asked',
        attempt: 1,
        expiresInMs: 30_000,
      },
    ]);
    await chat.do(text('a', 'for alice only'));
    expect(first?.handles).toHaveLength(1);
    await chat.do({ type: 'accept' });
    const second = await joining;
    expect(chat.active).toEqual([7, 8]);
    await chat.do(text('b', 'for carol'));
    expect(second?.handles.map(({ payload }) => payload)).toEqual(['for carol']);
  });

  test('never take the next line of who is in a group, although nobody answers them', async () => {
    const chat = await participant({ holdsMessages: true });
    const first = await chat.app.invite(new FakeInvitation(7, ALICE, CHANNEL));
    const invitation = toOther();
    const joining = chat.app.invite(invitation);
    await chat.do(text('a'));
    invitation.lapse();
    expect(await joining).toBeUndefined();
    await chat.do(text('b'));
    expect(first?.handles).toHaveLength(2);
    expect(chat.of('invitation').map(({ state }) => state)).toEqual(['asked', 'lapsed']);
    await chat.do({ type: 'accept' });
    expect(chat.events.at(-1)).toMatchObject({ type: 'error', code: 'no-invitation' });
  });

  test('do not get what a pipe goes on to write for a group that was closed', async () => {
    const chat = await participant({ holdsMessages: true });
    (await chat.app.invite(new FakeInvitation(7, ALICE, CHANNEL)))?.end('closed');
    await chat.do(text('a', 'for alice'));
    const stranger = chat.app.invite(toOther());
    await chat.settle();
    expect(chat.of('invitation')).toMatchObject([{ from: CAROL.toString(), state: 'asked' }]);
    await chat.do({ type: 'decline' });
    expect(await stranger).toBeUndefined();
    const restarted = Name.parse('agntcy/ns/alice/77');
    const again = await chat.app.invite(new FakeInvitation(9, restarted, Name.parse('agntcy/ns/new-room')));
    expect(again?.handles.map(({ payload }) => payload)).toEqual(['for alice']);
  });

  test('that come while another one is being joined are asked about', async () => {
    const chat = await participant();
    const both = [chat.app.invite(new FakeInvitation(7, ALICE, CHANNEL)), chat.app.invite(toOther())];
    await chat.settle();
    expect(chat.app.sessions.map(({ id }) => id)).toEqual([7]);
    await chat.do({ type: 'decline', session: 8 });
    expect(await both[1]).toBeUndefined();
  });

  test('of a moderator that was restarted before the first join was done are accepted like the first', async () => {
    const chat = await participant();
    const restarted = Name.parse('agntcy/ns/alice/77');
    void chat.app.accepts(new FakeInvitation(7, ALICE, CHANNEL));
    expect(await chat.app.accepts(new FakeInvitation(8, CAROL, OTHER), 'at once')).toBe('waits');
    expect(await chat.app.accepts(new FakeInvitation(9, restarted, CHANNEL), 'at once')).toBe(true);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await chat.app.accepts(new FakeInvitation(10, CAROL, OTHER), 'at once')).toBe(true);
  });

  test('that were declined are not asked about again as long as they are repeated', async () => {
    const chat = await participant({ accept: { kind: 'ask' } });
    const joining = chat.app.invite(toOther());
    await chat.do({ type: 'decline' });
    expect(await joining).toBeUndefined();
    await vi.advanceTimersByTimeAsync(100_000);
    expect(await chat.app.invite(toOther())).toBeUndefined();
    await vi.advanceTimersByTimeAsync(100_000);
    expect(await chat.app.invite(toOther())).toBeUndefined();
    expect(chat.of('invitation').map(({ state }) => state)).toEqual(['asked', 'declined']);
    await vi.advanceTimersByTimeAsync(200_000);
    void chat.app.invite(toOther());
    await chat.settle();
    expect(chat.of('invitation').at(-1)).toMatchObject({ state: 'asked', attempt: 2 });
  });

  test('are all refused with never, each told once', async () => {
    const chat = await participant({ accept: { kind: 'never' } });
    expect(await chat.app.invite(toOther())).toBeUndefined();
    expect(await chat.app.invite(toOther())).toBeUndefined();
    expect(chat.of('invitation')).toMatchObject([{ session: 8, state: 'declined' }]);
  });

  test('that renew the keys of this member are the group it was in, and no question', async () => {
    const chat = await participant({ accept: { kind: 'ask' } });
    const toAlice = (): FakeInvitation => new FakeInvitation(7, ALICE, CHANNEL);
    const asked = chat.app.invite(toAlice());
    await chat.do({ type: 'accept' });
    const background = chat.app.invite(toOther());
    await chat.do({ type: 'accept' });
    await chat.do({ type: 'switch', session: 7 });
    (await asked)?.end('removed');
    const stranger = chat.app.invite(new FakeInvitation(7, CAROL, CHANNEL));
    await chat.settle();
    expect(chat.of('invitation').at(-1)).toMatchObject({ from: CAROL.toString(), state: 'asked' });
    await chat.do({ type: 'decline' });
    expect(await stranger).toBeUndefined();
    const renewed = await chat.app.invite(toAlice());
    await chat.do(text('a'));
    expect(renewed?.handles).toHaveLength(1);
    expect(chat.active).toEqual([7, 8, 7, null, 7]);
    expect((await background)?.handles).toEqual([]);
  });

  test('of a moderator that is named are accepted at any time, and open in the background', async () => {
    const chat = await participant({ accept: { kind: 'from', names: [CAROL.withoutId()] } });
    const asked = chat.app.invite(new FakeInvitation(7, ALICE, CHANNEL));
    await chat.do({ type: 'accept' });
    const first = await asked;
    const second = await chat.app.invite(toOther());
    await chat.do(text('a'));
    expect([first?.handles.length, second?.handles.length]).toEqual([1, 0]);
    expect(chat.active).toEqual([7]);
  });

  test('do not open a group for who has come to moderate one', async () => {
    const chat = await moderator();
    const joining = chat.app.invite(toOther());
    await chat.settle();
    expect(chat.of('invitation')).toMatchObject([{ state: 'asked' }]);
    await chat.do({ type: 'exit' });
    expect(await joining).toBeUndefined();
  });

  test('cannot slip in under the number of another one', async () => {
    const chat = await participant({ accept: { kind: 'ask' } });
    const first = chat.app.invite(new FakeInvitation(7, ALICE, CHANNEL));
    expect(await chat.app.invite(new FakeInvitation(7, CAROL, OTHER))).toBeUndefined();
    await chat.do({ type: 'accept', session: 7 });
    expect((await first)?.moderator).toEqual(ALICE);
  });

  test('must be named when there are several', async () => {
    const chat = await participant({ accept: { kind: 'ask' } });
    void chat.app.invite(toOther(8));
    void chat.app.invite(toOther(9));
    await chat.do({ type: 'accept' });
    expect(chat.events.at(-1)).toMatchObject({ type: 'error', code: 'no-invitation' });
    await chat.do({ type: 'accept', session: 9 });
    expect(chat.app.sessions.map(({ id }) => id)).toEqual([9]);
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
    await chat.do({ type: 'who', session: 9 }, { type: 'leave', session: 9 });
    expect(chat.of('error')).toMatchObject([{ code: 'not-in-group', message: 'there is no session 9' }]);
    await chat.do({ type: 'leave', session: 7 }, text('c'));
    // The group on the screen has ended: nothing goes to the other one before somebody says so.
    expect([first.handles.length, second.handles.length]).toEqual([0, 1]);
    expect(chat.of('error').at(-1)).toMatchObject({ code: 'not-in-group', ref: 'c' });
    await chat.do({ type: 'switch', session: 8 }, text('d'));
    expect(second.handles).toHaveLength(2);
    expect(chat.active).toEqual([7, null, 8]);
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
      { type: 'connection', state: 'lost' },
      { type: 'connection', state: 'retrying', attempt: 1, inMs: 250 },
      { type: 'warning', code: 'identity-rejected' },
      { type: 'warning', code: 'identity-rejected' },
    ]);
  });
});

describe('the end of the input', () => {
  const eof: ChatCommand = { type: 'exit', drain: true };

  test('waits for acknowledgements', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    await chat.do(text('a'), eof);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(chat.of('bye')).toEqual([]);
    chat.session.ackAll();
    expect(await chat.runtime.done).toBe(0);
    expect(chat.summary.slice(-3)).toEqual(['delivery acked', 'closed', 'bye']);
  });

  test('waits for the first member as long as an invitation lasts', async () => {
    const chat = await moderator({ invites: [BOB.withoutId()] });
    await chat.do(text('a'), eof);
    await vi.advanceTimersByTimeAsync(25_000);
    chat.session.join(BOB);
    await chat.settle();
    expect(chat.session.handles).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(chat.of('bye')).toEqual([]);
    chat.session.ackAll();
    expect(await chat.runtime.done).toBe(0);
  });

  test('gives up after that, and says so with 6', async () => {
    const chat = await moderator({ invites: [BOB.withoutId()] });
    await chat.do(text('a'), eof);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await chat.runtime.done).toBe(6);
    expect(chat.of('delivery').at(-1)).toMatchObject({ ref: 'a', state: 'failed' });
  });

  test('waits no longer than told', async () => {
    const chat = await moderator({ lingerMs: 2000 });
    chat.session.join(BOB);
    await chat.do(text('a'), eof);
    await vi.advanceTimersByTimeAsync(1999);
    expect(chat.of('bye')).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await chat.runtime.done).toBe(6);
  });

  test('is cut short by a second wish to end', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    await chat.do(text('a'), eof);
    chat.runtime.exit({ exitCode: 143 });
    expect(await chat.runtime.done).toBe(143);
  });

  test('ends at once when there is nothing to wait for', async () => {
    const chat = await participant();
    await chat.do(eof);
    expect(await chat.runtime.done).toBe(0);
  });

  test('ends with 5 when the group was closed under it', async () => {
    const chat = await participant();
    chat.app.invited([ALICE, BOB]).end('closed');
    await chat.do(eof);
    expect(await chat.runtime.done).toBe(5);
    const asked = await participant();
    asked.app.invited([ALICE, BOB]).end('closed');
    await asked.do({ type: 'exit' });
    expect(await asked.runtime.done).toBe(0);
  });

  test('keeps messages for a group that is still to come, where that is wished', async () => {
    const chat = await participant({ holdsMessages: true });
    await chat.do(text('a'), eof);
    await vi.advanceTimersByTimeAsync(10_000);
    const session = chat.app.invited([ALICE, BOB]);
    await chat.settle();
    expect(session.handles).toHaveLength(1);
    session.ackAll();
    expect(await chat.runtime.done).toBe(0);

    const alone = await participant({ holdsMessages: true });
    await alone.do(text('a'), eof);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await alone.runtime.done).toBe(6);
  });
});

describe('ending', () => {
  test('does not make 6 of undelivered messages for people', async () => {
    const chat = await moderator({ isStrict: false });
    await chat.do(text('a'), { type: 'exit' });
    expect(await chat.runtime.done).toBe(0);
  });

  test('takes five seconds at most when peers do not answer', async () => {
    const chat = await moderator();
    chat.session.join(BOB);
    chat.app.peersAnswer = false;
    await chat.do({ type: 'exit' });
    await vi.advanceTimersByTimeAsync(4999);
    expect(chat.of('bye')).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await chat.runtime.done).toBe(0);
    expect(chat.summary.slice(-2)).toEqual(['closed', 'bye']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('does nothing and says nothing afterwards', async () => {
    const chat = await participant();
    await chat.do({ type: 'exit' });
    await chat.runtime.done;
    const count = chat.events.length;
    await chat.do({ type: 'who' }, { type: 'exit' });
    chat.app.emit({ kind: 'warning', code: 'queue-full', text: 'late' });
    expect(chat.events).toHaveLength(count);
  });

  test('stops connecting', async () => {
    let signal: AbortSignal | undefined;
    const chat = new Chat({}, new FakeApp(BOB), (_handlers, stop) => {
      signal = stop;
      return new Promise((_resolve, reject) => {
        stop.addEventListener('abort', () => {
          reject(stop.reason as Error);
        });
      });
    });
    const started = chat.runtime.start();
    chat.runtime.exit({ exitCode: 143 });
    await expect(started).rejects.toMatchObject({ code: 'aborted' });
    expect(signal?.aborted).toBe(true);
    expect(await chat.runtime.done).toBe(143);
  });

  test('as a bug when something throws that should not', async () => {
    const chat = await moderator();
    vi.spyOn(chat.session, 'invite').mockRejectedValue(new TypeError('oops'));
    const ended = expect(chat.runtime.done).rejects.toThrow('oops');
    await chat.do({ type: 'invite', name: 'agntcy/ns/bob' });
    await ended;
  });
});
