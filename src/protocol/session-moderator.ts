import type { Name } from '../name/index.js';
import { assertNever, RecentSet } from '../util/index.js';
import { MessageType, type PublishMessage } from '../wire/index.js';
import { closedError, endedReply } from './ended-reply.js';
import type { AgedLeaf } from './leaf-ages.js';
import { LeafRenewals } from './leaf-renewals.js';
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
import { FANOUT_ALL, FANOUT_ONE, hasFlag } from './message-builder.js';
import { ModeratorMembers } from './moderator-members.js';
import { ModeratorSteps } from './moderator-steps.js';
import type { Step } from './moderator-task.js';
import { PING_INTERVAL_MS, PingRounds } from './ping-rounds.js';
import { answer, type MembershipRequest, refuse, requestOfApp, type Requester } from './requester.js';
import { SessionCore } from './session-core.js';

/**
 * A session from its moderator's side: who made the group, or the caller of a point-to-point session (`session_moderator.rs`).
 *
 * Differs from upstream where that is invisible on the wire: discovery and join of several invitations run side by side; a
 * member counts, and an invitation succeeds, only when the welcome is acknowledged; a failed step never stops the ones behind
 * it; a group whose last participant leaves stays open.
 */
export class SessionModerator implements SessionMachine {
  readonly #core: SessionCore;
  readonly #pings = new PingRounds();
  readonly #steps: ModeratorSteps;
  readonly #members: ModeratorMembers;
  /** Goodbyes that have their answer. */
  readonly #answered = new RecentSet<string>();
  /** Only in a group that is kept alive. */
  readonly #renewals: LeafRenewals | undefined;
  #isPinging = false;
  /** Who waits for the end. */
  readonly #closers: Requester[] = [];
  #isClosing = false;

  constructor(config: SessionConfig) {
    this.#core = new SessionCore(config);
    this.#core.addMember(config.local);
    this.#steps = new ModeratorSteps(this.#core);
    this.#members = new ModeratorMembers(this.#core, this.#steps, this.#pings);
    if (config.keepsAlive === true) this.#renewals = new LeafRenewals(this.#core, this.#members);
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
    const effects = this.#dispatch(input, env);
    effects.push(...this.#startPinging());
    if (!this.#isClosing && this.#renewals !== undefined) effects.push(...this.#renewals.advance(env));
    effects.push(...this.#core.armTimers(env, this.#members.leafAges));
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
        this.#pings.forgetRound();
        return this.#core.clearTimer('ping');
      case 'linkUp': {
        this.#answered.clear();
        this.#core.receiver.onLinkUp(env);
        const effects = [...this.#steps.onLinkUp(env), ...this.#core.sender.onLinkUp(env)];
        return this.#isPinging ? [...effects, ...this.#ping(env)] : effects;
      }
      case 'mlsResult':
        return this.#core.mls.onResult(input.id, input.result, env);
      default:
        return assertNever(input);
    }
  }

  #onCommand(id: CommandId, command: SessionCommand, env: Env): Effect[] {
    switch (command.kind) {
      case 'publish':
        if (this.#isClosing) return endedReply({ kind: 'command', id, command });
        return this.#core.sender.onPublish(id, command, env);
      case 'cancel':
        return this.#core.sender.onCancel(command.publish);
      case 'invite':
      case 'remove':
        return this.#changeMembers(requestOfApp(id, command), env);
      case 'close':
        return this.#close({ kind: 'app', id }, env);
      case 'abandon':
        return this.#finish('closed', { kind: 'app', id });
      default:
        return assertNever(command);
    }
  }

  #changeMembers(request: MembershipRequest, env: Env): Effect[] {
    if (this.#isClosing) return refuse(request, closedError(), this.#core.build);
    return request.kind === 'invite' ? this.#members.invite(request, env) : this.#members.remove(request, false, env);
  }

  #onMessage(message: PublishMessage, subject: string, env: Env): Effect[] {
    const { source } = message.header;
    const { messageId, messageType } = message.session;
    if (this.#members.takeEvicted(source)) {
      const leave: Effect = { kind: 'send', message: this.#steps.buildLeaveRequest(source, env) };
      // It may be answering a new invitation.
      return [leave, ...this.#onMessage(message, subject, env)];
    }
    switch (messageType) {
      case MessageType.msg:
        // Nobody else can be a member without this side's doing.
        if (!this.#members.hears(source)) return [];
        break;
      case MessageType.discoveryReply:
      case MessageType.joinReply:
      case MessageType.leaveReply:
      case MessageType.groupAck: {
        const step = this.#steps.onReply(message);
        return step === undefined ? [] : this.#onStepDone(step, env);
      }
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
        const { effects, failed } = this.#steps.onTimer(env);
        for (const step of failed) {
          // Who does not confirm the end is told no more.
          const isEnd = step.kind === 'close';
          effects.push(...(isEnd ? this.#finish('closed', undefined) : this.#members.onStepFailed(step, env)));
        }
        return effects;
      }
      case 'ping':
        return this.#onPingRound(env);
      case 'leaves':
        return this.#members.leafAges.takeAged(env).flatMap((leaf) => this.#onAgedLeaf(leaf));
      case 'renewal':
        this.#renewals?.onTimer();
        return [];
      case 'liveness':
      case 'limbo':
        return [];
      default:
        return assertNever(timer);
    }
  }

  #onAgedLeaf({ member, text, isRenewable }: AgedLeaf): Effect[] {
    if (!isRenewable || this.#renewals === undefined) {
      return [{ kind: 'notify', notice: { kind: 'warning', code: 'mls-leaf-ageing', text } }];
    }
    this.#renewals.renew(member);
    return [];
  }

  #onStepDone(step: Step, env: Env): Effect[] {
    return step.kind === 'close' ? this.#finish('closed', undefined) : this.#members.onStepDone(step, env);
  }

  /** A 1.x participant says goodbye (`LEAVING_SESSION`). */
  #onLeaving(message: PublishMessage, env: Env): Effect[] {
    const { source } = message.header;
    const request = `${source.key}:${String(message.session.messageId)}`;
    if (!this.#members.hears(source) || !this.#answered.add(request)) return [];
    const reply = this.#core.build.buildReply(message, MessageType.leaveReply, { kind: 'leaveReply' });
    const rest =
      this.#core.config.type === 'pointToPoint' ? this.#finish('closed', undefined) : this.#giveUp(source, 'left', env);
    return [{ kind: 'send', message: reply }, ...rest];
  }

  #giveUp(member: Name, reason: 'left' | 'offline', env: Env): Effect[] {
    if (!this.#isClosing) return this.#members.giveUp(member, reason, env);
    this.#pings.remove(member);
    return this.#steps.forget(member).flatMap((step) => this.#onStepDone(step, env));
  }

  // --- Pings ---------------------------------------------------------------------------------------------------------

  /** From the first member on. */
  #startPinging(): Effect[] {
    if (this.#isPinging || !this.#pings.hasMembers || this.#core.hasEnded) return [];
    this.#isPinging = true;
    return [this.#core.setTimer('ping', PING_INTERVAL_MS)];
  }

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
    const messageId = this.#steps.drawId(env);
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

  #close(closer: Requester, env: Env): Effect[] {
    this.#closers.push(closer);
    if (this.#isClosing) return [];
    this.#isClosing = true;
    const effects = this.#members.failAll(closedError());
    const { config, members, others } = this.#core;
    const peer = others[0];
    if (peer === undefined) return [...effects, ...this.#finish('closed', undefined)];
    const destination = config.type === 'group' ? config.channel : peer;
    const content = { kind: 'groupClose', participants: members } as const;
    const request = { destination, fanout: FANOUT_ALL, content, expected: others };
    return [...effects, this.#steps.send({ kind: 'close' }, request, env)];
  }

  #finish(reason: EndReason, closer: Requester | undefined): Effect[] {
    const closers = [...this.#closers.splice(0), ...(closer === undefined ? [] : [closer])];
    return [
      ...this.#members.failAll(closedError()),
      ...this.#members.unsubscribe(),
      ...closers.flatMap((waiting) => answer(waiting, {}, this.#core.build)),
      ...this.#core.end(reason, closedError()),
    ];
  }
}
