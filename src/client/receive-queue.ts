import { payloadBytes } from '../protocol/index.js';
import { AsyncQueue, type SlimError, type WaitOptions } from '../util/index.js';
import type { ReceivedMessage } from './events.js';

/** What may wait to be read before new messages are left to their sender's retransmission. */
const RECEIVE_QUEUE_MESSAGES = 16_384;
const RECEIVE_QUEUE_BYTES = 64 * 1024 * 1024;

/** Payloads that wait for the application to read them. */
export class ReceiveQueue {
  readonly #queue = new AsyncQueue<ReceivedMessage>();
  #bytes = 0;

  /** Whether no more should be taken from peers. What was acknowledged already is added all the same. */
  get isFull(): boolean {
    return this.#queue.size >= RECEIVE_QUEUE_MESSAGES || this.#bytes >= RECEIVE_QUEUE_BYTES;
  }

  push(message: ReceivedMessage): void {
    this.#bytes += bytesOf(message);
    this.#queue.push(message);
  }

  /**
   * The next one.
   *
   * @throws SessionError `aborted`, `timeout`, or the error the queue was closed with
   */
  async take(options: WaitOptions): Promise<ReceivedMessage> {
    const message = await this.#queue.take(options);
    this.#bytes -= bytesOf(message);
    return message;
  }

  /** No more messages come. */
  close(error: SlimError): void {
    this.#queue.close(error);
  }
}

function bytesOf({ payload, metadata }: ReceivedMessage): number {
  return payloadBytes(payload, metadata);
}
