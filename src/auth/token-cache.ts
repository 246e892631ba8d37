import { createHash } from 'node:crypto';

import { RecentMap } from '../util/index.js';

/** What was found in the last tokens that were asked for. Keeps hashes of them and not the tokens. */
export class TokenCache<V> {
  readonly #found: RecentMap<string, V>;

  /** @param capacity - how many tokens are remembered */
  constructor(capacity: number) {
    this.#found = new RecentMap(capacity);
  }

  get(token: string): V | undefined {
    const key = keyOf(token);
    const value = this.#found.get(key);
    // The newest again: it is in use.
    if (value !== undefined) this.#found.set(key, value);
    return value;
  }

  set(token: string, value: V): void {
    this.#found.set(keyOf(token), value);
  }
}

function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
