import { describe, expect, it } from 'vitest';

import {
  deliveryWords,
  inputContext,
  invitationLines,
  leaveWarning,
  needsTick,
  selectLines,
  selectLive,
  statusLine,
} from '../../src/chat/index.js';
import { ALICE, at, BOB, CAROL, LIVE, ready, run, session, after } from './chat-helper.js';

const ms = (time: string): number => Date.parse(at(time));
const own = { type: 'own', ref: 'm1', text: 'hi', at: at('12:06') } as const;
const sent = {
  type: 'delivery',
  ref: 'm1',
  id: 1,
  state: 'sent',
  acked: [BOB],
  missing: [CAROL],
  at: at('12:06'),
} as const;
const group = run(LIVE, ready(ALICE, 'moderator'), session([ALICE, BOB, CAROL]));

describe('statusLine', () => {
  it('has the group, its members and the protection', () => {
    expect(statusLine(group, ms('12:06'))).toBe('chat-7q2k | 3 members | MLS off');
  });

  it('has what is not as it should be', () => {
    const state = after(
      group,
      LIVE,
      { type: 'presence', at: at('12:04'), session: 7, member: CAROL, presence: 'silent' },
      { type: 'mls', at: at('12:04'), session: 7, state: 'on', epoch: 4, clearPeers: [] },
      own,
      { ...sent, state: 'failed' },
    );
    expect(statusLine(state, ms('12:06'))).toBe('chat-7q2k | 3 members, 1 silent | MLS on, epoch 4 | 1 undelivered');
  });

  it('counts the time a participant waits', () => {
    expect(statusLine(run(LIVE, ready(BOB, 'participant')), ms('12:00:42'))).toBe('waiting for an invitation, 0:42');
  });

  it('names those who were invited', () => {
    const invited = { type: 'invite', name: 'agntcy/ns/bob', state: 'started', at: at('12:01') } as const;
    const state = run(LIVE, ready(ALICE, 'moderator'), session([ALICE]), invited);
    expect(statusLine(state, ms('12:01'))).toBe('chat-7q2k | 1 member | waiting for bob | MLS off');
    expect(invitationLines(state, ms('12:01:06'))).toEqual(['inviting bob ... no answer yet, 24 s left']);
    const failed = { ...invited, state: 'failed', code: 'invite-timeout', retryInMs: 1000 } as const;
    const repeated = after(state, LIVE, failed);
    expect(invitationLines(repeated, ms('12:01:31'))).toEqual([]);
    expect(statusLine(repeated, ms('12:01:31'))).toContain('waiting for bob');
  });

  it('tells the attempt to connect', () => {
    const lost = after(group, LIVE, { type: 'connection', at: at('12:06'), state: 'retrying', attempt: 3, inMs: 4000 });
    expect(statusLine(lost, ms('12:06'))).toContain('no connection, 3rd try, 4 s');
    expect(statusLine(lost, ms('12:07'))).toMatch(/no connection, 3rd try$/);
    expect(statusLine(after(group, LIVE, { type: 'connection', at: at('12:06'), state: 'lost' }), 0)).toContain(
      'no connection',
    );
  });

  it('tells how long leaving may last', () => {
    const leaving = after(group, LIVE, { type: 'leaving', at: at('12:06'), budgetMs: 5000 });
    expect(statusLine(leaving, ms('12:06:02'))).toContain('leaving, 3 s at most');
  });
});

describe('the live region', () => {
  it('has own messages with their state until they are finished lines', () => {
    const queued = after(group, LIVE, own);
    expect(selectLive(queued).map(deliveryWords)).toEqual(['queued']);
    const state = after(queued, LIVE, sent);
    expect(selectLive(state).map(deliveryWords)).toEqual(['1/2']);
    expect(selectLive(after(state, LIVE, { type: 'tick', nowMs: ms('12:06:02') }))).toEqual([]);
  });

  it('is the same array while nothing changed, as React wants it', () => {
    const state = after(group, LIVE, own);
    expect(selectLive(state)).toBe(selectLive({ ...state }));
    expect(selectLines(state)).toBe(selectLines({ ...state }));
  });

  it('needs a clock only while something changes by time', () => {
    expect(needsTick(group)).toBe(false);
    expect(needsTick(after(group, LIVE, own))).toBe(true);
    expect(needsTick(run(LIVE, ready(BOB, 'participant')))).toBe(true);
    const ended = after(group, LIVE, own, { type: 'bye', at: at('12:07'), exitCode: 0 });
    expect(needsTick(ended)).toBe(false);
  });
});

describe('leaveWarning', () => {
  it('tells what leaving means for others', () => {
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

describe('inputContext', () => {
  it('is what the parser must know', () => {
    expect(inputContext(group, false)).toMatchObject({ local: ALICE, isInGroup: true, isModerator: true });
    const bob = run(LIVE, ready(BOB, 'participant'));
    expect(inputContext(bob, true)).toEqual({
      local: BOB,
      members: [],
      isInGroup: false,
      isModerator: false,
      isConfirmed: true,
    });
    expect(inputContext(after(bob, LIVE, session([ALICE, BOB])), false)).toMatchObject({ isModerator: false });
  });
});
