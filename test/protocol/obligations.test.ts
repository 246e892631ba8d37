import { describe, expect, test } from 'vitest';

import { type Effect, type OutboundMessage, SessionModerator, SessionParticipant } from '../../src/protocol/index.js';
import { MAX_MISSED_PINGS, PING_INTERVAL_MS, PROBE_ID } from '../../src/protocol/ping-rounds.js';
import { type Content, MessageType } from '../../src/wire/index.js';
import { SimulatedGroup } from './simulated-group.js';
import { GOOD_NETWORK } from './simulated-network.js';
import {
  A,
  B,
  CHANNEL,
  groupAdd,
  groupConfig,
  groupRemove,
  idOf,
  kindOf,
  M,
  message,
  msg,
  publish,
  R,
  Rig,
  rtxReply,
  sent,
  sentKinds,
  T,
  trace,
  welcome,
} from './support.js';

/** Everything that is sent in the life of a group with all that can happen to it, on a network that makes them repeat things. */
function wholeLife(): { group: SimulatedGroup; sent: readonly OutboundMessage[] } {
  const group = new SimulatedGroup(11, 5, {
    network: {
      ...GOOD_NETWORK,
      maxDelayMs: 1500,
      lossRate: 0.05,
      duplicateRate: 0.1,
      reorders: true,
    },
    group: { timeoutMs: 500, maxRetries: 60 },
  });
  for (const index of [1, 2, 3]) group.invite(index);
  group.run(60_000);
  const talk = (): void => {
    for (const index of [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]) {
      if (index === 0 || group.app(index).session?.isEstablished === true) group.publish(index);
    }
    group.run(20_000);
  };
  talk();
  group.session(0).publish('psst', group.app(1).name);
  group.remove(1);
  group.run(30_000);
  group.invite(1);
  group.run(60_000);
  talk();
  group.session(2).run({ kind: 'close' });
  group.app(3).link.down();
  talk();
  group.app(3).link.up();
  group.run(60_000);
  group.moderator.run({ kind: 'close' });
  group.run(60_000);
  return { group, sent: group.network.sent };
}

const CONTENT_OF_TYPE = new Map<number, Content['kind']>([
  [MessageType.msg, 'app'],
  [MessageType.msgAck, 'app'],
  [MessageType.rtxRequest, 'app'],
  [MessageType.rtxReply, 'app'],
]);

function established(): Rig {
  const rig = new Rig(new SessionParticipant(groupConfig(A)));
  rig.receive(message('joinRequest', M, { id: 400, to: A }), welcome([M, A, B]));
  return rig;
}

function moderating(): Rig {
  const rig = new Rig(new SessionModerator(groupConfig(M)));
  const discovery = idOf(rig.command({ kind: 'invite', name: A.withoutId() }), 'discoveryRequest');
  const join = idOf(rig.receive(message('discoveryReply', A, { id: discovery })), 'joinRequest');
  const hello = idOf(rig.receive(message('joinReply', A, { id: join })), 'groupWelcome');
  rig.receive(message('groupAck', A, { id: hello }));
  return rig;
}

describe('the MUST list (session.md appendix A)', () => {
  const life = wholeLife();

  test('the life that these tests look at has everything in it', () => {
    const kinds = new Set(life.sent.map(({ messageType }) => kindOf(messageType)));
    const expected = [
      ...['msg', 'msgAck', 'rtxRequest', 'rtxReply', 'discoveryRequest', 'discoveryReply', 'joinRequest', 'joinReply'],
      ...['leaveRequest', 'leaveReply', 'groupAdd', 'groupRemove', 'groupWelcome', 'groupClose', 'groupAck', 'ping'],
    ];
    expect(kinds).toEqual(new Set(expected));
    expect(life.group.apps.slice(0, 4).every(({ sessions }) => sessions.every(({ end }) => end !== undefined))).toBe(
      true,
    );
  });

  test('1: own full name as source, explicit fanout, error only if it is true', () => {
    const names = new Set(life.group.apps.map(({ name }) => name.key));
    for (const message of life.sent) {
      expect(names.has(message.source.key)).toBe(true);
      expect([1, 256]).toContain(message.fanout);
      if ('error' in message) expect(message.error).toBe(true);
      const isToAll = message.destination.equals(CHANNEL);
      if (isToAll) expect(message.fanout).toBe(256);
    }
  });

  test('2: the content of each message is the one of its type', () => {
    for (const { messageType, content } of life.sent) {
      expect(content.kind).toBe(CONTENT_OF_TYPE.get(messageType) ?? kindOf(messageType));
    }
  });

  test.each<[string, () => Effect[]]>([
    ['a participant that is removed', () => established().receive(message('leaveRequest', M, { id: 9, to: A }))],
    ['a participant whose group is closed', () => established().receive(message('groupClose', M, { id: 9 }))],
    ['a participant that leaves', () => established().command({ kind: 'close' })],
    ['a participant that abandons', () => established().command({ kind: 'abandon' })],
    [
      'a participant whose moderator is gone',
      () => {
        const rig = established();
        return rig.advance(MAX_MISSED_PINGS * PING_INTERVAL_MS);
      },
    ],
    [
      'a participant that was removed without a word',
      () => {
        const rig = established();
        rig.receive(groupRemove(A, [M, B]));
        return rig.advance((R + 2) * T);
      },
    ],
    [
      'a moderator that closes',
      () => {
        const rig = moderating();
        const close = rig.command({ kind: 'close' });
        return [...close, ...rig.receive(message('groupAck', A, { id: idOf(close, 'groupClose') }))];
      },
    ],
    ['a moderator that abandons', () => moderating().command({ kind: 'abandon' })],
  ])('4: %s gives the channel up once, and not before its last reply', (_, run) => {
    const effects = run();
    const kinds = effects.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'unsubscribe')).toHaveLength(1);
    const givenUpAt = kinds.indexOf('unsubscribe');
    effects.forEach((effect, index) => {
      if (effect.kind !== 'send') return;
      // A goodbye is no reply: it comes after (session.md 3.7).
      expect(index < givenUpAt).toBe(effect.message.messageType !== MessageType.leaveRequest);
    });
    expect(kinds.at(-1)).toBe('end');
  });

  test('4: the channel is subscribed before the welcome is acknowledged', () => {
    const rig = new Rig(new SessionParticipant(groupConfig(A)));
    rig.receive(message('joinRequest', M, { id: 400, to: A }));
    const lines = trace(rig.receive(welcome([M, A], 500)));
    expect(lines.indexOf('subscribe chat')).toBeLessThan(lines.indexOf('groupAck > m #500'));
  });

  test('6: one reply for each request id, but one for every distinct JoinRequest', () => {
    const rig = new Rig(new SessionParticipant(groupConfig(A)));
    const ids = [400, 400, 401, 400, 401];
    expect(ids.flatMap((id) => sentKinds(rig.receive(message('joinRequest', M, { id, to: A }))))).toEqual([
      'joinReply',
      'joinReply',
    ]);
  });

  test('7: no GroupNack, no GroupProposal, no reply to the channel, GroupAck to the moderator only', () => {
    for (const { messageType, destination } of life.sent) {
      const kind = kindOf(messageType);
      expect(['groupNack', 'groupProposal']).not.toContain(kind);
      if (/Reply$|Ack$/.test(kind)) expect(destination.hasId).toBe(true);
      if (kind === 'groupAck') expect(destination).toEqual(life.group.app(0).name);
    }
  });

  test('8: every MSG is acknowledged, duplicates too; an RTX reply and a GroupAdd naming oneself never', () => {
    const rig = established();
    expect(sentKinds(rig.receive(msg(B, 1), msg(B, 1), msg(B, 3)))).toEqual([
      'msgAck',
      'msgAck',
      'msgAck',
      'rtxRequest',
    ]);
    expect(sentKinds(rig.receive(rtxReply(B, 2)))).toEqual([]);
    expect(sentKinds(rig.receive(groupAdd(A, [M, A, B])))).toEqual([]);
  });

  test('9: numbers from 1 without a gap, to the channel; 512 are kept; every RTX request is answered', () => {
    const rig = established();
    const numbers: number[] = [];
    for (let id = 1; id <= 600; id += 1) {
      const [first] = sent(rig.command(publish(`m${String(id)}`)));
      expect(first!.destination).toEqual(CHANNEL);
      numbers.push(first!.messageId);
      rig.receive(message('msgAck', M, { id }), message('msgAck', B, { id }));
    }
    expect(numbers).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
    for (let id = 1; id <= 600; id += 1) {
      const [reply, ...rest] = sent(rig.receive(message('rtxRequest', B, { id })));
      expect(rest).toEqual([]);
      expect(reply).toMatchObject({ messageType: MessageType.rtxReply, messageId: id, destination: B });
      expect(reply!.error).toBe(id <= 600 - 512 ? true : undefined);
    }
  });

  test('10: a failure fails the handle and the next task starts; a prefix that is in the group is refused', () => {
    const rig = moderating();
    rig.command({ kind: 'invite', name: A.withId(99n) });
    expect(trace(rig.receive(message('ping', A)))).toEqual(['settle 2 already-in-group']);
    rig.command({ kind: 'invite', name: B });
    expect(trace(rig.advance((R + 1) * T)).at(-1)).toBe('settle 3 invite-timeout');
    expect(sentKinds(rig.command({ kind: 'invite', name: B }))).toEqual(['discoveryRequest']);
  });

  test('11: a ping every 10 s; who answers none, but what 0.7 answers, stays; who answers nothing is found missing', () => {
    const rig = moderating();
    for (let round = 0; round < 20; round += 1) {
      expect(sentKinds(rig.advance(PING_INTERVAL_MS))).toContain('ping');
      rig.receive(message('rtxReply', A, { id: PROBE_ID, error: true }));
    }
    expect(rig.machine.members).toEqual([M, A]);
    expect(trace(rig.advance((MAX_MISSED_PINGS + 1) * PING_INTERVAL_MS))).toContain('left a offline [m]');
  });

  test('12: a ping is answered; a moderator that never pings is asked; the goodbye waits for no answer', () => {
    const rig = established();
    for (let round = 0; round < 20; round += 1) {
      rig.advance(PING_INTERVAL_MS);
      rig.receive(message('rtxReply', M, { id: PROBE_ID, error: true }));
    }
    expect(sentKinds(rig.receive(message('ping', M)))).toEqual(['ping']);
    expect(trace(rig.advance((MAX_MISSED_PINGS + 1) * PING_INTERVAL_MS)).at(-1)).toBe('end moderator-gone');
    expect(trace(established().command({ kind: 'close' })).at(-1)).toBe('end left');
  });

  test('13: lost when RTX gives up; reset by a removal and by an addition; bounded gaps', () => {
    const rig = established();
    rig.receive(msg(B, 10), msg(B, 12));
    expect(trace(rig.advance((R + 1) * T)).slice(-2)).toEqual(['lost b 11', 'got b "b12"']);
    rig.receive(groupRemove(B, [M, A], 501), groupAdd(B, [M, A, B], 502));
    expect(trace(rig.receive(msg(B, 1)))).toEqual(['msgAck > b #1', 'got b "b1"']);
    expect(sentKinds(rig.receive(msg(B, 500_000)))).toEqual(['msgAck']);
  });
});

describe('traps (session.md 10) that no test of a single machine names', () => {
  test('7: whatever a participant does, a GroupAck never goes to another participant', () => {
    const rig = established();
    const effects = rig.receive(
      groupAdd(B, [M, A, B], 600),
      message('groupAck', B, { id: 600, to: A }),
      message('groupNack', B, { id: 600, to: A }),
      message('groupClose', B, { id: 601 }),
    );
    for (const reply of sent(effects)) expect(reply.destination).toEqual(M);
  });

  test('23: a member may be slow to give the channel up after it was removed', () => {
    const group = new SimulatedGroup(2, 4);
    group.gather(1, 2, 3);
    group.app(1).link.freeze();
    const removal = group.remove(1);
    group.run(5000);
    group.app(1).link.thaw();
    group.runUntil('removed', () => removal.isSettled, 1000);
    expect(removal.error).toBeUndefined();
    group.checkMembers();
  });

  test('26: the channel of a moderator is subscribed with the first discovery reply', () => {
    const rig = new Rig(new SessionModerator(groupConfig(M)));
    expect(trace(rig.command({ kind: 'invite', name: A.withoutId() }))).toEqual(['discoveryRequest > a* #1000']);
    expect(trace(rig.receive(message('discoveryReply', A, { id: 1000 })))[0]).toBe('subscribe chat');
  });

  test('28: with R = 0 each step of an invitation has one try', () => {
    const rig = new Rig(new SessionModerator(groupConfig(M, { maxRetries: 0 })));
    rig.command({ kind: 'invite', name: A.withoutId() });
    expect(trace(rig.advance(T))).toEqual(['settle 1 invite-timeout']);
  });

  test('29: an invitation of one instance asks for that instance', () => {
    const rig = new Rig(new SessionModerator(groupConfig(M)));
    expect(trace(rig.command({ kind: 'invite', name: A }))).toEqual(['discoveryRequest > a #1000']);
    expect(sentKinds(rig.receive(message('discoveryReply', A, { id: 1000 })))).toEqual(['joinRequest']);
  });
});
