import { Name } from '../name/index.js';
import {
  type Answer,
  type EndReason,
  type Role,
  type SessionConfig,
  type SessionMachine,
  type SessionNotice,
} from '../protocol/index.js';
import { assertNever, Emitter, SessionError, UsageError, type WaitOptions, withDeadline } from '../util/index.js';
import type { Metadata } from '../wire/index.js';
import { CompletionHandle } from './completion-handle.js';
import type { CloseReason, Protection, ReceivedMessage, SessionEvent, WarningCode } from './events.js';
import type { MlsRunner } from './mls-session.js';
import { type PublishOptions, toPublishCommand } from './publish-command.js';
import { ReceiveQueue } from './receive-queue.js';
import { toReceivedMessage } from './received-message.js';
import { SessionDriver, type SessionLink } from './session-driver.js';
import { WritableGate } from './writable-gate.js';

/** How a member is invited or removed. */
export interface MembershipOptions extends WaitOptions {
  /** Comes back in the `invite` or `remove` events about it. */
  readonly ref?: string;
}

/** Where payloads go: to `getMessage`, or to `onEvent`. */
export type MessageDelivery = 'queue' | 'events';

/** @internal What a session needs of its app. */
export interface SessionHost {
  readonly link: SessionLink;
  readonly messageDelivery: MessageDelivery;
  /** Present if the session has MLS. */
  readonly mls?: MlsRunner;
  onEstablished(session: Session): void;
  /** Of a session that the application does not know of, because it is not usable yet. */
  onEarlyWarning(code: WarningCode, text: string): void;
  /** @param answer - to the request that ended it */
  onEnd(session: Session, answer: Answer | undefined): void;
}

/** A session of an app: its members, what they say, and how it ends. Made by `SlimApp`. */
export class Session {
  readonly #config: SessionConfig;
  readonly #driver: SessionDriver;
  readonly #host: SessionHost;
  readonly #events = new Emitter<SessionEvent>();
  readonly #messages = new ReceiveQueue();
  readonly #role: Role;
  readonly #gate: WritableGate;
  #isReceivingPaused = false;
  #closeReason: CloseReason | undefined;
  #lastMembers: readonly Name[] = [];
  #protection: Protection;
  /** Whether the application has this session in its hands. */
  #isKnown: boolean;

  /** @internal */
  constructor(config: SessionConfig, role: Role, machine: SessionMachine, host: SessionHost) {
    this.#config = config;
    this.#role = role;
    this.#isKnown = role === 'moderator';
    this.#host = host;
    this.#gate = new WritableGate(() => this.#driver.queued);
    this.#driver = new SessionDriver(
      machine,
      host.link,
      {
        onNotice: this.#onNotice,
        onDelivery: this.#onDelivery,
        onEnd: this.#onEnd,
        onWarning: this.#warn,
        onDrained: () => {
          this.#gate.wake();
        },
        isReceiveQueueFull: () => this.#isReceivingPaused || this.#messages.isFull,
        answerWithinMs: (config.maxRetries + 1) * config.timeoutMs,
      },
      host.mls,
    );
    this.#protection = { state: config.mls === undefined ? 'off' : 'joining', clearPeers: [] };
  }

  /** Session id, u32. */
  get id(): number {
    return this.#config.sessionId;
  }

  get type(): 'group' | 'pointToPoint' {
    return this.#config.type;
  }

  /** What this app is in this session. */
  get role(): Role {
    return this.#role;
  }

  /** The group's channel; in a point-to-point session the peer as it was called. */
  get channel(): Name {
    return this.#config.channel;
  }

  /** Own full name in this session. */
  get local(): Name {
    return this.#config.local;
  }

  /** Full name of the moderator. */
  get moderator(): Name {
    return this.#config.moderator;
  }

  /** Full names of all members, own included; after the end as it was. */
  get members(): readonly Name[] {
    return this.#closeReason === undefined ? this.#driver.members : this.#lastMembers;
  }

  /** What the moderator gave the session at its creation. */
  get metadata(): Metadata {
    return this.#config.metadata;
  }

  /** Time between retransmissions (T). */
  get timeoutMs(): number {
    return this.#config.timeoutMs;
  }

  /** Number of retransmissions (R). */
  get maxRetries(): number {
    return this.#config.maxRetries;
  }

  /** How payloads are protected now. */
  get protection(): Protection {
    return this.#protection;
  }

  /** Why the session is over; undefined while it lives. */
  get closeReason(): CloseReason | undefined {
    return this.#closeReason;
  }

  /**
   * Learns what happens in this session, in order.
   *
   * @returns stops listening
   */
  onEvent(listener: (event: SessionEvent) => void): () => void {
    return this.#events.on(listener);
  }

  /**
   * Invites an app into the group. Several invitations run side by side; a second one of the same name shares the outcome of the
   * first. An abort stops the waiting, not the invitation.
   *
   * @returns the full name of the instance that joined
   * @throws SessionError `invite-timeout` after (R+1) × T at most per step, `already-in-group`, `closed`, `aborted`
   * @throws UsageError `not-moderator`, `invalid-name`
   */
  async invite(name: Name | string, options: MembershipOptions = {}): Promise<Name> {
    const invited = toName(name);
    return (await this.#changeMembers('invite', invited, options)) ?? invited;
  }

  /**
   * Removes a member from the group. A name without an id means its one instance in the group.
   *
   * @throws SessionError `participant-not-found`, `closed`, `aborted`
   * @throws UsageError `not-moderator`, `invalid-name`
   */
  async remove(name: Name | string, options: MembershipOptions = {}): Promise<void> {
    await this.#changeMembers('remove', toName(name), options);
  }

  /**
   * Sends a payload to every member. With nobody else in the group it is `queued` until the first member has joined.
   *
   * @param payload - bytes, or a text that is sent as UTF-8; `MAX_PAYLOAD_BYTES` at most
   * @throws UsageError `invalid-payload`
   */
  publish(payload: Uint8Array | string, options: PublishOptions = {}): CompletionHandle {
    return this.#publish(payload, options, undefined);
  }

  /**
   * Sends a payload to one member only (0.7.1 and later). **Never use it on a 0.7.0 member**: it takes the message's number for
   * a gap of billions of messages.
   *
   * @param member - full name; the handle fails with `participant-not-found` if it is no member
   * @throws UsageError `invalid-payload`, `invalid-name`
   */
  publishTo(member: Name | string, payload: Uint8Array | string, options: PublishOptions = {}): CompletionHandle {
    return this.#publish(payload, options, toName(member));
  }

  /**
   * Resolves when `publish` takes a message without a long queue before it: what a fast sender awaits between messages.
   *
   * @throws SessionError `closed`, `aborted`, `timeout`
   */
  async writable(options: WaitOptions = {}): Promise<void> {
    await this.#gate.pass(options);
  }

  /**
   * Whether `publish` takes a message without a long queue before it; what `writable` waits for. False while 256 own messages,
   * or 8 MiB of them, wait to be sent for the first time: because nobody else is in the group, because the link is down, or
   * because they are made faster than they leave.
   */
  get isWritable(): boolean {
    return this.#closeReason === undefined && this.#gate.isOpen;
  }

  /**
   * Takes a message back that has not been sent for the first time (state `queued`): it fails with SessionError `cancelled`.
   * Does nothing to a message that was sent or is settled, or is of another session.
   */
  cancel(handle: CompletionHandle): void {
    this.#driver.cancel(handle);
  }

  /**
   * For an app that gets messages as events and cannot keep up: until `resumeReceiving` no new payload is taken or acknowledged,
   * so that its sender repeats it, and fails if that goes on for as long as its retransmissions last. What was taken before, but
   * waits for a message before it, may still come.
   */
  pauseReceiving(): void {
    this.#isReceivingPaused = true;
  }

  /** Payloads are taken again. */
  resumeReceiving(): void {
    this.#isReceivingPaused = false;
  }

  /**
   * The next payload. What arrived before the end of the session is still given out after it.
   *
   * @throws SessionError `timeout`, `aborted`, `closed`, `removed`, `moderator-gone`
   * @throws UsageError `invalid-option` if the app gets messages as events
   */
  async getMessage(options: WaitOptions = {}): Promise<ReceivedMessage> {
    if (this.#host.messageDelivery === 'events') {
      throw new UsageError(
        'invalid-option',
        "getMessage needs messageDelivery 'queue'; this app gets messages as events",
      );
    }
    return this.#messages.take(options);
  }

  /** Every payload until the session ends. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ReceivedMessage, void, void> {
    for (;;) {
      let message: ReceivedMessage;
      try {
        message = await this.getMessage();
      } catch (error) {
        if (error instanceof SessionError) return;
        throw error;
      }
      yield message;
    }
  }

  /** @internal */
  get driver(): SessionDriver {
    return this.#driver;
  }

  #publish(payload: Uint8Array | string, options: PublishOptions, to: Name | undefined): CompletionHandle {
    const command = toPublishCommand(payload, options, to);
    const handle = new CompletionHandle(options.ref);
    this.#driver.publish(command, handle);
    this.#gate.onPublished();
    return handle;
  }

  #changeMembers(
    kind: 'invite' | 'remove',
    name: Name,
    { ref, ...wait }: MembershipOptions,
  ): Promise<Name | undefined> {
    return withDeadline(this.#driver.run({ kind, name, ...(ref !== undefined && { ref }) }), wait);
  }

  readonly #onNotice = (notice: SessionNotice): void => {
    switch (notice.kind) {
      case 'message': {
        const message = toReceivedMessage(notice.delivered);
        if (this.#host.messageDelivery === 'events') this.#events.emit({ kind: 'message', message });
        else this.#messages.push(message);
        return;
      }
      case 'established':
        this.#isKnown = true;
        this.#host.onEstablished(this);
        return;
      case 'mls': {
        const { state, epoch, clearPeers, clearCopies } = notice;
        this.#protection = {
          state,
          clearPeers,
          ...(epoch !== undefined && { epoch }),
          ...(clearCopies !== undefined && { clearCopies }),
        };
        this.#events.emit({ kind: 'mls', protection: this.#protection });
        return;
      }
      case 'joined':
      case 'left':
      case 'lost':
      case 'invite':
      case 'remove':
        this.#events.emit(notice);
        return;
      case 'warning':
        this.#warn(notice.code, notice.text);
        return;
      default:
        assertNever(notice);
    }
  };

  readonly #onDelivery = (handle: CompletionHandle): void => {
    // What is published after the end fails by its handle only: `closed` is the last event.
    if (!this.#events.hasListeners || this.#closeReason !== undefined) return;
    const { ref, state, acked, missing, error } = handle;
    const what = { handle, ...(ref !== undefined && { ref }), state, acked, missing };
    this.#events.emit({ kind: 'delivery', ...what, ...(error && { error }) });
  };

  readonly #onEnd = (reason: EndReason, answer: Answer | undefined): void => {
    this.#lastMembers = this.#driver.members;
    this.#closeReason = reason === 'abandoned' ? 'closed' : reason;
    this.#host.onEnd(this, answer);
    this.#messages.close(endError(this.#closeReason));
    this.#gate.close(endError(this.#closeReason));
    if (reason !== 'abandoned') this.#events.emit({ kind: 'closed', reason });
  };

  readonly #warn = (code: WarningCode, text: string): void => {
    if (this.#isKnown) this.#events.emit({ kind: 'warning', code, text });
    else this.#host.onEarlyWarning(code, text);
  };
}

function toName(name: Name | string): Name {
  return typeof name === 'string' ? Name.parse(name) : name;
}

function endError(reason: CloseReason): SessionError {
  switch (reason) {
    case 'removed':
      return new SessionError('removed', 'this app was removed from the group');
    case 'moderator-gone':
      return new SessionError('moderator-gone', 'the moderator is gone, the session is closed');
    case 'left':
    case 'closed':
      return new SessionError('closed', 'the session is closed');
    default:
      return assertNever(reason);
  }
}
