import type { Name } from '../name/index.js';
import { SEND_QUEUE_MESSAGES } from '../protocol/index.js';
import { SessionError, SlimError } from '../util/index.js';
import type { CompletionHandle } from './completion-handle.js';
import type { SessionDriver } from './session-driver.js';

/** What keeping a group alive tells its session. */
export interface KeepAliveHandlers {
  /** Own messages go out again. */
  onRelease(): void;
  onFailure(text: string): void;
}

const NOT_SENT = { messageId: undefined, acked: [], missing: [] } as const;

/**
 * Keeps an MLS group open for invitations and removals for longer than the hour that a leaf lives: a member whose leaf is old is
 * removed and invited again, which is the only way to renew it in generation 1 (identity-and-mls.md 4.3 c). One member at a time.
 * Own messages wait meanwhile, so that the member misses none of them; what others say in that moment it does not get.
 */
export class GroupKeepAlive {
  readonly #driver: SessionDriver;
  readonly #handlers: KeepAliveHandlers;
  readonly #held: (() => void)[] = [];
  readonly #pauseMs: number;
  #last: Promise<void> = Promise.resolve();
  #isRenewing = false;
  #hasEnded = false;

  /** @param timeoutMs - after which messages of the session are repeated */
  constructor(driver: SessionDriver, timeoutMs: number, handlers: KeepAliveHandlers) {
    this.#driver = driver;
    this.#handlers = handlers;
    this.#pauseMs = 2 * timeoutMs;
  }

  /** Whether own messages must wait. */
  get isHolding(): boolean {
    return this.#isRenewing && !this.#hasEnded;
  }

  /** Publishes when the renewals are done. */
  publish(command: Parameters<SessionDriver['publish']>[0], handle: CompletionHandle): void {
    if (this.#held.length < SEND_QUEUE_MESSAGES) {
      this.#held.push(() => {
        this.#driver.publish(command, handle);
      });
      return;
    }
    const text = `too many messages wait to be sent (${String(this.#held.length)}); wait for writable() before publishing more`;
    handle.update('failed', NOT_SENT, new SessionError('queue-full', text));
  }

  /** Renews the leaf of a member, when those before it are renewed. */
  renew(member: Name): void {
    this.#last = this.#last.then(async () => {
      if (this.#hasEnded) return;
      this.#isRenewing = true;
      await this.#renew(member);
      this.#isRenewing = false;
      this.#release();
      // What others said to the new one before it could read is repeated once. If the next one left with such a message under
      // way, its old session would go on repeating it beside the numbers of its new one.
      await new Promise((resolve) => setTimeout(resolve, this.#pauseMs).unref());
    });
  }

  /** The session is over; what was held fails. */
  end(): void {
    this.#hasEnded = true;
    this.#release();
  }

  #release(): void {
    for (const publish of this.#held.splice(0)) publish();
    this.#handlers.onRelease();
  }

  async #renew(member: Name): Promise<void> {
    await this.#driver.whenQuiet();
    // It may have left in the meantime, or the session may be over.
    if (!this.#driver.members.some((name) => name.equals(member))) return;
    try {
      // It is no enemy: so that what it has said is heard by all before they forget it.
      await this.#driver.run({ kind: 'remove', name: member, leavesFirst: true });
      await this.#driver.run({ kind: 'invite', name: member });
    } catch (error) {
      if (error instanceof SessionError && error.code === 'closed') return;
      const reason = error instanceof SlimError ? error.message : String(error);
      this.#handlers.onFailure(
        `${member.toString()} could not be removed and invited again to renew its key: ${reason}`,
      );
    }
  }
}
