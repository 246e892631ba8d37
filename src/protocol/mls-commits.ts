import { RecentSet } from '../util/index.js';
import type { MlsPayload } from '../wire/index.js';
import type { Effect, Env } from './machine.js';
import type { MlsOperations } from './mls-operations.js';
import type { PayloadProtection } from './payload-protection.js';

/** How many commits may wait for one before them. */
const MAX_WAITING = 64;

/** What the message around a welcome or commit asks for; it is told again for a repetition, and then only answers. */
export type ApplyChange = (env: Env) => Effect[];

interface WaitingCommit {
  readonly commit: Uint8Array;
  readonly change: 'add' | 'remove';
  readonly apply: ApplyChange;
}

/**
 * A participant's MLS group as far as messages go: the welcome, then every commit once and in the order of the moderator's
 * numbers (`mls_state.rs`). A change of the member list is made, and acknowledged, only with its commit.
 */
export class MlsCommits {
  readonly #mls: MlsOperations;
  readonly #protection: PayloadProtection;
  readonly #waiting = new Map<number, WaitingCommit>();
  /** Failures that were told: one that comes again with a repetition is no news. */
  readonly #told = new RecentSet<string>();
  #lastId = 0;

  constructor(mls: MlsOperations, protection: PayloadProtection) {
    this.#mls = mls;
    this.#protection = protection;
  }

  /** A welcome that was not applied yet. One that does not open is not acknowledged. */
  onWelcome(payload: MlsPayload | undefined, apply: ApplyChange): Effect[] {
    if (payload === undefined) return this.#failed('welcome', 'the moderator sent a welcome without MLS');
    return this.#mls.request({ op: 'join', welcome: payload.content }, (result, later) => {
      if (!result.ok) {
        // Welcomed twice, and the first welcome was it.
        if (this.#lastId > 0 && result.error.code === 'mls-no-key-package') return apply(later);
        const id = `welcome ${String(payload.commitId)}`;
        return this.#failed(id, `could not join the MLS group: ${result.error.message}`);
      }
      this.#lastId = payload.commitId;
      for (const id of this.#waiting.keys()) if (id <= this.#lastId) this.#waiting.delete(id);
      this.#protection.onEpoch(result.epoch, result.subjects);
      return [...apply(later), ...this.#applyNext()];
    });
  }

  /** The commit of a GroupAdd or GroupRemove. */
  onCommit(payload: MlsPayload | undefined, change: 'add' | 'remove', env: Env, apply: ApplyChange): Effect[] {
    // Before the welcome nothing can be done with it; it is part of the welcome, or comes again.
    if (this.#lastId === 0) return [];
    if (payload === undefined) return this.#failed(change, `the moderator sent a group ${change} without MLS`);
    if (payload.commitId <= this.#lastId) return apply(env);
    if (this.#waiting.has(payload.commitId) || this.#waiting.size >= MAX_WAITING) return [];
    this.#waiting.set(payload.commitId, { commit: payload.content, change, apply });
    return this.#applyNext();
  }

  #applyNext(): Effect[] {
    const id = this.#lastId + 1;
    const next = this.#waiting.get(id);
    if (next === undefined) return [];
    this.#waiting.delete(id);
    const { commit, change, apply } = next;
    return this.#mls.request({ op: 'commit', commit, change }, (result, env) => {
      // Its number is not used up: it may have been somebody else's, and the genuine one comes again.
      if (!result.ok) {
        return this.#failed(
          `commit ${String(id)}`,
          `could not follow a change of the MLS group: ${result.error.message}`,
        );
      }
      this.#lastId = id;
      this.#protection.onEpoch(result.epoch, result.subjects);
      return [...apply(env), ...this.#protection.tell(), ...this.#applyNext()];
    });
  }

  #failed(id: string, text: string): Effect[] {
    return this.#told.add(id) ? [{ kind: 'notify', notice: { kind: 'warning', code: 'mls-failed', text } }] : [];
  }
}
