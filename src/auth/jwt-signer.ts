import { Buffer } from 'node:buffer';
import { createPrivateKey, KeyObject } from 'node:crypto';

import { UsageError } from '../util/index.js';
import { encodePublicKey } from './claims.js';
import { algorithmsOf, type JwtAlgorithm, signBytes } from './jwt-algorithm.js';
import type { TokenProvider } from './token.js';

const DEFAULT_DURATION_S = 3600;
/** A year. */
const MAX_DURATION_S = 366 * 24 * 3600;

/** What a {@link JwtSigner} is made of. */
export interface JwtSignerOptions {
  /** Private key that signs: PEM (PKCS #8, SEC 1 or PKCS #1), or an object of `node:crypto`. */
  readonly key: string | KeyObject;
  /** One that fits the key. */
  readonly algorithm: JwtAlgorithm;
  /**
   * Whom the tokens name (`sub`). **Each member of a group needs one of its own**: MLS takes no two members of one subject, so two
   * replicas of a workload that share one cannot be in a group together. An app of the same name that starts anew may keep its own.
   */
  readonly subject: string;
  /** `iss`. Verifiers with a set of keys demand one. */
  readonly issuer?: string;
  /** `aud`. Verifiers that are told no audience refuse tokens that have one. */
  readonly audience?: readonly string[];
  /**
   * How long a token is valid, in seconds; default 3600. It is also how long an MLS group takes additions and removals after
   * this member has joined.
   */
  readonly durationS?: number;
}

/**
 * Identity by JSON Web Tokens that this app signs itself (`jwt.rs:SignerJwt`). Others check them with a {@link JwtVerifier} or
 * upstream's.
 *
 * A message gets a token that was signed in the same second: times in tokens are whole seconds, so a new one would say the same.
 */
export class JwtSigner implements TokenProvider {
  readonly subject: string;
  // Private, so that neither console.log nor JSON.stringify of an object around shows it.
  readonly #key: KeyObject;
  readonly #algorithm: JwtAlgorithm;
  readonly #header: string;
  readonly #claims: Readonly<Record<string, unknown>>;
  readonly #durationS: number;
  #last: { readonly atS: number; readonly token: string } | undefined;

  /** @throws UsageError `invalid-option` */
  constructor({ key, algorithm, subject, issuer, audience, durationS = DEFAULT_DURATION_S }: JwtSignerOptions) {
    if (subject === '' || !subject.isWellFormed()) {
      throw new UsageError('invalid-option', `the subject of JWTs must not be empty, got ${JSON.stringify(subject)}`);
    }
    if (!Number.isInteger(durationS) || durationS < 1 || durationS > MAX_DURATION_S) {
      throw new UsageError(
        'invalid-option',
        `JWTs can be valid for 1 to ${MAX_DURATION_S} whole seconds, got ${durationS}`,
      );
    }
    this.#key = readPrivateKey(key, algorithm);
    this.#algorithm = algorithm;
    this.#header = encodeJson({ typ: 'JWT', alg: algorithm });
    // Upstream takes `aud` as a list only, and no nulls.
    this.#claims = {
      ...(issuer !== undefined && { iss: issuer }),
      sub: subject,
      ...(audience !== undefined && audience.length > 0 && { aud: [...audience] }),
    };
    this.#durationS = durationS;
    this.subject = subject;
  }

  /**
   * A token that is valid now.
   *
   * @param nowMs - milliseconds since 1970
   * @param publicKey - the signature key to vouch for, raw; the token of an MLS credential needs it
   */
  mint(nowMs: number, publicKey?: Uint8Array): string {
    const atS = Math.floor(nowMs / 1000);
    if (publicKey !== undefined) return this.#sign(atS, { pubkey: encodePublicKey(publicKey) });
    if (this.#last?.atS !== atS) this.#last = { atS, token: this.#sign(atS, {}) };
    return this.#last.token;
  }

  #sign(atS: number, more: Readonly<Record<string, unknown>>): string {
    const claims = { ...this.#claims, exp: atS + this.#durationS, iat: atS, nbf: atS, ...more };
    const text = `${this.#header}.${encodeJson(claims)}`;
    return `${text}.${signBytes(this.#algorithm, this.#key, Buffer.from(text)).toString('base64url')}`;
  }
}

function encodeJson(value: Readonly<Record<string, unknown>>): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function readPrivateKey(source: string | KeyObject, algorithm: JwtAlgorithm): KeyObject {
  let key: KeyObject;
  try {
    key = source instanceof KeyObject ? source : createPrivateKey(source);
  } catch {
    // What OpenSSL says might show the key.
    throw new UsageError('invalid-option', 'the key that signs JWTs is not a private key in PEM');
  }
  if (key.type === 'private' && algorithmsOf(key).includes(algorithm)) return key;
  const fitting = key.type === 'private' ? algorithmsOf(key).join(', ') : '';
  throw new UsageError(
    'invalid-option',
    `this key cannot sign JWTs with ${algorithm}; it can with ${fitting === '' ? 'nothing' : fitting}`,
  );
}
