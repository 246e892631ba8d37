import { describe, expect, test } from 'vitest';

import { Name } from '../../src/name/index.js';
import {
  type Content,
  type DecodedMessage,
  decodeMessage,
  encodeMessage,
  type PublishMessage,
} from '../../src/wire/index.js';
import {
  APP,
  decodeCommand,
  decodePublish,
  field,
  HEADER,
  header,
  join,
  NAME,
  NAME_BYTES,
  NUMBERS,
  SESSION,
  session,
  STRINGS,
  WHOLE,
} from './raw.js';

test('the parts make a whole', () => {
  expect(decodePublish(HEADER, SESSION, field(3, APP))).toEqual(WHOLE);
});

describe('tolerated', () => {
  test('any order of fields', () => {
    const reversedName = join(STRINGS, NUMBERS);
    const reversedHeader = field(
      1,
      join(field(4, 'tok'), field(3, 1n), field(2, reversedName), field(1, reversedName)),
    );
    const reversedSession = field(2, join(field(4, 8n), field(3, 7n), field(2, 1n), field(1, 2n)));
    const reversedApp = field(1, join(field(2, 'hello'), field(1, 'msg')));
    const metadata = field(4, join(field(2, 'v'), field(1, 'k')));
    expect(
      decodeMessage(join(metadata, field(3, join(field(3, reversedApp), reversedSession, reversedHeader)))),
    ).toEqual({ ...WHOLE, metadata: { k: 'v' } });
  });

  test('unknown fields of every wire type, at every level', () => {
    const unknown = join(
      field(100, 1n),
      field(101, 'text'),
      Buffer.from([0x31 | 0x80, 0x06, 1, 2, 3, 4, 5, 6, 7, 8]), // field 102, fixed64
      Buffer.from([0x3d | 0x80, 0x06, 1, 2, 3, 4]), // field 103, fixed32
      Buffer.from([0x43 | 0x80, 0x06, 0x08, 0x01, 0x44 | 0x80, 0x06]), // field 104, a group
    );
    const name = join(
      unknown,
      field(1, join(NUMBERS.subarray(2), unknown)),
      field(2, join(STRINGS.subarray(2), unknown)),
    );
    const content = field(3, join(unknown, field(1, join(field(1, 'msg'), unknown, field(2, 'hello')))));
    const publish = join(
      unknown,
      field(1, join(unknown, field(1, name), field(2, name), field(3, 1n), field(4, 'tok'))),
      field(2, join(unknown, SESSION.subarray(2))),
      content,
    );
    const metadata = field(4, join(field(1, 'k'), unknown, field(2, 'v')));
    expect(decodeMessage(join(unknown, field(3, publish), metadata, unknown))).toEqual({
      ...WHOLE,
      metadata: { k: 'v' },
    });
    const link = field(5, join(unknown, field(1, join(unknown, field(1, 'id'), field(2, '1.4.0')))));
    expect(decodeMessage(link)).toEqual({ kind: 'link', linkId: 'id', slimVersion: '1.4.0', isReply: false });
    expect(decodeMessage(field(6, join(field(1, 5n), unknown)))).toEqual({
      kind: 'subscriptionAck',
      subscriptionId: 5n,
      success: false,
      error: '',
    });
    expect(decodeMessage(field(1, join(unknown, HEADER)))).toEqual({ kind: 'subscribe', header, subscriptionId: 0n });
    expect(decodeCommand(join(unknown, field(10, join(unknown, field(1, NAME_BYTES)))))).toEqual({
      kind: 'groupClose',
      participants: [NAME],
    });
    expect(decodeCommand(field(12, field(100, 1n)))).toEqual({ kind: 'groupAck' });
  });

  test('a field that comes twice: the last one counts', () => {
    const other = field(1, join(field(1, NAME_BYTES), field(2, NAME_BYTES), field(4, 'old')));
    expect(decodePublish(other, HEADER, SESSION, SESSION, field(3, field(12, '')), field(3, APP))).toEqual(WHOLE);
    expect(decodeMessage(join(field(1, HEADER), field(6, ''), field(3, join(HEADER, SESSION, field(3, APP)))))).toEqual(
      WHOLE,
    );
    expect(
      decodeMessage(
        join(
          field(4, field(1, 'k')),
          field(4, join(field(1, 'k'), field(2, 'v'))),
          field(3, join(HEADER, SESSION, field(3, APP))),
        ),
      ),
    ).toEqual({
      ...WHOLE,
      metadata: { k: 'v' },
    });
    const two = join(field(13, ''), field(12, ''));
    expect(decodeCommand(two)).toEqual({ kind: 'groupAck' });
  });

  test('a u32 and an enum in ten bytes, as a sign-extended negative number', () => {
    const minusTwo = (1n << 64n) - 2n;
    const bytes = field(2, join(field(1, minusTwo), field(2, minusTwo), field(3, minusTwo)));
    expect(decodePublish(HEADER, bytes)).toMatchObject({
      session: { sessionType: -2, messageType: -2, sessionId: 0xffff_fffe, messageId: 0 },
    });
  });

  test('a replacement character and a byte order mark that were really sent', () => {
    const text = '\ufeffa\ufffdb';
    const bytes = field(1, join(field(1, NAME_BYTES), field(2, NAME_BYTES), field(4, text)));
    expect(decodePublish(bytes, SESSION)).toMatchObject({ header: { identity: text, fanout: 0 } });
  });

  test('metadata keys that mean something to JavaScript', () => {
    const bytes = join(
      field(4, join(field(1, '__proto__'), field(2, 'p'))),
      field(3, join(HEADER, SESSION)),
      field(4, join(field(1, 'constructor'), field(2, 'c'))),
    );
    const decoded = decodeMessage(bytes);
    if (decoded.kind !== 'publish') throw new Error(decoded.kind);
    expect(Object.entries(decoded.metadata)).toEqual([
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ]);
    expect(decoded.metadata['toString']).toBeUndefined();
    expect(Buffer.from(encodeMessage(decoded)).includes('__proto__')).toBe(true);
  });
});

describe('content unknown to us', () => {
  const unknown = { kind: 'unknown' };

  test.each([
    ['no msg', join(HEADER, SESSION)],
    ['an empty msg', join(HEADER, SESSION, field(3, ''))],
    ['a newer kind of content', join(HEADER, SESSION, field(3, field(3, 'new')))],
  ])('%s', (_, publish) => {
    expect(decodePublish(publish)).toEqual({ ...WHOLE, content: unknown });
  });

  test('a command of a newer peer', () => {
    expect(decodeCommand(field(15, ''))).toEqual(unknown);
  });

  test.each([
    ['groupAdd without the new participant', field(7, field(2, NAME_BYTES))],
    ['groupAdd with half a name', field(7, field(1, NUMBERS))],
    ['groupAdd with half a participant', field(7, join(field(1, NAME_BYTES), field(2, STRINGS)))],
    ['groupRemove without the removed participant', field(8, field(2, NAME_BYTES))],
    ['groupRemove with half a participant', field(8, join(field(1, NAME_BYTES), field(2, '')))],
    ['groupWelcome with half a participant', field(9, field(1, NUMBERS))],
    ['groupClose with half a participant', field(10, field(1, STRINGS))],
  ])('%s', (_, command) => {
    expect(decodeCommand(command)).toEqual(unknown);
  });
});

test.each([
  ['discoveryRequest', 1, {}],
  ['joinRequest', 3, { enableMls: false }],
  ['joinReply', 4, {}],
  ['leaveRequest', 5, {}],
  ['groupWelcome', 9, { participants: [] }],
  ['groupClose', 10, { participants: [] }],
  ['groupProposal', 11, { mlsProposal: new Uint8Array() }],
])('an empty %s is that command without its optional parts', (kind, number, rest) => {
  expect(decodeCommand(field(number, ''))).toStrictEqual({ kind, ...rest });
});

test('an optional name without one of its halves counts as missing', () => {
  expect(decodeCommand(field(1, field(1, NUMBERS)))).toStrictEqual({ kind: 'discoveryRequest' });
  expect(decodeCommand(field(3, join(field(1, 1n), field(3, STRINGS))))).toStrictEqual({
    kind: 'joinRequest',
    enableMls: true,
  });
});

describe('memory', () => {
  test('what was decoded does not change when the frame is overwritten', () => {
    const mls = { commitId: 1, content: new Uint8Array([1, 2, 3]) };
    const contents: Content[] = [
      { kind: 'app', payloadType: 'msg', blob: new Uint8Array([1, 2, 3]) },
      { kind: 'joinReply', keyPackage: new Uint8Array([1, 2, 3]) },
      { kind: 'groupWelcome', participants: [NAME], mls },
      { kind: 'groupProposal', source: NAME, mlsProposal: new Uint8Array([1, 2, 3]) },
    ];
    for (const content of contents) {
      const original: PublishMessage = { kind: 'publish', header, session, content, metadata: { k: 'v' } };
      const frame = Buffer.from(encodeMessage(original));
      const decoded = decodeMessage(frame);
      frame.fill(0xff);
      expect(decoded).toEqual(original);
    }
  });

  test('reads a view into a larger buffer, and a plain Uint8Array', () => {
    const frame = field(3, join(HEADER, SESSION, field(3, APP)));
    const around = new Uint8Array(frame.length + 20).fill(0xff);
    around.set(frame, 10);
    expect(decodeMessage(around.subarray(10, 10 + frame.length))).toEqual(WHOLE);
    expect(decodeMessage(Buffer.from(around.buffer, 10, frame.length))).toEqual(WHOLE);
  });

  test('equal names of different frames are one object', () => {
    const first = decodePublish(HEADER, SESSION);
    const second = decodePublish(HEADER, SESSION, field(3, APP));
    if (first.kind !== 'publish' || second.kind !== 'publish') throw new Error('not a publish');
    expect(second.header.source).toBe(first.header.source);
  });

  test('the cache of names is bounded', () => {
    const sourceOf = (message: DecodedMessage): Name => {
      if (message.kind !== 'publish') throw new Error(message.kind);
      return message.header.source;
    };
    const first = sourceOf(decodePublish(HEADER, SESSION));
    for (let id = 0n; id < 5000n; id += 1n) {
      const fresh = join(field(1, join(field(4, id))), STRINGS);
      decodeMessage(field(1, field(1, join(field(1, fresh), field(2, fresh)))));
    }
    const again = sourceOf(decodePublish(HEADER, SESSION));
    expect(again).toEqual(first);
    expect(again).not.toBe(first);
  });

  test('more names than the cache holds, and names too long for it, are read right', () => {
    const subscribeTo = (destination: Name): DecodedMessage =>
      decodeMessage(
        encodeMessage({
          kind: 'subscribe',
          header: { source: NAME, destination, fanout: 1, identity: '' },
          subscriptionId: 0n,
        }),
      );
    for (let id = 0n; id < 5000n; id += 1n) {
      expect(subscribeTo(NAME.withId(id))).toMatchObject({ header: { source: NAME, destination: { id } } });
    }
    const long = Name.of('o'.repeat(1000), 'ns', 'app', 5n);
    expect(subscribeTo(long)).toMatchObject({ header: { destination: long } });
  });
});
