import { LinkedQueue, type QueueEntry, SessionError } from '../util/index.js';
import type { CommandId, QueuedMessages } from './machine.js';
import type { Outgoing } from './outgoing.js';

/** How many own messages may wait for their first transmission, and how many bytes of payload. */
export const SEND_QUEUE_MESSAGES = 16_384;
const SEND_QUEUE_BYTES = 64 * 1024 * 1024;

/** Own messages that wait for their first transmission. */
export class SendQueue {
  readonly #queue = new LinkedQueue<Outgoing>();
  readonly #entries = new Map<CommandId, QueueEntry<Outgoing>>();
  #bytes = 0;

  get count(): number {
    return this.#queue.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What is sent next. */
  get first(): Outgoing | undefined {
    return this.#queue.first;
  }

  add(outgoing: Outgoing): void {
    this.#entries.set(outgoing.id, this.#queue.push(outgoing));
    this.#bytes += outgoing.bytes;
  }

  /** Takes what is sent next. */
  shift(): Outgoing | undefined {
    const outgoing = this.#queue.shift();
    if (outgoing !== undefined) this.#forget(outgoing);
    return outgoing;
  }

  /** Takes the message of a command, if it waits here. */
  take(id: CommandId): Outgoing | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#queue.delete(entry);
    this.#forget(entry.value);
    return entry.value;
  }

  /** Takes all, the one that has waited longest first. */
  takeAll(): Outgoing[] {
    const all: Outgoing[] = [];
    for (let next = this.shift(); next !== undefined; next = this.shift()) all.push(next);
    return all;
  }

  #forget(outgoing: Outgoing): void {
    this.#entries.delete(outgoing.id);
    this.#bytes -= outgoing.bytes;
  }
}

/**
 * Why one more message is not taken, if it is not.
 *
 * @param queued - what waits already, wherever
 * @param bytes - of the payload of the new one
 */
export function queueFullError(queued: QueuedMessages, bytes: number): SessionError | undefined {
  if (queued.count < SEND_QUEUE_MESSAGES && queued.bytes + bytes <= SEND_QUEUE_BYTES) return undefined;
  return new SessionError(
    'queue-full',
    `too many messages wait to be sent (${String(queued.count)}); wait for writable() before publishing more`,
  );
}

/** Why a message that was taken back has failed. */
export function cancelledError(): SessionError {
  return new SessionError('cancelled', 'the message was taken back before it was sent');
}
