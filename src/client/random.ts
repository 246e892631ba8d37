import { randomFillSync } from 'node:crypto';

// Drawn in blocks: a call to the system for each number would cost more than the number.
const block = new Uint32Array(256);
let used = block.length;

/** Uniform in 0 … 2^32-1, from the system's generator. */
export function randomU32(): number {
  if (used === block.length) {
    randomFillSync(block);
    used = 0;
  }
  const value = block[used] ?? 0;
  used += 1;
  return value;
}

/** Uniform in 0 … 2^64-1. */
export function randomU64(): bigint {
  return (BigInt(randomU32()) << 32n) | BigInt(randomU32());
}
