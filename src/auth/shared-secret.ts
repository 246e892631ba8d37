import { Buffer } from 'node:buffer';
import { createHmac, createSecretKey, type KeyObject, randomFillSync, randomInt, timingSafeEqual } from 'node:crypto';

import { RecentMap, UsageError } from '../util/index.js';
import { type Claims, decodeClaims, encodeClaims } from './claims.js';
import type { TokenProvider, TokenVerifier, VerifiedToken } from './token.js';

/** Fewer bytes than this are refused, as upstream (`shared_secret.rs:validate_secret`). */
const MIN_SECRET_BYTES = 32;
/** How old a token may be, in seconds; included. */
export const LIFETIME_S = 3600;
/** How far the clock of a token may be ahead of ours, in seconds; included. */
export const MAX_AHEAD_S = 5;
/** In characters. Real tokens have at most a few hundred; this bounds the work that a stranger can cause. */
const MAX_TOKEN_LENGTH = 8192;
/** Peers whose claims are remembered. */
const REMEMBERED_CLAIMS = 64;

const SUFFIX_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const SUFFIX_LENGTH = 8;
const NONCE_BYTES = 12;

/** Decimal, no sign, no leading zeros, exact as a number. */
const TIMESTAMP = /^(?:0|[1-9][0-9]{0,14})$/;
/** 32 bytes in base64url without padding; the last character holds four bits. */
const MAC = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
/** Colon and white space as Rust and as JavaScript see it. */
const BAD_IN_IDENTITY = /[:\s\u0085]/u;

/** What a {@link SharedSecret} is made of. */
export interface SharedSecretOptions {
  /** The secret of the group: at least 32 bytes of UTF-8, used as they are. */
  readonly secret: string;
  /** Whom our tokens name, before the random suffix. Upstream peers use `org/ns/app`. */
  readonly identity: string;
}

/**
 * Identity by a secret that all members of a group know (`shared_secret.rs`): makes our tokens and checks those of peers.
 *
 * Whoever has the secret can name himself as he likes: a token proves membership, not who it is. Tokens are not remembered, so
 * one can be replayed as long as it is valid; sessions tell repeated messages apart.
 */
export class SharedSecret implements TokenProvider, TokenVerifier {
  /** The identity, `_` and 8 random letters or digits, drawn once: two apps with one identity differ in it. */
  readonly subject: string;
  // Private, so that neither console.log nor JSON.stringify of an object around shows it.
  readonly #key: KeyObject;
  readonly #nonces = new NoncePool();
  /** What was read in claims of tokens that held: those of one peer are the same in token after token. */
  readonly #claims = new RecentMap<string, Claims>(REMEMBERED_CLAIMS);

  /**
   * @throws UsageError `secret-too-short`
   * @throws UsageError `invalid-name` when the identity is empty, or has a colon or white space (`shared_secret.rs:validate_id`)
   */
  constructor({ secret, identity }: SharedSecretOptions) {
    validateSecret(secret);
    if (identity === '' || BAD_IN_IDENTITY.test(identity) || !identity.isWellFormed()) {
      throw new UsageError(
        'invalid-name',
        `An identity must not be empty and must not have a colon or white space, got ${JSON.stringify(identity)}.`,
      );
    }
    this.#key = createSecretKey(secret, 'utf8');
    this.subject = `${identity}_${randomSuffix()}`;
  }

  /**
   * A token that is valid now.
   *
   * @param nowMs - milliseconds since 1970
   * @param publicKey - the signature key to vouch for, raw; the token of an MLS credential needs it. Without it the claims are
   * empty, which every peer of generation 1 takes
   */
  mint(nowMs: number, publicKey?: Uint8Array): string {
    const timestamp = Math.floor(nowMs / 1000);
    const claims = publicKey === undefined ? '' : encodeClaims({ publicKey });
    return signToken(this.#key, `${this.subject}:${timestamp}:${this.#nonces.next()}:${claims}`);
  }

  /** Checks a token. Our own name plays no part in it, only the secret. */
  verify(token: string, nowMs: number, checkTime = true): VerifiedToken {
    if (token.length > MAX_TOKEN_LENGTH) return { ok: false, reason: 'malformed' };
    const [subject, timestamp, nonce, claimsText, mac, extra] = token.split(':', 6);
    if (!subject || timestamp === undefined || nonce === undefined || claimsText === undefined || mac === undefined) {
      return { ok: false, reason: 'malformed' };
    }
    // Differs from upstream, which computes the MAC over the parsed number and so takes `+5` and `007` too.
    if (extra !== undefined || !TIMESTAMP.test(timestamp) || !MAC.test(mac)) return { ok: false, reason: 'malformed' };
    const ageS = Math.floor(nowMs / 1000) - Number(timestamp);
    // Before its time is looked at: what a forged token says of clocks is told to nobody.
    const expected = computeMac(this.#key, token.slice(0, -(mac.length + 1)));
    if (!timingSafeEqual(Buffer.from(mac, 'base64url'), expected)) return { ok: false, reason: 'bad-mac' };
    // In this form an age that is not a number fails as well.
    if (checkTime && !(ageS <= LIFETIME_S)) return { ok: false, reason: 'expired', clockOffS: -ageS };
    if (!(ageS >= -MAX_AHEAD_S)) return { ok: false, reason: 'future', clockOffS: -ageS };
    const claims = this.#readClaims(claimsText);
    return claims === undefined
      ? { ok: false, reason: 'malformed' }
      : { ok: true, subject, ...claims, issuedAtMs: Number(timestamp) * 1000 };
  }

  #readClaims(text: string): Claims | undefined {
    const known = this.#claims.get(text);
    if (known !== undefined) return known;
    const claims = decodeClaims(text);
    if (claims !== undefined) this.#claims.set(text, claims);
    return claims;
  }
}

/**
 * Makes sure that a text is long enough for a shared secret.
 *
 * @throws UsageError `secret-too-short`; it tells the length and never the secret
 */
export function validateSecret(secret: string): void {
  const bytes = Buffer.byteLength(secret);
  if (bytes >= MIN_SECRET_BYTES) return;
  throw new UsageError(
    'secret-too-short',
    `The shared secret must have at least ${MIN_SECRET_BYTES} bytes; this one has ${bytes}.`,
    { details: { bytes, minBytes: MIN_SECRET_BYTES } },
  );
}

/**
 * Appends the MAC to `id:timestamp:nonce:claims`.
 *
 * @internal
 */
export function signToken(key: KeyObject, text: string): string {
  return `${text}:${computeMac(key, text).toString('base64url')}`;
}

function computeMac(key: KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** `randomInt` has no bias, which a remainder by 62 would have. */
function randomSuffix(): string {
  return Array.from({ length: SUFFIX_LENGTH }, () => SUFFIX_ALPHABET.charAt(randomInt(SUFFIX_ALPHABET.length))).join(
    '',
  );
}

/** Random nonces in base64url. Fetches many at once: a call into the generator costs more than all the rest of a token. */
class NoncePool {
  readonly #bytes = Buffer.alloc(NONCE_BYTES * 256);
  #position = this.#bytes.length;

  next(): string {
    if (this.#position === this.#bytes.length) {
      randomFillSync(this.#bytes);
      this.#position = 0;
    }
    const start = this.#position;
    this.#position += NONCE_BYTES;
    return this.#bytes.toString('base64url', start, this.#position);
  }
}
