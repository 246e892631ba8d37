/**
 * The public library: connect an app, create or join sessions, publish and receive. Runs the machines of `protocol/` over a
 * transport; owns timers, queues and promises. Does not know terminals, the chat, or gRPC.
 *
 * @packageDocumentation
 */
export {
  type JwkSet,
  type JwtAlgorithm,
  type JwtKeys,
  JwtSigner,
  type JwtSignerOptions,
  JwtVerifier,
  type JwtVerifierOptions,
  type TokenProblem,
  type TokenProvider,
  type TokenVerifier,
  type VerifiedToken,
} from '../auth/index.js';
export { Name, type NameId, NULL_ID } from '../name/index.js';
export {
  type AuthConfig,
  type BackoffConfig,
  type ClientConfig,
  type Connection,
  type ConnectionHandlers,
  DEFAULT_ENDPOINT,
  type Endpoint,
  type KeepaliveConfig,
  MAX_FRAME_BYTES,
  parseClientConfig,
  type PemSource,
  type TlsConfig,
  type Transport,
} from '../transport/index.js';
export {
  AuthError,
  ConfigError,
  ConnectionError,
  DeliveryError,
  type ErrorCode,
  InternalError,
  MlsError,
  type MlsErrorCode,
  SessionError,
  SlimError,
  type SlimErrorOptions,
  UsageError,
  type WaitOptions,
} from '../util/index.js';
export type { Metadata } from '../wire/index.js';
export {
  type CreateSessionOptions,
  DEFAULT_MAX_RETRIES,
  DEFAULT_TIMEOUT_MS,
  type SlimAppOptions,
} from './app-options.js';
// Types only: the library makes these, nobody else has what they are made of.
export type { CompletionHandle } from './completion-handle.js';
export type {
  AppEvent,
  CloseReason,
  ConnectionState,
  Protection,
  ReceivedMessage,
  SessionEvent,
  WarningCode,
} from './events.js';
export type {
  DeliveryState,
  InviteProgress,
  LeftReason,
  MlsPolicy,
  ProtectionState,
  RemoveProgress,
  RequestOrigin,
  Role,
} from '../protocol/index.js';
export type { AcceptInvitation, Invitation } from './invitations.js';
export { preloadMls } from './mls-session.js';
export { MAX_PAYLOAD_BYTES } from './payload-check.js';
export type { PublishOptions } from './publish-command.js';
export type { MembershipOptions, MessageDelivery, Session } from './session.js';
export { SlimApp } from './slim-app.js';
