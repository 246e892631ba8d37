import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { afterEach, describe, expect, test, vi } from 'vitest';

import { JwtVerifier, type JwtVerifierOptions } from '../../src/auth/index.js';
import { checkLeaf, loadOpenMls } from '../../src/mls/index.js';
import { decodeMessage, type PublishMessage } from '../../src/wire/index.js';

/** The public keys of the recordings, in DER: each has its own. */
const KEYS = {
  '0.7.0':
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmqekLtcjRAYvxrQHzLyLhdKjoGTrROL6SVC2D0ae80lUkfVCfq2ylqIeepVKJ1PmJ1nLgbGm3T3ZvrLpFO+HxQ==',
  '0.7.1':
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEI9VjM640R0hXULHCkGpCrXY2DvE41+RK5f2auo58sofFtX1IYE1WnBAssL8E+eGup89RTe89SZPfcJ3VqfKGvw==',
  '1.4.0':
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdYBXmVBFpsNrIc1MEEPL5E4NgJ74auq56cr+KIKqHxXjmDttrE3bHln4y2ox2ZIr/uqyXOWS3dS0QBOaSId0rg==',
} as const;
type Version = keyof typeof KEYS;
const VERSIONS = Object.keys(KEYS) as Version[];

/** When the last of them ended, in milliseconds; they live an hour, and all were made within a quarter of one. */
const RECORDED_MS = 1_795_479_200_000;

function verifierOf(version: Version, options: Partial<JwtVerifierOptions> = {}): JwtVerifier {
  const keys = `-----BEGIN PUBLIC KEY-----\n${KEYS[version]}\n-----END PUBLIC KEY-----\n`;
  return new JwtVerifier({ keys, issuer: 'test-issuer', audience: ['test-audience'], ...options });
}

function messagesOf(version: Version): PublishMessage[] {
  const lines = gunzipSync(readFileSync(new URL('../fixtures/frames.txt.gz', import.meta.url)))
    .toString()
    .split('\n');
  return lines.flatMap((line) => {
    const [trace, , , hex = ''] = line.split(' ');
    if (trace !== `group-${version}-mls-jwt`) return [];
    const message = decodeMessage(Buffer.from(hex, 'hex'));
    return message.kind === 'publish' ? [message] : [];
  });
}

afterEach(() => {
  vi.useRealTimers();
});

describe.each(VERSIONS)('tokens that real members of %s signed', (version) => {
  const messages = messagesOf(version);
  const verifier = verifierOf(version);

  test('hold, and name the sender of their message', () => {
    expect(messages.length).toBeGreaterThan(50);
    for (const { header } of messages) {
      const found = verifier.verify(header.identity, RECORDED_MS);
      expect(found).toMatchObject({ ok: true, subject: header.source.withoutId().toString() });
      // Only members since 1.3 vouch for a key with each message.
      expect(found.ok && found.publicKey?.length).toBe(version === '1.4.0' ? 32 : undefined);
    }
  });

  test('do not hold with the key of others, for others, or later', () => {
    const other = verifierOf(VERSIONS.find((one) => one !== version)!);
    const elsewhere = verifierOf(version, { audience: ['x'] });
    for (const { header } of messages) {
      expect(other.verify(header.identity, RECORDED_MS)).toEqual({ ok: false, reason: 'bad-mac' });
      expect(verifier.verify(header.identity, RECORDED_MS + 2 * 3_600_000)).toMatchObject({
        ok: false,
        reason: 'expired',
      });
      expect(elsewhere.verify(header.identity, RECORDED_MS)).toEqual({ ok: false, reason: 'wrong-audience' });
    }
  });

  test('in their key packages vouch for the key of the leaf', async () => {
    const engine = await loadOpenMls();
    vi.useFakeTimers({ toFake: ['Date'], now: RECORDED_MS });
    const client = engine.createClient(1);
    const replies = messages.flatMap(({ content, header }) =>
      content.kind === 'joinReply' && content.keyPackage !== undefined
        ? [{ keyPackage: content.keyPackage, name: header.source.withoutId().toString() }]
        : [],
    );
    expect(replies.length).toBeGreaterThanOrEqual(3);
    for (const { keyPackage, name } of replies) {
      const leaf = client.inspectKeyPackage(keyPackage);
      expect(checkLeaf(leaf, { verifier, nowMs: RECORDED_MS }, true)).toBe(name);
      const signatureKey = Uint8Array.from(leaf.signatureKey, (byte, index) => (index === 0 ? byte ^ 1 : byte));
      expect(() => checkLeaf({ ...leaf, signatureKey }, { verifier, nowMs: RECORDED_MS }, true)).toThrow(
        expect.objectContaining({ code: 'mls-pubkey-mismatch' }),
      );
      for (const options of [{ audience: ['x'] }, { issuer: 'x' }]) {
        const checks = { verifier: verifierOf(version, options), nowMs: RECORDED_MS };
        expect(() => checkLeaf(leaf, checks, false)).toThrow(expect.objectContaining({ code: 'mls-token-mac' }));
      }
    }
    client.free();
  });
});
