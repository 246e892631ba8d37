import type { Metadata } from '../wire/index.js';

/** How much memory a payload that waits may take, in bytes: with its metadata, which can be larger. */
export function payloadBytes(payload: Uint8Array, metadata: Metadata): number {
  let size = payload.length;
  // Mostly there is none, and this is done for each payload.
  for (const key in metadata) size += (key.length + (metadata[key]?.length ?? 0)) * 2;
  return size;
}
