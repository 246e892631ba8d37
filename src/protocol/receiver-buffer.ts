import { RecentSet } from '../util/index.js';
import { sequenceAdd, sequenceDistance } from './sequence.js';

/** What a buffer gives out, in order. */
export type Release<T> = { readonly kind: 'message'; readonly id: number; readonly value: T } | Lost;

/** A number that was given up. Should it come after all, it is given out late. */
export interface Lost {
  readonly kind: 'lost';
  readonly id: number;
}

/** Outcome of one arrival. */
export interface Arrival<T> {
  readonly release: readonly Release<T>[];
  /** Numbers to ask the sender for, known to be missing only now. */
  readonly request: readonly number[];
}

/** A jump further than this is a new stream, not a gap: no sender keeps more (session.md A 13). */
const MAX_GAP = 512;

/** How many late numbers are remembered so that each is delivered once, and how many that were given up. */
const MAX_LATE = 1024;

/** What there is of a number ahead of a hole. `refused`: it came, and is not for the application. */
type Ahead<T> = { readonly value: T; readonly bytes: number } | 'lost' | 'refused';

const NOTHING: Arrival<never> = { release: [], request: [] };

/**
 * Puts the messages of one sender in order and each out once (`receiver_buffer.rs`).
 *
 * Where the stream begins: a sender that joined after us starts at 1, and everything from 1 on is for us (`startsAtOne`).
 * Of a sender that was there before, nobody knows: so what comes first waits, until `open`, for a message before it, which was
 * lost or overtaken and which the sender repeats. It is not asked for: upstream would answer with what was said before our
 * time. Number 1 has nothing before it and waits for nothing. What comes later still was meant for us (its sender waits for our
 * acknowledgement), so it is given out late rather than lost. Differs from upstream, where the first to arrive is the start
 * and the rest is dropped. The same holds for what was told as lost and comes after all.
 */
export class ReceiverBuffer<T> {
  /** Newest number given out or given up. */
  #last: number | undefined;
  /** Of a sender that was there before: numbers up to this were never part of what is expected to be complete. */
  #start: number | undefined;
  /** After a jump: numbers up to this were dealt with before it. */
  #floor: number | undefined;
  /** From a sender that starts at 1: gaps up to here may be numbers of an earlier life of it, no loss. */
  #quietUpTo: number | undefined;
  readonly #startsAtOne: boolean;
  readonly #resumesAfter: number | undefined;
  readonly #late = new RecentSet<number>(MAX_LATE);
  /** Given up, told or not; a sender may still repeat them, once more by hand or because it could not be reached before. */
  readonly #lost = new RecentSet<number>(MAX_LATE);
  readonly #ahead = new Map<number, Ahead<T>>();
  #aheadBytes = 0;
  #newest: number | undefined;
  #isOpening = false;

  /** @param options - `resumesAfter`: last number of an earlier stay, after which a sender may go on instead of starting at 1 */
  constructor(options: { readonly startsAtOne: boolean; readonly resumesAfter?: number | undefined }) {
    this.#startsAtOne = options.startsAtOne;
    this.#resumesAfter = options.resumesAfter;
  }

  /** Newest number given out or given up, if any. */
  get last(): number | undefined {
    return this.#last;
  }

  /** Whether what has come waits for messages before it, because the stream may have begun earlier. */
  get isOpening(): boolean {
    return this.#isOpening;
  }

  /** Whether this number was given out or refused, or waits here already. */
  has(id: number): boolean {
    if (this.#last === undefined) return false;
    if (sequenceDistance(this.#last, id) > 0) return (this.#ahead.get(id) ?? 'lost') !== 'lost';
    return !this.#isLate(id);
  }

  /** Size of what waits here. */
  get aheadBytes(): number {
    return this.#aheadBytes;
  }

  /** Whether this number would have to wait here for one before it. */
  mustWait(id: number): boolean {
    const last = this.#last ?? this.#numberBefore(id);
    if (last === undefined || this.#isOpening) return !this.#startsAtOne && id > 1;
    const distance = sequenceDistance(last, id);
    return distance > 1 && distance <= MAX_GAP;
  }

  /** @param bytes - size of the message, for what may wait */
  onMessage(id: number, value: T, bytes = 0): Arrival<T> {
    if (this.#last === undefined) return this.#onFirst(id, value, bytes);
    const distance = sequenceDistance(this.#last, id);
    if (distance <= 0) {
      if (!this.#isLate(id)) return NOTHING;
      if (this.#isOpening && this.#isNear(id)) return this.#beginEarlier(id, value, bytes);
      if (!this.#lost.delete(id)) this.#late.add(id);
      return { release: [{ kind: 'message', id, value }], request: [] };
    }
    if (this.has(id)) return NOTHING;
    if (distance > MAX_GAP) return this.#restart(id, value);
    return this.#store(id, value, bytes);
  }

  /** Nothing more is expected before what has come: the stream begins with it. */
  open(): Release<T>[] {
    this.#isOpening = false;
    return this.#releaseReady();
  }

  /** Gives a number up: the sender said so, or was asked in vain. */
  onLost(id: number): readonly Release<T>[] {
    return this.#giveUp(id, 'lost');
  }

  /** A number that came with something that the application must not see; for good, however often it comes. */
  onRefused(id: number): readonly Release<T>[] {
    if (this.#last === undefined && !this.#startsAtOne) {
      this.#last = id;
      this.#start = id;
      this.#newest = id;
    }
    return this.#giveUp(id, 'refused');
  }

  #giveUp(id: number, entry: 'lost' | 'refused'): readonly Release<T>[] {
    if (this.#last === undefined || this.#ahead.has(id)) return [];
    const distance = sequenceDistance(this.#last, id);
    // Further ahead than a gap can reach: asked for before the sender jumped around.
    if (distance <= 0 || distance > MAX_GAP) return [];
    this.#ahead.set(id, entry);
    return this.#releaseReady();
  }

  #onFirst(id: number, value: T, bytes: number): Arrival<T> {
    const before = this.#numberBefore(id);
    if (before !== undefined) {
      this.#last = before;
      this.#newest = before;
      this.#quietUpTo = sequenceAdd(id, -1);
      return this.#store(id, value, bytes);
    }
    return this.#begin(id, value, bytes);
  }

  /** The first one that is there, as far as is known; number 1 is the first one there can be. */
  #begin(id: number, value: T, bytes: number): Arrival<T> {
    this.#last = sequenceAdd(id, -1);
    this.#newest ??= this.#last;
    this.#start = id;
    this.#isOpening = !this.#startsAtOne && id > 1;
    return this.#store(id, value, bytes);
  }

  /** An earlier one than all that wait; what lies between was meant for us as well. */
  #beginEarlier(id: number, value: T, bytes: number): Arrival<T> {
    const request: number[] = [];
    for (let hole = sequenceAdd(id, 1); sequenceDistance(hole, this.#start ?? id) > 0; hole = sequenceAdd(hole, 1)) {
      request.push(hole);
    }
    return { ...this.#begin(id, value, bytes), request };
  }

  /** Whether what waits would still be within reach if the stream began with this number. */
  #isNear(id: number): boolean {
    return sequenceDistance(id, this.#newest ?? id) <= MAX_GAP;
  }

  /** The number before the first one for us, where that is known; `id` is the first to arrive. */
  #numberBefore(id: number): number | undefined {
    if (!this.#startsAtOne) return undefined;
    const resumed = this.#resumesAfter;
    const before = resumed !== undefined && sequenceDistance(resumed, id) > 0 ? resumed : 0;
    const distance = sequenceDistance(before, id);
    return distance >= 1 && distance <= MAX_GAP ? before : undefined;
  }

  #store(id: number, value: T, bytes: number): Arrival<T> {
    const request: number[] = [];
    const newest = this.#newest ?? id;
    for (let hole = sequenceAdd(newest, 1); sequenceDistance(hole, id) > 0; hole = sequenceAdd(hole, 1)) {
      if (!this.#ahead.has(hole)) request.push(hole);
    }
    if (sequenceDistance(newest, id) > 0) this.#newest = id;
    this.#ahead.set(id, { value, bytes });
    this.#aheadBytes += bytes;
    return { release: this.#releaseReady(), request };
  }

  /** Gives out what waits; the holes between are lost. */
  releaseAll(): Release<T>[] {
    this.#isOpening = false;
    const release: Release<T>[] = [];
    for (const [waiting, entry] of [...this.#ahead].sort(([a], [b]) => -sequenceDistance(a, b))) {
      while (sequenceDistance(this.#last ?? waiting, waiting) > 1) {
        release.push(...this.#giveOut(sequenceAdd(this.#last ?? waiting, 1), 'lost'));
      }
      release.push(...this.#giveOut(waiting, entry));
    }
    this.#ahead.clear();
    return release;
  }

  /** The sender is far ahead: what waits is given out, and the stream starts anew. */
  #restart(id: number, value: T): Arrival<T> {
    const release = this.releaseAll();
    this.#late.clear();
    this.#floor = this.#last;
    this.#last = id;
    this.#start = id;
    this.#newest = id;
    release.push({ kind: 'message', id, value });
    return { release, request: [] };
  }

  #releaseReady(): Release<T>[] {
    const release: Release<T>[] = [];
    if (this.#isOpening) return release;
    for (;;) {
      const id = sequenceAdd(this.#last ?? 0, 1);
      const entry = this.#ahead.get(id);
      if (entry === undefined) return release;
      this.#ahead.delete(id);
      release.push(...this.#giveOut(id, entry));
    }
  }

  #giveOut(id: number, entry: Ahead<T>): Release<T>[] {
    this.#last = id;
    if (typeof entry === 'string') {
      if (entry === 'lost') this.#lost.add(id);
      const isQuiet = this.#quietUpTo !== undefined && sequenceDistance(this.#quietUpTo, id) <= 0;
      return isQuiet ? [] : [{ kind: 'lost', id }];
    }
    this.#aheadBytes -= entry.bytes;
    // What comes after a message is of the same life.
    this.#quietUpTo = undefined;
    return [{ kind: 'message', id, value: entry.value }];
  }

  /** Before the start, or given up; and not given out yet. */
  #isLate(id: number): boolean {
    if (this.#lost.has(id)) return true;
    if (this.#start === undefined || sequenceDistance(this.#start, id) >= 0 || this.#late.has(id)) return false;
    return this.#floor === undefined || sequenceDistance(this.#floor, id) > 0;
  }
}
