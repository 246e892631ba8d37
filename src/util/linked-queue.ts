/** Something that waits in a {@link LinkedQueue}. */
export interface QueueEntry<T> {
  readonly value: T;
}

interface Link<T> extends QueueEntry<T> {
  previous: Link<T> | undefined;
  next: Link<T> | undefined;
  queue: LinkedQueue<T> | undefined;
}

/**
 * A queue in the order of arrival. Taking costs the same however much waits, and from the middle the same as from the head: an array
 * would have to be searched and closed up, and a map walks over all that it has lost at its head.
 */
export class LinkedQueue<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** What is taken next. */
  get first(): T | undefined {
    return this.#first?.value;
  }

  /** @returns with what `delete` takes it out again */
  push(value: T): QueueEntry<T> {
    const link: Link<T> = { value, previous: this.#last, next: undefined, queue: this };
    if (this.#last === undefined) this.#first = link;
    else this.#last.next = link;
    this.#last = link;
    this.#size += 1;
    return link;
  }

  /** Takes what has waited longest. */
  shift(): T | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    this.#unlink(first);
    return first.value;
  }

  /** Takes everything, what has waited longest first. */
  takeAll(): T[] {
    const all: T[] = [];
    while (this.#first !== undefined) {
      all.push(this.#first.value);
      this.#unlink(this.#first);
    }
    return all;
  }

  /** Takes an entry out; false if it is not in this queue any more. */
  delete(entry: QueueEntry<T>): boolean {
    const link = entry as Link<T>;
    if (link.queue !== this) return false;
    this.#unlink(link);
    return true;
  }

  #unlink(link: Link<T>): void {
    const { previous, next } = link;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    // Or an entry that somebody still holds would hold all that came after it.
    link.previous = undefined;
    link.next = undefined;
    link.queue = undefined;
    this.#size -= 1;
  }
}
