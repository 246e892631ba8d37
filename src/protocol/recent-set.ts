/** The newest entries of a set: tells a repetition, and bounds what peers can make this side remember. */
export class RecentSet<T> {
  readonly #capacity: number;
  readonly #entries = new Set<T>();

  constructor(capacity = 512) {
    this.#capacity = capacity;
  }

  /** Remembers an entry; false if it was known. */
  add(entry: T): boolean {
    if (this.#entries.has(entry)) return false;
    this.#entries.add(entry);
    for (const oldest of this.#entries) {
      if (this.#entries.size <= this.#capacity) break;
      this.#entries.delete(oldest);
    }
    return true;
  }

  has(entry: T): boolean {
    return this.#entries.has(entry);
  }

  clear(): void {
    this.#entries.clear();
  }
}
