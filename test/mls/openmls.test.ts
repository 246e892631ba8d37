import { createPublicKey, verify } from 'node:crypto';

import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

import { SharedSecret } from '../../src/auth/index.js';
import { checkLeaf, loadOpenMls, type MlsEngine } from '../../src/mls/index.js';
import { clientOf, codeOf, failureOf, flipped, groupOf, join, mlsSuite, talk, utf8 } from '../compliance/mls-suite.js';

mlsSuite('OpenMLS', loadOpenMls);

let engine: MlsEngine;

beforeAll(async () => {
  engine = await loadOpenMls();
});

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

describe('keys', () => {
  test('signatures of suite 1 are Ed25519', () => {
    const client = engine.createClient(1);
    const signature = client.sign(utf8('text'));
    const x = Buffer.from(client.publicKey).toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    expect(verify(null, utf8('text'), key, signature)).toBe(true);
    expect(verify(null, utf8('test'), key, signature)).toBe(false);
    client.free();
  });

  test('signatures of suite 2 are ECDSA in DER', () => {
    const client = engine.createClient(2);
    const signature = client.sign(utf8('text'));
    const point = Buffer.from(client.publicKey);
    expect(point[0]).toBe(4);
    const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')];
    const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
    expect(verify('sha256', utf8('text'), key, signature)).toBe(true);
    expect(verify('sha256', utf8('test'), key, signature)).toBe(false);
    client.free();
  });

  /** RFC 8032, 7.1, test 1, and RFC 6979, A.2.5. */
  const made = [
    {
      suite: 1,
      privateKey: hex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'),
      publicKey: hex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'),
    },
    {
      suite: 2,
      privateKey: hex('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721'),
      publicKey: hex(
        '0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
      ),
    },
  ] as const;

  test.each(made)('of suite $suite that were made elsewhere work', ({ suite, privateKey, publicKey }) => {
    const client = engine.clientFromKey(suite, privateKey, publicKey);
    expect(client.publicKey).toEqual(publicKey);
    client.setCredential(utf8('ann'));
    const people = groupOf(engine, suite, 'ben');
    join(people, client);
    talk(people);
    for (const person of people) person.client.free();
  });

  test.each(made)('of suite $suite that do not belong together are refused', ({ suite, privateKey, publicKey }) => {
    const other = engine.createClient(suite);
    for (const [secret, key, code] of [
      [privateKey, other.publicKey, 'mls-bad-signature'],
      [privateKey, flipped(publicKey, 0), 'mls-bad-signature'],
      [privateKey, new Uint8Array(), 'mls-bad-signature'],
      [privateKey.subarray(1), publicKey, 'mls-malformed'],
      [new Uint8Array(), publicKey, 'mls-malformed'],
    ] as const) {
      expect(codeOf(() => engine.clientFromKey(suite, secret, key))).toBe(code);
    }
    other.free();
  });
});

/** Of a participant of slim-bindings 1.4.0; made at 1795477040 with the secret below, valid for 365 days. */
const REAL_KEY_PACKAGE = [
  'AAEABQABAAEgPJtthqoGaAhxDm/Pt5QRxwjWzQDJV7zwLnZZvH9oCmwgbyy5ktF1y7qAVec9qzSa9PqDElxvKft6Wjco2/96skoghgPoNROiJd',
  'Q4LIl/C6Fn6G0HRnbTjnqM4/VZe31XyWoAAUC5b3JnL25zL2JvYi9mZmZmZmZmZmZmZmZmZmZmXzQzTXpyeEIxOjE3OTU0NzcwNDA6enBKTDN1',
  'dVk1dUR3S3pIdDpleUp3ZFdKclpYa2lPaUpvWjFCdlRsSlBhVXBrVVRSTVNXd3ZRelpHYmpaSE1FaFNibUpVYW01eFRUUXZWbHBsTXpGWWVWZH',
  'ZQU0o5OmNLN1E3czJxQ0djaEdSR2EyQ1I3NkxkTHg0aDJtNFhseEtmMFB4WXhkbDgCAAEKAAEAAwACAAcABQAAAgABAQAAAABrBM4wAAAAAGzm',
  'AbAAQEBXre7PteLsgVIzU49Yfx2Aj4KnzBre0aAaJU8GNR9rBRsLid955TQ9XFdXGuqNSpABhQsHCfn+rzD4uqhxMWQDAEBAgpDdcEpVfUiaIu',
  'kBGOHNsC8r7CQx2VbsVSMJvAcoc8Eq+tej0LHvQOnTmqX4taqtB64xf6evQVKnykB1SXB0AA==',
].join('');
const REAL_SECRET = 'abcdefghijklmnopqrstuvwxyz012345';
const REAL_SUBJECT = 'org/ns/bob/ffffffffffffffff_43MzrxB1';
const MADE_S = 1_795_477_040;
const EXPIRES_S = 1_827_013_040;

describe('a key package of a real peer', () => {
  const bytes = new Uint8Array(Buffer.from(REAL_KEY_PACKAGE, 'base64'));

  function at(seconds: number): void {
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(seconds * 1000);
  }

  afterEach(() => {
    vi.useRealTimers();
  });

  test('parses, and its token is about its key', () => {
    at(MADE_S);
    expect(bytes).toHaveLength(466);
    const client = clientOf(engine, 1, 'ann');
    const info = client.inspectKeyPackage(bytes);
    expect(info).toMatchObject({ suite: 1, notBefore: BigInt(MADE_S), notAfter: BigInt(EXPIRES_S) });
    const verifier = new SharedSecret({ secret: REAL_SECRET, identity: 'org/ns/me' });
    const checks = { verifier, nowMs: (MADE_S + 3600) * 1000 };
    expect(checkLeaf(info, checks, true)).toBe(REAL_SUBJECT);
    expect(codeOf(() => checkLeaf(info, { ...checks, nowMs: (MADE_S + 3601) * 1000 }, true))).toBe('mls-token-expired');
    client.free();
  });

  test('can be added to a group', () => {
    at(MADE_S + 60);
    const people = groupOf(engine, 1, 'ann', 'ben');
    const { commit } = people[0]!.group.add(bytes);
    people[0]!.group.mergePending();
    people[1]!.group.stageCommit(commit).merge();
    talk(people);
    for (const { client } of people) client.free();
  });

  test('is refused with the times when it comes early or late, added or followed', () => {
    const client = clientOf(engine, 1, 'ann');
    at(MADE_S - 1);
    expect(failureOf(() => client.inspectKeyPackage(bytes))).toMatchObject({
      code: 'mls-lifetime-not-yet',
      details: { notBefore: MADE_S },
    });
    at(EXPIRES_S + 1);
    expect(failureOf(() => client.inspectKeyPackage(bytes))).toMatchObject({
      code: 'mls-lifetime-expired',
      details: { notAfter: EXPIRES_S },
    });
    client.free();

    at(MADE_S);
    const people = groupOf(engine, 1, 'ann', 'ben');
    const { commit } = people[0]!.group.add(bytes);
    at(MADE_S - 1);
    expect(codeOf(() => people[1]!.group.stageCommit(commit))).toBe('mls-lifetime-not-yet');
    at(MADE_S);
    people[1]!.group.stageCommit(commit).merge();
    for (const person of people) person.client.free();
  });
});

test('an old group still takes new members', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    vi.setSystemTime(MADE_S * 1000);
    const people = groupOf(engine, 1, 'ann', 'ben');
    // The lifetimes of these leaves end after 84 days.
    vi.setSystemTime((MADE_S + 100 * 24 * 3600) * 1000);
    join(people, clientOf(engine, 1, 'cid'));
    talk(people);
    for (const { client } of people) client.free();
  } finally {
    vi.useRealTimers();
  }
});
