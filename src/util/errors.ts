/** What can go wrong with MLS. Texts for people are in `mls/`, where most of these arise. */
export type MlsErrorCode =
  // the bytes of a peer
  | 'mls-malformed'
  | 'mls-wrong-type'
  | 'mls-unsupported-suite'
  | 'mls-bad-signature'
  | 'mls-tree-mismatch'
  | 'mls-lifetime-not-yet'
  | 'mls-lifetime-expired'
  | 'mls-no-key-package'
  // where a message belongs
  | 'mls-wrong-group'
  | 'mls-wrong-epoch-past'
  | 'mls-wrong-epoch-future'
  | 'mls-unknown-sender'
  | 'mls-own-message'
  | 'mls-unexpected-commit'
  // payloads
  | 'mls-aead'
  | 'mls-replay'
  | 'mls-too-far-ahead'
  | 'mls-too-far-behind'
  // membership
  | 'mls-duplicate-member'
  | 'mls-unknown-member'
  | 'mls-pending-commit'
  | 'mls-no-pending-commit'
  | 'mls-inactive'
  // the token in a leaf
  | 'mls-token-malformed'
  | 'mls-token-mac'
  | 'mls-token-expired'
  | 'mls-token-future'
  | 'mls-pubkey-missing'
  | 'mls-pubkey-mismatch'
  | 'mls-subject-duplicate'
  | 'mls-successor-mismatch'
  // us
  | 'mls-no-credential'
  | 'mls-freed'
  | 'mls-internal';

/** Every error code of this package. Branch on these, never on message text. */
export type ErrorCode =
  // usage: the caller or the command line
  | 'invalid-name'
  | 'invalid-option'
  | 'missing-option'
  | 'not-moderator'
  | 'secret-too-short'
  | 'invalid-payload'
  | 'bad-command'
  | 'not-in-group'
  | 'no-invitation'
  // configuration: files and environment
  | 'bad-config'
  | 'unsupported-config'
  | 'port-in-use'
  // the program's own output
  | 'output-failed'
  // connection
  | 'refused'
  | 'dns'
  | 'tls'
  | 'not-a-slim-node'
  | 'unsupported-generation'
  | 'stream-lost'
  | 'connect-timeout'
  | 'unreachable'
  // credentials
  | 'credentials-rejected'
  // session life cycle
  | 'closed'
  | 'removed'
  | 'moderator-gone'
  | 'invite-timeout'
  | 'already-in-group'
  | 'participant-not-found'
  | 'aborted'
  | 'timeout'
  | 'mls-unsupported'
  | 'queue-full'
  | 'cancelled'
  // delivery
  | 'not-acked'
  | 'unreadable'
  | MlsErrorCode
  // us
  | 'invariant';

/** Options of every error class of this package. */
export interface SlimErrorOptions {
  /** The error that led here. */
  readonly cause?: unknown;
  /** Machine-readable context; never holds a secret or a token. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Base of all errors this package throws. `exitCode` is the process exit code a program ends with when the error is fatal. */
export abstract class SlimError extends Error {
  /** What went wrong, for programs. */
  readonly code: ErrorCode;
  /** Machine-readable context. */
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** Exit code of a program that ends because of this error. */
  abstract readonly exitCode: number;

  constructor(code: ErrorCode, message: string, options: SlimErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.details = options.details;
  }
}

/** The caller or the command line is wrong. */
export class UsageError extends SlimError {
  override readonly exitCode = 2;
}

/** A file, variable or the environment is wrong. */
export class ConfigError extends SlimError {
  override readonly exitCode = 2;
}

/** The network or the node is the trouble. */
export class ConnectionError extends SlimError {
  override readonly exitCode = 3;
}

/** What the program prints cannot be written. */
export class OutputError extends SlimError {
  override readonly exitCode = 74;
}

/** Credentials were refused. */
export class AuthError extends SlimError {
  override readonly exitCode = 4;
}

/** The life cycle of a session does not allow it, or ended. */
export class SessionError extends SlimError {
  override readonly exitCode = 5;
}

/** Peers did not acknowledge a message; `details.missing` names them. */
export class DeliveryError extends SlimError {
  override readonly exitCode = 6;
}

/** MLS refused something, or could not do it. */
export class MlsError extends SlimError {
  declare readonly code: MlsErrorCode;
  override readonly exitCode = 70;
}

/** A bug of this package. */
export class InternalError extends SlimError {
  override readonly exitCode = 70;
}
