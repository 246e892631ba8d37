import { constants, type KeyObject, sign, type SignKeyObjectInput, verify } from 'node:crypto';

/** Signature algorithms of JWTs: those of upstream (`jwt.rs`) without the symmetric ones. EdDSA is Ed25519. */
export type JwtAlgorithm = 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'EdDSA';

interface Scheme {
  /** Null where the scheme brings its own. */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null;
  readonly keyType: 'rsa' | 'ec' | 'ed25519';
  /** As OpenSSL calls it. */
  readonly curve?: 'prime256v1' | 'secp384r1';
  readonly isPss?: true;
}

const SCHEMES: Readonly<Record<JwtAlgorithm, Scheme>> = {
  RS256: { hash: 'sha256', keyType: 'rsa' },
  RS384: { hash: 'sha384', keyType: 'rsa' },
  RS512: { hash: 'sha512', keyType: 'rsa' },
  PS256: { hash: 'sha256', keyType: 'rsa', isPss: true },
  PS384: { hash: 'sha384', keyType: 'rsa', isPss: true },
  PS512: { hash: 'sha512', keyType: 'rsa', isPss: true },
  ES256: { hash: 'sha256', keyType: 'ec', curve: 'prime256v1' },
  ES384: { hash: 'sha384', keyType: 'ec', curve: 'secp384r1' },
  EdDSA: { hash: null, keyType: 'ed25519' },
};

const ALGORITHMS = Object.keys(SCHEMES).filter(isJwtAlgorithm);

/** In bits; RFC 7518 3.3 wants them, and upstream's crypto library refuses less. */
const MIN_RSA_BITS = 2048;

/** Whether a value is one of the algorithms; `none` and those of a shared key are not. */
export function isJwtAlgorithm(value: unknown): value is JwtAlgorithm {
  return typeof value === 'string' && Object.hasOwn(SCHEMES, value);
}

/** The algorithms that a key, public or private, can be used with; none for a kind of key that is not known here. */
export function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly JwtAlgorithm[] {
  return ALGORITHMS.filter((algorithm) => {
    const { keyType, curve } = SCHEMES[algorithm];
    if (asymmetricKeyType !== keyType) return false;
    if (keyType === 'rsa') return (asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS;
    return asymmetricKeyDetails?.namedCurve === curve;
  });
}

/** Signs; the key must be one that the algorithm fits. */
export function signBytes(algorithm: JwtAlgorithm, key: KeyObject, bytes: Uint8Array): Buffer {
  return sign(SCHEMES[algorithm].hash, bytes, keyInput(algorithm, key));
}

/** Whether a signature holds; the key must be one that the algorithm fits. */
export function verifyBytes(
  algorithm: JwtAlgorithm,
  key: KeyObject,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verify(SCHEMES[algorithm].hash, bytes, keyInput(algorithm, key), signature);
}

function keyInput(algorithm: JwtAlgorithm, key: KeyObject): SignKeyObjectInput {
  const { keyType, isPss } = SCHEMES[algorithm];
  // JWTs have the two numbers of an ECDSA signature side by side, and not in DER (RFC 7518 3.4).
  if (keyType === 'ec') return { key, dsaEncoding: 'ieee-p1363' };
  if (isPss === undefined) return { key };
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}
