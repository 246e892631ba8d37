import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';

import { startTimer, type Timer } from '../util/index.js';

/** HTTP/2's largest window. */
const MAX_WINDOW_BYTES = 2 ** 31 - 1;

const NOTHING = new Uint8Array(0);

/** How long something else may take to carry the acknowledgement, in milliseconds. */
const PATIENCE_MS = 1;

/**
 * Makes the kernel acknowledge what has arrived without its usual delay, when nothing is sent anyway that would carry the
 * acknowledgement.
 *
 * SLIM's nodes leave Nagle's algorithm on (data-plane.md 1.4): while one small packet is not acknowledged they hold the next one
 * back, and TCP delays a lone acknowledgement by 40 ms. So the answers of a second and third member came 40 ms late, each time.
 * Node.js cannot switch the delay off; but any outgoing bytes carry the acknowledgement along. The smallest that HTTP/2 has and
 * nobody answers is a window update, 13 bytes that grant one byte more. (A ping would not do: its answer is one more packet that
 * waits to be acknowledged.) Not at once: under load the own messages do it, and what the node has gathered meanwhile comes in one
 * packet. Measured on a real 1.4 node: with three members a message is acknowledged by all in 2 ms instead of 44; with
 * sixteen, acknowledging at once cost a third of the messages per second.
 *
 * @internal
 */
export class PromptAck {
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  #windowBytes: number;
  #timer: Timer | undefined;
  #isOwed = false;

  /**
   * @param windowBytes - the connection's receive window as it was set
   */
  constructor(session: ClientHttp2Session, stream: ClientHttp2Stream, windowBytes: number) {
    this.#session = session;
    this.#stream = stream;
    this.#windowBytes = windowBytes;
  }

  /** Something arrived. */
  onReceived(): void {
    this.#isOwed = true;
    this.#timer ??= startTimer(PATIENCE_MS, () => {
      this.#timer = undefined;
      this.#pay();
    });
  }

  /** Something is written; it carries the acknowledgement. */
  onWritten(): void {
    this.#isOwed = false;
  }

  /** The connection is over. */
  stop(): void {
    this.#timer?.cancel();
    this.#isOwed = false;
  }

  #pay(): void {
    if (!this.#isOwed || !this.#stream.writable || this.#windowBytes >= MAX_WINDOW_BYTES) return;
    this.#isOwed = false;
    this.#windowBytes += 1;
    this.#session.setLocalWindowSize(this.#windowBytes);
    // Node.js keeps the update until something else is written; an empty write is none, and enough.
    this.#stream.write(NOTHING);
  }
}
