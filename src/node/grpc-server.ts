import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';

import { OPEN_CHANNEL_PATH } from '../transport/index.js';
import { ConfigError, startTimer, type Timer } from '../util/index.js';
import { ClientStream, type ClientStreamOwner, type QueueLimits } from './client-stream.js';
import type { DisconnectReason, NodeLogEvent } from './log-event.js';
import type { MessageProcessor } from './message-processor.js';

/** How a {@link GrpcServer} treats its connections. */
export interface GrpcServerOptions {
  readonly queue: QueueLimits;
  /** Interval of HTTP/2 pings, in milliseconds. */
  readonly keepaliveMs: number;
  /** How long the answer to a ping may take, in milliseconds. */
  readonly keepaliveTimeoutMs: number;
}

// HTTP/2 flow control: the protocol's default of 64 KiB is one round trip per 64 KiB.
const STREAM_WINDOW_BYTES = 1024 * 1024;
const SESSION_WINDOW_BYTES = 4 * 1024 * 1024;
// Node refuses new streams on a connection that holds more; the queues have limits of their own.
const SESSION_MEMORY_MB = 256;
// How long orderly ends may take when the server closes, in milliseconds.
const GRACE_MS = 1_000;

interface Http2Peer {
  readonly remote: string;
  readonly connections: Set<ClientStream>;
  timer: Timer;
}

/**
 * The gRPC face of the node: listens, opens a {@link ClientStream} per OpenChannel stream, pings idle clients.
 *
 * Written on `node:http2` and not on the server of grpc-js, which cannot reset the stream of a client that does not read
 * (data-plane.md 6.7 case 38) and writes one message at a time. Measured on loopback with messages of 431 bytes, microseconds of
 * the server's CPU per publish to 1, 3 and 15 receivers, routing not included: grpc-js stream 8, 19, 127; grpc-js interceptor
 * 3.3, 5, 14; this 1.7, 1.7, 5.
 */
export class GrpcServer implements ClientStreamOwner {
  readonly #server: Http2Server;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Map<ServerHttp2Session, Http2Peer>();
  readonly #processor: MessageProcessor<ClientStream>;
  readonly #options: GrpcServerOptions;
  readonly #log: (event: NodeLogEvent) => void;
  #isClosing = false;

  constructor(
    processor: MessageProcessor<ClientStream>,
    log: (event: NodeLogEvent) => void,
    options: GrpcServerOptions,
  ) {
    this.#processor = processor;
    this.#log = log;
    this.#options = options;
    this.#server = createServer({
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: { initialWindowSize: STREAM_WINDOW_BYTES },
    });
    this.#server.on('connection', (socket: Socket) => {
      // A session refuses to do this for its socket.
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.once('close', () => {
        this.#sockets.delete(socket);
      });
    });
    this.#server.on('session', (session) => {
      this.#onSession(session);
    });
    this.#server.on('stream', (stream, headers) => {
      this.#onStream(stream, headers);
    });
  }

  /**
   * Starts to listen.
   *
   * @returns the address it listens at
   * @throws ConfigError `port-in-use`, or `bad-config` for an address that this machine does not have or may not use
   */
  listen(host: string, port: number): Promise<AddressInfo> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const code = cause.code === 'EADDRINUSE' ? 'port-in-use' : 'bad-config';
        const problem = code === 'port-in-use' ? 'another program uses this port' : (cause.code ?? cause.message);
        reject(new ConfigError(code, `Cannot listen at ${host} port ${port}: ${problem}.`, { cause }));
      });
      server.listen({ host, port }, () => {
        server.removeAllListeners('error');
        // Errors of a listening server are those of single sockets (too many files, for one): the others go on.
        server.on('error', () => undefined);
        resolve(server.address() as AddressInfo);
      });
    });
  }

  /** Ends all streams with OK, then everything that is left after a second. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    for (const [session, { connections }] of this.#sessions) {
      for (const connection of connections) connection.end('shutdown');
      session.close();
    }
    const timer = startTimer(GRACE_MS, () => {
      // Not session.destroy(): of a session that is closing it waits for the client to close the socket.
      for (const socket of this.#sockets) socket.destroy();
    });
    await closed;
    timer.cancel();
  }

  onDetached(connection: ClientStream, reason: DisconnectReason): void {
    this.#log({ kind: 'disconnected', connection: connection.index, reason });
  }

  onCutOff(connection: ClientStream, frames: number, bytes: number): void {
    this.#log({ kind: 'cut-off', connection: connection.index, frames, bytes });
  }

  #onSession(session: ServerHttp2Session): void {
    const { socket } = session;
    const state: Http2Peer = {
      remote: `${socket.remoteAddress ?? 'unknown'} port ${socket.remotePort ?? 0}`,
      connections: new Set(),
      timer: this.#pingLater(session),
    };
    this.#sessions.set(session, state);
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    session.on('error', (error: NodeJS.ErrnoException) => {
      // Bytes that are not HTTP/2. Other errors end the session too, and need no word: its streams say that they are lost.
      if (error.code === 'ERR_HTTP2_ERROR') {
        this.#log({ kind: 'refused', remote: state.remote, reason: 'not-http2' });
      }
    });
    session.on('close', () => {
      state.timer.cancel();
      this.#sessions.delete(session);
    });
  }

  /** Upstream `sv.rs:KeepaliveServerParameters`: so a client that vanished without a word is noticed. */
  #pingLater(session: ServerHttp2Session): Timer {
    const ping = (): void => {
      this.#ping(session);
    };
    return startTimer(this.#options.keepaliveMs, ping, { keepsAlive: false });
  }

  #ping(session: ServerHttp2Session): void {
    const state = this.#sessions.get(session);
    if (state === undefined || session.destroyed) return;
    const giveUp = (): void => {
      this.#log({ kind: 'keepalive-timeout', remote: state.remote });
      session.destroy();
    };
    const timer = startTimer(this.#options.keepaliveTimeoutMs, giveUp, { keepsAlive: false });
    state.timer = timer;
    session.ping((error: Error | null) => {
      timer.cancel();
      if (error === null && this.#sessions.has(session)) state.timer = this.#pingLater(session);
    });
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const state = stream.session === undefined ? undefined : this.#sessions.get(stream.session as ServerHttp2Session);
    if (state === undefined || this.#isClosing) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    const refusal = refusalOf(headers);
    if (refusal !== undefined) {
      this.#log({ kind: 'refused', remote: state.remote, reason: refusal.reason });
      stream.on('error', () => undefined);
      stream.respond(refusal.headers, { endStream: true });
      return;
    }
    const connection = new ClientStream(stream, this.#processor, this, this.#options.queue);
    state.connections.add(connection);
    stream.on('close', () => {
      state.connections.delete(connection);
    });
    this.#log({ kind: 'connected', connection: connection.index, remote: state.remote });
  }
}

function refusalOf(
  headers: IncomingHttpHeaders,
):
  | { readonly reason: 'not-grpc' | 'unknown-method'; readonly headers: Readonly<Record<string, string | number>> }
  | undefined {
  const contentType = headers['content-type'] ?? '';
  if (headers[':method'] !== 'POST' || !/^application\/grpc($|[+;])/.test(contentType)) {
    return { reason: 'not-grpc', headers: { ':status': 415 } };
  }
  if (headers[':path'] === OPEN_CHANNEL_PATH) return undefined;
  return {
    reason: 'unknown-method',
    headers: {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': '12',
      'grpc-message': 'this node serves only OpenChannel of dataplane.proto.v1.DataPlaneService',
    },
  };
}
