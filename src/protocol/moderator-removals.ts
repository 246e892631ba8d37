import type { Name } from '../name/index.js';
import { RecentSet, type SlimError } from '../util/index.js';
import type { MlsPayload } from '../wire/index.js';
import type { Effect, Env } from './machine.js';
import type { ModeratorParts } from './moderator-parts.js';
import { removeRequest } from './moderator-requests.js';
import type { Removal } from './moderator-task.js';
import { conclude, type MembershipRequest } from './requester.js';

/** What removals tell. */
export interface RemovalHandlers {
  /** A member is off the list, so nothing is expected of it any more. */
  onGone(member: Name, env: Env): Effect[];
  /** A removal has ended, and somebody wanted its member back meanwhile. */
  onWantedBack(request: MembershipRequest, env: Env): Effect[];
}

/** The way of members out of the group, whether they were removed, left, or fell silent. */
export class ModeratorRemovals {
  readonly #parts: ModeratorParts;
  readonly #handlers: RemovalHandlers;
  /** By name without id. */
  readonly #underWay = new Map<string, Removal>();
  /** Members that were given up without being told; they are told when they are heard of again. */
  readonly #evicted = new RecentSet<string>();

  constructor(parts: ModeratorParts, handlers: RemovalHandlers) {
    this.#parts = parts;
    this.#handlers = handlers;
  }

  /** The removal of this name, whatever the id. */
  of(name: Name): Removal | undefined {
    return this.#underWay.get(name.prefixKey);
  }

  begin(removal: Removal, env: Env): Effect[] {
    this.#underWay.set(removal.member.prefixKey, removal);
    return this.#parts.changes.add(removal, env);
  }

  /** Before all other changes, which the caller lets go on. What the same name's removal was asked for goes over to it. */
  beginFirst(removal: Removal): void {
    const { changes } = this.#parts;
    const before = this.of(removal.member);
    if (before !== undefined) {
      changes.drop(before);
      removal.requests.push(...before.requests.splice(0));
      removal.wantedBack.push(...before.wantedBack.splice(0));
    }
    this.#underWay.set(removal.member.prefixKey, removal);
    changes.addFirst(removal);
  }

  /** Its turn. */
  start(removal: Removal, env: Env): Effect[] {
    const { mls, steps } = this.#parts;
    if (removal.departure === 'asked-first') {
      removal.departure = 'has-left';
      return [steps.sendLeaveRequest(removal, env)];
    }
    if (mls === undefined) return this.#announce(removal, undefined, env);
    return mls.remove(removal.member, (made, later) =>
      made.ok ? this.#announce(removal, made.commit, later) : this.#onRefused(removal, made.error, later),
    );
  }

  /** The others know, or will not say so: now the member itself, and the next change. */
  onOthersTold(removal: Removal, env: Env): Effect[] {
    const { changes, steps } = this.#parts;
    if (removal.reason !== 'removed' || removal.departure !== undefined) {
      return [...this.#settle(removal, {}, env), ...changes.next(removal, env)];
    }
    return [steps.sendLeaveRequest(removal, env), ...changes.next(removal, env)];
  }

  /** The member has left, or will not say so. Who was asked first is now to be taken off the list; the others are through. */
  onLeft(removal: Removal, env: Env): Effect[] {
    return this.#parts.changes.isRunning(removal) ? this.start(removal, env) : this.#settle(removal, {}, env);
  }

  /** True once for a member that was given up without a word and is heard of now. */
  takeEvicted(source: Name): boolean {
    return this.#evicted.delete(source.key) && !this.#parts.core.isMember(source);
  }

  failAll(error: SlimError): Effect[] {
    const removals = [...this.#underWay.values()];
    this.#underWay.clear();
    const { build } = this.#parts.core;
    return [
      ...removals.flatMap(({ requests }) => conclude(requests, { error }, build)),
      ...removals.flatMap(({ wantedBack }) => conclude(wantedBack, { error }, build)),
    ];
  }

  #announce(removal: Removal, mls: MlsPayload | undefined, env: Env): Effect[] {
    const { core, steps } = this.#parts;
    const effects = this.#strike(removal, env);
    if (core.others.length === 0) return [...effects, ...this.onOthersTold(removal, env)];
    const request = removeRequest(core, removal, mls);
    return [...effects, steps.send({ kind: 'remove', removal }, request, env)];
  }

  /** No commit, so the others cannot be told. Who is to go stays; who has gone is expected to answer no more. */
  #onRefused(removal: Removal, error: SlimError, env: Env): Effect[] {
    const { member, reason, departure } = removal;
    if (reason === 'removed' && departure === undefined) {
      return [...this.#settle(removal, { error }, env), ...this.#parts.changes.next(removal, env)];
    }
    const text = `${member.toString()} is gone and stays in the MLS group: ${error.message}`;
    return [
      { kind: 'notify', notice: { kind: 'warning', code: 'mls-failed', text } },
      ...this.#strike(removal, env),
      ...this.onOthersTold(removal, env),
    ];
  }

  /** Takes the member off the list of this side. */
  #strike({ member, reason, wasAnnounced }: Removal, env: Env): Effect[] {
    const { core, leafAges } = this.#parts;
    leafAges.remove(member);
    const wasMember = core.removeMember(member);
    const effects = this.#handlers.onGone(member, env);
    if (wasMember && wasAnnounced) {
      effects.push({ kind: 'notify', notice: { kind: 'left', member, reason, members: core.members } });
    }
    effects.push(...core.sender.removeEndpoint(member, env));
    if (reason === 'offline') this.#evicted.add(member.key);
    return effects;
  }

  /** Succeeds also when the member never answered: for the group it is out. */
  #settle(removal: Removal, outcome: { readonly error?: SlimError }, env: Env): Effect[] {
    const { core } = this.#parts;
    this.#underWay.delete(removal.member.prefixKey);
    // Until now it was heard: what it said before it knew of its removal.
    const effects = outcome.error === undefined ? core.receiver.forgetSource(removal.member) : [];
    effects.push(...conclude(removal.requests, outcome, core.build));
    for (const request of removal.wantedBack.splice(0)) effects.push(...this.#handlers.onWantedBack(request, env));
    return effects;
  }
}
