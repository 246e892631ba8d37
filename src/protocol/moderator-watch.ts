import { MessageType, type PublishMessage } from '../wire/index.js';
import type { Effect } from './machine.js';
import { FANOUT_ALL, FANOUT_ONE } from './message-builder.js';
import { MAX_MISSED_PINGS, PING_INTERVAL_MS } from './ping-rounds.js';
import type { SessionCore } from './session-core.js';

/** A participant's answers to pings, and its patience with a moderator that has pinged before: one of 0.7 never does. */
export class ModeratorWatch {
  readonly #core: SessionCore;
  #hasPinged = false;
  #missedWindows = 0;
  #hasHeardInWindow = false;

  constructor(core: SessionCore) {
    this.#core = core;
  }

  /** Whether the moderator is one that pings, so 1.x. */
  get hasPinged(): boolean {
    return this.#hasPinged;
  }

  /** A control message of the moderator. */
  onHeard(): void {
    this.#hasHeardInWindow = true;
  }

  onPing(request: PublishMessage): Effect[] {
    const { messageId } = request.session;
    // To the moderator, with the fanout it came with (`session_participant.rs:on_ping`), as far as it is one.
    const fanout = request.header.fanout === FANOUT_ONE ? FANOUT_ONE : FANOUT_ALL;
    const reply = this.#core.build.build(MessageType.ping, request.header.source, fanout, messageId, { kind: 'ping' });
    const send: Effect = { kind: 'send', message: reply };
    if (this.#hasPinged) return [send];
    this.#hasPinged = true;
    return [send, ...this.#restart()];
  }

  /** `undefined` when the moderator has been silent too long. */
  onTimer(): Effect[] | undefined {
    this.#missedWindows = this.#hasHeardInWindow ? 0 : this.#missedWindows + 1;
    this.#hasHeardInWindow = false;
    if (this.#missedWindows >= MAX_MISSED_PINGS) return undefined;
    return [this.#core.setTimer('liveness', PING_INTERVAL_MS)];
  }

  onLinkDown(): Effect[] {
    return this.#core.clearTimer('liveness');
  }

  onLinkUp(): Effect[] {
    return this.#hasPinged ? this.#restart() : [];
  }

  #restart(): Effect[] {
    this.#missedWindows = 0;
    this.#hasHeardInWindow = false;
    return [...this.#core.clearTimer('liveness'), this.#core.setTimer('liveness', PING_INTERVAL_MS)];
  }
}
