import { Buffer } from 'node:buffer';

import { UsageError } from '../util/index.js';
import { type Claims, decodePublicKey } from './claims.js';
import { decodeBase64, parseJsonObject } from './decode.js';
import { isJwtAlgorithm, verifyBytes } from './jwt-algorithm.js';
import { type JwtKeys, VerificationKeys } from './jwt-keys.js';
import type { TokenProblem, TokenVerifier, VerifiedToken } from './token.js';
import { TokenCache } from './token-cache.js';

/** How long after its end a token still passes, in seconds (`builder.rs:build_validation`). */
const LEEWAY_S = 60;
/** In characters; bounds the work that a stranger can cause. */
const MAX_TOKEN_LENGTH = 8192;
/** Tokens that held, so that none is checked twice: enough for what a large group has under way at once. */
const CACHED_TOKENS = 1024;

/** Who may have issued the tokens that a {@link JwtVerifier} takes, and for whom. */
export interface JwtVerifierOptions {
  /** One key as PEM, JWK or object of `node:crypto`; or a set of keys (JWKS), and then each token must name an issuer. */
  readonly keys: JwtKeys;
  /** The only `iss` that is taken. Default: any, and none. */
  readonly issuer?: string;
  /** A token with `aud` must have one of these; one without passes. Default: none, so a token that has `aud` is refused. */
  readonly audience?: readonly string[];
}

type Failure = Extract<VerifiedToken, { ok: false }>;
type Proven = Extract<VerifiedToken, { ok: true }> & { readonly expiresAtMs: number };

/**
 * Checks JSON Web Tokens of peers (`jwt.rs:VerifierJwt`).
 *
 * As upstream: the end (`exp`) is needed and has a leeway of 60 s, `nbf` and `iat` are not looked at, the subject may be anybody.
 * Stricter: only algorithms that fit the key and none with a shared secret, nothing that must be understood (`crit`), exact base64.
 * More lenient: `aud` may be one text instead of a list; other claims may be true, false or null.
 */
export class JwtVerifier implements TokenVerifier {
  readonly #keys: VerificationKeys;
  readonly #issuer: string | undefined;
  readonly #audience: ReadonlySet<unknown>;
  readonly #cache = new TokenCache<Proven>(CACHED_TOKENS);

  /** @throws UsageError `invalid-option` when there is no key that can be used, or a symmetric one */
  constructor({ keys, issuer, audience = [] }: JwtVerifierOptions) {
    if (audience.includes('')) throw new UsageError('invalid-option', 'an audience of JWTs must not be empty');
    this.#keys = new VerificationKeys(keys);
    this.#issuer = issuer;
    this.#audience = new Set(audience);
  }

  verify(token: string, nowMs: number, checkTime = true): VerifiedToken {
    if (token.length > MAX_TOKEN_LENGTH) return failure('malformed');
    let found = this.#cache.get(token);
    if (found === undefined) {
      const proven = this.#prove(token);
      if (!proven.ok) return proven;
      this.#cache.set(token, proven);
      found = proven;
    }
    // In this form a clock that is not a number fails as well.
    const isValid = Math.floor(nowMs / 1000) <= found.expiresAtMs / 1000 + LEEWAY_S;
    if (!checkTime || isValid) return found;
    return { ...failure('expired'), endedS: Math.floor((nowMs - found.expiresAtMs) / 1000) };
  }

  /** Everything but the time. */
  #prove(token: string): Proven | Failure {
    const [header, payload, mac, extra] = token.split('.', 4);
    const signature = mac === undefined || extra !== undefined ? undefined : decodeBase64(mac, 'base64url');
    const head = decodePart(header);
    const alg = head?.get('alg');
    const kid = head?.get('kid') ?? undefined;
    if (head === undefined || head.has('crit') || signature === undefined) return failure('malformed');
    if (!isJwtAlgorithm(alg) || !(kid === undefined || typeof kid === 'string')) return failure('malformed');
    const key = this.#keys.find(alg, kid);
    const signed = Buffer.from(token.slice(0, token.lastIndexOf('.')));
    if (key === undefined || !verifyBytes(alg, key, signed, signature)) return failure('bad-mac');
    const claims = decodePart(payload);
    return claims === undefined ? failure('malformed') : this.#read(claims);
  }

  #read(claims: ReadonlyMap<string, unknown>): Proven | Failure {
    const get = (name: string): unknown => claims.get(name) ?? undefined;
    // The one that upstream takes when there is no other (`identity_claims.rs:from_json`).
    const subject = get('sub') ?? get('id');
    const exp = get('exp');
    if (typeof subject !== 'string' || subject === '' || !subject.isWellFormed()) return failure('malformed');
    if (typeof exp !== 'number' || !(exp >= 0 && exp <= Number.MAX_SAFE_INTEGER)) return failure('malformed');
    const iss = get('iss');
    if (this.#issuer === undefined ? this.#keys.isSet && typeof iss !== 'string' : iss !== this.#issuer) {
      return failure('wrong-issuer');
    }
    if (!this.#isMeant(get('aud'))) return failure('wrong-audience');
    const key = readPublicKey(get('pubkey'), get('custom_claims'));
    return key === undefined ? failure('malformed') : { ok: true, subject, ...key, expiresAtMs: exp * 1000 };
  }

  #isMeant(aud: unknown): boolean {
    if (aud === undefined) return true;
    return (Array.isArray(aud) ? aud : [aud]).some((one) => this.#audience.has(one));
  }
}

function failure(reason: TokenProblem): Failure {
  return { ok: false, reason };
}

function decodePart(text: string | undefined): ReadonlyMap<string, unknown> | undefined {
  const json = text === undefined ? undefined : decodeBase64(text, 'base64url');
  return json && parseJsonObject(json);
}

/** @returns `undefined` when there is one that is no key */
function readPublicKey(pubkey: unknown, custom: unknown): Claims | undefined {
  const nested = typeof custom === 'object' && custom !== null ? Object.entries(custom) : [];
  const value = pubkey ?? new Map<string, unknown>(nested).get('pubkey') ?? undefined;
  return value === undefined ? {} : decodePublicKey(value);
}
