/**
 * Generation 1 of the SLIM wire: bytes to plain objects and back. Knows names and protobuf, nothing of sessions or sockets.
 * A second generation is a second codec behind the same types; so far it is only recognised (`generation.ts`).
 *
 * Decoding never throws, and gives nothing that shares memory with the frame. Encoding gives the bytes of the reference encoder.
 * What is in every message is coded by hand; `generated/` has the rare command payloads (scripts/generate-proto.mjs).
 *
 * @packageDocumentation
 */
export { decodeMessage, encodeMessage } from './codec.js';
export { encodeGenerationQuestion, parseSlimVersion, type SlimVersion } from './generation.js';
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
