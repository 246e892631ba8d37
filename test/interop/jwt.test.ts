import { describe, expect, test } from 'vitest';

import { installedParts, type MemberEvent } from '../harness/index.js';
import { encrypts, REAL_VERSIONS } from './cells.js';
import { type Algorithm, AUDIENCE, converse, JwtWorld, OurSpeaker, WAIT_MS } from './jwt-group.js';

const ROWS: readonly (readonly [(typeof REAL_VERSIONS)[number], Algorithm])[] = [
  ...REAL_VERSIONS.flatMap((version) => [[version, 'ES256'] as const, [version, 'RS256'] as const]),
  // The kit can name it for 1.x only.
  ['1.4.0', 'EdDSA'],
];
const OPTIONS = { timeout: 90_000 };
const CHANNEL = 'org/ns/chat';
const SESSION = { channel: CHANNEL, mls: true, timeoutMs: 1000, maxRetries: 10 } as const;

function missing(version: string): boolean {
  return !installedParts().has(version);
}

describe.concurrent('JWTs that each member signs itself, with MLS', () => {
  test.for(ROWS)('row 11: ours moderates %s members, %s', OPTIONS, async ([version, algorithm], context) => {
    if (missing(version)) context.skip(`left out: ${version} is not installed`);
    const world = await JwtWorld.start(algorithm, context.onTestFinished);
    const [ours, a, b, c] = await Promise.all([
      world.ours('m'),
      world.real(version, 'a'),
      world.real(version, 'b', { subject: 'somebody else than its name' }),
      world.real(version, 'c'),
    ]);
    const m = new OurSpeaker(await ours.app.createSession(SESSION));
    await m.session.invite('org/ns/a');
    await m.session.invite('org/ns/b');
    // Who sends in clear must be heard before it can read ours.
    await converse('three of us', [a, b, m]);
    expect(m.heardOf('org/ns/a')).toEqual({ identities: ['org/ns/a'], encrypted: [encrypts(version)] });
    expect(m.heardOf('org/ns/b')).toMatchObject({ identities: ['somebody else than its name'] });
    expect(m.session.protection).toMatchObject({ state: encrypts(version) ? 'on' : 'keys-only', epoch: 2 });

    await m.session.remove('org/ns/b');
    await m.session.invite('org/ns/c');
    await converse('another three', [a, c, m]);
    expect(m.session.protection.epoch).toBe(4);
    expect(await b.hears('another three org/ns/m 0', 0)).toBe(false);
  });

  test.for(ROWS)('row 11: %s moderates ours and its like, %s', OPTIONS, async ([version, algorithm], context) => {
    if (missing(version)) context.skip(`left out: ${version} is not installed`);
    const world = await JwtWorld.start(algorithm, context.onTestFinished);
    const [ours, b] = await Promise.all([world.ours('a'), world.real(version, 'b')]);
    const invited = ours.app.listenForSession({ timeoutMs: WAIT_MS });
    const group = { channel: CHANNEL, invite: ['org/ns/a', 'org/ns/b'], intervalMs: 1000, maxRetries: 10, mls: true };
    const m = await world.real(version, 'm', { group, subject: 'the moderator' });
    const a = new OurSpeaker(await invited);
    const isInvited = (event: MemberEvent): boolean => event.kind === 'settled' && event.name === 'org/ns/b';
    expect(await m.reports(isInvited), 'the invitation of b ended').toBe(true);
    await a.events.until(() => a.session.members.length === 3);
    await converse('three of us', [m, b, a]);
    expect(a.heardOf('org/ns/m')).toEqual({ identities: ['the moderator'], encrypted: [encrypts(version)] });
    expect(a.heardOf('org/ns/b')).toEqual({ identities: ['org/ns/b'], encrypted: [encrypts(version)] });
    expect(a.session.protection).toMatchObject({ state: encrypts(version) ? 'on' : 'keys-only', epoch: 2 });
    // A 0.7.0 moderator tells nobody of a removal that leaves one other member (kit, 3).
    if (version === '0.7.0') return;
    expect(await m.member.remove('org/ns/b', 'remove', WAIT_MS)).toEqual({ ok: true });
    await a.events.next((event) => event.kind === 'left');
    await converse('two of us', [m, a]);
    expect(a.session.protection.epoch).toBe(3);
  });

  test(
    'row 11: two members of one subject: the second is refused by its code, the group goes on',
    OPTIONS,
    async (context) => {
      if (missing('1.4.0')) context.skip('left out: 1.4.0 is not installed');
      const world = await JwtWorld.start('ES256', context.onTestFinished);
      const [ours, a] = await Promise.all([
        world.ours('m'),
        world.real('1.4.0', 'a', { subject: 'a workload' }),
        world.real('1.4.0', 'b', { subject: 'a workload' }),
        world.real('1.4.0', 'c', { subject: 'org/ns/m' }),
      ]);
      const m = new OurSpeaker(await ours.app.createSession(SESSION));
      await m.session.invite('org/ns/a');
      for (const name of ['org/ns/b', 'org/ns/c']) {
        await expect(m.session.invite(name), name).rejects.toMatchObject({ code: 'mls-subject-duplicate' });
      }
      await converse('two of us', [a, m]);
      expect(m.session.members).toHaveLength(2);
    },
  );

  test(
    'row 11: tokens for another audience: ours refuses with a word, a real member without',
    OPTIONS,
    async (context) => {
      if (missing('1.4.0')) context.skip('left out: 1.4.0 is not installed');
      const world = await JwtWorld.start('ES256', context.onTestFinished);
      const elsewhere = `${AUDIENCE} elsewhere`;
      const [ours, stranger] = await Promise.all([
        world.ours('m'),
        world.ours('stranger', elsewhere),
        world.real('1.4.0', 'a'),
      ]);
      const group = { channel: CHANNEL, invite: ['org/ns/m'], intervalMs: 500, maxRetries: 1, mls: true };
      await world.real('1.4.0', 'x', { audience: elsewhere, group });
      const warning = await ours.events.next(({ kind }) => kind === 'warning');
      expect(warning).toMatchObject({
        code: 'identity-rejected',
        text: 'dropped messages from org/ns/x: wrong-audience',
      });
      const impatient = { ...SESSION, timeoutMs: 300, maxRetries: 4 };
      const refused = await stranger.app.createSession({ ...impatient, channel: 'org/ns/other' });
      await expect(refused.invite('org/ns/a')).rejects.toMatchObject({ code: 'invite-timeout' });
      const welcome = await ours.app.createSession(impatient);
      await welcome.invite('org/ns/a');
    },
  );
});
