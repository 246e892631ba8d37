import type { Name } from '../name/index.js';

/** What was published, kept for peers that miss it. */
export interface StoredMessage {
  readonly messageId: number;
  readonly payloadType: string;
  /** As it travels. */
  readonly blob: Uint8Array;
  /** Whether that is ciphertext. */
  readonly isSealed: boolean;
  /** The same readable, for members that cannot decrypt: those it was written to, not whoever joins later or was removed before. */
  readonly clear?: { readonly payload: Uint8Array; readonly readers: readonly Name[] };
  readonly metadata: Readonly<Record<string, string>>;
}

/** How many messages are kept; peers count on at least this many (`producer_buffer.rs`). */
export const PRODUCER_BUFFER_MESSAGES = 512;

/** Payload bytes kept beyond what is still unacknowledged; upstream has no such bound and may hold 2 GiB. */
const PRODUCER_BUFFER_BYTES = 64 * 1024 * 1024;

/** The last messages of this member, by number. */
export class ProducerBuffer {
  readonly #capacity: number;
  readonly #messages = new Map<number, StoredMessage>();
  #bytes = 0;

  constructor(capacity: number = PRODUCER_BUFFER_MESSAGES) {
    this.#capacity = capacity;
  }

  /** Adds the newest message; the oldest fall out. */
  push(message: StoredMessage): void {
    if (this.#messages.has(message.messageId)) return;
    this.#messages.set(message.messageId, message);
    this.#bytes += sizeOf(message);
    for (const [id, oldest] of this.#messages) {
      const fits = this.#messages.size <= this.#capacity && this.#bytes <= PRODUCER_BUFFER_BYTES;
      if (fits || id === message.messageId) break;
      this.#messages.delete(id);
      this.#bytes -= sizeOf(oldest);
    }
  }

  get(messageId: number): StoredMessage | undefined {
    return this.#messages.get(messageId);
  }

  get size(): number {
    return this.#messages.size;
  }
}

function sizeOf({ blob, clear }: StoredMessage): number {
  return blob.length + (clear?.payload.length ?? 0);
}
