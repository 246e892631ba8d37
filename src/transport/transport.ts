import type { SlimError } from '../util/index.js';

import type { BackoffConfig } from './backoff.js';

/**
 * What a {@link Connection} tells its owner. Called one at a time, never from inside {@link Connection.send}, and not before the
 * code that waits for {@link Transport.open} has gone on.
 */
export interface ConnectionHandlers {
  /** One encoded `Message` arrived. The bytes belong to the handler. */
  onFrame(frame: Uint8Array): void;
  /** The connection takes frames again after `send` returned false. */
  onDrain(): void;
  /**
   * The stream is over, whoever ended it, and no other call follows. `undefined` after {@link Connection.close}. If the node ended it
   * itself and not the network, `details.grpcStatus` is the status it gave.
   */
  onEnd(error: SlimError | undefined): void;
}

/** One open bidirectional stream to a node. */
export interface Connection {
  /**
   * Hands one encoded `Message` over, in order. Never throws; after the end, and after `close`, it drops the frame. The
   * bytes must not change afterwards. The frame is taken in any case; what the owner sends in spite of a false is only memory.
   * Must not be larger than `MAX_FRAME_BYTES`: the node would end the stream.
   *
   * @returns false when the owner should wait for `onDrain` before the next frame
   */
  send(frame: Uint8Array): boolean;
  /**
   * Says that what was sent has to be answered in so many milliseconds, or its sender takes it for failed. A connection that is
   * dead ends before that, if it can find out. Without it, it is only found out whenever the transport looks.
   */
  expectAnswer?(withinMs: number): void;
  /** Ends the stream in order: what was sent is still delivered. Resolves when it is over, after 1 s at most. Idempotent. */
  close(): Promise<void>;
}

/** How to reach one node. Makes streams; does not retry, does not know what the frames mean. */
export interface Transport {
  /** For people: where this goes. Never holds credentials. */
  readonly endpoint: string;
  /** What the configuration says about retries, for whoever does them. */
  readonly backoff?: BackoffConfig | undefined;
  /**
   * One attempt to open a stream; usable as soon as it resolves (the node's response headers have arrived).
   *
   * @throws ConnectionError `refused`, `dns`, `tls`, `not-a-slim-node`, `connect-timeout`, `unreachable`
   * @throws AuthError `credentials-rejected`: not worth a retry
   * @throws ConfigError `bad-config`: a file that the configuration names cannot be read; not worth a retry
   * @throws SessionError `aborted`, or `closed` after {@link Transport.close}
   */
  open(handlers: ConnectionHandlers, signal?: AbortSignal): Promise<Connection>;
  /** Releases everything. Open connections end. */
  close(): void;
}
