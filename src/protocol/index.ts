/**
 * The session layer as pure machines: inputs in, effects out. No I/O, no clock, no timer, no promise: what is impure comes in
 * with `Env`, what is to be done goes out as an `Effect`. Does not know the bytes of the wire, tokens, or the application.
 *
 * Files are named after the upstream crate `session`, so that both can be read side by side.
 *
 * @packageDocumentation
 */
export { AppAnswers } from './app-answers.js';
export type { Answer } from './given-answers.js';
export type {
  CommandId,
  Delivered,
  DeliveryProgress,
  DeliveryState,
  Effect,
  EndReason,
  Env,
  Input,
  InviteProgress,
  LeftReason,
  MlsPolicy,
  MlsRequest,
  MlsResult,
  OutboundMessage,
  ProtectionState,
  QueuedMessages,
  RemoveProgress,
  RequestOrigin,
  RetryOf,
  Role,
  SessionCommand,
  SessionConfig,
  SessionMachine,
  SessionNotice,
  TimerKey,
} from './machine.js';
export { isPayloadMessage, RESERVED_METADATA } from './message-builder.js';
export { payloadBytes } from './payload-size.js';
export { type Route, routeInbound, SESSION_ID_LIMIT } from './session-layer.js';
export { SessionModerator } from './session-moderator.js';
export { SessionParticipant } from './session-participant.js';
export { cancelledError, queueFullError, SEND_QUEUE_MESSAGES } from './send-queue.js';
