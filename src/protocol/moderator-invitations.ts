import type { Name } from '../name/index.js';
import type { SlimError } from '../util/index.js';
import { momentOf } from './leaf-ages.js';
import type { Effect, Env } from './machine.js';
import { FANOUT_ONE } from './message-builder.js';
import type { MlsAddition } from './moderator-mls.js';
import type { ModeratorParts } from './moderator-parts.js';
import { addRequest, joinRequest, welcomeRequest } from './moderator-requests.js';
import {
  alreadyInGroupError,
  type Invitation,
  noKeyPackageError,
  type Step,
  withdrawnError,
} from './moderator-task.js';
import { conclude, type MembershipRequest } from './requester.js';

/** The way of apps into the group: discovery and join of several side by side, the welcome of one at a time. */
export class ModeratorInvitations {
  readonly #parts: ModeratorParts;
  /** By name without id: one instance of a name may be a member (`session_moderator.rs:group_list`). */
  readonly #underWay = new Map<string, Invitation>();
  #isSubscribed = false;

  constructor(parts: ModeratorParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#underWay.size;
  }

  /** The invitation of this name, whatever the id. */
  of(name: Name): Invitation | undefined {
    return this.#underWay.get(name.prefixKey);
  }

  begin(request: MembershipRequest, env: Env): Effect[] {
    const { name } = request;
    const invitation: Invitation = {
      kind: 'invitation',
      requests: [request],
      name,
      member: undefined,
      keyPackage: undefined,
      askedAt: momentOf(env),
      leafEndsAtMs: undefined,
      awaitsWelcomeAck: true,
      awaitsAddAcks: false,
    };
    this.#underWay.set(name.prefixKey, invitation);
    const content = { kind: 'discoveryRequest' } as const;
    const discovery = { destination: name, fanout: FANOUT_ONE, content, expected: [name] };
    return [this.#parts.steps.send({ kind: 'discovery', invitation }, discovery, env)];
  }

  /** Somebody asks for what is under way already: it gets the same outcome, unless it means another instance. */
  join(invitation: Invitation, request: MembershipRequest): Effect[] {
    const { name } = request;
    const instance = invitation.member ?? invitation.name;
    if (name.hasId && instance.hasId && !name.equals(instance)) {
      return conclude([request], { error: alreadyInGroupError(name) }, this.#parts.core.build);
    }
    invitation.requests.push(request);
    return [];
  }

  onDiscovered(invitation: Invitation, env: Env): Effect[] {
    const { member } = invitation;
    if (member === undefined) return [];
    const { core, mls, steps } = this.#parts;
    const { config } = core;
    const effects: Effect[] = [];
    if (config.type === 'group' && !this.#isSubscribed) {
      this.#isSubscribed = true;
      effects.push({ kind: 'subscribe', name: config.channel });
    }
    invitation.askedAt = momentOf(env);
    if (config.type === 'pointToPoint') core.sender.setDestination(member);
    if (mls !== undefined) effects.push(...mls.createGroup());
    const request = joinRequest(config, member, mls !== undefined);
    return [...effects, steps.send({ kind: 'join', invitation }, request, env)];
  }

  /** The turn of an app that has said that it will join. */
  admit(invitation: Invitation, env: Env): Effect[] {
    const { keyPackage, member } = invitation;
    const { changes, mls } = this.#parts;
    if (member === undefined) return changes.next(invitation, env);
    if (mls === undefined) return this.#announce(invitation, member, undefined, env);
    const fail = (error: SlimError, later: Env): Effect[] => [
      ...this.fail(invitation, error),
      ...changes.next(invitation, later),
    ];
    if (keyPackage === undefined || keyPackage.length === 0) return fail(noKeyPackageError(member), env);
    return mls.add(member, keyPackage, (made, later) =>
      made.ok ? this.#announce(invitation, member, made, later) : fail(made.error, later),
    );
  }

  /** The new member is in the list: the others are told, and so is it. */
  #announce(invitation: Invitation, member: Name, mls: MlsAddition | undefined, env: Env): Effect[] {
    const { core, steps } = this.#parts;
    invitation.leafEndsAtMs = mls?.leafEndsAtMs;
    const existing = core.others;
    core.addMember(member);
    core.receiver.addSource(member);
    const effects: Effect[] = [];
    if (existing.length > 0) {
      invitation.awaitsAddAcks = true;
      const request = addRequest(core, member, existing, mls?.commit);
      effects.push(steps.send({ kind: 'add', invitation }, request, env));
    }
    const request = welcomeRequest(core, member, mls?.welcome);
    return [...effects, steps.send({ kind: 'welcome', invitation }, request, env)];
  }

  onWelcomed(invitation: Invitation, env: Env): Effect[] {
    const { member } = invitation;
    if (member === undefined) return [];
    const { changes, core, leafAges, mls, pings } = this.#parts;
    invitation.awaitsWelcomeAck = false;
    pings.add(member);
    if (mls !== undefined && core.config.type === 'group') {
      leafAges.add(member, invitation.askedAt, invitation.leafEndsAtMs);
    }
    return [
      { kind: 'notify', notice: { kind: 'joined', member, members: core.members } },
      ...core.sender.addEndpoints([member], env),
      ...this.#settle(invitation),
      ...changes.next(invitation, env),
    ];
  }

  /** The others know of the new member, or will not say so. */
  onOthersTold(invitation: Invitation): Effect[] {
    invitation.awaitsAddAcks = false;
    return this.#settle(invitation);
  }

  /** Whoever has not heard of the member yet need not: a repeated addition after the removal would bring it back. */
  onGone(member: Name): Effect[] {
    const invitation = this.of(member);
    if (invitation?.member?.equals(member) !== true) return [];
    this.#cancel(invitation);
    return this.onOthersTold(invitation);
  }

  fail(invitation: Invitation, error: SlimError): Effect[] {
    this.#forget(invitation);
    this.#cancel(invitation);
    return conclude(invitation.requests, { error }, this.#parts.core.build);
  }

  /** Nobody wants it any more. Whoever was asked to join is told; `undefined` when it is being admitted already. */
  withdraw(invitation: Invitation, env: Env): Effect[] | undefined {
    const { changes, steps } = this.#parts;
    if (changes.isRunning(invitation)) return undefined;
    changes.drop(invitation);
    const { member, name } = invitation;
    const told: Effect[] =
      member === undefined ? [] : [{ kind: 'send', message: steps.buildLeaveRequest(member, env) }];
    return [...told, ...this.fail(invitation, withdrawnError(name))];
  }

  failAll(error: SlimError): Effect[] {
    return [...this.#underWay.values()].flatMap((invitation) => this.fail(invitation, error));
  }

  /** The session is over. */
  unsubscribe(): Effect[] {
    if (!this.#isSubscribed) return [];
    this.#isSubscribed = false;
    return [{ kind: 'unsubscribe', name: this.#parts.core.config.channel }];
  }

  /** Succeeds when the member is in and the others know of it, or will not say so. */
  #settle(invitation: Invitation): Effect[] {
    if (invitation.awaitsWelcomeAck || invitation.awaitsAddAcks) return [];
    this.#forget(invitation);
    const { member, requests } = invitation;
    return conclude(requests, member === undefined ? {} : { member }, this.#parts.core.build);
  }

  /** Its name may have been invited anew in the meantime. */
  #forget(invitation: Invitation): void {
    const { prefixKey } = invitation.name;
    if (this.#underWay.get(prefixKey) === invitation) this.#underWay.delete(prefixKey);
  }

  #cancel(invitation: Invitation): void {
    this.#parts.steps.cancel((step) => this.#isOverWith(step, invitation));
  }

  /** With MLS an addition must reach everybody even if it came to nothing: the removal after it builds on its commit. */
  #isOverWith(step: Step, invitation: Invitation): boolean {
    const isOfIt = 'invitation' in step && step.invitation === invitation;
    return isOfIt && (step.kind !== 'add' || this.#parts.mls === undefined);
  }
}
