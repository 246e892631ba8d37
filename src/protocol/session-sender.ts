import type { Name } from '../name/index.js';
import { DeliveryError, SessionError, type SlimError, UsageError } from '../util/index.js';
import { MessageType, type PublishMessage } from '../wire/index.js';
import type { CommandId, Effect, Env, QueuedMessages, SessionConfig } from './machine.js';
import { FANOUT_ALL, FANOUT_ONE, flagged, type MessageBuilder } from './message-builder.js';
import { Outgoing, type PublishCommand } from './outgoing.js';
import type { PayloadProtection } from './payload-protection.js';
import { PRODUCER_BUFFER_MESSAGES, ProducerBuffer } from './producer-buffer.js';
import { RetryQueue } from './retry-queue.js';
import { RtxAnswers } from './rtx-answers.js';
import { cancelledError, queueFullError, SendQueue } from './send-queue.js';
import { SEQUENCE_LIMIT, sequenceAdd, sequenceDistance } from './sequence.js';

/**
 * How many own messages may be unacknowledged at once. Half of what peers expect to be kept, so that what anybody may still ask
 * for is always at hand. Upstream has no window: its 513th unacknowledged message makes the first one fail.
 */
export const SEND_WINDOW = PRODUCER_BUFFER_MESSAGES / 2;

/** Payload bytes that may be unacknowledged at once; one message may always go. */
const SEND_WINDOW_BYTES = 16 * 1024 * 1024;

/**
 * Own messages: numbering, transmission, acknowledgements, retransmission, answers to RTX requests (`session_sender.rs`).
 * A message goes to the channel once; whoever has not acknowledged it gets it again by name, every T, R times.
 */
export class SessionSender {
  readonly #config: SessionConfig;
  readonly #build: MessageBuilder;
  readonly #protection: PayloadProtection | undefined;
  readonly #endpoints = new Map<string, Name>();
  /** The same as a list, which is replaced and never changed: messages to everybody share it. */
  #everybody: readonly Name[] = [];
  readonly #buffer = new ProducerBuffer();
  readonly #unacked: RetryQueue<number, Outgoing>;
  #unackedBytes = 0;
  readonly #queue = new SendQueue();
  readonly #rtx: RtxAnswers;
  /** What is being encrypted. One at a time: the rest can still be taken back, and is encrypted in the epoch it is sent in. */
  #sealing: Outgoing | undefined;
  #lastId: number;
  /** Not newer than the oldest unacknowledged number; brought up to date only when it matters. */
  #oldestUnackedId: number;
  #isLinkUp = true;
  /** Whether everything that is published has to wait. */
  #isHeld = false;
  /** Where messages to everybody go; a caller learns the id of a point-to-point peer only from its discovery reply. */
  #destination: Name;

  constructor(config: SessionConfig, build: MessageBuilder, protection?: PayloadProtection) {
    this.#config = config;
    this.#build = build;
    this.#protection = protection;
    this.#rtx = new RtxAnswers(build, protection);
    this.#unacked = new RetryQueue(config.timeoutMs, config.maxRetries);
    this.#lastId = config.resumeAfter;
    this.#oldestUnackedId = config.resumeAfter;
    this.#destination = config.channel;
  }

  /** Number of the newest message that was sent to everybody. */
  get lastPublishedId(): number {
    return this.#lastId;
  }

  /** Messages that wait for their first transmission. */
  get queued(): QueuedMessages {
    const sealing = this.#sealing;
    return {
      count: this.#queue.count + (sealing === undefined ? 0 : 1),
      bytes: this.#queue.bytes + (sealing?.bytes ?? 0),
    };
  }

  /** Whether nothing is under way: neither being encrypted nor unacknowledged. */
  get isQuiet(): boolean {
    return this.#unacked.size === 0 && this.#sealing === undefined;
  }

  /** From now on own messages wait in the queue, also those to members who are not there, until `release`. */
  hold(): void {
    this.#isHeld = true;
  }

  /** What was held goes out. */
  release(env: Env): Effect[] {
    this.#isHeld = false;
    return this.#flush(env);
  }

  /** How long until something is due; `undefined` when nothing is. */
  dueInMs(nowMs: number): number | undefined {
    return this.#isLinkUp ? this.#unacked.dueInMs(nowMs) : undefined;
  }

  /** Sets where messages to everybody go. */
  setDestination(name: Name): void {
    this.#destination = name;
  }

  /** Members from whom acknowledgements are now expected. The first ones release what waited. */
  addEndpoints(names: readonly Name[], env: Env): Effect[] {
    for (const name of names) this.#endpoints.set(name.key, name);
    this.#everybody = [...this.#endpoints.values()];
    return this.#flush(env);
  }

  /** A member that is gone: nothing is expected from it any more. */
  removeEndpoint(name: Name, env: Env): Effect[] {
    if (!this.#endpoints.delete(name.key)) return [];
    this.#everybody = [...this.#endpoints.values()];
    const effects: Effect[] = [];
    for (const outgoing of this.#unacked.values()) {
      const [first, ...others] = outgoing.missing;
      if (first?.equals(name) === true && others.length === 0 && outgoing.acked.length === 0) {
        effects.push(this.#fail(outgoing, outgoing.notAcked()));
      } else if (outgoing.release(name)) {
        effects.push(outgoing.missing.length === 0 ? this.#complete(outgoing) : outgoing.report('sent'));
      }
    }
    effects.push(...this.#flush(env));
    return effects;
  }

  /** `publish` and `publishTo`, for the first time or again. */
  onPublish(id: CommandId, command: PublishCommand, env: Env): Effect[] {
    const outgoing = new Outgoing(id, command);
    const error = this.#isHeld ? undefined : this.#refusal(outgoing);
    if (error !== undefined) return [outgoing.report('failed', error)];
    if (this.#queue.count === 0 && this.#canTransmit(outgoing)) return this.#transmit(outgoing, env);
    const full = queueFullError(this.queued, outgoing.bytes);
    if (full !== undefined) return [outgoing.report('failed', full)];
    // Alone in a group nobody knows yet who will read it, and the first one to come may be of 0.7.
    outgoing.wasToBeSealed = this.#endpoints.size > 0 && this.#protection?.isEncrypting === true;
    this.#queue.add(outgoing);
    return [outgoing.report('queued')];
  }

  /** Takes a message back that has not been sent. What waits behind it goes with the next chance: nothing here is urgent. */
  onCancel(id: CommandId): Effect[] {
    const sealing = this.#sealing?.id === id && !this.#sealing.isCancelled ? this.#sealing : undefined;
    const outgoing = this.#queue.take(id) ?? sealing;
    if (outgoing === undefined) return [];
    outgoing.isCancelled = true;
    return [outgoing.report('failed', cancelledError())];
  }

  /** A member acknowledges (`session_sender.rs:on_ack_message`); from others and for other numbers it is ignored. */
  onMsgAck(message: PublishMessage, env: Env): Effect[] {
    return this.#onAck(message.header.source, message.session.messageId, env);
  }

  /** A member misses a message. */
  onRtxRequest(request: PublishMessage, env: Env): Effect[] {
    const { messageId } = request.session;
    const { source } = request.header;
    const outgoing = this.#unacked.get(messageId);
    const { message, isAck } = this.#rtx.answer(request, {
      // A retry is encrypted anew, so it goes before what was kept of the first time.
      stored: outgoing?.stored(this.#keepsClear) ?? this.#buffer.get(messageId),
      wasSent: this.#wasNumbered(messageId),
      isMissing: outgoing?.missing.some((name) => name.equals(source)) === true,
    });
    return [{ kind: 'send', message }, ...(isAck ? this.#onAck(source, messageId, env) : [])];
  }

  /** Repeats what is due, to those who have not acknowledged only. */
  onTimer(env: Env): Effect[] {
    if (!this.#isLinkUp) return [];
    const { retry, failed } = this.#unacked.expire(env.nowMs);
    const effects: Effect[] = [];
    for (const outgoing of retry) {
      for (const name of outgoing.missing) effects.push(...this.#sendByName(outgoing, name));
    }
    for (const outgoing of failed) {
      this.#unackedBytes -= outgoing.bytes;
      effects.push(outgoing.report('failed', outgoing.notAcked()));
    }
    effects.push(...this.#flush(env));
    return effects;
  }

  onLinkDown(): void {
    this.#isLinkUp = false;
  }

  /** After an interruption: every message gets all its tries again, and what waited goes out. */
  onLinkUp(env: Env): Effect[] {
    this.#isLinkUp = true;
    this.#unacked.restart(env.nowMs);
    return this.#flush(env);
  }

  /** Nothing can be delivered any more. */
  end(error: SlimError): Effect[] {
    const effects: Effect[] = [];
    for (const outgoing of this.#unacked.values()) effects.push(this.#fail(outgoing, error));
    const sealing = this.#sealing?.isCancelled === false ? [this.#sealing] : [];
    for (const outgoing of [...sealing, ...this.#queue.takeAll()]) effects.push(outgoing.report('failed', error));
    this.#sealing = undefined;
    return effects;
  }

  get #keepsClear(): boolean {
    return this.#protection?.givesClearCopies === true;
  }

  get #fanout(): number {
    return this.#config.type === 'group' ? FANOUT_ALL : FANOUT_ONE;
  }

  /** Whom it goes to as things are. */
  #recipients({ command: { to, again } }: Outgoing): readonly Name[] {
    if (again === undefined && to === undefined) return this.#everybody;
    const wanted = again?.missing ?? this.#everybody;
    return this.#everybody.filter(
      (name) => (to === undefined || name.equals(to)) && wanted.some((other) => other.equals(name)),
    );
  }

  /** Why it cannot be sent, not even later. */
  #refusal(outgoing: Outgoing): SlimError | undefined {
    const { to, again } = outgoing.command;
    if (again !== undefined) {
      const { messageId } = again;
      const isNumber = Number.isInteger(messageId) && messageId >= 0 && messageId < 2 ** 32;
      if (!isNumber || (messageId < SEQUENCE_LIMIT && !this.#wasNumbered(messageId))) {
        return new UsageError('invalid-option', `message ${String(messageId)} was never sent, so not again either`);
      }
      if (this.#unacked.has(messageId)) {
        return new UsageError('invalid-option', `message ${String(messageId)} is still under way`);
      }
    }
    if (outgoing.isInSequence || this.#recipients(outgoing).length > 0) return undefined;
    const names = again?.missing.map(String).join(', ') ?? String(to);
    return new SessionError('participant-not-found', `participant not found: ${names}`);
  }

  #canTransmit(outgoing: Outgoing): boolean {
    if (!this.#isLinkUp || this.#isHeld || this.#endpoints.size === 0 || this.#sealing !== undefined) return false;
    const count = this.#unacked.size;
    if (count === 0) return true;
    if (count >= SEND_WINDOW || this.#unackedBytes + outgoing.bytes > SEND_WINDOW_BYTES) return false;
    return !outgoing.isInSequence || this.#hasSequenceRoom();
  }

  /** A peer that misses one message must not see numbers further ahead than what is kept for it. */
  #hasSequenceRoom(): boolean {
    const room = PRODUCER_BUFFER_MESSAGES - 1;
    if (sequenceDistance(this.#oldestUnackedId, this.#lastId) < room) return true;
    let oldest = sequenceAdd(this.#lastId, 1);
    for (const { messageId, isInSequence } of this.#unacked.values()) {
      // One that is sent again has been given up before, and nobody waits for it.
      if (messageId === undefined || !isInSequence) continue;
      if (sequenceDistance(messageId, oldest) > 0) oldest = messageId;
    }
    this.#oldestUnackedId = oldest;
    return sequenceDistance(oldest, this.#lastId) < room;
  }

  #flush(env: Env): Effect[] {
    const effects: Effect[] = [];
    for (;;) {
      const next = this.#queue.first;
      if (next === undefined || !this.#canTransmit(next)) return effects;
      this.#queue.shift();
      const error = this.#refusal(next);
      if (error !== undefined) effects.push(next.report('failed', error));
      else effects.push(...this.#transmit(next, env));
    }
  }

  #transmit(outgoing: Outgoing, env: Env): Effect[] {
    const protection = this.#protection;
    if (protection === undefined) return this.#send(outgoing, env);
    if (protection.isEncrypting) {
      const copies = this.#recipients(outgoing).map((name) => protection.copyFor(name));
      if (copies.includes('sealed')) return this.#seal(outgoing, protection);
      if (!copies.includes('clear')) return [...protection.tell(), outgoing.report('failed', unreadableError())];
    } else if (outgoing.wasToBeSealed && !protection.givesClearCopies) {
      return [...protection.tell(), outgoing.report('failed', unreadableError())];
    }
    // That it goes out in clear is told before it does.
    return [...protection.tell(), ...this.#send(outgoing, env)];
  }

  #seal(outgoing: Outgoing, protection: PayloadProtection): Effect[] {
    this.#sealing = outgoing;
    return protection.seal(outgoing.command.payload, (result, later) => {
      this.#sealing = undefined;
      if (outgoing.isCancelled) return this.#flush(later);
      if (!result.ok) return [outgoing.report('failed', result.error), ...this.#flush(later)];
      outgoing.sealed = result.bytes;
      return [...this.#send(outgoing, later), ...this.#flush(later)];
    });
  }

  /** Gives it its number and sends it: to the channel, but by name what was sent before and what is not the same for everybody. */
  #send(outgoing: Outgoing, env: Env): Effect[] {
    const { to, again } = outgoing.command;
    const isDivided = this.#protection?.isDivided === true;
    const wanted = this.#recipients(outgoing);
    const recipients = isDivided ? wanted.filter((name) => this.#protection?.copyFor(name) !== 'none') : wanted;
    outgoing.send(again?.messageId ?? this.#nextId(outgoing, env), this.#config.isReliable ? recipients : []);
    if (outgoing.isInSequence) this.#buffer.push(outgoing.stored(this.#keepsClear));
    const sends =
      again !== undefined || isDivided
        ? recipients.flatMap((name) => this.#sendByName(outgoing, name))
        : [this.#sendTo(outgoing, to ?? this.#destination, outgoing.sealed ?? outgoing.command.payload)];
    if (!this.#config.isReliable) return [...sends, outgoing.report('acked')];
    this.#unacked.add(outgoing.messageId ?? 0, outgoing, env.nowMs);
    this.#unackedBytes += outgoing.bytes;
    return [...sends, outgoing.report('sent')];
  }

  /** Sends a member what it can read of it. What was encrypted is given away in clear only where that is asked for. */
  #sendByName(outgoing: Outgoing, name: Name): Effect[] {
    const { command, sealed } = outgoing;
    const copy = sealed === undefined ? 'clear' : (this.#protection?.copyFor(name) ?? 'sealed');
    if (copy === 'none') return [];
    return [this.#sendTo(outgoing, name, copy === 'sealed' && sealed !== undefined ? sealed : command.payload)];
  }

  #nextId(outgoing: Outgoing, env: Env): number {
    if (outgoing.isInSequence) {
      this.#lastId = sequenceAdd(this.#lastId, 1);
      return this.#lastId;
    }
    // 0.7.1 and later: outside the sequence, in [2^31, 2^32-2].
    let messageId: number;
    do messageId = SEQUENCE_LIMIT + (env.randomU32() % (SEQUENCE_LIMIT - 1));
    while (this.#unacked.has(messageId));
    return messageId;
  }

  #sendTo(outgoing: Outgoing, destination: Name, blob: Uint8Array): Effect {
    const { isDirect } = outgoing;
    const { payloadType, metadata } = outgoing.command;
    const message = this.#build.build(
      MessageType.msg,
      destination,
      isDirect ? FANOUT_ONE : this.#fanout,
      outgoing.messageId ?? 0,
      { kind: 'app', payloadType, blob },
      isDirect ? { ...metadata, ...flagged('publishTo') } : metadata,
    );
    return { kind: 'send', message };
  }

  /** Whether a message to everybody had that number. */
  #wasNumbered(messageId: number): boolean {
    return messageId < SEQUENCE_LIMIT && sequenceDistance(messageId, this.#lastId) >= 0;
  }

  #onAck(source: Name, messageId: number, env: Env): Effect[] {
    const outgoing = this.#unacked.get(messageId);
    if (outgoing?.acknowledge(source) !== true) return [];
    if (outgoing.missing.length > 0) return [outgoing.report('sent')];
    return [this.#complete(outgoing), ...this.#flush(env)];
  }

  #complete(outgoing: Outgoing): Effect {
    this.#drop(outgoing);
    return outgoing.report('acked');
  }

  #fail(outgoing: Outgoing, error: SlimError): Effect {
    this.#drop(outgoing);
    return outgoing.report('failed', error);
  }

  #drop(outgoing: Outgoing): void {
    if (outgoing.messageId !== undefined && this.#unacked.delete(outgoing.messageId)) {
      this.#unackedBytes -= outgoing.bytes;
    }
  }
}

function unreadableError(): DeliveryError {
  return new DeliveryError('unreadable', 'nobody it is for can read what is encrypted');
}
