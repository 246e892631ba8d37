import { SharedSecret, type TokenProvider, type TokenVerifier } from '../auth/index.js';
import { Name } from '../name/index.js';
import {
  type MlsPolicy,
  routeInbound,
  SESSION_ID_LIMIT,
  type SessionConfig,
  SessionModerator,
  SessionParticipant,
} from '../protocol/index.js';
import { type ClientConfig, GrpcTransport, parseClientConfig, type Transport } from '../transport/index.js';
import {
  AsyncQueue,
  Emitter,
  RecentMap,
  RecentSet,
  SessionError,
  UsageError,
  type WaitOptions,
  withDeadline,
} from '../util/index.js';
import type { Metadata, PublishMessage } from '../wire/index.js';
import type { AppEvent, ConnectionState, WarningCode } from './events.js';
import { MlsSession } from './mls-session.js';
import { NodeLink } from './node-link.js';
import { randomU32, randomU64 } from './random.js';
import { checkMetadata } from './payload-check.js';
import { type MessageDelivery, Session, type SessionHost } from './session.js';

/** Where the node is unless said otherwise. */
export const DEFAULT_ENDPOINT = 'http://127.0.0.1:46357';

const DEFAULT_CONNECT_ATTEMPTS = 10;
const DEFAULT_TIMEOUT_MS = 1000;
const DEFAULT_MAX_RETRIES = 29;

/** How long leaving may take before it is cut short. */
const DEFAULT_LEAVE_MS = 5000;

/** Largest T and R: both are u32 on the wire, and a T beyond an hour is a mistake. */
const MAX_TIMEOUT_MS = 60 * 60 * 1000;
const MAX_RETRIES = 10_000;

/** How {@link SlimApp.connect} connects. */
export interface SlimAppOptions {
  /** `org/ns/app`. An id is drawn unless the name has one. */
  readonly local: Name | string;
  /** Endpoint, group.py's JSON document, the same parsed, or a transport. Default {@link DEFAULT_ENDPOINT}. */
  readonly slim?: string | ClientConfig | Transport;
  /** At least 32 bytes of UTF-8. Either this or `identity`. */
  readonly sharedSecret?: string;
  /**
   * Who mints and who checks tokens, instead of a shared secret: a `JwtSigner` and a `JwtVerifier`, or others. In a group with MLS
   * each member needs a subject of its own.
   */
  readonly identity?: { readonly provider: TokenProvider; readonly verifier: TokenVerifier };
  /** Where payloads go. Default `queue`: to `getMessage`. */
  readonly messageDelivery?: MessageDelivery;
  /**
   * Payloads in sessions with MLS: `auto` (default) encrypts unless all others are found to send in clear, `require` always does
   * and shows nothing that comes in clear, `clear` never does.
   */
  readonly mlsPayload?: MlsPolicy;
  /** How often the first connection is tried, 1 s apart. Default 10. Later reconnections never give up. */
  readonly connectAttempts?: number;
  readonly signal?: AbortSignal;
  /** A listener from the very start: it also sees the first connection. */
  readonly onEvent?: (event: AppEvent) => void;
}

/** What {@link SlimApp.createSession} creates. */
export interface CreateSessionOptions {
  /** The group's channel; in a point-to-point session the app that is called. */
  readonly channel: Name | string;
  /** Default `group`. */
  readonly type?: 'group' | 'pointToPoint';
  /** T, the time between retransmissions, for every member. Default 1000. */
  readonly timeoutMs?: number;
  /** R, the number of retransmissions, for every member. Default 29: a member is given up after 30 s. */
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

/**
 * One app at one node: a name, a connection that heals itself, and any number of sessions.
 *
 * ```ts
 * const app = await SlimApp.connect({ local: 'agntcy/ns/alice', sharedSecret });
 * const session = await app.createSession({ channel: 'agntcy/ns/chat' });
 * await session.invite('agntcy/ns/bob');
 * await session.publish('hello');
 * ```
 */
export class SlimApp {
  readonly #name: Name;
  readonly #transport: Transport;
  readonly #link: NodeLink;
  readonly #provider: TokenProvider;
  readonly #verifier: TokenVerifier;
  readonly #events = new Emitter<AppEvent>();
  readonly #sessions = new Map<number, Session>();
  readonly #inbound = new AsyncQueue<Session>();
  readonly #messageDelivery: MessageDelivery;
  readonly #mlsPolicy: MlsPolicy;
  /** Discovery requests that have their answer: a second one upsets a moderator (session.md 10.3). */
  readonly #answered = new RecentSet<string>(1024);
  /** Number of the newest own message of sessions that are over (session.md 10.12). */
  readonly #resumeAfter = new RecentMap<number, number>(256);
  readonly #warned = new RecentSet<string>(256);
  #closing: Promise<void> | undefined;

  private constructor(options: SlimAppOptions) {
    const local = typeof options.local === 'string' ? Name.parse(options.local) : options.local;
    this.#name = local.hasId ? local : local.withId(drawId());
    this.#transport = toTransport(options.slim ?? DEFAULT_ENDPOINT);
    const identity = toIdentity(options, this.#name);
    this.#provider = identity.provider;
    this.#verifier = identity.verifier;
    this.#messageDelivery = options.messageDelivery ?? 'queue';
    this.#mlsPolicy = options.mlsPayload ?? 'auto';
    if (options.onEvent !== undefined) this.#events.on(options.onEvent);
    this.#link = new NodeLink({
      transport: this.#transport,
      local: this.#name,
      mint: () => this.#provider.mint(Date.now()),
      connectAttempts: Math.max(1, options.connectAttempts ?? DEFAULT_CONNECT_ATTEMPTS),
      onMessage: (message) => {
        this.#onMessage(message);
      },
      onState: (state) => {
        this.#onConnection(state);
      },
      onWarning: (code, text) => {
        this.#warn(code, text);
      },
    });
  }

  /**
   * Connects to a node and subscribes the app's name there.
   *
   * @throws UsageError `invalid-name`, `secret-too-short`, `missing-option`; ConfigError `bad-config`, `unsupported-config`
   * @throws ConnectionError or AuthError of the last attempt; SessionError `aborted`
   */
  static async connect(options: SlimAppOptions): Promise<SlimApp> {
    const app = new SlimApp(options);
    try {
      await app.#link.start(options.signal);
    } catch (error) {
      await app.#link.close();
      throw error;
    }
    return app;
  }

  /** Full name, with id. */
  get name(): Name {
    return this.#name;
  }

  /** Where the node is, for people. */
  get endpoint(): string {
    return this.#transport.endpoint;
  }

  /** The sessions that are usable now. */
  get sessions(): readonly Session[] {
    return [...this.#sessions.values()].filter((session) => session.members.length > 0);
  }

  /**
   * Learns what happens outside the sessions.
   *
   * @returns stops listening
   */
  onEvent(listener: (event: AppEvent) => void): () => void {
    return this.#events.on(listener);
  }

  /**
   * Creates a group and moderates it, or calls one app. A group sends nothing before the first invitation; a call resolves when
   * the other side has joined.
   *
   * @throws UsageError `invalid-name`, `invalid-option`, `invalid-payload` (of the metadata); SessionError `closed`; for a call
   * also `invite-timeout`
   */
  async createSession(options: CreateSessionOptions): Promise<Session> {
    this.#assertOpen();
    const channel = typeof options.channel === 'string' ? Name.parse(options.channel) : options.channel;
    const { type = 'group', timeoutMs = DEFAULT_TIMEOUT_MS, maxRetries = DEFAULT_MAX_RETRIES } = options;
    checkInteger('timeoutMs', timeoutMs, 1, MAX_TIMEOUT_MS);
    checkInteger('maxRetries', maxRetries, 0, MAX_RETRIES);
    const metadata = { ...options.metadata };
    checkMetadata(metadata);
    if (options.keepAliveGroup === true && (options.mls !== true || type !== 'group')) {
      throw new UsageError('invalid-option', 'keepAliveGroup is for groups with mls');
    }
    const session = this.#addSession(
      {
        sessionId: this.#drawSessionId(),
        type,
        local: this.#name,
        channel: type === 'group' ? channel.withoutId() : channel,
        moderator: this.#name,
        timeoutMs,
        maxRetries,
        isReliable: true,
        ...(options.mls === true && { mls: { policy: this.#mlsPolicy } }),
        metadata,
        resumeAfter: 0,
      },
      'moderator',
      options.keepAliveGroup,
    );
    if (type === 'pointToPoint') {
      try {
        await session.driver.run({ kind: 'invite', name: channel });
      } catch (error) {
        session.driver.post({ kind: 'command', id: 0, command: { kind: 'abandon' } });
        throw error;
      }
    }
    return session;
  }

  /**
   * The next session that somebody else invites this app to, when it is usable.
   *
   * @throws SessionError `timeout`, `aborted`, `closed`
   */
  async listenForSession(options: WaitOptions = {}): Promise<Session> {
    return this.#inbound.take(options);
  }

  /**
   * Leaves a session, or closes it as its moderator, and waits for the others to know; when they do not answer within
   * `timeoutMs` (default 5000) it ends all the same. Never rejects because of silent peers.
   */
  async deleteSession(session: Session, options: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (session.closeReason !== undefined) return;
    const closed = session.driver.run({ kind: 'close' });
    try {
      await withDeadline(closed, { timeoutMs: options.timeoutMs ?? DEFAULT_LEAVE_MS });
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      await session.driver.run({ kind: 'abandon' });
    }
  }

  /** Does nothing: with one connection every name is reachable. Kept for code that comes from the Python bindings. */
  setRoute(name: Name | string): void {
    if (typeof name === 'string') Name.parse(name);
  }

  /** Leaves every session, takes back the subscriptions, ends the connection. Idempotent. */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    await this.#closing;
  }

  async #close(options: { readonly timeoutMs?: number }): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => this.deleteSession(session, options)));
    this.#inbound.close(new SessionError('closed', 'the app is closed'));
    await this.#link.close();
  }

  #onMessage(message: PublishMessage): void {
    const verified = this.#verifier.verify(message.header.identity, Date.now());
    if (!verified.ok) {
      const from = message.header.source.withoutId().toString();
      this.#warnOnce(from, 'identity-rejected', `dropped messages from ${from}: ${verified.reason}`);
      return;
    }
    const route = routeInbound(message, this.#name, (id) => this.#sessions.has(id), this.#mlsPolicy);
    switch (route.kind) {
      case 'session':
        this.#sessions.get(route.sessionId)?.driver.post({ kind: 'message', message, subject: verified.subject });
        return;
      case 'reply': {
        const { destination, messageId } = route.message;
        const request = `${destination.key}:${String(messageId)}`;
        if (!this.#answered.add(request)) return;
        this.#link.send(route.message);
        return;
      }
      case 'join': {
        // Nobody would end it.
        if (this.#closing !== undefined) return;
        const resumeAfter = this.#resumeAfter.get(route.config.sessionId) ?? 0;
        const session = this.#addSession({ ...route.config, resumeAfter }, 'participant');
        session.driver.post({ kind: 'message', message, subject: verified.subject });
        return;
      }
      case 'refuse':
        this.#warnOnce(route.text, route.code, route.text);
        return;
      case 'ignore':
        return;
    }
  }

  #onConnection(state: ConnectionState): void {
    if (state.kind === 'lost') {
      this.#answered.clear();
      for (const session of this.#sessions.values()) session.driver.post({ kind: 'linkDown' });
    }
    this.#events.emit({ kind: 'connection', state });
    if (state.kind === 'up') {
      for (const session of this.#sessions.values()) session.driver.post({ kind: 'linkUp' });
    }
  }

  #addSession(config: SessionConfig, role: 'moderator' | 'participant', keepsAlive = false): Session {
    const host: SessionHost = {
      link: this.#link,
      messageDelivery: this.#messageDelivery,
      keepsAlive,
      ...(config.mls !== undefined && { mls: new MlsSession(this.#provider, this.#verifier) }),
      onEstablished: (session) => {
        this.#events.emit({ kind: 'session', session });
        this.#inbound.push(session);
      },
      onEarlyWarning: (code, text) => {
        const from = config.moderator.toString();
        // Once for each invitation: its repetitions fail the same way.
        this.#warnOnce(`${String(config.sessionId)} ${text}`, code, `an invitation by ${from}: ${text}`);
      },
      onEnd: (session) => {
        this.#sessions.delete(session.id);
        if (session.driver.lastPublishedId > 0) this.#resumeAfter.set(session.id, session.driver.lastPublishedId);
      },
    };
    const machine = role === 'moderator' ? new SessionModerator(config) : new SessionParticipant(config);
    const session = new Session(config, role, machine, host);
    this.#sessions.set(config.sessionId, session);
    return session;
  }

  #drawSessionId(): number {
    let id: number;
    do id = randomU32();
    while (id >= SESSION_ID_LIMIT || this.#sessions.has(id));
    return id;
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new SessionError('closed', 'the app is closed');
  }

  #warnOnce(key: string, code: WarningCode, text: string): void {
    if (!this.#warned.add(key)) return;
    this.#warn(code, text);
  }

  #warn(code: WarningCode, text: string): void {
    this.#events.emit({ kind: 'warning', code, text });
  }
}

/** Never "any", and never 0: that is the controller's. */
function drawId(): bigint {
  let id: bigint;
  do id = randomU64();
  while (id === 0n || id === 0xffff_ffff_ffff_ffffn);
  return id;
}

function toTransport(slim: string | ClientConfig | Transport): Transport {
  if (typeof slim === 'object' && 'open' in slim) return slim;
  return new GrpcTransport(typeof slim === 'string' ? parseClientConfig(slim) : slim);
}

function toIdentity(options: SlimAppOptions, name: Name): { provider: TokenProvider; verifier: TokenVerifier } {
  if (options.identity !== undefined) return options.identity;
  if (options.sharedSecret === undefined) {
    throw new UsageError('missing-option', 'a shared secret or an identity is needed');
  }
  // A token's subject has no colon and no white space; a name may. Nobody compares the two.
  const identity = name.withoutId().toString().replaceAll(/[:\s]/gu, '_');
  const secret = new SharedSecret({ secret: options.sharedSecret, identity });
  return { provider: secret, verifier: secret };
}

function checkInteger(what: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new UsageError(
    'invalid-option',
    `${what} must be a whole number from ${String(min)} to ${String(max)}, got ${String(value)}`,
  );
}
