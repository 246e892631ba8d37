interface Event {
  readonly atMs: number;
  /** Events of the same instant happen in the order they were scheduled. */
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/** A clock that stands still until it is told to go on, and what is to happen when. */
export class VirtualTime {
  nowMs = 0;
  readonly #heap: Event[] = [];
  #scheduled = 0;

  /**
   * Lets something happen later.
   *
   * @returns keeps it from happening
   */
  after(ms: number, run: () => void): () => void {
    this.#scheduled += 1;
    const event: Event = { atMs: this.nowMs + Math.max(0, ms), order: this.#scheduled, run, isCancelled: false };
    this.#push(event);
    return () => {
      event.isCancelled = true;
    };
  }

  /** Goes on for some time; ends early when `until` holds. */
  run(ms: number, until: () => boolean = () => false): boolean {
    const endMs = this.nowMs + ms;
    for (;;) {
      if (until()) return true;
      const next = this.#heap[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#pop();
      if (next.isCancelled) continue;
      this.nowMs = next.atMs;
      next.run();
    }
    this.nowMs = endMs;
    return until();
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

/** Random numbers that are the same in each run with the same seed (mulberry32). */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Uniform in 0 … 2^32-1. */
  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    return this.u32() / 2 ** 32;
  }

  /** Uniform between two numbers. */
  between(min: number, max: number): number {
    return min + this.fraction() * (max - min);
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;
}
