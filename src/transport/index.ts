/**
 * Streams of bytes to a node: the interface, over gRPC, and in memory. The only folder besides `node/` that knows gRPC. Knows
 * nothing of what the bytes mean.
 *
 * @packageDocumentation
 */
export type { Connection, ConnectionHandlers, Transport } from './transport.js';
