import type { Name } from '../name/index.js';
import { RecentSet } from '../util/index.js';
import { type Content, MessageType, type PublishMessage } from '../wire/index.js';
import type { EarlyNotices } from './early-notices.js';
import type { Effect, Env } from './machine.js';
import { hasFlag } from './message-builder.js';
import { MlsCommits } from './mls-commits.js';
import type { ParticipantReplies } from './participant-replies.js';
import type { SessionCore } from './session-core.js';

type GroupAdd = Extract<Content, { kind: 'groupAdd' }>;

/** Longest wait between the join and the welcome; other invitations may be ahead of ours at the moderator. */
const MIN_WELCOME_WAIT_MS = 60_000;

/** Who is in the group, as its moderator tells a participant: from the welcome on, every addition and removal. */
export class ParticipantMembers {
  readonly #core: SessionCore;
  readonly #replies: ParticipantReplies;
  readonly #early: EarlyNotices;
  /** Ids of changes that were made; unlike the answer, the change is not repeated after a reconnection. */
  readonly #applied = new RecentSet<number>();
  /** Undefined without MLS. */
  readonly #commits: MlsCommits | undefined;
  #isEstablished = false;
  #isSubscribed = false;

  /** @param early - what the application hears after the welcome */
  constructor(core: SessionCore, replies: ParticipantReplies, early: EarlyNotices) {
    this.#core = core;
    this.#replies = replies;
    this.#early = early;
    if (core.protection !== undefined) this.#commits = new MlsCommits(core.mls, core.protection);
  }

  /** Whether there was a welcome. */
  get isEstablished(): boolean {
    return this.#isEstablished;
  }

  /** Asked to join: the welcome should follow. */
  awaitWelcome(): Effect[] {
    if (this.#isEstablished) return [];
    const { timeoutMs, maxRetries } = this.#core.config;
    return [this.#core.setTimer('limbo', Math.max(2 * (maxRetries + 1) * timeoutMs, MIN_WELCOME_WAIT_MS))];
  }

  /** Welcome, addition or removal; with MLS only together with what it does to the MLS group. */
  onGroupChange(message: PublishMessage, env: Env): Effect[] {
    const { content } = message;
    // A repetition changes nothing any more; it is only answered.
    const commits = this.#applied.has(message.session.messageId) ? undefined : this.#commits;
    switch (content.kind) {
      case 'groupWelcome': {
        const apply = (later: Env): Effect[] => this.#onWelcome(message, content.participants, later);
        return commits === undefined ? apply(env) : commits.onWelcome(content.mls, apply);
      }
      case 'groupAdd': {
        const apply = (later: Env): Effect[] => this.#onAdd(message, content, later);
        return commits === undefined ? apply(env) : commits.onCommit(content.mls, 'add', env, apply);
      }
      case 'groupRemove': {
        const apply = (later: Env): Effect[] => this.#onRemove(message, content.removedParticipant, later);
        return commits === undefined ? apply(env) : commits.onCommit(content.mls, 'remove', env, apply);
      }
      default:
        return [];
    }
  }

  unsubscribe(): Effect[] {
    if (!this.#isSubscribed) return [];
    this.#isSubscribed = false;
    return [{ kind: 'unsubscribe', name: this.#core.config.channel }];
  }

  #onWelcome(message: PublishMessage, participants: readonly Name[], env: Env): Effect[] {
    const { config } = this.#core;
    const ack = this.#acknowledge(message, env);
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
    // Before the rest, so that whoever hears of the session finds it protected, or knows that it is not.
    effects.push(...ack, ...(this.#core.protection?.tell() ?? []));
    if (this.#isEstablished) {
      effects.push(...this.#onListReplaced(before, env));
    } else {
      this.#isEstablished = true;
      effects.push({ kind: 'notify', notice: { kind: 'established', members: this.#core.members } });
      effects.push(...this.#early.takeAll());
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

  #onAdd(message: PublishMessage, { newParticipant: added, participants }: GroupAdd, env: Env): Effect[] {
    // A repetition for others reaches a new member too: it names us (session.md 10.9), or is from before our time.
    const isForUs = participants.some((name) => name.prefixKey === this.#core.config.local.prefixKey);
    if (!this.#isEstablished || !isForUs || this.#core.isSelf(added)) return [];
    const ack = this.#acknowledge(message, env);
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
      ...(this.#core.protection?.tell() ?? []),
      ...this.#core.sender.addEndpoints([added], env),
    ];
  }

  #onRemove(message: PublishMessage, removed: Name, env: Env): Effect[] {
    if (!this.#isEstablished) return [];
    const ack = this.#acknowledge(message, env);
    if (!this.#applied.add(message.session.messageId)) return ack;
    if (this.#core.isSelf(removed)) {
      // A leave request follows, unless the moderator took us for dead.
      const { timeoutMs, maxRetries } = this.#core.config;
      return [...ack, this.#core.setTimer('limbo', (maxRetries + 2) * timeoutMs)];
    }
    if (!this.#core.removeMember(removed)) return ack;
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

  #acknowledge(change: PublishMessage, env: Env): Effect[] {
    return this.#replies.answer(change, MessageType.groupAck, { kind: 'groupAck' }, env);
  }
}
