import type { TokenProvider, TokenVerifier } from '../auth/index.js';
import { Name } from '../name/index.js';
import {
  type MlsPolicy,
  type Role,
  SESSION_ID_LIMIT,
  type SessionConfig,
  SessionModerator,
  SessionParticipant,
} from '../protocol/index.js';
import type { Transport } from '../transport/index.js';
import {
  AsyncQueue,
  Emitter,
  RecentMap,
  RecentSet,
  SessionError,
  type SlimError,
  type WaitOptions,
  withDeadline,
} from '../util/index.js';
import {
  type CreateSessionOptions,
  type SlimAppOptions,
  toFullName,
  toIdentity,
  toSessionConfig,
  toTransport,
} from './app-options.js';
import type { AppEvent, ConnectionState, WarningCode } from './events.js';
import { Inbound, type JoinRequest } from './inbound.js';
import { Invitations } from './invitations.js';
import { MlsSession } from './mls-session.js';
import { NodeLink } from './node-link.js';
import { randomU32 } from './random.js';
import { type MessageDelivery, Session, type SessionHost } from './session.js';

/** How long leaving may take before it is cut short. */
const DEFAULT_LEAVE_MS = 5000;

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
  /** Sessions that others made and `listenForSession` has not given out. */
  readonly #invited = new AsyncQueue<Session>();
  readonly #inbound: Inbound;
  readonly #invitations: Invitations | undefined;
  readonly #messageDelivery: MessageDelivery;
  readonly #mlsPolicy: MlsPolicy;
  /** Number of the newest own message of sessions that are over (session.md 10.12). */
  readonly #resumeAfter = new RecentMap<number, number>(256);
  readonly #warned = new RecentSet<string>(256);
  #closing: Promise<void> | undefined;

  private constructor(options: SlimAppOptions) {
    this.#name = toFullName(options.local);
    this.#transport = toTransport(options.slim);
    const identity = toIdentity(options, this.#name);
    this.#provider = identity.provider;
    this.#verifier = identity.verifier;
    this.#messageDelivery = options.messageDelivery ?? 'queue';
    this.#mlsPolicy = options.mlsPayload ?? 'auto';
    this.#invitations =
      options.acceptInvitation === undefined
        ? undefined
        : new Invitations(options.acceptInvitation, { onAccepted: this.#join, onWarning: this.#warn });
    this.#inbound = new Inbound({
      local: this.#name,
      verifier: this.#verifier,
      mlsPolicy: this.#mlsPolicy,
      driver: (id) => this.#sessions.get(id)?.driver,
      onReply: (message) => {
        this.#link.send(message);
      },
      onJoinRequest: (request) => {
        if (this.#invitations === undefined) this.#join(request);
        else if (this.#closing === undefined) this.#invitations.ask(request);
      },
      onStray: (message) => {
        this.#invitations?.onStray(message);
      },
      onWarning: this.#warnOnce,
      onClockOff: (text, seconds) => this.#events.emit({ kind: 'warning', code: 'clock-off', text, seconds }),
    });
    if (options.onEvent !== undefined) this.#events.on(options.onEvent);
    this.#link = new NodeLink({
      transport: this.#transport,
      local: this.#name,
      mint: () => this.#provider.mint(Date.now()),
      connectAttempts: options.connectAttempts,
      onMessage: (message) => {
        this.#inbound.onMessage(message);
      },
      onState: this.#onConnection,
      onWarning: this.#warn,
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
    const config = toSessionConfig(options, this.#name, this.#mlsPolicy, this.#drawSessionId());
    const session = this.#addSession(config, 'moderator');
    if (config.type === 'pointToPoint') {
      try {
        await session.driver.run({ kind: 'invite', name: config.channel });
      } catch (error) {
        await session.driver.run({ kind: 'abandon' });
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
    return this.#invited.take(options);
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
    this.#invitations?.close();
    await Promise.all([...this.#sessions.values()].map((session) => this.deleteSession(session, options)));
    this.#invited.close(new SessionError('closed', 'the app is closed'));
    await this.#link.close();
  }

  readonly #join = ({ config, message, subject }: JoinRequest): void => {
    // Nobody would end it.
    if (this.#closing !== undefined) return;
    if (this.#sessions.has(config.sessionId)) {
      const from = config.moderator.toString();
      this.#warn('protocol-violation', `an invitation by ${from} has the number of another session; it is ignored`);
      return;
    }
    const resumeAfter = this.#resumeAfter.get(config.sessionId) ?? 0;
    const session = this.#addSession({ ...config, resumeAfter }, 'participant');
    session.driver.post({ kind: 'message', message, subject });
  };

  readonly #onConnection = (state: ConnectionState): void => {
    if (state.kind === 'lost') {
      this.#inbound.onLinkDown();
      for (const session of this.#sessions.values()) session.driver.post({ kind: 'linkDown' });
    }
    this.#events.emit({ kind: 'connection', state });
    if (state.kind === 'up') {
      for (const session of this.#sessions.values()) session.driver.post({ kind: 'linkUp' });
    }
    if (state.kind === 'closed' && state.error !== undefined) this.#closing ??= this.#giveUp(state.error);
  };

  /** The node is out of reach for good: nobody can be told, so nothing is waited for. */
  async #giveUp(error: SlimError): Promise<void> {
    this.#invitations?.close();
    this.#invited.close(error);
    await Promise.all([...this.#sessions.values()].map((session) => session.driver.run({ kind: 'abandon' })));
  }

  #addSession(config: SessionConfig, role: Role): Session {
    const host: SessionHost = {
      link: this.#link,
      messageDelivery: this.#messageDelivery,
      ...(config.mls !== undefined && { mls: new MlsSession(this.#provider, this.#verifier) }),
      onEstablished: (session) => {
        this.#events.emit({ kind: 'session', session });
        this.#invited.push(session);
      },
      onEarlyWarning: (code, text) => {
        const from = config.moderator.toString();
        // Once for each invitation: its repetitions fail the same way.
        this.#warnOnce(`${config.sessionId} ${text}`, code, `an invitation by ${from}: ${text}`);
      },
      onEnd: (session, answer) => {
        this.#sessions.delete(session.id);
        if (answer !== undefined) this.#inbound.keep(answer);
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

  readonly #warnOnce = (key: string, code: WarningCode, text: string): void => {
    if (!this.#warned.add(key)) return;
    this.#warn(code, text);
  };

  readonly #warn = (code: WarningCode, text: string): void => {
    this.#events.emit({ kind: 'warning', code, text });
  };
}
