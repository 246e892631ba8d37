import type { Name } from '../name/index.js';
import { assertNever, SessionError, type SlimError, UsageError } from '../util/index.js';
import { MessageType, type MlsPayload, type PublishMessage } from '../wire/index.js';
import type {
  CommandId,
  Effect,
  EndReason,
  Env,
  Input,
  SessionCommand,
  SessionConfig,
  SessionMachine,
} from './machine.js';
import { FANOUT_ALL, FANOUT_ONE, flagged, hasFlag, NO_METADATA } from './message-builder.js';
import { ModeratorMls } from './moderator-mls.js';
import type { Invitation, MembershipChange, Removal, Step } from './moderator-task.js';
import { PING_INTERVAL_MS, PingRounds } from './ping-rounds.js';
import { RecentSet } from './recent-set.js';
import { SessionCore } from './session-core.js';

/** Which reply settles which step. */
const REPLY_TO_STEP = {
  discovery: MessageType.discoveryReply,
  join: MessageType.joinReply,
  welcome: MessageType.groupAck,
  add: MessageType.groupAck,
  remove: MessageType.groupAck,
  leave: MessageType.leaveReply,
  close: MessageType.groupAck,
} as const;

/**
 * A session from its moderator's side: who made the group, or the caller of a point-to-point session (`session_moderator.rs`).
 *
 * Differs from upstream where that is invisible on the wire: discovery and join of several invitations run side by side; a
 * member counts, and an invitation succeeds, only when the welcome is acknowledged; a failed step never stops the ones behind
 * it; a group whose last participant leaves stays open.
 */
export class SessionModerator implements SessionMachine {
  readonly #core: SessionCore;
  /** Undefined without MLS. */
  readonly #mls: ModeratorMls | undefined;
  readonly #pings = new PingRounds();
  readonly #steps = new Map<number, Step>();
  /** By name without id: one instance of a name may be a member (`session_moderator.rs:group_list`). */
  readonly #invitations = new Map<string, Invitation>();
  readonly #departing = new Map<string, Removal>();
  /** Invitations of names that are still on their way out. */
  readonly #deferred: { readonly id: CommandId; readonly name: Name }[] = [];
  readonly #changes: MembershipChange[] = [];
  #current: MembershipChange | undefined;
  /** Members that were given up without being told; they are told when they are heard of again. */
  readonly #evicted = new Map<string, Name>();
  /** Goodbyes that have their answer. */
  readonly #answered = new RecentSet<string>();
  #isSubscribed = false;
  #isPinging = false;
  readonly #closeCommands: CommandId[] = [];
  #isClosing = false;

  constructor(config: SessionConfig) {
    this.#core = new SessionCore(config);
    this.#core.addMember(config.local);
    const { mls, protection } = this.#core;
    if (protection !== undefined) this.#mls = new ModeratorMls(mls, protection);
  }

  get members(): readonly Name[] {
    return this.#core.members;
  }

  get lastPublishedId(): number {
    return this.#core.sender.lastPublishedId;
  }

  get queuedCount(): number {
    return this.#core.sender.queuedCount;
  }

  handle(input: Input, env: Env): Effect[] {
    if (this.#core.hasEnded) return endedReply(input);
    const effects = this.#dispatch(input, env);
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
        this.#core.sender.onLinkDown();
        this.#core.receiver.onLinkDown();
        this.#core.control.onLinkDown();
        this.#pings.forgetRound();
        return this.#core.clearTimer('ping');
      case 'linkUp': {
        this.#answered.clear();
        this.#core.receiver.onLinkUp(env);
        const requests = this.#core.control.onLinkUp(env, (messageId) => this.#renew(messageId, env));
        const effects = [...requests, ...this.#core.sender.onLinkUp(env)];
        return this.#isPinging ? [...effects, ...this.#ping(env)] : effects;
      }
      case 'mlsResult':
        return this.#core.mls.onResult(input.result, env);
      default:
        return assertNever(input);
    }
  }

  #onCommand(id: CommandId, command: SessionCommand, env: Env): Effect[] {
    switch (command.kind) {
      case 'publish':
        if (this.#isClosing) return publishRefused(id, closedError());
        return this.#core.sender.onPublish(id, command, env);
      case 'invite':
        return this.#invite(id, command.name, env);
      case 'remove':
        return this.#remove(id, command.name, env);
      case 'close':
        return this.#close(id, env);
      case 'abandon':
        return this.#finish('closed', id);
      default:
        return assertNever(command);
    }
  }

  #onMessage(message: PublishMessage, subject: string, env: Env): Effect[] {
    const { source } = message.header;
    const { messageId, messageType } = message.session;
    if (!this.#core.isMember(source) && this.#evicted.delete(source.key)) {
      const leave: Effect = { kind: 'send', message: this.#leaveRequest(source, env) };
      // It may be answering a new invitation.
      return [leave, ...this.#onMessage(message, subject, env)];
    }
    switch (messageType) {
      case MessageType.msg:
        // Nobody else can be a member without this side's doing.
        if (!this.#core.isMember(source) && !this.#departing.has(source.prefixKey)) return [];
        break;
      case MessageType.discoveryReply:
      case MessageType.joinReply:
      case MessageType.leaveReply:
      case MessageType.groupAck:
        return this.#onReply(message, env);
      case MessageType.ping:
        this.#pings.onAnswer(source, messageId);
        return [];
      case MessageType.leaveRequest:
        return hasFlag(message.metadata, 'leavingSession') ? this.#onLeaving(message, env) : [];
      default:
    }
    return this.#core.onPayloadMessage(message, subject, env) ?? [];
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
        for (const { messageId } of failed) effects.push(...this.#onStepFailed(messageId, env));
        return effects;
      }
      case 'ping':
        return this.#onPingRound(env);
      case 'liveness':
      case 'limbo':
        return [];
      default:
        return assertNever(timer);
    }
  }

  // --- Invitations ---------------------------------------------------------------------------------------------------

  #invite(id: CommandId, name: Name, env: Env): Effect[] {
    const key = name.prefixKey;
    if (this.#isClosing) return [{ kind: 'settle', id, error: closedError() }];
    const isDeparting = this.#departing.has(key);
    const isMember = this.#core.members.some((member) => member.prefixKey === key);
    const isInvited = this.#invitations.has(key) || this.#deferred.some((waiting) => waiting.name.prefixKey === key);
    if ((isMember && !isDeparting) || isInvited) {
      const error = new SessionError('already-in-group', `participant already in group: ${name.toString()}`);
      return [{ kind: 'settle', id, error }];
    }
    if (this.#core.config.type === 'pointToPoint' && this.#core.others.length + this.#invitations.size > 0) {
      return [{ kind: 'settle', id, error: noGroupError('invite') }];
    }
    if (isDeparting) {
      this.#deferred.push({ id, name });
      return [];
    }
    const invitation: Invitation = {
      kind: 'invitation',
      command: id,
      name,
      member: undefined,
      keyPackage: undefined,
      awaitsWelcomeAck: true,
      awaitsAddAcks: false,
    };
    this.#invitations.set(key, invitation);
    return [
      this.#request({ kind: 'discovery', invitation }, name, FANOUT_ONE, { kind: 'discoveryRequest' }, [name], env),
    ];
  }

  #onDiscovered(invitation: Invitation, member: Name, env: Env): Effect[] {
    const { config } = this.#core;
    invitation.member = member;
    const effects: Effect[] = [];
    if (config.type === 'group' && !this.#isSubscribed) {
      this.#isSubscribed = true;
      effects.push({ kind: 'subscribe', name: config.channel });
    }
    if (config.type === 'pointToPoint') this.#core.sender.setDestination(member);
    if (this.#mls !== undefined) effects.push(...this.#mls.createGroup());
    const { timeoutMs, maxRetries } = config;
    effects.push(
      this.#request(
        { kind: 'join', invitation },
        member,
        FANOUT_ONE,
        {
          kind: 'joinRequest',
          enableMls: this.#mls !== undefined,
          timerSettings: { timeoutMs, maxRetries },
          ...(config.type === 'group' && { channel: config.channel }),
        },
        [member],
        env,
        config.metadata,
      ),
    );
    return effects;
  }

  #admit(invitation: Invitation, member: Name, env: Env): Effect[] {
    if (this.#mls === undefined) return this.#announce(invitation, member, undefined, env);
    const { keyPackage } = invitation;
    const fail = (error: SlimError, later: Env): Effect[] => [
      ...this.#failInvitation(invitation, error),
      ...this.#nextChange(invitation, later),
    ];
    if (keyPackage === undefined) {
      const text = `${member.toString()} joined without a key package, so it cannot take part in a group with MLS`;
      return fail(new SessionError('mls-unsupported', text), env);
    }
    return this.#mls.add(member, keyPackage, (made, later) =>
      made.ok ? this.#announce(invitation, member, made, later) : fail(made.error, later),
    );
  }

  /** The new member is in the list: the others are told, and so is it. */
  #announce(
    invitation: Invitation,
    member: Name,
    mls: { readonly commit: MlsPayload; readonly welcome: MlsPayload } | undefined,
    env: Env,
  ): Effect[] {
    const existing = this.#core.others;
    this.#core.addMember(member);
    this.#core.receiver.addSource(member);
    this.#evicted.delete(member.key);
    const participants = this.#core.members;
    const effects: Effect[] = [];
    if (existing.length > 0) {
      invitation.awaitsAddAcks = true;
      effects.push(
        this.#request(
          { kind: 'add', invitation },
          this.#core.config.channel,
          FANOUT_ALL,
          { kind: 'groupAdd', newParticipant: member, participants, ...(mls && { mls: mls.commit }) },
          existing,
          env,
        ),
      );
    }
    effects.push(
      this.#request(
        { kind: 'welcome', invitation },
        member,
        FANOUT_ONE,
        { kind: 'groupWelcome', participants, ...(mls && { mls: mls.welcome }) },
        [member],
        env,
      ),
    );
    return effects;
  }

  #onWelcomed(invitation: Invitation, member: Name, env: Env): Effect[] {
    invitation.awaitsWelcomeAck = false;
    this.#pings.add(member);
    const effects: Effect[] = [
      { kind: 'notify', notice: { kind: 'joined', member, members: this.#core.members } },
      ...this.#core.sender.addEndpoints([member], env),
    ];
    if (!this.#isPinging) {
      this.#isPinging = true;
      effects.push(this.#core.setTimer('ping', PING_INTERVAL_MS));
    }
    effects.push(...this.#settleInvitation(invitation));
    return [...effects, ...this.#nextChange(invitation, env)];
  }

  /** Succeeds when the member is in and the others know of it, or will not say so. */
  #settleInvitation(invitation: Invitation): Effect[] {
    if (invitation.awaitsWelcomeAck || invitation.awaitsAddAcks) return [];
    this.#invitations.delete(invitation.name.prefixKey);
    const { command, member } = invitation;
    if (command === undefined) return [];
    invitation.command = undefined;
    return [{ kind: 'settle', id: command, ...(member && { member }) }];
  }

  #failInvitation(invitation: Invitation, error: SlimError): Effect[] {
    this.#invitations.delete(invitation.name.prefixKey);
    for (const [messageId, step] of this.#steps) {
      if (!('invitation' in step) || step.invitation !== invitation) continue;
      this.#steps.delete(messageId);
      this.#core.control.cancel(messageId);
    }
    const { command } = invitation;
    invitation.command = undefined;
    return command === undefined ? [] : [{ kind: 'settle', id: command, error }];
  }

  // --- Removals ------------------------------------------------------------------------------------------------------

  #remove(id: CommandId, name: Name, env: Env): Effect[] {
    if (this.#isClosing) return [{ kind: 'settle', id, error: closedError() }];
    if (this.#core.config.type === 'pointToPoint') return [{ kind: 'settle', id, error: noGroupError('remove') }];
    const member = this.#core.others.find((other) =>
      name.hasId ? other.equals(name) : other.prefixKey === name.prefixKey,
    );
    if (member === undefined || this.#departing.has(member.prefixKey)) {
      const error = new SessionError('participant-not-found', `participant not found: ${name.toString()}`);
      return [{ kind: 'settle', id, error }];
    }
    return this.#depart({ kind: 'removal', command: id, member, reason: 'removed', wasAnnounced: true }, env);
  }

  /** A 1.x participant says goodbye (`LEAVING_SESSION`). */
  #onLeaving(message: PublishMessage, env: Env): Effect[] {
    const { source } = message.header;
    if (!this.#core.isMember(source) || !this.#answered.add(`${source.key}:${String(message.session.messageId)}`))
      return [];
    const effects: Effect[] = [
      { kind: 'send', message: this.#core.build.buildReply(message, MessageType.leaveReply, { kind: 'leaveReply' }) },
    ];
    if (this.#core.config.type === 'pointToPoint') return [...effects, ...this.#finish('closed', undefined)];
    const invitation = this.#invitations.get(source.prefixKey);
    if (invitation?.awaitsWelcomeAck === true) return [...effects, ...this.#onWelcomeFailed(invitation, source, env)];
    return [...effects, ...this.#giveUp(source, 'left', env)];
  }

  #giveUp(member: Name, reason: 'left' | 'offline', env: Env): Effect[] {
    if (this.#isClosing) return this.#stopWaitingFor(member, env);
    if (this.#departing.has(member.prefixKey)) return [];
    const effects = this.#depart({ kind: 'removal', command: undefined, member, reason, wasAnnounced: true }, env);
    // The change that runs, if this one waits behind it, may wait for nobody else.
    return [...effects, ...this.#stopWaitingFor(member, env)];
  }

  #depart(removal: Removal, env: Env): Effect[] {
    this.#departing.set(removal.member.prefixKey, removal);
    this.#changes.push(removal);
    return this.#nextChange(undefined, env);
  }

  #startRemoval(removal: Removal, env: Env): Effect[] {
    if (this.#mls === undefined) return this.#announceRemoval(removal, undefined, env);
    return this.#mls.remove(removal.member, (commit, later) => this.#announceRemoval(removal, commit, later));
  }

  #announceRemoval(removal: Removal, mls: MlsPayload | undefined, env: Env): Effect[] {
    const { member, reason } = removal;
    const wasMember = this.#core.removeMember(member);
    this.#core.protection?.forget(member);
    // With MLS the addition must reach everybody all the same: the removal builds on its commit.
    const unannounced = this.#mls === undefined ? this.#stopAnnouncing(member) : [];
    const effects = [...unannounced, ...this.#stopWaitingFor(member, env)];
    if (wasMember && removal.wasAnnounced) {
      effects.push({ kind: 'notify', notice: { kind: 'left', member, reason, members: this.#core.members } });
    }
    effects.push(...this.#core.sender.removeEndpoint(member, env));
    if (reason === 'offline') this.#evicted.set(member.key, member);
    const remaining = this.#core.others;
    if (remaining.length === 0) return [...effects, ...this.#onOthersTold(removal, env)];
    const mark =
      reason === 'removed' ? NO_METADATA : flagged(reason === 'left' ? 'leavingSession' : 'disconnectionDetected');
    effects.push(
      this.#request(
        { kind: 'remove', removal },
        this.#core.config.channel,
        FANOUT_ALL,
        { kind: 'groupRemove', removedParticipant: member, participants: this.#core.members, ...(mls && { mls }) },
        // Upstream also waits for the one that is removed; a 0.7 member may be unable to answer.
        remaining,
        env,
        mark,
      ),
    );
    return effects;
  }

  /** Whoever has not heard of the member yet need not: a repeated addition after the removal would bring it back. */
  #stopAnnouncing(member: Name): Effect[] {
    for (const [messageId, step] of this.#steps) {
      if (step.kind !== 'add' || step.invitation.member?.equals(member) !== true) continue;
      this.#steps.delete(messageId);
      this.#core.control.cancel(messageId);
      step.invitation.awaitsAddAcks = false;
      return this.#settleInvitation(step.invitation);
    }
    return [];
  }

  #stopWaitingFor(member: Name, env: Env): Effect[] {
    this.#pings.remove(member);
    return this.#core.control.forget(member).flatMap((messageId) => this.#onStepDone(messageId, env));
  }

  /** The others know, or will not say so: now the member itself, and the next change. */
  #onOthersTold(removal: Removal, env: Env): Effect[] {
    const effects: Effect[] = [];
    if (removal.reason === 'removed') {
      const message = this.#leaveRequest(removal.member, env);
      this.#steps.set(message.messageId, { kind: 'leave', removal });
      effects.push(this.#core.control.send(message, [removal.member], env));
    } else {
      effects.push(...this.#settleRemoval(removal, env));
    }
    return [...effects, ...this.#nextChange(removal, env)];
  }

  /** Succeeds also when the member never answered: for the group it is out. */
  #settleRemoval(removal: Removal, env: Env): Effect[] {
    const key = removal.member.prefixKey;
    this.#departing.delete(key);
    // Until now it was heard: what it said before it knew of its removal.
    const effects: Effect[] = this.#core.receiver.forgetSource(removal.member);
    if (removal.command !== undefined) effects.push({ kind: 'settle', id: removal.command });
    removal.command = undefined;
    const waiting = this.#deferred.findIndex(({ name }) => name.prefixKey === key);
    if (waiting >= 0) {
      for (const { id, name } of this.#deferred.splice(waiting, 1)) effects.push(...this.#invite(id, name, env));
    }
    return effects;
  }

  // --- Steps ---------------------------------------------------------------------------------------------------------

  /** Starts the next change of the member list if `done` was the running one, or none runs. */
  #nextChange(done: MembershipChange | undefined, env: Env): Effect[] {
    if (this.#current !== done) return [];
    const next = this.#changes.shift();
    this.#current = next;
    if (next === undefined) return [];
    if (next.kind === 'removal') return this.#startRemoval(next, env);
    return next.member === undefined ? this.#nextChange(next, env) : this.#admit(next, next.member, env);
  }

  #request(
    step: Step,
    destination: Name,
    fanout: number,
    content: Parameters<SessionCore['build']['build']>[4],
    expected: readonly Name[],
    env: Env,
    metadata = NO_METADATA,
  ): Effect {
    const messageId = this.#drawId(env);
    this.#steps.set(messageId, step);
    const type = MESSAGE_TYPE_OF[step.kind];
    return this.#core.control.send(
      this.#core.build.build(type, destination, fanout, messageId, content, metadata),
      expected,
      env,
    );
  }

  #leaveRequest(member: Name, env: Env) {
    return this.#core.build.build(MessageType.leaveRequest, member, FANOUT_ONE, this.#drawId(env), {
      kind: 'leaveRequest',
    });
  }

  #drawId(env: Env): number {
    let id: number;
    do id = env.randomU32();
    while (this.#steps.has(id));
    return id;
  }

  /**
   * A new id for a request that is sent again after a reconnection. Not for an addition: to a participant, a second one of the
   * same member means that it was gone in between.
   */
  #renew(messageId: number, env: Env): number {
    const step = this.#steps.get(messageId);
    if (step === undefined || step.kind === 'add') return messageId;
    const renewed = this.#drawId(env);
    this.#steps.delete(messageId);
    this.#steps.set(renewed, step);
    return renewed;
  }

  #onReply({ header: { source }, session: { messageId, messageType }, content }: PublishMessage, env: Env): Effect[] {
    const step = this.#steps.get(messageId);
    if (step === undefined || REPLY_TO_STEP[step.kind] !== messageType || !source.hasId) return [];
    if (this.#core.control.onReply(messageId, source) !== 'complete') return [];
    if (step.kind === 'join' && content.kind === 'joinReply') step.invitation.keyPackage = content.keyPackage;
    if (step.kind !== 'discovery') return this.#onStepDone(messageId, env);
    this.#steps.delete(messageId);
    return this.#onDiscovered(step.invitation, source, env);
  }

  #onStepDone(messageId: number, env: Env): Effect[] {
    const step = this.#steps.get(messageId);
    if (step === undefined) return [];
    this.#steps.delete(messageId);
    switch (step.kind) {
      case 'discovery':
        return [];
      case 'join':
        this.#changes.push(step.invitation);
        return this.#nextChange(undefined, env);
      case 'welcome':
        return step.invitation.member === undefined
          ? []
          : this.#onWelcomed(step.invitation, step.invitation.member, env);
      case 'add':
        step.invitation.awaitsAddAcks = false;
        return this.#settleInvitation(step.invitation);
      case 'remove':
        return this.#onOthersTold(step.removal, env);
      case 'leave':
        return this.#settleRemoval(step.removal, env);
      case 'close':
        return this.#finish('closed', undefined);
      default:
        return assertNever(step);
    }
  }

  #onStepFailed(messageId: number, env: Env): Effect[] {
    const step = this.#steps.get(messageId);
    if (step?.kind === 'discovery' || step?.kind === 'join') {
      this.#steps.delete(messageId);
      return this.#failInvitation(step.invitation, inviteTimeout(step.invitation));
    }
    if (step?.kind === 'welcome' && step.invitation.member !== undefined) {
      return this.#onWelcomeFailed(step.invitation, step.invitation.member, env);
    }
    // Members that do not acknowledge a change are found by pings and unacknowledged messages; the change stands.
    return this.#onStepDone(messageId, env);
  }

  /** The new member vanished after it had joined: the others are told to forget it. */
  #onWelcomeFailed(invitation: Invitation, member: Name, env: Env): Effect[] {
    const effects = this.#failInvitation(invitation, inviteTimeout(invitation));
    const removal: Removal = { kind: 'removal', command: undefined, member, reason: 'offline', wasAnnounced: false };
    this.#departing.set(member.prefixKey, removal);
    this.#changes.unshift(removal);
    return [...effects, ...this.#nextChange(invitation, env)];
  }

  // --- Pings ---------------------------------------------------------------------------------------------------------

  #onPingRound(env: Env): Effect[] {
    const effects: Effect[] = [];
    for (const member of this.#pings.closeRound()) {
      if (this.#core.config.type === 'pointToPoint') return this.#finish('closed', undefined);
      effects.push(...this.#giveUp(member, 'offline', env));
      if (this.#core.hasEnded) return effects;
    }
    return [...effects, ...this.#ping(env)];
  }

  #ping(env: Env): Effect[] {
    const { config, others } = this.#core;
    const timer = this.#core.setTimer('ping', PING_INTERVAL_MS);
    const peer = others[0];
    if (peer === undefined || this.#isClosing) return [timer];
    const messageId = this.#drawId(env);
    this.#pings.startRound(messageId);
    const isGroup = config.type === 'group';
    const message = this.#core.build.build(
      MessageType.ping,
      isGroup ? config.channel : peer,
      isGroup ? FANOUT_ALL : FANOUT_ONE,
      messageId,
      { kind: 'ping' },
    );
    return [{ kind: 'send', message }, timer];
  }

  // --- The end -------------------------------------------------------------------------------------------------------

  #close(id: CommandId, env: Env): Effect[] {
    this.#closeCommands.push(id);
    if (this.#isClosing) return [];
    this.#isClosing = true;
    const effects = this.#failAll(closedError());
    const { config, others } = this.#core;
    const peer = others[0];
    if (peer === undefined) return [...effects, ...this.#finish('closed', undefined)];
    const destination = config.type === 'group' ? config.channel : peer;
    const content = { kind: 'groupClose', participants: this.#core.members } as const;
    effects.push(this.#request({ kind: 'close' }, destination, FANOUT_ALL, content, others, env));
    return effects;
  }

  /** Settles every invitation and removal. */
  #failAll(error: SlimError): Effect[] {
    const effects: Effect[] = [];
    for (const invitation of [...this.#invitations.values()]) effects.push(...this.#failInvitation(invitation, error));
    for (const { command } of this.#departing.values()) {
      if (command !== undefined) effects.push({ kind: 'settle', id: command, error });
    }
    for (const { id } of this.#deferred) effects.push({ kind: 'settle', id, error });
    this.#departing.clear();
    this.#deferred.length = 0;
    this.#changes.length = 0;
    this.#current = undefined;
    this.#steps.clear();
    this.#core.control.clear();
    return effects;
  }

  #finish(reason: EndReason, command: CommandId | undefined): Effect[] {
    const effects = this.#failAll(closedError());
    if (this.#isSubscribed) effects.push({ kind: 'unsubscribe', name: this.#core.config.channel });
    this.#isSubscribed = false;
    for (const id of this.#closeCommands.splice(0)) effects.push({ kind: 'settle', id });
    if (command !== undefined) effects.push({ kind: 'settle', id: command });
    return [...effects, ...this.#core.end(reason, closedError())];
  }
}

const MESSAGE_TYPE_OF = {
  discovery: MessageType.discoveryRequest,
  join: MessageType.joinRequest,
  welcome: MessageType.groupWelcome,
  add: MessageType.groupAdd,
  remove: MessageType.groupRemove,
  leave: MessageType.leaveRequest,
  close: MessageType.groupClose,
} as const;

function closedError(): SessionError {
  return new SessionError('closed', 'the session is closed');
}

function noGroupError(what: 'invite' | 'remove'): UsageError {
  return new UsageError('invalid-option', `cannot ${what} a participant in a point-to-point session`);
}

function inviteTimeout(invitation: Invitation): SessionError {
  const name = invitation.name.toString();
  return new SessionError('invite-timeout', `no answer from ${name}: not running, other name, or different secret`);
}

function publishRefused(id: CommandId, error: SlimError): Effect[] {
  const progress = { messageId: undefined, acked: [], missing: [] };
  return [{ kind: 'delivery', id, state: 'failed', progress, error }];
}

/** A command that comes after the end still gets its answer. */
export function endedReply(input: Input): Effect[] {
  if (input.kind !== 'command') return [];
  const { id, command } = input;
  if (command.kind === 'publish') return publishRefused(id, closedError());
  if (command.kind === 'close' || command.kind === 'abandon') return [{ kind: 'settle', id }];
  return [{ kind: 'settle', id, error: closedError() }];
}
