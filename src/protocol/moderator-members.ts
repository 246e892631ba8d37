import type { Name } from '../name/index.js';
import { assertNever, type SlimError } from '../util/index.js';
import { LeafAges } from './leaf-ages.js';
import type { Effect, Env, LeftReason } from './machine.js';
import { ModeratorChanges } from './moderator-changes.js';
import { ModeratorInvitations } from './moderator-invitations.js';
import { ModeratorMls } from './moderator-mls.js';
import type { ModeratorParts } from './moderator-parts.js';
import type { ModeratorPings } from './moderator-pings.js';
import { ModeratorRemovals } from './moderator-removals.js';
import type { ModeratorSteps } from './moderator-steps.js';
import {
  alreadyInGroupError,
  type Invitation,
  inviteTimeout,
  type MemberStep,
  noGroupError,
  notFoundError,
  type Removal,
} from './moderator-task.js';
import { begin, conclude, type MembershipRequest, refuse } from './requester.js';
import type { SessionCore } from './session-core.js';

/**
 * Who is in the group: invitations, removals, and what they have to do with each other. A failed step never stops what waits
 * behind it.
 */
export class ModeratorMembers {
  readonly #parts: ModeratorParts;
  readonly #invitations: ModeratorInvitations;
  readonly #removals: ModeratorRemovals;
  /** Invitations of names that have an instance in the group, until it is known whether that one still lives; by its full name. */
  readonly #doubts = new Map<string, MembershipRequest[]>();

  constructor(core: SessionCore, steps: ModeratorSteps, pings: ModeratorPings) {
    const changes = new ModeratorChanges((change, env) =>
      change.kind === 'removal' ? this.#removals.start(change, env) : this.#invitations.admit(change, env),
    );
    const mls = core.protection === undefined ? undefined : new ModeratorMls(core.mls, core.protection);
    this.#parts = { core, steps, pings, changes, mls, leafAges: new LeafAges() };
    this.#invitations = new ModeratorInvitations(this.#parts);
    this.#removals = new ModeratorRemovals(this.#parts, {
      onGone: (member, env) => [...this.#invitations.onGone(member), ...this.#stopWaitingFor(member, env)],
      onWantedBack: (request, env) => this.#invite(request, env),
    });
  }

  /** Of members of an MLS group. */
  get leafAges(): LeafAges {
    return this.#parts.leafAges;
  }

  /** Whether payloads and a goodbye of `source` count: it is a member, or has not been told yet that it is none. */
  hears(source: Name): boolean {
    return this.#parts.core.isMember(source) || this.#removals.of(source) !== undefined;
  }

  /** Whether it is in the group and nobody wants it out. */
  isStaying(member: Name): boolean {
    return this.#parts.core.isMember(member) && this.#removals.of(member) === undefined;
  }

  /** True once for a member that was given up without a word and is heard of now. */
  takeEvicted(source: Name): boolean {
    return this.#removals.takeEvicted(source);
  }

  // --- What is asked for ---------------------------------------------------------------------------------------------

  /** A second invitation of a name that is under way shares the outcome of the first. */
  invite(request: MembershipRequest, env: Env): Effect[] {
    return [...begin(request), ...this.#invite(request, env)];
  }

  #invite(request: MembershipRequest, env: Env): Effect[] {
    const { name } = request;
    const { core } = this.#parts;
    const removal = this.#removals.of(name);
    if (removal !== undefined) {
      removal.wantedBack.push(request);
      return [];
    }
    const invitation = this.#invitations.of(name);
    if (invitation !== undefined) return this.#invitations.join(invitation, request);
    const fail = (error: SlimError): Effect[] => conclude([request], { error }, core.build);
    const member = core.members.find(({ prefixKey }) => prefixKey === name.prefixKey);
    if (member !== undefined)
      return core.isSelf(member) ? fail(alreadyInGroupError(name)) : this.#doubt(member, request, env);
    if (core.config.type === 'pointToPoint' && core.others.length + this.#invitations.count > 0) {
      return fail(noGroupError('invite'));
    }
    return this.#invitations.begin(request, env);
  }

  /**
   * Perhaps the member has died, and its name is invited because it was started again. If it lives, it says so at once; if not, it
   * is found missing, and the name is invited then.
   */
  #doubt(member: Name, request: MembershipRequest, env: Env): Effect[] {
    const { core, pings } = this.#parts;
    const asked = core.config.type === 'group' ? pings.doubt(member, env) : undefined;
    if (asked === undefined) return conclude([request], { error: alreadyInGroupError(request.name) }, core.build);
    const doubts = this.#doubts.get(member.key) ?? [];
    this.#doubts.set(member.key, [...doubts, request]);
    return asked;
  }

  /** A member has given a sign of life: there is no place for another instance of its name. */
  onAlive(member: Name): Effect[] {
    // Almost always, and for each message.
    if (!this.#doubts.has(member.key)) return [];
    const error = alreadyInGroupError(member.withoutId());
    return conclude(this.#takeDoubts(member), { error }, this.#parts.core.build);
  }

  #takeDoubts(member: Name): MembershipRequest[] {
    const doubts = this.#doubts.get(member.key) ?? [];
    this.#doubts.delete(member.key);
    return doubts;
  }

  /** @param leavesFirst - whether it is asked to leave before the others are told, which needs its good will */
  remove(request: MembershipRequest, leavesFirst: boolean, env: Env): Effect[] {
    const { name } = request;
    const { core } = this.#parts;
    if (core.config.type === 'pointToPoint') return refuse(request, noGroupError('remove'), core.build);
    const member = core.others.find((other) => (name.hasId ? other.equals(name) : other.prefixKey === name.prefixKey));
    if (member === undefined) return this.#withdraw(request, env);
    if (!this.isStaying(member)) return refuse(request, notFoundError(name), core.build);
    const removal: Removal = {
      kind: 'removal',
      requests: [request],
      wantedBack: [],
      member,
      reason: 'removed',
      wasAnnounced: true,
      ...(leavesFirst && { departure: 'asked-first' }),
    };
    return [...this.onAlive(member), ...begin(request), ...this.#removals.begin(removal, env)];
  }

  /** Somebody who is not in the group is to be removed: if it is being invited, that ends, and it does not come in after all. */
  #withdraw(request: MembershipRequest, env: Env): Effect[] {
    const { name } = request;
    const { build } = this.#parts.core;
    const invitation = this.#invitations.of(name);
    const isMeant = !name.hasId || invitation?.member?.equals(name) === true;
    const effects = invitation !== undefined && isMeant ? this.#invitations.withdraw(invitation, env) : undefined;
    if (effects === undefined) return refuse(request, notFoundError(name), build);
    return [...begin(request), ...effects, ...conclude([request], {}, build)];
  }

  /** A member that left, or that has been silent too long. */
  giveUp(member: Name, reason: Exclude<LeftReason, 'removed'>, env: Env): Effect[] {
    const invitation = this.#invitations.of(member);
    if (invitation?.awaitsWelcomeAck === true) return this.#onWelcomeFailed(invitation, member, env);
    const removal = this.#removals.of(member);
    if (removal !== undefined) {
      if (reason !== 'left' || !removal.member.equals(member)) return [];
      // It has gone by itself, so it is neither asked to leave nor waited for.
      removal.departure = 'has-left';
      return this.#stopWaitingFor(member, env);
    }
    const effects = this.#removals.begin(
      { kind: 'removal', requests: [], wantedBack: this.#takeDoubts(member), member, reason, wasAnnounced: true },
      env,
    );
    // The change that runs, if this one waits behind it, may wait for nobody else.
    return [...effects, ...this.#stopWaitingFor(member, env)];
  }

  // --- Steps ---------------------------------------------------------------------------------------------------------

  onStepDone(step: MemberStep, env: Env): Effect[] {
    switch (step.kind) {
      case 'discovery':
        return this.#invitations.onDiscovered(step.invitation, env);
      case 'join':
        return this.#parts.changes.add(step.invitation, env);
      case 'welcome':
        return this.#invitations.onWelcomed(step.invitation, env);
      case 'add':
        return this.#invitations.onOthersTold(step.invitation);
      case 'remove':
        return this.#removals.onOthersTold(step.removal, env);
      case 'leave':
        return this.#removals.onLeft(step.removal, env);
      default:
        return assertNever(step);
    }
  }

  onStepFailed(step: MemberStep, env: Env): Effect[] {
    if (step.kind === 'discovery' || step.kind === 'join') {
      return this.#invitations.fail(step.invitation, inviteTimeout(step.invitation));
    }
    if (step.kind === 'welcome' && step.invitation.member !== undefined) {
      return this.#onWelcomeFailed(step.invitation, step.invitation.member, env);
    }
    // Members that do not acknowledge a change are found by pings and unacknowledged messages; the change stands.
    return this.onStepDone(step, env);
  }

  /** The new member vanished after it had joined: the others are told to forget it. Whoever wanted it removed gets that, too. */
  #onWelcomeFailed(invitation: Invitation, member: Name, env: Env): Effect[] {
    const effects = this.#invitations.fail(invitation, inviteTimeout(invitation));
    this.#removals.beginFirst({
      kind: 'removal',
      requests: [],
      wantedBack: [],
      member,
      reason: 'offline',
      wasAnnounced: false,
    });
    return [...effects, ...this.#parts.changes.next(invitation, env)];
  }

  #stopWaitingFor(member: Name, env: Env): Effect[] {
    const { pings, steps } = this.#parts;
    pings.remove(member);
    return steps.forget(member).flatMap((step) => (step.kind === 'close' ? [] : this.onStepDone(step, env)));
  }

  // --- The end -------------------------------------------------------------------------------------------------------

  /** The session ends: every invitation and removal fails. */
  failAll(error: SlimError): Effect[] {
    const { build } = this.#parts.core;
    const doubts = [...this.#doubts.values()].flat();
    this.#doubts.clear();
    const effects = [
      ...this.#invitations.failAll(error),
      ...this.#removals.failAll(error),
      ...conclude(doubts, { error }, build),
    ];
    this.#parts.changes.clear();
    this.#parts.steps.clear();
    return effects;
  }

  /** The session is over. */
  unsubscribe(): Effect[] {
    return this.#invitations.unsubscribe();
  }
}
