import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
  sensitiveHeaders,
} from 'node:http2';
import type { Socket } from 'node:net';

import { assertNever, ConfigError, type SlimError, startTimer } from '../util/index.js';

import { Attempts } from './attempts.js';
import type { AuthConfig } from './auth-config.js';
import type { BackoffConfig } from './backoff.js';
import { type ClientConfig, parseClientConfig } from './client-config.js';
import { noResponseError, responseError, timeoutError } from './connection-errors.js';
import { dial, readConfigFile } from './dial.js';
import { authorityOf } from './endpoint.js';
import { GrpcConnection, WINDOW_BYTES } from './grpc-connection.js';
import { OPEN_CHANNEL_PATH } from './grpc-framing.js';
import type { Connection, ConnectionHandlers, Transport } from './transport.js';

/**
 * Streams to a node over gRPC, each on a connection of its own, as upstream has it.
 *
 * It speaks gRPC's framing on `node:http2` and not through `\@grpc/grpc-js` 1.14, for what was measured there on loopback with
 * 200-byte messages: that library puts each message into a write of its own and waits for it, whichever of its interfaces one
 * takes (16 us of CPU and a system call each, 70 000 a second); this class needs 0.5 us, and 80 system calls for 20 000
 * messages (900 000 a second). Receiving costs a third. And failures come with their codes, not as text to be searched.
 */
export class GrpcTransport implements Transport {
  readonly #config: ClientConfig;
  readonly #attempts: Attempts;
  readonly #connections = new Set<Connection>();

  /**
   * @param config - parsed, or what {@link parseClientConfig} takes
   * @throws ConfigError `bad-config`, `unsupported-config`
   */
  constructor(config: ClientConfig | string) {
    this.#config = typeof config === 'string' ? parseClientConfig(config) : config;
    this.#attempts = new Attempts(this.#config.endpoint);
  }

  get endpoint(): string {
    return this.#config.endpoint;
  }

  get backoff(): BackoffConfig | undefined {
    return this.#config.backoff;
  }

  open(handlers: ConnectionHandlers, signal?: AbortSignal): Promise<Connection> {
    return this.#attempts.run(signal, (attempt) => this.#open(handlers, attempt));
  }

  async #open(handlers: ConnectionHandlers, attempt: AbortController): Promise<Connection> {
    const config = this.#config;
    const authorization = await authorizationHeader(config.auth);
    const socket = await withTimeout(config.connectTimeoutMs, attempt, timeoutError(config, 'connect'), () =>
      dial(config, attempt.signal),
    );
    return withTimeout(config.requestTimeoutMs, attempt, timeoutError(config, 'response'), () =>
      openStream(config, socket, authorization, attempt.signal, (session, stream) =>
        this.#connection(session, stream, socket, handlers),
      ),
    );
  }

  #connection(
    session: ClientHttp2Session,
    stream: ClientHttp2Stream,
    socket: Socket,
    handlers: ConnectionHandlers,
  ): Connection {
    const connection = new GrpcConnection(this.#config, session, stream, socket, {
      onFrame: (frame) => handlers.onFrame(frame),
      onDrain: () => handlers.onDrain(),
      onEnd: (error) => {
        this.#connections.delete(connection);
        handlers.onEnd(error);
      },
    });
    this.#connections.add(connection);
    return connection;
  }

  close(): void {
    this.#attempts.close();
    for (const connection of this.#connections) void connection.close();
  }
}

/** Runs one phase of an attempt; aborts the attempt when it takes too long. */
async function withTimeout<T>(
  timeoutMs: number,
  attempt: AbortController,
  error: SlimError,
  run: () => Promise<T>,
): Promise<T> {
  const timer = timeoutMs === 0 ? undefined : startTimer(timeoutMs, () => attempt.abort(error));
  try {
    return await run();
  } finally {
    timer?.cancel();
  }
}

/**
 * Starts HTTP/2 on a connected socket, makes the request and waits for an answer that is one of an open gRPC stream.
 *
 * @param onOpen - takes the stream over, inside the event that says it is open: the next one may be its end
 */
function openStream(
  config: ClientConfig,
  socket: Socket,
  authorization: string | undefined,
  signal: AbortSignal,
  onOpen: (session: ClientHttp2Session, stream: ClientHttp2Stream) => Connection,
): Promise<Connection> {
  if (socket.destroyed) return Promise.reject(noResponseError(config, undefined, socket.bytesRead));
  const session = connect(config.endpoint, {
    createConnection: () => socket,
    settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
    // Node's own limit counts what is waiting to be sent and read, and breaks the connection in the middle of a burst.
    maxSessionMemory: Number.MAX_SAFE_INTEGER,
  });
  // Not before the node has acknowledged our settings: with Nagle's algorithm on it holds its response back until TCP has acknowledged
  // that small packet, and only something that goes out saves that from TCP's delay of 40 ms (see PromptAck).
  session.once('localSettings', () => session.setLocalWindowSize(WINDOW_BYTES));
  // Each error of the session is one of its stream too; here it would end the process if nobody listened.
  session.on('error', () => undefined);
  const stream = session.request(requestHeaders(config, authorization));

  return new Promise((resolve, reject) => {
    let streamError: unknown;
    const onError = (error: unknown): void => {
      streamError ??= error;
    };
    const onClose = (): void => fail(noResponseError(config, streamError, socket.bytesRead));
    const onAbort = (): void => fail(signal.reason as Error);
    const onResponse = (headers: Parameters<typeof responseError>[1]): void => {
      const error = responseError(config, headers);
      if (error) {
        fail(error);
      } else {
        settle();
        resolve(onOpen(session, stream));
      }
    };
    const settle = (): void => {
      stream.off('response', onResponse).off('error', onError).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (error: Error): void => {
      settle();
      stream.on('error', () => undefined);
      session.destroy();
      reject(error);
    };
    stream.on('response', onResponse).on('error', onError).on('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}

function requestHeaders(config: ClientConfig, authorization: string | undefined): OutgoingHttpHeaders {
  return {
    ':method': 'POST',
    ':scheme': config.origin?.scheme ?? (config.secure ? 'https' : 'http'),
    ':authority': config.origin?.authority ?? authorityOf(config),
    ':path': OPEN_CHANNEL_PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'slim-chat',
    ...Object.fromEntries(config.headers),
    ...(authorization === undefined ? {} : { authorization }),
    // Kept out of the compression tables of proxies.
    [sensitiveHeaders]: ['authorization'],
  };
}

/** slim 0.7.0 `config/src/auth/{basic,static_jwt}.rs`; unlike there, a token that cannot be read is an error at once. */
async function authorizationHeader(auth: AuthConfig): Promise<string | undefined> {
  switch (auth.kind) {
    case 'none':
      return undefined;
    case 'basic':
      return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
    case 'static-jwt': {
      const token = (await readConfigFile(auth.file, 'auth.file')).trim();
      if (!/^[\x21-\x7e]+$/.test(token)) {
        const message = 'configuration of the connection: auth.file does not hold one token';
        throw new ConfigError('bad-config', message, { details: { path: 'auth.file' } });
      }
      return `Bearer ${token}`;
    }
    default:
      return assertNever(auth);
  }
}
