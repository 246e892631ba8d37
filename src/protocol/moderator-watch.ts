import { MessageType, type PublishMessage } from '../wire/index.js';
import type { Effect, Env } from './machine.js';
import { FANOUT_ALL, FANOUT_ONE } from './message-builder.js';
import { PING_INTERVAL_MS, PingRounds, PROBE_ID } from './ping-rounds.js';
import type { SessionCore } from './session-core.js';

/**
 * A participant's answers to pings, and its patience with its moderator: one that gives no sign of life for three rounds is gone. One
 * of 0.7 never pings, and one that has died early has not pinged yet; both are asked.
 */
export class ModeratorWatch {
  readonly #core: SessionCore;
  readonly #rounds = new PingRounds();
  #hasPinged = false;
  #isWatching = false;

  constructor(core: SessionCore) {
    this.#core = core;
    this.#rounds.add(core.config.moderator);
    // One that pings need not be asked: it does so every ten seconds, and repeats it.
    core.watch('ask', { dueInMs: (nowMs) => (this.#hasPinged ? undefined : this.#rounds.dueInMs(nowMs)) });
  }

  /** Whether the moderator is one that pings, so 1.x. */
  get hasPinged(): boolean {
    return this.#hasPinged;
  }

  /** The session is usable, so the moderator must be there from now on. */
  start(env: Env): Effect[] {
    // Where nothing is acknowledged, nothing that was never sent is refused either.
    return this.#core.config.isReliable ? this.#start(env) : [];
  }

  /** Any message of the moderator. */
  onHeard(): void {
    this.#rounds.onSign(this.#core.config.moderator);
  }

  onPing(request: PublishMessage, env: Env): Effect[] {
    const { messageId } = request.session;
    // To the moderator, with the fanout it came with (`session_participant.rs:on_ping`), as far as it is one.
    const fanout = request.header.fanout === FANOUT_ONE ? FANOUT_ONE : FANOUT_ALL;
    const reply = this.#core.build.build(MessageType.ping, request.header.source, fanout, messageId, { kind: 'ping' });
    this.#hasPinged = true;
    return [{ kind: 'send', message: reply }, ...this.#start(env)];
  }

  /** A round is over; `undefined` when the moderator has been silent too long. */
  onRound(env: Env): Effect[] | undefined {
    return this.#rounds.closeRound().length > 0 ? undefined : this.#startRound(env);
  }

  /** The moderator has been silent for a moment. */
  onAsk(env: Env): Effect[] {
    if (this.#hasPinged) return [];
    return this.#rounds
      .takeSilent(env.nowMs)
      .map(({ name }) => ({ kind: 'send', message: this.#core.build.buildRtxRequest(name, PROBE_ID) }));
  }

  onLinkDown(): Effect[] {
    this.#rounds.forgetRound();
    return this.#core.clearTimer('liveness');
  }

  onLinkUp(env: Env): Effect[] {
    if (!this.#isWatching) return [];
    this.#rounds.onSign(this.#core.config.moderator);
    return this.#startRound(env);
  }

  #start(env: Env): Effect[] {
    if (this.#isWatching) return [];
    this.#isWatching = true;
    return this.#startRound(env);
  }

  #startRound(env: Env): Effect[] {
    this.#rounds.startRound(env.nowMs);
    return [this.#core.setTimer('liveness', PING_INTERVAL_MS)];
  }
}
