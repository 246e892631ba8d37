import { describe, expect, test } from 'vitest';

import type { Effect, Input, MlsPolicy } from '../../src/protocol/index.js';
import { SessionModerator, SessionParticipant } from '../../src/protocol/index.js';
import type { Content } from '../../src/wire/index.js';
import { MemoryMls } from '../mls/memory-mls/memory-mls.js';
import { SimulatedGroup } from './simulated-group.js';
import { SimulatedMls } from './simulated-mls.js';
import {
  A,
  B,
  C,
  groupConfig,
  idOf,
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
  welcome,
} from './support.js';

const AUTO = { timeoutMs: 1000, maxRetries: 10, mls: { policy: 'auto' } } as const;

function gathered(count: number): SimulatedGroup {
  const group = new SimulatedGroup(3, count, { group: AUTO });
  group.gather(...Array.from({ length: count - 1 }, (_, index) => index + 1));
  group.run(100);
  return group;
}

describe('a group with MLS', () => {
  test.each([2, 4, 8])(
    '%d members: all have the same keys, everything travels encrypted and comes out readable',
    (count) => {
      const group = gathered(count);
      const records = group.apps.flatMap((_, index) => [group.publish(index), group.publish(index)]);
      group.runUntil('acknowledged', () => records.every(({ isSettled }) => isSettled), 2000);
      group.checkMembers();
      group.checkKeys();
      group.checkEncrypted(true);
      group.checkNothingLost();
      for (const { session } of group.apps) expect(session?.received).toHaveLength(2 * (count - 1));
      for (const { content, metadata } of group.network.sent) {
        if (content.kind !== 'app' || content.blob.length === 0) continue;
        expect([...content.blob.slice(0, 4)]).toEqual([0, 1, 0, 2]);
        expect(new TextDecoder().decode(content.blob)).not.toMatch(/says \d/);
        expect(metadata).toEqual({});
      }
    },
  );

  test('commits are numbered from 1, and a welcome has the number of its commit', () => {
    const group = gathered(4);
    const removal = group.remove(2);
    group.runUntil('removed', () => removal.isSettled, 2000);
    group.gather(2);
    const numbers = group.network.sent.flatMap(({ content }) =>
      'mls' in content ? [[content.kind, content.mls.commitId]] : [],
    );
    expect(numbers).toEqual([
      ['groupWelcome', 1],
      ['groupAdd', 2],
      ['groupWelcome', 2],
      ['groupAdd', 3],
      ['groupWelcome', 3],
      ['groupRemove', 4],
      ['groupAdd', 5],
      ['groupWelcome', 5],
    ]);
    group.run(100);
    group.checkKeys();
  });

  test('who was removed has no key of what is said afterwards', () => {
    const group = gathered(3);
    const removed = group.session(1);
    const removal = group.remove(1);
    group.runUntil('removed', () => removal.isSettled, 2000);
    const { sent: everything } = group.network;
    const before = everything.length;
    group.publish(2);
    group.run(100);
    const secret = everything.slice(before).find(({ content }) => content.kind === 'app' && content.blob.length > 0);
    expect(secret).toBeDefined();
    expect(removed.mls?.epoch).toBeUndefined();
    group.checkKeys();
    expect(group.moderator.mls?.members).not.toContain(group.app(1).name.toString());
  });

  test('a removal that nobody is left to hear of still uses up its number and moves the keys on', () => {
    const group = gathered(2);
    const epoch = group.moderator.mls?.epoch;
    const removal = group.remove(1);
    group.runUntil('removed', () => removal.isSettled, 2000);
    expect(group.moderator.mls?.epoch).toBe((epoch ?? 0n) + 1n);
    group.gather(1);
    const welcomes = group.network.sent.flatMap(({ content }) =>
      content.kind === 'groupWelcome' ? [content.mls?.commitId] : [],
    );
    expect(welcomes).toEqual([1, 3]);
    group.checkKeys();
  });

  test.each([0, 1, 2, 3, 5, 8, 12, 16, 20, 25])(
    'the link of the moderator breaks %d ms into an invitation: it succeeds when the link is back, with the right keys',
    (ms) => {
      const group = gathered(3);
      const removal = group.remove(2);
      group.runUntil('removed', () => removal.isSettled, 2000);
      const invitation = group.invite(2);
      group.run(ms);
      group.app(0).link.down();
      group.run(3000);
      group.app(0).link.up();
      group.runUntil('invited', () => invitation.isSettled, 15_000);
      expect(invitation.error).toBeUndefined();
      group.run(1000);
      group.checkMembers();
      group.checkKeys();
    },
  );

  test('a member whose link was down for several changes catches up with the keys before it reads on', () => {
    const group = gathered(4);
    group.app(1).link.down();
    const removal = group.remove(2);
    group.run(2000);
    const said = group.publish(0);
    group.run(2000);
    group.app(1).link.up();
    group.runUntil('caught up', () => removal.isSettled && said.isSettled, 20_000);
    group.run(1000);
    group.checkMembers();
    group.checkKeys();
    group.checkEncrypted(true);
    group.checkNothingLost();
  });
});

/** A rig whose MLS operations are answered at once by the fake engine. */
class MlsRig extends Rig {
  readonly mls: SimulatedMls;

  constructor(machine: SessionModerator | SessionParticipant, engine: MemoryMls, name: typeof M) {
    super(machine);
    this.mls = new SimulatedMls(engine, name);
  }

  override handle(input: Input): Effect[] {
    const effects = super.handle(input);
    for (let index = 0; index < effects.length; index += 1) {
      const effect = effects[index]!;
      if (effect.kind === 'mls')
        effects.push(...super.handle({ kind: 'mlsResult', id: effect.id, result: this.mls.run(effect.request) }));
    }
    return effects;
  }
}

function mlsConfig(local: typeof M, policy: MlsPolicy = 'auto') {
  return groupConfig(local, { mls: { policy } });
}

/** A moderator, a member, and what they need to talk to each other. */
function pairOf(policy: MlsPolicy = 'auto') {
  const engine = new MemoryMls({ seed: 'pair', nowMs: () => 0 });
  const moderator = new MlsRig(new SessionModerator(mlsConfig(M, policy)), engine, M);
  const participant = new MlsRig(new SessionParticipant(mlsConfig(A, policy)), engine, A);
  const discovery = moderator.command({ kind: 'invite', name: A.withoutId() });
  const join = moderator.receive(message('discoveryReply', A, { id: idOf(discovery, 'discoveryRequest') }));
  const [request] = sent(join);
  const reply = participant.receive(
    message('joinRequest', M, { id: request!.messageId, to: A, content: request!.content }),
  );
  const [answer] = sent(reply);
  const hello = moderator.receive(message('joinReply', A, { id: answer!.messageId, content: answer!.content }));
  return { engine, moderator, participant, join, reply, hello };
}

/** The same, and the welcome has been acknowledged. */
function joinedPair(policy: MlsPolicy = 'auto') {
  const pair = pairOf(policy);
  const [request] = sent(pair.hello);
  const joined = pair.participant.receive(
    message('groupWelcome', M, { id: request!.messageId, content: request!.content }),
  );
  pair.moderator.receive(message('groupAck', A, { id: request!.messageId }));
  return { ...pair, joined, welcome: request! };
}

describe('what MLS adds to the messages (session.md 3.3)', () => {
  test('the request says so, the reply has a key package, the welcome has a welcome with number 1', () => {
    const { join, reply, hello } = pairOf();
    expect(sent(join)[0]!.content).toMatchObject({ kind: 'joinRequest', enableMls: true });
    expect(sent(reply)[0]!.content).toMatchObject({
      kind: 'joinReply',
      keyPackage: expect.any(Uint8Array) as Uint8Array,
    });
    expect(sent(hello)[0]!.content).toMatchObject({ kind: 'groupWelcome', mls: { commitId: 1 } });
  });

  test('the participant subscribes and acknowledges when it has the keys; protection is told', () => {
    const { joined } = joinedPair();
    const lines = trace(joined);
    expect(lines[0]).toBe('mls join');
    expect(lines.filter((line) => !line.startsWith('mls'))).toEqual([
      'subscribe chat',
      expect.stringMatching(/^groupAck > m/) as string,
      'established [m a]',
    ]);
    expect(lines).toContain('mls on 1 []');
  });

  test('each JoinRequest gets a key package of its own, and any of them opens the welcome (trap 3)', () => {
    const engine = new MemoryMls({ seed: 'two', nowMs: () => 0 });
    const moderator = new SimulatedMls(engine, M);
    moderator.run({ op: 'createGroup' });
    const rig = new MlsRig(new SessionParticipant(mlsConfig(A)), engine, A);
    const content: Content = {
      kind: 'joinRequest',
      enableMls: true,
      timerSettings: { timeoutMs: T, maxRetries: R },
    };
    const replies = [1, 2, 1].flatMap((id) => sent(rig.receive(message('joinRequest', M, { id, to: A, content }))));
    expect(replies.map(({ messageId }) => messageId)).toEqual([1, 2]);
    const packages = replies.map(({ content }) =>
      content.kind === 'joinReply' ? content.keyPackage! : new Uint8Array(0),
    );
    expect(packages[0]).not.toEqual(packages[1]);
    const made = moderator.run({ op: 'add', member: A, keyPackage: packages[0]! });
    if (!made.ok) throw made.error;
    const hello: Content = { kind: 'groupWelcome', participants: [M, A], mls: { commitId: 1, content: made.welcome! } };
    expect(sentKinds(rig.receive(message('groupWelcome', M, { id: 3, content: hello })))).toEqual(['groupAck']);
  });
});

describe('what cannot be used', () => {
  test('trap 10: a reply without a key package fails the invitation, and the next one is not held up', () => {
    const { moderator, engine } = joinedPair();
    const discovery = idOf(moderator.command({ kind: 'invite', name: B.withoutId() }), 'discoveryRequest');
    const join = idOf(moderator.receive(message('discoveryReply', B, { id: discovery })), 'joinRequest');
    expect(trace(moderator.receive(message('joinReply', B, { id: join })))).toEqual(['settle 2 mls-unsupported']);
    expect(moderator.machine.members).toEqual([M, A]);
    const carol = new SimulatedMls(engine, C);
    const again = idOf(moderator.command({ kind: 'invite', name: C.withoutId() }), 'discoveryRequest');
    const id = idOf(moderator.receive(message('discoveryReply', C, { id: again })), 'joinRequest');
    const keyPackage = carol.run({ op: 'keyPackage' });
    if (!keyPackage.ok) throw keyPackage.error;
    const content: Content = { kind: 'joinReply', keyPackage: keyPackage.bytes };
    expect(sentKinds(moderator.receive(message('joinReply', C, { id, content })))).toEqual([
      'groupAdd',
      'groupWelcome',
    ]);
  });

  test('a key package that is none fails the invitation, and the group is as it was', () => {
    const { moderator } = joinedPair();
    const discovery = idOf(moderator.command({ kind: 'invite', name: B.withoutId() }), 'discoveryRequest');
    const join = idOf(moderator.receive(message('discoveryReply', B, { id: discovery })), 'joinRequest');
    const content: Content = { kind: 'joinReply', keyPackage: Uint8Array.of(1, 2, 3) };
    const effects = moderator.receive(message('joinReply', B, { id: join, content }));
    expect(trace(effects).at(-1)).toMatch(/^settle 2 mls-/);
    expect(moderator.machine.members).toEqual([M, A]);
    expect(moderator.mls.members).toHaveLength(2);
  });

  test('a welcome without keys, or with those of somebody else, is not acknowledged, and the session is not usable', () => {
    const engine = new MemoryMls({ seed: 'bad', nowMs: () => 0 });
    const rig = new MlsRig(new SessionParticipant(mlsConfig(A)), engine, A);
    expect(sentKinds(rig.receive(welcome([M, A], 5)))).toEqual([]);
    const content: Content = {
      kind: 'groupWelcome',
      participants: [M, A],
      mls: { commitId: 1, content: Uint8Array.of(1) },
    };
    const effects = rig.receive(message('groupWelcome', M, { id: 6, content }));
    expect(sentKinds(effects)).toEqual([]);
    expect(trace(effects)).toContain('warning mls-failed');
    expect(rig.machine.members).toEqual([]);
  });

  test('a commit that does not hold is not acknowledged, and the list stays as it was', () => {
    const { participant } = joinedPair();
    const content: Content = {
      kind: 'groupAdd',
      newParticipant: B,
      participants: [M, A, B],
      mls: { commitId: 2, content: Uint8Array.of(1) },
    };
    expect(sentKinds(participant.receive(message('groupAdd', M, { id: 8, content })))).toEqual([]);
    expect(participant.machine.members).toEqual([M, A]);
  });
});

describe('payloads', () => {
  test('a duplicate is acknowledged without being opened again', () => {
    const { moderator, participant } = joinedPair();
    const [hello] = sent(moderator.command(publish('hello')));
    const arrives = msg(M, 1, '', { content: hello!.content });
    expect(trace(participant.receive(arrives))).toEqual(
      ['mls decrypt', 'msgAck > m #1', 'got m "hello"'].map((line) => expectLine(line)),
    );
    expect(trace(participant.receive(arrives))).toEqual(['msgAck > m #1']);
  });

  test('a changed ciphertext is told, not shown and not acknowledged; the genuine one is still readable', () => {
    const { moderator, participant } = joinedPair();
    const [hello] = sent(moderator.command(publish('hello')));
    if (hello?.content.kind !== 'app') throw new Error('no payload');
    const blob = hello.content.blob.slice();
    blob[blob.length - 1]! ^= 1;
    const forged = participant.receive(msg(M, 1, '', { content: { ...hello.content, blob } }));
    expect(sentKinds(forged)).toEqual([]);
    expect(trace(forged)).toContain('warning mls-decrypt-failed');
    expect(gotTexts(participant.receive(msg(M, 1, '', { content: hello.content })))).toEqual(['hello']);
  });

  test('policy auto: a clear message is shown and told, and when all others send in clear so do we', () => {
    const { participant } = joinedPair('auto');
    const effects = participant.receive(msg(M, 1, 'in clear'));
    expect(gotTexts(effects)).toEqual(['in clear']);
    expect(trace(effects)).toContain('mls keys-only 1 [m]');
    const [answer] = sent(participant.command(publish('also clear')));
    expect(answer!.content).toMatchObject({ kind: 'app', blob: new TextEncoder().encode('also clear') });
  });

  test('policy require: a clear message is not shown, and nothing leaves in clear', () => {
    const { participant } = joinedPair('require');
    const effects = participant.receive(msg(M, 1, 'in clear'));
    expect(gotTexts(effects)).toEqual([]);
    expect(trace(effects)).toContain('warning mls-clear-refused');
    const [answer] = sent(participant.command(publish('secret')));
    expect(answer!.content).toMatchObject({ kind: 'app' });
    expect(new TextDecoder().decode((answer!.content as { blob: Uint8Array }).blob)).not.toContain('secret');
  });

  test('policy clear: the keys are there, the text is not protected, and that is told', () => {
    const { participant, joined } = joinedPair('clear');
    expect(trace(joined)).toContain('mls keys-only 1 []');
    const [answer] = sent(participant.command(publish('open')));
    expect(answer!.content).toMatchObject({ kind: 'app', blob: new TextEncoder().encode('open') });
  });
});

function gotTexts(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) =>
    effect.kind === 'notify' && effect.notice.kind === 'message'
      ? [new TextDecoder().decode(effect.notice.delivered.payload)]
      : [],
  );
}

/** The trace shows what arrived; what was opened is looked at with {@link gotTexts}. */
function expectLine(line: string): unknown {
  return line.startsWith('got') ? (expect.stringMatching(/^got m /) as unknown) : line;
}
