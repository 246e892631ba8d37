import type {
  AppPort,
  AppPortEvent,
  GroupOptions,
  HandlePort,
  ProtectionPort,
  SessionPort,
  SessionPortEvent,
} from '../../src/cli/ports.js';
import type { CloseReason, DeliveryState, PublishOptions } from '../../src/client/index.js';
import { Name } from '../../src/name/index.js';
import { DeliveryError, SessionError, type SlimError } from '../../src/util/index.js';

export const ALICE = Name.parse('agntcy/ns/alice/9f3c01');
export const BOB = Name.parse('agntcy/ns/bob/41d002');
export const CAROL = Name.parse('agntcy/ns/carol/77aa03');
export const CHANNEL = Name.parse('agntcy/ns/chat-7q2k');

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

interface Pending {
  readonly resolve: (name: Name) => void;
  readonly reject: (error: SlimError) => void;
}

/** A session under the control of a test. Reports as `Session` does: `sent` before `publish` has returned. */
export class FakeSession implements SessionPort {
  readonly id: number;
  readonly channel = CHANNEL;
  readonly local: Name;
  readonly moderator: Name;
  members: readonly Name[];
  readonly metadata = {};
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly handles: FakeHandle[] = [];
  readonly invites: Name[] = [];
  protection: ProtectionPort = { state: 'off', clearPeers: [] };
  isBlocked = false;
  hasEnded = false;
  readonly #listeners = new Set<(event: SessionPortEvent) => void>();
  /** By name without id; several ask for the same, and get the same outcome. */
  readonly #pending = new Map<string, Pending[]>();
  readonly #writers = new Set<() => void>();

  constructor(
    id: number,
    local: Name,
    members: readonly Name[],
    options: { timeoutMs?: number; maxRetries?: number } = {},
  ) {
    this.id = id;
    this.local = local;
    this.members = members;
    this.moderator = members[0] ?? local;
    this.timeoutMs = options.timeoutMs ?? 1000;
    this.maxRetries = options.maxRetries ?? 29;
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
        destination: CHANNEL,
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

  invite(name: Name): Promise<Name> {
    this.invites.push(name);
    this.emit({ kind: 'invite', name, by: 'app', state: 'started' });
    return this.#wait(name);
  }

  async remove(name: Name): Promise<void> {
    this.emit({ kind: 'remove', name, by: 'app', state: 'started' });
    await this.#wait(name);
  }

  /** Ends an invitation or a removal of this name. */
  settle(name: Name, error?: SlimError): void {
    const pending = this.#pending.get(name.prefixKey) ?? [];
    this.#pending.delete(name.prefixKey);
    for (const { resolve, reject } of pending) {
      if (error === undefined) resolve(name);
      else reject(error);
    }
  }

  publish(payload: Uint8Array | string, options: PublishOptions = {}): HandlePort {
    return this.#publish(payload, options, undefined);
  }

  publishTo(member: Name, payload: Uint8Array | string, options: PublishOptions = {}): HandlePort {
    return this.#publish(payload, options, member);
  }

  async writable(): Promise<void> {
    while (this.isBlocked) {
      await new Promise<void>((resolve) => {
        this.#writers.add(resolve);
      });
    }
    if (this.hasEnded) throw new SessionError('closed', 'the session is closed');
  }

  unblock(): void {
    this.isBlocked = false;
    for (const wake of this.#writers) wake();
    this.#writers.clear();
  }

  get others(): readonly Name[] {
    return this.members.filter((name) => !name.equals(this.local));
  }

  report(handle: HandlePort, state: DeliveryState, acked: readonly Name[], missing: readonly Name[]): void {
    const error = state === 'failed' ? { error: new DeliveryError('not-acked', 'not acknowledged') } : {};
    this.emit({ kind: 'delivery', handle, state, acked, missing, ...error });
  }

  /** Every member acknowledges every message so far. */
  ackAll(): void {
    for (const handle of this.handles.splice(0)) this.report(handle, 'acked', this.others, []);
  }

  end(reason: CloseReason): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const missing = this.others;
    for (const handle of this.handles.splice(0)) this.report(handle, 'failed', [], missing);
    for (const { reject } of [...this.#pending.values()].flat()) {
      reject(new SessionError('closed', 'the session is closed'));
    }
    this.#pending.clear();
    this.emit({ kind: 'closed', reason });
    this.unblock();
  }

  #publish(payload: Uint8Array | string, options: PublishOptions, to: Name | undefined): HandlePort {
    const handle = new FakeHandle(payload, options, to);
    this.handles.push(handle);
    handle.messageId = this.handles.length;
    this.report(handle, 'sent', [], to === undefined ? this.others : [to]);
    return handle;
  }

  #wait(name: Name): Promise<Name> {
    return new Promise((resolve, reject) => {
      const pending = this.#pending.get(name.prefixKey) ?? [];
      this.#pending.set(name.prefixKey, [...pending, { resolve, reject }]);
    });
  }
}

/** An app under the control of a test. */
export class FakeApp implements AppPort {
  readonly name: Name;
  readonly endpoint = 'http://127.0.0.1:46357';
  readonly sessions: FakeSession[] = [];
  isClosed = false;
  /** Whether peers answer when this app leaves; otherwise leaving never ends by itself. */
  peersAnswer = true;
  #onEvent: (event: AppPortEvent) => void = () => undefined;

  constructor(name: Name) {
    this.name = name;
  }

  /** Fits `Connect`. */
  readonly connect = (onEvent: (event: AppPortEvent) => void): Promise<AppPort> => {
    this.#onEvent = onEvent;
    this.emit({ kind: 'connection', state: { kind: 'connecting', attempt: 1 } });
    this.emit({ kind: 'connection', state: { kind: 'up' } });
    return Promise.resolve(this);
  };

  emit(event: AppPortEvent): void {
    this.#onEvent(event);
  }

  createSession(options: GroupOptions): Promise<SessionPort> {
    return Promise.resolve(this.#add(new FakeSession(7, this.name, [this.name], options)));
  }

  /** Somebody invites this app, and it has joined. */
  invited(members: readonly Name[], id = 7): FakeSession {
    const session = this.#add(new FakeSession(id, this.name, members));
    this.emit({ kind: 'session', session });
    return session;
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
