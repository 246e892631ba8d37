import protobuf, { type Reader } from 'protobufjs/minimal.js';

import { Name } from '../name/index.js';
import { asBuffer, enter, leave, readString, readU64, skipField, writeString, writeU64 } from './fields.js';
import { delimited, LENGTH_DELIMITED, NAME, VARINT, varint } from './tags.js';

/** Bounds of the cache: names, and bytes of one name. Longer names are decoded each time. */
const CACHE_LIMIT = 4096;
const CACHED_LENGTH_LIMIT = 512;

// The same few names come in each message: one string look-up instead of four bigints and three strings.
const decoded = new Map<string, Name>();
const encoded = new WeakMap<Name, Uint8Array>();

/**
 * The name in the bytes of a `Name` message, or `undefined` when one of its two halves is missing. Equal bytes give the same
 * object as long as the cache has it.
 *
 * @throws RangeError, TypeError or Error when the bytes are not protobuf
 */
export function decodeName(bytes: Uint8Array): Name | undefined {
  if (bytes.length > CACHED_LENGTH_LIMIT) return parseName(bytes);
  const key = asBuffer(bytes).toString('latin1');
  const known = decoded.get(key);
  if (known !== undefined) return known;
  const name = parseName(bytes);
  if (name !== undefined) {
    if (decoded.size >= CACHE_LIMIT) decoded.clear();
    decoded.set(key, name);
  }
  return name;
}

function parseName(bytes: Uint8Array): Name | undefined {
  const reader = protobuf.Reader.create(asBuffer(bytes));
  const numbers: [bigint, bigint, bigint, bigint] = [0n, 0n, 0n, 0n];
  const strings: [string, string, string] = ['', '', ''];
  let hasNumbers = false;
  let hasStrings = false;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === NAME.numbers) {
      readComponents(reader, numbers, VARINT, readU64);
      hasNumbers = true;
    } else if (tag === NAME.strings) {
      readComponents(reader, strings, LENGTH_DELIMITED, readString);
      hasStrings = true;
    } else {
      skipField(reader, tag);
    }
  }
  if (!hasNumbers || !hasStrings) return undefined;
  return Name.fromWire(strings, [numbers[0], numbers[1], numbers[2]], numbers[3]);
}

/** Reads `EncodedName` or `StringName`: fields 1, 2 ... of one wire type, into the array. */
function readComponents<T>(reader: Reader, components: T[], wireType: number, read: (reader: Reader) => T): void {
  const limit = enter(reader);
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    const index = (tag >>> 3) - 1;
    if ((tag & 7) === wireType && index >= 0 && index < components.length) components[index] = read(reader);
    else skipField(reader, tag);
  }
  leave(reader, limit);
}

/**
 * The bytes of a `Name` message. Not to be written to: they are kept for the next time.
 *
 * @throws RangeError when a component of the name is not a u64
 */
export function encodeName(name: Name): Uint8Array {
  const known = encoded.get(name);
  if (known !== undefined) return known;
  const writer = protobuf.Writer.create();
  writer.uint32(NAME.numbers).fork();
  [...name.hashes, name.id].forEach((component, index) => {
    if (component !== 0n) writeU64(writer, varint(index + 1), component);
  });
  writer.ldelim().uint32(NAME.strings).fork();
  name.strings.forEach((component, index) => {
    writeString(writer, delimited(index + 1), component);
  });
  const bytes = writer.ldelim().finish();
  encoded.set(name, bytes);
  return bytes;
}
