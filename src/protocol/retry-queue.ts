/** Something to repeat until it is answered. */
interface Entry<V> {
  readonly value: V;
  retries: number;
  dueMs: number;
}

/**
 * Things that are repeated every `timeoutMs`, `maxRetries` times, and have failed one interval later (`timer.rs:start`: constant
 * timers). Because the interval is the same for all, the map's insertion order is the order of due times, and one timer serves
 * any number of entries.
 */
export class RetryQueue<K, V> {
  readonly #timeoutMs: number;
  readonly #maxRetries: number;
  readonly #entries = new Map<K, Entry<V>>();

  constructor(timeoutMs: number, maxRetries: number) {
    this.#timeoutMs = timeoutMs;
    this.#maxRetries = maxRetries;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Adds what was sent just now. */
  add(key: K, value: V, nowMs: number): void {
    this.#entries.set(key, { value, retries: 0, dueMs: nowMs + this.#timeoutMs });
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  values(): V[] {
    return Array.from(this.#entries.values(), (entry) => entry.value);
  }

  /** How long until the first entry is due; `undefined` when there is none. */
  dueInMs(nowMs: number): number | undefined {
    for (const entry of this.#entries.values()) return Math.max(0, entry.dueMs - nowMs);
    return undefined;
  }

  /** Takes what is due: to be sent again, or given up (and then removed). */
  expire(nowMs: number): { readonly retry: V[]; readonly failed: V[] } {
    const retry: V[] = [];
    const failed: V[] = [];
    for (const [key, entry] of this.#entries) {
      if (entry.dueMs > nowMs) break;
      this.#entries.delete(key);
      if (entry.retries >= this.#maxRetries) {
        failed.push(entry.value);
      } else {
        entry.retries += 1;
        entry.dueMs = nowMs + this.#timeoutMs;
        // Set again: it moves to the end. The loop does not meet it twice, its new due time stops it.
        this.#entries.set(key, entry);
        retry.push(entry.value);
      }
    }
    return { retry, failed };
  }

  /** Starts all over: after an interruption nothing that could not be answered counts as a try. */
  restart(nowMs: number): void {
    for (const entry of this.#entries.values()) {
      entry.retries = 0;
      entry.dueMs = nowMs + this.#timeoutMs;
    }
  }
}
