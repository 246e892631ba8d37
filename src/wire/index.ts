/**
 * Generation 1 of the SLIM wire: bytes to plain objects and back. Knows names and protobuf, nothing of sessions or sockets.
 * A second generation is a second codec behind the same types.
 *
 * @packageDocumentation
 */
export { decodeMessage, encodeMessage } from './codec.js';
export {
  type Content,
  type DecodedMessage,
  type LinkMessage,
  MessageType,
  type Metadata,
  type MlsPayload,
  type PublishMessage,
  type SessionHeader,
  SessionType,
  type SlimHeader,
  type SlimMessage,
  type SubscriptionAckMessage,
  type SubscriptionMessage,
  type TimerSettings,
} from './messages.js';
