import type { Name } from '../name/index.js';
import { DeliveryError, type SlimError } from '../util/index.js';
import type { CommandId, DeliveryState, Effect, SessionCommand } from './machine.js';
import type { StoredMessage } from './producer-buffer.js';
import { SEQUENCE_LIMIT } from './sequence.js';

/** What publishes a message. */
export type PublishCommand = Extract<SessionCommand, { kind: 'publish' }>;

const NOBODY: readonly Name[] = [];

/**
 * One own message from `publish` to its last acknowledgement. The lists of names are replaced and never changed, so that an
 * effect can carry them as they are.
 */
export class Outgoing {
  readonly id: CommandId;
  readonly command: PublishCommand;
  messageId: number | undefined;
  /** The ciphertext, once there is one. The same for everybody who can read it, and each time. */
  sealed: Uint8Array | undefined;
  /** It waits, and would have been encrypted when it was written. */
  wasToBeSealed = false;
  /** Taken back while it was being encrypted. */
  isCancelled = false;
  #recipients = NOBODY;
  #acked = NOBODY;
  #missing = NOBODY;

  constructor(id: CommandId, command: PublishCommand) {
    this.id = id;
    this.command = command;
  }

  get acked(): readonly Name[] {
    return this.#acked;
  }

  get missing(): readonly Name[] {
    return this.#missing;
  }

  get bytes(): number {
    return this.command.payload.length;
  }

  /** Whether it is for one member only; a retry is what it was. */
  get isDirect(): boolean {
    const { to, again } = this.command;
    return again === undefined ? to !== undefined : again.messageId >= SEQUENCE_LIMIT;
  }

  /** Whether it takes the next number of the sequence. */
  get isInSequence(): boolean {
    return this.command.to === undefined && this.command.again === undefined;
  }

  /** What is kept of it. `keepsClear`: with a readable copy, if it is encrypted. */
  stored(keepsClear: boolean): StoredMessage {
    const { payload, payloadType, metadata } = this.command;
    const isSealed = this.sealed !== undefined;
    return {
      messageId: this.messageId ?? 0,
      payloadType,
      blob: this.sealed ?? payload,
      isSealed,
      ...(isSealed && keepsClear && { clear: { payload, readers: this.#recipients } }),
      metadata,
    };
  }

  /** It goes out now. */
  send(messageId: number, recipients: readonly Name[]): void {
    this.messageId = messageId;
    this.#recipients = recipients;
    this.#missing = recipients;
  }

  /** A member is not waited for any more; false if it was not. */
  release(name: Name): boolean {
    // Acknowledgements come about in the order of the list, so this stops early.
    const index = this.#missing.findIndex((other) => other.equals(name));
    if (index < 0) return false;
    this.#missing = index === 0 ? this.#missing.slice(1) : this.#missing.toSpliced(index, 1);
    return true;
  }

  /** A member acknowledges; false if it is not waited for. */
  acknowledge(name: Name): boolean {
    if (!this.release(name)) return false;
    this.#acked = [...this.#acked, name];
    return true;
  }

  /** The report of a change. */
  report(state: DeliveryState, error?: SlimError): Effect {
    const progress = { messageId: this.messageId, acked: this.#acked, missing: this.#missing };
    return { kind: 'delivery', id: this.id, state, progress, ...(error && { error }) };
  }

  /** Why it failed when nobody else is to blame. */
  notAcked(): DeliveryError {
    const missing = this.#missing;
    const names = missing.map(String).join(', ');
    return new DeliveryError('not-acked', `message ${String(this.messageId)} was not acknowledged by ${names}`, {
      details: { messageId: this.messageId, missing },
    });
  }
}
