import { Buffer } from 'node:buffer';
import { constants, createHmac, createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A key pair of `node:crypto`. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export const P256: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const P384: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-384' });
export const RSA: KeyPair = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const ED25519: KeyPair = generateKeyPairSync('ed25519');

export const NOW_S = 1_800_000_000;
export const NOW_MS = NOW_S * 1000;

/** Claims that any verifier takes. */
export const CLAIMS = { sub: 'org/ns/ann', exp: NOW_S + 3600 } as const;

/** In PEM: a public key as SPKI, a private one as PKCS #8 unless said otherwise. */
export function pemOf(key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1' = 'pkcs8'): string {
  return key.export({ type: key.type === 'public' ? 'spki' : type, format: 'pem' } as const).toString();
}

function encode(part: unknown): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

/** A token made without the code under test. Parts may be JSON that is none; the algorithm is that of the header. */
export function jwt(header: unknown, claims: unknown, key: KeyObject, alg = algOf(header)): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${signature(alg, text, key).toString('base64url')}`;
}

/** With ES256 and the key for it. */
export function es256(claims: unknown, header: object = {}): string {
  return jwt({ alg: 'ES256', typ: 'JWT', ...header }, claims, P256.privateKey);
}

function algOf(header: unknown): string {
  return (header as { readonly alg: string }).alg;
}

function signature(alg: string, text: string, key: KeyObject): Buffer {
  const hash = `sha${alg.slice(2)}`;
  if (alg === 'EdDSA') return sign(null, Buffer.from(text), key);
  if (alg.startsWith('HS')) return createHmac(hash, key).update(text).digest();
  const signer = createSign(hash).update(text);
  if (alg.startsWith('ES')) return signer.sign({ key, dsaEncoding: 'ieee-p1363' });
  if (alg.startsWith('RS')) return signer.sign(key);
  return signer.sign({ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}
