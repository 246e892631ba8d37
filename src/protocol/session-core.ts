import type { Name } from '../name/index.js';
import type { SlimError } from '../util/index.js';
import { MessageType, type PublishMessage } from '../wire/index.js';
import { ControllerSender } from './controller-sender.js';
import type { Answer } from './given-answers.js';
import type { Delivered, Effect, EndReason, Env, SessionConfig, TimerKey } from './machine.js';
import { MessageBuilder } from './message-builder.js';
import { MlsOperations } from './mls-operations.js';
import { PayloadProtection } from './payload-protection.js';
import { SessionReceiver } from './session-receiver.js';
import { SessionSender } from './session-sender.js';

/** Shortest timer: two that are due at almost the same time fire as one. */
const MIN_TIMER_MS = 1;

/** Longest timer: JavaScript fires a longer one at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Something that has to be looked after some time from now. */
interface DueSource {
  dueInMs(nowMs: number): number | undefined;
}

/**
 * What moderator and participant have in common: payloads in both directions, control requests, the member list, timers, the end.
 */
export class SessionCore {
  readonly config: SessionConfig;
  readonly build: MessageBuilder;
  readonly sender: SessionSender;
  readonly receiver: SessionReceiver;
  readonly control: ControllerSender;
  readonly mls = new MlsOperations();
  /** Undefined without MLS. */
  readonly protection: PayloadProtection | undefined;
  /** Full names by key, own included. */
  readonly #members = new Map<string, Name>();
  readonly #dueSources = new Map<TimerKey, DueSource>();
  readonly #armed = new Set<TimerKey>();
  #hasEnded = false;

  constructor(config: SessionConfig) {
    this.config = config;
    this.build = new MessageBuilder(config);
    if (config.mls !== undefined) {
      this.protection = new PayloadProtection(config.mls.policy, this.mls, this);
    }
    this.sender = new SessionSender(config, this.build, this.protection);
    this.receiver = new SessionReceiver(config, this.build, this.protection);
    this.control = new ControllerSender(config.timeoutMs, config.maxRetries);
    this.watch('acks', this.sender);
    this.watch('rtx', this.receiver);
    this.watch('starts', { dueInMs: (nowMs) => this.receiver.startDueInMs(nowMs) });
    this.watch('control', this.control);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get members(): readonly Name[] {
    return [...this.#members.values()];
  }

  get others(): readonly Name[] {
    return this.members.filter((name) => !this.isSelf(name));
  }

  isSelf(name: Name): boolean {
    return name.equals(this.config.local);
  }

  isMember(name: Name): boolean {
    return this.#members.has(name.key);
  }

  addMember(name: Name): void {
    this.#members.set(name.key, name);
  }

  removeMember(name: Name): boolean {
    return this.#members.delete(name.key);
  }

  clearMembers(): void {
    this.#members.clear();
  }

  /** Messages that both roles treat alike; `undefined` for the others. */
  onPayloadMessage(message: PublishMessage, subject: string, env: Env): Effect[] | undefined {
    const { content } = message;
    switch (message.session.messageType) {
      case MessageType.msg:
        return content.kind === 'app' ? this.receiver.onMsg(arrived(message, subject, content.blob), env) : [];
      case MessageType.msgAck:
        return this.sender.onMsgAck(message, env);
      case MessageType.rtxRequest:
        return this.config.isReliable ? this.sender.onRtxRequest(message, env) : [];
      case MessageType.rtxReply:
        return content.kind === 'app' ? this.receiver.onRtxReply(arrived(message, subject, content.blob), env) : [];
      default:
        return undefined;
    }
  }

  /** Nothing that is sent now arrives: nothing is repeated, and nothing fails. */
  onLinkDown(): void {
    this.sender.onLinkDown();
    this.receiver.onLinkDown();
    this.control.onLinkDown();
  }

  setTimer(timer: TimerKey, afterMs: number): Effect {
    this.#armed.add(timer);
    return { kind: 'setTimer', timer, afterMs: Math.min(Math.max(MIN_TIMER_MS, afterMs), MAX_TIMER_MS) };
  }

  clearTimer(timer: TimerKey): Effect[] {
    return this.#armed.delete(timer) ? [{ kind: 'clearTimer', timer }] : [];
  }

  /** A timer that fired is not armed any more. */
  onTimerFired(timer: TimerKey): void {
    this.#armed.delete(timer);
  }

  /** From now on `timer` is armed whenever `source` waits for something. */
  watch(timer: TimerKey, source: DueSource): void {
    this.#dueSources.set(timer, source);
  }

  /**
   * Arms the timers that something waits for. One that is armed stays, even if what it was set for is done by
   * now: firing for nothing every T is cheaper than moving a timer with each message.
   */
  armTimers(env: Env): Effect[] {
    if (this.#hasEnded) return [];
    const effects: Effect[] = [];
    for (const [timer, source] of this.#dueSources) {
      if (this.#armed.has(timer)) continue;
      const dueInMs = source.dueInMs(env.nowMs);
      if (dueInMs !== undefined) effects.push(this.setTimer(timer, dueInMs));
    }
    return effects;
  }

  /**
   * The last effects of a session: what waits for messages before it was acknowledged, and is given out without them; own messages
   * fail with `error`; all timers stop.
   *
   * @param answer - to the request that ended it
   */
  end(reason: EndReason, error: SlimError, answer?: Answer): Effect[] {
    if (this.#hasEnded) return [];
    this.#hasEnded = true;
    this.control.clear();
    const timers = [...this.#armed].map((timer): Effect => ({ kind: 'clearTimer', timer }));
    this.#armed.clear();
    const waiting = this.others.flatMap((name) => this.receiver.forgetSource(name));
    return [...waiting, ...this.sender.end(error), ...timers, { kind: 'end', reason, ...(answer && { answer }) }];
  }
}

function arrived(message: PublishMessage, subject: string, payload: Uint8Array): Delivered {
  return { message, subject, payload, isEncrypted: false };
}
