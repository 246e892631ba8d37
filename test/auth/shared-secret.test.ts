import { createHmac, createSecretKey } from 'node:crypto';
import { inspect } from 'node:util';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { encodeClaims } from '../../src/auth/claims.js';
import { SharedSecret, validateSecret } from '../../src/auth/index.js';
import { signToken } from '../../src/auth/shared-secret.js';
import { UsageError } from '../../src/util/index.js';

const SECRET = 'abcdefghijklmnopqrstuvwxyz012345';

interface Vector {
  readonly name: string;
  readonly secret: string;
  readonly subject: string;
  readonly timestamp: number;
  readonly nonceHex?: string;
  readonly publicKey?: Uint8Array;
  readonly token: string;
}

/** The bytes `from`, `from + 1` ... */
function counting(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => from + index);
}

/** The vectors of the protocol description. V4 was made by a real 1.4.0 peer. */
const V1: Vector = {
  name: 'V1',
  secret: SECRET,
  subject: 'org/ns/alice_AbCd1234',
  timestamp: 1767225600,
  nonceHex: '000102030405060708090a0b',
  token: 'org/ns/alice_AbCd1234:1767225600:AAECAwQFBgcICQoL::sx6RL6X3ZwNsN92YshiANBQA0OIFKGDu4iWu4jCJ3i4',
};
const V2: Vector = {
  name: 'V2',
  secret: 'kjandjansdiasb8udaijdniasdaindasndasndasndasndasndasndasndas',
  subject: 'org/ns/bob_Zz9Yy8Xx',
  timestamp: 1767229199,
  nonceHex: 'ffffffffffffffffffffffff',
  publicKey: counting(0, 32),
  token:
    'org/ns/bob_Zz9Yy8Xx:1767229199:________________:eyJwdWJrZXkiOiJBQUVDQXdRRkJnY0lDUW9MREEwT0R4QVJFaE1VRlJZWEdCa2FHeHdkSGg4PSJ9:JB18NGpIhq8ANcdVcVvJ9SD_oFL1yhqLOwHgdnb7sRw',
};
const V3: Vector = {
  name: 'V3',
  secret: 'geheim-schlüssel-für-tests-0123456789',
  subject: 'agntcy/ns/clé_0aB1cD2e',
  timestamp: 1767225605,
  nonceHex: '00112233445566778899aabb',
  publicKey: Uint8Array.of(4, ...counting(0, 64)),
  token:
    'agntcy/ns/clé_0aB1cD2e:1767225605:ABEiM0RVZneImaq7:eyJwdWJrZXkiOiJCQUFCQWdNRUJRWUhDQWtLQ3d3TkRnOFFFUklURkJVV0Z4Z1pHaHNjSFI0ZklDRWlJeVFsSmljb0tTb3JMQzB1THpBeE1qTTBOVFkzT0RrNk96dzlQajg9In0:qIqf1JaAfMDyI0zgAKLI1f6YYV8QAi0rgvp1PaUfsLE',
};
const V4: Vector = {
  name: 'V4',
  secret: SECRET,
  subject: 'org/ns/bob/ffffffffffffffff_43MzrxB1',
  timestamp: 1795477040,
  publicKey: Buffer.from('hgPoNROiJdQ4LIl/C6Fn6G0HRnbTjnqM4/VZe31XyWo=', 'base64'),
  token:
    'org/ns/bob/ffffffffffffffff_43MzrxB1:1795477040:zpJL3uuY5uDwKzHt:eyJwdWJrZXkiOiJoZ1BvTlJPaUpkUTRMSWwvQzZGbjZHMEhSbmJUam5xTTQvVlplMzFYeVdvPSJ9:cK7Q7s2qCGchGRGa2CR76LdLx4h2m4XlxKf0PxYxdl8',
};

function verifier(secret = SECRET): SharedSecret {
  return new SharedSecret({ secret, identity: 'org/ns/me' });
}

/** Signs a text as a peer with {@link SECRET} would, whatever the text is. */
function forge(text: string): string {
  return `${text}:${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

function claimsOf(text: string): string {
  return Buffer.from(text).toString('base64url');
}

describe('row 1: vectors and clock cases', () => {
  test.each([V1, V2, V3, V4])('$name verifies', ({ secret, token, subject, timestamp, publicKey }) => {
    expect(verifier(secret).verify(token, timestamp * 1000)).toEqual({
      ok: true,
      subject,
      ...(publicKey && { publicKey: new Uint8Array(publicKey) }),
      issuedAtMs: timestamp * 1000,
    });
  });

  test.each([V1, V2, V3])('$name is what we would make', (vector) => {
    const { secret, subject, timestamp, nonceHex = '', publicKey, token } = vector;
    const nonce = Buffer.from(nonceHex, 'hex').toString('base64url');
    const claims = publicKey === undefined ? '' : encodeClaims({ publicKey });
    const text = `${subject}:${String(timestamp)}:${nonce}:${claims}`;
    expect(signToken(createSecretKey(secret, 'utf8'), text)).toBe(token);
  });

  test.each([
    [1767225594, 'future'],
    [1767225595, undefined],
    [1767225600, undefined],
    [1767229200, undefined],
    [1767229201, 'expired'],
  ])('V1 at %i s: %s', (nowS, problem) => {
    for (const nowMs of [nowS * 1000, nowS * 1000 + 999]) {
      const result = verifier().verify(V1.token, nowMs);
      expect(result).toEqual(
        problem === undefined
          ? { ok: true, subject: V1.subject, issuedAtMs: V1.timestamp * 1000 }
          : { ok: false, reason: problem, clockOffS: V1.timestamp - nowS },
      );
    }
  });

  test('a clock that is not a number lets nothing through', () => {
    expect(verifier().verify(V1.token, Number.NaN)).toMatchObject({ ok: false });
    expect(verifier().verify(V1.token, Number.NaN, false)).toMatchObject({ ok: false });
  });

  test('an old token still passes where only its origin counts, but a false or a future one does not', () => {
    const years = V1.timestamp * 1000 + 5 * 365 * 86_400_000;
    expect(verifier().verify(V1.token, years, true)).toMatchObject({ ok: false, reason: 'expired' });
    expect(verifier().verify(V1.token, years, false)).toMatchObject({ ok: true, subject: V1.subject });
    expect(verifier(`${SECRET}6`).verify(V1.token, years, false)).toEqual({ ok: false, reason: 'bad-mac' });
    expect(verifier().verify(V1.token, 1767225594_000, false)).toMatchObject({ ok: false, reason: 'future' });
  });

  test('a false token says nothing of clocks, whatever time it names', () => {
    for (const nowS of [0, V1.timestamp - 20, V1.timestamp + 4000]) {
      expect(verifier(`${SECRET}6`).verify(V1.token, nowS * 1000)).toEqual({ ok: false, reason: 'bad-mac' });
    }
  });
});

describe('mint', () => {
  const nowMs = 1_767_225_600_999;

  test('has the form of the description, with empty claims', () => {
    const secret = verifier();
    const token = secret.mint(nowMs);
    expect(token).toMatch(/^org\/ns\/me_[A-Za-z0-9]{8}:1767225600:[A-Za-z0-9_-]{16}::[A-Za-z0-9_-]{43}$/);
    expect(token.startsWith(`${secret.subject}:`)).toBe(true);
  });

  test('another holder of the secret takes it, with and without a key', () => {
    const mine = verifier();
    const publicKey = counting(7, 32);
    expect(verifier().verify(mine.mint(nowMs), nowMs)).toStrictEqual({
      ok: true,
      subject: mine.subject,
      issuedAtMs: nowMs - 999,
    });
    expect(verifier().verify(mine.mint(nowMs, publicKey), nowMs)).toStrictEqual({
      ok: true,
      subject: mine.subject,
      publicKey,
      issuedAtMs: nowMs - 999,
    });
  });

  test('the suffix belongs to the object, the nonce to the token', () => {
    const first = verifier();
    expect(first.subject).not.toBe(verifier().subject);
    // More than one filling of the pool of nonces.
    const tokens = Array.from({ length: 1000 }, () => first.mint(nowMs));
    expect(new Set(tokens.map((token) => token.split(':')[0]))).toEqual(new Set([first.subject]));
    expect(new Set(tokens.map((token) => token.split(':')[2])).size).toBe(1000);
  });

  test('any identity and key that is allowed comes back', () => {
    const identity = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[:\s\u0085]/u.test(text));
    fc.assert(
      fc.property(identity, fc.uint8Array({ minLength: 1, maxLength: 100 }), (text, publicKey) => {
        const mine = new SharedSecret({ secret: SECRET, identity: text });
        expect(verifier().verify(mine.mint(nowMs, publicKey), nowMs)).toEqual({
          ok: true,
          subject: mine.subject,
          publicKey,
          issuedAtMs: nowMs - 999,
        });
      }),
    );
  });
});

describe('N2: refused', () => {
  const nowMs = 1_767_225_600_000;
  const head = 'org/ns/alice_AbCd1234:1767225600:AAECAwQFBgcICQoL:';
  const mac = V1.token.slice(-43);

  test.each([
    ['nothing', ''],
    ['four parts', forge('org/ns/alice_AbCd1234:1767225600:AAECAwQFBgcICQoL')],
    ['six parts', forge(`${head}:`)],
    ['seven parts', `${V1.token}:x:y`],
    ['no subject', forge(':1767225600:AAECAwQFBgcICQoL:')],
    ['no time', forge('a:::')],
    ['a time with a sign', forge('a:+1767225600:n:')],
    ['a time with leading zeros', forge('a:01767225600:n:')],
    ['a negative time', forge('a:-1:n:')],
    ['a time in hex', forge('a:0x6955a400:n:')],
    ['a time with a fraction', forge('a:1767225600.0:n:')],
    ['a time with white space', forge('a: 1767225600:n:')],
    ['a time of more than 64 bits', forge('a:99999999999999999999999:n:')],
    ['padded base64', `${V1.token}=`],
    ['standard base64', `${head}:${mac.replace(/^./, '+')}`],
    ['a MAC with bits behind its end', `${head}:${mac.slice(0, -1)}5`],
    ['a MAC that is too short', V1.token.slice(0, -1)],
    ['a MAC of characters whose low bytes would fit', `${head}:${'\u0141'.repeat(43)}`],
    ['text that is longer than any token', forge(`${head}${'A'.repeat(9000)}`)],
    ['claims that are not base64url', forge(`${head}eyJ=`)],
    ['claims that are not JSON', forge(`${head}${claimsOf('{')}`)],
    ['claims that are no object', forge(`${head}${claimsOf('[]')}`)],
    ['claims that are null', forge(`${head}${claimsOf('null')}`)],
    ['a key that is no string', forge(`${head}${claimsOf('{"pubkey":1}')}`)],
    ['a key that is not base64', forge(`${head}${claimsOf('{"pubkey":"??"}')}`)],
  ])('as malformed: %s', (_, token) => {
    expect(verifier().verify(token, nowMs)).toEqual({ ok: false, reason: 'malformed' });
  });

  test.each([
    ['another secret', verifier(`${SECRET}6`), V1.token],
    ['another subject', verifier(), V1.token.replace('alice', 'mallory')],
    ['another time', verifier(), V1.token.replace('1767225600', '1767225601')],
    ['another nonce', verifier(), V1.token.replace('AAEC', 'BBEC')],
    ['claims added', verifier(), V1.token.replace('::', `:${claimsOf('{}')}:`)],
    ['claims that would be malformed', verifier(), V1.token.replace('::', ':{:')],
  ])('as bad-mac: %s', (_, secret, token) => {
    expect(secret.verify(token, nowMs)).toEqual({ ok: false, reason: 'bad-mac' });
  });

  test('every other character of a token matters', () => {
    const secret = verifier();
    fc.assert(
      fc.property(
        fc.constantFrom(V1, V2, V3, V4),
        fc.nat(),
        fc.string({ unit: 'binary', maxLength: 1 }),
        (vector, at, other) => {
          const position = at % vector.token.length;
          const changed = vector.token.slice(0, position) + other + vector.token.slice(position + 1);
          fc.pre(changed !== vector.token);
          const checker = vector.secret === SECRET ? secret : verifier(vector.secret);
          expect(checker.verify(changed, vector.timestamp * 1000)).toMatchObject({ ok: false });
        },
      ),
      { numRuns: 500 },
    );
  });

  test('any text, without a throw', () => {
    const secret = verifier();
    const part = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '1767225600', mac, 'e30'));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(part).map((parts) => parts.join(':')),
        ),
        (text) => {
          expect(secret.verify(text, nowMs)).toMatchObject({ ok: false });
        },
      ),
      { numRuns: 500 },
    );
  });

  test('claims with other members only are fine', () => {
    const token = forge(`${head}${claimsOf('{"role":"x","__proto__":{"pubkey":"AAAA"}}')}`);
    expect(verifier().verify(token, nowMs)).toStrictEqual({
      ok: true,
      subject: V1.subject,
      issuedAtMs: nowMs,
    });
  });
});

describe('N13: what it is made of', () => {
  function refusal(action: () => unknown): UsageError {
    try {
      action();
    } catch (error) {
      if (error instanceof UsageError) return error;
      throw error;
    }
    throw new Error('it was accepted');
  }

  test('a secret is measured in bytes of UTF-8', () => {
    validateSecret('x'.repeat(32));
    validateSecret('é'.repeat(16));
    validateSecret('😀'.repeat(8));
    for (const secret of ['x'.repeat(31), `${'é'.repeat(15)}x`]) {
      expect(refusal(() => validateSecret(secret))).toMatchObject({ code: 'secret-too-short', exitCode: 2 });
      expect(refusal(() => new SharedSecret({ secret, identity: 'a' }))).toMatchObject({ code: 'secret-too-short' });
    }
  });

  test('the refusal of a short secret tells its length and not the secret', () => {
    const error = refusal(() => validateSecret('hunter2-hunter2'));
    expect(error.message).toContain('15');
    expect(error.message).toContain('32');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
  });

  test.each([[''], ['a:b'], ['a b'], ['a\tb'], ['a\n'], ['a\u00a0'], ['a\u0085'], ['a\u2003b'], ['a\ud800']])(
    'the identity %j is refused',
    (identity) => {
      expect(refusal(() => new SharedSecret({ secret: SECRET, identity }))).toMatchObject({ code: 'invalid-name' });
    },
  );

  test.each(['a', 'org/ns/bob/ffffffffffffffff', 'agntcy/ns/clé', 'a_b'])('the identity %j is fine', (identity) => {
    expect(new SharedSecret({ secret: SECRET, identity }).subject.slice(0, -9)).toBe(identity);
  });

  test('nothing shows the secret', () => {
    const secret = verifier();
    const hex = Buffer.from(SECRET).toString('hex');
    const shown = [
      inspect(secret, { depth: 9, showHidden: true, getters: true }),
      JSON.stringify({ secret }),
      JSON.stringify(Object.getOwnPropertyDescriptors(secret)),
      inspect(structuredClone(secret), { depth: 9, showHidden: true }),
    ].join();
    expect(shown).toContain(secret.subject);
    expect(shown).not.toContain(SECRET.slice(0, 8));
    expect(shown).not.toContain(hex.slice(0, 16));
    expect(Object.keys(secret)).toEqual(['subject']);
  });
});
