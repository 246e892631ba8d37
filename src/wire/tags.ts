// The fields of the messages that are read and written by hand here, as they stand before a value: field number and wire type.
// Names are close to those in `proto/`; the fields of commands are in the generated code.

/** Wire type of integers and booleans. */
export const VARINT = 0;
/** Wire type of texts, bytes and messages. */
export const LENGTH_DELIMITED = 2;

/** The tag of an integer or a boolean. */
export function varint(field: number): number {
  return (field << 3) | VARINT;
}

/** The tag of a text, of bytes or of a message. */
export function delimited(field: number): number {
  return (field << 3) | LENGTH_DELIMITED;
}

/** Fields of `Message`. */
export const MESSAGE = {
  subscribe: delimited(1),
  unsubscribe: delimited(2),
  publish: delimited(3),
  metadata: delimited(4),
  link: delimited(5),
  subscriptionAck: delimited(6),
} as const;

/** Fields of an entry of `Message.metadata`. */
export const METADATA_ENTRY = { key: delimited(1), value: delimited(2) } as const;

/** Fields of `Subscribe` and `Unsubscribe`. */
export const SUBSCRIPTION = { header: delimited(1), subscriptionId: varint(2) } as const;

/** Fields of `Publish`. */
export const PUBLISH = { header: delimited(1), session: delimited(2), content: delimited(3) } as const;

/** Fields of `SLIMHeader`. */
export const SLIM_HEADER = {
  source: delimited(1),
  destination: delimited(2),
  fanout: varint(3),
  identity: delimited(4),
  recvFrom: varint(5),
  forwardTo: varint(6),
  incomingConn: varint(7),
  error: varint(8),
} as const;

/** Fields of `SessionHeader`. */
export const SESSION_HEADER = {
  sessionType: varint(1),
  messageType: varint(2),
  sessionId: varint(3),
  messageId: varint(4),
} as const;

/** Fields of `Content`. */
export const CONTENT = { application: delimited(1), command: delimited(2) } as const;

/** Fields of `ApplicationPayload`. */
export const APPLICATION_PAYLOAD = { payloadType: delimited(1), blob: delimited(2) } as const;

/** Fields of `Link`. */
export const LINK = { negotiation: delimited(1) } as const;

/** Fields of `LinkNegotiationPayload`. */
export const LINK_NEGOTIATION = { linkId: delimited(1), slimVersion: delimited(2), isReply: varint(3) } as const;

/** Fields of `SubscriptionAck`. */
export const SUBSCRIPTION_ACK = { subscriptionId: varint(1), success: varint(2), error: delimited(3) } as const;

/** Fields of `Name`: its two halves. */
export const NAME = { numbers: delimited(1), strings: delimited(2) } as const;
