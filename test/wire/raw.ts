import { Name } from '../../src/name/index.js';
import { type DecodedMessage, decodeMessage } from '../../src/wire/index.js';

/** A varint. */
function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

/** A field: number, and a varint or the bytes of a string or sub-message. */
export function field(number: number, value: bigint | string | Uint8Array): Buffer {
  if (typeof value === 'bigint') return Buffer.concat([varint(BigInt(number) << 3n), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint((BigInt(number) << 3n) | 2n), varint(BigInt(bytes.length)), bytes]);
}

export function join(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

export const NUMBERS = field(1, join(field(1, 11n), field(2, 12n), field(3, 13n), field(4, 14n)));
export const STRINGS = field(2, join(field(1, 'org'), field(2, 'ns'), field(3, 'app')));
export const NAME_BYTES = join(NUMBERS, STRINGS);
export const NAME = Name.fromWire(['org', 'ns', 'app'], [11n, 12n, 13n], 14n);

export const HEADER = field(1, join(field(1, NAME_BYTES), field(2, NAME_BYTES), field(3, 1n), field(4, 'tok')));
export const SESSION = field(2, join(field(1, 2n), field(2, 1n), field(3, 7n), field(4, 8n)));
export const APP = field(1, join(field(1, 'msg'), field(2, 'hello')));

export const header = { source: NAME, destination: NAME, fanout: 1, identity: 'tok' };
export const session = { sessionType: 2, messageType: 1, sessionId: 7, messageId: 8 };
const app = { kind: 'app', payloadType: 'msg', blob: new Uint8Array(Buffer.from('hello')) };
export const WHOLE = { kind: 'publish', header, session, content: app, metadata: {} };

export function decodePublish(...parts: readonly Uint8Array[]): DecodedMessage {
  return decodeMessage(field(3, join(...parts)));
}

/** The content of a Publish whose command payload has these bytes. */
export function decodeCommand(command: Uint8Array): unknown {
  const decoded = decodePublish(HEADER, SESSION, field(3, field(2, command)));
  return decoded.kind === 'publish' ? decoded.content : decoded;
}
