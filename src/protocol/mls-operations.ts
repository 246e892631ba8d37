import { InternalError } from '../util/index.js';
import type { Effect, Env, MlsRequest, MlsResult } from './machine.js';

/** What follows an MLS operation. */
export type MlsContinuation = (result: MlsResult, env: Env) => Effect[];

/**
 * The MLS operations that a machine has asked for and what it does with each answer. The driver answers in order, and takes no
 * other input for the machine before; so a machine that asks is never in the middle of something when the next message comes.
 */
export class MlsOperations {
  readonly #pending: MlsContinuation[] = [];

  /** Asks; `next` runs with the answer. */
  request(request: MlsRequest, next: MlsContinuation): Effect[] {
    this.#pending.push(next);
    return [{ kind: 'mls', request }];
  }

  /** The answer to the oldest request. */
  onResult(result: MlsResult, env: Env): Effect[] {
    const next = this.#pending.shift();
    if (next === undefined) throw new InternalError('invariant', 'an MLS result that nobody asked for');
    return next(result, env);
  }
}
