import { assertNever, UsageError } from '../util/index.js';
import { MessageType, type PublishMessage } from '../wire/index.js';
import { EarlyNotices } from './early-notices.js';
import type { Effect, Env, SessionConfig } from './machine.js';
import { FANOUT_ONE, flagged, isPayloadMessage } from './message-builder.js';
import { ModeratorWatch } from './moderator-watch.js';
import { ParticipantMembers } from './participant-members.js';
import { ParticipantReplies } from './participant-replies.js';
import { type MembershipRequest, refuse } from './requester.js';
import { type RoleTimer, SessionShell } from './session-shell.js';

/**
 * A session from the side of who was invited or called (`session_participant.rs`). It starts with a JoinRequest and is usable
 * from the welcome on. Obeys control messages of its moderator only.
 */
export class SessionParticipant extends SessionShell {
  readonly #replies: ParticipantReplies;
  readonly #members: ParticipantMembers;
  readonly #watch: ModeratorWatch;
  /** What the application hears as soon as the session is usable. */
  readonly #early = new EarlyNotices();

  constructor(config: SessionConfig) {
    super(config);
    this.#replies = new ParticipantReplies(config, this.core.build);
    this.#members = new ParticipantMembers(this.core, this.#replies, this.#early);
    this.#watch = new ModeratorWatch(this.core);
    // Point-to-point: everything goes to the caller; its name is what the first message brought.
    if (config.type === 'pointToPoint') this.core.sender.setDestination(config.moderator);
  }

  /** Before the welcome the application does not know of the session: all but warnings waits for it. */
  protected override afterEach(effects: Effect[], env: Env): Effect[] {
    if (!this.#members.isEstablished) return this.#early.holdBack(effects);
    return this.core.hasEnded || this.isClosing ? effects : [...effects, ...this.#watch.start(env)];
  }

  protected override onLinkDown(): Effect[] {
    return this.#watch.onLinkDown();
  }

  protected override onLinkUp(env: Env): Effect[] {
    this.#replies.onLinkUp();
    return [
      ...this.core.control.onLinkUp(env, (id) => id),
      ...this.core.sender.onLinkUp(env),
      ...this.#watch.onLinkUp(env),
    ];
  }

  protected override onMembershipRequest(request: MembershipRequest): Effect[] {
    const error = new UsageError('not-moderator', `cannot ${request.kind} a participant: only the moderator can`);
    return refuse(request, error, this.core.build);
  }

  protected override onMessage(message: PublishMessage, subject: string, env: Env): Effect[] {
    if (this.#early.isFull && isPayloadMessage(message)) return [];
    const isFromModerator = message.header.source.equals(this.core.config.moderator);
    if (isFromModerator) this.#watch.onHeard();
    const payload = this.core.onPayloadMessage(message, subject, env);
    if (payload !== undefined) return payload;
    // Upstream obeys control messages of anybody who knows the session id.
    if (!isFromModerator) return [];
    switch (message.session.messageType) {
      case MessageType.joinRequest:
        return [...this.#onJoinRequest(message, env), ...this.#members.awaitWelcome()];
      case MessageType.groupWelcome:
      case MessageType.groupAdd:
      case MessageType.groupRemove:
        return this.#members.onGroupChange(message, env);
      case MessageType.leaveRequest:
        return this.finish('removed', this.#replies.toAnswer(message, MessageType.leaveReply, { kind: 'leaveReply' }));
      case MessageType.leaveReply:
        this.core.control.onReply(message.session.messageId, message.header.source);
        return this.isClosing ? this.finish('left') : [];
      case MessageType.groupClose:
        return this.finish('closed', this.#replies.toAnswer(message, MessageType.groupAck, { kind: 'groupAck' }));
      case MessageType.ping:
        return this.#watch.onPing(message, env);
      default:
        // groupAck, groupNack and groupProposal of a peer make upstream panic; here they mean nothing.
        return [];
    }
  }

  protected override onTimer(timer: RoleTimer, env: Env): Effect[] {
    switch (timer) {
      case 'control': {
        const { effects, failed } = this.core.control.onTimer(env);
        // The only request of a participant is its goodbye.
        return failed.length > 0 ? [...effects, ...this.finish('left')] : effects;
      }
      case 'liveness':
        return this.#watch.onRound(env) ?? this.finish('moderator-gone');
      case 'ask':
        return this.#watch.onAsk(env);
      case 'limbo':
        return this.finish(this.#members.isEstablished ? 'removed' : 'abandoned');
      case 'ping':
      case 'leaves':
      case 'renewal':
        return [];
      default:
        return assertNever(timer);
    }
  }

  /** The 1.x goodbye. A moderator that never pinged is 0.7 and never answers it: told once, not waited for (session.md 3.7). */
  protected override onClose(env: Env): Effect[] {
    if (!this.#members.isEstablished) return this.finish('left');
    const effects = this.#members.unsubscribe();
    const { moderator } = this.core.config;
    const goodbye = this.core.build.build(
      MessageType.leaveRequest,
      moderator,
      FANOUT_ONE,
      env.randomU32(),
      { kind: 'leaveRequest' },
      flagged('leavingSession'),
    );
    if (this.#watch.hasPinged) return [...effects, this.core.control.send(goodbye, [moderator], env)];
    return [...effects, { kind: 'send', message: goodbye }, ...this.finish('left')];
  }

  protected override onAbandon(): Effect[] {
    return this.finish('left');
  }

  protected override onEnd(): Effect[] {
    return this.#members.unsubscribe();
  }

  /** With MLS each join request gets a key package of its own; all stay usable until the welcome (session.md 10.3). */
  #onJoinRequest(request: PublishMessage, env: Env): Effect[] {
    if (this.core.protection === undefined) {
      return this.#replies.answer(request, MessageType.joinReply, { kind: 'joinReply' }, env);
    }
    if (this.#replies.has(request)) return this.#replies.repeat(request, env);
    return this.core.mls.request({ op: 'keyPackage' }, (result, later) => {
      if (result.ok) {
        const content = { kind: 'joinReply', keyPackage: result.bytes } as const;
        return this.#replies.answer(request, MessageType.joinReply, content, later);
      }
      // An empty reply would wedge a 0.7.0 moderator (session.md 10.10).
      const text = `could not answer an invitation with MLS: ${result.error.message}`;
      return [{ kind: 'notify', notice: { kind: 'warning', code: 'mls-failed', text } }];
    });
  }
}
