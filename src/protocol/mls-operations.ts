import { InternalError } from '../util/index.js';
import type { Effect, Env, MlsRequest, MlsRequestId, MlsResult } from './machine.js';

/** What follows an MLS operation. */
export type MlsContinuation = (result: MlsResult, env: Env) => Effect[];

/**
 * The MLS operations that a machine has asked for and what it does with each answer. The driver answers in order, and takes no
 * other input for the machine before; so a machine that asks is never in the middle of something when the next message comes.
 */
export class MlsOperations {
  readonly #pending = new Map<MlsRequestId, MlsContinuation>();
  #lastId = 0;

  /** Asks; `next` runs with the answer. */
  request(request: MlsRequest, next: MlsContinuation): Effect[] {
    this.#lastId += 1;
    this.#pending.set(this.#lastId, next);
    return [{ kind: 'mls', id: this.#lastId, request }];
  }

  /** The answer to a request. By its id, not by its turn: a request whose effect got lost in a bug must not move the others. */
  onResult(id: MlsRequestId, result: MlsResult, env: Env): Effect[] {
    const next = this.#pending.get(id);
    if (next === undefined) throw new InternalError('invariant', 'an MLS result that nobody asked for');
    this.#pending.delete(id);
    return next(result, env);
  }
}
