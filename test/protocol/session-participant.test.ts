import { describe, expect, test } from 'vitest';

import type { SessionConfig } from '../../src/protocol/index.js';
import { SessionParticipant } from '../../src/protocol/index.js';
import { MAX_MISSED_PINGS, PING_INTERVAL_MS, PROBE_ID } from '../../src/protocol/ping-rounds.js';
import { MessageType, type PublishMessage, SessionType } from '../../src/wire/index.js';
import {
  A,
  B,
  C,
  CHANNEL,
  callConfig,
  groupAdd,
  groupConfig,
  groupRemove,
  M,
  message,
  msg,
  publish,
  R,
  Rig,
  sent,
  sentKinds,
  SESSION_ID,
  T,
  timerTrace,
  trace,
  welcome,
} from './support.js';

/** A as an invited member: it has got a JoinRequest. */
function joined(config: SessionConfig = groupConfig(A)): Rig {
  const rig = new Rig(new SessionParticipant(config));
  rig.receive(message('joinRequest', M, { id: 400, to: A }));
  return rig;
}

/** A in a group of M, A and B. */
function established(config: SessionConfig = groupConfig(A)): Rig {
  const rig = joined(config);
  rig.receive(welcome([M, A, B]));
  return rig;
}

/** The same; the moderator has pinged, so it is no 0.7. */
function pinged(): Rig {
  const rig = established();
  rig.receive(message('ping', M, { id: 1, fanout: 256 }));
  return rig;
}

describe('scenarios of the upstream tests', () => {
  test('a JoinRequest is answered', () => {
    const rig = new Rig(new SessionParticipant(groupConfig(A)));
    expect(trace(rig.receive(message('joinRequest', M, { id: 400, to: A })))).toEqual(['joinReply > m #400']);
    expect(rig.machine.members).toEqual([]);
  });

  test('the welcome: subscribe, acknowledge, list of members; all others are waited for, oneself is not', () => {
    const rig = joined();
    expect(trace(rig.receive(welcome([M, A, B], 500)))).toEqual([
      'subscribe chat',
      'groupAck > m #500',
      'established [m a b]',
    ]);
    expect(rig.machine.members).toEqual([M, A, B]);
    expect(trace(rig.command(publish('hi')))).toEqual(['msg > chat #1 all "hi"', 'delivery 1 sent 0/2']);
  });

  test('GroupAdd: acknowledged, and the new one is waited for', () => {
    const rig = established();
    expect(trace(rig.receive(groupAdd(C, [M, A, B, C], 501)))).toEqual(['groupAck > m #501', 'joined c [m a b c]']);
    expect(trace(rig.command(publish('hi'))).at(-1)).toBe('delivery 1 sent 0/3');
  });

  test('GroupRemove: acknowledged, and the removed one is not waited for any more', () => {
    const rig = established();
    rig.command(publish('hi'));
    rig.receive(message('msgAck', M, { id: 1, to: A }));
    expect(trace(rig.receive(groupRemove(B, [M, A], 502)))).toEqual([
      'groupAck > m #502',
      'left b removed [m a]',
      'delivery 1 acked 1/0',
    ]);
  });

  test('LeaveRequest: answered, then the channel is given up and the session ends', () => {
    const rig = established();
    rig.command(publish('hi'));
    expect(trace(rig.receive(message('leaveRequest', M, { id: 503, to: A })))).toEqual([
      'leaveReply > m #503',
      'unsubscribe chat',
      'delivery 1 failed 0/2 removed',
      'end removed',
    ]);
  });

  test('GroupClose: acknowledged, then the channel is given up and the session ends', () => {
    const rig = established();
    expect(trace(rig.receive(message('groupClose', M, { id: 504 })))).toEqual([
      'groupAck > m #504',
      'unsubscribe chat',
      'end closed',
    ]);
  });

  test('in a call nothing is subscribed', () => {
    const rig = joined(callConfig(A));
    const effects = rig.receive({ ...welcome([M, A], 500) });
    expect(trace(effects)).toEqual(['groupAck > m #500', 'established [m a]']);
    expect(trace(rig.receive(message('groupClose', M, { id: 504, to: A })))).toEqual([
      'groupAck > m #504',
      'end closed',
    ]);
  });

  test('a second welcome subscribes nothing again', () => {
    const rig = established();
    expect(trace(rig.receive(welcome([M, A, B], 600)))).toEqual(['groupAck > m #600']);
  });

  test('replies that nobody waits for mean nothing', () => {
    const rig = established();
    for (const kind of ['discoveryReply', 'joinReply', 'leaveReply', 'groupAck', 'groupNack'] as const) {
      expect(rig.receive(message(kind, M, { id: 9, to: A })), kind).toEqual([]);
    }
    const proposal = message('groupProposal', M, {
      content: { kind: 'groupProposal', mlsProposal: new Uint8Array(1) },
    });
    expect(rig.receive(proposal)).toEqual([]);
    expect(rig.receive(message('unspecified', M, { content: { kind: 'unknown' } }))).toEqual([]);
  });
});

describe('the fields of replies', () => {
  test('own full name, the requester, fanout 1, the id of the request, the session', () => {
    const rig = new Rig(new SessionParticipant(groupConfig(A)));
    const [reply] = sent(rig.receive(message('joinRequest', M, { id: 4_000_000_000, to: A })));
    expect(reply).toEqual({
      source: A,
      destination: M,
      fanout: 1,
      sessionType: SessionType.multicast,
      messageType: MessageType.joinReply,
      sessionId: SESSION_ID,
      messageId: 4_000_000_000,
      content: { kind: 'joinReply' },
      metadata: {},
    });
  });

  test('a ping is answered to the moderator with its id and its fanout', () => {
    const rig = established();
    expect(trace(rig.receive(message('ping', M, { id: 77, fanout: 256 })))).toEqual(['ping > m #77 all']);
    expect(trace(rig.receive(message('ping', M, { id: 78, fanout: 1 })))).toEqual(['ping > m #78']);
  });
});

describe('obedience', () => {
  test('control messages of anybody but the moderator mean nothing', () => {
    const rig = established();
    const impostors = [B, C, M.withId(99n), M.withoutId()];
    for (const from of impostors) {
      const requests = [
        message('joinRequest', from, { id: 1, to: A }),
        { ...welcome([M, A], 2), header: { ...welcome([M, A], 2).header, source: from } },
        { ...groupAdd(C, [M, A, B, C], 3), header: { ...groupAdd(C, []).header, source: from } },
        { ...groupRemove(B, [M, A], 4), header: { ...groupRemove(B, []).header, source: from } },
        message('leaveRequest', from, { id: 5, to: A }),
        message('groupClose', from, { id: 6 }),
        message('ping', from, { id: 7 }),
      ];
      for (const request of requests) expect(rig.receive(request)).toEqual([]);
    }
    expect(rig.machine.members).toEqual([M, A, B]);
  });

  test('commands of a moderator are refused', () => {
    const rig = established();
    expect(trace(rig.command({ kind: 'invite', name: C }))).toEqual(['settle 1 not-moderator']);
    expect(trace(rig.command({ kind: 'remove', name: B }))).toEqual(['settle 2 not-moderator']);
  });

  test('a kind whose content is another one means nothing', () => {
    const rig = joined();
    for (const kind of ['groupWelcome', 'groupAdd', 'groupRemove'] as const) {
      expect(rig.receive(message(kind, M, { content: { kind: 'groupAck' } }))).toEqual([]);
    }
    expect(rig.receive(message('msg', M, { content: { kind: 'groupAck' } }))).toEqual([]);
  });
});

describe('requests that come again', () => {
  test('traps 1 and 2: a JoinRequest that comes twice at once is not answered twice', () => {
    const rig = joined();
    rig.advance(T / 2 - 1);
    expect(sentKinds(rig.receive(message('joinRequest', M, { id: 400, to: A })))).toEqual([]);
  });

  test('a request that comes again by name after half of T gets the same answer again, as often as it comes', () => {
    const rig = joined();
    const again = (request: PublishMessage): string[] => {
      rig.advance(T / 2);
      return trace(rig.receive(request));
    };
    const join = message('joinRequest', M, { id: 400, to: A });
    expect([again(join), again(join)]).toEqual([['joinReply > m #400'], ['joinReply > m #400']]);
    const welcomed = { ...welcome([M, A, B]), header: { ...welcome([M, A, B]).header, destination: A } };
    rig.receive(welcomed);
    const id = welcomed.session.messageId;
    expect([again(welcomed), again(welcomed)]).toEqual([[`groupAck > m #${id}`], [`groupAck > m #${id}`]]);
    rig.receive(groupAdd(C, [M, A, B, C], 501), groupRemove(B, [M, A, C], 502));
    const toA = (request: PublishMessage) => ({ ...request, header: { ...request.header, destination: A } });
    expect(again(toA(groupAdd(C, [M, A, B, C], 501)))).toEqual(['groupAck > m #501']);
    expect(again(toA(groupRemove(B, [M, A, C], 502)))).toEqual(['groupAck > m #502']);
    // To the channel it is for others, however late, unless there are none.
    expect(again(groupAdd(C, [M, A, B, C], 501))).toEqual([]);
    expect(rig.machine.members).toEqual([M, A, C]);
    rig.receive(groupRemove(C, [M, A], 503), groupAdd(B, [M, A, B], 504));
    expect(again(groupAdd(B, [M, A, B], 504))).toEqual(['groupAck > m #504']);
  });

  test('on a line slower than T a repetition is no sign that the answer was lost', () => {
    const rig = joined(groupConfig(A, { roundTripMs: T, maxRetries: 10 }));
    rig.advance(T);
    expect(sentKinds(rig.receive(message('joinRequest', M, { id: 400, to: A })))).toEqual([]);
    rig.advance(T);
    expect(sentKinds(rig.receive(message('joinRequest', M, { id: 400, to: A })))).toEqual(['joinReply']);
  });

  test('the answer to what ends the session is given out with the end, for who asks again', () => {
    const ends = (kind: 'leaveRequest' | 'groupClose') =>
      established()
        .receive(message(kind, M, { id: 9, to: A }))
        .flatMap((effect) => (effect.kind === 'end' ? [effect.answer] : []));
    expect(ends('leaveRequest')).toMatchObject([{ message: { messageType: MessageType.leaveReply }, pauseMs: T / 2 }]);
    expect(ends('groupClose')).toMatchObject([{ message: { messageType: MessageType.groupAck }, pauseMs: T / 2 }]);
  });

  test('trap 3: but each distinct one is, also on an existing session (trap 4)', () => {
    const rig = joined();
    expect(sentKinds(rig.receive(message('joinRequest', M, { id: 401, to: A })))).toEqual(['joinReply']);
    rig.receive(welcome([M, A, B]));
    expect(sentKinds(rig.receive(message('joinRequest', M, { id: 402, to: A })))).toEqual(['joinReply']);
    expect(rig.machine.members).toEqual([M, A, B]);
  });

  test('trap 6: repetitions for others are not acknowledged again, and change nothing', () => {
    const rig = established();
    const add = groupAdd(C, [M, A, B, C]);
    const remove = groupRemove(B, [M, A, C]);
    rig.receive(add, remove);
    expect(rig.receive(add)).toEqual([]);
    expect(rig.receive(remove)).toEqual([]);
    expect(rig.receive(welcome([M, A, B]))).toEqual([]);
    expect(rig.machine.members).toEqual([M, A, C]);
  });

  test('an old GroupRemove that comes again does not throw out a member that has come back', () => {
    const rig = established();
    const remove = groupRemove(B, [M, A], 502);
    rig.receive(remove, groupAdd(B, [M, A, B], 503));
    expect(trace(rig.receive(remove))).toEqual([]);
    expect(rig.machine.members).toEqual([M, A, B]);
  });

  test('after a reconnection a repeated request is answered once more: the answer may have been lost', () => {
    const rig = established();
    const add = groupAdd(C, [M, A, B, C], 501);
    rig.receive(add);
    rig.handle({ kind: 'linkDown' });
    rig.handle({ kind: 'linkUp' });
    expect(trace(rig.receive(add))).toEqual(['groupAck > m #501']);
    expect(trace(rig.receive(add))).toEqual([]);
    expect(rig.machine.members).toEqual([M, A, B, C]);
  });

  test('trap 9: a GroupAdd that names the receiver is ignored and not acknowledged', () => {
    const rig = established();
    expect(rig.receive(groupAdd(A, [M, A, B], 501))).toEqual([]);
    expect(trace(rig.command(publish('hi'))).at(-1)).toBe('delivery 1 sent 0/2');
  });

  test('a GroupAdd from before the own time, repeated for others, is ignored and not acknowledged', () => {
    const rig = joined();
    rig.receive(welcome([M, A, B, C]));
    expect(rig.receive(groupAdd(C, [M, B, C], 501))).toEqual([]);
    expect(rig.machine.members).toEqual([M, A, B, C]);
  });

  test('GroupAdd and GroupRemove before the welcome are not acknowledged: they were for others', () => {
    const rig = joined();
    expect(rig.receive(groupAdd(C, [M, B, C]))).toEqual([]);
    expect(rig.receive(groupRemove(C, [M, B]))).toEqual([]);
  });
});

describe('streams of members that come and go', () => {
  test('a member there before: its first message waits briefly for one before it, and then is the start', () => {
    const rig = established();
    expect(trace(rig.receive(msg(B, 30)))).toEqual(['msgAck > b #30']);
    expect(trace(rig.advance(2500))).toContain('got b "b30"');
    expect(rig.timers.has('starts')).toBe(false);
    expect(trace(rig.receive(msg(B, 31)))).toEqual(['msgAck > b #31', 'got b "b31"']);
  });

  test('a member there before speaks for the first time: its second message overtakes the first, and they come in order', () => {
    const rig = established();
    rig.receive(msg(B, 2));
    expect(trace(rig.receive(msg(B, 1)))).toEqual(['msgAck > b #1', 'got b "b1"', 'got b "b2"']);
  });

  test('the session ends while a message waits for one before it: it was acknowledged, so it is shown', () => {
    const rig = established();
    rig.receive(msg(B, 30), msg(M, 1), msg(M, 3));
    expect(trace(rig.receive(message('groupClose', M, { id: 504 })))).toEqual(
      expect.arrayContaining(['got b "b30"', 'lost m 2', 'got m "m3"', 'end closed']),
    );
  });

  test('a member that joins now starts at 1', () => {
    const rig = established();
    rig.receive(groupAdd(C, [M, A, B, C]));
    expect(trace(rig.receive(msg(C, 2)))).toEqual(['msgAck > c #2', 'rtxRequest > c #1']);
  });

  test('a first message that is quicker than its GroupAdd is delivered once', () => {
    const rig = established();
    expect(trace(rig.receive(msg(C, 1)))).toEqual(['msgAck > c #1', 'got c "c1"']);
    rig.receive(groupAdd(C, [M, A, B, C]));
    expect(trace(rig.receive(msg(C, 2)))).toEqual(['msgAck > c #2', 'got c "c2"']);
    expect(trace(rig.receive(msg(C, 1)))).toEqual(['msgAck > c #1']);
  });

  test('a second message that is quicker than its GroupAdd waits for the first', () => {
    const rig = established();
    expect(trace(rig.receive(msg(C, 2)))).toEqual(['msgAck > c #2', 'rtxRequest > c #1']);
    rig.receive(groupAdd(C, [M, A, B, C]));
    expect(trace(rig.receive(msg(C, 1)))).toEqual(['msgAck > c #1', 'got c "c1"', 'got c "c2"']);
  });

  test('trap 12: a member that was removed and is added again may start at 1 again', () => {
    const rig = established();
    rig.receive(msg(B, 1), msg(B, 2));
    rig.receive(groupRemove(B, [M, A], 502), groupAdd(B, [M, A, B], 503));
    expect(trace(rig.receive(msg(B, 1, 'new')))).toEqual(['msgAck > b #1', 'got b "new"']);
  });

  test('a member that goes on with its numbers after it came back is not asked for what was delivered before', () => {
    const rig = established();
    rig.receive(msg(B, 1), msg(B, 2));
    rig.receive(groupRemove(B, [M, A], 502), groupAdd(B, [M, A, B], 503));
    expect(trace(rig.receive(msg(B, 3)))).toEqual(['msgAck > b #3', 'got b "b3"']);
  });

  test('a message repeated by a member that was removed is not delivered a second time', () => {
    const rig = established();
    rig.receive(msg(B, 1));
    rig.receive(groupRemove(B, [M, A], 502));
    expect(trace(rig.receive(msg(B, 1)))).toEqual([]);
  });

  test('a member added again without a removal (0.7.0 tells nobody when two are left) may start at 1 again', () => {
    const rig = established();
    rig.receive(msg(B, 1), msg(B, 2));
    expect(trace(rig.receive(groupAdd(B, [M, A, B], 503)))).toEqual(['groupAck > m #503']);
    expect(trace(rig.receive(msg(B, 1, 'new')))).toEqual(['msgAck > b #1', 'got b "new"']);
  });
});

describe('before the welcome', () => {
  test('messages that come early are given out when the session is usable, not before', () => {
    const rig = joined(callConfig(A));
    expect(trace(rig.receive(msg(M, 1, 'early', { to: A })))).toEqual(['msgAck > m #1']);
    expect(trace(rig.receive(welcome([M, A], 500)))).toEqual([
      'groupAck > m #500',
      'established [m a]',
      'got m "early"',
    ]);
    expect(trace(rig.receive(msg(M, 1, 'early', { to: A })))).toEqual(['msgAck > m #1']);
  });

  test('large messages that come early are left to their sender beyond 16 MiB, and taken when the session is usable', () => {
    const rig = joined(callConfig(A));
    const large = (id: number) => msg(M, id, 'x'.repeat(4_000_000), { to: A });
    const taken = Array.from({ length: 10 }, (_, index) => index + 1).filter((id) =>
      sentKinds(rig.receive(large(id))).includes('msgAck'),
    );
    expect(taken).toEqual([1, 2, 3, 4, 5]);
    const effects = rig.receive(welcome([M, A], 500));
    expect(effects.filter((effect) => effect.kind === 'notify' && effect.notice.kind === 'message')).toHaveLength(5);
    expect(sentKinds(rig.receive(large(6)))).toEqual(['msgAck']);
  });

  test('of a sender whose messages come early nothing from before is asked for', () => {
    const rig = joined(callConfig(A));
    expect(trace(rig.receive(msg(M, 30, 'early', { to: A })))).toEqual(['msgAck > m #30']);
  });

  test('own messages wait for the whole list, not for its first name', () => {
    const rig = joined();
    expect(trace(rig.command(publish('hi')))).toEqual(['delivery 1 queued 0/0']);
    expect(trace(rig.receive(welcome([M, A, B]))).slice(-2)).toEqual(['msg > chat #1 all "hi"', 'delivery 1 sent 0/2']);
  });

  test('a welcome that never comes: the session was never usable', () => {
    const rig = joined();
    const limit = Math.max(2 * (R + 1) * T, 60_000);
    expect(rig.advance(limit - 1)).toEqual([]);
    expect(trace(rig.advance(1))).toEqual(['end abandoned']);
  });

  test('the welcome ends that wait', () => {
    const rig = established();
    expect(rig.timers.has('limbo')).toBe(false);
    rig.receive(message('ping', M));
    expect(trace(rig.advance(3 * PING_INTERVAL_MS))).toEqual([]);
  });

  test('leaving tells nobody', () => {
    const rig = joined();
    expect(trace(rig.command({ kind: 'close' }))).toEqual(['settle 1', 'end left']);
  });

  test('a wait longer than a timer can be is no wait of no time', () => {
    const rig = new Rig(new SessionParticipant(groupConfig(A, { timeoutMs: 600_000, maxRetries: 2 ** 32 - 1 })));
    const effects = rig.receive(message('joinRequest', M, { id: 400, to: A }));
    for (const effect of effects) {
      if (effect.kind === 'setTimer') expect(effect.afterMs).toBeLessThanOrEqual(2 ** 31 - 1);
    }
    expect(timerTrace(effects)).toHaveLength(1);
  });
});

describe('leaving', () => {
  test('from a moderator that never pinged: told once, nothing is waited for', () => {
    const rig = established();
    const effects = rig.command({ kind: 'close' });
    expect(trace(effects)).toEqual([
      'unsubscribe chat',
      expect.stringMatching(/^leaveRequest > m #\d+ LEAVING_SESSION$/) as string,
      'settle 1',
      'end left',
    ]);
  });

  test('from a moderator that pinged: repeated until it answers', () => {
    const rig = pinged();
    const goodbye = trace(rig.command({ kind: 'close' }));
    expect(goodbye).toEqual([
      'unsubscribe chat',
      expect.stringMatching(/^leaveRequest > m #\d+ LEAVING_SESSION$/) as string,
    ]);
    expect(trace(rig.advance(T))).toEqual([goodbye[1]]);
    const id = Number(/#(\d+)/.exec(goodbye[1]!)![1]);
    expect(trace(rig.receive(message('leaveReply', M, { id, to: A })))).toEqual(['settle 1', 'end left']);
  });

  test('a moderator that does not answer: it ends all the same', () => {
    const rig = pinged();
    rig.command({ kind: 'close' });
    expect(trace(rig.advance((R + 1) * T)).slice(-2)).toEqual(['settle 1', 'end left']);
  });

  test('a second close waits for the first', () => {
    const rig = pinged();
    const id = sent(rig.command({ kind: 'close' }))[0]!.messageId;
    expect(trace(rig.command({ kind: 'close' }))).toEqual([]);
    expect(trace(rig.receive(message('leaveReply', M, { id, to: A })))).toEqual(['settle 1', 'settle 2', 'end left']);
  });

  test('abandon ends it at once, and the close with it', () => {
    const rig = pinged();
    rig.command({ kind: 'close' });
    expect(trace(rig.command({ kind: 'abandon' }))).toEqual(['settle 1', 'settle 2', 'end left']);
  });

  test('the moderator removes who is leaving: that ends it too', () => {
    const rig = pinged();
    rig.command({ kind: 'close' });
    expect(trace(rig.receive(message('leaveRequest', M, { id: 9, to: A })))).toEqual([
      'leaveReply > m #9',
      'settle 1',
      'end removed',
    ]);
  });

  test('nothing is published any more', () => {
    const rig = pinged();
    rig.command({ kind: 'close' });
    expect(trace(rig.command(publish('late')))).toEqual(['delivery 2 failed 0/0 closed']);
  });
});

describe('the moderator is silent', () => {
  test('one that never pings stays, if it says that it never sent number 0', () => {
    const rig = established();
    for (let round = 0; round < 100; round += 1) {
      expect(trace(rig.advance(PING_INTERVAL_MS / 2))).toContain('rtxRequest > m #0');
      rig.receive(message('rtxReply', M, { id: PROBE_ID, error: true }));
      expect(trace(rig.advance(PING_INTERVAL_MS / 2))).toEqual([]);
    }
  });

  test.each([1000, 5000, 9000])(
    'one that was killed %i ms after the welcome, before its first ping, is gone',
    (aliveMs) => {
      const rig = established();
      rig.advance(aliveMs);
      rig.receive(groupAdd(C, [M, A, B, C], 777));
      expect(trace(rig.advance((MAX_MISSED_PINGS + 1) * PING_INTERVAL_MS)).at(-1)).toBe('end moderator-gone');
    },
  );

  test('one that pinged is gone after three windows', () => {
    const rig = pinged();
    expect(trace(rig.advance((MAX_MISSED_PINGS + 1) * PING_INTERVAL_MS - 1))).toEqual([]);
    expect(trace(rig.advance(1))).toEqual(['unsubscribe chat', 'end moderator-gone']);
  });

  test('each ping is a sign of life', () => {
    const rig = pinged();
    for (let id = 2; id < 20; id += 1) {
      expect(sentKinds(rig.advance(2 * PING_INTERVAL_MS))).toEqual([]);
      expect(sentKinds(rig.receive(message('ping', M, { id, fanout: 256 })))).toEqual(['ping']);
    }
  });

  test('while the own link is down it is not its fault', () => {
    const rig = pinged();
    rig.handle({ kind: 'linkDown' });
    expect(trace(rig.advance(3_600_000))).toEqual([]);
    rig.handle({ kind: 'linkUp' });
    expect(trace(rig.advance(MAX_MISSED_PINGS * PING_INTERVAL_MS - 1))).toEqual([]);
    expect(trace(rig.advance(1)).at(-1)).toBe('end moderator-gone');
  });
});

test('after a reconnection, what is missing of a member is asked for again', () => {
  const rig = established();
  rig.receive(msg(B, 1), msg(B, 3));
  rig.handle({ kind: 'linkDown' });
  expect(rig.advance(100 * T)).toEqual([]);
  rig.handle({ kind: 'linkUp' });
  expect(trace(rig.advance(T))).toContain('rtxRequest > b #2');
});

describe('removed without being told (GroupRemove names the receiver)', () => {
  test('a LeaveRequest usually follows', () => {
    const rig = established();
    expect(trace(rig.receive(groupRemove(A, [M, B], 502)))).toEqual(['groupAck > m #502']);
    expect(trace(rig.receive(message('leaveRequest', M, { id: 503, to: A }))).at(-1)).toBe('end removed');
  });

  test('otherwise it ends by itself', () => {
    const rig = established();
    rig.receive(groupRemove(A, [M, B], 502));
    expect(trace(rig.advance((R + 2) * T))).toEqual(['unsubscribe chat', 'end removed']);
  });

  test('unless it is welcomed again; then the list is the new one', () => {
    const rig = established();
    rig.receive(groupRemove(A, [M, B], 502), message('joinRequest', M, { id: 600, to: A }));
    expect(trace(rig.receive(welcome([M, A, C], 601)))).toEqual([
      'groupAck > m #601',
      'left b removed [m a c]',
      'joined c [m a c]',
    ]);
    rig.receive(message('ping', M));
    expect(rig.advance(2 * PING_INTERVAL_MS)).not.toContain('end removed');
    expect(trace(rig.command(publish('hi'))).at(-1)).toBe('delivery 1 sent 0/2');
  });
});

describe('reasons of a departure', () => {
  test.each([
    ['LEAVING_SESSION', 'left'],
    ['DISCONNECTION_DETECTED', 'offline'],
  ])('%s: %s', (key, reason) => {
    const rig = established();
    const effects = rig.receive({ ...groupRemove(B, [M, A]), metadata: { [key]: 'TRUE' } });
    expect(trace(effects)[1]).toBe(`left b ${reason} [m a]`);
  });
});

describe('after the end', () => {
  test('nothing is sent any more, and every command still gets its answer', () => {
    const rig = established();
    rig.receive(message('groupClose', M, { id: 504 }));
    expect(rig.receive(msg(B, 1), message('groupClose', M, { id: 505 }), message('ping', M))).toEqual([]);
    expect(rig.handle({ kind: 'timer', timer: 'acks' })).toEqual([]);
    expect(rig.handle({ kind: 'linkDown' })).toEqual([]);
    expect(rig.handle({ kind: 'linkUp' })).toEqual([]);
    expect(trace(rig.command(publish('late')))).toEqual(['delivery 1 failed 0/0 closed']);
    expect(trace(rig.command({ kind: 'close' }))).toEqual(['settle 2']);
    expect(trace(rig.command({ kind: 'abandon' }))).toEqual(['settle 3']);
    expect(trace(rig.command({ kind: 'invite', name: B }))).toEqual(['settle 4 closed']);
    expect(trace(rig.command({ kind: 'remove', name: B }))).toEqual(['settle 5 closed']);
  });

  test('no timer is left', () => {
    const rig = pinged();
    rig.command(publish('hi'));
    rig.receive(msg(B, 1), msg(B, 3));
    expect([...rig.timers.keys()].sort()).toEqual(['acks', 'ask', 'liveness', 'rtx']);
    rig.receive(message('groupClose', M, { id: 504 }));
    expect([...rig.timers.keys()]).toEqual([]);
  });
});

test('trap 22: a JoinRequest does not make this side a moderator', () => {
  const rig = new Rig(new SessionParticipant(groupConfig(A)));
  expect(trace(rig.receive(message('joinRequest', M, { id: 1, to: A, metadata: { IS_MODERATOR: 'TRUE' } })))).toEqual([
    'joinReply > m #1',
  ]);
});

test('trap 13: everything goes to the channel, also when one member has acknowledged nothing', () => {
  const rig = established();
  for (let id = 1; id <= 5; id += 1) {
    const [first] = sent(rig.command(publish(`m${String(id)}`)));
    expect(first).toMatchObject({ destination: CHANNEL, messageId: id, fanout: 256 });
  }
});
