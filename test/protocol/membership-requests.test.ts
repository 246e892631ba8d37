import { describe, expect, test } from 'vitest';

import type { Name } from '../../src/name/index.js';
import { type Effect, SessionModerator, SessionParticipant } from '../../src/protocol/index.js';
import { done, MlsRig } from './mls-rig.js';
import {
  A,
  B,
  C,
  groupConfig,
  M,
  message,
  R,
  requestTrace,
  Rig,
  sent,
  sentKinds,
  T,
  trace,
  welcome,
} from './support.js';

/** What a moderator's application hears of its invitations and removals. */

const GIVE_UP_MS = (R + 1) * T;

function settled(effects: readonly Effect[]): string[] {
  return trace(effects).filter((line) => line.startsWith('settle'));
}

/** Sends the reply of `member` to each request in `effects` that it is asked to answer. */
function reply(rig: Rig, effects: readonly Effect[], member: Name): Effect[] {
  return sent(effects).flatMap(({ content, destination, messageId: id }) => {
    if (destination.prefixKey !== member.prefixKey && !destination.equals(groupConfig(M).channel)) return [];
    switch (content.kind) {
      case 'discoveryRequest':
        return rig.receive(message('discoveryReply', member, { id }));
      case 'joinRequest': {
        const keyPackage = new TextEncoder().encode('key package');
        return rig.receive(message('joinReply', member, { id, content: { kind: 'joinReply', keyPackage } }));
      }
      case 'leaveRequest':
        return rig.receive(message('leaveReply', member, { id }));
      case 'groupAdd':
        return content.newParticipant.equals(member) ? [] : rig.receive(message('groupAck', member, { id }));
      case 'groupWelcome':
      case 'groupRemove':
        return rig.receive(message('groupAck', member, { id }));
      default:
        return [];
    }
  });
}

/** From the discovery of `member` to its welcome, which it acknowledges; the others say nothing. */
function joins(rig: Rig, discovery: readonly Effect[], member: Name): Effect[] {
  return reply(rig, reply(rig, reply(rig, discovery, member), member), member);
}

function moderator(): Rig {
  return new Rig(new SessionModerator(groupConfig(M)));
}

/** M and A. */
function pair(rig: Rig = moderator()): Rig {
  joins(rig, rig.command({ kind: 'invite', name: A.withoutId() }), A);
  expect(rig.machine.members).toEqual([M, A]);
  return rig;
}

describe('one invitation', () => {
  test('starts at once, and has ended when its member is in the group', () => {
    const rig = moderator();
    const started = rig.command({ kind: 'invite', name: A.withoutId(), ref: 'r1' });
    expect(requestTrace(started)).toEqual(['invite a* started app r1']);
    expect(requestTrace(joins(rig, started, A))).toEqual(['joined a [m a]', 'invite a* joined app r1']);
  });

  test('that nobody answers has failed', () => {
    const rig = moderator();
    rig.command({ kind: 'invite', name: A.withoutId(), ref: 'r1' });
    expect(requestTrace(rig.advance(GIVE_UP_MS))).toEqual(['invite a* failed invite-timeout app r1']);
  });

  test('has its notice before its answer: whoever acts on the answer has been told', () => {
    const rig = moderator();
    const last = joins(rig, rig.command({ kind: 'invite', name: A }), A);
    const kinds = last.map((effect) => (effect.kind === 'notify' ? effect.notice.kind : effect.kind));
    expect(kinds.filter((kind) => ['joined', 'invite', 'settle'].includes(kind))).toEqual([
      'joined',
      'invite',
      'settle',
    ]);
  });
});

describe('two invitations of one name', () => {
  test('are one on the wire, and both hear that it joined', () => {
    const rig = moderator();
    const first = rig.command({ kind: 'invite', name: A.withoutId(), ref: 'r1' });
    const second = rig.command({ kind: 'invite', name: A.withoutId(), ref: 'r2' });
    expect(sentKinds(second)).toEqual([]);
    expect(requestTrace(second)).toEqual(['invite a* started app r2']);
    const effects = joins(rig, first, A);
    expect(requestTrace(effects)).toEqual(['joined a [m a]', 'invite a* joined app r1', 'invite a* joined app r2']);
    expect(settled(effects)).toEqual(['settle 1 a', 'settle 2 a']);
  });

  test('or that it did not', () => {
    const rig = moderator();
    rig.command({ kind: 'invite', name: A.withoutId(), ref: 'r1' });
    rig.command({ kind: 'invite', name: A });
    const effects = rig.advance(GIVE_UP_MS);
    expect(requestTrace(effects)).toEqual([
      'invite a* failed invite-timeout app r1',
      'invite a failed invite-timeout app',
    ]);
    expect(settled(effects)).toEqual(['settle 1 invite-timeout', 'settle 2 invite-timeout']);
  });

  test('the second comes while the others are still told of the member', () => {
    const rig = pair();
    const join = reply(rig, rig.command({ kind: 'invite', name: B }), B);
    const added = reply(rig, join, B);
    reply(rig, added, B);
    expect(settled(rig.command({ kind: 'invite', name: B.withoutId() }))).toEqual([]);
    expect(settled(reply(rig, added, A))).toEqual(['settle 2 b', 'settle 3 b']);
    expect(settled(rig.command({ kind: 'invite', name: B }))).toEqual([]);
    expect(settled(rig.receive(message('ping', B)))).toEqual(['settle 4 already-in-group']);
  });

  test('of two instances: one can be a member, so the second is refused', () => {
    const rig = moderator();
    const discovery = rig.command({ kind: 'invite', name: A.withoutId() });
    const join = reply(rig, discovery, A);
    expect(requestTrace(rig.command({ kind: 'invite', name: A.withId(5n) }))).toEqual([
      'invite a started app',
      'invite a failed already-in-group app',
    ]);
    expect(settled(reply(rig, reply(rig, join, A), A))).toEqual(['settle 1 a']);
  });
});

describe('a removal', () => {
  test('starts at once, and has ended when the member has left', () => {
    const rig = pair();
    const started = rig.command({ kind: 'remove', name: A.withoutId(), ref: 'r2' });
    expect(requestTrace(started)).toEqual(['remove a* started app r2', 'left a removed [m]']);
    expect(requestTrace(reply(rig, started, A))).toEqual(['remove a* removed app r2']);
  });

  test('and an invitation of the same name in the meantime: that starts at once, and goes on after it', () => {
    const rig = pair();
    const leaving = rig.command({ kind: 'remove', name: A });
    expect(requestTrace(rig.command({ kind: 'invite', name: A, ref: 'r3' }))).toEqual(['invite a started app r3']);
    const gone = reply(rig, leaving, A);
    expect(requestTrace(gone)).toEqual(['remove a removed app']);
    expect(requestTrace(joins(rig, gone, A))).toEqual(['joined a [m a]', 'invite a joined app r3']);
  });

  test('of a member that not all have heard of, with MLS, and a new invitation of it: each has its own outcome', () => {
    const config = groupConfig(M, { mls: { policy: 'clear' } });
    const engine = new MlsRig(new SessionModerator(config), ({ op }) => done(op, 1, 'welcome'));
    const rig = pair(engine);
    // A does not acknowledge the addition.
    const added = reply(rig, reply(rig, rig.command({ kind: 'invite', name: B, ref: 'first' }), B), B);
    reply(rig, added, B);
    const removing = rig.command({ kind: 'remove', name: B });
    expect(requestTrace(removing)).toEqual([
      'remove b started app',
      'invite b joined app first',
      'left b removed [m a]',
    ]);
    rig.command({ kind: 'invite', name: B, ref: 'second' });
    const gone = reply(rig, reply(rig, removing, A), B);
    expect(requestTrace(gone)).toEqual(['remove b removed app']);
    // The late acknowledgement belongs to the first one.
    expect(requestTrace(reply(rig, added, A))).toEqual([]);
    expect(sentKinds(rig.command({ kind: 'invite', name: B, ref: 'third' }))).toEqual([]);
    const again = reply(rig, reply(rig, gone, B), B);
    const back = [...reply(rig, again, B), ...reply(rig, again, A)];
    expect(requestTrace(back)).toEqual(['joined b [m a b]', 'invite b joined app second', 'invite b joined app third']);
  });
});

describe('what is refused at once has a start and an end, too', () => {
  test.each([
    ['who is there already', { kind: 'invite', name: M }, 'already-in-group'],
    ['who is not there', { kind: 'remove', name: C }, 'participant-not-found'],
  ] as const)('%s', (_what, command, code) => {
    const effects = pair().command(command);
    const name = command.name.app;
    expect(requestTrace(effects)).toEqual([
      `${command.kind} ${name} started app`,
      `${command.kind} ${name} failed ${code} app`,
    ]);
    expect(settled(effects)).toEqual([`settle 2 ${code}`]);
  });

  test.each(['invite', 'remove'] as const)('by a participant: %s', (kind) => {
    const rig = new Rig(new SessionParticipant(groupConfig(A)));
    rig.receive(message('joinRequest', M, { id: 400 }), welcome([M, A]));
    const effects = rig.command({ kind, name: B, ref: 'r' });
    expect(requestTrace(effects)).toEqual([`${kind} b started app r`, `${kind} b failed not-moderator app r`]);
    expect(settled(effects)).toEqual(['settle 1 not-moderator']);
  });

  test.each(['invite', 'remove'] as const)('in a call that has its peer: %s', (kind) => {
    const rig = new Rig(new SessionModerator(groupConfig(M, { type: 'pointToPoint', channel: A.withoutId() })));
    joins(rig, rig.command({ kind: 'invite', name: A.withoutId() }), A);
    expect(requestTrace(rig.command({ kind, name: B }))).toEqual([
      `${kind} b started app`,
      `${kind} b failed invalid-option app`,
    ]);
  });

  test.each(['invite', 'remove'] as const)('while the session closes: %s', (kind) => {
    const rig = pair();
    rig.command({ kind: 'close' });
    expect(requestTrace(rig.command({ kind, name: A }))).toEqual([
      `${kind} a started app`,
      `${kind} a failed closed app`,
    ]);
  });
});

describe('the end of the session', () => {
  test('ends what is under way before it is told itself', () => {
    const rig = pair();
    rig.command({ kind: 'invite', name: B, ref: 'r1' });
    rig.command({ kind: 'remove', name: A, ref: 'r2' });
    rig.command({ kind: 'invite', name: A, ref: 'r3' });
    const effects = rig.command({ kind: 'abandon' });
    expect(requestTrace(effects)).toEqual([
      'invite b failed closed app r1',
      'remove a failed closed app r2',
      'invite a failed closed app r3',
    ]);
    expect(trace(effects).at(-1)).toBe('end closed');
  });

  test('is the last thing that the application hears', () => {
    const rig = pair();
    rig.command({ kind: 'abandon' });
    const late = rig.command({ kind: 'invite', name: B });
    expect(requestTrace(late)).toEqual([]);
    expect(settled(late)).toEqual(['settle 3 closed']);
  });
});
