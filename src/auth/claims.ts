import { Buffer } from 'node:buffer';

/** What this package uses of the claims of a token. */
export interface Claims {
  /** Raw bytes of `pubkey`. */
  readonly publicKey?: Uint8Array;
}

/** The claims field of a token: base64url of compact JSON, empty without claims (`shared_secret.rs:get_token`). */
export function encodeClaims({ publicKey }: Claims): string {
  if (publicKey === undefined) return '';
  // Inside of the JSON it is standard base64 with padding, unlike everything around it.
  const json = JSON.stringify({ pubkey: Buffer.from(publicKey).toString('base64') });
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
  if (json === undefined) return undefined;
  const claims = parseObject(json.toString());
  if (claims === undefined) return undefined;
  if (!Object.hasOwn(claims, 'pubkey')) return {};
  const { pubkey } = claims;
  const publicKey = typeof pubkey === 'string' ? decodeBase64(pubkey, 'base64') : undefined;
  return publicKey && { publicKey: new Uint8Array(publicKey) };
}

/** Node skips what does not belong into base64; only the text that encoding gives again is taken here. */
function decodeBase64(text: string, encoding: 'base64' | 'base64url'): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === text ? bytes : undefined;
}

function parseObject(json: string): { readonly pubkey?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    // Not JSON is an expected answer, not an error: the caller rejects the token.
    return undefined;
  }
}
