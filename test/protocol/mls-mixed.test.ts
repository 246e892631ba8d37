import { describe, expect, test } from 'vitest';

import type { Name } from '../../src/name/index.js';
import {
  type Effect,
  type MlsPolicy,
  type MlsResult,
  SessionModerator,
  SessionParticipant,
} from '../../src/protocol/index.js';
import type { PublishMessage } from '../../src/wire/index.js';
import { ciphertext, mlsPayload, MlsRig, withBlob } from './mls-rig.js';
import { A, B, C, groupAdd, groupConfig, groupRemove, M, message, msg, publish, T, trace, welcome } from './support.js';

type Generation = '0.7' | '1.x';

/** Whom the token in the leaf of a member names. */
function subjectOf(name: Name, generation: Generation): string {
  const app = name.withoutId().toString();
  return `${generation === '0.7' ? app : `${app}/ffffffffffffffff`}_AbCd1234`;
}

/** An engine that puts payloads into brackets, in a group whose members are of the generations that a test says. */
function engine(members: () => readonly (readonly [Name, Generation])[]) {
  let epoch = 0;
  return (request: MlsRig['requests'][number]): MlsResult => {
    switch (request.op) {
      case 'encrypt':
        return { ok: true, bytes: ciphertext(new TextDecoder().decode(request.payload)), epoch };
      case 'decrypt':
        return { ok: true, bytes: request.ciphertext.slice(4), epoch };
      case 'keyPackage':
        return { ok: true, bytes: Uint8Array.of(1), epoch };
      default:
        epoch += 1;
        return {
          ok: true,
          bytes: Uint8Array.of(1),
          welcome: Uint8Array.of(1),
          epoch,
          subjects: members().map(([name, generation]) => subjectOf(name, generation)),
        };
    }
  };
}

/** A of ours, welcomed by M into a group with B; others come and go. */
function participant(policy: MlsPolicy, moderator: Generation, other: Generation) {
  const members: [Name, Generation][] = [
    [M, moderator],
    [A, '1.x'],
    [B, other],
  ];
  const rig = new MlsRig(
    new SessionParticipant(groupConfig(A, { mls: { policy } })),
    engine(() => members),
  );
  rig.receive(message('joinRequest', M, { id: 400, to: A }));
  const joined = rig.receive(withMls(welcome([M, A, B]), 1));
  return { rig, members, joined };
}

function withMls(change: PublishMessage, commitId: number): PublishMessage {
  return { ...change, content: { ...change.content, mls: mlsPayload(commitId, 'x') } as PublishMessage['content'] };
}

/** What leaves, ciphertext in brackets, and what is told. */
function seen(effects: readonly Effect[]): string[] {
  return trace(effects)
    .filter((line) => /^(msg|mls|rtxReply|delivery) /.test(line))
    .map((line) => line.replaceAll(/"\u0000\u0001\u0000\u0002([^"]*)"/gu, '[$1]'));
}

describe('a group whose other members are all of 0.7', () => {
  test.each(['auto', 'mixed'] as const)('is in clear from the first word, and says so before it (%s)', (policy) => {
    const { rig, joined } = participant(policy, '0.7', '0.7');
    expect(seen(joined)).toEqual(['mls keys-only 1 [m b]']);
    expect(seen(rig.command(publish('hello')))).toEqual(['msg > chat #1 all "hello"', 'delivery 1 sent 0/2']);
  });

  test('is told as such before anybody hears of the session', () => {
    const { joined } = participant('auto', '0.7', '0.7');
    const lines = trace(joined).filter((line) => /^(mls|established)/.test(line));
    expect(lines).toEqual(['mls keys-only 1 [m b]', 'established [m a b]']);
  });

  test('of our moderator as well: it knows from the key package', () => {
    const members: [Name, Generation][] = [[M, '1.x']];
    const rig = new MlsRig(
      new SessionModerator(groupConfig(M, { mls: { policy: 'auto' } })),
      engine(() => members),
    );
    rig.command({ kind: 'invite', name: A.withoutId() });
    rig.receive(message('discoveryReply', A, { id: 1000 }));
    members.push([A, '0.7']);
    const queued = rig.command(publish('hello'));
    expect(seen(queued)).toEqual(['delivery 2 queued 0/0']);
    const added = rig.receive(
      message('joinReply', A, { id: 1001, content: { kind: 'joinReply', keyPackage: Uint8Array.of(1) } }),
    );
    expect(seen(added)).toEqual(['mls keys-only 2 [a]']);
    expect(seen(rig.receive(message('groupAck', A, { id: 1002 })))).toEqual([
      'msg > chat #1 all "hello"',
      'delivery 2 sent 0/1',
    ]);
  });

  test('is encrypted again, by name, when one comes that can decrypt; and in clear when it has gone', () => {
    const { rig, members } = participant('auto', '0.7', '0.7');
    members.push([C, '1.x']);
    expect(seen(rig.receive(withMls(groupAdd(C, [M, A, B, C], 601), 2)))).toEqual(['mls on 2 [m b]']);
    expect(seen(rig.command(publish('secret')))).toEqual(['msg > c #1 all [secret]', 'delivery 1 sent 0/1']);
    members.pop();
    const gone = rig.receive(withMls(groupRemove(C, [M, A, B], 602), 3));
    expect(seen(gone)).toEqual(['delivery 1 failed 0/1 not-acked', 'mls keys-only 3 [m b]']);
    expect(seen(rig.command(publish('hello')))).toEqual(['msg > chat #2 all "hello"', 'delivery 2 sent 0/2']);
  });
});

describe('a group of members that can decrypt and members that cannot', () => {
  test('auto: who can gets it encrypted by name, who cannot gets nothing and is not waited for', () => {
    const { rig, joined } = participant('auto', '1.x', '0.7');
    expect(seen(joined)).toEqual(['mls on 1 [b]']);
    expect(seen(rig.command(publish('secret')))).toEqual(['msg > m #1 all [secret]', 'delivery 1 sent 0/1']);
    expect(seen(rig.advance(T))).toEqual(['msg > m #1 all [secret]']);
    expect(seen(rig.receive(message('msgAck', M, { id: 1 })))).toEqual(['delivery 1 acked 1/0']);
  });

  test('mixed: who cannot gets a copy in clear, by name, first and repeated, and that is told before', () => {
    const { rig, joined } = participant('mixed', '1.x', '0.7');
    expect(seen(joined)).toEqual(['mls on 1 [b] copies in clear']);
    expect(seen(rig.command(publish('hello')))).toEqual([
      'msg > m #1 all [hello]',
      'msg > b #1 all "hello"',
      'delivery 1 sent 0/2',
    ]);
    rig.receive(message('msgAck', M, { id: 1 }));
    expect(seen(rig.advance(T))).toEqual(['msg > b #1 all "hello"']);
  });

  test('require: all get ciphertext on the channel', () => {
    const { rig, joined } = participant('require', '1.x', '0.7');
    expect(seen(joined)).toEqual(['mls on 1 [b]']);
    expect(seen(rig.command(publish('secret')))).toEqual(['msg > chat #1 all [secret]', 'delivery 1 sent 0/2']);
  });

  test('a message to one member that cannot decrypt fails (auto), or goes in clear (mixed)', () => {
    const auto = participant('auto', '1.x', '0.7').rig;
    expect(seen(auto.command(publish('secret', B)))).toEqual(['delivery 1 failed 0/0 unreadable']);
    expect(seen(auto.command(publish('secret', M)))[0]).toMatch(/^msg > m #\d+ \[secret\]/);
    const mixed = participant('mixed', '1.x', '0.7').rig;
    expect(seen(mixed.command(publish('hello', B)))[0]).toMatch(/^msg > b #\d+ "hello"/);
  });

  test('who cannot and asks for what it did not get is told why (auto), or gets the copy (mixed)', () => {
    const auto = participant('auto', '1.x', '0.7').rig;
    auto.command(publish('secret'));
    const ask = message('rtxRequest', B, { id: 1, to: A });
    const [note] = seen(auto.receive(ask));
    expect(note).toMatch(/^rtxReply > b #1 all "\(a message that is encrypted/);
    expect(note).not.toContain('secret');
    expect(seen(auto.receive(message('rtxRequest', M, { id: 1, to: A })))[0]).toBe('msg > m #1 all [secret]');
    const mixed = participant('mixed', '1.x', '0.7').rig;
    mixed.command(publish('hello'));
    expect(seen(mixed.receive(ask))[0]).toBe('rtxReply > b #1 all "hello"');
  });

  test('who cannot is told so also of what is not kept any more: lost messages end its application', () => {
    const { rig } = participant('auto', '1.x', '0.7');
    for (let id = 1; id <= 520; id += 1) {
      rig.command(publish(`secret ${String(id)}`));
      rig.receive(message('msgAck', M, { id }));
    }
    const [note] = seen(rig.receive(message('rtxRequest', B, { id: 1, to: A })));
    expect(note).toMatch(/^rtxReply > b #1 all "\(a message that is encrypted/);
    const asked = (from: Name, id: number) => rig.receive(message('rtxRequest', from, { id, to: A }));
    expect(seen(asked(M, 1))[0]).toBe('rtxReply > m #1 error');
    expect(seen(asked(B, 521))[0]).toBe('rtxReply > b #521 error');
  });

  test('a copy in clear is for those who were there when it was written, not for whoever asks (mixed)', () => {
    const { rig, members } = participant('mixed', '1.x', '0.7');
    rig.command(publish('of before'));
    members.push([C, '0.7']);
    rig.receive(withMls(groupAdd(C, [M, A, B, C], 601), 2));
    const asked = (from: Name, id: number) => rig.receive(message('rtxRequest', from, { id, to: A }));
    expect(seen(asked(C, 1))[0]).toMatch(/^rtxReply > c #1 all "\(a message that is encrypted/);
    expect(seen(asked(B, 1))[0]).toBe('rtxReply > b #1 all "of before"');
    members.splice(2, 1);
    rig.receive(withMls(groupRemove(B, [M, A, C], 602), 3));
    rig.command(publish('of after'));
    expect(seen(asked(B, 2))[0]).toBe('msg > b #2 all [of after]');
    expect(seen(asked(C, 2))[0]).toBe('rtxReply > c #2 all "of after"');
  });

  test('one that turns out to read clear text only while a message is under way does not get that in clear', () => {
    const { rig } = participant('auto', '1.x', '1.x');
    expect(seen(rig.command(publish('secret')))[0]).toBe('msg > chat #1 all [secret]');
    expect(seen(rig.receive(msg(B, 1, 'clear')))).toEqual(['mls on 1 [b]']);
    expect(seen(rig.receive(msg(M, 1, 'clear')))).toEqual(['mls keys-only 1 [m b]']);
    expect(seen(rig.advance(T))).toEqual([]);
    expect(seen(rig.command(publish('hello')))[0]).toBe('msg > chat #2 all "hello"');
  });

  test.each(['auto', 'mixed'] as const)(
    'what was written while it would be encrypted and still waits is not sent in clear when nobody can decrypt any more (%s)',
    (policy) => {
      const { rig, members } = participant(policy, '0.7', '1.x');
      rig.handle({ kind: 'linkDown' });
      rig.command(publish('secret'));
      members.pop();
      rig.receive(withMls(groupRemove(B, [M, A], 601), 2));
      const sent = seen(rig.handle({ kind: 'linkUp' }));
      if (policy === 'mixed') expect(sent).toEqual(['msg > chat #1 all "secret"', 'delivery 1 sent 0/1']);
      else expect(sent).toEqual(['delivery 1 failed 0/0 unreadable']);
      expect(seen(rig.command(publish('hello')))[0]).toMatch(/^msg > chat #\d all "hello"/);
    },
  );

  test('who misses ciphertext gets the message itself, until it is acknowledged: 1.x would show what is in an RTX reply', () => {
    const { rig } = participant('auto', '1.x', '1.x');
    rig.command(publish('secret'));
    const ask = message('rtxRequest', B, { id: 1, to: A });
    for (let times = 0; times < 2; times += 1) expect(seen(rig.receive(ask))).toEqual(['msg > b #1 all [secret]']);
    rig.receive(message('msgAck', B, { id: 1 }));
    expect(seen(rig.receive(ask))).toEqual(['rtxReply > b #1 error']);
    // Whoever had it given up, and is not waited for, gets it once.
    rig.advance(10 * T);
    const late = message('rtxRequest', M, { id: 1, to: A });
    expect(seen(rig.receive(late, late))).toEqual(['msg > m #1 all [secret]', 'rtxReply > m #1 error']);
  });

  test('one that was removed and comes back is known', () => {
    const { rig } = participant('auto', '1.x', '1.x');
    rig.receive(msg(B, 1, 'clear'), withMls(groupRemove(B, [M, A], 601), 2));
    expect(seen(rig.receive(withMls(groupAdd(B, [M, A, B], 602), 3)))).toEqual(['mls on 3 [b]']);
  });

  test('a member of 0.7 that speaks for a key, or encrypts, is none', () => {
    const { rig } = participant('auto', '1.x', '0.7');
    const heard = rig.handle({
      kind: 'message',
      message: message('msgAck', B, { id: 9 }),
      subject: 'b',
      vouchesForKey: true,
    });
    expect(seen(heard)).toEqual(['mls on 1 []']);
    const other = participant('auto', '0.7', '0.7').rig;
    expect(seen(other.receive(withBlob(msg(B, 1), ciphertext('x'))))).toEqual(['mls on 1 [m]']);
  });

  test('what somebody says who is no member moves nothing', () => {
    const { rig } = participant('auto', '1.x', '1.x');
    rig.receive(msg(C, 1, 'clear'));
    expect(seen(rig.handle({ kind: 'message', message: msg(C, 2, 'x'), subject: 'c', vouchesForKey: true }))).toEqual(
      [],
    );
    expect(seen(rig.command(publish('secret')))[0]).toBe('msg > chat #1 all [secret]');
  });
});
