/** The one method of a node. slim 0.7.0 `datapath/proto/v1/data_plane.proto`. */
export const OPEN_CHANNEL_PATH = '/dataplane.proto.v1.DataPlaneService/OpenChannel';

/** Largest encoded `Message`, in bytes; a limit of every hop, which ends the whole stream on anything larger (data-plane.md 1.3). */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/**
 * Largest encoded `Message` that an app may send, in bytes: each hop adds to it, so some room is left. {@link Connection.send} does
 * not check: the owner must, before it gives a message a place in its own order.
 */
export const MAX_FRAME_BYTES = MAX_MESSAGE_BYTES - 4 * 1024;

/** Bytes before each message: one flag byte (0 = not compressed) and the length as u32, big endian. */
export const FRAME_PREFIX_BYTES = 5;

/**
 * Writes messages as gRPC frames into one buffer, so that one write takes them all.
 *
 * @param messages - at least one
 */
export function encodeFrames(messages: readonly Uint8Array[]): Buffer {
  let totalBytes = 0;
  for (const message of messages) totalBytes += FRAME_PREFIX_BYTES + message.length;
  const frames = Buffer.allocUnsafe(totalBytes);
  let offset = 0;
  for (const message of messages) {
    offset = frames.writeUInt8(0, offset);
    offset = frames.writeUInt32BE(message.length, offset);
    frames.set(message, offset);
    offset += message.length;
  }
  return frames;
}

/**
 * Fills in the prefix of a frame.
 *
 * @param frame - the message, with {@link FRAME_PREFIX_BYTES} free bytes before it
 */
export function sealFrame(frame: Buffer): Buffer {
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(frame.length - FRAME_PREFIX_BYTES, 1);
  return frame;
}

/** Why a stream of frames cannot be read any further. */
export type FramingFault =
  | { readonly kind: 'compressed' }
  | { readonly kind: 'bad-frame' }
  | { readonly kind: 'too-large'; readonly bytes: number; readonly maxBytes: number };

/**
 * Cuts a byte stream into gRPC messages, whatever its chunks are. Each message is copied once, so it keeps no chunk alive and
 * belongs to whoever gets it. After a fault it takes nothing more: where the next frame begins is unknown.
 */
export class FrameDecoder {
  readonly #maxBytes: number;
  readonly #prefix = Buffer.alloc(FRAME_PREFIX_BYTES);
  #prefixBytes = 0;
  #message: Buffer | undefined;
  #messageBytes = 0;
  #fault: FramingFault | undefined;

  /** @param maxBytes - the largest message to accept */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes the next bytes and hands out each message that is complete with them.
   *
   * @returns the fault when the stream cannot be read
   */
  push(chunk: Buffer, onMessage: (message: Buffer) => void): FramingFault | undefined {
    let offset = 0;
    while (!this.#fault && offset < chunk.length) {
      if (!this.#message) offset = this.#readPrefix(chunk, offset);
      offset = this.#readMessage(chunk, offset, onMessage);
    }
    return this.#fault;
  }

  /** Takes what is there of the prefix; once it is complete there is a message to fill, or a fault. Returns the new offset. */
  #readPrefix(chunk: Buffer, offset: number): number {
    const missing = FRAME_PREFIX_BYTES - this.#prefixBytes;
    if (missing === FRAME_PREFIX_BYTES && chunk.length - offset >= FRAME_PREFIX_BYTES) {
      this.#begin(chunk.readUInt8(offset), chunk.readUInt32BE(offset + 1));
      return offset + FRAME_PREFIX_BYTES;
    }
    const taken = chunk.copy(this.#prefix, this.#prefixBytes, offset, offset + missing);
    this.#prefixBytes += taken;
    if (taken === missing) {
      this.#prefixBytes = 0;
      this.#begin(this.#prefix.readUInt8(0), this.#prefix.readUInt32BE(1));
    }
    return offset + taken;
  }

  /** Takes what is there of the message, if its prefix is complete. Returns the new offset. */
  #readMessage(chunk: Buffer, offset: number, onMessage: (message: Buffer) => void): number {
    const message = this.#message;
    if (!message) return offset;
    const taken = chunk.copy(message, this.#messageBytes, offset);
    this.#messageBytes += taken;
    if (this.#messageBytes === message.length) {
      this.#message = undefined;
      this.#messageBytes = 0;
      onMessage(message);
    }
    return offset + taken;
  }

  #begin(flag: number, bytes: number): void {
    if (flag !== 0) this.#fault = { kind: flag === 1 ? 'compressed' : 'bad-frame' };
    else if (bytes > this.#maxBytes) this.#fault = { kind: 'too-large', bytes, maxBytes: this.#maxBytes };
    // Small buffers come out of Node's pool, which costs a third of what a new Uint8Array does.
    else this.#message = Buffer.allocUnsafe(bytes);
  }
}
