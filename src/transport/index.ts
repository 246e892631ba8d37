/**
 * Streams of bytes to a node: the interface, over gRPC, and in memory; and what the configuration of a connection says. The only
 * folder besides `node/` that knows gRPC.
 *
 * Invariants: frames of one stream keep their order and are never dropped while it lives; each stream ends with exactly one
 * `onEnd`; foreign errors become errors of this package here and nowhere else; no error holds a secret.
 *
 * It must not know what the bytes mean, what a session is, or when to try again.
 *
 * @packageDocumentation
 */
export type { AuthConfig } from './auth-config.js';
export { type BackoffConfig, backoffDelayMs } from './backoff.js';
export { type ClientConfig, type KeepaliveConfig, parseClientConfig } from './client-config.js';
export {
  DEFAULT_ENDPOINT,
  DEFAULT_HOST,
  DEFAULT_PORT,
  type Endpoint,
  formatEndpoint,
  isLoopback,
  parseEndpoint,
} from './endpoint.js';
export {
  encodeFrames,
  FRAME_PREFIX_BYTES,
  FrameDecoder,
  type FramingFault,
  MAX_FRAME_BYTES,
  MAX_MESSAGE_BYTES,
  OPEN_CHANNEL_PATH,
  sealFrame,
} from './grpc-framing.js';
export { GrpcTransport } from './grpc-transport.js';
export type { MemoryConnection } from './memory-connection.js';
export type { LinkOptions } from './memory-link.js';
export {
  createMemoryPair,
  type MemoryAcceptor,
  MemoryTransport,
  type MemoryTransportOptions,
} from './memory-transport.js';
export type { PemSource, TlsConfig } from './tls-config.js';
export type { Connection, ConnectionHandlers, Transport } from './transport.js';
