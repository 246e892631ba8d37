import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { Name } from '../../src/name/index.js';
import { moderator, participant, text } from './chat-rig.js';
import { ALICE, CAROL, CHANNEL, FakeInvitation } from './fake-app.js';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-23T12:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
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
