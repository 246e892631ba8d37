/** A queue in the order of arrival. Taking from its front costs the same however much waits. */
export class Fifo<T> {
  #items: T[] = [];
  /** How many at the front of `#items` are taken. */
  #head = 0;

  /** How many items wait. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Adds an item at the end. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** The item at the front; `undefined` when the queue is empty. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Takes the item at the front; `undefined` when the queue is empty. */
  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#head += 1;
    // Cut off in pieces: one by one, a long backlog would be copied again and again.
    if (this.#head === this.#items.length || this.#head >= PIECE) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes everything. */
  takeAll(): T[] {
    const items = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return items;
  }
}

const PIECE = 1024;
