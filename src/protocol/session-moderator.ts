import type { Name } from '../name/index.js';
import { assertNever } from '../util/index.js';
import { MessageType, type PublishMessage } from '../wire/index.js';
import { GivenAnswers } from './given-answers.js';
import type { AgedLeaf } from './leaf-ages.js';
import { LeafRenewals } from './leaf-renewals.js';
import type { Effect, Env, LeftReason, SessionConfig } from './machine.js';
import { FANOUT_ALL, hasFlag } from './message-builder.js';
import { ModeratorMembers } from './moderator-members.js';
import { ModeratorPings } from './moderator-pings.js';
import { ModeratorSteps } from './moderator-steps.js';
import type { Step } from './moderator-task.js';
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
  readonly #steps: ModeratorSteps;
  readonly #pings: ModeratorPings;
  readonly #members: ModeratorMembers;
  /** To goodbyes. Who has said one is no member any more, and may not have got its answer. */
  readonly #answered = new GivenAnswers<string>();
  /** Only in a group that is kept alive. */
  readonly #renewals: LeafRenewals | undefined;

  constructor(config: SessionConfig) {
    super(config);
    this.core.addMember(config.local);
    this.#steps = new ModeratorSteps(this.core);
    this.#pings = new ModeratorPings(this.core, this.#steps);
    this.#members = new ModeratorMembers(this.core, this.#steps, this.#pings);
    this.core.watch('leaves', this.#members.leafAges);
    if (config.keepsAlive === true) this.#renewals = new LeafRenewals(this.core, this.#members);
  }

  protected override afterEach(effects: Effect[], env: Env): Effect[] {
    if (this.core.hasEnded) return effects;
    effects.push(...this.#pings.startIfNeeded());
    if (!this.isClosing && this.#renewals !== undefined) effects.push(...this.#renewals.advance(env));
    return effects;
  }

  protected override onLinkDown(): Effect[] {
    return this.#pings.onLinkDown();
  }

  protected override onLinkUp(env: Env): Effect[] {
    this.#answered.mayBeLost();
    const effects = [...this.#steps.onLinkUp(env), ...this.core.sender.onLinkUp(env)];
    return this.isClosing ? effects : [...effects, ...this.#pings.onLinkUp(env)];
  }

  protected override onMembershipRequest(request: MembershipRequest, env: Env): Effect[] {
    if (this.isClosing) return refuse(request, closedError(), this.core.build);
    return request.kind === 'invite' ? this.#members.invite(request, env) : this.#members.remove(request, false, env);
  }

  protected override onMessage(message: PublishMessage, subject: string, env: Env): Effect[] {
    const { source } = message.header;
    if (this.#members.takeEvicted(source)) {
      const leave: Effect = { kind: 'send', message: this.#steps.buildLeaveRequest(source, env) };
      // It may be answering a new invitation.
      return [leave, ...this.onMessage(message, subject, env)];
    }
    const settled = this.#pings.onMessage(message, subject) ? this.#members.onAlive(source) : [];
    const effects = this.#onMessage(message, subject, env);
    return settled.length === 0 ? effects : [...settled, ...effects];
  }

  #onMessage(message: PublishMessage, subject: string, env: Env): Effect[] {
    const { source } = message.header;
    const { messageType } = message.session;
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
      case 'ask':
        return this.#pings.onAsk(env);
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
    const { timeoutMs, type } = this.core.config;
    const request = `${source.key}:${String(message.session.messageId)}`;
    const again = this.#answered.again(request, true, env.nowMs);
    if (again !== undefined) return [{ kind: 'send', message: again }];
    if (!this.#members.hears(source) || this.#answered.has(request)) return [];
    const reply = this.core.build.buildReply(message, MessageType.leaveReply, { kind: 'leaveReply' });
    const answer = { message: reply, pauseMs: timeoutMs / 2 };
    this.#answered.add(request, answer, env.nowMs);
    if (type === 'pointToPoint') return this.finish('closed', answer);
    return [{ kind: 'send', message: reply }, ...this.#giveUp(source, 'left', env)];
  }

  #giveUp(member: Name, reason: Exclude<LeftReason, 'removed'>, env: Env): Effect[] {
    if (!this.isClosing) return this.#members.giveUp(member, reason, env);
    this.#pings.remove(member);
    return this.#steps.forget(member).flatMap((step) => this.#onStepDone(step, env));
  }

  // --- Pings ---------------------------------------------------------------------------------------------------------

  #onPingRound(env: Env): Effect[] {
    const effects: Effect[] = [];
    for (const member of this.#pings.closeRound()) {
      if (this.core.config.type === 'pointToPoint') return this.finish('closed');
      effects.push(...this.#giveUp(member, 'offline', env));
      if (this.core.hasEnded) return effects;
    }
    // Who does not confirm the end is not asked for anything else.
    return this.isClosing ? effects : [...effects, ...this.#pings.ping(env)];
  }
}
