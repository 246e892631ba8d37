import { describe, expect, test } from 'vitest';

import type { Name } from '../../src/name/index.js';
import { type Effect, type MlsRequest, SessionModerator } from '../../src/protocol/index.js';
import { LEAF_WARNING_MS } from '../../src/protocol/leaf-ages.js';
import { flagged } from '../../src/protocol/message-builder.js';
import type { Content } from '../../src/wire/index.js';
import { done, type MlsAnswer, MlsRig, refused } from './mls-rig.js';
import {
  A,
  B,
  C,
  groupConfig,
  idOf,
  idsOf,
  M,
  message,
  publish,
  R,
  requestTrace,
  sent,
  sentKinds,
  T,
  timerTrace,
  trace,
} from './support.js';

const KEY_PACKAGE = new TextEncoder().encode('key package');

/** An engine that takes everything; the epoch counts commits. */
function engine(): MlsAnswer {
  let epoch = 0;
  return ({ op }: MlsRequest) => {
    if (op === 'add' || op === 'remove') epoch += 1;
    return op === 'add' ? done('commit', epoch, 'welcome') : done(op, epoch);
  };
}

/** Answers every control request in `effects` for these members, and what comes of that; gives all effects. */
function answerAll(rig: MlsRig, effects: readonly Effect[], members: readonly Name[]): Effect[] {
  const all: Effect[] = [];
  let open = [...effects];
  while (open.length > 0) {
    const next = sent(open).flatMap((request) => answersTo(rig, request, members));
    all.push(...next);
    open = next;
  }
  return all;
}

function answersTo(rig: MlsRig, request: ReturnType<typeof sent>[number], members: readonly Name[]): Effect[] {
  const { content, destination, messageId: id } = request;
  const isForAll = destination.equals(groupConfig(M).channel);
  return members.flatMap((member) => {
    if (!isForAll && destination.prefixKey !== member.prefixKey) return [];
    switch (content.kind) {
      case 'discoveryRequest':
        return rig.receive(message('discoveryReply', member, { id }));
      case 'joinRequest':
        return rig.receive(
          message('joinReply', member, { id, content: { kind: 'joinReply', keyPackage: KEY_PACKAGE } }),
        );
      case 'leaveRequest':
        return rig.receive(message('leaveReply', member, { id }));
      case 'groupAdd':
        return content.newParticipant.equals(member) ? [] : rig.receive(message('groupAck', member, { id }));
      case 'groupWelcome':
      case 'groupRemove':
      case 'groupClose':
        return rig.receive(message('groupAck', member, { id }));
      default:
        return [];
    }
  });
}

/** A group that is kept alive, with these members. */
function groupOf(...members: readonly Name[]): MlsRig {
  const config = groupConfig(M, { mls: { policy: 'clear' }, keepsAlive: true });
  const rig = new MlsRig(new SessionModerator(config), engine());
  for (const member of members) answerAll(rig, rig.command({ kind: 'invite', name: member.withoutId() }), members);
  expect(rig.machine.members).toEqual([M, ...members]);
  return rig;
}

/** The leaves of all members get old; time passes without timers in between: nobody answers pings here. */
function growOld(rig: MlsRig): Effect[] {
  rig.env.nowMs = LEAF_WARNING_MS;
  return rig.handle({ kind: 'timer', timer: 'leaves' });
}

/** A control request runs out of its tries. */
function runOut(rig: MlsRig): Effect[] {
  const effects: Effect[] = [];
  for (let tries = 0; tries <= R; tries += 1) {
    rig.env.nowMs += T;
    effects.push(...rig.handle({ kind: 'timer', timer: 'control' }));
  }
  return effects;
}

/** The messages of one kind among these effects. */
function only(effects: readonly Effect[], kind: Content['kind']): Effect[] {
  return effects.filter((effect) => effect.kind === 'send' && effect.message.content.kind === kind);
}

function pauseEnds(rig: MlsRig): Effect[] {
  return rig.handle({ kind: 'timer', timer: 'renewal' });
}

describe('a member whose leaf is old', () => {
  test('leaves first; the others are told when it has left; then it is invited again', () => {
    const rig = groupOf(A, B, C);
    rig.env.nextRandom = 3000;
    const asking = growOld(rig);
    expect(trace(asking)).toEqual(['leaveRequest > a #3000']);
    expect(rig.machine.members).toEqual([M, A, B, C]);
    const telling = rig.receive(message('leaveReply', A, { id: 3000 }));
    expect(trace(telling).slice(0, 2)).toEqual(['left a removed [m b c]', 'groupRemove > chat #3001 all -a [m b c]']);
    rig.receive(message('groupAck', B, { id: 3001 }));
    const inviting = rig.receive(message('groupAck', C, { id: 3001 }));
    expect(sentKinds(inviting)).toEqual(['discoveryRequest']);
    const back = answerAll(rig, inviting, [A, B, C]);
    expect(rig.machine.members).toEqual([M, B, C, A]);
    // The application asked for none of this.
    expect(requestTrace([...asking, ...telling, ...inviting, ...back])).toEqual([
      'left a removed [m b c]',
      'joined a [m b c a]',
    ]);
  });

  test('does not leave: the others are told all the same', () => {
    const rig = groupOf(A, B);
    growOld(rig);
    const effects = runOut(rig);
    expect(sentKinds(effects)).toEqual(['leaveRequest', 'leaveRequest', 'groupRemove']);
    answerAll(rig, only(effects, 'groupRemove'), [A, B]);
    expect(rig.machine.members).toEqual([M, B, A]);
  });

  test('says goodbye while it is asked to leave: the others are told, and it is invited again', () => {
    const rig = groupOf(A, B);
    growOld(rig);
    const told = rig.receive(message('leaveRequest', A, { id: 77, metadata: flagged('leavingSession') }));
    expect(sentKinds(told)).toEqual(['leaveReply', 'groupRemove']);
    expect(sentKinds(rig.receive(message('groupAck', B, { id: idOf(told, 'groupRemove') })))).toEqual([
      'discoveryRequest',
    ]);
  });

  test('has left, and MLS makes no commit of it: it is off the list, with a warning', () => {
    const rig = groupOf(A, B);
    const asking = growOld(rig);
    rig.answer = ({ op }) => (op === 'remove' ? refused('mls-token-expired') : done(op, 2));
    const effects = rig.receive(message('leaveReply', A, { id: idOf(asking, 'leaveRequest') }));
    expect(trace(effects).slice(0, 2)).toEqual(['warning mls-failed', 'left a removed [m b]']);
    expect(sentKinds(effects)).toEqual(['discoveryRequest']);
  });

  test('cannot be invited again: a warning says why, and its group goes on', () => {
    const rig = groupOf(A, B);
    const asking = growOld(rig);
    const telling = rig.receive(message('leaveReply', A, { id: idOf(asking, 'leaveRequest') }));
    const inviting = answerAll(rig, only(telling, 'groupRemove'), [B]);
    expect(sentKinds(inviting)).toEqual(['discoveryRequest']);
    const warned = runOut(rig).flatMap((effect) =>
      effect.kind === 'notify' && effect.notice.kind === 'warning' ? [effect.notice] : [],
    );
    expect(warned).toMatchObject([{ code: 'mls-failed' }]);
    expect(warned[0]!.text).toContain(
      `${A.toString()} could not be removed and invited again to renew its key: no answer`,
    );
    expect(sentKinds(rig.command(publish('without a')))).toEqual(['msg']);
  });

  test('has left by itself before its turn: nothing is done, and the next one has its turn after a pause', () => {
    const rig = groupOf(A, B);
    rig.command(publish('not acknowledged'));
    expect(trace(growOld(rig))).toEqual([]);
    const leaving = rig.receive(message('leaveRequest', A, { id: 77, metadata: flagged('leavingSession') }));
    answerAll(rig, leaving, [B]);
    const quiet = rig.receive(message('msgAck', B, { id: 1 }));
    expect(trace(quiet)).toEqual(['delivery 3 acked 1/0']);
    expect(timerTrace(quiet)).toContain(`setTimer renewal ${String(2 * T)}`);
    expect(trace(pauseEnds(rig))).toEqual([expect.stringMatching(/^leaveRequest > b /)]);
  });

  test('is renewed alone: the next one when all is done, and two retransmission times later', () => {
    const rig = groupOf(A, B);
    const effects = answerAll(rig, growOld(rig), [A, B]);
    expect(idsOf(effects, 'leaveRequest')).toEqual([]);
    expect(timerTrace(effects)).toContain(`setTimer renewal ${String(2 * T)}`);
    const next = pauseEnds(rig);
    expect(trace(next)).toEqual([expect.stringMatching(/^leaveRequest > b /)]);
    answerAll(rig, next, [A, B]);
    expect(rig.machine.members).toEqual([M, A, B]);
    expect(sentKinds(pauseEnds(rig))).toEqual([]);
  });

  test('and is wanted by the application at the same time: its invitation comes with the renewal', () => {
    const rig = groupOf(A, B);
    const asking = growOld(rig);
    const command = rig.command({ kind: 'invite', name: A.withoutId() });
    const effects = [...command, ...answerAll(rig, asking, [A, B])];
    expect(idsOf(effects, 'discoveryRequest')).toHaveLength(1);
    expect(requestTrace(effects)).toEqual([
      'invite a* started app',
      'left a removed [m b]',
      'joined a [m b a]',
      'invite a* joined app',
    ]);
    expect(trace(effects).filter((line) => line.startsWith('warning'))).toEqual([]);
  });
});

describe('own messages while a member is renewed', () => {
  test('those before it must be acknowledged first; those of that time wait, and reach the member that is back', () => {
    const rig = groupOf(A, B);
    rig.command(publish('before'));
    expect(sentKinds(growOld(rig))).toEqual([]);
    expect(trace(rig.command(publish('meanwhile')))).toEqual(['delivery 4 queued 0/0']);
    rig.receive(message('msgAck', A, { id: 1 }));
    const asking = rig.receive(message('msgAck', B, { id: 1 }));
    expect(sentKinds(asking)).toEqual(['leaveRequest']);
    expect(rig.machine.queued.count).toBe(1);
    const effects = answerAll(rig, asking, [A, B]);
    expect(trace(effects).slice(-2)).toEqual([
      expect.stringMatching(/^msg > chat #2 .*"meanwhile"$/),
      'delivery 4 sent 0/2',
    ]);
    expect(rig.machine.queued.count).toBe(0);
  });

  test('one to that member only waits for it, although it is not there', () => {
    const rig = groupOf(A, B);
    const asking = growOld(rig);
    const left = rig.receive(message('leaveReply', A, { id: idOf(asking, 'leaveRequest') }));
    expect(trace(rig.command(publish('for a', A)))).toEqual(['delivery 3 queued 0/0']);
    expect(trace(answerAll(rig, left, [A, B])).at(-1)).toBe('delivery 3 sent 0/1');
  });

  test('one to somebody who is not there afterwards either fails then', () => {
    const rig = groupOf(A, B);
    const asking = growOld(rig);
    rig.command(publish('for c', C));
    expect(trace(answerAll(rig, asking, [A, B])).at(-1)).toBe('delivery 3 failed 0/0 participant-not-found');
  });

  test('while the link is down nothing is renewed', () => {
    const rig = groupOf(A, B);
    rig.command(publish('before'));
    growOld(rig);
    rig.handle({ kind: 'linkDown' });
    expect(sentKinds(rig.command(publish('meanwhile')))).toEqual([]);
    const up = rig.handle({ kind: 'linkUp' });
    expect(sentKinds(up).filter((kind) => kind !== 'ping')).toEqual([]);
    rig.receive(message('msgAck', A, { id: 1 }));
    expect(sentKinds(rig.receive(message('msgAck', B, { id: 1 })))).toEqual(['leaveRequest']);
  });
});

test('the session is closed while a member is renewed: no warning, and what waited fails', () => {
  const rig = groupOf(A, B);
  growOld(rig);
  rig.command(publish('too late'));
  const effects = [...rig.command({ kind: 'close' })];
  effects.push(...answerAll(rig, effects, [A, B]));
  expect(trace(effects)).toEqual([
    expect.stringMatching(/^groupClose > chat /),
    'unsubscribe chat',
    'settle 4',
    'delivery 3 failed 0/0 closed',
    'end closed',
  ]);
});

test('the session is abandoned while a member is renewed: its end is the last thing that it does', () => {
  const rig = groupOf(A, B);
  growOld(rig);
  expect(rig.command({ kind: 'abandon' }).at(-1)).toEqual({ kind: 'end', reason: 'closed' });
});

test('a group that is not kept alive warns of its members instead', () => {
  const config = groupConfig(M, { mls: { policy: 'clear' } });
  const rig = new MlsRig(new SessionModerator(config), engine());
  answerAll(rig, rig.command({ kind: 'invite', name: A.withoutId() }), [A]);
  expect(trace(growOld(rig))).toEqual(['warning mls-leaf-ageing']);
});
