import type { Metadata } from '../wire/index.js';

/** How much memory a payload that waits may take, in bytes: with its metadata, which can be larger. */
export function payloadBytes(payload: Uint8Array, metadata: Metadata): number {
  let size = payload.length;
  for (const [key, value] of Object.entries(metadata)) size += (key.length + value.length) * 2;
  return size;
}
