/**
 * The embedded message node: SLIM's data plane (generation 1, 0.7.0 ... 1.4.0) for members on one computer or in one network.
 * {@link SlimNode} is all that others need, and `parseListen` for its command line.
 *
 * Inside, from pure to wet: `Router` (who gets what), `relay` (bytes in, the same bytes with `incoming_conn` out),
 * `MessageProcessor` (what a message means to a node), `ClientStream` and `GrpcServer` (HTTP/2, queues, ends).
 *
 * Invariants: a publish never returns to the connection it came from. Between two connections messages keep their order.
 * Nothing that a client sends throws, ends another client's stream, or leaves something behind when the client is gone.
 * Forwarded contents are opaque: checked for being decodable, never changed.
 *
 * It must not know sessions, identities, MLS, or anything of apps and chats. It does not talk to other nodes.
 *
 * @packageDocumentation
 */
export { type ListenAddress, parseListen } from './listen-address.js';
export type { DisconnectReason, DropReason, NodeLogEvent } from './log-event.js';
export { type NodeStats, SlimNode, type SlimNodeOptions } from './slim-node.js';
