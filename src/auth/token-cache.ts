import { createHash } from 'node:crypto';

/** What was found in the last `capacity` tokens that were asked for. Keeps hashes of them and not the tokens. */
export class TokenCache<V> {
  readonly #capacity: number;
  /** The one that was asked for last comes last. */
  readonly #entries = new Map<string, V>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(token: string): V | undefined {
    const key = keyOf(token);
    const value = this.#entries.get(key);
    if (value !== undefined) this.#put(key, value);
    return value;
  }

  set(token: string, value: V): void {
    this.#put(keyOf(token), value);
    if (this.#entries.size <= this.#capacity) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  #put(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
  }
}

function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
