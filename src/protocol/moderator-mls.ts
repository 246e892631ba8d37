import type { Name } from '../name/index.js';
import type { MlsError } from '../util/index.js';
import type { MlsPayload } from '../wire/index.js';
import type { Effect, Env, MlsResult } from './machine.js';
import type { MlsOperations } from './mls-operations.js';
import type { PayloadProtection } from './payload-protection.js';

/** What an addition is announced with: the commit for the members, the welcome for the new one. */
export interface MlsAddition {
  readonly commit: MlsPayload;
  readonly welcome: MlsPayload;
  /** When the leaf of the new one or of the moderator ends, in milliseconds since 1970, if leaves do not all live an hour. */
  readonly leafEndsAtMs: number | undefined;
}

/** An addition, or why there is none. */
export type MlsAnnouncement = ({ readonly ok: true } & MlsAddition) | { readonly ok: false; readonly error: MlsError };

/** What a removal is announced with. */
export type MlsRemoval =
  { readonly ok: true; readonly commit: MlsPayload } | { readonly ok: false; readonly error: MlsError };

/**
 * The moderator's MLS group: every commit is made here, applied here at once, and numbered (`mls_state.rs`). A number is used
 * up also by a removal that nobody is left to hear of.
 */
export class ModeratorMls {
  readonly #mls: MlsOperations;
  readonly #protection: PayloadProtection;
  #hasGroup = false;
  #lastCommitId = 0;

  constructor(mls: MlsOperations, protection: PayloadProtection) {
    this.#mls = mls;
    this.#protection = protection;
  }

  /** Makes the group, the first time. */
  createGroup(): Effect[] {
    if (this.#hasGroup) return [];
    this.#hasGroup = true;
    return this.#mls.request({ op: 'createGroup' }, (result) => {
      if (result.ok) return this.#advance(result);
      this.#hasGroup = false;
      return [failed(`could not make an MLS group: ${result.error.message}`)];
    });
  }

  /** Adds a member. A key package or token that does not hold gives an error, and the group stays as it was. */
  add(member: Name, keyPackage: Uint8Array, next: (made: MlsAnnouncement, env: Env) => Effect[]): Effect[] {
    return this.#mls.request({ op: 'add', member, keyPackage }, (result, env) => {
      if (!result.ok) return next({ ok: false, error: result.error }, env);
      const commitId = this.#nextCommitId();
      const commit = { commitId, content: result.bytes };
      const welcome = { commitId, content: result.welcome ?? new Uint8Array(0) };
      const { leafEndsAtMs } = result;
      return this.#advance(result, () => next({ ok: true, commit, welcome, leafEndsAtMs }, env));
    });
  }

  /** Removes a member. An error leaves the group as it was. */
  remove(member: Name, next: (made: MlsRemoval, env: Env) => Effect[]): Effect[] {
    return this.#mls.request({ op: 'remove', member }, (result, env) => {
      if (!result.ok) return next({ ok: false, error: result.error }, env);
      const commit = { commitId: this.#nextCommitId(), content: result.bytes };
      return this.#advance(result, () => next({ ok: true, commit }, env));
    });
  }

  /** The epoch after an own commit. `change` brings the list of members up to date, and only then it can be told who reads what. */
  #advance(result: Extract<MlsResult, { ok: true }>, change: () => Effect[] = () => []): Effect[] {
    this.#protection.onEpoch(result.epoch, result.subjects);
    return [...change(), ...this.#protection.tell()];
  }

  #nextCommitId(): number {
    this.#lastCommitId += 1;
    return this.#lastCommitId;
  }
}

function failed(text: string): Effect {
  return { kind: 'notify', notice: { kind: 'warning', code: 'mls-failed', text } };
}
