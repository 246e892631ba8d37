import type { Name } from '../name/index.js';
import { assertNever, SessionError, type SlimError } from '../util/index.js';
import type { MlsPayload } from '../wire/index.js';
import type { CommandId, Effect, Env } from './machine.js';
import { LeafAges, momentOf } from './leaf-ages.js';
import { FANOUT_ONE } from './message-builder.js';
import { type MlsAddition, ModeratorMls } from './moderator-mls.js';
import { addRequest, joinRequest, removeRequest, welcomeRequest } from './moderator-requests.js';
import type { ModeratorSteps } from './moderator-steps.js';
import {
  type Invitation,
  inviteTimeout,
  type MembershipChange,
  noGroupError,
  noKeyPackageError,
  type Removal,
  type Step,
} from './moderator-task.js';
import type { PingRounds } from './ping-rounds.js';
import type { SessionCore } from './session-core.js';

/** A step of an invitation or a removal; the end of the session is none. */
export type MemberStep = Exclude<Step, { kind: 'close' }>;

/**
 * Who is in the group: invitations, removals, and their order. Discovery and join of several invitations run side by side;
 * changes of the list are made one at a time. A failed step never stops what waits behind it.
 */
export class ModeratorMembers {
  readonly #core: SessionCore;
  readonly #steps: ModeratorSteps;
  readonly #pings: PingRounds;
  /** Undefined without MLS. */
  readonly #mls: ModeratorMls | undefined;
  /** Of members of an MLS group. */
  readonly leafAges = new LeafAges();
  /** By name without id: one instance of a name may be a member (`session_moderator.rs:group_list`). */
  readonly #invitations = new Map<string, Invitation>();
  readonly #departing = new Map<string, Removal>();
  /** Invitations of names that are still on their way out. */
  readonly #deferred: { readonly id: CommandId; readonly name: Name }[] = [];
  readonly #changes: MembershipChange[] = [];
  #current: MembershipChange | undefined;
  /** Members that were given up without being told; they are told when they are heard of again. */
  readonly #evicted = new Map<string, Name>();
  #isSubscribed = false;

  constructor(core: SessionCore, steps: ModeratorSteps, pings: PingRounds) {
    this.#core = core;
    this.#steps = steps;
    this.#pings = pings;
    if (core.protection !== undefined) this.#mls = new ModeratorMls(core.mls, core.protection);
  }

  /** Whether payloads and a goodbye of `source` count: it is a member, or has not been told yet that it is none. */
  hears(source: Name): boolean {
    return this.#core.isMember(source) || this.#departing.has(source.prefixKey);
  }

  /** True once for a member that was given up without a word and is heard of now. */
  takeEvicted(source: Name): boolean {
    return !this.#core.isMember(source) && this.#evicted.delete(source.key);
  }

  // --- Invitations ---------------------------------------------------------------------------------------------------

  invite(id: CommandId, name: Name, env: Env): Effect[] {
    const key = name.prefixKey;
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
      askedAt: momentOf(env),
      leafEndsAtMs: undefined,
      awaitsWelcomeAck: true,
      awaitsAddAcks: false,
    };
    this.#invitations.set(key, invitation);
    const content = { kind: 'discoveryRequest' } as const;
    const request = { destination: name, fanout: FANOUT_ONE, content, expected: [name] };
    return [this.#steps.send({ kind: 'discovery', invitation }, request, env)];
  }

  #onDiscovered(invitation: Invitation, env: Env): Effect[] {
    const { member } = invitation;
    if (member === undefined) return [];
    const { config } = this.#core;
    const effects: Effect[] = [];
    if (config.type === 'group' && !this.#isSubscribed) {
      this.#isSubscribed = true;
      effects.push({ kind: 'subscribe', name: config.channel });
    }
    invitation.askedAt = momentOf(env);
    if (config.type === 'pointToPoint') this.#core.sender.setDestination(member);
    if (this.#mls !== undefined) effects.push(...this.#mls.createGroup());
    const request = joinRequest(config, member, this.#mls !== undefined);
    return [...effects, this.#steps.send({ kind: 'join', invitation }, request, env)];
  }

  #admit(invitation: Invitation, env: Env): Effect[] {
    const { keyPackage, member } = invitation;
    if (member === undefined) return this.#nextChange(invitation, env);
    if (this.#mls === undefined) return this.#announce(invitation, member, undefined, env);
    const fail = (error: SlimError, later: Env): Effect[] => [
      ...this.#failInvitation(invitation, error),
      ...this.#nextChange(invitation, later),
    ];
    if (keyPackage === undefined || keyPackage.length === 0) return fail(noKeyPackageError(member), env);
    return this.#mls.add(member, keyPackage, (made, later) =>
      made.ok ? this.#announce(invitation, member, made, later) : fail(made.error, later),
    );
  }

  /** The new member is in the list: the others are told, and so is it. */
  #announce(invitation: Invitation, member: Name, mls: MlsAddition | undefined, env: Env): Effect[] {
    invitation.leafEndsAtMs = mls?.leafEndsAtMs;
    const existing = this.#core.others;
    this.#core.addMember(member);
    this.#core.receiver.addSource(member);
    this.#evicted.delete(member.key);
    const effects: Effect[] = [];
    if (existing.length > 0) {
      invitation.awaitsAddAcks = true;
      const request = addRequest(this.#core, member, existing, mls?.commit);
      effects.push(this.#steps.send({ kind: 'add', invitation }, request, env));
    }
    const request = welcomeRequest(this.#core, member, mls?.welcome);
    return [...effects, this.#steps.send({ kind: 'welcome', invitation }, request, env)];
  }

  #onWelcomed(invitation: Invitation, env: Env): Effect[] {
    const { member } = invitation;
    if (member === undefined) return [];
    invitation.awaitsWelcomeAck = false;
    this.#pings.add(member);
    if (this.#mls !== undefined && this.#core.config.type === 'group') {
      this.leafAges.add(member, invitation.askedAt, invitation.leafEndsAtMs);
    }
    return [
      { kind: 'notify', notice: { kind: 'joined', member, members: this.#core.members } },
      ...this.#core.sender.addEndpoints([member], env),
      ...this.#settleInvitation(invitation),
      ...this.#nextChange(invitation, env),
    ];
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
    this.#steps.cancel((step) => this.#isOverWith(step, invitation));
    const { command } = invitation;
    invitation.command = undefined;
    return command === undefined ? [] : [{ kind: 'settle', id: command, error }];
  }

  /** With MLS an addition must reach everybody even if it came to nothing: the removal after it builds on its commit. */
  #isOverWith(step: Step, invitation: Invitation): boolean {
    return 'invitation' in step && step.invitation === invitation && (step.kind !== 'add' || this.#mls === undefined);
  }

  // --- Removals ------------------------------------------------------------------------------------------------------

  remove(id: CommandId, name: Name, leavesFirst: boolean, env: Env): Effect[] {
    if (this.#core.config.type === 'pointToPoint') return [{ kind: 'settle', id, error: noGroupError('remove') }];
    const member = this.#core.others.find((other) =>
      name.hasId ? other.equals(name) : other.prefixKey === name.prefixKey,
    );
    if (member === undefined || this.#departing.has(member.prefixKey)) {
      const error = new SessionError('participant-not-found', `participant not found: ${name.toString()}`);
      return [{ kind: 'settle', id, error }];
    }
    const removal: Removal = { kind: 'removal', command: id, member, reason: 'removed', wasAnnounced: true };
    if (leavesFirst) removal.departure = 'asked-first';
    return this.#depart(removal, env);
  }

  /** A member that left, or that has been silent too long. */
  giveUp(member: Name, reason: 'left' | 'offline', env: Env): Effect[] {
    const invitation = this.#invitations.get(member.prefixKey);
    if (invitation?.awaitsWelcomeAck === true) return this.#onWelcomeFailed(invitation, member, env);
    const removal = this.#departing.get(member.prefixKey);
    if (removal !== undefined) {
      if (reason !== 'left' || !removal.member.equals(member)) return [];
      // It has gone by itself, so it is neither asked to leave nor waited for.
      removal.departure = 'has-left';
      return this.#stopWaitingFor(member, env);
    }
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
    if (removal.departure === 'asked-first') {
      removal.departure = 'has-left';
      return [this.#steps.sendLeaveRequest(removal, env)];
    }
    if (this.#mls === undefined) return this.#announceRemoval(removal, undefined, env);
    return this.#mls.remove(removal.member, (made, later) =>
      made.ok ? this.#announceRemoval(removal, made.commit, later) : this.#onRemovalRefused(removal, made.error, later),
    );
  }

  /** No commit, so the others cannot be told. Who is to go stays; who has gone is expected to answer no more. */
  #onRemovalRefused(removal: Removal, error: SlimError, env: Env): Effect[] {
    const { member, command, reason } = removal;
    if (reason === 'removed' && removal.departure === undefined) {
      this.#departing.delete(member.prefixKey);
      const settled: Effect[] = command === undefined ? [] : [{ kind: 'settle', id: command, error }];
      return [...settled, ...this.#inviteDeferred(member, env), ...this.#nextChange(removal, env)];
    }
    const text = `${member.toString()} is gone and stays in the MLS group: ${error.message}`;
    return [
      { kind: 'notify', notice: { kind: 'warning', code: 'mls-failed', text } },
      ...this.#strike(removal, env),
      ...this.#onOthersTold(removal, env),
    ];
  }

  /** Takes the member off the list of this side. */
  #strike(removal: Removal, env: Env): Effect[] {
    const { member, reason } = removal;
    this.leafAges.remove(member);
    const wasMember = this.#core.removeMember(member);
    this.#core.protection?.forget(member);
    const effects = [...this.#stopAnnouncing(member), ...this.#stopWaitingFor(member, env)];
    if (wasMember && removal.wasAnnounced) {
      effects.push({ kind: 'notify', notice: { kind: 'left', member, reason, members: this.#core.members } });
    }
    effects.push(...this.#core.sender.removeEndpoint(member, env));
    if (reason === 'offline') this.#evicted.set(member.key, member);
    return effects;
  }

  #announceRemoval(removal: Removal, mls: MlsPayload | undefined, env: Env): Effect[] {
    const effects = this.#strike(removal, env);
    if (this.#core.others.length === 0) return [...effects, ...this.#onOthersTold(removal, env)];
    const request = removeRequest(this.#core, removal, mls);
    return [...effects, this.#steps.send({ kind: 'remove', removal }, request, env)];
  }

  /** Whoever has not heard of the member yet need not: a repeated addition after the removal would bring it back. */
  #stopAnnouncing(member: Name): Effect[] {
    const invitation = this.#mls === undefined ? this.#steps.announcing(member) : undefined;
    if (invitation === undefined) return [];
    this.#steps.cancel((step) => step.kind === 'add' && step.invitation === invitation);
    invitation.awaitsAddAcks = false;
    return this.#settleInvitation(invitation);
  }

  #stopWaitingFor(member: Name, env: Env): Effect[] {
    this.#pings.remove(member);
    return this.#steps.forget(member).flatMap((step) => (step.kind === 'close' ? [] : this.onStepDone(step, env)));
  }

  /** The others know, or will not say so: now the member itself, and the next change. */
  #onOthersTold(removal: Removal, env: Env): Effect[] {
    if (removal.reason !== 'removed' || removal.departure !== undefined) {
      return [...this.#settleRemoval(removal, env), ...this.#nextChange(removal, env)];
    }
    return [this.#steps.sendLeaveRequest(removal, env), ...this.#nextChange(removal, env)];
  }

  /** Succeeds also when the member never answered: for the group it is out. */
  #settleRemoval(removal: Removal, env: Env): Effect[] {
    this.#departing.delete(removal.member.prefixKey);
    // Until now it was heard: what it said before it knew of its removal.
    const effects: Effect[] = this.#core.receiver.forgetSource(removal.member);
    if (removal.command !== undefined) effects.push({ kind: 'settle', id: removal.command });
    removal.command = undefined;
    return [...effects, ...this.#inviteDeferred(removal.member, env)];
  }

  /** Invitations that waited for the removal of a member. */
  #inviteDeferred({ prefixKey }: Name, env: Env): Effect[] {
    const waiting = this.#deferred.findIndex(({ name }) => name.prefixKey === prefixKey);
    if (waiting < 0) return [];
    return this.#deferred.splice(waiting, 1).flatMap(({ id, name }) => this.invite(id, name, env));
  }

  // --- Steps ---------------------------------------------------------------------------------------------------------

  /** Starts the next change of the member list if `done` was the running one, or none runs. */
  #nextChange(done: MembershipChange | undefined, env: Env): Effect[] {
    if (this.#current !== done) return [];
    const next = this.#changes.shift();
    this.#current = next;
    if (next === undefined) return [];
    return next.kind === 'removal' ? this.#startRemoval(next, env) : this.#admit(next, env);
  }

  onStepDone(step: MemberStep, env: Env): Effect[] {
    switch (step.kind) {
      case 'discovery':
        return this.#onDiscovered(step.invitation, env);
      case 'join':
        this.#changes.push(step.invitation);
        return this.#nextChange(undefined, env);
      case 'welcome':
        return this.#onWelcomed(step.invitation, env);
      case 'add':
        step.invitation.awaitsAddAcks = false;
        return this.#settleInvitation(step.invitation);
      case 'remove':
        return this.#onOthersTold(step.removal, env);
      case 'leave':
        return this.#current === step.removal
          ? this.#startRemoval(step.removal, env)
          : this.#settleRemoval(step.removal, env);
      default:
        return assertNever(step);
    }
  }

  onStepFailed(step: MemberStep, env: Env): Effect[] {
    if (step.kind === 'discovery' || step.kind === 'join') {
      return this.#failInvitation(step.invitation, inviteTimeout(step.invitation));
    }
    if (step.kind === 'welcome' && step.invitation.member !== undefined) {
      return this.#onWelcomeFailed(step.invitation, step.invitation.member, env);
    }
    // Members that do not acknowledge a change are found by pings and unacknowledged messages; the change stands.
    return this.onStepDone(step, env);
  }

  /** The new member vanished after it had joined: the others are told to forget it. */
  #onWelcomeFailed(invitation: Invitation, member: Name, env: Env): Effect[] {
    const effects = this.#failInvitation(invitation, inviteTimeout(invitation));
    // Whoever wanted it removed has got that, too.
    const wanted = this.#departing.get(member.prefixKey);
    const waitsAt = wanted === undefined ? -1 : this.#changes.indexOf(wanted);
    if (waitsAt >= 0) this.#changes.splice(waitsAt, 1);
    const { command } = wanted ?? {};
    const removal: Removal = { kind: 'removal', command, member, reason: 'offline', wasAnnounced: false };
    this.#departing.set(member.prefixKey, removal);
    this.#changes.unshift(removal);
    return [...effects, ...this.#nextChange(invitation, env)];
  }

  /** The session ends: settles every invitation and removal. */
  failAll(error: SlimError): Effect[] {
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
    return effects;
  }

  /** The session is over. */
  unsubscribe(): Effect[] {
    if (!this.#isSubscribed) return [];
    this.#isSubscribed = false;
    return [{ kind: 'unsubscribe', name: this.#core.config.channel }];
  }
}
