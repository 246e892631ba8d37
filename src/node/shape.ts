import { isUtf8 } from 'node:buffer';

import { ByteReader } from './byte-reader.js';

/** What the value of a known field must be: a varint, UTF-8 text, anything, or another message. */
type FieldShape = 'varint' | 'text' | 'bytes' | MessageShape;

/** The known fields of a message by field number; a field without an entry may hold anything. */
type MessageShape = readonly (FieldShape | undefined)[];

// Index 0 is never a field number. Schema: data-plane.md 2.1 (0.7.0 ... 1.4.0).
const empty: MessageShape = [];
const encodedName: MessageShape = [undefined, 'varint', 'varint', 'varint', 'varint'];
const stringName: MessageShape = [undefined, 'text', 'text', 'text'];
const name: MessageShape = [undefined, encodedName, stringName];
const header: MessageShape = [undefined, name, name, 'varint', 'text', 'varint', 'varint', 'varint', 'varint'];
const sessionHeader: MessageShape = [undefined, 'varint', 'varint', 'varint', 'varint'];
const timerSettings: MessageShape = [undefined, 'varint', 'varint'];
const mls: MessageShape = [undefined, 'varint', 'bytes'];
const names: MessageShape = [undefined, name];
const groupChange: MessageShape = [undefined, name, name, mls];
const command: MessageShape = [
  undefined,
  names, // discovery_request
  empty,
  [undefined, 'varint', timerSettings, name], // join_request
  [undefined, 'bytes'], // join_reply
  names, // leave_request
  empty,
  groupChange, // group_add
  groupChange, // group_remove
  [undefined, name, mls], // group_welcome
  names, // group_close
  [undefined, name, 'bytes'], // group_proposal
  empty,
  empty,
  empty,
];
const application: MessageShape = [undefined, 'text', 'bytes'];
const subscription: MessageShape = [undefined, header, 'varint'];
const publish: MessageShape = [undefined, header, sessionHeader, [undefined, application, command]];
const link: MessageShape = [undefined, [undefined, 'text', 'text', 'varint']];
const subscriptionAck: MessageShape = [undefined, 'varint', 'varint', 'text'];
const metadata: MessageShape = [undefined, 'text', 'text'];
const message: MessageShape = [undefined, subscription, subscription, publish, metadata, link, subscriptionAck];

/**
 * Whether a reader of the generation-1 schema can decode these bytes as a `Message`. Never throws.
 *
 * A node forwards contents it has no use for itself. Receivers end their whole stream over one undecodable message
 * (data-plane.md 2.3), so a node that lets one pass cuts off members who did nothing wrong.
 */
export function isDecodable(bytes: Uint8Array): boolean {
  const reader = new ByteReader(bytes);
  check(reader, bytes, message);
  return !reader.failed;
}

function check(reader: ByteReader, bytes: Uint8Array, shape: MessageShape): void {
  while (reader.at < reader.end && !reader.failed) {
    const tag = reader.small();
    const wireType = tag & 7;
    const expected = shape[tag >>> 3];
    if (tag < 8) {
      reader.failed = true;
    } else if (expected === undefined) {
      reader.skip(wireType);
    } else if (wireType !== (expected === 'varint' ? 0 : 2)) {
      reader.failed = true;
    } else if (expected === 'text') {
      const length = reader.small();
      const start = reader.at;
      reader.at += length;
      if (reader.at > reader.end || !isText(bytes, start, reader.at)) reader.failed = true;
    } else if (typeof expected === 'string') {
      reader.skip(wireType);
    } else {
      const length = reader.small();
      const outerEnd = reader.end;
      const innerEnd = reader.at + length;
      if (innerEnd > outerEnd) {
        reader.failed = true;
      } else {
        reader.end = innerEnd;
        check(reader, bytes, expected);
        reader.end = outerEnd;
      }
    }
  }
}

function isText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    // Names and tokens are ASCII nearly always, and for short texts this loop is cheaper than the native check.
    if ((bytes[at] ?? 0) > 0x7f) return isUtf8(bytes.subarray(at, end));
  }
  return true;
}
