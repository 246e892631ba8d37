import type { Name } from '../name/index.js';
import { assertNever, RecentSet, SessionError, UsageError } from '../util/index.js';
import { type Content, MessageType, type PublishMessage } from '../wire/index.js';
import { endedReply } from './ended-reply.js';
import type {
  CommandId,
  Effect,
  EndReason,
  Env,
  Input,
  QueuedMessages,
  SessionCommand,
  SessionConfig,
  SessionMachine,
} from './machine.js';
import { FANOUT_ALL, FANOUT_ONE, flagged, hasFlag } from './message-builder.js';
import { MlsCommits } from './mls-commits.js';
import { MAX_MISSED_PINGS, PING_INTERVAL_MS } from './ping-rounds.js';
import { refuse, requestOfApp } from './requester.js';
import { SessionCore } from './session-core.js';

type GroupAdd = Extract<Content, { kind: 'groupAdd' }>;

/** How many payloads may come before the welcome. */
const MAX_EARLY = 512;

/** Longest wait between the join and the welcome; other invitations may be ahead of ours at the moderator. */
const MIN_WELCOME_WAIT_MS = 60_000;

/**
 * A session from the side of who was invited or called (`session_participant.rs`). It starts with a JoinRequest and is usable
 * from the welcome on. Obeys control messages of its moderator only.
 */
export class SessionParticipant implements SessionMachine {
  readonly #core: SessionCore;
  /** Ids of requests that have their answer: a second one would kill a moderator that no longer waits (session.md 10.1). */
  readonly #answered = new RecentSet<number>();
  /** Ids of changes of the member list that were made; unlike the answer, the change is not repeated after a reconnection. */
  readonly #applied = new RecentSet<number>();
  /** Undefined without MLS. */
  readonly #commits: MlsCommits | undefined;
  /** What the application hears as soon as the session is usable. */
  #early: Effect[] = [];
  #isEstablished = false;
  #isSubscribed = false;
  #hasModeratorPinged = false;
  #missedWindows = 0;
  #hasHeardInWindow = false;
  readonly #leaveCommands: CommandId[] = [];

  constructor(config: SessionConfig) {
    this.#core = new SessionCore(config);
    const { mls, protection } = this.#core;
    if (protection !== undefined) this.#commits = new MlsCommits(mls, protection);
    // Point-to-point: everything goes to the caller; its name is what the first message brought.
    if (config.type === 'pointToPoint') this.#core.sender.setDestination(config.moderator);
  }

  get members(): readonly Name[] {
    return this.#core.members;
  }

  get lastPublishedId(): number {
    return this.#core.sender.lastPublishedId;
  }

  get queued(): QueuedMessages {
    return this.#core.sender.queued;
  }

  handle(input: Input, env: Env): Effect[] {
    if (this.#core.hasEnded) return endedReply(input);
    const effects = this.#holdBack(this.#dispatch(input, env));
    effects.push(...this.#core.armTimers(env));
    return effects;
  }

  #dispatch(input: Input, env: Env): Effect[] {
    switch (input.kind) {
      case 'message':
        return this.#onMessage(input.message, input.subject, env);
      case 'timer':
        return this.#onTimer(input.timer, env);
      case 'command':
        return this.#onCommand(input.id, input.command, env);
      case 'linkDown':
        this.#core.onLinkDown();
        return this.#core.clearTimer('liveness');
      case 'linkUp': {
        // What was answered into a dying stream may not have arrived.
        this.#answered.clear();
        this.#core.receiver.onLinkUp(env);
        const effects = [...this.#core.control.onLinkUp(env, (id) => id), ...this.#core.sender.onLinkUp(env)];
        return this.#hasModeratorPinged ? [...effects, ...this.#restartLiveness()] : effects;
      }
      case 'mlsResult':
        return this.#core.mls.onResult(input.id, input.result, env);
      default:
        return assertNever(input);
    }
  }

  /** Before the welcome the application does not know of the session: all but warnings waits for it. */
  #holdBack(effects: Effect[]): Effect[] {
    if (this.#isEstablished) return effects;
    const early = effects.filter((effect) => effect.kind === 'notify' && effect.notice.kind !== 'warning');
    this.#early.push(...early);
    return effects.filter((effect) => !early.includes(effect));
  }

  #onCommand(id: CommandId, command: SessionCommand, env: Env): Effect[] {
    switch (command.kind) {
      case 'publish':
        if (this.#isLeaving) return endedReply({ kind: 'command', id, command });
        return this.#core.sender.onPublish(id, command, env);
      case 'cancel':
        return this.#core.sender.onCancel(command.publish);
      case 'invite':
      case 'remove': {
        const error = new UsageError('not-moderator', `cannot ${command.kind} a participant: only the moderator can`);
        return refuse(requestOfApp(id, command), error, this.#core.build);
      }
      case 'close':
        return this.#leave(id, env);
      case 'abandon':
        return this.#finish('left', id);
      default:
        return assertNever(command);
    }
  }

  get #isLeaving(): boolean {
    return this.#leaveCommands.length > 0;
  }

  #onMessage(message: PublishMessage, subject: string, env: Env): Effect[] {
    if (this.#early.length >= MAX_EARLY && message.session.messageType === MessageType.msg) return [];
    const payload = this.#core.onPayloadMessage(message, subject, env);
    if (payload !== undefined) return payload;
    // Upstream obeys control messages of anybody who knows the session id.
    if (!message.header.source.equals(this.#core.config.moderator)) return [];
    this.#hasHeardInWindow = true;
    switch (message.session.messageType) {
      case MessageType.joinRequest:
        return [...this.#onJoinRequest(message), ...this.#awaitWelcome()];
      case MessageType.groupWelcome:
      case MessageType.groupAdd:
      case MessageType.groupRemove:
        return this.#onGroupChange(message, env);
      case MessageType.leaveRequest:
        return [...this.#answer(message, MessageType.leaveReply, { kind: 'leaveReply' }), ...this.#finish('removed')];
      case MessageType.leaveReply:
        this.#core.control.onReply(message.session.messageId, message.header.source);
        return this.#isLeaving ? this.#finish('left') : [];
      case MessageType.groupClose:
        return [...this.#answer(message, MessageType.groupAck, { kind: 'groupAck' }), ...this.#finish('closed')];
      case MessageType.ping:
        return this.#onPing(message);
      default:
        // groupAck, groupNack and groupProposal of a peer make upstream panic; here they mean nothing.
        return [];
    }
  }

  /** Answers a request once (`session.md` appendix A 6); after a reconnection once more. */
  #answer(
    request: PublishMessage,
    messageType: number,
    content: Parameters<SessionCore['build']['buildReply']>[2],
  ): Effect[] {
    const { messageId } = request.session;
    if (!this.#answered.add(messageId)) return [];
    return [{ kind: 'send', message: this.#core.build.buildReply(request, messageType, content) }];
  }

  /** With MLS each join request gets a key package of its own; all stay usable until the welcome (session.md 10.3). */
  #onJoinRequest(request: PublishMessage): Effect[] {
    if (this.#commits === undefined) return this.#answer(request, MessageType.joinReply, { kind: 'joinReply' });
    if (this.#answered.has(request.session.messageId)) return [];
    return this.#core.mls.request({ op: 'keyPackage' }, (result) => {
      if (result.ok) {
        return this.#answer(request, MessageType.joinReply, { kind: 'joinReply', keyPackage: result.bytes });
      }
      // An empty reply would wedge a 0.7.0 moderator (session.md 10.10).
      const text = `could not answer an invitation with MLS: ${result.error.message}`;
      return [{ kind: 'notify', notice: { kind: 'warning', code: 'mls-failed', text } }];
    });
  }

  /** Welcome, addition or removal; with MLS only together with what it does to the MLS group. */
  #onGroupChange(message: PublishMessage, env: Env): Effect[] {
    const { content } = message;
    // A repetition changes nothing any more; it is only answered.
    const commits = this.#applied.has(message.session.messageId) ? undefined : this.#commits;
    switch (content.kind) {
      case 'groupWelcome': {
        const apply = (later: Env): Effect[] => this.#onWelcome(message, content.participants, later);
        return commits === undefined ? apply(env) : commits.onWelcome(content.mls, env, apply);
      }
      case 'groupAdd': {
        const apply = (later: Env): Effect[] => this.#onGroupAdd(message, content, later);
        return commits === undefined ? apply(env) : commits.onCommit(content.mls, 'add', env, apply);
      }
      case 'groupRemove': {
        const apply = (later: Env): Effect[] => this.#onGroupRemove(message, content.removedParticipant, later);
        return commits === undefined ? apply(env) : commits.onCommit(content.mls, 'remove', env, apply);
      }
      default:
        return [];
    }
  }

  #awaitWelcome(): Effect[] {
    if (this.#isEstablished) return [];
    const { timeoutMs, maxRetries } = this.#core.config;
    return [this.#core.setTimer('limbo', Math.max(2 * (maxRetries + 1) * timeoutMs, MIN_WELCOME_WAIT_MS))];
  }

  #onWelcome(message: PublishMessage, participants: readonly Name[], env: Env): Effect[] {
    const { config } = this.#core;
    const ack = this.#answer(message, MessageType.groupAck, { kind: 'groupAck' });
    if (!this.#applied.add(message.session.messageId)) return ack;
    const effects: Effect[] = [...this.#core.clearTimer('limbo')];
    if (config.type === 'group' && !this.#isSubscribed) {
      this.#isSubscribed = true;
      effects.push({ kind: 'subscribe', name: config.channel });
    }
    const before = this.#core.members;
    this.#core.clearMembers();
    for (const name of participants) this.#core.addMember(name);
    this.#core.addMember(config.local);
    effects.push(...ack);
    if (this.#isEstablished) {
      effects.push(...this.#onListReplaced(before, env));
    } else {
      this.#isEstablished = true;
      effects.push({ kind: 'notify', notice: { kind: 'established', members: this.#core.members } }, ...this.#early);
      this.#early = [];
    }
    this.#core.receiver.setFormerSources(this.#core.others);
    // The list is complete before anything waits for it: a message goes to all of them, not to the first one only.
    return [...effects, ...this.#core.sender.addEndpoints(this.#core.others, env)];
  }

  /** Welcomed once more: what has changed in the meantime. */
  #onListReplaced(before: readonly Name[], env: Env): Effect[] {
    const { members } = this.#core;
    const effects: Effect[] = [];
    for (const member of before) {
      if (this.#core.isMember(member)) continue;
      effects.push(
        ...this.#core.receiver.forgetSource(member),
        { kind: 'notify', notice: { kind: 'left', member, reason: 'removed', members } },
        ...this.#core.sender.removeEndpoint(member, env),
      );
    }
    for (const member of members) {
      if (before.some((name) => name.equals(member))) continue;
      effects.push({ kind: 'notify', notice: { kind: 'joined', member, members } });
    }
    return effects;
  }

  #onGroupAdd(message: PublishMessage, { newParticipant: added, participants }: GroupAdd, env: Env): Effect[] {
    // A repetition for others reaches a new member too: it names us (session.md 10.9), or is from before our time.
    const isForUs = participants.some((name) => name.prefixKey === this.#core.config.local.prefixKey);
    if (!this.#isEstablished || !isForUs || this.#core.isSelf(added)) return [];
    const ack = this.#answer(message, MessageType.groupAck, { kind: 'groupAck' });
    if (!this.#applied.add(message.session.messageId)) return ack;
    if (this.#core.isMember(added)) {
      // 0.7.0 removes one of two members without telling the other; now it is back.
      const waiting = this.#core.receiver.forgetSource(added);
      this.#core.receiver.addSource(added);
      return [...ack, ...waiting];
    }
    this.#core.addMember(added);
    this.#core.receiver.addSource(added);
    return [
      ...ack,
      { kind: 'notify', notice: { kind: 'joined', member: added, members: this.#core.members } },
      ...this.#core.sender.addEndpoints([added], env),
    ];
  }

  #onGroupRemove(message: PublishMessage, removed: Name, env: Env): Effect[] {
    if (!this.#isEstablished) return [];
    const ack = this.#answer(message, MessageType.groupAck, { kind: 'groupAck' });
    if (!this.#applied.add(message.session.messageId)) return ack;
    if (this.#core.isSelf(removed)) {
      // A leave request follows, unless the moderator took us for dead.
      const { timeoutMs, maxRetries } = this.#core.config;
      return [...ack, this.#core.setTimer('limbo', (maxRetries + 2) * timeoutMs)];
    }
    if (!this.#core.removeMember(removed)) return ack;
    this.#core.protection?.forget(removed);
    // Only our own moderator says why; with upstream's every loss looks like a removal.
    const { metadata } = message;
    const reason = hasFlag(metadata, 'leavingSession')
      ? 'left'
      : hasFlag(metadata, 'disconnectionDetected')
        ? 'offline'
        : 'removed';
    return [
      ...ack,
      ...this.#core.receiver.forgetSource(removed),
      { kind: 'notify', notice: { kind: 'left', member: removed, reason, members: this.#core.members } },
      ...this.#core.sender.removeEndpoint(removed, env),
    ];
  }

  #onPing(request: PublishMessage): Effect[] {
    const { messageId } = request.session;
    // To the moderator, with the fanout it came with (`session_participant.rs:on_ping`), as far as it is one.
    const fanout = request.header.fanout === FANOUT_ONE ? FANOUT_ONE : FANOUT_ALL;
    const reply = this.#core.build.build(MessageType.ping, request.header.source, fanout, messageId, { kind: 'ping' });
    const send: Effect = { kind: 'send', message: reply };
    if (this.#hasModeratorPinged) return [send];
    this.#hasModeratorPinged = true;
    return [send, ...this.#restartLiveness()];
  }

  #restartLiveness(): Effect[] {
    this.#missedWindows = 0;
    this.#hasHeardInWindow = false;
    return [...this.#core.clearTimer('liveness'), this.#core.setTimer('liveness', PING_INTERVAL_MS)];
  }

  #onTimer(timer: Extract<Input, { kind: 'timer' }>['timer'], env: Env): Effect[] {
    this.#core.onTimerFired(timer);
    switch (timer) {
      case 'acks':
        return this.#core.sender.onTimer(env);
      case 'rtx':
        return this.#core.receiver.onTimer(env);
      case 'control': {
        const { effects, failed } = this.#core.control.onTimer(env);
        // The only request of a participant is its goodbye.
        return failed.length > 0 ? [...effects, ...this.#finish('left')] : effects;
      }
      case 'liveness':
        this.#missedWindows = this.#hasHeardInWindow ? 0 : this.#missedWindows + 1;
        this.#hasHeardInWindow = false;
        if (this.#missedWindows >= MAX_MISSED_PINGS) return this.#finish('moderator-gone');
        return [this.#core.setTimer('liveness', PING_INTERVAL_MS)];
      case 'limbo':
        return this.#finish(this.#isEstablished ? 'removed' : 'abandoned');
      case 'ping':
      case 'leaves':
      case 'renewal':
        return [];
      default:
        return assertNever(timer);
    }
  }

  /** The 1.x goodbye. A moderator that never pinged is 0.7 and never answers it: told once, not waited for (session.md 3.7). */
  #leave(id: CommandId, env: Env): Effect[] {
    if (!this.#isEstablished) return this.#finish('left', id);
    this.#leaveCommands.push(id);
    if (this.#leaveCommands.length > 1) return [];
    const effects = this.#unsubscribe();
    const { moderator } = this.#core.config;
    const goodbye = this.#core.build.build(
      MessageType.leaveRequest,
      moderator,
      FANOUT_ONE,
      env.randomU32(),
      { kind: 'leaveRequest' },
      flagged('leavingSession'),
    );
    if (this.#hasModeratorPinged) return [...effects, this.#core.control.send(goodbye, [moderator], env)];
    return [...effects, { kind: 'send', message: goodbye }, ...this.#finish('left')];
  }

  #unsubscribe(): Effect[] {
    if (!this.#isSubscribed) return [];
    this.#isSubscribed = false;
    return [{ kind: 'unsubscribe', name: this.#core.config.channel }];
  }

  #finish(reason: EndReason, command?: CommandId): Effect[] {
    const effects = this.#unsubscribe();
    for (const id of this.#leaveCommands.splice(0)) effects.push({ kind: 'settle', id });
    if (command !== undefined) effects.push({ kind: 'settle', id: command });
    return [...effects, ...this.#core.end(reason, endError(reason))];
  }
}

function endError(reason: EndReason): SessionError {
  switch (reason) {
    case 'removed':
      return new SessionError('removed', 'this app was removed from the group');
    case 'moderator-gone':
      return new SessionError('moderator-gone', 'the moderator is gone');
    case 'left':
    case 'closed':
    case 'abandoned':
      return new SessionError('closed', 'the session is closed');
    default:
      return assertNever(reason);
  }
}
