import { Buffer } from 'node:buffer';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Node skips what does not belong into base64; only the text that encoding gives again is taken here. */
export function decodeBase64(text: string, encoding: 'base64' | 'base64url'): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === text ? bytes : undefined;
}

/**
 * The members of a JSON object in UTF-8, as a map: whatever their names are, none of them becomes a property.
 *
 * @returns `undefined` when it is something else
 */
export function parseJsonObject(bytes: Uint8Array): ReadonlyMap<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return new Map<string, unknown>(Object.entries(value));
  } catch {
    // Not UTF-8 or not JSON is an expected answer, not an error: the caller rejects the token.
    return undefined;
  }
}
