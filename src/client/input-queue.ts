import {
  type CommandId,
  type Input,
  isPayloadMessage,
  payloadBytes,
  type QueuedMessages,
  type SessionCommand,
} from '../protocol/index.js';
import { LinkedQueue, type QueueEntry } from '../util/index.js';

/** Payloads of peers that may wait for their turn; more are left to the retransmission of their senders. */
const MAX_PAYLOADS = 16_384;
const MAX_PAYLOAD_BYTES_WAITING = 64 * 1024 * 1024;

/**
 * What waits to be handled by a machine, in order: at most a burst, but with MLS each payload costs time, and both the
 * application and peers can be faster than that. Own messages are counted, so that whoever makes them can be held up, and can be
 * taken back; payloads of peers are bounded.
 */
export class InputQueue {
  readonly #queue = new LinkedQueue<Input>();
  /** Own messages, by command. */
  readonly #own = new Map<CommandId, QueueEntry<Input>>();
  #ownBytes = 0;
  #payloads = 0;
  #payloadBytes = 0;

  /** Own messages that wait here. */
  get own(): QueuedMessages {
    return { count: this.#own.size, bytes: this.#ownBytes };
  }

  /** Adds an input; a payload of a peer for which there is no room is left out. */
  push(input: Input): void {
    const publish = publishOf(input);
    const bytes = peerBytesOf(input);
    if (bytes !== undefined) {
      if (this.#payloads >= MAX_PAYLOADS || this.#payloadBytes + bytes > MAX_PAYLOAD_BYTES_WAITING) return;
      this.#payloads += 1;
      this.#payloadBytes += bytes;
    }
    const entry = this.#queue.push(input);
    if (publish === undefined) return;
    this.#own.set(publish.id, entry);
    this.#ownBytes += publish.command.payload.length;
  }

  /** Takes what has waited longest. */
  shift(): Input | undefined {
    const input = this.#queue.shift();
    if (input === undefined) return undefined;
    const bytes = peerBytesOf(input);
    if (bytes !== undefined) {
      this.#payloads -= 1;
      this.#payloadBytes -= bytes;
    }
    this.#forgetOwn(input);
    return input;
  }

  /** Takes back an own message; false if it does not wait here. */
  takeBack(id: CommandId): boolean {
    const entry = this.#own.get(id);
    if (entry === undefined) return false;
    this.#queue.delete(entry);
    this.#forgetOwn(entry.value);
    return true;
  }

  #forgetOwn(input: Input): void {
    const publish = publishOf(input);
    if (publish === undefined) return;
    this.#own.delete(publish.id);
    this.#ownBytes -= publish.command.payload.length;
  }
}

function publishOf(
  input: Input,
): { readonly id: CommandId; readonly command: Extract<SessionCommand, { kind: 'publish' }> } | undefined {
  if (input.kind !== 'command' || input.command.kind !== 'publish') return undefined;
  return { id: input.id, command: input.command };
}

/** Size of a payload of a peer; `undefined` for everything else, which must not be lost. */
function peerBytesOf(input: Input): number | undefined {
  if (input.kind !== 'message' || !isPayloadMessage(input.message)) return undefined;
  const { content, metadata } = input.message;
  return content.kind === 'app' ? payloadBytes(content.blob, metadata) : 0;
}
