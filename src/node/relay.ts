import { Buffer } from 'node:buffer';

import { ByteReader } from './byte-reader.js';
import { type RouteKey, wordKey, ZERO_WORD } from './route-key.js';
import { isDecodable } from './shape.js';

/** A Publish that may be forwarded, and where its parts lie in {@link PublishFrame.bytes}. */
export interface PublishFrame {
  readonly kind: 'publish';
  readonly bytes: Buffer;
  readonly destination: RouteKey;
  /** u32; 1 = one connection, anything else = all. */
  readonly fanout: number;
  /** Tag, content and end of `Message.publish`. */
  readonly publish: Part;
  /** Tag, content and end of `Publish.header`. */
  readonly header: Part;
  /** Start and end of each run of header bytes that is kept, in pairs. */
  readonly keptHeader: readonly number[];
  /** Before which of the runs `incoming_conn` goes; equal to their number when it goes last. */
  readonly incomingBefore: number;
}

/** One length-delimited field inside a message, as positions. */
export interface Part {
  /** Of the tag. */
  readonly tag: number;
  /** Of the first content byte. */
  readonly start: number;
  /** After the last content byte. */
  readonly end: number;
}

/** What the node needs to know of an arrived message. `other` are the rare kinds, for the codec of `wire/`. */
export type FrameReading =
  | PublishFrame
  | { readonly kind: 'other' }
  | {
      readonly kind: 'malformed';
      readonly problem: 'undecodable' | 'unknown-type' | 'incomplete' | 'ambiguous';
    };

const undecodable: FrameReading = { kind: 'malformed', problem: 'undecodable' };
const unknownType: FrameReading = { kind: 'malformed', problem: 'unknown-type' };
const incomplete: FrameReading = { kind: 'malformed', problem: 'incomplete' };
const ambiguous: FrameReading = { kind: 'malformed', problem: 'ambiguous' };
const other: FrameReading = { kind: 'other' };

// Field numbers.
const PUBLISH = 3;
const METADATA = 4;
const LAST_MESSAGE_TYPE = 6;
const RECV_FROM = 5;
const INCOMING_CONN = 7;

const LENGTH_DELIMITED = 2;
const INCOMING_CONN_TAG = (INCOMING_CONN << 3) | 0;
const PUBLISH_TAG = (PUBLISH << 3) | LENGTH_DELIMITED;
const HEADER_TAG = (1 << 3) | LENGTH_DELIMITED;

/**
 * Reads as much of an encoded `Message` as routing needs. Never throws.
 *
 * Checks what upstream checks (`utils.rs:validate`) and that the names are complete, which upstream does not check and dies of
 * (`encoder.rs:From<&ProtoName>`).
 * Differs from upstream: protobuf lets a message part appear twice and merges the copies. No encoder does that, and parts of
 * which two exist are refused here.
 */
export function readFrame(bytes: Buffer): FrameReading {
  if (!isDecodable(bytes)) return undecodable;
  // From here on every tag and length is known to fit.
  const reader = new ByteReader(bytes);
  let type = 0;
  let publish: Part | undefined;
  while (reader.at < reader.end) {
    const tag = reader.at;
    const field = reader.small();
    const number = field >>> 3;
    if (number === METADATA || number > LAST_MESSAGE_TYPE) {
      reader.skip(field & 7);
      continue;
    }
    if (type !== 0) return ambiguous;
    type = number;
    publish = partAt(reader, tag);
  }
  if (publish === undefined) return unknownType;
  return type === PUBLISH ? readPublish(bytes, publish) : other;
}

function readPublish(bytes: Buffer, publish: Part): FrameReading {
  const reader = new ByteReader(bytes, publish.start, publish.end);
  let header: Part | undefined;
  let hasSession = false;
  while (reader.at < reader.end) {
    const tag = reader.at;
    const field = reader.small();
    if (field === HEADER_TAG) {
      if (header !== undefined) return ambiguous;
      header = partAt(reader, tag);
    } else {
      hasSession ||= field >>> 3 === 2;
      reader.skip(field & 7);
    }
  }
  if (header === undefined || !hasSession) return incomplete;
  return readHeader(bytes, publish, header);
}

function readHeader(bytes: Buffer, publish: Part, header: Part): FrameReading {
  const reader = new ByteReader(bytes, header.start, header.end);
  const keptHeader: number[] = [];
  let incomingBefore = -1;
  let source: Part | undefined;
  let destination: Part | undefined;
  let fanout = 0;
  while (reader.at < reader.end) {
    const tag = reader.at;
    const field = reader.small();
    const number = field >>> 3;
    if (number === 1) {
      if (source !== undefined) return ambiguous;
      source = partAt(reader, tag);
    } else if (number === 2) {
      if (destination !== undefined) return ambiguous;
      destination = partAt(reader, tag);
    } else if (number === 3) {
      reader.word();
      fanout = reader.low;
    } else {
      reader.skip(field & 7);
    }
    if (number >= RECV_FROM && number <= INCOMING_CONN) continue;
    const startsTail = number > INCOMING_CONN && incomingBefore < 0;
    if (startsTail) incomingBefore = keptHeader.length / 2;
    if (!startsTail && keptHeader.at(-1) === tag) keptHeader[keptHeader.length - 1] = reader.at;
    else keptHeader.push(tag, reader.at);
  }
  if (source === undefined || destination === undefined) return incomplete;
  const encodedName = encodedNameOf(bytes, destination);
  if (encodedName === undefined || encodedNameOf(bytes, source) === undefined) return incomplete;
  if (incomingBefore < 0) incomingBefore = keptHeader.length / 2;
  return {
    kind: 'publish',
    bytes,
    destination: readKey(bytes, encodedName),
    fanout,
    publish,
    header,
    keptHeader,
    incomingBefore,
  };
}

/** The numbers of a complete name. */
function encodedNameOf(bytes: Buffer, name: Part): Part | undefined {
  const reader = new ByteReader(bytes, name.start, name.end);
  let encoded: Part | undefined;
  let hasStrings = false;
  while (reader.at < reader.end) {
    const tag = reader.at;
    const field = reader.small();
    if (field >>> 3 === 1) {
      if (encoded !== undefined) return undefined;
      encoded = partAt(reader, tag);
    } else {
      hasStrings ||= field >>> 3 === 2;
      reader.skip(field & 7);
    }
  }
  return hasStrings ? encoded : undefined;
}

function readKey(bytes: Buffer, encodedName: Part): RouteKey {
  const reader = new ByteReader(bytes, encodedName.start, encodedName.end);
  let org = ZERO_WORD;
  let namespace = ZERO_WORD;
  let app = ZERO_WORD;
  let id = ZERO_WORD;
  while (reader.at < reader.end) {
    const field = reader.small();
    const number = field >>> 3;
    if (number > 4) {
      reader.skip(field & 7);
      continue;
    }
    reader.word();
    const word = wordKey(reader.low, reader.high);
    if (number === 1) org = word;
    else if (number === 2) namespace = word;
    else if (number === 3) app = word;
    else id = word;
  }
  return { prefix: org + namespace + app, id };
}

function partAt(reader: ByteReader, tag: number): Part {
  const length = reader.small();
  const start = reader.at;
  reader.at += length;
  return { tag, start, end: reader.at };
}

/**
 * The bytes to forward: the same message with `incoming_conn` set and without `recv_from` and `forward_to`, everything else as
 * it came (`mp.rs:handle_new_message`, `send_msg`). Make it once, send it to all.
 *
 * @param incoming - index of the connection the message came in on
 * @param headroom - bytes to leave free in front, for the framing
 */
export function forwardedBytes(frame: PublishFrame, incoming: number, headroom: number): Buffer {
  const { bytes, publish, header, keptHeader } = frame;
  let headerLength = 1 + varintLength(incoming);
  for (let i = 0; i < keptHeader.length; i += 2) headerLength += (keptHeader[i + 1] ?? 0) - (keptHeader[i] ?? 0);
  const headerSize = 1 + varintLength(headerLength) + headerLength;
  const publishLength = publish.end - publish.start - (header.end - header.tag) + headerSize;
  const publishSize = 1 + varintLength(publishLength) + publishLength;
  const out = Buffer.allocUnsafe(headroom + bytes.length - (publish.end - publish.tag) + publishSize);

  let at = headroom + bytes.copy(out, headroom, 0, publish.tag);
  out[at++] = PUBLISH_TAG;
  at = putVarint(out, at, publishLength);
  at += bytes.copy(out, at, publish.start, header.tag);
  out[at++] = HEADER_TAG;
  at = putVarint(out, at, headerLength);
  for (let i = 0; i <= keptHeader.length; i += 2) {
    if (i === frame.incomingBefore * 2) {
      out[at++] = INCOMING_CONN_TAG;
      at = putVarint(out, at, incoming);
    }
    if (i < keptHeader.length) at += bytes.copy(out, at, keptHeader[i], keptHeader[i + 1]);
  }
  at += bytes.copy(out, at, header.end, publish.end);
  bytes.copy(out, at, publish.end);
  return out;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) length++;
  return length;
}

function putVarint(out: Buffer, at: number, value: number): number {
  let position = at;
  let rest = value;
  while (rest > 0x7f) {
    out[position++] = (rest & 0x7f) | 0x80;
    rest = Math.floor(rest / 128);
  }
  out[position++] = rest;
  return position;
}
