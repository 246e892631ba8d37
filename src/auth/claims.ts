import { Buffer } from 'node:buffer';

import { decodeBase64, parseJsonObject } from './decode.js';

/** What this package uses of the claims of a token. */
export interface Claims {
  /** Raw bytes of `pubkey`. */
  readonly publicKey?: Uint8Array;
}

/** The claims field of a token: base64url of compact JSON, empty without claims (`shared_secret.rs:get_token`). */
export function encodeClaims({ publicKey }: Claims): string {
  if (publicKey === undefined) return '';
  const json = JSON.stringify({ pubkey: encodePublicKey(publicKey) });
  return Buffer.from(json).toString('base64url');
}

/**
 * Reads a claims field. Call it only after the MAC over it has held.
 *
 * @returns `undefined` when it is not base64url of a JSON object, or has a `pubkey` that is not base64
 */
export function decodeClaims(text: string): Claims | undefined {
  if (text === '') return {};
  const json = decodeBase64(text, 'base64url');
  const claims = json && parseJsonObject(json);
  if (claims === undefined) return undefined;
  return claims.has('pubkey') ? decodePublicKey(claims.get('pubkey')) : {};
}

/** The value of `pubkey`: inside of the JSON it is standard base64 with padding, unlike everything around it. */
export function encodePublicKey(publicKey: Uint8Array): string {
  return Buffer.from(publicKey).toString('base64');
}

/** @returns `undefined` when it is not base64 */
export function decodePublicKey(pubkey: unknown): Required<Claims> | undefined {
  const publicKey = typeof pubkey === 'string' ? decodeBase64(pubkey, 'base64') : undefined;
  return publicKey && { publicKey: new Uint8Array(publicKey) };
}
