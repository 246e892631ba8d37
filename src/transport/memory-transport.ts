import { Attempts } from './attempts.js';
import type { BackoffConfig } from './backoff.js';
import { MemoryConnection } from './memory-connection.js';
import type { LinkOptions } from './memory-link.js';
import type { Connection, ConnectionHandlers, Transport } from './transport.js';

/**
 * Plays the node: gets its end of each new stream and says who listens to it. The stream is open for the other side when this
 * has returned or its promise has resolved; what it throws is what `open` rejects with.
 */
export type MemoryAcceptor = (connection: MemoryConnection) => ConnectionHandlers | Promise<ConnectionHandlers>;

/** How {@link MemoryTransport} behaves. */
export interface MemoryTransportOptions extends LinkOptions {
  /** What {@link Transport.endpoint} says. Default `memory`. */
  readonly endpoint?: string;
  /** What {@link Transport.backoff} says. */
  readonly backoff?: BackoffConfig;
}

/** Streams inside one process, for tests and demos, on a line that can be made slow and bad. */
export class MemoryTransport implements Transport {
  readonly endpoint: string;
  readonly backoff: BackoffConfig | undefined;
  readonly #accept: MemoryAcceptor;
  readonly #options: LinkOptions;
  readonly #attempts: Attempts;
  readonly #connections = new Set<Connection>();

  /**
   * @param accept - the other side
   * @param options - how good the line is
   */
  constructor(accept: MemoryAcceptor, options: MemoryTransportOptions = {}) {
    this.endpoint = options.endpoint ?? 'memory';
    this.backoff = options.backoff;
    this.#accept = accept;
    this.#options = options;
    this.#attempts = new Attempts(this.endpoint);
  }

  open(handlers: ConnectionHandlers, signal?: AbortSignal): Promise<Connection> {
    return this.#attempts.run(signal, async (attempt) => {
      const [near, far] = MemoryConnection.pair(this.#options);
      try {
        await Promise.race([this.#offer(far), rejectionOf(attempt.signal)]);
      } catch (error) {
        near.cut();
        throw error;
      }
      this.#connections.add(near);
      near.attach({
        onFrame: (frame) => handlers.onFrame(frame),
        onDrain: () => handlers.onDrain(),
        onEnd: (error) => {
          this.#connections.delete(near);
          handlers.onEnd(error);
        },
      });
      return near;
    });
  }

  async #offer(far: MemoryConnection): Promise<void> {
    far.attach(await this.#accept(far));
  }

  close(): void {
    this.#attempts.close();
    for (const connection of this.#connections) void connection.close();
  }
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
}

/**
 * Makes one stream and gives both ends of it, for tests that need no transport.
 *
 * @param near - listens at the first end
 * @param far - listens at the second end
 * @param options - how good the line is
 */
export function createMemoryPair(
  near: ConnectionHandlers,
  far: ConnectionHandlers,
  options: LinkOptions = {},
): [MemoryConnection, MemoryConnection] {
  const pair = MemoryConnection.pair(options);
  pair[0].attach(near);
  pair[1].attach(far);
  return pair;
}
