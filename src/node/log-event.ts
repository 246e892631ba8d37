/** Why the node did not forward or obey a message. */
export type DropReason =
  /** Not protobuf of this schema, or text that is not UTF-8. */
  | 'undecodable'
  /** No message type, or one this node does not know. */
  | 'unknown-type'
  /** A part that every such message has is missing. */
  | 'incomplete'
  /** A part is there twice. */
  | 'ambiguous'
  /** Nobody else is subscribed to the destination. */
  | 'no-match'
  /** Larger than a message may be, after this node added its part. */
  | 'too-large'
  /** An unsubscribe of something that is not subscribed. */
  | 'not-subscribed'
  /** A link message that is no request, comes twice, or has a bad id or version. */
  | 'bad-link'
  /** A kind that only nodes send. */
  | 'unexpected';

/** Why a connection ended. */
export type DisconnectReason =
  /** The client ended its side. */
  | 'half-close'
  /** The client cancelled, or its socket went away. */
  | 'lost'
  /** The client did not read, and its queue was full. */
  | 'cut-off'
  /** The client sent a message that is too large. */
  | 'too-large'
  /** The client sent bytes that are no uncompressed gRPC messages. */
  | 'bad-frame'
  /** The client speaks another generation of the protocol. */
  | 'other-generation'
  /** The node is closing. */
  | 'shutdown';

/** What the node reports to whoever runs it. Texts are safe for a terminal: nothing in them controls one. */
export type NodeLogEvent =
  | { readonly kind: 'listening'; readonly endpoint: string }
  | { readonly kind: 'connected'; readonly connection: number; readonly remote: string }
  | { readonly kind: 'disconnected'; readonly connection: number; readonly reason: DisconnectReason }
  | { readonly kind: 'subscribed' | 'unsubscribed'; readonly connection: number; readonly name: string }
  | { readonly kind: 'dropped'; readonly connection: number; readonly reason: DropReason }
  /** A client of SLIM 2 or later: `version` is what it says of itself, at most 64 characters. Once for each connection, which then ends. */
  | { readonly kind: 'turned-away'; readonly connection: number; readonly version: string }
  /** Follows no request of the client's: it did not read `frames` messages of `bytes` bytes. */
  | { readonly kind: 'cut-off'; readonly connection: number; readonly frames: number; readonly bytes: number }
  /** Something that is no SLIM client knocked. */
  | { readonly kind: 'refused'; readonly remote: string; readonly reason: 'not-http2' | 'not-grpc' | 'unknown-method' }
  | { readonly kind: 'keepalive-timeout'; readonly remote: string }
  | { readonly kind: 'closed' };
