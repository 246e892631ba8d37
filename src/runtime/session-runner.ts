import type { ChatEventBody, FailureReason, MlsStatus, OwnContent, OwnMessage } from '../chat/index.js';
import type { CloseReason, DeliveryState, Protection } from '../client/index.js';
import { Name } from '../name/index.js';
import { assertNever, SlimError } from '../util/index.js';
import type { HandlePort, SessionPort, SessionPortEvent } from './ports.js';
import type { Presence } from './presence.js';

/** Whom a session tells what happens in it. */
export interface SessionRunnerDeps {
  readonly emit: (event: ChatEventBody) => void;
  /** Learns who did something. */
  readonly presence: Pick<Presence, 'heard'>;
  /** The last thing that happens. */
  readonly onClosed: () => void;
}

/** One session of the chat: turns what happens in it into chat events, and carries out what the chat asks of it. */
export class SessionRunner {
  readonly session: SessionPort;
  /** After how many milliseconds somebody tries again when an invitation has failed so; `undefined` if nobody will. */
  retryAfter: (name: Name, error: SlimError) => number | undefined = () => undefined;
  /** Hears of a member that is gone without anybody having wanted that. */
  onOffline: (member: Name) => void = () => undefined;
  readonly #deps: SessionRunnerDeps;
  /** Own messages that are not settled, by key. */
  readonly #own = new Map<number, Own>();
  readonly #stopListening: () => void;
  #isLeaving = false;
  #hasEnded = false;

  constructor(session: SessionPort, deps: SessionRunnerDeps) {
    this.session = session;
    this.#deps = deps;
    this.#stopListening = session.onEvent(this.#onEvent);
  }

  /** Whether its end is this program's own wish. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** Tells of the session, and who in it cannot read what is encrypted. */
  introduce(): void {
    const { protection } = this.session;
    this.#deps.emit(this.#describe());
    if (protection !== undefined && protection.clearPeers.length > 0) this.#tellProtection(protection);
  }

  #describe(): ChatEventBody {
    const { id, channel, role, moderator, members, timeoutMs, maxRetries, metadata } = this.session;
    return {
      type: 'session',
      session: id,
      channel: channel.withoutId().toString(),
      moderator: moderator.toString(),
      members: members.map(String),
      role,
      mls: this.#mls(),
      timeoutMs,
      maxRetries,
      metadata,
    };
  }

  /** Whether somebody with this name, whatever its id, is a member. */
  hasMember(name: Name): boolean {
    return this.session.members.some((member) => member.prefixKey === name.prefixKey);
  }

  /** Invites; the session reports how it goes. Resolves to why it failed, if it did. */
  async invite(name: Name, ref: string | undefined): Promise<SlimError | undefined> {
    return outcomeOf(this.session.invite(name, ref === undefined ? {} : { ref }));
  }

  /** A removal of somebody whose invitation has failed and was to be tried again: told as if one were under way. */
  tellGivenUp(name: Name, ref: string | undefined): void {
    if (this.#hasEnded) return;
    const about = { session: this.session.id, name: name.toString() };
    const removal = { type: 'remove', ...about, ...(ref !== undefined && { ref }) } as const;
    this.#deps.emit({ ...removal, state: 'started' });
    this.#deps.emit({ type: 'invite', ...about, state: 'failed', code: 'aborted' });
    this.#deps.emit({ ...removal, state: 'removed' });
  }

  /** Removes a member; the session reports how it goes. */
  async remove(name: Name, ref: string | undefined): Promise<void> {
    await outcomeOf(this.session.remove(name, ref === undefined ? {} : { ref }));
  }

  /**
   * Sends an own message, or once more one that has failed: then under its old number, to those who miss it.
   *
   * @param failed - the message as it failed
   */
  publish(key: number, ref: string | undefined, content: OwnContent, failed?: OwnMessage): void {
    const { payload, payloadType, metadata, to } = content;
    const messageId = failed?.id ?? undefined;
    const missing = failed?.missing.map((name) => Name.parse(name)) ?? [];
    const options = {
      ref: String(key),
      ...(payloadType !== undefined && { payloadType }),
      ...(metadata !== undefined && { metadata }),
      ...(messageId !== undefined && { again: { messageId, missing } }),
    };
    const entry: Own = { ref, handle: undefined, acked: 0 };
    this.#own.set(key, entry);
    try {
      entry.handle =
        to === undefined || messageId !== undefined
          ? this.session.publish(payload, options)
          : this.session.publishTo(Name.parse(to), payload, options);
    } catch (error) {
      if (!(error instanceof SlimError)) throw error;
      this.#own.delete(key);
      const about = { key, session: this.session.id, ...(ref !== undefined && { ref }) };
      this.#deps.emit({ type: 'error', code: error.code, message: error.message, ...about });
      const nothing = { id: null, acked: [], missing: [] };
      this.#deps.emit({
        type: 'delivery',
        ...about,
        ...nothing,
        state: 'failed',
        reason: 'refused',
        code: error.code,
      });
    }
  }

  /** Takes back a message that has not been sent yet. */
  cancel(key: number): void {
    const handle = this.#own.get(key)?.handle;
    if (handle !== undefined) this.session.cancel(handle);
  }

  /** From now on the end of the session is this program's own wish. */
  markLeaving(): void {
    this.#isLeaving = true;
  }

  /** Ends it here, whether or not the session has said so itself. Idempotent. */
  end(reason: CloseReason): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stopListening();
    for (const [key, { ref, handle }] of this.#own) {
      this.#emitDelivery(key, ref, handle, {
        state: 'failed',
        acked: [],
        missing: [],
        reason: 'closed',
        code: 'closed',
      });
    }
    this.#own.clear();
    const told = this.#isLeaving ? 'left' : reason;
    this.#deps.emit({ type: 'closed', session: this.session.id, reason: told });
    this.#deps.onClosed();
  }

  #mls(): MlsStatus {
    const { state, epoch } = this.session.protection ?? { state: 'off' };
    return { state, ...(epoch !== undefined && { epoch }) };
  }

  readonly #onEvent = (event: SessionPortEvent): void => {
    const { emit, presence } = this.#deps;
    const session = this.session.id;
    switch (event.kind) {
      case 'message': {
        const { message } = event;
        presence.heard(session, message.source.toString());
        emit({
          type: 'message',
          session,
          id: message.messageId,
          from: message.source.toString(),
          ...(message.text === undefined
            ? { textBase64: Buffer.from(message.payload).toString('base64') }
            : { text: message.text }),
          payloadType: message.payloadType,
          metadata: message.metadata,
          encrypted: message.encrypted,
        });
        return;
      }
      case 'joined':
        emit({ type: 'joined', session, member: event.member.toString(), members: event.members.length });
        return;
      case 'left':
        emit({
          type: 'left',
          session,
          member: event.member.toString(),
          members: event.members.length,
          reason: event.reason,
        });
        if (event.reason === 'offline') this.onOffline(event.member);
        return;
      case 'invite': {
        const retryInMs = event.state === 'failed' ? this.#retryIn(event.name, event.error) : undefined;
        emit({ type: 'invite', session, ...reported(event), ...(retryInMs !== undefined && { retryInMs }) });
        return;
      }
      case 'remove':
        emit({ type: 'remove', session, ...reported(event) });
        return;
      case 'delivery':
        this.#onDelivery(event);
        return;
      case 'mls':
        this.#tellProtection(event.protection);
        return;
      case 'lost':
        emit({ type: 'lost', session, from: event.from.toString(), id: event.messageId });
        return;
      case 'warning':
        emit({ type: 'warning', session, code: event.code, message: event.text });
        return;
      case 'closed':
        this.end(event.reason);
        return;
      default:
        assertNever(event);
    }
  };

  #tellProtection({ state, epoch, clearPeers, clearCopies }: Protection): void {
    this.#deps.emit({
      type: 'mls',
      session: this.session.id,
      state,
      clearPeers: clearPeers.map(String),
      ...(epoch !== undefined && { epoch }),
      ...(clearCopies !== undefined && { clearCopies }),
    });
  }

  #retryIn(name: Name, error: SlimError): number | undefined {
    return this.#hasEnded || this.#isLeaving ? undefined : this.retryAfter(name, error);
  }

  #onDelivery({ handle, ref, state, acked, missing, error }: Extract<SessionPortEvent, { kind: 'delivery' }>): void {
    const key = Number(ref);
    const entry = this.#own.get(key);
    if (entry === undefined) return;
    for (const name of acked.slice(entry.acked)) this.#deps.presence.heard(this.session.id, name.toString());
    entry.acked = acked.length;
    if (state === 'acked' || state === 'failed') this.#own.delete(key);
    const failure = state === 'failed' ? { reason: reasonOf(error), ...(error && { code: error.code }) } : {};
    this.#emitDelivery(key, entry.ref, handle, { state, acked, missing, ...failure });
  }

  #emitDelivery(
    key: number,
    ref: string | undefined,
    handle: HandlePort | undefined,
    { acked, missing, ...progress }: Progress,
  ): void {
    this.#deps.emit({
      type: 'delivery',
      key,
      session: this.session.id,
      ...(ref !== undefined && { ref }),
      id: handle?.messageId ?? null,
      ...progress,
      acked: acked.map(String),
      missing: missing.map(String),
    });
  }
}

/** An own message that is not settled. */
interface Own {
  /** As its command gave it. */
  readonly ref: string | undefined;
  /** Absent until the session has given it out. */
  handle: HandlePort | undefined;
  /** How many acknowledgements were told. */
  acked: number;
}

interface Progress {
  readonly state: DeliveryState;
  readonly acked: readonly Name[];
  readonly missing: readonly Name[];
  readonly reason?: FailureReason;
  readonly code?: string;
}

function reasonOf(error: SlimError | undefined): FailureReason {
  switch (error?.code) {
    case 'not-acked':
      return 'unacked';
    case 'cancelled':
      return 'dropped';
    case 'closed':
    case 'removed':
    case 'moderator-gone':
      return 'closed';
    default:
      return 'refused';
  }
}

/** Waits for the end of a command. Its failure is reported by the session; what is no expected failure is a bug. */
async function outcomeOf(running: Promise<unknown>): Promise<SlimError | undefined> {
  try {
    await running;
    return undefined;
  } catch (error) {
    if (error instanceof SlimError) return error;
    throw error;
  }
}

interface Reported<State> {
  readonly name: Name;
  readonly ref?: string;
  readonly state: State;
  readonly error?: SlimError;
}

function reported<State>({ name, ref, state, error }: Reported<State>): {
  readonly name: string;
  readonly ref?: string;
  readonly state: State;
  readonly code?: string;
} {
  return {
    ...(ref !== undefined && { ref }),
    name: name.toString(),
    state,
    ...(error !== undefined && { code: error.code }),
  };
}
