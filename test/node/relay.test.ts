import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { forwardedBytes, readFrame } from '../../src/node/relay.js';
import { routeKey } from '../../src/node/route-key.js';
import { decodeMessage, encodeMessage, type PublishMessage } from '../../src/wire/index.js';
import { contents, message, publish } from '../wire/arbitraries.js';
import { field, HEADER, join, NAME, NAME_BYTES, NUMBERS, SESSION, STRINGS } from '../wire/raw.js';

const publishes = publish(fc.oneof(...Object.values(contents)));

function forward(bytes: Uint8Array, incoming: number): Buffer {
  const reading = readFrame(Buffer.from(bytes));
  if (reading.kind !== 'publish') throw new Error(JSON.stringify(reading));
  return forwardedBytes(reading, incoming, 0);
}

/** The message that a receiver should see. */
function relayed(original: PublishMessage, incoming: number): PublishMessage {
  const { recvFrom: _recvFrom, forwardTo: _forwardTo, ...header } = original.header;
  return { ...original, header: { ...header, incomingConn: BigInt(incoming) } };
}

function problemOf(bytes: Uint8Array): string {
  const reading = readFrame(Buffer.from(bytes));
  return reading.kind === 'malformed' ? reading.problem : reading.kind;
}

const source = field(1, NAME_BYTES);
const destination = field(2, NAME_BYTES);

describe('reading', () => {
  test('finds destination and fanout of any publish', () => {
    fc.assert(
      fc.property(publishes, (original) => {
        const reading = readFrame(Buffer.from(encodeMessage(original)));
        expect(reading).toMatchObject({
          kind: 'publish',
          destination: routeKey(original.header.destination),
          fanout: original.header.fanout,
        });
      }),
    );
  });

  test('leaves all other kinds to the codec', () => {
    fc.assert(
      fc.property(message, (original) => {
        const reading = readFrame(Buffer.from(encodeMessage(original)));
        expect(reading.kind).toBe(original.kind === 'publish' ? 'publish' : 'other');
      }),
    );
  });

  test('absent numbers of a name are zeros', () => {
    const names = join(field(1, NAME_BYTES), field(2, join(field(1, ''), STRINGS)));
    const reading = readFrame(field(3, join(field(1, names), SESSION)));
    expect(reading).toMatchObject({ kind: 'publish', destination: { prefix: '\0'.repeat(12), id: '\0'.repeat(4) } });
  });

  test.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'unknown-type'],
    ['metadata only', field(4, join(field(1, 'k'), field(2, 'v'))), 'unknown-type'],
    ['an unknown field only', field(9, 'x'), 'unknown-type'],
    ['two message types', join(field(3, join(HEADER, SESSION)), field(5, '')), 'ambiguous'],
    ['two publishes', join(field(3, HEADER), field(3, SESSION)), 'ambiguous'],
    ['two headers', field(3, join(HEADER, HEADER, SESSION)), 'ambiguous'],
    ['two sources', field(3, join(field(1, join(source, source, destination)), SESSION)), 'ambiguous'],
    ['two destinations', field(3, join(field(1, join(source, destination, destination)), SESSION)), 'ambiguous'],
    ['no header', field(3, SESSION), 'incomplete'],
    ['no session', field(3, HEADER), 'incomplete'],
    ['no source', field(3, join(field(1, destination), SESSION)), 'incomplete'],
    ['no destination', field(3, join(field(1, source), SESSION)), 'incomplete'],
    ['a source without strings', field(3, join(field(1, join(field(1, NUMBERS), destination)), SESSION)), 'incomplete'],
    ['a source without numbers', field(3, join(field(1, join(field(1, STRINGS), destination)), SESSION)), 'incomplete'],
    ['a destination without strings', field(3, join(field(1, join(source, field(2, NUMBERS))), SESSION)), 'incomplete'],
    ['a destination without numbers', field(3, join(field(1, join(source, field(2, STRINGS))), SESSION)), 'incomplete'],
    ['numbers twice', field(3, join(field(1, join(source, field(2, join(NUMBERS, NUMBERS)))), SESSION)), 'incomplete'],
    ['a publish that is a number', field(3, 1n), 'undecodable'],
    ['half a tag', Buffer.from('80', 'hex'), 'undecodable'],
    ['field number 0', Buffer.from('0200', 'hex'), 'undecodable'],
    ['a length beyond the end', Buffer.from('1a05', 'hex'), 'undecodable'],
    ['a length of 4 GiB', Buffer.from('1affffffff0f', 'hex'), 'undecodable'],
    ['a group', Buffer.from('4b4c', 'hex'), 'undecodable'],
    ['an unknown fixed64 that is cut', Buffer.from('790102', 'hex'), 'undecodable'],
    ['an unknown fixed32 that is cut', Buffer.from('7d0102', 'hex'), 'undecodable'],
    ['an unknown varint of eleven bytes', Buffer.from('78ffffffffffffffffffff01', 'hex'), 'undecodable'],
    ['an unknown varint of 65 bits', Buffer.from('78ffffffffffffffffff02', 'hex'), 'undecodable'],
  ])('%s', (_, bytes, problem) => {
    expect(problemOf(bytes)).toBe(problem);
  });

  test.each<[string, Buffer]>([
    ['the identity', field(3, join(field(1, join(source, destination, field(4, Buffer.from([0xff])))), SESSION))],
    [
      'a name',
      field(3, join(field(1, join(source, field(2, join(NUMBERS, field(2, field(1, Buffer.from([0xc0]))))))), SESSION)),
    ],
    ['the payload type', field(3, join(HEADER, SESSION, field(3, field(1, field(1, Buffer.from([0xe2, 0x82]))))))],
    ['the metadata', join(field(3, join(HEADER, SESSION)), field(4, field(1, Buffer.from([0x80]))))],
  ])('text that is not UTF-8 in %s would end the streams of receivers, and goes nowhere', (_, bytes) => {
    expect(problemOf(bytes)).toBe('undecodable');
  });

  test('a payload may be any bytes, and so may an unknown field', () => {
    const any = Buffer.from([0xff, 0xfe, 0x00]);
    const bytes = join(
      field(3, join(HEADER, SESSION, field(3, field(1, field(2, any))), field(9, any))),
      field(99, any),
    );
    expect(problemOf(bytes)).toBe('publish');
  });

  test('never throws on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => readFrame(Buffer.from(bytes))).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });

  test('never throws on messages with a flipped byte or a missing end, and what it still forwards is decodable', () => {
    const damaged = fc
      .tuple(publishes, fc.nat(), fc.nat({ max: 255 }), fc.option(fc.nat()))
      .map(([original, at, flip, cut]) => {
        const bytes = Buffer.from(encodeMessage(original));
        const position = at % bytes.length;
        bytes[position] = (bytes[position] ?? 0) ^ flip;
        return cut === null ? bytes : bytes.subarray(0, cut % bytes.length);
      });
    fc.assert(
      fc.property(damaged, (bytes) => {
        const reading = readFrame(bytes);
        if (reading.kind !== 'publish') return;
        expect(decodeMessage(forwardedBytes(reading, 5, 0)).kind).toBe('publish');
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('forwarding', () => {
  test('changes incoming_conn, drops recv_from and forward_to, and nothing else', () => {
    fc.assert(
      fc.property(publishes, fc.nat(), (original, incoming) => {
        const bytes = encodeMessage(original);
        const before = decodeMessage(bytes);
        if (before.kind !== 'publish') throw new Error(before.kind);
        expect(decodeMessage(forward(bytes, incoming))).toEqual(relayed(before, incoming));
      }),
    );
  });

  test('writes fields in the order of upstream, so equal messages are equal bytes', () => {
    const header = { source: NAME, destination: NAME, fanout: 256, identity: 'tok', error: true };
    const original: PublishMessage = {
      kind: 'publish',
      header,
      session: { sessionType: 2, messageType: 4, sessionId: 1, messageId: 2 },
      content: { kind: 'app', payloadType: '', blob: new Uint8Array() },
      metadata: { k: 'v' },
    };
    for (const incoming of [0, 1, 127, 128, 16_384, 2 ** 31]) {
      const bytes = forward(
        encodeMessage({ ...original, header: { ...header, recvFrom: 3n, incomingConn: 77n } }),
        incoming,
      );
      expect(bytes).toEqual(Buffer.from(encodeMessage(relayed(original, incoming))));
    }
  });

  test('keeps unknown fields at every level, in whatever order fields come', () => {
    const unknown = field(50, 'kept');
    const header = join(
      unknown,
      field(8, 1n),
      field(6, 9n),
      destination,
      field(7, 3n),
      source,
      field(5, 1n),
      field(3, 256n),
    );
    const content = field(3, join(field(1, field(2, 'hello')), unknown));
    const bytes = join(
      unknown,
      field(4, field(1, 'k')),
      field(3, join(content, SESSION, field(1, header), unknown)),
      unknown,
    );
    // An unknown field above 7 comes first here, and incoming_conn is put in front of it.
    const sorted = join(field(7, 300n), unknown, field(8, 1n), destination, source, field(3, 256n));
    expect(forward(bytes, 300)).toEqual(
      join(unknown, field(4, field(1, 'k')), field(3, join(content, SESSION, field(1, sorted), unknown)), unknown),
    );
  });

  test('leaves headroom', () => {
    const reading = readFrame(field(3, join(HEADER, SESSION)));
    if (reading.kind !== 'publish') throw new Error(reading.kind);
    expect(forwardedBytes(reading, 3, 5).subarray(5)).toEqual(forwardedBytes(reading, 3, 0));
  });

  test('everything that released peers have been recorded to publish is read and forwarded', () => {
    const frames = gunzipSync(readFileSync(new URL('../fixtures/frames.txt.gz', import.meta.url)))
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, , kind]) => kind?.startsWith('publish/'));
    expect(frames.length).toBeGreaterThan(100);
    for (const [, , , hex = ''] of frames) {
      const bytes = Buffer.from(hex, 'hex');
      const before = decodeMessage(bytes);
      if (before.kind !== 'publish') throw new Error(before.kind);
      expect(decodeMessage(forward(bytes, 12))).toEqual(relayed(before, 12));
    }
  });
});
