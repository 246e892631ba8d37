import type { ChatEventBody } from '../chat/index.js';
import type { Name } from '../name/index.js';
import { SlimError, UsageError } from '../util/index.js';
import type { HandlePort, SessionPort, SessionPortEvent } from './ports.js';
import type { Presence, Waiting } from './presence.js';

/** Messages that may be held while nobody is there to read them. */
const MAX_HELD = 10_000;

/** Above this many waiting messages, whoever makes them should pause. */
const PAUSE_ABOVE = 256;

/** A message to publish. */
export interface Outgoing {
  readonly ref: string | undefined;
  readonly payload: Uint8Array | string;
  readonly payloadType: string | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly to: Name | undefined;
}

interface Entry extends Waiting {
  readonly outgoing: Outgoing;
  sentMs: number;
  missing: readonly Name[];
  ackedCount: number;
  isQueuedTold: boolean;
  isWatched: boolean;
}

/** What an outbox tells. */
export interface OutboxHandlers {
  emit(event: ChatEventBody): void;
  /** A message failed for good; not called for dropped ones. */
  onFailed(outgoing: Outgoing): void;
  /** Fewer messages wait than before. */
  onProgress(): void;
}

/**
 * The own messages of one session on their way: held while nobody else is in the group, handed to the session no faster than it
 * takes them, and followed until they are acknowledged or have failed.
 *
 * Held here and not in the session, because there a message cannot be taken back.
 */
export class Outbox {
  readonly #session: SessionPort;
  readonly #presence: Presence;
  readonly #handlers: OutboxHandlers;
  readonly #queue: Outgoing[] = [];
  readonly #entries = new Map<HandlePort, Entry>();
  #publishing: Entry | undefined;
  #isPumping = false;

  constructor(session: SessionPort, presence: Presence, handlers: OutboxHandlers) {
    this.#session = session;
    this.#presence = presence;
    this.#handlers = handlers;
  }

  /** Messages that are neither acknowledged nor failed. */
  get unsettledCount(): number {
    return this.#queue.length + this.#entries.size;
  }

  /** Messages that wait for the first member. */
  get heldCount(): number {
    return this.#hasReaders() ? 0 : this.#queue.length;
  }

  /** Whether whoever makes messages should pause. Not while they are held: that can last for ever. */
  get isFull(): boolean {
    return this.#queue.length > PAUSE_ABOVE && this.#hasReaders();
  }

  /**
   * Takes a message.
   *
   * @throws UsageError `queue-full` while too many are held
   */
  add(outgoing: Outgoing): void {
    const isHeld = !this.#hasReaders();
    if (isHeld && this.#queue.length >= MAX_HELD) {
      throw new UsageError('queue-full', `${MAX_HELD} messages wait for the first member already`);
    }
    this.#queue.push(outgoing);
    if (isHeld) this.#handlers.emit(delivery(outgoing, null, 'queued', [], []));
    else void this.#pump();
  }

  /** The members have changed. */
  onMembers(): void {
    if (this.#queue.length > 0 && this.#hasReaders()) void this.#pump();
  }

  /** Gives up the messages that are held. */
  drop(): void {
    if (this.#hasReaders()) return;
    for (const outgoing of this.#queue.splice(0)) this.#handlers.emit(delivery(outgoing, null, 'failed', [], []));
    this.#handlers.onProgress();
  }

  /** The session reports on a message. */
  onDelivery(event: Extract<SessionPortEvent, { kind: 'delivery' }>): void {
    let entry = this.#entries.get(event.handle);
    if (entry === undefined) {
      // The first report comes before `publish` has returned the handle.
      if (this.#publishing === undefined) return;
      entry = this.#publishing;
      this.#publishing = undefined;
      this.#entries.set(event.handle, entry);
    }
    this.#update(entry, event);
  }

  /** The session is over: what has not been sent never will be. */
  close(): void {
    for (const outgoing of this.#queue.splice(0)) this.#fail(outgoing);
    for (const entry of this.#entries.values()) {
      this.#handlers.emit(delivery(entry.outgoing, null, 'failed', [], entry.missing));
      this.#handlers.onFailed(entry.outgoing);
    }
    this.#entries.clear();
    this.#handlers.onProgress();
  }

  #hasReaders(): boolean {
    return this.#session.members.length > 1;
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#queue.length > 0 && this.#hasReaders()) {
        await this.#session.writable();
        // Meanwhile the last reader may have left, or the messages may have been given up.
        if (!this.#hasReaders()) break;
        const outgoing = this.#queue.shift();
        if (outgoing !== undefined) this.#publish(outgoing);
        this.#handlers.onProgress();
      }
    } catch (error) {
      // The session is over, and `close` deals with the messages.
      if (!(error instanceof SlimError)) throw error;
    } finally {
      this.#isPumping = false;
    }
  }

  #publish(outgoing: Outgoing): void {
    const { payload, payloadType, metadata, to } = outgoing;
    const options = { ...(payloadType !== undefined && { payloadType }), ...(metadata !== undefined && { metadata }) };
    const entry: Entry = {
      outgoing,
      sentMs: Date.now(),
      missing: [],
      ackedCount: 0,
      isQueuedTold: false,
      isWatched: false,
    };
    this.#publishing = entry;
    try {
      const handle =
        to === undefined ? this.#session.publish(payload, options) : this.#session.publishTo(to, payload, options);
      // Still there if the session has not reported yet.
      if (this.#publishing === entry) this.#entries.set(handle, entry);
    } catch (error) {
      if (!(error instanceof SlimError)) throw error;
      const ref = outgoing.ref === undefined ? {} : { ref: outgoing.ref };
      this.#handlers.emit({ type: 'error', code: error.code, message: error.message, ...ref });
      this.#fail(outgoing);
    } finally {
      this.#publishing = undefined;
    }
  }

  #update(entry: Entry, event: Extract<SessionPortEvent, { kind: 'delivery' }>): void {
    const { handle, state, acked, missing } = event;
    for (const name of acked.slice(entry.ackedCount)) this.#presence.heard(name);
    entry.ackedCount = acked.length;
    entry.missing = missing;
    if (state === 'queued' && entry.isQueuedTold) return;
    entry.isQueuedTold = state === 'queued';
    this.#handlers.emit(
      delivery(entry.outgoing, handle.messageId ?? null, state, acked.map(String), missing.map(String)),
    );
    if (state === 'sent' && !entry.isWatched) {
      entry.sentMs = Date.now();
      entry.isWatched = true;
      this.#presence.watch(entry);
    }
    if (state !== 'acked' && state !== 'failed') return;
    this.#entries.delete(handle);
    this.#presence.settled(entry);
    if (state === 'failed') this.#handlers.onFailed(entry.outgoing);
    this.#handlers.onProgress();
  }

  #fail(outgoing: Outgoing): void {
    this.#handlers.emit(delivery(outgoing, null, 'failed', [], []));
    this.#handlers.onFailed(outgoing);
  }
}

/** A `delivery` event. */
function delivery(
  { ref }: Outgoing,
  id: number | null,
  state: 'queued' | 'sent' | 'acked' | 'failed',
  acked: readonly string[],
  missing: readonly (string | Name)[],
): ChatEventBody {
  return { type: 'delivery', ...(ref !== undefined && { ref }), id, state, acked, missing: missing.map(String) };
}
