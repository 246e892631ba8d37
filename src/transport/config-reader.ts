import { ConfigError, parseDuration, printable } from '../util/index.js';

/**
 * Reads one JSON object field by field and complains about the fields that nobody asked for. `null` counts as absent, as it
 * does for most fields upstream.
 *
 * @internal
 */
export class ConfigReader {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #known = new Set<string>();

  /**
   * @param value - the parsed JSON
   * @param path - where it is, for messages; empty for the document itself
   * @throws ConfigError `bad-config` when it is not an object
   */
  constructor(value: unknown, path = '') {
    if (!isObject(value)) throw badConfig(path || 'the document', 'must be an object');
    this.#fields = value;
    this.#path = path;
  }

  /** Full path of a field. */
  path(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`;
  }

  /** The raw value, `undefined` when absent. */
  raw(key: string): unknown {
    this.#known.add(key);
    return Object.hasOwn(this.#fields, key) ? (this.#fields[key] ?? undefined) : undefined;
  }

  /** A string that is not empty. */
  string(key: string): string | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw badConfig(this.path(key), 'must be a string');
    if (value === '') throw badConfig(this.path(key), 'must not be empty');
    return value;
  }

  /** Like {@link ConfigReader.string}, and it must be there. */
  requiredString(key: string): string {
    const value = this.string(key);
    if (value === undefined) throw badConfig(this.path(key), 'is missing');
    return value;
  }

  /** `true` or `false`. */
  boolean(key: string, fallback: boolean): boolean {
    const value = this.raw(key);
    if (value === undefined) return fallback;
    if (typeof value !== 'boolean') throw badConfig(this.path(key), 'must be true or false');
    return value;
  }

  /** A whole number that is not negative. */
  count(key: string): number | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw badConfig(this.path(key), 'must be a whole number that is not negative');
    }
    return value;
  }

  /** A duration such as "10s", in milliseconds. */
  durationMs(key: string): number | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    const durationMs = typeof value === 'string' ? parseDuration(value) : undefined;
    if (durationMs === undefined) {
      throw badConfig(this.path(key), 'must be a duration as a string, such as "10s", "500ms" or "1m30s"');
    }
    return durationMs;
  }

  /** An object below this one. */
  object(key: string): ConfigReader | undefined {
    const value = this.raw(key);
    return value === undefined ? undefined : new ConfigReader(value, this.path(key));
  }

  /** An object whose values are all strings. */
  stringMap(key: string): ReadonlyMap<string, string> {
    const value = this.raw(key);
    if (value === undefined) return new Map();
    if (!isObject(value)) throw badConfig(this.path(key), 'must be an object of strings');
    const entries = new Map<string, string>();
    for (const [name, text] of Object.entries(value)) {
      if (typeof text !== 'string') throw badConfig(`${this.path(key)}.${printable(name)}`, 'must be a string');
      entries.set(name, text);
    }
    return entries;
  }

  /**
   * Ends the reading.
   *
   * @param hints - what to write instead of a field that is known to be wrong, by field
   * @throws ConfigError `unsupported-config` for the first field that was not asked for
   */
  done(hints: Readonly<Record<string, string>> = {}): void {
    const unknown = Object.keys(this.#fields).find((key) => !this.#known.has(key));
    if (unknown === undefined) return;
    const hint = Object.hasOwn(hints, unknown) ? hints[unknown] : undefined;
    const advice = hint ?? `Supported here: ${[...this.#known].sort().join(', ')}`;
    throw unsupportedConfig(this.path(printable(unknown)), `is not supported. ${advice}`);
  }
}

/** A value of the wrong kind or out of range. The text must not hold the value itself: it may be a secret. */
export function badConfig(path: string, problem: string): ConfigError {
  return new ConfigError('bad-config', `configuration of the connection: ${path} ${problem}`, { details: { path } });
}

/** Something that SLIM knows, or nobody, and this package does not do. */
export function unsupportedConfig(path: string, problem: string): ConfigError {
  return new ConfigError('unsupported-config', `configuration of the connection: ${path} ${problem}`, {
    details: { path },
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
