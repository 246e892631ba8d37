import { describe, expect, test } from 'vitest';

import {
  deliveryWords,
  exitCodeOf,
  groupLines,
  inputContext,
  invitationLines,
  leaveWarning,
  needsTick,
  promptText,
  selectLines,
  selectLive,
  statusLine,
} from '../../src/chat/index.js';
import { unsentWords } from '../../src/chat/selectors.js';
import { ALICE, at, BOB, CAROL, CHANNEL, delivery, LIVE, own, ready, run, session, after } from './chat-helper.js';

const ms = (time: string): number => Date.parse(at(time));
const mine = own('m1', 'hi', '12:06');
const sent = delivery('m1', 'sent', [BOB], [CAROL], '12:06');
const group = run(LIVE, ready(ALICE, 'moderator'), { ...session([ALICE, BOB, CAROL]), role: 'moderator' });

describe('statusLine', () => {
  test('has the group, its members and the protection', () => {
    expect(statusLine(group, ms('12:06'))).toBe('chat-7q2k | 3 members | MLS off');
  });

  test('has what is not as it should be', () => {
    const state = after(
      group,
      LIVE,
      { type: 'presence', at: at('12:04'), session: 7, member: CAROL, presence: 'silent' },
      { type: 'mls', at: at('12:04'), session: 7, state: 'on', epoch: 4, clearPeers: [] },
      mine,
      { ...sent, state: 'failed', reason: 'unacked' },
    );
    expect(statusLine(state, ms('12:06'))).toBe('chat-7q2k | 3 members, 1 silent | MLS on, epoch 4 | 1 undelivered');
  });

  test('counts the time a participant waits', () => {
    expect(statusLine(run(LIVE, ready(BOB, 'participant')), ms('12:00:42'))).toBe('waiting for an invitation, 0:42');
  });

  test('names those who were invited', () => {
    const invited = { type: 'invite', session: 7, name: 'agntcy/ns/bob', state: 'started', at: at('12:01') } as const;
    const state = run(LIVE, ready(ALICE, 'moderator'), session([ALICE]), invited);
    expect(statusLine(state, ms('12:01'))).toBe('chat-7q2k | 1 member | waiting for bob | MLS off');
    expect(invitationLines(state, ms('12:01:06'))).toEqual(['inviting bob ... no answer yet, 24 s left']);
    const failed = { ...invited, state: 'failed', code: 'invite-timeout', retryInMs: 1000 } as const;
    const repeated = after(state, LIVE, failed);
    expect(invitationLines(repeated, ms('12:01:31'))).toEqual([]);
    expect(statusLine(repeated, ms('12:01:31'))).toContain('waiting for bob');
  });

  test('tells the attempt to connect', () => {
    const lost = after(group, LIVE, { type: 'connection', at: at('12:06'), state: 'retrying', attempt: 3, inMs: 4000 });
    expect(statusLine(lost, ms('12:06'))).toContain('no connection, 3rd try, 4 s');
    expect(statusLine(lost, ms('12:07'))).toMatch(/no connection, 3rd try$/);
    expect(statusLine(after(group, LIVE, { type: 'connection', at: at('12:06'), state: 'lost' }), 0)).toContain(
      'no connection',
    );
  });

  test('tells how long leaving may last', () => {
    const leaving = after(group, LIVE, { type: 'leaving', at: at('12:06'), budgetMs: 5000 });
    expect(statusLine(leaving, ms('12:06:02'))).toContain('leaving, 3 s at most');
  });
});

describe('the live region', () => {
  test('has own messages with their state until they are finished lines', () => {
    const queued = after(group, LIVE, mine);
    expect(selectLive(queued).map(deliveryWords)).toEqual(['queued']);
    const state = after(queued, LIVE, sent);
    expect(selectLive(state).map(deliveryWords)).toEqual(['1/2']);
    expect(selectLive(after(state, LIVE, { type: 'tick', nowMs: ms('12:06:02') }))).toEqual([]);
  });

  test('is the same array while nothing changed, as React wants it', () => {
    const state = after(group, LIVE, mine);
    expect(selectLive(state)).toBe(selectLive({ ...state }));
    expect(selectLines(state)).toBe(selectLines({ ...state }));
  });

  test('needs a clock only while something changes by time', () => {
    expect(needsTick(group)).toBe(false);
    expect(needsTick(after(group, LIVE, mine))).toBe(true);
    expect(needsTick(run(LIVE, ready(BOB, 'participant')))).toBe(true);
    const ended = after(group, LIVE, mine, { type: 'bye', at: at('12:07'), exitCode: 0 });
    expect(needsTick(ended)).toBe(false);
  });
});

describe('leaveWarning', () => {
  test('tells what leaving means for others', () => {
    expect(leaveWarning(group)).toBe(
      'Press Ctrl+C again to leave. You are the moderator: the group closes for 2 members.',
    );
    const embedded = { ...ready(ALICE, 'moderator'), node: { endpoint: 'x', embedded: true } } as never;
    expect(leaveWarning(run(LIVE, embedded, session([ALICE])))).toBe(
      'Press Ctrl+C again to leave. Your node stops too.',
    );
    expect(leaveWarning(run(LIVE, ready(BOB, 'participant')))).toBe('Press Ctrl+C again to leave.');
  });
});

describe('what is not sent yet', () => {
  test('is told before it is lost', () => {
    const queued = after(group, LIVE, own('m1', 'one', '12:06'), own('m2', 'two', '12:06'));
    expect(unsentWords(queued)).toBe('Not sent yet: "one" and 1 more.');
    expect(leaveWarning(queued)).toContain('closes for 2 members. Not sent yet: "one" and 1 more.');
    expect(unsentWords(after(group, LIVE, mine, sent))).toBe('');
  });
});

describe('the prompt', () => {
  test('says where a line goes as soon as there is more than one group', () => {
    const one = run(LIVE, ready(BOB, 'participant'), session([ALICE, BOB]));
    const two = after(one, LIVE, session([ALICE, BOB], 8, 'a/b/other'));
    expect(promptText(run(LIVE, ready(BOB, 'participant')))).toBe('> ');
    expect(promptText(one)).toBe('> ');
    expect(promptText(two)).toBe('chat-7q2k> ');
    const ended = after(two, LIVE, { type: 'closed', at: at('12:07'), session: 7, reason: 'closed' });
    expect(promptText(ended)).toBe('(no group)> ');
    expect(promptText(after(two, LIVE, { type: 'switch', at: at('12:08'), session: 8 }))).toBe('other> ');
    expect(promptText(after(ended, LIVE, { type: 'switch', at: at('12:08'), session: 8 }))).toBe('> ');
    expect(groupLines(two)).toEqual([
      '-- your groups',
      `   1  ${CHANNEL}, 2 members, here`,
      '   2  a/b/other, 2 members',
    ]);
  });
});

describe('the exit code', () => {
  test('is 6 for whatever was not delivered or not sent', () => {
    const strict = { isStrict: true, isOver: true };
    expect(exitCodeOf(group, strict)).toBe(0);
    const failed = after(group, LIVE, mine, { ...sent, state: 'failed', reason: 'unacked' });
    expect(exitCodeOf(failed, strict)).toBe(6);
    expect(exitCodeOf(failed, { ...strict, isStrict: false })).toBe(0);
    const refused = { type: 'hint', at: at('12:06'), text: 'no', isRefusal: true } as const;
    expect(exitCodeOf(after(group, LIVE, refused), strict)).toBe(6);
    expect(exitCodeOf(after(group, LIVE, { ...refused, isRefusal: false }), strict)).toBe(0);
    expect(exitCodeOf(after(failed, LIVE, { type: 'retried', keys: [1] }), strict)).toBe(0);
    const about = { at: at('12:06'), session: 1, name: CAROL, state: 'failed' } as const;
    for (const type of ['invite', 'remove'] as const) {
      expect(exitCodeOf(after(group, LIVE, { ...about, type, code: 'not-moderator' }), strict)).toBe(6);
      expect(exitCodeOf(after(group, LIVE, { ...about, type, code: 'participant-not-found' }), strict)).toBe(0);
    }
  });

  test('is 5 for a lost group where that is the end', () => {
    const lost = after(group, LIVE, { type: 'closed', at: at('12:07'), session: 7, reason: 'closed' });
    expect(exitCodeOf(lost, { isStrict: true, isOver: true })).toBe(5);
    expect(exitCodeOf(lost, { isStrict: true, isOver: false })).toBe(0);
  });
});

describe('inputContext', () => {
  test('is what the parser must know', () => {
    expect(inputContext(group, { isConfirmed: false })).toMatchObject({ local: ALICE, session: 7, isModerator: true });
    const bob = run(LIVE, ready(BOB, 'participant'));
    expect(inputContext(bob, { isConfirmed: true })).toEqual({
      local: BOB,
      session: null,
      maySendAhead: false,
      members: [],
      invited: [],
      isModerator: false,
      sessions: [],
      asked: [],
      unsent: '',
      isConfirmed: true,
    });
    expect(inputContext(after(bob, LIVE, session([ALICE, BOB])), { isConfirmed: false })).toMatchObject({
      isModerator: false,
    });
  });
});
