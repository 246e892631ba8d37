import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decodeMessage, encodeMessage } from '../../src/wire/index.js';
import { message } from './arbitraries.js';
import { field, HEADER, join, NAME_BYTES, NUMBERS, SESSION, STRINGS } from './raw.js';

describe('malformed', () => {
  const half = (name: Uint8Array) => join(field(1, join(field(1, NAME_BYTES), field(2, name))), SESSION);

  test.each([
    ['no bytes', Buffer.alloc(0), 'unknown-type', 'message type'],
    ['a newer type of message', field(7, 'new'), 'unknown-type', 'message type'],
    ['metadata alone', field(4, field(1, 'k')), 'unknown-type', 'message type'],
    ['a newer type of link', field(5, field(2, 'new')), 'unknown-type', 'link type'],
    ['Publish without header', field(3, SESSION), 'incomplete', 'header'],
    ['Publish without source', field(3, join(field(1, field(2, NAME_BYTES)), SESSION)), 'incomplete', 'source'],
    [
      'Publish without destination',
      field(3, join(field(1, field(1, NAME_BYTES)), SESSION)),
      'incomplete',
      'destination',
    ],
    ['Publish to a name without str_name', field(3, half(NUMBERS)), 'incomplete', 'destination'],
    ['Publish to a name without name', field(3, half(STRINGS)), 'incomplete', 'destination'],
    ['Publish without session', field(3, HEADER), 'incomplete', 'session'],
    ['Subscribe without header', field(1, ''), 'incomplete', 'header'],
    ['Unsubscribe without destination', field(2, field(1, field(1, NAME_BYTES))), 'incomplete', 'destination'],
    ['a header of the wrong wire type', field(3, join(field(1, 5n), SESSION)), 'incomplete', 'header'],
  ])('%s', (_, bytes, problem, detail) => {
    expect(decodeMessage(bytes)).toEqual({ kind: 'malformed', problem, detail });
  });

  const deepGroup = Buffer.concat([Buffer.alloc(50_000, 0x53), Buffer.alloc(50_000, 0x54)]);
  const tooLongVarint = join(Buffer.from([0x08]), Buffer.alloc(11, 0xff));
  test.each([
    ['text', Buffer.from('GET / HTTP/1.1\r\n')],
    ['a truncated frame', field(3, join(HEADER, SESSION)).subarray(0, -1)],
    ['a sub-message that ends behind its parent', Buffer.from([0x1a, 0x02, 0x0a, 0x02, 0x18, 0x01])],
    ['a sub-message that ends behind the frame', field(3, Buffer.from([0x0a, 0x05, 0x08]))],
    ['a value that crosses the end of its message', field(6, Buffer.from([0x08]))],
    ['a varint of eleven bytes', field(6, tooLongVarint)],
    ['field number 0', Buffer.from([0x00, 0x00])],
    ['wire type 7', Buffer.from([0x0f])],
    ['the end of a group that never began', Buffer.from([0x0c])],
    ['groups in groups without end', deepGroup],
    [
      'an identity that is not UTF-8',
      field(3, join(field(1, join(field(4, Buffer.from([0xc3, 0x28])), HEADER)), SESSION)),
    ],
    ['a surrogate in UTF-8', field(6, field(3, Buffer.from([0xed, 0xa0, 0x80])))],
    ['a name that is not protobuf', field(1, field(1, field(1, Buffer.from([0x0a, 0x7f]))))],
    ['a command that is not protobuf', field(3, join(HEADER, SESSION, field(3, field(2, Buffer.from([0x3a, 0x7f])))))],
    [
      'a participant that is not protobuf',
      field(3, join(HEADER, SESSION, field(3, field(2, field(10, field(1, Buffer.from([0x0a, 0x7f]))))))),
    ],
  ])('%s', (_, bytes) => {
    expect(decodeMessage(bytes)).toEqual({ kind: 'malformed', problem: 'undecodable', detail: 'protobuf' });
  });
});

describe('never throws', () => {
  const DETAILS = ['protobuf', 'message type', 'link type', 'header', 'source', 'destination', 'session'];
  const frames = gunzipSync(readFileSync(new URL('../fixtures/frames.txt.gz', import.meta.url)))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => Buffer.from(line.slice(line.lastIndexOf(' ') + 1), 'hex'));

  /** Decodes; what comes back must be fixed words, or a message that can be encoded and means the same then. */
  function check(bytes: Uint8Array): void {
    const decoded = decodeMessage(bytes);
    if (decoded.kind === 'malformed') expect(DETAILS).toContain(decoded.detail);
    else expect(decodeMessage(encodeMessage(decoded))).toEqual(decoded);
  }

  test('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), check), { numRuns: 2000 });
  });

  test('recorded frames with bytes changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...frames), changes, (frame, edits) => {
        const bytes = Buffer.from(frame);
        for (const [position, value] of edits) bytes[position % bytes.length] = value;
        check(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  test('recorded frames cut off, or with another one spliced in', () => {
    const frame = fc.constantFrom(...frames);
    fc.assert(
      fc.property(frame, frame, fc.nat(), fc.nat(), (first, second, end, start) => {
        check(first.subarray(0, end % first.length));
        check(join(first.subarray(0, end % first.length), second.subarray(start % second.length)));
      }),
      { numRuns: 2000 },
    );
  });

  test('our own messages in every truncation', () => {
    fc.assert(
      fc.property(message, (original) => {
        const bytes = encodeMessage(original);
        for (let end = 0; end < bytes.length; end += 1) check(bytes.subarray(0, end));
      }),
      { numRuns: 20 },
    );
  });
});
