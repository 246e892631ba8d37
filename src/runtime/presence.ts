import { type ChatEventBody, type ChatState, sessionOf } from '../chat/index.js';
import { startInterval, type Timer } from '../util/index.js';

/** A message counts against a member that has not acknowledged it for this long, or for three tries if those take longer. */
const SILENT_AFTER_MS = 5000;
const SILENT_AFTER_TRIES = 3;
const CHECK_EVERY_MS = 1000;

/** What presence reads and tells. */
export interface PresenceDeps {
  readonly getState: () => ChatState;
  readonly emit: (event: Extract<ChatEventBody, { type: 'presence' }>) => void;
}

/**
 * Who of the members answers. SLIM 0.7 has no presence of its own, so it is read from acknowledgements and messages: silent is who
 * has not acknowledged an own message for a while and has not been heard since it was sent. Keeps only when each was heard last;
 * messages and members are those of the chat's state.
 */
export class Presence {
  readonly #deps: PresenceDeps;
  /** Milliseconds since 1970, by session and printed full name. */
  readonly #heardMs = new Map<number, Map<string, number>>();
  #timer: Timer | undefined;
  /** When the connection to the node was last seen to be down: nobody can answer, and nobody is silent. */
  #downMs = 0;

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
  }

  /** The member did something. */
  heard(session: number, member: string): void {
    let heard = this.#heardMs.get(session);
    if (heard === undefined) {
      heard = new Map();
      this.#heardMs.set(session, heard);
    }
    heard.set(member, Date.now());
    if (this.#presenceOf(session, member) === 'silent') this.#tell(session, member, 'online');
  }

  /** An own message is on its way: from now on somebody looks at who does not acknowledge. */
  watch(): void {
    this.#timer ??= startInterval(CHECK_EVERY_MS, () => {
      this.#check();
    });
  }

  /** An own message has failed, and these did not acknowledge it. */
  missed(session: number, members: readonly string[], sinceMs: number): void {
    for (const member of members) this.#markSilent(session, member, sinceMs);
  }

  /** When a member was heard last, as an RFC 3339 time. */
  lastHeardAt(session: number, member: string): string | undefined {
    const heardMs = this.#heardMs.get(session)?.get(member);
    return heardMs === undefined ? undefined : new Date(heardMs).toISOString();
  }

  /** Forgets a member that has left, or all of a session that is over. */
  forget(session: number, member?: string): void {
    if (member === undefined) this.#heardMs.delete(session);
    else this.#heardMs.get(session)?.delete(member);
  }

  /** An own message is settled: without others there is nothing to look at. */
  settled(): void {
    if (!this.#deps.getState().own.some(({ sentMs }) => sentMs !== null)) this.stop();
  }

  /** Stops the clock. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #check(): void {
    const state = this.#deps.getState();
    const nowMs = Date.now();
    if (state.connection.state !== 'up') this.#downMs = nowMs;
    for (const { session: id, missing, sentMs } of state.own) {
      const session = sessionOf(state, id);
      if (session === undefined || sentMs === null) continue;
      const silentAfterMs = Math.max(SILENT_AFTER_MS, SILENT_AFTER_TRIES * session.timeoutMs);
      if (nowMs - Math.max(sentMs, this.#downMs) >= silentAfterMs) this.missed(session.id, missing, sentMs);
    }
  }

  #markSilent(session: number, member: string, sinceMs: number): void {
    const heardMs = this.#heardMs.get(session)?.get(member);
    if (heardMs !== undefined && heardMs > sinceMs) return;
    if (this.#presenceOf(session, member) === 'online') this.#tell(session, member, 'silent');
  }

  #presenceOf(session: number, member: string): string | undefined {
    return sessionOf(this.#deps.getState(), session)?.members.find(({ name }) => name === member)?.presence;
  }

  #tell(session: number, member: string, presence: 'online' | 'silent'): void {
    const lastHeardAt = this.lastHeardAt(session, member);
    this.#deps.emit({ type: 'presence', session, member, presence, ...(lastHeardAt !== undefined && { lastHeardAt }) });
  }
}
