import { Buffer } from 'node:buffer';
import { createSecretKey, generateKeyPairSync } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type JwtKeys, JwtVerifier, type JwtVerifierOptions } from '../../src/auth/index.js';
import { type JwtAlgorithm, verifyBytes } from '../../src/auth/jwt-algorithm.js';
import { VerificationKeys } from '../../src/auth/jwt-keys.js';
import { TokenCache } from '../../src/auth/token-cache.js';
import { UsageError } from '../../src/util/index.js';
import { CLAIMS, ED25519, es256, jwt, type KeyPair, NOW_MS, NOW_S, P256, P384, pemOf, RSA } from './jwt-by-hand.js';

const KEYS: readonly (readonly [JwtAlgorithm, KeyPair])[] = [
  ['RS256', RSA],
  ['RS384', RSA],
  ['RS512', RSA],
  ['PS256', RSA],
  ['PS384', RSA],
  ['PS512', RSA],
  ['ES256', P256],
  ['ES384', P384],
  ['EdDSA', ED25519],
];

function jwk({ publicKey }: KeyPair, more: object = {}) {
  return { ...publicKey.export({ format: 'jwk' }), ...more };
}

/** Ok and the subject, or the reason. */
function outcome(token: string, options: Partial<JwtVerifierOptions> = {}, nowMs = NOW_MS, checkTime = true): string {
  const result = new JwtVerifier({ keys: P256.publicKey, ...options }).verify(token, nowMs, checkTime);
  return result.ok ? `ok ${result.subject}` : result.reason;
}

const OK = 'ok org/ns/ann';

describe('signatures', () => {
  test.each(KEYS)('%s, with the key in each form', (alg, pair) => {
    const claims = { ...CLAIMS, iss: 'issuer' };
    const token = jwt({ alg, kid: 'one' }, claims, pair.privateKey);
    const forms: readonly JwtKeys[] = [
      pair.publicKey,
      pair.privateKey,
      pemOf(pair.publicKey),
      jwk(pair),
      jwk(pair, { alg }),
      { keys: [jwk(pair, { kid: 'one' })] },
    ];
    for (const keys of forms) expect(outcome(token, { keys })).toBe(OK);
    const garbage = Buffer.alloc(Buffer.from(token.split('.')[2]!, 'base64url').length, 1).toString('base64url');
    expect(outcome(token.replace(/[^.]*$/, garbage), { keys: pair.publicKey })).toBe('bad-mac');
    expect(outcome(token.replace(/[^.]*$/, ''), { keys: pair.publicKey })).toBe('bad-mac');
  });

  /** RFC 7515 A.2 and A.3, RFC 8037 A.4. */
  test.each([
    [
      'RS256',
      {
        kty: 'RSA',
        n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
        e: 'AQAB',
      },
      'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
    ],
    [
      'ES256',
      {
        kty: 'EC',
        crv: 'P-256',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      },
      'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
    ],
    [
      'EdDSA',
      { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
      'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
    ],
  ] as const)('the example of %s in the RFC', (alg, key, token) => {
    const [text, mac] = [token.slice(0, token.lastIndexOf('.')), token.slice(token.lastIndexOf('.') + 1)];
    const publicKey = new VerificationKeys(key).find(alg, undefined)!;
    const signature = Buffer.from(mac, 'base64url');
    expect(verifyBytes(alg, publicKey, Buffer.from(text), signature)).toBe(true);
    signature[5]! ^= 1;
    expect(verifyBytes(alg, publicKey, Buffer.from(text), signature)).toBe(false);
  });

  test('of another key of the kind, and over other claims, do not hold', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(outcome(jwt({ alg: 'ES256' }, CLAIMS, other.privateKey))).toBe('bad-mac');
    const [header, , mac] = es256(CLAIMS).split('.') as [string, string, string];
    const claims = Buffer.from(JSON.stringify({ ...CLAIMS, sub: 'org/ns/eve' })).toString('base64url');
    expect(outcome(`${header}.${claims}.${mac}`)).toBe('bad-mac');
  });

  test('no character of a token can be another one', () => {
    const token = es256(CLAIMS);
    const verifier = new JwtVerifier({ keys: P256.publicKey });
    for (let index = 0; index < token.length; index += 1) {
      for (const other of ['A', 'B', '_', '=', '+', '.', ' ', 'é']) {
        if (token[index] === other) continue;
        const changed = token.slice(0, index) + other + token.slice(index + 1);
        expect(verifier.verify(changed, NOW_MS), `${String(index)} ${other}`).toMatchObject({ ok: false });
      }
    }
    for (const changed of [`${token}=`, `${token}.`, `${token}.A`, ` ${token}`, `${token}\n`]) {
      expect(verifier.verify(changed, NOW_MS)).toEqual({ ok: false, reason: 'malformed' });
    }
    expect(verifier.verify(token, NOW_MS)).toMatchObject({ ok: true });
  });
});

describe('algorithms (N12)', () => {
  const publicPem = pemOf(P256.publicKey);

  test.each([
    ['none', jwt({ alg: 'none' }, CLAIMS, P256.privateKey, 'ES256').replace(/[^.]*$/, '')],
    ['none with a signature', jwt({ alg: 'none' }, CLAIMS, P256.privateKey, 'ES256')],
    ['NONE', jwt({ alg: 'NONE' }, CLAIMS, P256.privateKey, 'ES256')],
    ['HS256 over the PEM of the key', jwt({ alg: 'HS256' }, CLAIMS, createSecretKey(Buffer.from(publicPem)))],
    ['HS512', jwt({ alg: 'HS512' }, CLAIMS, createSecretKey(Buffer.from(publicPem.trim())))],
    ['no algorithm', jwt({}, CLAIMS, P256.privateKey, 'ES256')],
    ['an algorithm that is a list', jwt({ alg: ['ES256'] }, CLAIMS, P256.privateKey, 'ES256')],
    ['the name of a property', jwt({ alg: 'constructor' }, CLAIMS, P256.privateKey, 'ES256')],
  ])('%s is refused', (_what, token) => {
    for (const keys of [P256.publicKey, publicPem, { keys: [jwk(P256)] }]) {
      expect(outcome(token, { keys })).toBe('malformed');
    }
  });

  test('one that does not fit the key is refused, also where the signature would hold', () => {
    expect(outcome(jwt({ alg: 'RS256' }, CLAIMS, RSA.privateKey))).toBe('bad-mac');
    expect(outcome(jwt({ alg: 'ES384' }, CLAIMS, P256.privateKey, 'ES384'))).toBe('bad-mac');
    expect(outcome(jwt({ alg: 'ES256' }, CLAIMS, P384.privateKey), { keys: P384.publicKey })).toBe('bad-mac');
    expect(outcome(jwt({ alg: 'PS256' }, CLAIMS, RSA.privateKey), { keys: jwk(RSA, { alg: 'RS256' }) })).toBe(
      'bad-mac',
    );
    const set = { keys: [jwk(RSA, { alg: 'RS256', kid: 'one' })] };
    const token = jwt({ alg: 'PS256', kid: 'one' }, { ...CLAIMS, iss: 'i' }, RSA.privateKey);
    expect(outcome(token, { keys: set })).toBe('bad-mac');
  });

  test.each<[string, JwtKeys]>([
    ['symmetric, as JWK', { kty: 'oct', k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75' }],
    ['symmetric, in a set with another', { keys: [jwk(P256), { kty: 'oct', k: 'AyM1SysPpbyDfgZld3umj1qzKObw' }] }],
    ['symmetric, as object', createSecretKey(Buffer.alloc(32, 1))],
    ['not there', { keys: [] }],
    ['no PEM', 'a secret of thirty-two bytes or more'],
    ['of a curve that is not known', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey],
    ['of an Ed448 pair', generateKeyPairSync('ed448').publicKey],
    ['for encryption', jwk(P256, { use: 'enc' })],
    ['for another algorithm', jwk(P256, { alg: 'ECDH-ES' })],
    ['too short', generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey],
    ['no JWK', { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }],
  ])('a key that is %s is refused at once', (_what, keys) => {
    expect(() => new JwtVerifier({ keys })).toThrow(UsageError);
    expect(() => new JwtVerifier({ keys })).toThrow(expect.objectContaining({ code: 'invalid-option' }));
  });
});

describe('the key of a set', () => {
  const set = {
    keys: [
      { kty: 'unheard-of', kid: 'strange' },
      jwk(P384, { kid: 'big', use: 'jwt-svid' }),
      jwk(P256, { kid: 'small', alg: 'ES256' }),
      jwk(ED25519, { kid: 'round' }),
    ],
  };
  const claims = { ...CLAIMS, iss: 'issuer' };

  test.each([
    ['by its name', jwt({ alg: 'ES384', kid: 'big' }, claims, P384.privateKey), OK],
    ['by its name, with alg', jwt({ alg: 'ES256', kid: 'small' }, claims, P256.privateKey), OK],
    ['by its algorithm', jwt({ alg: 'ES256' }, claims, P256.privateKey), OK],
    ['by a null for a name, as by none', jwt({ alg: 'ES256', kid: null }, claims, P256.privateKey), OK],
    ['not without a name where it names no algorithm', jwt({ alg: 'ES384' }, claims, P384.privateKey), 'bad-mac'],
    ['not by the name of another', jwt({ alg: 'ES256', kid: 'big' }, claims, P256.privateKey), 'bad-mac'],
    ['not by an unknown name', jwt({ alg: 'ES256', kid: 'new' }, claims, P256.privateKey), 'bad-mac'],
    ['not by a number', jwt({ alg: 'ES256', kid: 1 }, claims, P256.privateKey), 'malformed'],
  ])('is found %s', (_what, token, expected) => {
    expect(outcome(token, { keys: set })).toBe(expected);
  });

  test('is used only for tokens that name their issuer', () => {
    const token = jwt({ alg: 'ES256', kid: 'small' }, CLAIMS, P256.privateKey);
    expect(outcome(token, { keys: set })).toBe('wrong-issuer');
    expect(outcome(token, { keys: P256.publicKey })).toBe(OK);
  });
});

describe('claims', () => {
  test.each<[string, object, Partial<JwtVerifierOptions>, string]>([
    ['an issuer, none asked', { iss: 'a' }, {}, OK],
    ['the issuer', { iss: 'a' }, { issuer: 'a' }, OK],
    ['another issuer', { iss: 'b' }, { issuer: 'a' }, 'wrong-issuer'],
    ['no issuer, one asked', {}, { issuer: 'a' }, 'wrong-issuer'],
    ['issuers', { iss: ['a'] }, { issuer: 'a' }, 'wrong-issuer'],
    ['an audience, none told', { aud: ['x'] }, {}, 'wrong-audience'],
    ['no audience, one told', {}, { audience: ['x'] }, OK],
    ['a null for it', { aud: null }, { audience: ['x'] }, OK],
    ['the audience in a list', { aud: ['y', 'x'] }, { audience: ['x', 'z'] }, OK],
    ['the audience as one text', { aud: 'x' }, { audience: ['x'] }, OK],
    ['another audience in a list', { aud: ['y'] }, { audience: ['x'] }, 'wrong-audience'],
    ['another audience as one text', { aud: 'y' }, { audience: ['x'] }, 'wrong-audience'],
    ['a part of the audience', { aud: 'x' }, { audience: ['xx'] }, 'wrong-audience'],
    ['nobody', { aud: [] }, { audience: ['x'] }, 'wrong-audience'],
    ['numbers', { aud: [1] }, { audience: ['1'] }, 'wrong-audience'],
    ['booleans, nulls, objects beside', { email_verified: true, nonce: null, more: { a: [1] } }, {}, OK],
    ['times that upstream does not look at', { iat: NOW_S + 500, nbf: NOW_S + 500 }, {}, OK],
    ['no subject', { sub: undefined }, {}, 'malformed'],
    ['a null for one', { sub: null }, {}, 'malformed'],
    ['an empty subject', { sub: '' }, {}, 'malformed'],
    ['a subject that is a number', { sub: 7 }, {}, 'malformed'],
    ['half a character as subject', { sub: 'a\ud800' }, {}, 'malformed'],
    ['an id instead of a subject', { sub: undefined, id: 'org/ns/ann' }, {}, OK],
    ['an id beside the subject', { id: 'org/ns/eve' }, {}, OK],
    ['no end', { exp: undefined }, {}, 'malformed'],
    ['an end that is a text', { exp: '1900000000' }, {}, 'malformed'],
    ['an end before 1970', { exp: -1 }, {}, 'malformed'],
    ['an end that is no time', { exp: 1e300 }, {}, 'malformed'],
    ['an end with a fraction', { exp: NOW_S + 0.5 }, {}, OK],
  ])('%s', (_what, claims, options, expected) => {
    expect(outcome(es256({ ...CLAIMS, ...claims }), options)).toBe(expected);
  });

  test.each([
    ['claims that are a list', [CLAIMS]],
    ['claims that are a text', '"org/ns/ann"'],
    ['claims that are null', 'null'],
    ['claims that are no JSON', '{sub'],
    ['nothing', ''],
  ])('%s are refused', (_what, claims) => {
    expect(outcome(es256(claims))).toBe('malformed');
  });

  test('a header with something that must be understood is refused', () => {
    expect(outcome(es256(CLAIMS, { crit: ['exp'], exp: 1 }))).toBe('malformed');
  });

  test('what is called __proto__ is a name like any other', () => {
    const { exp } = CLAIMS;
    expect(outcome(es256(`{"__proto__":{"sub":"org/ns/eve"},"exp":${String(exp)}}`))).toBe('malformed');
    expect(outcome(jwt('{"__proto__":{"alg":"ES256"}}', CLAIMS, P256.privateKey, 'ES256'))).toBe('malformed');
    expect(({} as Record<string, unknown>)['sub']).toBeUndefined();
  });

  test('the key that it vouches for is at the top, or below custom_claims', () => {
    const verifier = new JwtVerifier({ keys: P256.publicKey });
    const keyOf = (claims: object): unknown => {
      const result = verifier.verify(es256({ ...CLAIMS, ...claims }), NOW_MS);
      return result.ok ? result.publicKey && [...result.publicKey] : result.reason;
    };
    expect(keyOf({})).toBeUndefined();
    expect(keyOf({ pubkey: 'AQID' })).toEqual([1, 2, 3]);
    expect(keyOf({ custom_claims: { pubkey: '+/8=' } })).toEqual([251, 255]);
    expect(keyOf({ pubkey: 'AQID', custom_claims: { pubkey: 'BAUG' } })).toEqual([1, 2, 3]);
    expect(keyOf({ pubkey: null, custom_claims: null })).toBeUndefined();
    for (const pubkey of ['-_8=', '+/8', 'AQI D', 7, ['AQID']]) expect(keyOf({ pubkey })).toBe('malformed');
  });
});

describe('time', () => {
  const end = CLAIMS.exp * 1000;

  test('a token passes until 60 seconds after its end, and without a look at the time for ever', () => {
    const token = es256(CLAIMS);
    expect(outcome(token, {}, end + 60_999)).toBe(OK);
    expect(outcome(token, {}, end + 61_000)).toBe('expired');
    expect(outcome(token, {}, end + 61_000, false)).toBe(OK);
    expect(outcome(token, {}, Number.NaN)).toBe('expired');
  });

  test('it is looked at also for a token that is known', () => {
    const verifier = new JwtVerifier({ keys: P256.publicKey });
    const token = es256(CLAIMS);
    expect(verifier.verify(token, NOW_MS)).toMatchObject({ ok: true, expiresAtMs: end });
    expect(verifier.verify(token, end + 61_000)).toEqual({ ok: false, reason: 'expired', endedS: 61 });
    expect(verifier.verify(token, end + 61_000, false)).toMatchObject({ ok: true });
    expect(verifier.verify(token, NOW_MS)).toMatchObject({ ok: true });
  });

  test('nothing else is forgiven without it', () => {
    expect(outcome(es256({ ...CLAIMS, aud: 'x' }), {}, end, false)).toBe('wrong-audience');
    expect(outcome(es256(CLAIMS).replace(/.{9}$/, 'AAAAAAAAA'), {}, end, false)).not.toBe(OK);
  });
});

describe('the work that strangers cause', () => {
  test('a token that is too long is not looked at', () => {
    const long = es256({ ...CLAIMS, filler: 'x'.repeat(7000) });
    expect(long.length).toBeGreaterThan(8192);
    expect(outcome(long)).toBe('malformed');
    expect(outcome(es256({ ...CLAIMS, filler: 'x'.repeat(5000) }))).toBe(OK);
  });

  test('nothing makes it throw', () => {
    const verifier = new JwtVerifier({ keys: P256.publicKey, audience: ['x'] });
    const part = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.json().map((json) => Buffer.from(json).toString('base64url')),
    );
    const header = Buffer.from('{"alg":"ES256"}').toString('base64url');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        expect(verifier.verify(parts.join('.'), NOW_MS).ok).toBe(false);
        expect(verifier.verify([header, ...parts].join('.'), NOW_MS).ok).toBe(false);
      }),
    );
    const claim = fc.oneof(fc.jsonValue(), fc.constant(undefined));
    const claims = fc.record({
      sub: claim,
      id: claim,
      exp: claim,
      iss: claim,
      aud: claim,
      pubkey: claim,
      custom_claims: claim,
    });
    fc.assert(
      fc.property(claims, (some) => {
        expect(typeof verifier.verify(es256(some), NOW_MS).ok).toBe('boolean');
      }),
    );
  });

  test('a token that held is not proven again, as long as it is among the last 1024', () => {
    const verifier = new JwtVerifier({ keys: ED25519.publicKey });
    const token = (sub: number): string => jwt({ alg: 'EdDSA' }, { ...CLAIMS, sub: String(sub) }, ED25519.privateKey);
    const [first, second] = [token(1), token(2)];
    const [held, other] = [verifier.verify(first, NOW_MS), verifier.verify(second, NOW_MS)];
    for (let sub = 3; sub <= 1024; sub += 1) verifier.verify(token(sub), NOW_MS);
    expect(verifier.verify(first, NOW_MS)).toBe(held);
    verifier.verify(token(1025), NOW_MS);
    expect(verifier.verify(first, NOW_MS)).toBe(held);
    expect(verifier.verify(second, NOW_MS)).not.toBe(other);
    expect(verifier.verify(second, NOW_MS)).toEqual(other);
  });

  test('the cache holds hashes and no tokens', () => {
    const cache = new TokenCache<number>(2);
    cache.set('a token', 1);
    expect(cache.get('a token')).toBe(1);
    expect(cache.get('a toke')).toBeUndefined();
    cache.set('b', 2);
    cache.get('a token');
    cache.set('c', 3);
    expect([cache.get('a token'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
  });
});
