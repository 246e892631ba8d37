import type { Name } from '../name/index.js';
import { MessageType, type PublishMessage } from '../wire/index.js';
import type { Effect, Env } from './machine.js';
import { FANOUT_ALL, FANOUT_ONE } from './message-builder.js';
import type { ModeratorSteps } from './moderator-steps.js';
import { isOldSubject } from './peer-abilities.js';
import { PING_INTERVAL_MS, PingRounds, PROBE_ID, type Silent } from './ping-rounds.js';
import type { SessionCore } from './session-core.js';

/**
 * What only who is in the session can send. Not so answers to discovery and join: an app that was started again under the same full
 * name (its token says which) answers these, too.
 */
const SIGNS: ReadonlySet<number> = new Set([
  MessageType.msg,
  MessageType.msgAck,
  MessageType.rtxRequest,
  MessageType.rtxReply,
  MessageType.groupAck,
  MessageType.ping,
]);

/** The moderator's questions whether members are still there: a ping to all every ten seconds, and then by name to who is silent. */
export class ModeratorPings {
  readonly #core: SessionCore;
  readonly #steps: ModeratorSteps;
  readonly #rounds = new PingRounds();
  #isPinging = false;

  constructor(core: SessionCore, steps: ModeratorSteps) {
    this.#core = core;
    this.#steps = steps;
    core.watch('ask', this.#rounds);
  }

  /** A member is in: from now on it must give signs of life. */
  add(member: Name): void {
    this.#rounds.add(member);
  }

  /** Expects nothing of a member any more. */
  remove(member: Name): void {
    this.#rounds.remove(member);
  }

  /** Begins with the first member. */
  startIfNeeded(): Effect[] {
    if (this.#isPinging || !this.#rounds.hasMembers) return [];
    this.#isPinging = true;
    return [this.#core.setTimer('ping', PING_INTERVAL_MS)];
  }

  /** Whether a message is a sign of life of its source. `subject`: whom its token names. */
  onMessage({ header: { source }, session: { messageId, messageType } }: PublishMessage, subject: string): boolean {
    if (!SIGNS.has(messageType)) return false;
    const isProbed = messageType === MessageType.rtxReply && messageId === PROBE_ID;
    // A ping of a later version may have got lost, and without one it leaves: so it must look like 0.7 as well.
    if (isProbed && isOldSubject(subject)) this.#rounds.onPingUnknown(source);
    this.#rounds.onSign(source, messageType === MessageType.ping);
    return true;
  }

  /** The end of a round: gives the members that have been silent too long. */
  closeRound(): readonly Name[] {
    return this.#rounds.closeRound();
  }

  /** Starts a round. */
  ping(env: Env): Effect[] {
    const { config, others } = this.#core;
    const timer = this.#core.setTimer('ping', PING_INTERVAL_MS);
    const peer = others[0];
    if (peer === undefined) return [timer];
    this.#rounds.startRound(env.nowMs);
    // An application of 0.7 shows an error for each ping, and nothing else comes of it.
    if (!this.#rounds.isPingWorthwhile) return [timer];
    const isGroup = config.type === 'group';
    return [this.#ping(isGroup ? config.channel : peer, isGroup ? FANOUT_ALL : FANOUT_ONE, env), timer];
  }

  /** Asks who has been silent for a moment. */
  onAsk(env: Env): Effect[] {
    return this.#rounds.takeSilent(env.nowMs).flatMap((silent) => this.#ask(silent, env));
  }

  /** Somebody has a reason to think that a member is gone: it is asked now. `undefined` if nothing is expected of it. */
  doubt(member: Name, env: Env): Effect[] | undefined {
    const silent = this.#rounds.doubt(member, env.nowMs);
    return silent && this.#ask(silent, env);
  }

  /** The running round does not count: nobody could answer. */
  onLinkDown(): Effect[] {
    this.#rounds.forgetRound();
    return this.#core.clearTimer('ping');
  }

  onLinkUp(env: Env): Effect[] {
    return this.#isPinging ? this.ping(env) : [];
  }

  /** Who has never answered a ping is asked otherwise, too, or only so: 0.7 has none. */
  #ask({ name, answersPings }: Silent, env: Env): Effect[] {
    const probe: Effect = { kind: 'send', message: this.#core.build.buildRtxRequest(name, PROBE_ID) };
    if (answersPings === false) return [probe];
    const ping = this.#ping(name, FANOUT_ONE, env);
    return answersPings === true ? [ping] : [ping, probe];
  }

  #ping(destination: Name, fanout: number, env: Env): Effect {
    const id = this.#steps.drawId(env);
    return {
      kind: 'send',
      message: this.#core.build.build(MessageType.ping, destination, fanout, id, { kind: 'ping' }),
    };
  }
}
