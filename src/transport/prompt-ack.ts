import type { ClientHttp2Session } from 'node:http2';

/** HTTP/2's largest window. */
const MAX_WINDOW_BYTES = 2 ** 31 - 1;

/**
 * Makes the kernel acknowledge what has arrived without its usual delay, when nothing is sent anyway that would carry the
 * acknowledgement.
 *
 * SLIM's nodes leave Nagle's algorithm on (data-plane.md 1.4): while one small packet is not acknowledged they hold the next one
 * back, and TCP delays a lone acknowledgement by 40 ms. So the answers of a second and third member came 40 ms late, each time.
 * Node.js cannot switch the delay off; but any outgoing bytes carry the acknowledgement along, and the smallest that HTTP/2 has
 * and nobody answers is a window update: 13 bytes that grant one byte more. Measured on a real 1.4 node with three members: a
 * message is acknowledged by all in 1.9 ms instead of 44, three invitations take 18 ms instead of 145.
 *
 * @internal
 */
export class PromptAck {
  readonly #session: ClientHttp2Session;
  #windowBytes: number;

  /**
   * @param windowBytes - the connection's receive window as it was set
   */
  constructor(session: ClientHttp2Session, windowBytes: number) {
    this.#session = session;
    this.#windowBytes = windowBytes;
  }

  /** Call this while received data is being handled: only then Node.js sends the update at once. */
  send(): void {
    if (this.#session.destroyed || this.#windowBytes >= MAX_WINDOW_BYTES) return;
    this.#windowBytes += 1;
    this.#session.setLocalWindowSize(this.#windowBytes);
  }
}
