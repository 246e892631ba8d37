import { Buffer } from 'node:buffer';
import { createPublicKey, createVerify, generateKeyPairSync, verify } from 'node:crypto';
import { inspect } from 'node:util';

import { describe, expect, test } from 'vitest';

import { JwtSigner, type JwtSignerOptions, JwtVerifier } from '../../src/auth/index.js';
import { UsageError } from '../../src/util/index.js';
import { ED25519, NOW_MS, NOW_S, P256, P384, pemOf, RSA } from './jwt-by-hand.js';

const OPTIONS: JwtSignerOptions = {
  key: P256.privateKey,
  algorithm: 'ES256',
  subject: 'org/ns/ann',
  issuer: 'test-issuer',
  audience: ['test-audience'],
};

function parts(token: string): { readonly header: unknown; readonly claims: unknown; readonly mac: Buffer } {
  const [header = '', claims = '', mac = ''] = token.split('.');
  const json = (text: string): unknown => JSON.parse(Buffer.from(text, 'base64url').toString());
  return { header: json(header), claims: json(claims), mac: Buffer.from(mac, 'base64url') };
}

function textOf(token: string): string {
  return token.slice(0, token.lastIndexOf('.'));
}

describe('a token', () => {
  test('says what that of a real 0.7.0 peer says, in its order', () => {
    const { header, claims } = parts(new JwtSigner(OPTIONS).mint(NOW_MS + 999));
    expect(JSON.stringify(header)).toBe('{"typ":"JWT","alg":"ES256"}');
    expect(JSON.stringify(claims)).toBe(
      '{"iss":"test-issuer","sub":"org/ns/ann","aud":["test-audience"],"exp":1800003600,"iat":1800000000,"nbf":1800000000}',
    );
  });

  test('has the key that it vouches for at the top, in standard base64', () => {
    const { claims } = parts(new JwtSigner(OPTIONS).mint(NOW_MS, Uint8Array.of(251, 255)));
    expect(claims).toMatchObject({ sub: 'org/ns/ann', pubkey: '+/8=' });
  });

  test('leaves out what there is not, and has no nulls', () => {
    const { key, algorithm, subject } = OPTIONS;
    const { claims } = parts(new JwtSigner({ key, algorithm, subject, durationS: 300 }).mint(NOW_MS));
    expect(claims).toEqual({ sub: 'org/ns/ann', exp: NOW_S + 300, iat: NOW_S, nbf: NOW_S });
    expect(parts(new JwtSigner({ ...OPTIONS, audience: [] }).mint(NOW_MS)).claims).not.toHaveProperty('aud');
  });

  test('does not follow changes of a list that was given', () => {
    const audience = ['one'];
    const signer = new JwtSigner({ ...OPTIONS, audience });
    audience.push('two');
    expect(parts(signer.mint(NOW_MS)).claims).toMatchObject({ aud: ['one'] });
  });

  test('is signed once a second; one that vouches for a key each time', () => {
    const signer = new JwtSigner(OPTIONS);
    const token = signer.mint(NOW_MS);
    expect(signer.mint(NOW_MS + 999)).toBe(token);
    const withKey = signer.mint(NOW_MS, Uint8Array.of(1));
    expect(parts(withKey).claims).toHaveProperty('pubkey');
    expect(signer.mint(NOW_MS)).toBe(token);
    expect(parts(signer.mint(NOW_MS + 1000)).claims).toMatchObject({ iat: NOW_S + 1 });
    expect(parts(signer.mint(NOW_MS - 1)).claims).toMatchObject({ iat: NOW_S - 1 });
  });
});

describe('a signature', () => {
  test('of ES256 is two numbers of 32 bytes, that hold', () => {
    const token = new JwtSigner(OPTIONS).mint(NOW_MS);
    const { mac } = parts(token);
    expect(mac).toHaveLength(64);
    const key = { key: P256.publicKey, dsaEncoding: 'ieee-p1363' } as const;
    expect(createVerify('sha256').update(textOf(token)).verify(key, mac)).toBe(true);
  });

  test('of RS256 holds', () => {
    const token = new JwtSigner({ ...OPTIONS, key: RSA.privateKey, algorithm: 'RS256' }).mint(NOW_MS);
    expect(createVerify('sha256').update(textOf(token)).verify(RSA.publicKey, parts(token).mac)).toBe(true);
  });

  test('of EdDSA holds', () => {
    const token = new JwtSigner({ ...OPTIONS, key: ED25519.privateKey, algorithm: 'EdDSA' }).mint(NOW_MS);
    expect(verify(null, Buffer.from(textOf(token)), ED25519.publicKey, parts(token).mac)).toBe(true);
  });

  test.each([
    ['PKCS #8', pemOf(P256.privateKey), 'ES256'],
    ['SEC 1', pemOf(P256.privateKey, 'sec1'), 'ES256'],
    ['PKCS #1', pemOf(RSA.privateKey, 'pkcs1'), 'PS384'],
    ['PKCS #8 of P-384', pemOf(P384.privateKey), 'ES384'],
  ] as const)('with a key in PEM, %s, is taken by our verifier', (_form, key, algorithm) => {
    const signer = new JwtSigner({ ...OPTIONS, key, algorithm });
    const keys = createPublicKey(key);
    const verifier = new JwtVerifier({ keys, issuer: 'test-issuer', audience: ['test-audience'] });
    const token = signer.mint(NOW_MS, Uint8Array.of(1, 2));
    expect(verifier.verify(token, NOW_MS)).toEqual({
      ok: true,
      subject: signer.subject,
      publicKey: Uint8Array.of(1, 2),
      expiresAtMs: NOW_MS + 3_600_000,
    });
  });
});

describe('what makes no tokens', () => {
  test.each<[string, Partial<JwtSignerOptions>]>([
    ['no subject', { subject: '' }],
    ['half a character', { subject: 'a\ud800' }],
    ['no time', { durationS: 0 }],
    ['a part of a second', { durationS: 0.5 }],
    ['no end', { durationS: Infinity }],
    ['more than a year', { durationS: 400 * 24 * 3600 }],
    ['a public key', { key: P256.publicKey }],
    ['a public key in PEM', { key: pemOf(P256.publicKey) }],
    ['no key', { key: 'a secret' }],
    ['a key of another kind', { algorithm: 'RS256' }],
    ['a key of another curve', { algorithm: 'ES384' }],
    [
      'a key that is too short',
      { key: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, algorithm: 'RS256' },
    ],
  ])('%s', (_what, options) => {
    const make = () => new JwtSigner({ ...OPTIONS, ...options });
    expect(make).toThrow(UsageError);
    expect(make).toThrow(expect.objectContaining({ code: 'invalid-option' }));
  });

  test('the text of the error and the object itself show no key', () => {
    const pem = pemOf(P256.privateKey);
    const secret = pem.split('\n')[1]!;
    const broken = pem.replace('BEGIN PRIVATE', 'BEGIN SECRET');
    expect(() => new JwtSigner({ ...OPTIONS, key: broken })).toThrow(/not a private key in PEM/);
    const shown = inspect(new JwtSigner({ ...OPTIONS, key: pem }), { depth: 9, showHidden: true });
    expect(shown).not.toContain(secret.slice(0, 20));
    expect(JSON.stringify(new JwtSigner({ ...OPTIONS, key: pem }))).toBe('{"subject":"org/ns/ann"}');
  });
});
