import type { Name } from '../name/index.js';
import { assertNever, RecentSet } from '../util/index.js';
import { MessageType, type PublishMessage } from '../wire/index.js';
import type { AgedLeaf } from './leaf-ages.js';
import { LeafRenewals } from './leaf-renewals.js';
import type { Effect, Env, LeftReason, SessionConfig } from './machine.js';
import { FANOUT_ALL, FANOUT_ONE, hasFlag } from './message-builder.js';
import { ModeratorMembers } from './moderator-members.js';
import { ModeratorSteps } from './moderator-steps.js';
import type { Step } from './moderator-task.js';
import { PING_INTERVAL_MS, PingRounds } from './ping-rounds.js';
import { type MembershipRequest, refuse } from './requester.js';
import { closedError, type RoleTimer, SessionShell } from './session-shell.js';

/**
 * A session from its moderator's side: who made the group, or the caller of a point-to-point session (`session_moderator.rs`).
 *
 * Differs from upstream where that is invisible on the wire: discovery and join of several invitations run side by side; a
 * member counts, and an invitation succeeds, only when the welcome is acknowledged; a failed step never stops the ones behind
 * it; a group whose last participant leaves stays open.
 */
export class SessionModerator extends SessionShell {
  readonly #pings = new PingRounds();
  readonly #steps: ModeratorSteps;
  readonly #members: ModeratorMembers;
  /** Goodbyes that have their answer. */
  readonly #answered = new RecentSet<string>();
  /** Only in a group that is kept alive. */
  readonly #renewals: LeafRenewals | undefined;
  #isPinging = false;

  constructor(config: SessionConfig) {
    super(config);
    this.core.addMember(config.local);
    this.#steps = new ModeratorSteps(this.core);
    this.#members = new ModeratorMembers(this.core, this.#steps, this.#pings);
    this.core.watch('leaves', this.#members.leafAges);
    if (config.keepsAlive === true) this.#renewals = new LeafRenewals(this.core, this.#members);
  }

  protected override afterEach(effects: Effect[], env: Env): Effect[] {
    if (this.core.hasEnded) return effects;
    effects.push(...this.#startPinging());
    if (!this.isClosing && this.#renewals !== undefined) effects.push(...this.#renewals.advance(env));
    return effects;
  }

  protected override onLinkDown(): Effect[] {
    this.#pings.forgetRound();
    return this.core.clearTimer('ping');
  }

  protected override onLinkUp(env: Env): Effect[] {
    this.#answered.clear();
    const effects = [...this.#steps.onLinkUp(env), ...this.core.sender.onLinkUp(env)];
    return this.#isPinging ? [...effects, ...this.#ping(env)] : effects;
  }

  protected override onMembershipRequest(request: MembershipRequest, env: Env): Effect[] {
    if (this.isClosing) return refuse(request, closedError(), this.core.build);
    return request.kind === 'invite' ? this.#members.invite(request, env) : this.#members.remove(request, false, env);
  }

  protected override onMessage(message: PublishMessage, subject: string, env: Env): Effect[] {
    const { source } = message.header;
    const { messageId, messageType } = message.session;
    if (this.#members.takeEvicted(source)) {
      const leave: Effect = { kind: 'send', message: this.#steps.buildLeaveRequest(source, env) };
      // It may be answering a new invitation.
      return [leave, ...this.onMessage(message, subject, env)];
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
    return this.core.onPayloadMessage(message, subject, env) ?? [];
  }

  protected override onTimer(timer: RoleTimer, env: Env): Effect[] {
    switch (timer) {
      case 'control': {
        const { effects, failed } = this.#steps.onTimer(env);
        for (const step of failed) {
          // Who does not confirm the end is told no more.
          const isEnd = step.kind === 'close';
          effects.push(...(isEnd ? this.finish('closed') : this.#members.onStepFailed(step, env)));
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

  protected override onClose(env: Env): Effect[] {
    const effects = this.#members.failAll(closedError());
    const { config, members, others } = this.core;
    const peer = others[0];
    if (peer === undefined) return [...effects, ...this.finish('closed')];
    const destination = config.type === 'group' ? config.channel : peer;
    const content = { kind: 'groupClose', participants: members } as const;
    const request = { destination, fanout: FANOUT_ALL, content, expected: others };
    return [...effects, this.#steps.send({ kind: 'close' }, request, env)];
  }

  protected override onAbandon(): Effect[] {
    return this.finish('closed');
  }

  protected override onEnd(): Effect[] {
    return [...this.#members.failAll(closedError()), ...this.#members.unsubscribe()];
  }

  // --- Members -------------------------------------------------------------------------------------------------------

  #onStepDone(step: Step, env: Env): Effect[] {
    return step.kind === 'close' ? this.finish('closed') : this.#members.onStepDone(step, env);
  }

  #onAgedLeaf({ member, text, isRenewable }: AgedLeaf): Effect[] {
    if (!isRenewable || this.#renewals === undefined) {
      return [{ kind: 'notify', notice: { kind: 'warning', code: 'mls-leaf-ageing', text } }];
    }
    this.#renewals.renew(member);
    return [];
  }

  /** A 1.x participant says goodbye (`LEAVING_SESSION`). */
  #onLeaving(message: PublishMessage, env: Env): Effect[] {
    const { source } = message.header;
    const request = `${source.key}:${String(message.session.messageId)}`;
    if (!this.#members.hears(source) || !this.#answered.add(request)) return [];
    const reply = this.core.build.buildReply(message, MessageType.leaveReply, { kind: 'leaveReply' });
    const rest = this.core.config.type === 'pointToPoint' ? this.finish('closed') : this.#giveUp(source, 'left', env);
    return [{ kind: 'send', message: reply }, ...rest];
  }

  #giveUp(member: Name, reason: Exclude<LeftReason, 'removed'>, env: Env): Effect[] {
    if (!this.isClosing) return this.#members.giveUp(member, reason, env);
    this.#pings.remove(member);
    return this.#steps.forget(member).flatMap((step) => this.#onStepDone(step, env));
  }

  // --- Pings ---------------------------------------------------------------------------------------------------------

  /** From the first member on. */
  #startPinging(): Effect[] {
    if (this.#isPinging || !this.#pings.hasMembers) return [];
    this.#isPinging = true;
    return [this.core.setTimer('ping', PING_INTERVAL_MS)];
  }

  #onPingRound(env: Env): Effect[] {
    const effects: Effect[] = [];
    for (const member of this.#pings.closeRound()) {
      if (this.core.config.type === 'pointToPoint') return this.finish('closed');
      effects.push(...this.#giveUp(member, 'offline', env));
      if (this.core.hasEnded) return effects;
    }
    return [...effects, ...this.#ping(env)];
  }

  #ping(env: Env): Effect[] {
    const { config, others } = this.core;
    const timer = this.core.setTimer('ping', PING_INTERVAL_MS);
    const peer = others[0];
    if (peer === undefined || this.isClosing) return [timer];
    const messageId = this.#steps.drawId(env);
    this.#pings.startRound(messageId);
    const isGroup = config.type === 'group';
    const message = this.core.build.build(
      MessageType.ping,
      isGroup ? config.channel : peer,
      isGroup ? FANOUT_ALL : FANOUT_ONE,
      messageId,
      { kind: 'ping' },
    );
    return [{ kind: 'send', message }, timer];
  }
}
