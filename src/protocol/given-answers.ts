import { RecentMap } from '../util/index.js';
import type { OutboundMessage } from './machine.js';

/** When an answer was given that may have been lost with a stream: whoever asks again gets it. */
const LONG_AGO = -Infinity;

/** An answer to a request. */
export interface Answer {
  readonly message: OutboundMessage;
  /** How long after it a repetition of the request means that it was lost. */
  readonly pauseMs: number;
}

/**
 * Answers to requests, kept for those whose answer was lost. A request that comes again at once is a copy of the first and gets
 * nothing: a second answer can kill a moderator of upstream that no longer waits (session.md 10.1). Who asks again after a while
 * has not got the answer, and gets the same one.
 */
export class GivenAnswers<K> {
  readonly #given: RecentMap<K, { readonly answer: Answer; atMs: number }>;

  /** @param capacity - how many are kept: requests are what others make this app remember */
  constructor(capacity = 512) {
    this.#given = new RecentMap(capacity);
  }

  has(request: K): boolean {
    return this.#given.has(request);
  }

  /** The first answer to a request. */
  add(request: K, answer: Answer, nowMs: number): void {
    this.#given.set(request, { answer, atMs: nowMs });
  }

  /**
   * The answer once more, if it was lost.
   *
   * @param isByName - whether the request came for this app alone; what comes again to a channel asks others (session.md 10.6), unless
   * the answer may have gone down a stream that is gone
   */
  again(request: K, isByName: boolean, nowMs: number): OutboundMessage | undefined {
    const given = this.#given.get(request);
    if (given === undefined) return undefined;
    const isLost = given.atMs === LONG_AGO || (isByName && nowMs - given.atMs >= given.answer.pauseMs);
    if (!isLost) return undefined;
    given.atMs = nowMs;
    return given.answer.message;
  }

  /** What was answered into a dying stream may not have arrived: each answer may be given once more at any time. */
  mayBeLost(): void {
    for (const given of this.#given.values()) given.atMs = LONG_AGO;
  }
}
