import type { Name } from '../name/index.js';
import { DeliveryError, SessionError, type SlimError } from '../util/index.js';
import { MessageType, type PublishMessage } from '../wire/index.js';
import type { CommandId, DeliveryProgress, Effect, Env, SessionCommand, SessionConfig } from './machine.js';
import { FANOUT_ALL, FANOUT_ONE, flagged, type MessageBuilder } from './message-builder.js';
import type { PayloadProtection } from './payload-protection.js';
import { PRODUCER_BUFFER_MESSAGES, ProducerBuffer, type StoredMessage } from './producer-buffer.js';
import { RetryQueue } from './retry-queue.js';
import { SEQUENCE_LIMIT, sequenceAdd, sequenceDistance } from './sequence.js';

type PublishCommand = Extract<SessionCommand, { kind: 'publish' }>;

/**
 * How many own messages may be unacknowledged at once. Half of what peers expect to be kept, so that what anybody may still ask
 * for is always at hand. Upstream has no window: its 513th unacknowledged message makes the first one fail.
 */
export const SEND_WINDOW = PRODUCER_BUFFER_MESSAGES / 2;

/** Payload bytes that may be unacknowledged at once; one message may always go. */
const SEND_WINDOW_BYTES = 16 * 1024 * 1024;

/** How many messages may wait for the window or for the first member, and how many bytes. */
export const SEND_QUEUE_MESSAGES = 16_384;
const SEND_QUEUE_BYTES = 64 * 1024 * 1024;

/** One own message from `publish` to its last acknowledgement. */
class Outgoing implements DeliveryProgress {
  readonly id: CommandId;
  readonly command: PublishCommand;
  messageId: number | undefined;
  /** As it travels: encrypted, if the session is. The same for everybody and each time. */
  payload: Uint8Array;
  readonly acknowledgedBy = new Map<string, Name>();
  readonly missingFrom = new Map<string, Name>();

  constructor(id: CommandId, command: PublishCommand) {
    this.id = id;
    this.command = command;
    this.payload = command.payload;
  }

  get acked(): readonly Name[] {
    return [...this.acknowledgedBy.values()];
  }

  get missing(): readonly Name[] {
    return [...this.missingFrom.values()];
  }

  get bytes(): number {
    return this.command.payload.length;
  }

  get stored(): StoredMessage {
    const { payloadType, metadata } = this.command;
    return { messageId: this.messageId ?? 0, payloadType, blob: this.payload, metadata };
  }
}

/**
 * Own messages: numbering, transmission, acknowledgements, retransmission, answers to RTX requests (`session_sender.rs`).
 * A message goes to the channel once; whoever has not acknowledged it gets it again by name, every T, R times.
 */
export class SessionSender {
  readonly #config: SessionConfig;
  readonly #build: MessageBuilder;
  readonly #protection: PayloadProtection | undefined;
  readonly #endpoints = new Map<string, Name>();
  readonly #buffer = new ProducerBuffer();
  readonly #unacked: RetryQueue<number, Outgoing>;
  #unackedBytes = 0;
  /** Being encrypted: they have their place in the window already. */
  #sealing = 0;
  #sealingBytes = 0;
  #queue: Outgoing[] = [];
  #queueHead = 0;
  #queuedBytes = 0;
  #lastId: number;
  /** Not newer than the oldest unacknowledged number; brought up to date only when it matters. */
  #oldestUnackedId: number;
  #isLinkUp = true;
  /** Where messages to everybody go; a caller learns the id of a point-to-point peer only from its discovery reply. */
  #destination: Name;

  constructor(config: SessionConfig, build: MessageBuilder, protection?: PayloadProtection) {
    this.#config = config;
    this.#build = build;
    this.#protection = protection;
    this.#unacked = new RetryQueue(config.timeoutMs, config.maxRetries);
    this.#lastId = config.resumeAfter;
    this.#oldestUnackedId = config.resumeAfter;
    this.#destination = config.channel;
  }

  /** Number of the newest message that was sent to everybody. */
  get lastPublishedId(): number {
    return this.#lastId;
  }

  /** How many messages wait for their first transmission. */
  get queuedCount(): number {
    return this.#queue.length - this.#queueHead;
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
    return this.#flush(env);
  }

  /** A member that is gone: nothing is expected from it any more. */
  removeEndpoint(name: Name, env: Env): Effect[] {
    if (!this.#endpoints.delete(name.key)) return [];
    const effects: Effect[] = [];
    for (const outgoing of this.#unacked.values()) {
      if (!outgoing.missingFrom.has(name.key)) continue;
      const isLast = outgoing.missingFrom.size === 1;
      if (isLast && outgoing.acknowledgedBy.size === 0) {
        effects.push(this.#fail(outgoing, notAcked(outgoing)));
        continue;
      }
      outgoing.missingFrom.delete(name.key);
      effects.push(isLast ? this.#complete(outgoing) : delivery(outgoing, 'sent'));
    }
    effects.push(...this.#flush(env));
    return effects;
  }

  /** `publish` and `publishTo`. */
  onPublish(id: CommandId, command: PublishCommand, env: Env): Effect[] {
    const outgoing = new Outgoing(id, command);
    if (command.to !== undefined && !this.#endpoints.has(command.to.key)) {
      const error = new SessionError('participant-not-found', `participant not found: ${command.to.toString()}`);
      return [{ kind: 'delivery', id, state: 'failed', progress: outgoing, error }];
    }
    if (this.queuedCount === 0 && this.#canTransmit(outgoing)) return this.#transmit(outgoing, env);
    if (this.queuedCount >= SEND_QUEUE_MESSAGES || this.#queuedBytes + outgoing.bytes > SEND_QUEUE_BYTES) {
      const error = new SessionError(
        'queue-full',
        `too many messages wait to be sent (${String(this.queuedCount)}); wait for writable() before publishing more`,
      );
      return [{ kind: 'delivery', id, state: 'failed', progress: outgoing, error }];
    }
    this.#queue.push(outgoing);
    this.#queuedBytes += outgoing.bytes;
    return [delivery(outgoing, 'queued')];
  }

  /** A member acknowledges (`session_sender.rs:on_ack_message`); from others and for other numbers it is ignored. */
  onMsgAck(message: PublishMessage, env: Env): Effect[] {
    return this.#onAck(message.header.source, message.session.messageId, env);
  }

  /** A member misses a message; asking counts as its acknowledgement (`session_sender.rs:on_rtx_message`). */
  onRtxRequest(request: PublishMessage, env: Env): Effect[] {
    const { messageId } = request.session;
    const stored = this.#buffer.get(messageId) ?? this.#unacked.get(messageId)?.stored;
    const reply =
      stored === undefined
        ? this.#build.buildNegativeRtxReply(request)
        : this.#build.build(
            MessageType.rtxReply,
            request.header.source,
            this.#fanout,
            messageId,
            { kind: 'app', payloadType: stored.payloadType, blob: stored.blob },
            stored.metadata,
          );
    return [{ kind: 'send', message: reply }, ...this.#onAck(request.header.source, messageId, env)];
  }

  /** Repeats what is due, to those who have not acknowledged only. */
  onTimer(env: Env): Effect[] {
    if (!this.#isLinkUp) return [];
    const { retry, failed } = this.#unacked.expire(env.nowMs);
    const effects: Effect[] = [];
    for (const outgoing of retry) {
      for (const name of outgoing.missingFrom.values()) {
        effects.push({ kind: 'send', message: this.#message(outgoing, name) });
      }
    }
    for (const outgoing of failed) {
      this.#unackedBytes -= outgoing.bytes;
      effects.push(delivery(outgoing, 'failed', notAcked(outgoing)));
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
    for (const outgoing of this.#queue.slice(this.#queueHead)) effects.push(delivery(outgoing, 'failed', error));
    this.#queue = [];
    this.#queueHead = 0;
    this.#queuedBytes = 0;
    return effects;
  }

  get #fanout(): number {
    return this.#config.type === 'group' ? FANOUT_ALL : FANOUT_ONE;
  }

  #canTransmit(outgoing: Outgoing): boolean {
    if (!this.#isLinkUp || this.#endpoints.size === 0) return false;
    const count = this.#unacked.size + this.#sealing;
    if (count === 0) return true;
    const bytes = this.#unackedBytes + this.#sealingBytes + outgoing.bytes;
    if (count >= SEND_WINDOW || bytes > SEND_WINDOW_BYTES) return false;
    return this.#hasSequenceRoom();
  }

  /** A peer that misses one message must not see numbers further ahead than what is kept for it. */
  #hasSequenceRoom(): boolean {
    const room = PRODUCER_BUFFER_MESSAGES - 1 - this.#sealing;
    if (sequenceDistance(this.#oldestUnackedId, this.#lastId) < room) return true;
    let oldest = sequenceAdd(this.#lastId, 1);
    for (const { messageId } of this.#unacked.values()) {
      if (messageId === undefined || messageId >= SEQUENCE_LIMIT) continue;
      if (sequenceDistance(messageId, oldest) > 0) oldest = messageId;
    }
    this.#oldestUnackedId = oldest;
    return sequenceDistance(oldest, this.#lastId) < room;
  }

  #flush(env: Env): Effect[] {
    const effects: Effect[] = [];
    for (;;) {
      const next = this.#queue[this.#queueHead];
      if (next === undefined || !this.#canTransmit(next)) return effects;
      this.#queueHead += 1;
      if (this.#queueHead === this.#queue.length || this.#queueHead >= 1024) {
        this.#queue = this.#queue.slice(this.#queueHead);
        this.#queueHead = 0;
      }
      this.#queuedBytes -= next.bytes;
      const { to } = next.command;
      if (to !== undefined && !this.#endpoints.has(to.key)) {
        effects.push(
          delivery(
            next,
            'failed',
            new SessionError('participant-not-found', `participant not found: ${to.toString()}`),
          ),
        );
      } else {
        effects.push(...this.#transmit(next, env));
      }
    }
  }

  #transmit(outgoing: Outgoing, env: Env): Effect[] {
    if (this.#protection?.isEncrypting !== true) return this.#transmitSealed(outgoing, env);
    this.#sealing += 1;
    this.#sealingBytes += outgoing.bytes;
    return this.#protection.seal(outgoing.payload, (result, later) => {
      this.#sealing -= 1;
      this.#sealingBytes -= outgoing.bytes;
      if (!result.ok) return [delivery(outgoing, 'failed', result.error)];
      outgoing.payload = result.bytes;
      return this.#transmitSealed(outgoing, later);
    });
  }

  #transmitSealed(outgoing: Outgoing, env: Env): Effect[] {
    const { payload } = outgoing;
    const { to, payloadType, metadata } = outgoing.command;
    let messageId: number;
    if (to === undefined) {
      messageId = sequenceAdd(this.#lastId, 1);
      this.#lastId = messageId;
      this.#buffer.push({ messageId, payloadType, blob: payload, metadata });
    } else {
      // 0.7.1 and later: outside the sequence, in [2^31, 2^32-2].
      do messageId = SEQUENCE_LIMIT + (env.randomU32() % (SEQUENCE_LIMIT - 1));
      while (this.#unacked.has(messageId));
    }
    outgoing.messageId = messageId;
    const send: Effect = { kind: 'send', message: this.#message(outgoing, to ?? this.#destination) };
    if (!this.#config.isReliable) return [send, delivery(outgoing, 'acked')];
    if (to === undefined) {
      for (const [key, name] of this.#endpoints) outgoing.missingFrom.set(key, name);
    } else {
      outgoing.missingFrom.set(to.key, to);
    }
    this.#unacked.add(messageId, outgoing, env.nowMs);
    this.#unackedBytes += outgoing.bytes;
    return [send, delivery(outgoing, 'sent')];
  }

  #message(outgoing: Outgoing, destination: Name) {
    const { payload } = outgoing;
    const { to, payloadType, metadata } = outgoing.command;
    return this.#build.build(
      MessageType.msg,
      destination,
      to === undefined ? this.#fanout : FANOUT_ONE,
      outgoing.messageId ?? 0,
      { kind: 'app', payloadType, blob: payload },
      to === undefined ? metadata : { ...metadata, ...flagged('publishTo') },
    );
  }

  #onAck(source: Name, messageId: number, env: Env): Effect[] {
    const outgoing = this.#unacked.get(messageId);
    if (!outgoing?.missingFrom.delete(source.key)) return [];
    outgoing.acknowledgedBy.set(source.key, source);
    if (outgoing.missingFrom.size > 0) return [delivery(outgoing, 'sent')];
    return [this.#complete(outgoing), ...this.#flush(env)];
  }

  #complete(outgoing: Outgoing): Effect {
    this.#drop(outgoing);
    return delivery(outgoing, 'acked');
  }

  #fail(outgoing: Outgoing, error: SlimError): Effect {
    this.#drop(outgoing);
    return delivery(outgoing, 'failed', error);
  }

  #drop(outgoing: Outgoing): void {
    if (outgoing.messageId !== undefined && this.#unacked.delete(outgoing.messageId)) {
      this.#unackedBytes -= outgoing.bytes;
    }
  }
}

function notAcked(outgoing: Outgoing): DeliveryError {
  const missing = outgoing.missing;
  return new DeliveryError(
    'not-acked',
    `message ${String(outgoing.messageId)} was not acknowledged by ${missing.map((name) => name.toString()).join(', ')}`,
    { details: { messageId: outgoing.messageId, missing } },
  );
}

function delivery(outgoing: Outgoing, state: 'queued' | 'sent' | 'acked' | 'failed', error?: SlimError): Effect {
  return { kind: 'delivery', id: outgoing.id, state, progress: outgoing, ...(error && { error }) };
}
