import { randomInt } from 'node:crypto';

import { DEFAULT_HOST, DEFAULT_PORT } from '../transport/index.js';
import type { ClientStream } from './client-stream.js';
import { defaultQueueLimits } from './client-stream.js';
import { GrpcServer, type GrpcServerOptions } from './grpc-server.js';
import type { NodeLogEvent } from './log-event.js';
import { MessageProcessor } from './message-processor.js';

/** Options of {@link SlimNode.start}. */
export interface SlimNodeOptions {
  /** IP address or host name to listen at; default 127.0.0.1. There is no encryption and no password: mind who can reach it. */
  readonly host?: string;
  /** Default 46357; 0 = any free one. */
  readonly port?: number;
  /** Gets what the node reports. What it throws is ignored. */
  readonly log?: (event: NodeLogEvent) => void;
}

/** Numbers of a running node. */
export interface NodeStats {
  /** Open connections. */
  readonly connections: number;
  /** Pairs of a connection and a name it is subscribed to. */
  readonly subscriptions: number;
  /** Messages that arrived since the start. */
  readonly received: number;
  /** Copies queued for a connection since the start. */
  readonly forwarded: number;
  /** Messages not obeyed, or with nobody to go to, since the start. */
  readonly dropped: number;
}

// Ping times are upstream's (sv.rs:KeepaliveServerParameters).
const serverOptions: GrpcServerOptions = {
  queue: defaultQueueLimits,
  keepaliveMs: 120_000,
  keepaliveTimeoutMs: 20_000,
};

/** A SLIM message node inside this process: clients of 0.7 ... 1.4 connect to it as to a real one. */
export class SlimNode {
  /** The port it listens at. */
  readonly port: number;
  /** What a client on this computer connects to, as `http://host:port`. */
  readonly endpoint: string;

  readonly #server: GrpcServer;
  readonly #processor: MessageProcessor<ClientStream>;
  readonly #log: (event: NodeLogEvent) => void;
  #closed: Promise<void> | undefined;

  private constructor(
    server: GrpcServer,
    processor: MessageProcessor<ClientStream>,
    log: (event: NodeLogEvent) => void,
    host: string,
    port: number,
  ) {
    this.#server = server;
    this.#processor = processor;
    this.#log = log;
    this.port = port;
    this.endpoint = `http://${dialable(host)}:${port}`;
  }

  /**
   * Starts a node; it accepts clients as soon as this resolves.
   *
   * @throws ConfigError `port-in-use` when another program listens there, `bad-config` when this computer cannot listen there
   */
  static async start(options: SlimNodeOptions = {}): Promise<SlimNode> {
    const { host = DEFAULT_HOST, port = DEFAULT_PORT } = options;
    const log = guarded(options.log);
    const processor = new MessageProcessor<ClientStream>(log, randomBelow);
    const server = new GrpcServer(processor, log, serverOptions);
    const address = await server.listen(host, port);
    const node = new SlimNode(server, processor, log, host, address.port);
    log({ kind: 'listening', endpoint: node.endpoint });
    return node;
  }

  /** The current numbers. */
  stats(): NodeStats {
    const { connectionCount, subscriptionCount, counts } = this.#processor;
    return { connections: connectionCount, subscriptions: subscriptionCount, ...counts };
  }

  /** Ends every stream in order and stops listening; takes a second at most. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#server.close().then(() => {
      this.#log({ kind: 'closed' });
    });
    return this.#closed;
  }
}

function randomBelow(limit: number): number {
  return limit < 2 ? 0 : randomInt(limit);
}

/** A listener that fails must not take connections of strangers down with it. */
function guarded(log: ((event: NodeLogEvent) => void) | undefined): (event: NodeLogEvent) => void {
  return (event) => {
    try {
      log?.(event);
    } catch {
      // There is nobody to tell: this was the one who is told.
    }
  };
}

/** Addresses that mean "all of this computer" are none to connect to. */
function dialable(host: string): string {
  if (host === '0.0.0.0' || host === '') return DEFAULT_HOST;
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
