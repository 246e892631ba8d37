import type { Name } from '../name/index.js';
import { MessageType } from '../wire/index.js';
import type { Effect, Env, OutboundMessage } from './machine.js';
import { FANOUT_ONE } from './message-builder.js';
import { RetryQueue } from './retry-queue.js';

/** A control request that is repeated until everybody expected has answered. */
interface PendingRequest {
  readonly message: OutboundMessage;
  /** Who has not answered, by the key that answers are matched with. */
  readonly missing: Map<string, Name>;
}

/** What a reply did. `unknown`: nobody waits for it, which is no error (late, twice, or stray). */
export type ReplyOutcome = 'complete' | 'partial' | 'unknown';

/**
 * Control requests and their replies (`controller_sender.rs`).
 * Differs from upstream: what went to the channel is repeated only to those who have not answered, by name. Upstream's
 * repetitions reach everybody again, and a 0.7.0 member that gets its own GroupAdd waits for itself from then on
 * (session.md 10.9).
 */
export class ControllerSender {
  readonly #pending: RetryQueue<number, PendingRequest>;
  #isLinkUp = true;

  constructor(timeoutMs: number, maxRetries: number) {
    this.#pending = new RetryQueue(timeoutMs, maxRetries);
  }

  /** How long until something is due; `undefined` when nothing is. */
  dueInMs(nowMs: number): number | undefined {
    return this.#isLinkUp ? this.#pending.dueInMs(nowMs) : undefined;
  }

  /** Sends a request and expects one reply with its id from each of `expected`. */
  send(message: OutboundMessage, expected: readonly Name[], env: Env): Effect {
    const missing = new Map(expected.map((name) => [replyKey(message.messageType, name), name]));
    this.#pending.add(message.messageId, { message, missing }, env.nowMs);
    return { kind: 'send', message };
  }

  /** A reply arrived. */
  onReply(messageId: number, source: Name): ReplyOutcome {
    const request = this.#pending.get(messageId);
    if (request?.missing.delete(replyKey(request.message.messageType, source)) !== true) return 'unknown';
    if (request.missing.size > 0) return 'partial';
    this.#pending.delete(messageId);
    return 'complete';
  }

  /** A member is gone: nothing is expected from it. Gives the ids of requests that are complete by that; a discovery never is. */
  forget(name: Name): number[] {
    const complete: number[] = [];
    for (const { message, missing } of this.#pending.values()) {
      if (!missing.delete(name.key) || missing.size > 0) continue;
      this.#pending.delete(message.messageId);
      complete.push(message.messageId);
    }
    return complete;
  }

  /** Stops repeating a request. */
  cancel(messageId: number): void {
    this.#pending.delete(messageId);
  }

  /** Stops everything. */
  clear(): void {
    this.#pending.clear();
  }

  /** Repeats what is due; gives the ids of requests that have failed, and who did not answer. */
  onTimer(env: Env): { readonly effects: Effect[]; readonly failed: { messageId: number; missing: Name[] }[] } {
    if (!this.#isLinkUp) return { effects: [], failed: [] };
    const { retry, failed } = this.#pending.expire(env.nowMs);
    return {
      effects: retry.flatMap(repeat),
      failed: failed.map(({ message, missing }) => ({ messageId: message.messageId, missing: [...missing.values()] })),
    };
  }

  onLinkDown(): void {
    this.#isLinkUp = false;
  }

  /**
   * After an interruption nothing that could not be answered counts as a try; everything is sent again at once.
   *
   * @param renew - the id to send a request under from now on; peers answer each id once, and the answer may be lost
   */
  onLinkUp(env: Env, renew: (messageId: number) => number): Effect[] {
    this.#isLinkUp = true;
    const pending = this.#pending.values();
    this.#pending.clear();
    return pending.flatMap(({ message, missing }) => {
      const renewed = { message: { ...message, messageId: renew(message.messageId) }, missing };
      this.#pending.add(renewed.message.messageId, renewed, env.nowMs);
      return repeat(renewed);
    });
  }
}

function repeat({ message, missing }: PendingRequest): Effect[] {
  if (message.fanout === FANOUT_ONE) return [{ kind: 'send', message }];
  const again = Array.from(missing.values(), (destination) => ({ ...message, destination, fanout: FANOUT_ONE }));
  return again.map((message) => ({ kind: 'send', message }));
}

/** A discovery reply comes from an instance that the request could not name; all others match on the full name. */
function replyKey(requestType: number, name: Name): string {
  return requestType === MessageType.discoveryRequest ? name.prefixKey : name.key;
}
