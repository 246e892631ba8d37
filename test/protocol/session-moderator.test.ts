import { describe, expect, test } from 'vitest';

import type { Name } from '../../src/name/index.js';
import { type Effect, type SessionConfig, SessionModerator } from '../../src/protocol/index.js';
import { MAX_MISSED_PINGS, PING_INTERVAL_MS, PROBE_ID } from '../../src/protocol/ping-rounds.js';
import {
  A,
  B,
  C,
  groupConfig,
  idOf,
  idsOf,
  M,
  message,
  msg,
  publish,
  R,
  Rig,
  sent,
  sentKinds,
  T,
  trace,
} from './support.js';

function moderator(config: SessionConfig = groupConfig(M)): Rig {
  return new Rig(new SessionModerator(config));
}

/** Answers every GroupAck, JoinReply and LeaveReply that `effects` ask `members` for; gives what comes of it. */
function answer(rig: Rig, effects: readonly Effect[], members: readonly Name[]): Effect[] {
  const result: Effect[] = [];
  for (const request of sent(effects)) {
    const { content, destination, messageId } = request;
    const asked = members.filter((member) => destination.equals(member) || destination.equals(groupConfig(M).channel));
    for (const member of asked) {
      if (content.kind === 'joinRequest') result.push(...rig.receive(message('joinReply', member, { id: messageId })));
      if (content.kind === 'leaveRequest') {
        result.push(...rig.receive(message('leaveReply', member, { id: messageId })));
      }
      const isAdded = content.kind === 'groupAdd' && content.newParticipant.equals(member);
      const isGroupChange = ['groupWelcome', 'groupAdd', 'groupRemove', 'groupClose'].includes(content.kind);
      if (isGroupChange && !isAdded) result.push(...rig.receive(message('groupAck', member, { id: messageId })));
    }
  }
  return result;
}

/** Invites `member` up to its welcome, which is not acknowledged yet; gives the effects of the JoinReply. */
function inviteToWelcome(rig: Rig, member: Name): Effect[] {
  const discovery = rig.command({ kind: 'invite', name: member.withoutId() });
  const id = idOf(discovery, 'discoveryRequest');
  const join = rig.receive(message('discoveryReply', member, { id, to: M }));
  return rig.receive(message('joinReply', member, { id: idOf(join, 'joinRequest'), to: M }));
}

/** Invites `member` into a group with `others`, everybody answers; gives what the last answer did. */
function invite(rig: Rig, member: Name, others: readonly Name[] = []): Effect[] {
  return answer(rig, inviteToWelcome(rig, member), [...others, member]);
}

/** A group with these members. */
function groupOf(...members: readonly Name[]): Rig {
  const rig = moderator();
  members.forEach((member, index) => invite(rig, member, members.slice(0, index)));
  expect(rig.machine.members).toEqual([M, ...members]);
  return rig;
}

/** Lets a control request run out of its tries. */
const GIVE_UP_MS = (R + 1) * T;

describe('scenarios of the upstream tests', () => {
  test('a group that was created has sent nothing', () => {
    const rig = moderator();
    expect(rig.machine.members).toEqual([M]);
    expect(rig.advance(3_600_000)).toEqual([]);
  });

  test('an invitation, message by message (session.md 3.3)', () => {
    const rig = moderator();
    expect(trace(rig.command({ kind: 'invite', name: A.withoutId() }))).toEqual(['discoveryRequest > a* #1000']);
    expect(trace(rig.receive(message('discoveryReply', A, { id: 1000 })))).toEqual([
      'subscribe chat',
      'joinRequest > a #1001',
    ]);
    expect(trace(rig.receive(message('joinReply', A, { id: 1001 })))).toEqual(['groupWelcome > a #1002 [m a]']);
    expect(trace(rig.receive(message('groupAck', A, { id: 1002 })))).toEqual(['joined a [m a]', 'settle 1 a']);
    expect(rig.machine.members).toEqual([M, A]);
  });

  test('the second one, with another member there (session.md 3.4)', () => {
    const rig = groupOf(A);
    rig.env.nextRandom = 2000;
    rig.command({ kind: 'invite', name: B.withoutId() });
    expect(trace(rig.receive(message('discoveryReply', B, { id: 2000 })))).toEqual(['joinRequest > b #2001']);
    expect(trace(rig.receive(message('joinReply', B, { id: 2001 })))).toEqual([
      'groupAdd > chat #2002 all +b [m a b]',
      'groupWelcome > b #2003 [m a b]',
    ]);
    expect(trace(rig.receive(message('groupAck', B, { id: 2003 })))).toEqual(['joined b [m a b]']);
    expect(trace(rig.receive(message('groupAck', A, { id: 2002 })))).toEqual(['settle 2 b']);
  });

  test('a removal from a group of three (session.md 3.6): the others first, then the removed one', () => {
    const rig = groupOf(A, B, C);
    rig.env.nextRandom = 3000;
    expect(trace(rig.command({ kind: 'remove', name: B.withoutId() }))).toEqual([
      'left b removed [m a c]',
      'groupRemove > chat #3000 all -b [m a c]',
    ]);
    rig.receive(message('groupAck', A, { id: 3000 }));
    expect(trace(rig.receive(message('groupAck', C, { id: 3000 })))).toEqual(['leaveRequest > b #3001']);
    expect(trace(rig.receive(message('leaveReply', B, { id: 3001 })))).toEqual(['settle 4']);
    expect(rig.machine.members).toEqual([M, A, C]);
  });

  test('a removal that leaves one other: it is told, unlike by 0.7', () => {
    const rig = groupOf(A, B);
    const effects = rig.command({ kind: 'remove', name: B });
    expect(sentKinds(effects)).toEqual(['groupRemove']);
    expect(sentKinds(answer(rig, effects, [A]))).toEqual(['leaveRequest']);
  });

  test('the removal of the only one: a LeaveRequest only', () => {
    const rig = groupOf(A);
    expect(trace(rig.command({ kind: 'remove', name: A }))).toEqual([
      'left a removed [m]',
      expect.stringMatching(/^leaveRequest > a #/) as string,
    ]);
    expect(rig.machine.members).toEqual([M]);
  });

  test('the channel is subscribed once', () => {
    const rig = groupOf(A);
    const effects = [...invite(rig, B, [A]), ...invite(rig, C, [A, B])];
    expect(trace(effects).filter((line) => line.startsWith('subscribe'))).toEqual([]);
  });

  test('the close: all are told once, it is over when all have acknowledged', () => {
    const rig = groupOf(A, B);
    const effects = rig.command({ kind: 'close' });
    expect(trace(effects)).toEqual([expect.stringMatching(/^groupClose > chat #\d+ all \[m a b\]$/) as string]);
    const id = idOf(effects, 'groupClose');
    expect(trace(rig.receive(message('groupAck', A, { id })))).toEqual([]);
    expect(trace(rig.receive(message('groupAck', B, { id })))).toEqual(['unsubscribe chat', 'settle 3', 'end closed']);
  });

  test('who is no member: removal and its answer', () => {
    const rig = groupOf(A);
    expect(trace(rig.command({ kind: 'remove', name: B }))).toEqual(['settle 2 participant-not-found']);
    expect(trace(rig.command({ kind: 'remove', name: M }))).toEqual(['settle 3 participant-not-found']);
    expect(trace(rig.command({ kind: 'remove', name: A.withId(5n) }))).toEqual(['settle 4 participant-not-found']);
  });

  test('a second instance of a name that is in the group or being invited is refused (trap 8)', () => {
    const rig = groupOf(A);
    expect(sentKinds(rig.command({ kind: 'invite', name: A.withId(5n) }))).toEqual(['ping', 'rtxRequest']);
    expect(trace(rig.receive(message('ping', A)))).toEqual(['settle 2 already-in-group']);
    rig.command({ kind: 'invite', name: B });
    expect(trace(rig.command({ kind: 'invite', name: B.withId(5n) }))).toEqual(['settle 4 already-in-group']);
    expect(trace(rig.command({ kind: 'invite', name: M.withoutId() }))).toEqual(['settle 5 already-in-group']);
  });

  test('a JoinRequest, and other requests of a moderator, mean nothing to a moderator', () => {
    const rig = groupOf(A);
    const before = rig.machine.members;
    const requests = [
      message('joinRequest', A),
      message('groupWelcome', A, { content: { kind: 'groupWelcome', participants: [A] } }),
      message('groupAdd', A, { content: { kind: 'groupAdd', newParticipant: B, participants: [M, A, B] } }),
      message('groupRemove', A, { content: { kind: 'groupRemove', removedParticipant: M, participants: [A] } }),
      message('groupClose', A),
      message('leaveRequest', A),
      message('groupNack', A),
      message('groupProposal', A, { content: { kind: 'groupProposal', mlsProposal: new Uint8Array(0) } }),
    ];
    for (const request of requests) expect(rig.receive(request), request.content.kind).toEqual([]);
    expect(rig.machine.members).toEqual(before);
  });
});

describe('who does not answer', () => {
  test('the discovery: repeated, then the invitation fails', () => {
    const rig = moderator();
    rig.command({ kind: 'invite', name: A.withoutId() });
    expect(trace(rig.advance(GIVE_UP_MS - 1))).toEqual(['discoveryRequest > a* #1000', 'discoveryRequest > a* #1000']);
    expect(trace(rig.advance(1))).toEqual(['settle 1 invite-timeout']);
    expect(sentKinds(rig.command({ kind: 'invite', name: A.withoutId() }))).toEqual(['discoveryRequest']);
  });

  test('the join: the invitation fails, and the group is as it was', () => {
    const rig = groupOf(A);
    const id = idOf(rig.command({ kind: 'invite', name: B }), 'discoveryRequest');
    rig.receive(message('discoveryReply', B, { id }));
    expect(trace(rig.advance(GIVE_UP_MS)).at(-1)).toBe('settle 2 invite-timeout');
    expect(rig.machine.members).toEqual([M, A]);
  });

  test('the welcome: the invitation fails, the others are told to forget the new one', () => {
    const rig = groupOf(A);
    const add = idOf(inviteToWelcome(rig, B), 'groupAdd');
    rig.receive(message('groupAck', A, { id: add }));
    const effects = rig.advance(GIVE_UP_MS);
    expect(trace(effects).slice(-2)).toEqual([
      'settle 2 invite-timeout',
      expect.stringMatching(/^groupRemove > chat #\d+ all -b \[m a\] DISCONNECTION_DETECTED$/) as string,
    ]);
    expect(rig.machine.members).toEqual([M, A]);
  });

  test('the addition: it stands; who does not acknowledge it is found by pings', () => {
    const rig = groupOf(A);
    const effects = inviteToWelcome(rig, B);
    rig.receive(message('groupAck', B, { id: idOf(effects, 'groupWelcome') }));
    expect(trace(rig.advance(GIVE_UP_MS)).at(-1)).toBe('settle 2 b');
    expect(rig.machine.members).toEqual([M, A, B]);
  });

  test('the removal: the removed one is told all the same', () => {
    const rig = groupOf(A, B);
    rig.command({ kind: 'remove', name: B });
    expect(sentKinds(rig.advance(GIVE_UP_MS)).at(-1)).toBe('leaveRequest');
    expect(trace(rig.advance(GIVE_UP_MS)).at(-1)).toBe('settle 3');
  });

  test('the close: it ends all the same', () => {
    const rig = groupOf(A);
    rig.command({ kind: 'close' });
    expect(trace(rig.advance(GIVE_UP_MS)).slice(-3)).toEqual(['unsubscribe chat', 'settle 2', 'end closed']);
  });

  test('a failure never stops what waits behind it (session.md 3.5 and 3.11)', () => {
    const rig = groupOf(A);
    inviteToWelcome(rig, B);
    const join = inviteToWelcome(rig, C);
    expect(sentKinds(join)).toEqual([]);
    // B never acknowledges its welcome; then A is told to forget B, and C is next.
    expect(sentKinds(rig.advance(GIVE_UP_MS)).at(-1)).toBe('groupRemove');
    const next = rig.advance(GIVE_UP_MS);
    expect(sentKinds(next).slice(-2)).toEqual(['groupAdd', 'groupWelcome']);
    expect(trace(answer(rig, next.slice(-3), [A, C])).at(-1)).toBe('settle 3 c');
  });
});

describe('several things at once (session.md 3.5)', () => {
  test('discovery and join run side by side; members are admitted one by one', () => {
    const rig = moderator();
    const first = inviteToWelcome(rig, A);
    expect(sentKinds(first)).toEqual(['groupWelcome']);
    expect(sentKinds(inviteToWelcome(rig, B))).toEqual([]);
    expect(sentKinds(inviteToWelcome(rig, C))).toEqual([]);
    const second = rig.receive(message('groupAck', A, { id: idOf(first, 'groupWelcome') }));
    expect(trace(second)).toEqual([
      'joined a [m a]',
      'settle 1 a',
      expect.stringMatching(/^groupAdd > chat #\d+ all \+b \[m a b\]$/) as string,
      expect.stringMatching(/^groupWelcome > b #\d+ \[m a b\]$/) as string,
    ]);
    const third = answer(rig, second, [A, B]);
    expect(sentKinds(third)).toEqual(['groupAdd', 'groupWelcome']);
    answer(rig, third, [A, B, C]);
    expect(rig.machine.members).toEqual([M, A, B, C]);
  });

  test('a removal of who is being invited ends the invitation, however far it is', () => {
    const rig = groupOf(A);
    const discovery = rig.command({ kind: 'invite', name: B.withoutId() });
    expect(trace(rig.command({ kind: 'remove', name: B.withoutId() }))).toEqual(['settle 2 aborted', 'settle 3']);
    // Whoever answers now comes too late, and nobody is asked again.
    expect(
      trace(rig.receive(message('discoveryReply', B, { id: idOf(discovery, 'discoveryRequest'), to: M }))),
    ).toEqual([]);

    const id = idOf(rig.command({ kind: 'invite', name: B.withoutId() }), 'discoveryRequest');
    const join = rig.receive(message('discoveryReply', B, { id, to: M }));
    expect(trace(rig.command({ kind: 'remove', name: B.withoutId() }))).toEqual([
      expect.stringMatching(/^leaveRequest > b #\d+/) as string,
      'settle 4 aborted',
      'settle 5',
    ]);
    expect(trace(rig.receive(message('joinReply', B, { id: idOf(join, 'joinRequest'), to: M })))).toEqual([]);
    expect(rig.machine.members).toEqual([M, A]);
    expect(sentKinds(rig.advance(2 * T))).not.toContain('discoveryRequest');
  });

  test('a removal of who waits to be admitted ends the invitation; the next one is not held up', () => {
    const rig = groupOf(A);
    const first = inviteToWelcome(rig, B);
    inviteToWelcome(rig, C);
    expect(trace(rig.command({ kind: 'remove', name: C.withoutId() }))).toEqual([
      expect.stringMatching(/^leaveRequest > c #\d+/) as string,
      'settle 3 aborted',
      'settle 4',
    ]);
    expect(sentKinds(answer(rig, first, [A, B]))).toEqual([]);
    expect(rig.machine.members).toEqual([M, A, B]);
  });

  test('a removal of another instance than the one that is invited does not end the invitation', () => {
    const rig = groupOf(A);
    const id = idOf(rig.command({ kind: 'invite', name: B.withoutId() }), 'discoveryRequest');
    rig.receive(message('discoveryReply', B, { id, to: M }));
    expect(trace(rig.command({ kind: 'remove', name: B.withId(5n) }))).toEqual(['settle 3 participant-not-found']);
  });

  test('a removal of who is being admitted is done when the admission fails', () => {
    const rig = groupOf(A);
    inviteToWelcome(rig, B);
    expect(trace(rig.command({ kind: 'remove', name: B }))).toEqual([]);
    const effects = rig.advance(GIVE_UP_MS);
    expect(trace(effects).filter((line) => line.startsWith('settle'))).toEqual(['settle 2 invite-timeout']);
    expect(sentKinds(effects).at(-1)).toBe('groupRemove');
    expect(trace(answer(rig, effects.slice(-3), [A]))).toEqual(['settle 3']);
    expect(rig.machine.members).toEqual([M, A]);
  });

  test('a removal of who is being admitted, and a close: each command has one answer', () => {
    const rig = groupOf(A);
    inviteToWelcome(rig, B);
    rig.command({ kind: 'remove', name: B });
    rig.receive(message('leaveRequest', B, { id: 77, metadata: { LEAVING_SESSION: 'TRUE' } }));
    const effects = [...rig.command({ kind: 'close' }), ...rig.command({ kind: 'abandon' })];
    const settled = trace(effects).filter((line) => line.startsWith('settle'));
    expect(settled).toEqual(['settle 3 closed', 'settle 4', 'settle 5']);
  });

  test('a removal waits for the admission that runs, an invitation for the removal', () => {
    const rig = groupOf(A, B);
    const admission = inviteToWelcome(rig, C);
    expect(trace(rig.command({ kind: 'remove', name: A }))).toEqual([]);
    const removal = answer(rig, admission, [A, B, C]);
    expect(sentKinds(removal)).toEqual(['groupRemove']);
    expect(trace(rig.command({ kind: 'invite', name: A }))).toEqual([]);
    const leave = answer(rig, removal, [B, C]);
    const again = answer(rig, leave, [A]);
    expect(trace(again)[0]).toBe('settle 4');
    expect(sentKinds(again)).toEqual(['discoveryRequest']);
  });

  test('a name on its way out is invited again once', () => {
    const rig = groupOf(A, B);
    const removal = rig.command({ kind: 'remove', name: A });
    expect(trace(rig.command({ kind: 'invite', name: A }))).toEqual([]);
    expect(trace(rig.command({ kind: 'invite', name: A.withoutId() }))).toEqual([]);
    const again = answer(rig, answer(rig, removal, [B]), [A]);
    expect(sentKinds(again)).toEqual(['discoveryRequest']);
    const join = rig.receive(message('discoveryReply', A, { id: idOf(again, 'discoveryRequest') }));
    const back = trace(answer(rig, answer(rig, join, [A]), [A, B]));
    expect(back.filter((line) => line.startsWith('settle'))).toEqual(['settle 4 a', 'settle 5 a']);
  });

  test('a second removal of the same member is refused while the first runs', () => {
    const rig = groupOf(A, B);
    rig.command({ kind: 'remove', name: A });
    expect(trace(rig.command({ kind: 'remove', name: A }))).toEqual(['settle 4 participant-not-found']);
  });

  test('a member that is removed before all have heard of it: nobody is told of it any more', () => {
    const rig = groupOf(A, B);
    const effects = inviteToWelcome(rig, C);
    rig.receive(message('groupAck', C, { id: idOf(effects, 'groupWelcome') }));
    expect(trace(rig.command({ kind: 'remove', name: C })).slice(0, 2)).toEqual([
      'settle 3 c',
      'left c removed [m a b]',
    ]);
    expect(new Set(sentKinds(rig.advance(T)))).toEqual(new Set(['groupRemove']));
  });

  test('a member that is removed while an addition waits for its acknowledgement holds nothing up', () => {
    const rig = groupOf(A, B);
    const effects = inviteToWelcome(rig, C);
    rig.receive(message('groupAck', C, { id: idOf(effects, 'groupWelcome') }));
    rig.receive(message('groupAck', B, { id: idOf(effects, 'groupAdd') }));
    expect(trace(rig.command({ kind: 'remove', name: A })).slice(0, 2)).toEqual([
      'settle 3 c',
      'left a removed [m b c]',
    ]);
  });
});

describe('stray replies (trap 5 and appendix A 10)', () => {
  test('late, duplicate and foreign ones change nothing and stop nothing', () => {
    const rig = moderator();
    const kinds = ['discoveryReply', 'joinReply', 'leaveReply', 'groupAck', 'groupNack'] as const;
    for (const kind of kinds) expect(rig.receive(message(kind, A, { id: 1 }))).toEqual([]);
    rig.command({ kind: 'invite', name: A.withoutId() });
    for (const kind of kinds) {
      if (kind !== 'discoveryReply') expect(rig.receive(message(kind, A, { id: 1000 })), kind).toEqual([]);
    }
    expect(rig.receive(message('discoveryReply', B, { id: 1000 }))).toEqual([]);
    expect(rig.receive(message('discoveryReply', A.withoutId(), { id: 1000 }))).toEqual([]);
    expect(sentKinds(rig.receive(message('discoveryReply', A, { id: 1000 })))).toEqual(['joinRequest']);
    expect(rig.receive(message('discoveryReply', A, { id: 1000 }))).toEqual([]);
    expect(rig.receive(message('discoveryReply', A.withId(5n), { id: 1000 }))).toEqual([]);
    expect(sentKinds(rig.receive(message('joinReply', A, { id: 1001 })))).toEqual(['groupWelcome']);
    expect(rig.receive(message('joinReply', A, { id: 1001 }))).toEqual([]);
    expect(rig.receive(message('groupAck', B, { id: 1002 }))).toEqual([]);
    expect(trace(rig.receive(message('groupAck', A, { id: 1002 }))).at(-1)).toBe('settle 1 a');
    expect(rig.receive(message('groupAck', A, { id: 1002 }))).toEqual([]);
    expect(rig.machine.members).toEqual([M, A]);
  });
});

describe('payloads', () => {
  test('trap 17: an invitation succeeds when the member can receive; what was published before goes out then', () => {
    const rig = moderator();
    expect(trace(rig.command(publish('hi')))).toEqual(['delivery 1 queued 0/0']);
    const effects = inviteToWelcome(rig, A);
    expect(sentKinds(effects)).toEqual(['groupWelcome']);
    expect(trace(rig.receive(message('groupAck', A, { id: idOf(effects, 'groupWelcome') })))).toEqual([
      'joined a [m a]',
      'msg > chat #1 all "hi"',
      'delivery 1 sent 0/1',
      'settle 2 a',
    ]);
  });

  test('a member that is being admitted is heard, a stranger is not', () => {
    const rig = moderator();
    inviteToWelcome(rig, A);
    expect(trace(rig.receive(msg(A, 1)))).toEqual(['msgAck > a #1', 'got a "a1"']);
    expect(rig.receive(msg(B, 1))).toEqual([]);
  });

  test('a member on its way out is heard until it is out, each message once', () => {
    const rig = groupOf(A, B);
    rig.receive(msg(A, 1));
    const removal = rig.command({ kind: 'remove', name: A });
    expect(trace(rig.receive(msg(A, 1)))).toEqual(['msgAck > a #1']);
    expect(trace(rig.receive(msg(A, 2)))).toEqual(['msgAck > a #2', 'got a "a2"']);
    answer(rig, answer(rig, removal, [B]), [A]);
    expect(rig.receive(msg(A, 2), msg(A, 3))).toEqual([]);
  });

  test('messages wait for nobody who is gone', () => {
    const rig = groupOf(A, B);
    rig.command(publish('hi'));
    rig.receive(message('msgAck', B, { id: 1 }));
    expect(trace(rig.command({ kind: 'remove', name: A }))).toContain('delivery 3 acked 1/0');
  });

  test('after the last member has left, messages wait for the next one', () => {
    const rig = groupOf(A);
    answer(rig, rig.command({ kind: 'remove', name: A }), [A]);
    expect(trace(rig.command(publish('hi')))).toEqual(['delivery 3 queued 0/0']);
    expect(trace(invite(rig, B))).toContain('msg > chat #1 all "hi"');
  });
});

describe('a participant that leaves (session.md 9.3)', () => {
  const goodbye = (from: Name) => message('leaveRequest', from, { id: 77, metadata: { LEAVING_SESSION: 'TRUE' } });

  test('is answered, the others are told, and nobody sends it a LeaveRequest', () => {
    const rig = groupOf(A, B);
    const effects = rig.receive(goodbye(A));
    expect(trace(effects)).toEqual([
      'leaveReply > a #77',
      'left a left [m b]',
      expect.stringMatching(/^groupRemove > chat #\d+ all -a \[m b\] LEAVING_SESSION$/) as string,
    ]);
    expect(answer(rig, effects, [B])).toEqual([]);
    expect(rig.machine.members).toEqual([M, B]);
  });

  test('the last one: the group stays open', () => {
    const rig = groupOf(A);
    expect(trace(rig.receive(goodbye(A)))).toEqual(['leaveReply > a #77', 'left a left [m]']);
    expect(sentKinds(rig.command({ kind: 'invite', name: A }))).toEqual(['discoveryRequest']);
  });

  test('two at once: the first is not waited for by the second', () => {
    const rig = groupOf(A, B);
    rig.receive(goodbye(A));
    expect(trace(rig.receive(goodbye(B)))).toEqual(['leaveReply > b #77', 'left b left [m]']);
    expect(rig.machine.members).toEqual([M]);
  });

  test('is answered again when it says goodbye again after a while: the answer was lost', () => {
    const rig = groupOf(A, B);
    answer(rig, rig.receive(goodbye(B)), [A]);
    expect(rig.machine.members).toEqual([M, A]);
    expect(sentKinds(rig.receive(goodbye(B)))).toEqual([]);
    rig.advance(T);
    expect(sentKinds(rig.receive(goodbye(B)))).toEqual(['leaveReply']);
  });

  test('is answered once for each goodbye, also while its removal waits for another change', () => {
    const rig = groupOf(A, B);
    inviteToWelcome(rig, C);
    expect(sentKinds(rig.receive(goodbye(B)))).toEqual(['leaveReply']);
    expect(rig.receive(goodbye(B))).toEqual([]);
    rig.handle({ kind: 'linkDown' });
    rig.handle({ kind: 'linkUp' });
    expect(sentKinds(rig.receive(goodbye(B)))).toEqual(['leaveReply']);
  });

  test('while the others are told of its removal: it need not be asked to leave', () => {
    const rig = groupOf(A, B);
    const removal = rig.command({ kind: 'remove', name: B });
    expect(trace(rig.receive(goodbye(B)))).toEqual(['leaveReply > b #77']);
    expect(trace(answer(rig, removal, [A]))).toEqual(['settle 3']);
    expect(trace(rig.advance(GIVE_UP_MS)).filter((line) => line.startsWith('leave'))).toEqual([]);
  });

  test('while it is asked to leave: that is as good as a reply, and nobody waits for one', () => {
    const rig = groupOf(A);
    expect(sentKinds(rig.command({ kind: 'remove', name: A }))).toEqual(['leaveRequest']);
    expect(trace(rig.receive(goodbye(A)))).toEqual(['leaveReply > a #77', 'settle 2']);
    expect(sentKinds(rig.command({ kind: 'invite', name: A }))).toEqual(['discoveryRequest']);
  });

  test('while its removal waits for another change', () => {
    const rig = groupOf(A, B);
    const admission = inviteToWelcome(rig, C);
    expect(trace(rig.command({ kind: 'remove', name: B }))).toEqual([]);
    expect(trace(rig.receive(goodbye(B)))).toEqual(['leaveReply > b #77']);
    const removal = answer(rig, admission, [A, C]);
    expect(sentKinds(removal)).toEqual(['groupRemove']);
    expect(trace(answer(rig, removal, [A, C]))).toEqual(['settle 4']);
  });

  test('a stranger is not answered', () => {
    const rig = groupOf(A);
    expect(rig.receive(goodbye(B), goodbye(A.withId(5n)))).toEqual([]);
  });

  test('without the mark it is no goodbye', () => {
    expect(groupOf(A).receive(message('leaveRequest', A))).toEqual([]);
  });

  test('while its welcome is not acknowledged: the invitation fails', () => {
    const rig = groupOf(A);
    inviteToWelcome(rig, B);
    expect(trace(rig.receive(goodbye(B))).slice(0, 2)).toEqual(['leaveReply > b #77', 'settle 2 invite-timeout']);
    expect(rig.machine.members).toEqual([M, A]);
  });

  test('while the group closes: that is as good as an acknowledgement', () => {
    const rig = groupOf(A, B);
    const id = idOf(rig.command({ kind: 'close' }), 'groupClose');
    expect(trace(rig.receive(goodbye(A)))).toEqual(['leaveReply > a #77']);
    expect(trace(rig.receive(message('groupAck', B, { id })))).toEqual(['unsubscribe chat', 'settle 3', 'end closed']);
  });

  test('the last one that the close waits for: the end is the last effect', () => {
    const rig = groupOf(A, B);
    const id = idOf(rig.command({ kind: 'close' }), 'groupClose');
    rig.receive(message('groupAck', B, { id }));
    expect(trace(rig.receive(goodbye(A)))).toEqual([
      'leaveReply > a #77',
      'unsubscribe chat',
      'settle 3',
      'end closed',
    ]);
  });
});

describe('pings (session.md 9.2)', () => {
  test('every 10 s while there is a member, to the channel, payload ping', () => {
    const rig = groupOf(A);
    expect(sentKinds(rig.advance(PING_INTERVAL_MS - 1))).toEqual([]);
    expect(trace(rig.advance(1))).toEqual([expect.stringMatching(/^ping > chat #\d+ all$/) as string]);
  });

  test('who is silent is asked again by name, also for what 0.7 answers until it has answered a ping', () => {
    const rig = groupOf(A, B);
    const pass = (ms: number): string[] => trace(rig.advance(ms)).map((line) => line.replace(/#\d{2,}/, '#'));
    expect(pass(PING_INTERVAL_MS)).toEqual(['ping > chat # all']);
    rig.receive(message('ping', A));
    expect(pass(1000)).toEqual(['ping > b #', 'rtxRequest > b #0']);
    rig.receive(message('ping', B));
    expect(pass(PING_INTERVAL_MS - 1000)).toEqual(['ping > chat # all']);
    expect(pass(1000)).toEqual(['ping > a #', 'ping > b #']);
  });

  test('a 0.7.0 member answers no ping and stays: it says that it never sent number 0', () => {
    const rig = groupOf(A);
    for (let round = 0; round < 100; round += 1) {
      rig.advance(PING_INTERVAL_MS);
      rig.receive(message('rtxReply', A, { id: PROBE_ID, error: true }));
    }
    expect(rig.machine.members).toEqual([M, A]);
  });

  test('a group of members that show an error for each ping is not pinged again; one that may answer still is', () => {
    const rig = groupOf(A, B);
    const refuse = (member: Name, subject: string): void => {
      const refusal = message('rtxReply', member, { id: PROBE_ID, error: true });
      rig.handle({ kind: 'message', message: refusal, subject });
    };
    const pass = (ms: number): string[] => trace(rig.advance(ms)).map((line) => line.replace(/#\d{2,}/, '#'));
    pass(PING_INTERVAL_MS + 1000);
    refuse(A, 'agntcy/ns/a_AbCd1234');
    // It refuses as 0.7 does, but a later version may have missed the pings, and leaves if none comes.
    refuse(B, 'agntcy/ns/b/bb_AbCd1234');
    const asked = ['rtxRequest > a #0', 'ping > b #', 'rtxRequest > b #0'];
    expect(pass(PING_INTERVAL_MS)).toEqual(['ping > chat # all', ...asked]);
    refuse(A, 'agntcy/ns/a_AbCd1234');
    refuse(B, 'agntcy/ns/b_AbCd1234');
    expect(pass(PING_INTERVAL_MS)).toEqual(['rtxRequest > a #0', 'rtxRequest > b #0']);
    refuse(A, 'agntcy/ns/a_AbCd1234');
    rig.receive(message('ping', B));
    expect(pass(PING_INTERVAL_MS)).toEqual(['ping > chat # all', 'rtxRequest > a #0', 'ping > b #']);
  });

  test.each([1000, 5000, 9000, 10_500, 14_000])(
    'a member killed %i ms after it joined is gone 40 s later',
    (aliveMs) => {
      const rig = groupOf(A, B);
      const told: string[] = [];
      for (let ms = 0; ms < aliveMs + 40_000; ms += 500) {
        const effects = rig.advance(500);
        told.push(...trace(effects));
        for (const member of ms < aliveMs ? [A, B] : [A]) {
          for (const id of idsOf(effects, 'ping')) told.push(...trace(rig.receive(message('ping', member, { id }))));
        }
      }
      expect(told).toContain('left b offline [m a]');
      expect(rig.machine.members).toEqual([M, A]);
    },
  );

  test('an app that was started again under the full name of a dead member does not keep that one in the group', () => {
    const rig = groupOf(A);
    for (let round = 0; round < MAX_MISSED_PINGS + 1; round += 1) {
      rig.advance(PING_INTERVAL_MS);
      rig.receive(message('discoveryReply', A), message('joinReply', A));
    }
    expect(rig.machine.members).toEqual([M]);
  });

  test('a name that is invited while its dead instance is in the group is invited when that one is found missing', () => {
    const rig = groupOf(A, B);
    const again = A.withId(5n);
    rig.command({ kind: 'invite', name: A.withoutId() });
    const effects: Effect[] = [];
    for (let seconds = 0; seconds < 40 && !sentKinds(effects).includes('discoveryRequest'); seconds += 1) {
      const tick = rig.advance(1000);
      for (const id of idsOf(tick, 'ping')) tick.push(...rig.receive(message('ping', B, { id })));
      effects.push(...tick, ...answer(rig, tick, [B]));
    }
    expect(trace(effects)).toContain('left a offline [m b]');
    const join = rig.receive(message('discoveryReply', again, { id: idOf(effects, 'discoveryRequest') }));
    const joined = rig.receive(message('joinReply', again, { id: idOf(join, 'joinRequest') }));
    expect(trace(answer(rig, joined, [B, again]))).toContain('settle 3 a');
    expect(rig.machine.members).toEqual([M, B, again]);
  });

  test.each(['remove', 'close'] as const)('an invitation of a member in doubt has its answer at a %s', (kind) => {
    const rig = groupOf(A, B);
    rig.command({ kind: 'invite', name: A });
    const effects = trace(rig.command(kind === 'close' ? { kind } : { kind, name: A }));
    expect(effects).toContain(kind === 'close' ? 'settle 3 closed' : 'settle 3 already-in-group');
  });

  /** A group in which these members answer all pings of `rounds` rounds. */
  function pass(rig: Rig, rounds: number, answering: readonly Name[]): Effect[] {
    const effects: Effect[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const tick = rig.advance(PING_INTERVAL_MS);
      effects.push(...tick);
      for (const id of idsOf(tick, 'ping')) {
        for (const member of answering) {
          const content = { kind: 'ping' } as const;
          effects.push(...rig.receive(message('ping', member, { id, content, fanout: 256 })));
        }
      }
    }
    return effects;
  }

  test('a member that answered before and is silent for three rounds is gone: the others are told', () => {
    const rig = groupOf(A, B);
    pass(rig, 1, [A, B]);
    expect(trace(pass(rig, MAX_MISSED_PINGS, [A])).filter((line) => !line.startsWith('ping'))).toEqual([]);
    const effects = pass(rig, 1, [A]);
    expect(trace(effects)).toContain('left b offline [m a]');
    expect(trace(effects)).toContainEqual(
      expect.stringMatching(/^groupRemove > chat #\d+ all -b \[m a\] DISCONNECTION_DETECTED$/),
    );
    expect(rig.machine.members).toEqual([M, A]);
  });

  /** B was evicted from a group of A and B. */
  function evicted(): Rig {
    const rig = groupOf(A, B);
    pass(rig, 1, [A, B]);
    const effects = pass(rig, MAX_MISSED_PINGS + 1, [A]);
    answer(rig, effects, [A]);
    expect(rig.machine.members).toEqual([M, A]);
    return rig;
  }

  test('who was given up and is heard again is told to leave, once', () => {
    const rig = evicted();
    expect(sentKinds(rig.receive(msg(B, 7)))).toEqual(['leaveRequest']);
    expect(rig.receive(msg(B, 8))).toEqual([]);
  });

  test('who was given up can be invited again at once', () => {
    const rig = evicted();
    const id = idOf(rig.command({ kind: 'invite', name: B.withoutId() }), 'discoveryRequest');
    const effects = rig.receive(message('discoveryReply', B, { id }));
    expect(sentKinds(effects)).toEqual(['leaveRequest', 'joinRequest']);
    const join = rig.receive(message('joinReply', B, { id: idOf(effects, 'joinRequest') }));
    expect(trace(answer(rig, join, [A, B])).at(-1)).toMatch(/^settle \d b$/);
  });

  test('who was given up, came back and was removed in order is not told to leave a second time', () => {
    const rig = evicted();
    invite(rig, B, [A]);
    answer(rig, answer(rig, rig.command({ kind: 'remove', name: B }), [A]), [B]);
    expect(rig.machine.members).toEqual([M, A]);
    expect(rig.receive(msg(B, 9))).toEqual([]);
  });

  test('while the group closes nobody is evicted any more, but not waited for either', () => {
    const rig = new Rig(new SessionModerator(groupConfig(M, { timeoutMs: 60_000, maxRetries: 5 })));
    invite(rig, A);
    invite(rig, B, [A]);
    pass(rig, 1, [A, B]);
    pass(rig, MAX_MISSED_PINGS, [A]);
    const id = idOf(rig.command({ kind: 'close' }), 'groupClose');
    rig.receive(message('groupAck', A, { id }));
    expect(trace(rig.advance(PING_INTERVAL_MS)).slice(-3)).toEqual(['unsubscribe chat', 'settle 3', 'end closed']);
  });
});

describe('the end', () => {
  test('nobody else there: nothing is sent, it is over at once (trap 18)', () => {
    const rig = moderator();
    expect(trace(rig.command({ kind: 'close' }))).toEqual(['settle 1', 'end closed']);
  });

  test('the channel is given up even if the last member left before', () => {
    const rig = groupOf(A);
    answer(rig, rig.command({ kind: 'remove', name: A }), [A]);
    expect(trace(rig.command({ kind: 'close' }))).toEqual(['unsubscribe chat', 'settle 3', 'end closed']);
  });

  test('everything under way fails with closed, each command once', () => {
    const rig = groupOf(A, B);
    rig.command({ kind: 'invite', name: C });
    rig.command({ kind: 'remove', name: A });
    rig.command({ kind: 'invite', name: A });
    rig.command(publish('hi'));
    const effects = rig.command({ kind: 'close' });
    expect(trace(effects).filter((line) => line.startsWith('settle'))).toEqual([
      'settle 3 closed',
      'settle 4 closed',
      'settle 5 closed',
    ]);
    expect(trace(rig.command({ kind: 'invite', name: C }))).toEqual(['settle 8 closed']);
    expect(trace(rig.command({ kind: 'remove', name: B }))).toEqual(['settle 9 closed']);
    expect(trace(rig.command(publish('late')))).toEqual(['delivery 10 failed 0/0 closed']);
    const last = trace(answer(rig, effects, [B]));
    expect(last).toEqual(['unsubscribe chat', 'settle 7', 'delivery 6 failed 0/1 closed', 'end closed']);
  });

  test('a second close waits for the first', () => {
    const rig = groupOf(A);
    const id = idOf(rig.command({ kind: 'close' }), 'groupClose');
    expect(rig.command({ kind: 'close' })).toEqual([]);
    expect(trace(rig.receive(message('groupAck', A, { id })))).toEqual([
      'unsubscribe chat',
      'settle 2',
      'settle 3',
      'end closed',
    ]);
  });

  test('abandon ends it at once, and the close with it', () => {
    const rig = groupOf(A);
    rig.command({ kind: 'close' });
    expect(trace(rig.command({ kind: 'abandon' }))).toEqual(['unsubscribe chat', 'settle 2', 'settle 3', 'end closed']);
    expect(rig.timers.size).toBe(0);
  });

  test('after it nothing is sent, and every command still gets its answer', () => {
    const rig = groupOf(A);
    rig.command({ kind: 'abandon' });
    expect(rig.receive(msg(A, 1), message('ping', A), message('groupAck', A))).toEqual([]);
    expect(rig.handle({ kind: 'timer', timer: 'ping' })).toEqual([]);
    expect(rig.handle({ kind: 'linkUp' })).toEqual([]);
    expect(trace(rig.command({ kind: 'close' }))).toEqual(['settle 3']);
    expect(trace(rig.command({ kind: 'invite', name: B }))).toEqual(['settle 4 closed']);
  });

  test('no timer is left', () => {
    const rig = groupOf(A, B);
    rig.command({ kind: 'invite', name: C });
    rig.command(publish('hi'));
    rig.receive(msg(A, 1), msg(A, 3));
    expect([...rig.timers.keys()].sort()).toEqual(['acks', 'control', 'ping', 'rtx']);
    rig.command({ kind: 'abandon' });
    expect(rig.timers.size).toBe(0);
  });
});

describe('the link breaks', () => {
  const reconnect = (rig: Rig): Effect[] => {
    rig.handle({ kind: 'linkDown' });
    expect(rig.advance(100 * T)).toEqual([]);
    return rig.handle({ kind: 'linkUp' });
  };

  test('what is under way is asked for again, under new ids: whoever answered already answers each id once', () => {
    const rig = moderator();
    const discovery = idOf(rig.command({ kind: 'invite', name: A.withoutId() }), 'discoveryRequest');
    const again = idOf(reconnect(rig), 'discoveryRequest');
    expect(again).not.toBe(discovery);
    expect(rig.receive(message('discoveryReply', A, { id: discovery }))).toEqual([]);
    const join = idOf(rig.receive(message('discoveryReply', A, { id: again })), 'joinRequest');
    const joinAgain = idOf(reconnect(rig), 'joinRequest');
    expect(joinAgain).not.toBe(join);
    const welcome = idOf(rig.receive(message('joinReply', A, { id: joinAgain })), 'groupWelcome');
    const welcomeAgain = idOf(reconnect(rig), 'groupWelcome');
    expect(welcomeAgain).not.toBe(welcome);
    expect(trace(rig.receive(message('groupAck', A, { id: welcomeAgain })))).toEqual(['joined a [m a]', 'settle 1 a']);
  });

  test('a removal is announced again under a new id to those who have not acknowledged it', () => {
    const rig = groupOf(A, B, C);
    const id = idOf(rig.command({ kind: 'remove', name: C }), 'groupRemove');
    rig.receive(message('groupAck', A, { id }));
    const again = idOf(reconnect(rig), 'groupRemove');
    expect(again).not.toBe(id);
    expect(sentKinds(rig.receive(message('groupAck', B, { id: again })))).toEqual(['leaveRequest']);
  });

  test('what is missing of a member is asked for again', () => {
    const rig = groupOf(A);
    rig.receive(msg(A, 1), msg(A, 3));
    reconnect(rig);
    expect(trace(rig.advance(T))).toContain('rtxRequest > a #2');
  });

  test('the next pings start anew, and the round that was cut off does not count', () => {
    const rig = groupOf(A);
    const id = idOf(rig.advance(PING_INTERVAL_MS), 'ping');
    rig.receive(message('ping', A, { id, fanout: 256 }));
    for (let times = 0; times < 10; times += 1) {
      rig.handle({ kind: 'linkDown' });
      rig.advance(5 * PING_INTERVAL_MS);
      expect(sentKinds(rig.handle({ kind: 'linkUp' }))).toContain('ping');
    }
    expect(rig.machine.members).toEqual([M, A]);
  });
});
