import xxhash from 'xxhash-wasm';

import { UsageError } from '../util/index.js';

/** The fourth component of a {@link Name}: tells the instances of one app apart. */
export type NameId = bigint;

/** The id that means "any instance" (upstream `NULL_COMPONENT`). */
export const NULL_ID: NameId = 0xffff_ffff_ffff_ffffn;

// The library is a few kilobytes of embedded WebAssembly: compiled once, when this module loads.
const hasher = await xxhash();

const encoder = new TextEncoder();
const HASH_CACHE_LIMIT = 4096;
const hashCache = new Map<string, bigint>();

/**
 * A SLIM name `org/ns/app` with an id. Immutable.
 *
 * Equality is by the four numbers only, as upstream (`encoder.rs` `PartialEq`): two names with equal strings and different
 * ids differ. Use {@link Name.key} as a map key.
 */
export class Name {
  /** The three strings as given; for people, never for matching. */
  readonly strings: readonly [string, string, string];
  /** The hashes of the three strings, as on the wire. */
  readonly hashes: readonly [bigint, bigint, bigint];
  /** The instance, or {@link NULL_ID}. */
  readonly id: NameId;
  /** Equal for names with equal hashes, whatever their id. */
  readonly prefixKey: string;
  /** Equal for equal names. */
  readonly key: string;

  private constructor(
    strings: readonly [string, string, string],
    hashes: readonly [bigint, bigint, bigint],
    id: NameId,
    prefixKey?: string,
  ) {
    this.strings = strings;
    this.hashes = hashes;
    this.id = id;
    this.prefixKey = prefixKey ?? hashes.map((hash) => hash.toString(36)).join('.');
    this.key = `${this.prefixKey}.${id.toString(36)}`;
  }

  /** A name from its strings; without an id it means any instance. */
  static of(org: string, namespace: string, app: string, id: NameId = NULL_ID): Name {
    return new Name([org, namespace, app], [hashComponent(org), hashComponent(namespace), hashComponent(app)], id);
  }

  /** A name as it came from the wire, where the hashes need not belong to the strings. */
  static fromWire(
    strings: readonly [string, string, string],
    hashes: readonly [bigint, bigint, bigint],
    id: NameId,
  ): Name {
    return new Name(strings, hashes, id);
  }

  /**
   * Parses `org/ns/app` or `org/ns/app/<id in hex>`.
   *
   * @throws UsageError `invalid-name`, with a text that shows the form
   */
  static parse(text: string): Name {
    const parts = text.split('/');
    const [org, namespace, app, id] = parts;
    if (!org || !namespace || !app || parts.length > 4 || !text.isWellFormed()) {
      throw new UsageError('invalid-name', `Name must be org/ns/app, got ${JSON.stringify(text)}.`);
    }
    if (id === undefined) return Name.of(org, namespace, app);
    if (!/^[0-9a-f]{1,16}$/i.test(id)) {
      throw new UsageError(
        'invalid-name',
        `The id of a name is 1 to 16 hexadecimal digits, got ${JSON.stringify(id)} in ${JSON.stringify(text)}.`,
      );
    }
    return Name.of(org, namespace, app, BigInt(`0x${id}`));
  }

  /** Whether it names one instance. */
  get hasId(): boolean {
    return this.id !== NULL_ID;
  }

  /** The app part, for people. */
  get app(): string {
    return this.strings[2];
  }

  /** The same name for another instance. */
  withId(id: NameId): Name {
    return id === this.id ? this : new Name(this.strings, this.hashes, id, this.prefixKey);
  }

  /** The same name for any instance. */
  withoutId(): Name {
    return this.withId(NULL_ID);
  }

  /** Whether all four numbers are equal. */
  equals(other: Name): boolean {
    return this === other || this.key === other.key;
  }

  /** `org/ns/app`, and `/<id in lower-case hex>` if it names one instance. */
  toString(): string {
    const prefix = this.strings.join('/');
    return this.hasId ? `${prefix}/${this.id.toString(16)}` : prefix;
  }

  /** As {@link Name.toString}. */
  toJSON(): string {
    return this.toString();
  }
}

/** Hash of one name component: XXH64 (seed 0) of its UTF-8 bytes and one byte 0xFF (`encoder.rs:calculate_hash`). */
export function hashComponent(text: string): bigint {
  const known = hashCache.get(text);
  if (known !== undefined) return known;
  const utf8 = encoder.encode(text);
  const input = new Uint8Array(utf8.length + 1);
  input.set(utf8);
  input[utf8.length] = 0xff;
  const hash = hasher.h64Raw(input);
  if (hashCache.size >= HASH_CACHE_LIMIT) hashCache.clear();
  hashCache.set(text, hash);
  return hash;
}
