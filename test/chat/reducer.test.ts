import { describe, expect, test } from 'vitest';

import { invitationLines, statusLine } from '../../src/chat/index.js';
import {
  ALICE,
  at,
  BOB,
  CAROL,
  CHANNEL,
  delivery,
  LIVE,
  message,
  own,
  PLAIN,
  ready,
  run,
  screen,
  session,
  after,
} from './chat-helper.js';

const asAlice = run(
  LIVE,
  ready(ALICE, 'moderator'),
  session([ALICE]),
  { type: 'joined', at: at('12:01'), session: 7, member: BOB, members: 2 },
  { type: 'joined', at: at('12:01'), session: 7, member: CAROL, members: 3 },
);
describe('the chat of a moderator', () => {
  test('is the screen of the design', () => {
    const state = after(
      asAlice,
      LIVE,
      own('m1', 'hi both', '12:02'),
      delivery('m1', 'acked', [BOB, CAROL], [], '12:02'),
      message(BOB, 'hello! 日本語 and emoji work', '12:02'),
      message(CAROL, 'two lines\npasted as one message', '12:03'),
      { type: 'presence', at: at('12:04'), session: 7, member: CAROL, presence: 'silent', lastHeardAt: at('12:03') },
      own('m2', 'did you see the build?', '12:05'),
      delivery('m2', 'sent', [], [BOB, CAROL]),
      { type: 'tick', nowMs: Date.parse(at('12:05:02')) },
      delivery('m2', 'failed', [BOB], [CAROL]),
      own('m3', 'sending this now', '12:06'),
      delivery('m3', 'sent', [BOB], [CAROL], '12:06'),
    );
    expect(screen(state)).toEqual([
      '12:01 -- bob joined (2 members)',
      '12:01 -- carol joined (3 members)',
      '12:02  alice  hi both',
      '12:02    bob  hello! 日本語 and emoji work',
      '12:03  carol  two lines',
      '              pasted as one message',
      '12:04 -- carol does not answer (last heard 12:03)',
      '12:05  alice  did you see the build?',
      '12:05 !! not delivered to carol: "did you see the build?"  /retry or /remove carol',
    ]);
    expect(state.own).toMatchObject([{ ref: 'm3', acked: 1, missing: [CAROL], isPrinted: false }]);
    expect(state.failed).toMatchObject([
      { ref: 'm2', content: { payload: 'did you see the build?' }, missing: [CAROL] },
    ]);
  });

  test('gives way to "name: text" on a narrow screen', () => {
    expect(screen(after(asAlice, LIVE, message(BOB, 'a\nb', '12:02')), 40).slice(-2)).toEqual([
      '12:02 bob: a',
      '      b',
    ]);
  });

  test('keeps own lines in the order of writing when a later one is acknowledged first', () => {
    const state = after(
      asAlice,
      LIVE,
      own('m1', 'one', '12:02'),
      own('m2', 'two', '12:02'),
      delivery('m2', 'acked', [BOB, CAROL], []),
      delivery('m1', 'acked', [BOB, CAROL], []),
    );
    expect(screen(state).slice(-2)).toEqual(['12:02  alice  one', '12:02  alice  two']);
    expect(state.own).toEqual([]);
  });

  test('keeps a message live while it waits for the first member, however long', () => {
    const alone = run(LIVE, ready(ALICE, 'moderator'), session([ALICE]), own('m1', 'hello?', '12:02'));
    const later = after(alone, LIVE, delivery('m1', 'queued', [], []), {
      type: 'tick',
      nowMs: Date.parse(at('12:30')),
    });
    expect(screen(later)).toEqual([]);
    expect(later.own).toMatchObject([{ state: 'queued', isPrinted: false }]);
  });

  test('takes a dropped message back without a word about delivery', () => {
    const alone = run(LIVE, ready(ALICE, 'moderator'), session([ALICE]), own('m1', 'hello?', '12:02'));
    const dropped = after(alone, LIVE, delivery('m1', 'queued', [], []), {
      ...delivery('m1', 'failed', [], []),
      reason: 'dropped',
    });
    expect(screen(dropped)).toEqual([]);
    expect(dropped.own).toEqual([]);
    expect(dropped.failed).toEqual([]);
  });

  test('tells when a retried message came through, and does not repeat it', () => {
    const failed = after(asAlice, LIVE, own('m1', 'build?', '12:05'), delivery('m1', 'failed', [BOB], [CAROL]));
    const retried = after(
      failed,
      LIVE,
      { type: 'retried', keys: [1] },
      { ...own('m2', 'build?', '12:06'), again: { id: 1, missing: [CAROL] } },
      delivery('m2', 'acked', [CAROL], [], '12:06'),
    );
    expect(failed.failed).toHaveLength(1);
    expect(retried.failed).toEqual([]);
    expect(screen(retried).slice(screen(failed).length)).toEqual(['12:06 -- now delivered: "build?"']);
  });

  test('ignores the delivery of messages it was not told of', () => {
    expect(after(asAlice, LIVE, delivery('other', 'failed', [], [BOB]))).toBe(asAlice);
  });

  test('says who left, and how', () => {
    const state = after(
      asAlice,
      LIVE,
      { type: 'left', at: at('12:02'), session: 7, member: BOB, members: 2, reason: 'left' },
      { type: 'left', at: at('12:03'), session: 7, member: CAROL, members: 1, reason: 'removed' },
    );
    expect(screen(state).slice(-2)).toEqual(['12:02 -- bob left', '12:03 -- carol was removed by you']);
    expect(state.sessions[0]?.members).toEqual([{ name: ALICE, label: 'alice', presence: 'you' }]);
  });

  test('tells members with one app name apart once both are there', () => {
    const other = 'agntcy/ns/bob/aaaa09';
    const state = after(
      asAlice,
      LIVE,
      { type: 'joined', at: at('12:02'), session: 7, member: other, members: 4 },
      message(BOB, 'me', '12:03'),
    );
    expect(screen(state).slice(-2)).toEqual(['12:02 -- bob#aaaa joined (4 members)', '12:03  bob#41d0  me']);
  });
});

describe('invitations', () => {
  const invite = (state: 'started' | 'joined' | 'failed', more: object = {}, time = '12:01') =>
    ({ type: 'invite', session: 7, name: 'agntcy/ns/bob', state, at: at(time), ...more }) as const;
  const alone = run(LIVE, ready(ALICE, 'moderator'), session([ALICE]));

  test('count down in the live region', () => {
    const state = after(alone, LIVE, invite('started'));
    expect(screen(state)).toEqual([]);
    expect(state.invitations).toEqual([
      {
        session: 7,
        name: 'agntcy/ns/bob',
        label: 'bob',
        startedMs: Date.parse(at('12:01')),
        deadlineMs: Date.parse(at('12:01:30')),
        attempt: 1,
        hasTimedOut: false,
        isFailureTold: false,
      },
    ]);
    expect(after(state, LIVE, invite('joined')).invitations).toEqual([]);
    const joined = { type: 'joined', at: at('12:02'), session: 7, member: BOB, members: 2 } as const;
    expect(after(state, LIVE, joined).invitations).toEqual([]);
  });

  test('are lines where there is no live region', () => {
    const plain = run(PLAIN, ready(ALICE, 'moderator'), session([ALICE]), invite('started'));
    expect(screen(plain)).toEqual(['12:01 -- inviting bob, up to 30 s']);
  });

  test('that nobody answers are reported once, however often they are repeated', () => {
    const failed = invite('failed', { code: 'invite-timeout', retryInMs: 1000 }, '12:02');
    const state = after(alone, LIVE, invite('started'), failed, invite('started'), failed, invite('started'));
    expect(screen(state)).toEqual([
      '12:02 -- no answer from bob: not running, other name, different secret, or clocks that differ; still trying',
    ]);
    expect(state.invitations).toMatchObject([{ attempt: 3, hasTimedOut: false }]);
  });

  test('that two have asked for and nobody answers are reported once, not never', () => {
    const failed = invite('failed', { code: 'invite-timeout', retryInMs: 1000 }, '12:02');
    const state = after(alone, LIVE, invite('started'), invite('started'), failed, failed);
    expect(screen(state)).toEqual([
      '12:02 -- no answer from bob: not running, other name, different secret, or clocks that differ; still trying',
    ]);
  });

  test('that are over say how to try again', () => {
    const state = after(alone, LIVE, invite('started'), invite('failed', { code: 'invite-timeout' }));
    expect(screen(state)).toEqual([
      '12:01 -- no answer from bob: not running, other name, different secret, or clocks that differ; /invite agntcy/ns/bob tries again',
    ]);
    expect(state.invitations).toEqual([]);
  });
});

describe('the chat of a participant', () => {
  const bob = run(LIVE, ready(BOB, 'participant'));
  const joined = after(bob, LIVE, session([ALICE, BOB, CAROL]));

  test('waits, is invited, and joins', () => {
    expect(bob.waitingSinceMs).toBe(Date.parse(at('12:00')));
    expect(joined.waitingSinceMs).toBeNull();
    expect(screen(joined)).toEqual([
      `12:01 -- alice invited you to ${CHANNEL}`,
      '12:01 -- joined: alice (moderator), bob (you), carol. MLS off',
    ]);
  });

  test.each([
    ['removed', '12:09 !! you were removed by alice'],
    ['moderator-gone', '12:09 !! alice (moderator) is gone, the group is closed'],
    ['closed', '12:09 !! alice (moderator) closed the group'],
    ['left', `12:09 -- left ${CHANNEL}`],
  ] as const)('waits again after the end of the session: %s', (reason, line) => {
    const state = after(joined, LIVE, { type: 'closed', at: at('12:09'), session: 7, reason });
    expect(screen(state).slice(-2)).toEqual([
      line,
      'Waiting for an invitation. Tell a moderator to type:  /invite agntcy/ns/bob',
    ]);
    expect(state.sessions).toEqual([]);
    expect(state.waitingSinceMs).toBe(Date.parse(at('12:09')));
  });

  test('does not wait again when it leaves for good', () => {
    const state = after(
      joined,
      LIVE,
      { type: 'leaving', at: at('12:09'), budgetMs: 5000 },
      { type: 'closed', at: at('12:09'), session: 7, reason: 'left' },
      { type: 'bye', at: at('12:09'), exitCode: 0 },
    );
    expect(screen(state).slice(-2)).toEqual(['12:09 -- leaving ...', `12:09 -- left ${CHANNEL}`]);
    expect(state.waitingSinceMs).toBeNull();
    expect(state.ended).toEqual({ exitCode: 0 });
  });

  test('stays in its group when somebody invites it to another, and says which one a line is about', () => {
    const state = after(
      joined,
      LIVE,
      { ...session([ALICE, BOB], 8, 'agntcy/ns/other'), at: at('12:02') },
      message(CAROL, 'hi', '12:03'),
      { ...message(ALICE, 'news', '12:04'), session: 8 } as never,
    );
    expect(state.activeSession).toBe(7);
    expect(screen(state).slice(-4)).toEqual([
      '12:02 -- [other] alice invited you to agntcy/ns/other',
      '12:02 -- [other] joined: alice (moderator), bob (you). MLS off',
      '12:03  carol  hi',
      '12:04  [other] alice  news',
    ]);
    expect(statusLine(state, 0)).toBe('chat-7q2k | 3 members | MLS off | unread: 1 other (Alt+2)');
  });

  test('goes on in another group by its own wish only, and in none when the one on the screen ends', () => {
    const both = after(joined, LIVE, session([ALICE, BOB], 8, 'agntcy/ns/other'));
    const news = { ...message(ALICE, 'news', '12:04'), session: 8 } as never;
    const switched = after(both, LIVE, news, { type: 'switch', at: at('12:05'), session: 8 });
    expect(switched).toMatchObject({ activeSession: 8, sessions: [{ unread: 0 }, { unread: 0 }] });
    expect(screen(switched).at(-1)).toBe('12:05 -- now in agntcy/ns/other (2 members, 1 unread above)');
    expect(screen(after(switched, LIVE, message(CAROL, 'hi', '12:06'))).at(-1)).toBe('12:06  [chat-7q2k] carol  hi');
    const ended = after(switched, LIVE, { type: 'closed', at: at('12:07'), session: 8, reason: 'closed' });
    expect(ended).toMatchObject({ activeSession: null, lostGroup: null, waitingSinceMs: null });
    expect(screen(ended).slice(-2)).toEqual([
      '12:07 !! alice (moderator) closed the group',
      '12:07 -- nothing goes anywhere until you choose: /switch chat-7q2k',
    ]);
    expect(statusLine(ended, 0)).toBe('no group chosen: /switch');
    const gone = after(ended, LIVE, { type: 'closed', at: at('12:08'), session: 7, reason: 'removed' });
    expect(gone).toMatchObject({
      lostGroup: { channel: CHANNEL, moderator: ALICE },
      waitingSinceMs: Date.parse(at('12:08')),
    });
  });

  test('is asked about an invitation, once, however often it comes', () => {
    const asked = {
      type: 'invitation',
      session: 8,
      from: CAROL,
      channel: 'agntcy/ns/other',
      mls: true,
      state: 'asked',
      attempt: 1,
      expiresInMs: 30_000,
      at: at('12:02'),
    } as const;
    const state = after(joined, LIVE, asked);
    expect(screen(state).at(-1)).toBe(
      '12:02 !! carol invites you to agntcy/ns/other (MLS asked for): /accept or /decline',
    );
    expect(statusLine(state, 0)).toBe('chat-7q2k | 3 members | MLS off | 1 invitation');
    expect(invitationLines(state, Date.parse(at('12:02:06')))).toEqual([
      'carol invites you to other: /accept or /decline, 24 s left',
    ]);
    const lapsed = after(state, LIVE, { ...asked, state: 'lapsed', at: at('12:03') });
    expect(screen(lapsed).at(-1)).toBe('12:03 -- the invitation of carol to agntcy/ns/other has lapsed');
    const again = after(lapsed, LIVE, { ...asked, attempt: 2 }, { ...asked, attempt: 2, state: 'lapsed' });
    expect(screen(again)).toEqual(screen(lapsed));
    const declined = after(state, LIVE, { ...asked, state: 'declined' });
    expect(declined.asked).toEqual([]);
    expect(screen(declined).at(-1)).toBe('12:02 -- declined agntcy/ns/other');
    expect(after(state, LIVE, { ...session([CAROL, BOB], 8), at: at('12:02') }).asked).toEqual([]);
  });

  test('speaks of the connection once, not for every attempt', () => {
    const state = after(
      joined,
      LIVE,
      { type: 'connection', at: at('12:02'), state: 'lost', code: 'stream-lost', reason: 'it said \u001b[2Jbye' },
      { type: 'connection', at: at('12:02'), state: 'retrying', attempt: 1, inMs: 1000, code: 'refused', reason: 'x' },
      { type: 'connection', at: at('12:02'), state: 'retrying', attempt: 2, inMs: 2000 },
      { type: 'connection', at: at('12:03'), state: 'up' },
    );
    expect(screen(state).slice(2)).toEqual([
      '12:02 -- connection lost (it said \ufffd[2Jbye), trying again',
      '12:03 -- back online',
    ]);
  });

  test('shows confirmations by messages once, and not as messages', () => {
    const receipt = { PUBLISH_TO: 'TRUE' };
    const state = after(
      joined,
      LIVE,
      message(CAROL, 'message received by agntcy/ns/carol', '12:02', receipt),
      message(CAROL, 'message received by agntcy/ns/carol', '12:03', receipt),
      message(CAROL, 'message received by me, honestly', '12:04'),
    );
    expect(screen(state).slice(2)).toEqual([
      '12:02 -- carol confirms each message it gets (not shown again)',
      '12:04  carol  message received by me, honestly',
    ]);
  });

  test('tells what it cannot show, and what is missing', () => {
    const bytes = { ...message(CAROL, '', '12:02'), text: undefined, textBase64: 'AAECAwQFBgcICQoL' };
    const { text: _text, ...payload } = bytes;
    const state = after(joined, LIVE, payload, {
      type: 'lost',
      at: at('12:03'),
      session: 7,
      from: CAROL,
      id: 9,
    });
    expect(screen(state).slice(2)).toEqual([
      '12:02  carol  <12 bytes, not text>',
      '12:03 -- a message from carol is lost',
    ]);
  });

  test('tells a change of the protection, but not each epoch', () => {
    const state = after(
      joined,
      LIVE,
      { type: 'mls', at: at('12:02'), session: 7, state: 'on', epoch: 3, clearPeers: [] },
      { type: 'mls', at: at('12:03'), session: 7, state: 'on', epoch: 4, clearPeers: [] },
      { type: 'mls', at: at('12:04'), session: 7, state: 'keys-only', clearPeers: [CAROL] },
    );
    expect(screen(state).slice(2)).toEqual([
      '12:02 -- MLS on, epoch 3',
      '12:04 -- MLS keys agreed, text in clear (SLIM 0.7 peers)',
    ]);
  });

  test('lays text in clear at the door of other members only where one of them is the reason', () => {
    const own = after(joined, LIVE, {
      type: 'mls',
      at: at('12:02'),
      session: 7,
      state: 'keys-only',
      epoch: 0,
      clearPeers: [],
    });
    expect(screen(own).at(-1)).toBe('12:02 -- MLS keys agreed, text in clear (--mls-payload clear)');
    expect(statusLine(own, 0)).toContain('| MLS keys agreed, text in clear (--mls-payload clear)');
  });

  test('does not pass the text of a member that sends in clear off as encrypted', () => {
    const mls = { type: 'mls', session: 7, state: 'on', epoch: 2 } as const;
    const inClear = message(CAROL, 'not secret', '12:03');
    const state = after(
      joined,
      LIVE,
      { ...mls, at: at('12:02'), clearPeers: [] },
      { ...message(BOB, 'secret', '12:02'), encrypted: true } as never,
      { ...mls, at: at('12:03'), clearPeers: [CAROL] },
      inClear,
      { ...mls, at: at('12:03'), epoch: 3, clearPeers: [CAROL] },
    );
    expect(screen(state).slice(2)).toEqual([
      '12:02 -- MLS on, epoch 2',
      '12:02    bob  secret',
      '12:03 -- carol sends in clear and cannot read what you write',
      '12:03  carol  (in clear) not secret',
    ]);
    expect(statusLine(state, 0)).toContain('| MLS on, epoch 3, not for carol');
    const both = after(state, LIVE, { ...mls, at: at('12:04'), clearPeers: [BOB, CAROL] });
    expect(statusLine(both, 0)).toContain('| MLS on, epoch 2, not for 2 members');
    const again = after(state, LIVE, { ...mls, at: at('12:04'), clearPeers: [] });
    expect(screen(again).at(-1)).toBe('12:04 -- carol encrypts now');
    expect(statusLine(again, 0)).toMatch(/MLS on, epoch 2$/);
  });

  test('says each time that copies in clear begin to go out, and to whom', () => {
    const mls = { type: 'mls', session: 7, state: 'on', epoch: 2, clearPeers: [CAROL], clearCopies: true } as const;
    const state = after(joined, LIVE, { ...mls, at: at('12:02') }, { ...mls, at: at('12:03'), epoch: 3 });
    expect(screen(state).slice(2)).toEqual([
      '12:02 -- MLS on, epoch 2',
      '12:02 -- carol sends in clear and gets a copy in clear of what you write',
    ]);
    expect(statusLine(state, 0)).toContain('| MLS on, epoch 3, in clear for carol');
    const again = after(
      state,
      LIVE,
      { ...mls, at: at('12:04'), state: 'keys-only', clearCopies: false },
      { ...mls, at: at('12:05') },
    );
    expect(screen(again).slice(4)).toEqual([
      '12:04 -- MLS keys agreed, text in clear (SLIM 0.7 peers)',
      '12:05 -- MLS on, epoch 2',
      '12:05 -- carol sends in clear and gets a copy in clear of what you write',
    ]);
  });

  test('shows hostile names, channels, texts and warnings disarmed', () => {
    const evil = 'agntcy/ns/\u001b]0;x\u0007evil/1234';
    const state = after(
      joined,
      LIVE,
      { type: 'joined', at: at('12:02'), session: 7, member: evil, members: 4 },
      message(evil, '\u001b[2Jboo\u202e', '12:03'),
      { type: 'warning', at: at('12:04'), code: 'protocol-violation', message: 'from \u009b1m' },
      { ...session([evil, BOB], 9, 'x/y/\rz'), moderator: evil },
    );
    expect(JSON.stringify(screen(state))).not.toMatch(/\\u00|\\r|\\b|\u202e|\u009b/);
    expect(screen(state)).toContain('12:03  \ufffd]0;x\ufffdevil  \ufffd[2Jboo');
  });

  test('draws a line between days', () => {
    const state = after(joined, LIVE, {
      ...message(CAROL, 'morning', '08:00'),
      at: '2026-11-24T08:00:00.000Z',
    });
    expect(screen(state).slice(2)).toEqual(['-- 2026-11-24', '08:00  carol  morning']);
  });
});

describe('/who and /status', () => {
  test('lists members with what is known of them', () => {
    const state = after(asAlice, LIVE, {
      type: 'who',
      session: 7,
      at: at('12:09'),
      members: [
        { name: ALICE, role: 'moderator', presence: 'you', unacked: 0 },
        { name: BOB, role: 'participant', presence: 'online', unacked: 0 },
        { name: CAROL, role: 'participant', presence: 'silent', unacked: 2, lastHeardAt: at('12:03') },
      ],
    });
    expect(screen(state).slice(2)).toEqual([
      `-- members of ${CHANNEL}`,
      '   alice  agntcy/ns/alice/9f3c...  moderator, you',
      '   bob    agntcy/ns/bob/41d0...    online',
      '   carol  agntcy/ns/carol/77aa...  silent since 12:03, 2 messages not acked',
    ]);
  });

  test('keeps its columns where a name has wide characters', () => {
    const wide = 'agntcy/ns/\u5c71\u7530/41d0';
    const state = after(asAlice, LIVE, {
      type: 'who',
      session: 7,
      at: at('12:09'),
      members: [
        { name: ALICE, role: 'moderator', presence: 'you', unacked: 0 },
        { name: wide, role: 'participant', presence: 'online', unacked: 0 },
      ],
    });
    expect(screen(state).slice(3)).toEqual([
      '   alice  agntcy/ns/alice/9f3c...  moderator, you',
      '   \u5c71\u7530   agntcy/ns/\u5c71\u7530/41d0      online',
    ]);
  });

  test('prints what a bug report needs', () => {
    const state = after(asAlice, LIVE, {
      type: 'status',
      at: at('12:09'),
      status: {
        version: '0.1.0',
        local: ALICE,
        node: { endpoint: 'http://127.0.0.1:46357', embedded: true },
        connection: 'up',
        role: 'moderator',
        session: 7,
        channel: CHANNEL,
        members: 3,
        timeoutMs: 1000,
        maxRetries: 29,
        mls: { state: 'off' },
        others: ['agntcy/ns/chat-b'],
        undelivered: 1,
        logFile: null,
      },
    });
    expect(screen(state).slice(2)).toEqual([
      '-- status',
      '   version      0.1.0',
      `   you          ${ALICE} (moderator)`,
      '   node         http://127.0.0.1:46357, started by this program',
      '   connection   up',
      `   channel      ${CHANNEL}`,
      '   session      7, 3 members',
      '   also in      agntcy/ns/chat-b (/switch)',
      '   retries      every 1000 ms, 29 times',
      '   protection   MLS off',
      '   undelivered  1',
      '   log file     none (--log-file FILE)',
    ]);
  });
});
