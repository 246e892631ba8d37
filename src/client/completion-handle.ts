import type { Name } from '../name/index.js';
import type { CommandId, DeliveryProgress, DeliveryState } from '../protocol/index.js';
import type { SlimError } from '../util/index.js';

/** Of a message that has not been sent. */
export const NOT_SENT: DeliveryProgress = { messageId: undefined, acked: [], missing: [] };

/**
 * What became of one published message (`completion_handle.rs`). May be awaited, any number of times or never: a failure that
 * nobody awaits is no unhandled rejection.
 *
 * Resolves when every member that was in the group at the time has acknowledged. Rejects with DeliveryError `not-acked`
 * (`details.missing`: full names) or a SessionError (`closed`, `removed`, `moderator-gone`, `queue-full`, `participant-not-found`,
 * `cancelled`).
 */
export class CompletionHandle implements PromiseLike<void> {
  /** As given to `publish`. */
  readonly ref: string | undefined;
  /** @internal The command that published it. */
  command: CommandId | undefined;
  #state: DeliveryState = 'queued';
  #progress: DeliveryProgress = NOT_SENT;
  #error: SlimError | undefined;
  #waiters: (() => void)[] = [];

  /** @internal */
  constructor(ref?: string) {
    this.ref = ref;
  }

  /** Where the message is on its way. */
  get state(): DeliveryState {
    return this.#state;
  }

  /** The sequence number; undefined while the message is queued. */
  get messageId(): number | undefined {
    return this.#progress.messageId;
  }

  /** Full names of the members that have acknowledged. */
  get acked(): readonly Name[] {
    return this.#progress.acked;
  }

  /** Full names of the members that have not. */
  get missing(): readonly Name[] {
    return this.#progress.missing;
  }

  /** Why it failed. */
  get error(): SlimError | undefined {
    return this.#error;
  }

  then<A = void, B = never>(
    onAcked?: ((value: void) => A | PromiseLike<A>) | null,
    onFailed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#settled().then(onAcked, onFailed);
  }

  /** @internal */
  update(state: DeliveryState, progress: DeliveryProgress, error: SlimError | undefined): void {
    this.#state = state;
    this.#progress = progress;
    this.#error = error;
    if (state !== 'acked' && state !== 'failed') return;
    for (const wake of this.#waiters) wake();
    this.#waiters = [];
  }

  async #settled(): Promise<void> {
    if (this.#state !== 'acked' && this.#state !== 'failed') {
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
      });
    }
    if (this.#error !== undefined) throw this.#error;
  }
}
