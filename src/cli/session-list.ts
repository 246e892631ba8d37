import type { ChatEventBody } from '../chat/index.js';
import { UsageError } from '../util/index.js';
import type { Outgoing } from './outbox.js';
import type { SessionPort } from './ports.js';
import { SessionRunner } from './session-runner.js';
import { Signal } from './signal.js';

/** Messages that may wait for the first group before whoever makes them should pause. */
const PAUSE_ABOVE = 256;

/** What a {@link SessionList} tells. */
export interface SessionListHandlers {
  emit(event: ChatEventBody): void;
  /** A session is over; `isForeign` when that was not this program's wish. */
  onClosed(isForeign: boolean): void;
}

/** The sessions of the chat, and the own messages in all of them. */
export class SessionList {
  /** Tells that something may have changed: messages, members, sessions. */
  readonly progress = new Signal();
  readonly #handlers: SessionListHandlers;
  /** Oldest first. */
  readonly #runners: SessionRunner[] = [];
  /** Messages for a group that is still to come. */
  readonly #waiting: Outgoing[] = [];
  readonly #failed = new Set<Outgoing>();

  constructor(handlers: SessionListHandlers) {
    this.#handlers = handlers;
  }

  /** All sessions, those being left too, oldest first. */
  get all(): readonly SessionRunner[] {
    return [...this.#runners];
  }

  /** Whether messages should pause. Not while nobody is in a group to read them: that can last for ever. */
  get isFull(): boolean {
    return this.#waiting.length > PAUSE_ABOVE || this.#runners.some(({ outbox }) => outbox.isFull);
  }

  /** Messages that are neither acknowledged nor failed. */
  get unsettledCount(): number {
    return this.#runners.reduce((sum, { outbox }) => sum + outbox.unsettledCount, this.#waiting.length);
  }

  /** Whether some of them wait for somebody to come. */
  get isHolding(): boolean {
    return this.#waiting.length > 0 || this.#runners.some(({ outbox }) => outbox.heldCount > 0);
  }

  /** Messages that failed, and were not repeated. */
  get failedCount(): number {
    return this.#failed.size;
  }

  /** Takes in a session, introduces it, and sends what has waited for it. */
  add(session: SessionPort): SessionRunner {
    const emit = (event: ChatEventBody): void => {
      this.#handlers.emit(event);
    };
    const runner = new SessionRunner(session, {
      emit,
      onFailed: (outgoing) => {
        this.#failed.add(outgoing);
      },
      onProgress: () => {
        this.progress.notify();
      },
      onClosed: (closed, reason) => {
        this.#runners.splice(this.#runners.indexOf(closed), 1);
        this.progress.notify();
        this.#handlers.onClosed(reason !== 'left');
      },
    });
    this.#runners.push(runner);
    emit(runner.describe());
    for (const outgoing of this.#waiting.splice(0)) runner.outbox.add(outgoing);
    this.progress.notify();
    return runner;
  }

  /** The session with this id, or the newest; not one that is being left. */
  find(id: number | undefined): SessionRunner | undefined {
    const staying = this.#runners.filter(({ isLeaving }) => !isLeaving);
    return id === undefined ? staying.at(-1) : staying.find(({ session }) => session.id === id);
  }

  /**
   * As {@link SessionList.find}.
   *
   * @throws UsageError `not-in-group`
   */
  get(id: number | undefined): SessionRunner {
    const runner = this.find(id);
    if (runner !== undefined) return runner;
    throw new UsageError('not-in-group', id === undefined ? 'you are in no group' : `there is no session ${id}`);
  }

  /** Keeps a message for the next group. */
  keep(outgoing: Outgoing): void {
    this.#waiting.push(outgoing);
  }

  /** A message that failed is sent again. */
  forgetFailed(ref: string): void {
    for (const failed of this.#failed) if (failed.ref === ref) this.#failed.delete(failed);
  }

  /** Gives up the messages that nobody is there to read, by the user's wish. */
  drop(): void {
    for (const { outbox } of this.#runners) outbox.drop();
    for (const outgoing of this.#waiting.splice(0)) this.#emitFailed(outgoing);
  }

  /** No group will come any more. */
  giveUpWaiting(): void {
    for (const outgoing of this.#waiting.splice(0)) {
      this.#failed.add(outgoing);
      this.#emitFailed(outgoing);
    }
  }

  #emitFailed({ ref }: Outgoing): void {
    const base = { type: 'delivery', id: null, state: 'failed', acked: [], missing: [] } as const;
    this.#handlers.emit({ ...base, ...(ref !== undefined && { ref }) });
  }
}
