import type { SlimError } from './errors.js';
import { LinkedQueue } from './linked-queue.js';
import { abortError, type WaitOptions, withDeadline } from './time.js';

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: SlimError) => void;
}

/** A queue between a producer that never waits and consumers that do. What waits is given out before a close is noticed. */
export class AsyncQueue<T> {
  readonly #items = new LinkedQueue<T>();
  readonly #waiters = new Set<Waiter<T>>();
  #closedWith: SlimError | undefined;

  /** How many items wait. */
  get size(): number {
    return this.#items.size;
  }

  /** Adds an item, or hands it to who has waited longest. Ignored after the close. */
  push(item: T): void {
    if (this.#closedWith !== undefined) return;
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.resolve(item);
      return;
    }
    this.#items.push(item);
  }

  /** No more items come; whoever waits, now or later, gets `error`. */
  close(error: SlimError): void {
    this.#closedWith ??= error;
    for (const waiter of this.#waiters) waiter.reject(this.#closedWith);
    this.#waiters.clear();
  }

  /**
   * The next item.
   *
   * @throws SessionError `aborted`, `timeout`, or the error the queue was closed with
   */
  async take(options: WaitOptions = {}): Promise<T> {
    if (options.signal?.aborted === true) throw abortError(options.signal);
    if (this.size > 0) return this.#items.shift() as T;
    if (this.#closedWith !== undefined) throw this.#closedWith;
    let waiter: Waiter<T> | undefined;
    const next = new Promise<T>((resolve, reject) => {
      waiter = { resolve, reject };
      this.#waiters.add(waiter);
    });
    try {
      return await withDeadline(next, options);
    } catch (error) {
      // Whoever is not waiting any more got an item in the same instant, which would be lost; or the queue was closed.
      if (waiter === undefined || this.#waiters.has(waiter)) throw error;
      return await next;
    } finally {
      if (waiter !== undefined) this.#waiters.delete(waiter);
    }
  }
}
