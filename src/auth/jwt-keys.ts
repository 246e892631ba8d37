import { createPublicKey, type JsonWebKey, KeyObject } from 'node:crypto';

import { UsageError } from '../util/index.js';
import { algorithmsOf, type JwtAlgorithm } from './jwt-algorithm.js';

/** A JSON Web Key Set (RFC 7517 5), parsed. */
export interface JwkSet {
  readonly keys: readonly JsonWebKey[];
}

/** The keys that may have signed a token: one, as PEM, JWK or object of `node:crypto`, or a set. */
export type JwtKeys = string | KeyObject | JsonWebKey | JwkSet;

interface VerificationKey {
  readonly key: KeyObject | undefined;
  /** What it may be used with; without any it counts for nothing. */
  readonly algorithms: readonly JwtAlgorithm[];
  readonly kid?: unknown;
  /** What it says that it is for. */
  readonly alg?: unknown;
}

/** Public keys, and which of them a token is to be checked with. */
export class VerificationKeys {
  /** Whether they are a set: tokens must then name their issuer (`jwt.rs:decoding_key`). */
  readonly isSet: boolean;
  readonly #keys: readonly VerificationKey[];

  /**
   * @throws UsageError `invalid-option` when none of the keys can be used, or one is symmetric: whoever could check with such a key
   * could sign with it as well
   */
  constructor(keys: JwtKeys) {
    this.isSet = isJwkSet(keys);
    const all = isJwkSet(keys) ? keys.keys : [keys];
    // Keys of other kinds may be in a set for other users of it (RFC 7517 5).
    this.#keys = all.map(readKey).filter(({ algorithms }) => algorithms.length > 0);
    if (this.#keys.length > 0) return;
    throw new UsageError(
      'invalid-option',
      'there is no key that JWTs can be checked with: RSA of 2048 bits or more, P-256, P-384, or Ed25519',
    );
  }

  /**
   * The key for a token. Of a set: the one with its `kid`; for a token without, the first that names its algorithm
   * (`resolver.rs:get_decoded_key_from_jwks`). In any case only one that the algorithm fits.
   */
  find(algorithm: JwtAlgorithm, kid: string | undefined): KeyObject | undefined {
    const fitting = this.#keys.filter(({ algorithms }) => algorithms.includes(algorithm));
    if (!this.isSet) return fitting[0]?.key;
    return fitting.find((key) => (kid === undefined ? key.alg === algorithm : key.kid === kid))?.key;
  }
}

function isJwkSet(keys: JwtKeys): keys is JwkSet {
  return typeof keys === 'object' && 'keys' in keys && Array.isArray(keys.keys);
}

function readKey(source: Exclude<JwtKeys, JwkSet>): VerificationKey {
  const key = toPublicKey(source);
  const algorithms = key === undefined ? [] : algorithmsOf(key);
  if (typeof source === 'string' || source instanceof KeyObject) return { key, algorithms };
  const { kty, kid, alg, use } = source;
  if (kty === 'oct') throw new UsageError('invalid-option', 'a symmetric key cannot be used to check JWTs');
  const isMeant = (algorithm: JwtAlgorithm): boolean => use !== 'enc' && (alg === undefined || alg === algorithm);
  return { key, algorithms: algorithms.filter(isMeant), kid, alg };
}

function toPublicKey(source: Exclude<JwtKeys, JwkSet>): KeyObject | undefined {
  try {
    if (typeof source === 'string') return createPublicKey(source);
    if (source instanceof KeyObject) return source.type === 'public' ? source : createPublicKey(source);
    return createPublicKey({ key: source, format: 'jwk' });
  } catch {
    // Another kind of key, or none at all. What OpenSSL says to that helps nobody.
    return undefined;
  }
}
