import type { CloseReason, DeliveryState, Protection, PublishOptions, Role } from '../../src/client/index.js';
import { toPublishCommand } from '../../src/client/publish-command.js';
import { Name } from '../../src/name/index.js';
import type { HandlePort, SessionPort, SessionPortEvent } from '../../src/runtime/ports.js';
import { DeliveryError, SessionError, type SlimError, UsageError } from '../../src/util/index.js';

export const ALICE = Name.parse('agntcy/ns/alice/9f3c01');
export const BOB = Name.parse('agntcy/ns/bob/41d002');
export const CAROL = Name.parse('agntcy/ns/carol/77aa03');
export const CHANNEL = Name.parse('agntcy/ns/chat-7q2k');

/** How many messages of a {@link FakeSession} may wait before it is not writable. */
const QUEUE = 256;

/**
 * A session under the control of a test, whose peers do what the test says and nothing else. What the chat sees of it is what
 * `Session` would show; `sessionPortSuite` holds both to that. It has no window: what is not held back is sent at once.
 */
export class FakeSession implements SessionPort {
  readonly id: number;
  readonly role: Role;
  readonly channel: Name;
  readonly local: Name;
  readonly moderator: Name;
  members: readonly Name[];
  readonly metadata = {};
  readonly timeoutMs: number;
  readonly maxRetries: number;
  protection: Protection = { state: 'off', clearPeers: [] };
  /** Messages that were sent, until they are settled. */
  readonly handles: FakeHandle[] = [];
  /** Messages that wait to be sent. */
  readonly queue: FakeHandle[] = [];
  /** Names that were invited; an invitation that shares the outcome of another counts as one. */
  readonly invites: Name[] = [];
  isReceiving = true;
  #isBlocked = false;
  #lastId = 0;
  #endedWith: SessionError | undefined;
  readonly #listeners = new Set<(event: SessionPortEvent) => void>();
  readonly #pending: Pending[] = [];
  readonly #unread: SessionPortEvent[] = [];
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

  // --- What the chat uses --------------------------------------------------------------------------------------------

  get isWritable(): boolean {
    return this.#endedWith === undefined && this.queue.length < QUEUE;
  }

  onEvent(listener: (event: SessionPortEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  invite(name: Name, ref: { readonly ref?: string } = {}): Promise<Name> {
    return this.#ask('invite', name, ref);
  }

  async remove(name: Name, ref: { readonly ref?: string } = {}): Promise<void> {
    await this.#ask('remove', name, ref);
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
      this.#report(taken, 'failed', new SessionError('cancelled', 'taken back'));
    }
    this.#wakeWriters();
  }

  async writable(): Promise<void> {
    while (!this.isWritable && this.#endedWith === undefined) {
      await new Promise<void>((resolve) => {
        this.#writers.add(resolve);
      });
    }
    if (this.#endedWith !== undefined) throw this.#endedWith;
  }

  pauseReceiving(): void {
    this.isReceiving = false;
  }

  resumeReceiving(): void {
    this.isReceiving = true;
    for (const event of this.#unread.splice(0)) this.emit(event);
  }

  // --- What a test lets happen ---------------------------------------------------------------------------------------

  get hasEnded(): boolean {
    return this.#endedWith !== undefined;
  }

  get others(): readonly Name[] {
    return this.members.filter((name) => !name.equals(this.local));
  }

  /** Something else happens. */
  emit(event: SessionPortEvent): void {
    if (this.#endedWith !== undefined) return;
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** An app is in the group now, invited by this app or not. */
  join(member: Name): void {
    this.members = [...this.members, member];
    this.emit({ kind: 'joined', member, members: this.members });
    this.#flush();
    for (const pending of this.#take('invite', member)) {
      const { name, ref, resolve } = pending;
      this.emit({ kind: 'invite', name, state: 'joined', member, by: 'app', ...ref });
      resolve(member);
    }
  }

  /** A member is out of the group, removed by this app or not. */
  leave(member: Name, reason: 'removed' | 'left' | 'offline'): void {
    this.members = this.members.filter((other) => !other.equals(member));
    this.emit({ kind: 'left', member, reason, members: this.members });
    for (const handle of [...this.handles]) {
      const missing = handle.missing.filter((other) => !other.equals(member));
      if (missing.length === handle.missing.length) continue;
      if (missing.length === 0 && handle.acked.length === 0) {
        this.#settle(handle, notAcked());
        continue;
      }
      handle.missing = missing;
      this.#progress(handle);
    }
    for (const { name, ref, resolve } of this.#take('remove', member)) {
      this.emit({ kind: 'remove', name, state: 'removed', by: 'app', ...ref });
      resolve(member);
    }
  }

  /** What was asked for about this name comes to nothing. */
  refuse(name: Name, error: SlimError): void {
    for (const kind of ['invite', 'remove'] as const) {
      for (const pending of this.#take(kind, name)) this.#fail(pending, error);
    }
  }

  say(
    from: Name,
    text: string | undefined,
    more: { metadata?: Record<string, string>; payload?: Uint8Array } = {},
  ): void {
    const event: SessionPortEvent = {
      kind: 'message',
      message: {
        source: from,
        destination: this.channel,
        messageId: 1,
        payloadType: 'msg',
        payload: more.payload ?? new TextEncoder().encode(text),
        text,
        metadata: more.metadata ?? {},
        identity: from.toString(),
        encrypted: false,
      },
    };
    if (this.isReceiving) this.emit(event);
    else this.#unread.push(event);
  }

  /** The link is down, or there is more than it takes: what is published waits. */
  block(): void {
    this.#isBlocked = true;
  }

  /** What waits goes out. */
  unblock(): void {
    this.#isBlocked = false;
    this.#flush();
  }

  /** A member acknowledges every message so far. */
  ack(member: Name): void {
    for (const handle of [...this.handles]) {
      if (!handle.missing.some((other) => other.equals(member))) continue;
      handle.missing = handle.missing.filter((other) => !other.equals(member));
      handle.acked = [...handle.acked, member];
      this.#progress(handle);
    }
  }

  /** Every member acknowledges every message so far. */
  ackAll(): void {
    for (const member of this.others) this.ack(member);
  }

  /** Whoever has not acknowledged a message so far does not any more. */
  giveUp(): void {
    for (const handle of [...this.handles]) this.#settle(handle, notAcked());
  }

  end(reason: CloseReason): void {
    if (this.#endedWith !== undefined) return;
    const closed = new SessionError('closed', 'the session is closed');
    for (const pending of this.#pending.splice(0)) this.#fail(pending, closed);
    const error = reason === 'left' || reason === 'closed' ? closed : new SessionError(reason, reason);
    for (const handle of [...this.handles]) this.#settle(handle, error);
    for (const handle of this.queue.splice(0)) this.#report(handle, 'failed', error);
    this.emit({ kind: 'closed', reason });
    this.#endedWith = error;
    this.#wakeWriters();
  }

  // --- How it does it ------------------------------------------------------------------------------------------------

  #ask(kind: Pending['kind'], name: Name, ref: { readonly ref?: string }): Promise<Name> {
    return new Promise((resolve, reject) => {
      const pending: Pending = { kind, name, ref, resolve, reject };
      if (this.#endedWith !== undefined) {
        reject(new SessionError('closed', 'the session is closed'));
        return;
      }
      this.emit({ kind, name, state: 'started', by: 'app', ...ref });
      if (kind === 'remove' && this.#withdraw(name)) {
        this.emit({ kind, name, state: 'removed', by: 'app', ...ref });
        resolve(name);
        return;
      }
      const error = this.#refusalOf(pending);
      if (error !== undefined) {
        this.#fail(pending, error);
        return;
      }
      const isFirst = !this.#pending.some((other) => other.kind === kind && other.name.prefixKey === name.prefixKey);
      if (kind === 'invite' && isFirst) this.invites.push(name);
      this.#pending.push(pending);
    });
  }

  /** Ends the invitations of a name; whether there was one. */
  #withdraw(name: Name): boolean {
    const invitations = this.#take('invite', name);
    for (const pending of invitations)
      this.#fail(pending, new SessionError('aborted', `${name.toString()} is not wanted`));
    return invitations.length > 0;
  }

  #refusalOf({ kind, name }: Pending): SlimError | undefined {
    if (this.role === 'participant') return new UsageError('not-moderator', 'only the moderator can');
    const isMember = this.members.some((member) => member.prefixKey === name.prefixKey);
    if (kind === 'invite' && isMember) return new SessionError('already-in-group', `${name.toString()} is there`);
    if (kind === 'remove' && !isMember) return new SessionError('participant-not-found', `no ${name.toString()}`);
    return undefined;
  }

  #take(kind: Pending['kind'], name: Name): readonly Pending[] {
    const taken = this.#pending.filter((pending) => pending.kind === kind && pending.name.prefixKey === name.prefixKey);
    for (const pending of taken) this.#pending.splice(this.#pending.indexOf(pending), 1);
    return taken;
  }

  #fail({ kind, name, ref, reject }: Pending, error: SlimError): void {
    this.emit({ kind, name, state: 'failed', error, by: 'app', ...ref });
    reject(error);
  }

  #publish(payload: Uint8Array | string, options: PublishOptions, to: Name | undefined): HandlePort {
    // Refuses what `Session` refuses.
    toPublishCommand(payload, options, to);
    const handle = new FakeHandle(payload, options, to);
    const error = this.#endedWith ?? this.#unsendable(handle);
    if (error !== undefined) {
      this.#report(handle, 'failed', error);
    } else if (this.#mustWait || this.queue.length > 0) {
      this.queue.push(handle);
      this.#report(handle, 'queued');
    } else {
      this.#send(handle);
    }
    return handle;
  }

  get #mustWait(): boolean {
    return this.#isBlocked || this.others.length === 0;
  }

  /** Why it cannot be sent, not even later. */
  #unsendable(handle: FakeHandle): SlimError | undefined {
    const { again } = handle.options;
    if (again !== undefined) {
      const isUnderWay = this.handles.some(({ messageId }) => messageId === again.messageId);
      if (isUnderWay || again.messageId > this.#lastId) return new UsageError('invalid-option', 'not again');
    }
    if (this.#recipientsOf(handle).length > 0 || (again === undefined && handle.to === undefined)) return undefined;
    return new SessionError('participant-not-found', 'participant not found');
  }

  #recipientsOf({ to, options: { again } }: FakeHandle): readonly Name[] {
    const wanted = again?.missing ?? (to === undefined ? this.others : [to]);
    return this.others.filter((name) => wanted.some((other) => other.equals(name)));
  }

  #flush(): void {
    if (this.#mustWait) return;
    for (const handle of this.queue.splice(0)) {
      const error = this.#unsendable(handle);
      if (error === undefined) this.#send(handle);
      else this.#report(handle, 'failed', error);
    }
    this.#wakeWriters();
  }

  #send(handle: FakeHandle): void {
    const { again } = handle.options;
    if (again === undefined) this.#lastId += 1;
    handle.messageId = again?.messageId ?? this.#lastId;
    handle.missing = this.#recipientsOf(handle);
    this.handles.push(handle);
    this.#report(handle, 'sent');
  }

  #progress(handle: FakeHandle): void {
    if (handle.missing.length === 0) this.#settle(handle);
    else this.#report(handle, 'sent');
  }

  #settle(handle: FakeHandle, error?: SlimError): void {
    this.handles.splice(this.handles.indexOf(handle), 1);
    this.#report(handle, error === undefined ? 'acked' : 'failed', error);
  }

  #report(handle: FakeHandle, state: DeliveryState, error?: SlimError): void {
    const { acked, missing, options } = handle;
    const ref = options.ref === undefined ? {} : { ref: options.ref };
    this.emit({ kind: 'delivery', handle, ...ref, state, acked, missing, ...(error !== undefined && { error }) });
  }

  #wakeWriters(): void {
    for (const wake of this.#writers) wake();
    this.#writers.clear();
  }
}

/** A message that a {@link FakeSession} was asked to publish. */
class FakeHandle implements HandlePort {
  readonly payload: Uint8Array | string;
  readonly options: PublishOptions;
  readonly to: Name | undefined;
  messageId: number | undefined;
  acked: readonly Name[] = [];
  missing: readonly Name[] = [];

  constructor(payload: Uint8Array | string, options: PublishOptions, to: Name | undefined) {
    this.payload = payload;
    this.options = options;
    this.to = to;
  }
}

/** An invitation or a removal that has not ended. */
interface Pending {
  readonly kind: 'invite' | 'remove';
  /** As it was asked for. */
  readonly name: Name;
  readonly ref: { readonly ref?: string };
  readonly resolve: (name: Name) => void;
  readonly reject: (error: SlimError) => void;
}

function notAcked(): DeliveryError {
  return new DeliveryError('not-acked', 'not acknowledged');
}
