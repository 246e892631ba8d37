import type { ChatEventBody, MemberInfo, MlsStatus } from '../chat/index.js';
import type { Name } from '../name/index.js';
import { assertNever, SlimError } from '../util/index.js';
import { Outbox, type Outgoing } from './outbox.js';
import type { SessionPort, SessionPortEvent } from './ports.js';
import { Presence } from './presence.js';

type CloseReason = Extract<ChatEventBody, { type: 'closed' }>['reason'];

/** What a session tells the chat around it. */
export interface SessionRunnerHandlers {
  emit(event: ChatEventBody): void;
  onFailed(outgoing: Outgoing): void;
  onProgress(): void;
  /** The last thing that happens. */
  onClosed(runner: SessionRunner, reason: CloseReason): void;
}

/** How an invitation that this program made has ended. */
export type InviteOutcome = { readonly ok: true } | { readonly ok: false; readonly error: SlimError };

/** One session of the chat: turns what happens in it into chat events, and carries out what the chat asks of it. */
export class SessionRunner {
  readonly session: SessionPort;
  readonly outbox: Outbox;
  readonly #presence: Presence;
  readonly #handlers: SessionRunnerHandlers;
  readonly #stopListening: () => void;
  #isLeaving = false;
  #hasEnded = false;

  constructor(session: SessionPort, handlers: SessionRunnerHandlers) {
    this.session = session;
    this.#handlers = handlers;
    this.#presence = new Presence(session.timeoutMs, (member, isSilent, lastHeardMs) => {
      handlers.emit({
        type: 'presence',
        session: session.id,
        member: member.toString(),
        presence: isSilent ? 'silent' : 'online',
        ...(lastHeardMs !== undefined && { lastHeardAt: new Date(lastHeardMs).toISOString() }),
      });
    });
    this.outbox = new Outbox(session, this.#presence, handlers);
    this.#stopListening = session.onEvent((event) => {
      this.#onEvent(event);
    });
  }

  /** Whether this app is the moderator. */
  get isModerator(): boolean {
    return this.session.moderator.equals(this.session.local);
  }

  /** Whether its end is this program's own wish. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** What protects payloads now. */
  get mls(): MlsStatus {
    const { state, epoch } = this.session.protection ?? { state: 'off' };
    return { state, ...(epoch !== undefined && { epoch }) };
  }

  /** The event that introduces the session. */
  describe(): ChatEventBody {
    const { id, channel, moderator, members, timeoutMs, maxRetries, metadata } = this.session;
    return {
      type: 'session',
      session: id,
      channel: channel.withoutId().toString(),
      moderator: moderator.toString(),
      members: members.map(String),
      mls: this.mls,
      timeoutMs,
      maxRetries,
      metadata,
    };
  }

  /** The members with what is known of them. */
  members(): readonly MemberInfo[] {
    const { members, local, moderator } = this.session;
    return members.map((name): MemberInfo => {
      const { isSilent, lastHeardMs, unacked } = this.#presence.of(name);
      return {
        name: name.toString(),
        role: name.equals(moderator) ? 'moderator' : 'participant',
        presence: name.equals(local) ? 'you' : isSilent ? 'silent' : 'online',
        unacked,
        ...(lastHeardMs !== undefined && { lastHeardAt: new Date(lastHeardMs).toISOString() }),
      };
    });
  }

  /** Whether somebody with this name, whatever its id, is a member. */
  hasMember(name: Name): boolean {
    return this.session.members.some((member) => member.prefixKey === name.prefixKey);
  }

  /**
   * Invites, and reports it.
   *
   * @param retryAfter - milliseconds after which the caller tries again if it fails so; `undefined` if it will not
   */
  async invite(
    name: Name,
    ref: string | undefined,
    retryAfter: (error: SlimError) => number | undefined = () => undefined,
  ): Promise<InviteOutcome> {
    const base = { type: 'invite', ...(ref !== undefined && { ref }), name: name.toString() } as const;
    this.#handlers.emit({ ...base, state: 'started' });
    const outcome = await this.#invite(name);
    if (outcome.ok) {
      this.#handlers.emit({ ...base, state: 'joined' });
    } else {
      const retryInMs = this.#hasEnded ? undefined : retryAfter(outcome.error);
      const code = outcome.error.code;
      this.#handlers.emit({ ...base, state: 'failed', code, ...(retryInMs !== undefined && { retryInMs }) });
    }
    return outcome;
  }

  /** Removes a member, and reports it. */
  async remove(name: Name, ref: string | undefined): Promise<void> {
    const base = { type: 'remove', ...(ref !== undefined && { ref }), name: name.toString() } as const;
    this.#handlers.emit({ ...base, state: 'started' });
    try {
      await this.session.remove(name);
      this.#handlers.emit({ ...base, state: 'removed' });
    } catch (error) {
      if (!(error instanceof SlimError)) throw error;
      this.#handlers.emit({ ...base, state: 'failed', code: error.code });
    }
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
    this.outbox.close();
    this.#presence.stop();
    const told = this.#isLeaving ? 'left' : reason;
    this.#handlers.emit({ type: 'closed', session: this.session.id, reason: told });
    this.#handlers.onClosed(this, told);
  }

  async #invite(name: Name): Promise<InviteOutcome> {
    try {
      await this.session.invite(name);
      return { ok: true };
    } catch (error) {
      if (!(error instanceof SlimError)) throw error;
      return { ok: false, error };
    }
  }

  #onEvent(event: SessionPortEvent): void {
    const emit = (body: ChatEventBody): void => {
      this.#handlers.emit(body);
    };
    const session = this.session.id;
    switch (event.kind) {
      case 'message': {
        const { message } = event;
        this.#presence.heard(message.source);
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
        this.outbox.onMembers();
        return;
      case 'left':
        this.#presence.forget(event.member);
        emit({
          type: 'left',
          session,
          member: event.member.toString(),
          members: event.members.length,
          reason: event.reason,
        });
        this.#handlers.onProgress();
        return;
      case 'invite':
        // Own invitations are reported where their outcome is awaited.
        if (event.by === 'controller') emit({ type: 'invite', ...controlled(event) });
        return;
      case 'remove':
        if (event.by === 'controller') emit({ type: 'remove', ...controlled(event) });
        return;
      case 'delivery':
        this.outbox.onDelivery(event);
        return;
      case 'mls': {
        const { state, epoch, clearPeers } = event.protection;
        const names = clearPeers.map((name) => name.toString());
        emit({ type: 'mls', session, state, clearPeers: names, ...(epoch !== undefined && { epoch }) });
        return;
      }
      case 'lost':
        emit({ type: 'lost', session, from: event.from.toString(), id: event.messageId });
        return;
      case 'warning':
        emit({ type: 'warning', code: event.code, message: event.text });
        return;
      case 'closed':
        this.end(event.reason);
        return;
      default:
        assertNever(event);
    }
  }
}

interface Reported<State> {
  readonly name: Name;
  readonly state: State;
  readonly error?: SlimError;
}

function controlled<State>({ name, state, error }: Reported<State>): {
  readonly name: string;
  readonly state: State;
  readonly code?: string;
} {
  return { name: name.toString(), state, ...(error !== undefined && { code: error.code }) };
}
