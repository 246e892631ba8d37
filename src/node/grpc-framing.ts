import { Buffer } from 'node:buffer';

/** Bytes in front of each message on a gRPC stream: one of flags, four of length. */
export const FRAME_PREFIX_BYTES = 5;

/** The largest message of the data plane, in bytes; a limit of every hop (data-plane.md 1.3). */
export const MAX_MESSAGE_BYTES = 4_194_304;

/** Why a stream of messages cannot be read on. */
export type FramingProblem = 'too-large' | 'compressed' | 'bad-frame';

/** Fills the prefix of a buffer that has {@link FRAME_PREFIX_BYTES} free bytes in front of a message. */
export function sealFrame(framed: Buffer): Buffer {
  framed[0] = 0;
  framed.writeUInt32BE(framed.length - FRAME_PREFIX_BYTES, 1);
  return framed;
}

/** A message with its prefix. */
export function frameMessage(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(FRAME_PREFIX_BYTES + message.length);
  framed.set(message, FRAME_PREFIX_BYTES);
  return sealFrame(framed);
}

/** Cuts a gRPC byte stream into messages. Holds at most one message and one chunk. */
export class FrameSplitter {
  readonly #chunks: Buffer[] = [];
  #held = 0;
  #needed = FRAME_PREFIX_BYTES;

  /**
   * Takes the next bytes of the stream and hands out every message that is complete, as a view of memory that is not reused.
   *
   * @param onMessage - returns false to stop at once
   * @returns why reading cannot go on; the splitter is of no use after that
   */
  push(chunk: Buffer, onMessage: (message: Buffer) => boolean): FramingProblem | undefined {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return undefined;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#held);
    this.#chunks.length = 0;
    this.#held = 0;
    this.#needed = FRAME_PREFIX_BYTES;
    let at = 0;
    while (bytes.length - at >= FRAME_PREFIX_BYTES) {
      const flags = bytes[at];
      if (flags !== 0) return flags === 1 ? 'compressed' : 'bad-frame';
      const length = bytes.readUInt32BE(at + 1);
      if (length > MAX_MESSAGE_BYTES) return 'too-large';
      const end = at + FRAME_PREFIX_BYTES + length;
      if (end > bytes.length) {
        this.#needed = FRAME_PREFIX_BYTES + length;
        break;
      }
      const goesOn = onMessage(bytes.subarray(at + FRAME_PREFIX_BYTES, end));
      at = end;
      if (!goesOn) return undefined;
    }
    if (at < bytes.length) {
      this.#chunks.push(bytes.subarray(at));
      this.#held = bytes.length - at;
    }
    return undefined;
  }
}
