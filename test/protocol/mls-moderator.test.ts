import { describe, expect, test } from 'vitest';

import type { Name } from '../../src/name/index.js';
import { type Effect, type MlsRequest, SessionModerator } from '../../src/protocol/index.js';
import { LEAF_WARNING_MS } from '../../src/protocol/leaf-ages.js';
import { flagged } from '../../src/protocol/message-builder.js';
import { type MlsAnswer, MlsRig, done, refused } from './mls-rig.js';
import { A, B, C, groupConfig, idOf, M, message, R, sent, sentKinds, T, trace } from './support.js';

const KEY_PACKAGE = new TextEncoder().encode('key package');
const MINUTE_MS = 60_000;

/** An engine that takes everything; the epoch counts commits. */
function engine(): MlsAnswer {
  let epoch = 0;
  return ({ op }: MlsRequest) => {
    if (op === 'add' || op === 'remove') epoch += 1;
    return op === 'add' ? done('commit', epoch, 'welcome') : done(op, epoch);
  };
}

function moderator(answer: MlsAnswer = engine()): MlsRig {
  const config = groupConfig(M, { mls: { policy: 'auto' } });
  return new MlsRig(new SessionModerator(config), answer);
}

/** Acknowledges a change of the group for these members. */
function acknowledge(rig: MlsRig, effects: readonly Effect[], members: readonly Name[]): Effect[] {
  const result: Effect[] = [];
  for (const { content, destination, messageId } of sent(effects)) {
    for (const member of members) {
      const isAsked = destination.equals(member) || destination.equals(groupConfig(M).channel);
      const isAdded = content.kind === 'groupAdd' && content.newParticipant.equals(member);
      const isChange = ['groupWelcome', 'groupAdd', 'groupRemove'].includes(content.kind);
      if (isAsked && isChange && !isAdded) result.push(...rig.receive(message('groupAck', member, { id: messageId })));
    }
  }
  return result;
}

function joinReply(rig: MlsRig, member: Name, keyPackage: Uint8Array | undefined): Effect[] {
  const discovery = rig.command({ kind: 'invite', name: member.withoutId() });
  const join = rig.receive(message('discoveryReply', member, { id: idOf(discovery, 'discoveryRequest') }));
  const content = { kind: 'joinReply', ...(keyPackage && { keyPackage }) } as const;
  return rig.receive(message('joinReply', member, { id: idOf(join, 'joinRequest'), content }));
}

function invite(rig: MlsRig, member: Name, others: readonly Name[] = []): Effect[] {
  return acknowledge(rig, joinReply(rig, member, KEY_PACKAGE), [...others, member]);
}

function groupOf(...members: readonly Name[]): MlsRig {
  const rig = moderator();
  members.forEach((member, index) => invite(rig, member, members.slice(0, index)));
  expect(rig.machine.members).toEqual([M, ...members]);
  return rig;
}

/** Lets the age of leaves go on without timers of pings in between: members answer nothing here. */
function leafTimer(rig: MlsRig, nowMs: number): Effect[] {
  rig.env.nowMs = nowMs;
  return rig.handle({ kind: 'timer', timer: 'leaves' });
}

function warningsOf(effects: readonly Effect[]): { readonly code: string; readonly text: string }[] {
  return effects.flatMap((effect) =>
    effect.kind === 'notify' && effect.notice.kind === 'warning' ? [effect.notice] : [],
  );
}

describe('additions', () => {
  test('commit and welcome of one addition carry one number', () => {
    const rig = groupOf(A);
    const effects = joinReply(rig, B, KEY_PACKAGE);
    const numbers = sent(effects).flatMap(({ content }) => ('mls' in content ? [content.mls.commitId] : []));
    expect(numbers).toEqual([2, 2]);
    expect(rig.ops).toEqual(['createGroup', 'add', 'add']);
  });

  test.each([
    ['without a key package', undefined],
    ['with an empty key package', new Uint8Array(0)],
  ])('a join reply %s: this invitation fails, MLS hears nothing of it', (_what, keyPackage) => {
    const rig = groupOf(A);
    expect(trace(joinReply(rig, B, keyPackage))).toEqual(['settle 2 mls-unsupported']);
    expect(rig.ops).toEqual(['createGroup', 'add']);
    expect(sentKinds(joinReply(rig, C, KEY_PACKAGE))).toEqual(['groupAdd', 'groupWelcome']);
  });

  test('a key package that the engine refuses: its error is that of the invitation, the next one goes on', () => {
    const rig = groupOf(A);
    const takes = rig.answer;
    rig.answer = () => refused('mls-pubkey-mismatch');
    expect(trace(joinReply(rig, B, KEY_PACKAGE))).toEqual(['settle 2 mls-pubkey-mismatch']);
    expect(rig.machine.members).toEqual([M, A]);
    rig.answer = takes;
    invite(rig, C, [A]);
    expect(rig.machine.members).toEqual([M, A, C]);
  });
});

describe('removals that MLS refuses', () => {
  test('a removal fails with that error, the member stays, and the next change goes on', () => {
    const rig = groupOf(A, B);
    const takes = rig.answer;
    rig.answer = () => refused('mls-token-expired');
    expect(trace(rig.command({ kind: 'remove', name: B }))).toEqual(['settle 3 mls-token-expired']);
    expect(rig.machine.members).toEqual([M, A, B]);
    rig.answer = takes;
    invite(rig, C, [A, B]);
    expect(rig.machine.members).toEqual([M, A, B, C]);
    // It can be asked for again.
    expect(sentKinds(rig.command({ kind: 'remove', name: B }))).toEqual(['groupRemove']);
  });

  test('an invitation that waited for such a removal hears that the member is there', () => {
    const rig = groupOf(A, B);
    // The removal of b waits behind an addition.
    const adding = joinReply(rig, C, KEY_PACKAGE);
    rig.command({ kind: 'remove', name: B });
    expect(trace(rig.command({ kind: 'invite', name: B.withoutId() }))).toEqual([]);
    rig.answer = () => refused('mls-token-expired');
    const effects = trace(acknowledge(rig, adding, [A, B, C]));
    expect(effects).toContain('settle 4 mls-token-expired');
    expect(effects).not.toContain('settle 5 already-in-group');
    expect(trace(rig.receive(message('ping', B)))).toEqual(['settle 5 already-in-group']);
  });

  test('a member that has left is off the list, with a warning, and nobody waits for it', () => {
    const rig = groupOf(A, B);
    rig.answer = ({ op }) => (op === 'remove' ? refused('mls-token-expired') : done(op, 2));
    const leaving = message('leaveRequest', B, { id: 77, metadata: flagged('leavingSession') });
    const effects = rig.receive(leaving);
    expect(trace(effects)).toEqual(['leaveReply > b #77', 'warning mls-failed', 'left b left [m a]']);
    expect(rig.machine.members).toEqual([M, A]);
    // The next change is not held up.
    rig.answer = engine();
    expect(sentKinds(joinReply(rig, C, KEY_PACKAGE))).toEqual(['groupAdd', 'groupWelcome']);
  });
});

describe('leaves that age (identity-and-mls.md 4.3)', () => {
  test('50 minutes after its join request a member is warned of, once', () => {
    const rig = moderator();
    rig.env.nowMs = 5 * MINUTE_MS;
    invite(rig, A);
    expect(warningsOf(leafTimer(rig, 55 * MINUTE_MS - 1))).toEqual([]);
    expect(rig.timers.get('leaves')).toBe(5 * MINUTE_MS + LEAF_WARNING_MS);
    const warned = warningsOf(leafTimer(rig, 55 * MINUTE_MS));
    expect(warned).toMatchObject([{ code: 'mls-leaf-ageing' }]);
    expect(warned[0]!.text).toContain(A.toString());
    expect(warningsOf(leafTimer(rig, 200 * MINUTE_MS))).toEqual([]);
  });

  test('its leaf is as old as the join request, however long the answer took', () => {
    const rig = moderator();
    const discovery = rig.command({ kind: 'invite', name: A.withoutId() });
    rig.env.nowMs = 1000;
    const join = rig.receive(message('discoveryReply', A, { id: idOf(discovery, 'discoveryRequest') }));
    rig.env.nowMs = 1000 + R * T;
    const content = { kind: 'joinReply', keyPackage: KEY_PACKAGE } as const;
    const reply = rig.receive(message('joinReply', A, { id: idOf(join, 'joinRequest'), content }));
    acknowledge(rig, reply, [A]);
    expect(warningsOf(leafTimer(rig, 1000 + LEAF_WARNING_MS - 1))).toEqual([]);
    expect(warningsOf(leafTimer(rig, 1000 + LEAF_WARNING_MS))).toHaveLength(1);
  });

  test('the time that the machine slept counts, and is noticed within ten seconds of its waking up', () => {
    const rig = groupOf(A);
    expect(rig.timers.get('leaves')).toBe(10_000);
    rig.env.wallAheadMs = 49 * MINUTE_MS;
    expect(warningsOf(leafTimer(rig, 10_000))).toEqual([]);
    expect(rig.timers.get('leaves')).toBe(20_000);
    rig.env.wallAheadMs = 50 * MINUTE_MS - 20_000;
    expect(warningsOf(leafTimer(rig, 20_000))[0]!.text).toContain(
      'joined 50 minutes ago: when it has been here for 60,',
    );
  });

  test('a member whose leaf outlived its token while the machine slept: the warning does not promise ten minutes', () => {
    const rig = groupOf(A, B);
    rig.env.wallAheadMs = 200 * MINUTE_MS;
    const warned = warningsOf(leafTimer(rig, 10_000));
    expect(warned).toHaveLength(2);
    for (const warning of warned) {
      expect(warning.text).toContain('joined 200 minutes ago, and the identity of a member has ended: nobody can be');
    }
  });

  test('a wall clock that was set back makes no leaf younger: those of others have not been', () => {
    const rig = groupOf(A);
    rig.env.wallAheadMs = -30 * MINUTE_MS;
    expect(warningsOf(leafTimer(rig, LEAF_WARNING_MS))).toHaveLength(1);
  });

  test('each member at its own time; one that was removed and invited again counts anew; one that is gone not at all', () => {
    const rig = groupOf(A, B);
    rig.env.nowMs = 10 * MINUTE_MS;
    invite(rig, C, [A, B]);
    rig.env.nowMs = 20 * MINUTE_MS;
    const removing = rig.command({ kind: 'remove', name: A });
    const leave = acknowledge(rig, removing, [B, C]);
    rig.receive(message('leaveReply', A, { id: idOf(leave, 'leaveRequest') }));
    invite(rig, A, [B, C]);
    const leaving = rig.receive(message('leaveRequest', C, { id: 77, metadata: flagged('leavingSession') }));
    acknowledge(rig, leaving, [A, B]);
    const texts = (nowMs: number) =>
      warningsOf(leafTimer(rig, nowMs)).map(({ text }) => text.slice(0, A.toString().length));
    expect(texts(50 * MINUTE_MS)).toEqual([B.toString()]);
    expect(texts(60 * MINUTE_MS)).toEqual([]);
    expect(texts(70 * MINUTE_MS)).toEqual([A.toString()]);
  });

  test('without MLS, and in a point-to-point session, nobody is warned of', () => {
    const plain = new MlsRig(new SessionModerator(groupConfig(M)), engine());
    invite(plain, A);
    expect(plain.timers.has('leaves')).toBe(false);
    const call = groupConfig(M, { type: 'pointToPoint', channel: A.withoutId(), mls: { policy: 'auto' } });
    const caller = new MlsRig(new SessionModerator(call), engine());
    invite(caller, A);
    expect(caller.machine.members).toEqual([M, A]);
    expect(caller.timers.has('leaves')).toBe(false);
  });
});
