import type { CloseReason, DeliveryState, PublishOptions } from '../../src/client/index.js';
import { Name } from '../../src/name/index.js';
import type {
  AppPort,
  AppPortEvent,
  ConnectHandlers,
  GroupOptions,
  HandlePort,
  InvitationPort,
  ProtectionPort,
  SessionPort,
  SessionPortEvent,
} from '../../src/runtime/ports.js';
import { DeliveryError, SessionError, type SlimError, UsageError } from '../../src/util/index.js';

export const ALICE = Name.parse('agntcy/ns/alice/9f3c01');
export const BOB = Name.parse('agntcy/ns/bob/41d002');
export const CAROL = Name.parse('agntcy/ns/carol/77aa03');
export const CHANNEL = Name.parse('agntcy/ns/chat-7q2k');

/** How many messages of a {@link FakeSession} may wait before it is not writable. */
const QUEUE = 256;

interface Pending {
  /** As it was asked for. */
  readonly name: Name;
  readonly ref: { readonly ref?: string };
  readonly kind: 'invite' | 'remove';
  readonly resolve: (name: Name) => void;
  readonly reject: (error: SlimError) => void;
}

/** An app under the control of a test. */
export class FakeApp implements AppPort {
  readonly name: Name;
  readonly endpoint = 'http://127.0.0.1:46357';
  readonly sessions: FakeSession[] = [];
  isClosed = false;
  /** Whether peers answer when this app leaves; otherwise leaving never ends by itself. */
  peersAnswer = true;
  #handlers: ConnectHandlers = { onEvent: () => undefined, acceptInvitation: () => true };

  constructor(name: Name) {
    this.name = name;
  }

  /** Fits `Connect`. */
  readonly connect = (handlers: ConnectHandlers): Promise<AppPort> => {
    this.#handlers = handlers;
    this.emit({ kind: 'connection', state: { kind: 'connecting', attempt: 1 } });
    this.emit({ kind: 'connection', state: { kind: 'up' } });
    return Promise.resolve(this);
  };

  emit(event: AppPortEvent): void {
    this.#handlers.onEvent(event);
  }

  createSession(options: GroupOptions): Promise<SessionPort> {
    return Promise.resolve(this.#add(new FakeSession(7, this.name, [this.name], options)));
  }

  /** Somebody invites this app, and it has joined, whatever it would have decided. */
  invited(members: readonly Name[], id = 7, channel = CHANNEL): FakeSession {
    const session = this.#add(new FakeSession(id, this.name, members, { channel }));
    this.emit({ kind: 'session', session });
    return session;
  }

  /** Somebody invites this app, which decides. Resolves to the session if it joins. */
  async invite(invitation: FakeInvitation): Promise<FakeSession | undefined> {
    const isAccepted = await this.#handlers.acceptInvitation(invitation);
    return isAccepted
      ? this.invited([invitation.from, this.name], invitation.sessionId, invitation.channel)
      : undefined;
  }

  /** What this app decides, without a session. `at once`: what it has decided by now. */
  async accepts(invitation: FakeInvitation, when?: 'at once'): Promise<boolean | 'waits'> {
    const decision = Promise.resolve(this.#handlers.acceptInvitation(invitation));
    return when === undefined ? decision : Promise.race([decision, Promise.resolve('waits' as const)]);
  }

  async deleteSession(session: SessionPort): Promise<void> {
    if (!this.peersAnswer) {
      await new Promise<never>(() => {
        // Nobody answers.
      });
    }
    // Yields, as everything that talks to peers does.
    await Promise.resolve();
    if (session instanceof FakeSession) session.end(session.moderator.equals(session.local) ? 'closed' : 'left');
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  #add(session: FakeSession): FakeSession {
    this.sessions.push(session);
    return session;
  }
}

/** A message that a {@link FakeSession} was asked to publish. */
export class FakeHandle implements HandlePort {
  messageId: number | undefined;
  readonly payload: Uint8Array | string;
  readonly options: PublishOptions;
  readonly to: Name | undefined;

  constructor(payload: Uint8Array | string, options: PublishOptions, to: Name | undefined) {
    this.payload = payload;
    this.options = options;
    this.to = to;
  }
}

/**
 * A session under the control of a test. Reports as `Session` does: an own message is `queued` while nobody else is there, the link
 * is down or the session is blocked, and `sent` before `publish` has returned where it is not.
 */
export class FakeSession implements SessionPort {
  readonly id: number;
  readonly role: 'moderator' | 'participant';
  readonly channel: Name;
  readonly local: Name;
  readonly moderator: Name;
  members: readonly Name[];
  readonly metadata = {};
  readonly timeoutMs: number;
  readonly maxRetries: number;
  /** Messages that were sent, until they are settled. */
  readonly handles: FakeHandle[] = [];
  readonly queue: FakeHandle[] = [];
  readonly invites: Name[] = [];
  protection: ProtectionPort = { state: 'off', clearPeers: [] };
  isBlocked = false;
  isReceiving = true;
  hasEnded = false;
  #lastId = 0;
  readonly #listeners = new Set<(event: SessionPortEvent) => void>();
  readonly #pending = new Map<string, Pending[]>();
  readonly #writers = new Set<() => void>();

  constructor(
    id: number,
    local: Name,
    members: readonly Name[],
    options: { timeoutMs?: number; maxRetries?: number; channel?: Name } = {},
  ) {
    this.id = id;
    this.local = local;
    this.members = members;
    this.moderator = members[0] ?? local;
    this.role = this.moderator.equals(local) ? 'moderator' : 'participant';
    this.channel = options.channel ?? CHANNEL;
    this.timeoutMs = options.timeoutMs ?? 1000;
    this.maxRetries = options.maxRetries ?? 29;
  }

  get isWritable(): boolean {
    return this.queue.length < QUEUE;
  }

  onEvent(listener: (event: SessionPortEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: SessionPortEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  join(member: Name): void {
    this.members = [...this.members, member];
    this.emit({ kind: 'joined', member, members: this.members });
    this.settle(member);
    this.#flush();
  }

  leave(member: Name, reason: 'removed' | 'left' | 'offline'): void {
    this.members = this.members.filter((other) => !other.equals(member));
    this.emit({ kind: 'left', member, reason, members: this.members });
  }

  say(
    from: Name,
    text: string | undefined,
    more: { metadata?: Record<string, string>; payload?: Uint8Array } = {},
  ): void {
    const payload = more.payload ?? new TextEncoder().encode(text);
    const metadata = more.metadata ?? {};
    this.emit({
      kind: 'message',
      message: {
        source: from,
        destination: this.channel,
        messageId: 1,
        payloadType: 'msg',
        payload,
        text,
        metadata,
        identity: from.toString(),
        encrypted: false,
      },
    });
  }

  invite(name: Name, ref: { readonly ref?: string } = {}): Promise<Name> {
    const isRunning = this.#pending.has(name.prefixKey);
    if (!isRunning) this.invites.push(name);
    this.emit({ kind: 'invite', name, state: 'started', by: 'app', ...ref });
    return this.#wait(name, 'invite', ref);
  }

  async remove(name: Name, ref: { readonly ref?: string } = {}): Promise<void> {
    this.emit({ kind: 'remove', name, state: 'started', by: 'app', ...ref });
    await this.#wait(name, 'remove', ref);
  }

  /** Ends an invitation or a removal of this name. */
  settle(name: Name, error?: SlimError): void {
    const waiting = this.#pending.get(name.prefixKey) ?? [];
    this.#pending.delete(name.prefixKey);
    for (const { kind, name: asked, ref, resolve, reject } of waiting) {
      if (error !== undefined) {
        this.emit({ kind, name: asked, state: 'failed', error, by: 'app', ...ref });
        reject(error);
        continue;
      }
      if (kind === 'invite') this.emit({ kind, name: asked, state: 'joined', member: name, by: 'app', ...ref });
      else this.emit({ kind, name: asked, state: 'removed', by: 'app', ...ref });
      resolve(name);
    }
  }

  publish(payload: Uint8Array | string, options: PublishOptions = {}): HandlePort {
    return this.#publish(payload, options, undefined);
  }

  publishTo(member: Name, payload: Uint8Array | string, options: PublishOptions = {}): HandlePort {
    return this.#publish(payload, options, member);
  }

  cancel(handle: HandlePort): void {
    const index = this.queue.findIndex((waiting) => waiting === handle);
    if (index < 0) return;
    for (const taken of this.queue.splice(index, 1)) {
      this.#report(taken, 'failed', [], [], new SessionError('cancelled', 'taken back'));
    }
    this.#wakeWriters();
  }

  async writable(): Promise<void> {
    while (!this.isWritable && !this.hasEnded) {
      await new Promise<void>((resolve) => {
        this.#writers.add(resolve);
      });
    }
    if (this.hasEnded) throw new SessionError('closed', 'the session is closed');
  }

  pauseReceiving(): void {
    this.isReceiving = false;
  }

  resumeReceiving(): void {
    this.isReceiving = true;
  }

  /** What waits goes out. */
  unblock(): void {
    this.isBlocked = false;
    this.#flush();
  }

  get others(): readonly Name[] {
    return this.members.filter((name) => !name.equals(this.local));
  }

  report(handle: HandlePort, state: DeliveryState, acked: readonly Name[], missing: readonly Name[]): void {
    const error = state === 'failed' ? new DeliveryError('not-acked', 'not acknowledged') : undefined;
    this.#report(handle, state, acked, missing, error);
  }

  /** Every member acknowledges every message so far. */
  ackAll(): void {
    for (const handle of this.handles.splice(0)) this.report(handle, 'acked', this.others, []);
  }

  end(reason: CloseReason): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const missing = this.others;
    const error = new SessionError('closed', 'the session is closed');
    for (const handle of this.handles.splice(0)) this.#report(handle, 'failed', [], missing, error);
    for (const handle of this.queue.splice(0)) this.#report(handle, 'failed', [], [], error);
    for (const key of [...this.#pending.keys()]) {
      const waiting = this.#pending.get(key) ?? [];
      this.#pending.delete(key);
      for (const pending of waiting) pending.reject(error);
    }
    this.emit({ kind: 'closed', reason });
    this.#wakeWriters();
  }

  #publish(payload: Uint8Array | string, options: PublishOptions, to: Name | undefined): HandlePort {
    if (to !== undefined && !this.others.some((name) => name.equals(to))) {
      throw new UsageError('invalid-name', `${to.toString()} is no member`);
    }
    const handle = new FakeHandle(payload, options, to);
    if (this.isBlocked || this.others.length === 0 || this.queue.length > 0) {
      this.queue.push(handle);
      this.#report(handle, 'queued', [], [], undefined);
    } else {
      this.#send(handle);
    }
    return handle;
  }

  #flush(): void {
    if (this.isBlocked || this.others.length === 0) return;
    for (const handle of this.queue.splice(0)) this.#send(handle);
    this.#wakeWriters();
  }

  #send(handle: FakeHandle): void {
    const { again } = handle.options;
    this.handles.push(handle);
    if (again === undefined) this.#lastId += 1;
    handle.messageId = again?.messageId ?? this.#lastId;
    this.report(handle, 'sent', [], handle.to === undefined ? (again?.missing ?? this.others) : [handle.to]);
  }

  #report(
    handle: HandlePort,
    state: DeliveryState,
    acked: readonly Name[],
    missing: readonly Name[],
    error: SlimError | undefined,
  ): void {
    if (!(handle instanceof FakeHandle)) throw new TypeError('not a handle of this session');
    const { ref } = handle.options;
    this.emit({
      kind: 'delivery',
      handle,
      ...(ref !== undefined && { ref }),
      state,
      acked,
      missing,
      ...(error !== undefined && { error }),
    });
  }

  #wakeWriters(): void {
    for (const wake of this.#writers) wake();
    this.#writers.clear();
  }

  #wait(name: Name, kind: 'invite' | 'remove', ref: { readonly ref?: string }): Promise<Name> {
    return new Promise((resolve, reject) => {
      const waiting = this.#pending.get(name.prefixKey) ?? [];
      this.#pending.set(name.prefixKey, [...waiting, { name, kind, ref, resolve, reject }]);
    });
  }
}

/** An invitation that a test makes. */
export class FakeInvitation implements InvitationPort {
  readonly sessionId: number;
  readonly from: Name;
  readonly channel: Name;
  readonly mls = false;
  readonly timeoutMs = 1000;
  readonly maxRetries = 29;
  readonly #ended = new AbortController();

  constructor(sessionId: number, from: Name, channel: Name) {
    this.sessionId = sessionId;
    this.from = from;
    this.channel = channel;
  }

  get lapsed(): AbortSignal {
    return this.#ended.signal;
  }

  /** The inviter has given up. */
  lapse(): void {
    this.#ended.abort();
  }
}
