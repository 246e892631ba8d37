import { RESERVED_METADATA } from '../protocol/index.js';
import { MAX_FRAME_BYTES } from '../transport/index.js';
import { UsageError } from '../util/index.js';
import type { Metadata } from '../wire/index.js';

/** Room for names, token and framing around a payload. */
const FRAME_OVERHEAD_BYTES = 8 * 1024;

/** Largest payload with its metadata, in bytes. */
export const MAX_PAYLOAD_BYTES = MAX_FRAME_BYTES - FRAME_OVERHEAD_BYTES;

/**
 * Refuses keys that mean something to SLIM, and what no frame can carry.
 *
 * @internal
 * @returns how many bytes the metadata may take
 * @throws UsageError `invalid-payload`
 */
export function checkMetadata(metadata: Metadata): number {
  let size = 0;
  for (const [key, value] of Object.entries(metadata)) {
    if (Object.values<string>(RESERVED_METADATA).includes(key)) {
      throw new UsageError('invalid-payload', `metadata key ${key} is reserved by SLIM`);
    }
    size += (key.length + value.length) * 3 + 16;
  }
  checkSize(size);
  return size;
}

/**
 * Refuses what no frame can carry.
 *
 * @param size - bytes of payload and metadata
 * @throws UsageError `invalid-payload`
 * @internal
 */
export function checkSize(size: number): void {
  if (size > MAX_PAYLOAD_BYTES) {
    throw new UsageError(
      'invalid-payload',
      `a message may have ${MAX_PAYLOAD_BYTES} bytes with its metadata, this one has ${size}`,
    );
  }
}
