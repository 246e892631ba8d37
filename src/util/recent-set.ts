import { RecentMap } from './recent-map.js';

/** The newest entries of a set: tells a repetition, and bounds what peers can make this app remember. */
export class RecentSet<T> {
  readonly #entries: RecentMap<T, true>;

  constructor(capacity = 512) {
    this.#entries = new RecentMap(capacity);
  }

  get isEmpty(): boolean {
    return this.#entries.isEmpty;
  }

  /** Remembers an entry; false if it was known. */
  add(entry: T): boolean {
    if (this.#entries.has(entry)) return false;
    this.#entries.set(entry, true);
    return true;
  }

  has(entry: T): boolean {
    return this.#entries.has(entry);
  }

  /** Forgets an entry; false if it was not known. */
  delete(entry: T): boolean {
    const isKnown = this.#entries.has(entry);
    this.#entries.delete(entry);
    return isKnown;
  }

  clear(): void {
    this.#entries.clear();
  }
}
