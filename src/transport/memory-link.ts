import { startTimer } from '../util/index.js';

/** How good a line in memory is. By default it is perfect. */
export interface LinkOptions {
  /** What each frame takes, in milliseconds. Default 0: it arrives with the next microtask. */
  readonly latencyMs?: number;
  /** Share of frames that get lost, 0 to 1. */
  readonly lossRate?: number;
  /** Share of frames that arrive twice, 0 to 1. */
  readonly duplicateRate?: number;
  /** Share of frames that arrive {@link LinkOptions.reorderMs} late, so that others overtake them, 0 to 1. */
  readonly reorderRate?: number;
  /** Default 10. */
  readonly reorderMs?: number;
  /** Decides all of this, each call between 0 and 1. Default `Math.random`; tests pass a seeded one. */
  readonly random?: () => number;
  /** Calls `run` later; returns what cancels it. Default `setTimeout`, looked up at each call. */
  readonly setTimer?: (run: () => void, afterMs: number) => () => void;
  /** `send` returns false when this many frames are under way. Default 256. */
  readonly highWaterFrames?: number;
}

/** What a link tells those at its ends. Never called from inside {@link MemoryLink.send}. */
export interface LinkEnds {
  /** A frame arrived at the far end. */
  deliver(frame: Uint8Array): void;
  /** The near end may send again. */
  drain(): void;
}

/**
 * One direction of a line in memory.
 *
 * @internal
 */
export class MemoryLink {
  readonly #options: LinkOptions;
  readonly #ends: LinkEnds;
  /** Arrived, and not taken because reading is paused. */
  readonly #arrived: Uint8Array[] = [];
  #underWay = 0;
  #isBlocked = false;
  #isPaused = true;
  #isCut = false;
  #onEmpty: (() => void) | undefined;

  /** Begins paused. */
  constructor(options: LinkOptions, ends: LinkEnds) {
    this.#options = options;
    this.#ends = ends;
  }

  /** Takes a copy of a frame; returns false when the sender should wait for `drain`. */
  send(frame: Uint8Array): boolean {
    const { latencyMs = 0, reorderMs = 10, lossRate = 0, duplicateRate = 0, reorderRate = 0 } = this.#options;
    const copies = this.#happens(lossRate) ? 0 : this.#happens(duplicateRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const bytes = frame.slice();
      this.#underWay += 1;
      this.#after(latencyMs + (this.#happens(reorderRate) ? reorderMs : 0), () => {
        this.#arrived.push(bytes);
        this.#pump();
      });
    }
    this.#isBlocked ||= this.#underWay >= this.#highWater();
    return !this.#isBlocked;
  }

  /** The far end takes no frames until {@link MemoryLink.resume}; the near end notices when the line is full. */
  pause(): void {
    this.#isPaused = true;
  }

  /** The far end takes frames. */
  resume(): void {
    this.#isPaused = false;
    this.#pump();
  }

  /** Calls back as soon as everything sent has been taken. */
  whenEmpty(onEmpty: () => void): void {
    this.#onEmpty = onEmpty;
    queueMicrotask(() => this.#pump());
  }

  /** Nothing arrives any more. */
  cut(): void {
    this.#isCut = true;
    this.#arrived.length = 0;
  }

  #pump(): void {
    // Each frame may change everything, so all conditions are looked at again.
    while (!this.#isPaused && !this.#isCut) {
      const frame = this.#arrived.shift();
      if (!frame) break;
      this.#underWay -= 1;
      this.#ends.deliver(frame);
    }
    if (this.#isCut) return;
    if (this.#isBlocked && this.#underWay <= this.#highWater() / 2) {
      this.#isBlocked = false;
      this.#ends.drain();
    }
    if (this.#underWay === 0) {
      this.#onEmpty?.();
      this.#onEmpty = undefined;
    }
  }

  #after(delayMs: number, run: () => void): void {
    if (delayMs === 0) queueMicrotask(run);
    else setTimer(this.#options, run, delayMs);
  }

  #happens(rate: number): boolean {
    return rate > 0 && (this.#options.random ?? Math.random)() < rate;
  }

  #highWater(): number {
    return this.#options.highWaterFrames ?? 256;
  }
}

/** Starts a timer the way the options say; returns what cancels it. */
export function setTimer(options: LinkOptions, run: () => void, afterMs: number): () => void {
  if (options.setTimer) return options.setTimer(run, afterMs);
  return startTimer(afterMs, run).cancel;
}
