import { describe, expect, test } from 'vitest';

import { type Effect, type MlsPolicy, type MlsResult, SessionParticipant } from '../../src/protocol/index.js';
import type { MlsPayload, PublishMessage } from '../../src/wire/index.js';
import { ciphertext, done, mlsPayload, MlsRig, refused, withBlob } from './mls-rig.js';
import {
  A,
  B,
  C,
  groupAdd,
  groupConfig,
  groupRemove,
  M,
  message,
  msg,
  publish,
  sent,
  sentKinds,
  trace,
  welcome,
} from './support.js';

function withMls(change: PublishMessage, mls: MlsPayload): PublishMessage {
  const { content } = change;
  const isChange = content.kind === 'groupAdd' || content.kind === 'groupRemove' || content.kind === 'groupWelcome';
  if (!isChange) throw new Error(content.kind);
  return { ...change, content: { ...content, mls } };
}

/** An engine whose commits are texts, `bad` being one that does not hold; the epoch counts what was applied. */
function engine(): (request: MlsRig['requests'][number]) => MlsResult {
  let epoch = 0;
  return (request) => {
    switch (request.op) {
      case 'join':
        epoch = 5;
        return done('', epoch);
      case 'commit':
        if (new TextDecoder().decode(request.commit).startsWith('bad')) return refused('mls-bad-signature');
        epoch += 1;
        return done('', epoch);
      case 'encrypt':
        return { ok: true, bytes: ciphertext('sealed'), epoch };
      case 'decrypt':
        return { ok: true, bytes: request.ciphertext.slice(4), epoch };
      default:
        return done(request.op, epoch);
    }
  };
}

/** A, welcomed by M into a group with B. */
function member(policy: MlsPolicy = 'auto'): MlsRig {
  const rig = new MlsRig(new SessionParticipant(groupConfig(A, { mls: { policy } })), engine());
  rig.receive(message('joinRequest', M, { id: 400, to: A }));
  rig.receive(withMls(welcome([M, A, B]), mlsPayload(3, 'welcome')));
  return rig;
}

function notices(effects: readonly Effect[]): string[] {
  return trace(effects.filter(({ kind }) => kind === 'notify'));
}

function told(effects: readonly Effect[]): { readonly isEncrypted: boolean; readonly text: string }[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== 'notify' || effect.notice.kind !== 'message') return [];
    const { isEncrypted, payload } = effect.notice.delivered;
    return [{ isEncrypted, text: new TextDecoder().decode(payload) }];
  });
}

describe('commits', () => {
  test('N6: one that comes twice is applied once; one that is ahead waits for those before it', () => {
    const rig = member();
    const second = withMls(groupRemove(C, [M, A, B], 602), mlsPayload(5, 'second'));
    expect(trace(rig.receive(second))).toEqual([]);
    expect(rig.ops).toEqual(['keyPackage', 'join']);
    const first = withMls(groupAdd(C, [M, A, B, C], 601), mlsPayload(4, 'first'));
    expect(sentKinds(rig.receive(first))).toEqual(['groupAck', 'groupAck']);
    expect(rig.ops).toEqual(['keyPackage', 'join', 'commit', 'commit']);
    expect(rig.machine.members).toEqual([M, A, B]);
    expect(trace(rig.receive(first))).toEqual([]);
    expect(rig.ops).toHaveLength(4);
  });

  test('one that does not hold changes nothing, is not acknowledged, and does not keep the genuine one out', () => {
    const rig = member();
    const forged = withMls(groupAdd(C, [M, A, B, C], 601), mlsPayload(4, 'bad'));
    expect(trace(rig.receive(forged))).toEqual(['warning mls-failed']);
    expect(trace(rig.receive(forged))).toEqual([]);
    expect(rig.machine.members).toEqual([M, A, B]);
    const genuine = withMls(groupAdd(C, [M, A, B, C], 602), mlsPayload(4, 'genuine'));
    expect(trace(rig.receive(genuine))).toEqual(['groupAck > m #602', 'joined c [m a b c]', 'mls on 6 []']);
  });

  test('a forged one that waits for its turn is gone when it had it', () => {
    const rig = member();
    rig.receive(withMls(groupAdd(C, [M, A, B, C], 602), mlsPayload(5, 'bad')));
    rig.receive(withMls(groupRemove(B, [M, A], 601), mlsPayload(4, 'first')));
    expect(rig.machine.members).toEqual([M, A]);
    rig.receive(withMls(groupAdd(B, [M, A, B], 603), mlsPayload(5, 'genuine')));
    expect(rig.machine.members).toEqual([M, A, B]);
  });

  test('a change without MLS is not made', () => {
    const rig = member();
    expect(trace(rig.receive(groupAdd(C, [M, A, B, C], 601)))).toEqual(['warning mls-failed']);
    expect(trace(rig.receive(groupRemove(B, [M, A], 602)))).toEqual(['warning mls-failed']);
    expect(rig.machine.members).toEqual([M, A, B]);
  });

  test('a change before the welcome is not acknowledged', () => {
    const rig = new MlsRig(new SessionParticipant(groupConfig(A, { mls: { policy: 'auto' } })), engine());
    rig.receive(message('joinRequest', M, { id: 400, to: A }));
    expect(trace(rig.receive(withMls(groupAdd(C, [M, A, C], 601), mlsPayload(4, 'first'))))).toEqual([]);
    expect(rig.ops).toEqual(['keyPackage']);
  });

  test('each join request gets a key package of its own, a repetition gets nothing', () => {
    const rig = new MlsRig(new SessionParticipant(groupConfig(A, { mls: { policy: 'auto' } })), engine());
    expect(sentKinds(rig.receive(message('joinRequest', M, { id: 400, to: A })))).toEqual(['joinReply']);
    expect(sentKinds(rig.receive(message('joinRequest', M, { id: 400, to: A })))).toEqual([]);
    expect(sentKinds(rig.receive(message('joinRequest', M, { id: 401, to: A })))).toEqual(['joinReply']);
    expect(rig.ops).toEqual(['keyPackage', 'keyPackage']);
  });

  test('N10: a welcome that does not open is told of once and not acknowledged', () => {
    const rig = new MlsRig(new SessionParticipant(groupConfig(A, { mls: { policy: 'auto' } })), ({ op }) =>
      op === 'join' ? refused('mls-no-key-package') : done(op, 0),
    );
    rig.receive(message('joinRequest', M, { id: 400, to: A }));
    const strange = withMls(welcome([M, A, B]), mlsPayload(3, 'welcome'));
    expect(trace(rig.receive(strange))).toEqual(['warning mls-failed']);
    expect(trace(rig.receive(strange))).toEqual([]);
    expect(rig.machine.members).toEqual([]);
  });
});

describe('payloads', () => {
  test('N9: one that is quicker than the welcome is not acknowledged and never shown as clear text', () => {
    const rig = new MlsRig(new SessionParticipant(groupConfig(A, { mls: { policy: 'require' } })), (request) =>
      request.op === 'decrypt' ? refused('mls-inactive') : done(request.op, 0),
    );
    rig.receive(message('joinRequest', M, { id: 400, to: A }));
    const early = withBlob(msg(B, 1), ciphertext('early'));
    expect(trace(rig.receive(early))).toEqual([]);
    rig.answer = engine();
    const effects = rig.receive(withMls(welcome([M, A, B]), mlsPayload(3, 'welcome')), early);
    expect(told(effects)).toEqual([{ isEncrypted: true, text: 'early' }]);
  });

  test('N8: of a removed member, or of another group: nothing is shown, nothing acknowledged', () => {
    const rig = member();
    rig.answer = () => refused('mls-wrong-epoch-past');
    expect(trace(rig.receive(withBlob(msg(B, 1), ciphertext('old'))))).toEqual([]);
    rig.answer = () => refused('mls-wrong-group');
    expect(trace(rig.receive(withBlob(msg(B, 2), ciphertext('strange'))))).toEqual(['warning mls-decrypt-failed']);
    expect(trace(rig.receive(withBlob(msg(B, 2), ciphertext('strange'))))).toEqual([]);
  });

  test('each says whether it was encrypted', () => {
    const rig = member();
    const effects = rig.receive(withBlob(msg(B, 1), ciphertext('one')), msg(B, 2, 'two'));
    expect(told(effects)).toEqual([
      { isEncrypted: true, text: 'one' },
      { isEncrypted: false, text: 'two' },
    ]);
  });

  test('`require` shows nothing that came in clear but a warning, acknowledges it, and stays encrypting', () => {
    const rig = member('require');
    const effects = rig.receive(msg(B, 1, 'secret'), withBlob(msg(B, 2), ciphertext('two')));
    expect(told(effects)).toEqual([{ isEncrypted: true, text: 'two' }]);
    expect(sentKinds(effects)).toEqual(['msgAck', 'msgAck']);
    expect(trace(effects)).toContain('warning mls-clear-refused');
    expect(JSON.stringify(effects.filter(({ kind }) => kind === 'notify'))).not.toContain('"secret"');
    rig.receive(msg(M, 1, 'clear too'));
    expect(sent(rig.command(publish('mine')))[0]?.content).toMatchObject({ blob: ciphertext('sealed') });
  });

  test('`clear` never encrypts, and reads what is', () => {
    const rig = member('clear');
    expect(sent(rig.command(publish('mine')))[0]?.content).toMatchObject({ blob: new TextEncoder().encode('mine') });
    expect(told(rig.receive(withBlob(msg(B, 1), ciphertext('one'))))).toEqual([{ isEncrypted: true, text: 'one' }]);
  });

  test('`auto` sends in clear when all others are known to, and encrypts again when one does; each change is one notice', () => {
    const rig = member();
    const blobOf = () => sent(rig.command(publish('mine')))[0]?.content;
    expect(notices(rig.receive(msg(B, 1, 'clear')))).toEqual(['mls on 5 [b]', 'got b "clear"']);
    expect(blobOf()).toMatchObject({ blob: ciphertext('sealed') });
    expect(notices(rig.receive(msg(M, 1, 'clear')))).toEqual(['mls keys-only 5 [m b]', 'got m "clear"']);
    expect(blobOf()).toMatchObject({ blob: new TextEncoder().encode('mine') });
    // Nothing new in a second one.
    expect(notices(rig.receive(msg(M, 2, 'again')))).toEqual(['got m "again"']);
    const back = notices(rig.receive(withBlob(msg(B, 2), ciphertext('x'))));
    expect(back.filter((line) => line.startsWith('mls'))).toEqual(['mls on 5 [m]']);
    expect(blobOf()).toMatchObject({ blob: ciphertext('sealed') });
  });

  test('`auto`: a new member may encrypt, so does this app, until it is known', () => {
    const rig = member();
    rig.receive(msg(B, 1, 'clear'), msg(M, 1, 'clear'));
    const added = rig.receive(withMls(groupAdd(C, [M, A, B, C], 601), mlsPayload(4, 'first')));
    expect(notices(added)).toEqual(['joined c [m a b c]', 'mls on 6 [m b]']);
    expect(notices(rig.receive(msg(C, 1, 'clear'))).filter((line) => line.startsWith('mls'))).toEqual([
      'mls keys-only 6 [m b c]',
    ]);
    // The last one that was known to encrypt is gone.
    rig.receive(withBlob(msg(C, 2), ciphertext('x')));
    const removed = rig.receive(withMls(groupRemove(C, [M, A, B], 602), mlsPayload(5, 'second')));
    expect(notices(removed)).toEqual(['left c removed [m a b]', 'mls keys-only 7 [m b]']);
  });
});
