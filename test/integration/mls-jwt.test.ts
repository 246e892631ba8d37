import { generateKeyPairSync, type KeyObject } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import { type JwtAlgorithm, JwtSigner, JwtVerifier, type JwkSet, type SlimAppOptions } from '../../src/client/index.js';
import { connect, group, isWarning, startNode, watch } from './support.js';

type Pair = Readonly<Record<'privateKey' | 'publicKey', KeyObject>>;
type Identity = NonNullable<SlimAppOptions['identity']>;

const PAIRS: Readonly<Record<string, Pair>> = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: generateKeyPairSync('ed25519'),
};

function jwk(alg: JwtAlgorithm) {
  return { ...PAIRS[alg]!.publicKey.export({ format: 'jwk' }), alg };
}

/** Everybody's keys, which are told apart by their algorithm. */
const ALL: JwkSet = { keys: [jwk('ES256'), jwk('RS256'), jwk('EdDSA')] };

function identity(
  subject: string,
  alg: JwtAlgorithm = 'ES256',
  verifier = new JwtVerifier({ keys: ALL, audience: ['chat'] }),
): Identity {
  const { privateKey } = PAIRS[alg]!;
  const provider = new JwtSigner({ key: privateKey, algorithm: alg, subject, issuer: 'test', audience: ['chat'] });
  return { provider, verifier };
}

describe('JWT identities in a group with MLS', () => {
  test.each(['ES256', 'RS256', 'EdDSA'] as const)('two members with one key, %s', async (alg) => {
    const node = await startNode();
    const keys = PAIRS[alg]!.publicKey;
    const verifier = (): JwtVerifier => new JwtVerifier({ keys, issuer: 'test', audience: ['chat'] });
    const [m, a] = await group(
      [
        await connect(node, 'org/ns/m', { identity: identity('ann', alg, verifier()) }),
        await connect(node, 'org/ns/a', { identity: identity('ben', alg, verifier()) }),
      ],
      { mls: true },
    );
    await m?.session.publish('from m');
    expect(await a?.session.getMessage()).toMatchObject({ text: 'from m', identity: 'ann', encrypted: true });
    await a?.session.publish('from a');
    expect(await m?.session.getMessage()).toMatchObject({ text: 'from a', identity: 'ben', encrypted: true });
    expect(a?.session.protection).toMatchObject({ state: 'on', epoch: 1 });
  });

  test('each member has a key of its own in one set; who is removed comes back with the same subject', async () => {
    const node = await startNode();
    const apps = [
      await connect(node, 'org/ns/m', { identity: identity('ann', 'ES256') }),
      await connect(node, 'org/ns/a', { identity: identity('ben', 'RS256') }),
      await connect(node, 'org/ns/b', { identity: identity('cid', 'EdDSA') }),
    ];
    const [m, a, b] = await group(apps, { mls: true });
    await b?.session.publish('hello');
    expect(await a?.session.getMessage()).toMatchObject({ text: 'hello', identity: 'cid', encrypted: true });
    await m?.session.remove('org/ns/a');
    const again = apps[1]!.app.listenForSession();
    await m?.session.invite('org/ns/a');
    const back = watch(await again);
    await b?.session.publish('welcome back');
    expect(await back.session.getMessage()).toMatchObject({ text: 'welcome back', encrypted: true });
    expect(back.session.protection.epoch).toBe(4);
  });

  test('the subject of a member, or of the moderator, is taken: the invitation fails by its code, the group goes on', async () => {
    const node = await startNode();
    const apps = [
      await connect(node, 'org/ns/m', { identity: identity('ann') }),
      await connect(node, 'org/ns/a', { identity: identity('ben') }),
    ];
    const [m, a] = await group(apps, { mls: true });
    await connect(node, 'org/ns/ben2', { identity: identity('ben') });
    await connect(node, 'org/ns/ann2', { identity: identity('ann') });
    for (const name of ['org/ns/ben2', 'org/ns/ann2']) {
      await expect(m?.session.invite(name), name).rejects.toMatchObject({ code: 'mls-subject-duplicate' });
    }
    await m?.session.publish('still two');
    expect(await a?.session.getMessage()).toMatchObject({ text: 'still two' });
    expect(m?.session.protection.epoch).toBe(1);
  });

  test('without MLS two of one subject are no trouble', async () => {
    const node = await startNode();
    const apps = [
      await connect(node, 'org/ns/m', { identity: identity('ann') }),
      await connect(node, 'org/ns/a', { identity: identity('ben') }),
      await connect(node, 'org/ns/b', { identity: identity('ben') }),
    ];
    const [m, a, b] = await group(apps);
    await m?.session.publish('hello');
    for (const side of [a, b])
      expect(await side?.session.getMessage()).toMatchObject({ text: 'hello', identity: 'ann' });
  });

  test.each<[string, Partial<SlimAppOptions>, string]>([
    ['with a key that is not in the set', { identity: stranger() }, 'bad-mac'],
    ['with a shared secret', {}, 'malformed'],
  ])('who comes %s is not heard, and that is told', async (_what, theirs, reason) => {
    const node = await startNode();
    const m = await connect(node, 'org/ns/m', { identity: identity('ann') });
    const other = await connect(node, 'org/ns/x', theirs);
    const session = await other.app.createSession({ channel: 'org/ns/chat', timeoutMs: 100, maxRetries: 1, mls: true });
    const inviting = session.invite('org/ns/m').catch((error: unknown) => error);
    const warning = await m.events.next(isWarning('identity-rejected'));
    expect(warning).toMatchObject({ text: `dropped messages from org/ns/x: ${reason}` });
    expect(await inviting).toMatchObject({ code: 'invite-timeout' });
  });
});

/** Signs as everybody does, with a key that nobody knows. */
function stranger(): Identity {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const provider = new JwtSigner({
    key: privateKey,
    algorithm: 'ES256',
    subject: 'eve',
    issuer: 'test',
    audience: ['chat'],
  });
  return { ...identity('eve'), provider };
}
