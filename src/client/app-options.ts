import { SharedSecret, type TokenProvider, type TokenVerifier } from '../auth/index.js';
import { Name } from '../name/index.js';
import type { MlsPolicy, SessionConfig } from '../protocol/index.js';
import {
  type ClientConfig,
  DEFAULT_ENDPOINT,
  GrpcTransport,
  parseClientConfig,
  type Transport,
} from '../transport/index.js';
import { UsageError } from '../util/index.js';
import type { Metadata } from '../wire/index.js';
import type { AppEvent } from './events.js';
import type { AcceptInvitation } from './invitations.js';
import { checkMetadata } from './payload-check.js';
import { randomU64 } from './random.js';
import type { MessageDelivery } from './session.js';

/** T of a session unless said otherwise. */
export const DEFAULT_TIMEOUT_MS = 1000;

/** R of a session unless said otherwise: with the default T a member is given up after 30 s. */
export const DEFAULT_MAX_RETRIES = 29;

/** Largest T and R: both are u32 on the wire, and a T beyond an hour is a mistake. */
const MAX_TIMEOUT_MS = 60 * 60 * 1000;
const MAX_RETRIES = 10_000;

/** How `SlimApp.connect` connects. */
export interface SlimAppOptions {
  /** `org/ns/app`. An id is drawn unless the name has one. */
  readonly local: Name | string;
  /** Endpoint, group.py's JSON document, the same parsed, or a transport. Default {@link DEFAULT_ENDPOINT}. */
  readonly slim?: string | ClientConfig | Transport;
  /** At least 32 bytes of UTF-8, used as they are: a line end counts, which the program leaves out. Either this or `identity`. */
  readonly sharedSecret?: string;
  /**
   * Who mints and who checks tokens, instead of a shared secret: a `JwtSigner` and a `JwtVerifier`, or others. In a group with MLS
   * each member needs a subject of its own.
   */
  readonly identity?: { readonly provider: TokenProvider; readonly verifier: TokenVerifier };
  /** Where payloads go. Default `queue`: to `getMessage`. */
  readonly messageDelivery?: MessageDelivery;
  /**
   * Payloads in sessions with MLS: `auto` (default) encrypts unless no other member can decrypt (SLIM before 1.0.1), and gives those
   * who cannot nothing beside others who can; `mixed` gives them copies in clear, by name; `require` always encrypts, and shows
   * nothing that comes in clear; `clear` never encrypts.
   */
  readonly mlsPayload?: MlsPolicy;
  /**
   * Asked before an invitation is answered: until it says `true`, nothing goes out and no session exists. Without it every
   * invitation is accepted.
   */
  readonly acceptInvitation?: AcceptInvitation;
  /**
   * How often the first connection is tried. Default: as the `backoff` of the document in `slim` says, else 10, a second apart.
   * A connection that is lost later is tried for as long as that `backoff` says, else for ever.
   */
  readonly connectAttempts?: number;
  readonly signal?: AbortSignal;
  /** A listener from the very start: it also sees the first connection. */
  readonly onEvent?: (event: AppEvent) => void;
}

/** What `SlimApp.createSession` creates. */
export interface CreateSessionOptions {
  /** The group's channel; in a point-to-point session the app that is called. */
  readonly channel: Name | string;
  /** Default `group`. */
  readonly type?: 'group' | 'pointToPoint';
  /** T, the time between retransmissions, for every member. Default {@link DEFAULT_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
  /** R, the number of retransmissions, for every member. Default {@link DEFAULT_MAX_RETRIES}. */
  readonly maxRetries?: number;
  /** End-to-end encryption. Default false. */
  readonly mls?: boolean;
  /**
   * With `mls`: keeps the group open for invitations and removals for longer than an hour. After 50 minutes (with JWTs: ten
   * minutes before they end, or in the last sixth of a short life) each member is removed and invited again; it sees the end of
   * its session and a new one. Own messages wait meanwhile. Default false: then a warning `mls-leaf-ageing` tells what will end.
   */
  readonly keepAliveGroup?: boolean;
  /** Given to every member with its invitation. */
  readonly metadata?: Metadata;
}

/** The app's full name. */
export function toFullName(local: Name | string): Name {
  const name = typeof local === 'string' ? Name.parse(local) : local;
  return name.hasId ? name : name.withId(drawId());
}

/**
 * What a session of an own is.
 *
 * @throws UsageError `invalid-name`, `invalid-option`, `invalid-payload`
 */
export function toSessionConfig(
  options: CreateSessionOptions,
  local: Name,
  mlsPolicy: MlsPolicy,
  sessionId: number,
): SessionConfig {
  const channel = typeof options.channel === 'string' ? Name.parse(options.channel) : options.channel;
  const { type = 'group', timeoutMs = DEFAULT_TIMEOUT_MS, maxRetries = DEFAULT_MAX_RETRIES } = options;
  checkInteger('timeoutMs', timeoutMs, 1, MAX_TIMEOUT_MS);
  checkInteger('maxRetries', maxRetries, 0, MAX_RETRIES);
  const metadata = { ...options.metadata };
  checkMetadata(metadata);
  if (options.keepAliveGroup === true && (options.mls !== true || type !== 'group')) {
    throw new UsageError('invalid-option', 'keepAliveGroup is for groups with mls');
  }
  return {
    sessionId,
    type,
    local,
    channel: type === 'group' ? channel.withoutId() : channel,
    moderator: local,
    timeoutMs,
    maxRetries,
    isReliable: true,
    ...(options.mls === true && { mls: { policy: mlsPolicy } }),
    ...(options.keepAliveGroup === true && { keepsAlive: true }),
    metadata,
    resumeAfter: 0,
  };
}

/** Never "any", and never 0: that is the controller's. */
function drawId(): bigint {
  let id: bigint;
  do id = randomU64();
  while (id === 0n || id === 0xffff_ffff_ffff_ffffn);
  return id;
}

/** Where the app connects to. */
export function toTransport(slim: string | ClientConfig | Transport = DEFAULT_ENDPOINT): Transport {
  if (typeof slim === 'object' && 'open' in slim) return slim;
  return new GrpcTransport(typeof slim === 'string' ? parseClientConfig(slim) : slim);
}

/**
 * Who mints and checks tokens.
 *
 * @throws UsageError `missing-option`, `secret-too-short`
 */
export function toIdentity(options: SlimAppOptions, name: Name): { provider: TokenProvider; verifier: TokenVerifier } {
  if (options.identity !== undefined) return options.identity;
  if (options.sharedSecret === undefined) {
    throw new UsageError('missing-option', 'a shared secret or an identity is needed');
  }
  // With the id, as peers from 1.0 on do: who names `org/ns/app` alone is taken for 0.7.x, which cannot read what is encrypted. A
  // token's subject has no colon and no white space; a name may.
  const identity = name.toString().replaceAll(/[:\s]/gu, '_');
  const secret = new SharedSecret({ secret: options.sharedSecret, identity });
  return { provider: secret, verifier: secret };
}

function checkInteger(what: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new UsageError('invalid-option', `${what} must be a whole number from ${min} to ${max}, got ${value}`);
}
