import { Buffer } from 'node:buffer';

import Long from 'long';
import type { Reader, Writer } from 'protobufjs/minimal.js';

/** The same bytes as a `Buffer`, without a copy: protobufjs reads strings faster from one. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Narrows the reader to the sub-message that begins at its position. {@link leave} undoes it.
 *
 * @returns the limit to hand to `leave`
 * @throws RangeError when the sub-message is longer than what it lies in
 */
export function enter(reader: Reader): number {
  const outerLimit = reader.len;
  const end = reader.size() + reader.pos;
  if (end > outerLimit) throw new RangeError('sub-message exceeds its parent');
  reader.len = end;
  return outerLimit;
}

/** Widens the reader again after a sub-message was read to its end. */
export function leave(reader: Reader, outerLimit: number): void {
  reader.len = outerLimit;
}

/** Skips the field whose tag was just read: unknown, or known with another wire type. */
export function skipField(reader: Reader, tag: number): void {
  reader.skipType(tag & 7, 0, tag >>> 3);
}

/**
 * Reads a string.
 *
 * @throws TypeError when it is not UTF-8
 */
export function readString(reader: Reader): string {
  const start = reader.pos;
  const text = reader.string();
  // A replacement character may have been sent as such, or stand for bad bytes. The strict reader is slower, so it decides
  // only then.
  if (!text.includes('\ufffd')) return text;
  reader.pos = start;
  return reader.stringVerify();
}

/** Writes a string field unless it is empty; lone surrogates, which UTF-8 cannot hold, become U+FFFD. */
export function writeString(writer: Writer, tag: number, value: string): void {
  if (value !== '') writer.uint32(tag).string(value.toWellFormed());
}

/** Reads a u64. */
export function readU64(reader: Reader): bigint {
  const { high, low } = reader.uint64();
  const lower = BigInt(low >>> 0);
  return high === 0 ? lower : (BigInt(high >>> 0) << 32n) | lower;
}

/**
 * Writes a u64 field, zero too.
 *
 * @throws RangeError when the value is not from 0 to 2^64-1
 */
export function writeU64(writer: Writer, tag: number, value: bigint): void {
  if (BigInt.asUintN(64, value) !== value) throw new RangeError('not an unsigned 64-bit integer');
  writer.uint32(tag).uint64(Long.fromBigInt(value, true));
}

/** Writes a u32 field unless it is zero. */
export function writeU32(writer: Writer, tag: number, value: number): void {
  if (value !== 0) writer.uint32(tag).uint32(value);
}

/** Reads bytes into memory of their own, so that they outlive the frame. */
export function readBytes(reader: Reader): Uint8Array {
  return copyBytes(reader.bytes());
}

/** A copy that shares no memory with its source. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
