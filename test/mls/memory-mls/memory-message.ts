import { Buffer } from 'node:buffer';

import type { LeafIdentity, MlsSuite } from '../../../src/mls/index.js';
import { mlsError } from '../../../src/mls/mls-error.js';
import type { MlsErrorCode } from '../../../src/util/index.js';

/** Messages of the fake. They begin as those of MLS do, so that code that looks at the kind of a message finds it. */

/** Bytes as base64, which JSON can hold. */
export type Text64 = string;

/** A {@link LeafIdentity} as JSON. */
export interface LeafJson {
  readonly credential: Text64;
  readonly signatureKey: Text64;
}

/** What stands in the four kinds of messages, by their number in MLS. */
export interface MemoryMessages {
  /** Commit. */
  1: {
    readonly group: Text64;
    readonly epoch: string;
    readonly committer: number;
    readonly added: readonly MemoryMessages[5][];
    readonly removed: readonly number[];
    readonly path?: LeafJson;
    readonly salt: Text64;
  };
  /** Payload. */
  2: {
    readonly group: Text64;
    readonly epoch: string;
    readonly sender: number;
    readonly generation: number;
    readonly aad: Text64;
    readonly text: Text64;
  };
  /** Welcome. */
  3: {
    readonly suite: number;
    readonly ref: Text64;
    readonly group: Text64;
    readonly epoch: string;
    readonly secret: Text64;
    readonly leaves: readonly (LeafJson | null)[];
    readonly sender: number;
    readonly own: number;
  };
  /** Key package. */
  5: LeafJson & {
    readonly suite: number;
    readonly ref: Text64;
    readonly notBefore: number;
    readonly notAfter: number;
  };
}

/** Kind of a message. */
export type MemoryKind = keyof MemoryMessages;

/** A message that was read but not verified. */
export interface Sealed<Kind extends MemoryKind> {
  readonly content: MemoryMessages[Kind];
  /** Throws the code unless the message was sealed with the key. */
  readonly verify: (key: Uint8Array, otherwise: MlsErrorCode) => void;
}

/** Seals key packages, which everybody must be able to check. */
export const PUBLIC_KEY = new TextEncoder().encode('anybody');

const HEADER_BYTES = 4;
const SEAL_BYTES = 8;

/** Bytes to base64. */
export function to64(bytes: Uint8Array): Text64 {
  return Buffer.from(bytes).toString('base64');
}

/** Base64 to bytes. */
export function from64(text: Text64): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** Bytes after bytes. */
export function joined(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))));
}

/** A leaf to JSON. */
export function leafToJson({ credential, signatureKey }: LeafIdentity): LeafJson {
  return { credential: to64(credential), signatureKey: to64(signatureKey) };
}

/** A leaf from JSON. */
export function leafFromJson({ credential, signatureKey }: LeafJson): LeafIdentity {
  return { credential: from64(credential), signatureKey: from64(signatureKey) };
}

/**
 * Spreads any bytes over `length` bytes: the same for the same, different for different ones as far as a test can tell. It
 * stands where MLS has hashes, keys and ciphers, and protects nothing.
 */
export function spread(input: Uint8Array, length: number): Uint8Array {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (const byte of input) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte ^ (a >>> 13), 0x85ebca6b);
  }
  const output = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) {
    a = Math.imul(a ^ (a >>> 15) ^ index, 0x2c1b3c6d);
    b = Math.imul(b ^ (b >>> 13) ^ a, 0xc2b2ae35);
    output[index] = (a ^ b) >>> 24;
  }
  return output;
}

/** Hides bytes, or shows hidden ones again. */
export function masked(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  const mask = spread(key, bytes.length);
  return bytes.map((byte, index) => byte ^ (mask[index] ?? 0));
}

/** Writes a message. */
export function seal<Kind extends MemoryKind>(kind: Kind, content: MemoryMessages[Kind], key: Uint8Array): Uint8Array {
  const message = joined(Uint8Array.of(0, 1, 0, kind), JSON.stringify(content));
  return joined(message, spread(joined(key, message), SEAL_BYTES));
}

/**
 * Reads a message of a kind.
 *
 * @throws MlsError `mls-malformed`, `mls-wrong-type`
 */
export function unseal<Kind extends MemoryKind>(kind: Kind, bytes: Uint8Array): Sealed<Kind> {
  if (bytes[0] !== 0 || bytes[1] !== 1 || bytes[2] !== 0) throw mlsError('mls-malformed');
  if (bytes[3] !== kind) throw mlsError([1, 2, 3, 5].includes(bytes[3] ?? 0) ? 'mls-wrong-type' : 'mls-malformed');
  const message = bytes.subarray(0, -SEAL_BYTES);
  const content = parse(Buffer.from(message.subarray(HEADER_BYTES)).toString());
  if (content === undefined) throw mlsError('mls-malformed');
  return {
    // Nobody but this file writes such messages, and whoever changes one breaks the seal, which is looked at next.
    content: content as MemoryMessages[Kind],
    verify: (key, otherwise) => {
      const expected = spread(joined(key, message), SEAL_BYTES);
      if (!Buffer.from(expected).equals(bytes.subarray(-SEAL_BYTES))) throw mlsError(otherwise);
    },
  };
}

/** The suite of a message. */
export function knownSuite(suite: number): MlsSuite {
  if (suite === 1 || suite === 2) return suite;
  throw mlsError('mls-unsupported-suite');
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    // Not JSON is an expected answer.
    return undefined;
  }
}
