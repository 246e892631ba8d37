import type { Name } from '../name/index.js';
import { RecentMap, RecentSet } from '../util/index.js';
import type { Delivered, Effect, Env, SessionConfig } from './machine.js';
import { hasFlag, type MessageBuilder } from './message-builder.js';
import type { OpenHandlers, PayloadProtection } from './payload-protection.js';
import { payloadBytes } from './payload-size.js';
import { ReceiverBuffer, type Release } from './receiver-buffer.js';
import { RetryQueue } from './retry-queue.js';
import { SEQUENCE_LIMIT } from './sequence.js';

/** A message that was asked for. */
interface Request {
  readonly source: Name;
  readonly messageId: number;
}

/** How many senders are remembered: those that are gone, and those of messages to one member. */
const MAX_SOURCES = 1024;

/** How many numbers of messages to one member are remembered of each sender; no sender has as many unacknowledged. */
const MAX_DIRECT = 1024;

/** How long the first message of a stream may wait for one before it, for the sake of those who come into a running group. */
const MAX_START_WAIT_MS = 2500;

/** Where its sender repeats nothing within that time: for what was only overtaken. */
const BRIEF_START_WAIT_MS = 500;

/** How much may wait for messages before it, of all senders together, in bytes. */
const MAX_AHEAD_BYTES = 64 * 1024 * 1024;

/**
 * Payloads of peers: acknowledges each, puts them in order per sender, asks for what is missing (`session_receiver.rs`).
 */
export class SessionReceiver {
  readonly #config: SessionConfig;
  readonly #build: MessageBuilder;
  readonly #protection: PayloadProtection | undefined;
  readonly #buffers = new Map<string, ReceiverBuffer<Delivered>>();
  readonly #requests: RetryQueue<string, Request>;
  /** Senders whose stream may have begun earlier than with what has come of it. */
  readonly #starts: RetryQueue<string, Name>;
  /** Numbers of messages to this member alone, by sender: to tell a repetition. */
  readonly #direct = new RecentMap<string, RecentSet<number>>(MAX_SOURCES);
  /** Senders that are gone, with the newest number heard of them: what they repeat is not for us any more. */
  readonly #gone = new RecentMap<string, number | undefined>(MAX_SOURCES);
  /** Everybody who was there before us is known: who else speaks is new, even if the news of it is slower than its message. */
  #isListComplete = false;
  #isLinkUp = true;

  constructor(config: SessionConfig, build: MessageBuilder, protection?: PayloadProtection) {
    this.#config = config;
    this.#build = build;
    this.#protection = protection;
    this.#requests = new RetryQueue(config.timeoutMs, config.maxRetries);
    this.#starts = new RetryQueue(startWaitMs(config.timeoutMs), 0);
  }

  /** How long until something is due; `undefined` when nothing is. */
  dueInMs(nowMs: number): number | undefined {
    return this.#isLinkUp ? this.#requests.dueInMs(nowMs) : undefined;
  }

  /** How long until a stream begins with what has come of it; `undefined` when none waits. */
  startDueInMs(nowMs: number): number | undefined {
    return this.#isLinkUp ? this.#starts.dueInMs(nowMs) : undefined;
  }

  /** All senders that were there before us: where their streams begin is unknown. Whoever comes after them starts at 1. */
  setFormerSources(names: readonly Name[]): void {
    this.#isListComplete = true;
    for (const { key } of names) {
      this.#gone.delete(key);
      if (!this.#buffers.has(key)) this.#buffers.set(key, new ReceiverBuffer({ startsAtOne: false }));
    }
  }

  /** A sender that joins now. Its stream starts at 1, or goes on where it stopped when the sender was here before. */
  addSource({ key }: Name): void {
    const resumesAfter = this.#gone.get(key);
    this.#gone.delete(key);
    // One that exists is of messages that were quicker than the news of their sender.
    if (!this.#buffers.has(key)) this.#buffers.set(key, new ReceiverBuffer({ startsAtOne: true, resumesAfter }));
  }

  /** A sender that is gone: what of it waits is given out. Until it is added again it is not heard. */
  forgetSource(name: Name): Effect[] {
    const buffer = this.#buffers.get(name.key);
    const effects = buffer === undefined ? [] : this.#released(name, buffer.releaseAll());
    this.#buffers.delete(name.key);
    this.#starts.delete(name.key);
    if (buffer !== undefined || !this.#gone.has(name.key)) this.#gone.set(name.key, buffer?.last);
    for (const request of this.#requests.values()) {
      if (request.source.equals(name)) this.#requests.delete(requestKey(request));
    }
    return effects;
  }

  /** First copy, repetition or duplicate: each is acknowledged, or its sender would go on. */
  onMsg(delivered: Delivered, env: Env): Effect[] {
    const { message } = delivered;
    if (!this.#config.isReliable) return this.#open(delivered, env, unordered([]));
    const { source } = message.header;
    const { messageId } = message.session;
    if (this.#gone.has(source.key)) return [];
    const ack: Effect = { kind: 'send', message: this.#build.buildMsgAck(message) };
    if (messageId >= SEQUENCE_LIMIT) {
      // Numbers up here are random, for one member only. Without the mark it is nothing that could ever be put in order.
      if (!hasFlag(message.metadata, 'publishTo')) return [];
      if (this.#direct.get(source.key)?.has(messageId) === true) return [ack];
      if (env.isReceiveQueueFull) return [];
      return this.#open(delivered, env, {
        ...unordered([ack]),
        onOpened: (opened) => {
          this.#noteDirect(source, messageId);
          return [ack, notifyMessage(opened)];
        },
      });
    }
    const buffer = this.#bufferOf(source);
    if (buffer.has(messageId)) return [ack];
    if (env.isReceiveQueueFull || !this.#hasRoom(buffer, delivered)) return [];
    return this.#open(delivered, env, {
      onOpened: (opened, later) => {
        this.#requests.delete(requestKey({ source, messageId }));
        return [ack, ...this.#arrived(source, buffer, opened, later)];
      },
      onDuplicate: () => [ack],
      onRefused: () => [ack, ...this.#released(source, buffer.onRefused(messageId))],
    });
  }

  /** What was asked for, or that it is not to be had. Never acknowledged. */
  onRtxReply(delivered: Delivered, env: Env): Effect[] {
    const { message } = delivered;
    const { source } = message.header;
    const { messageId } = message.session;
    const key = requestKey({ source, messageId });
    if (!this.#requests.has(key)) return [];
    const buffer = this.#bufferOf(source);
    if (message.header.error !== undefined) {
      this.#requests.delete(key);
      return this.#released(source, buffer.onLost(messageId));
    }
    if (env.isReceiveQueueFull || !this.#hasRoom(buffer, delivered)) return [];
    return this.#open(delivered, env, {
      onOpened: (opened, later) => {
        this.#requests.delete(key);
        return this.#arrived(source, buffer, opened, later);
      },
      onDuplicate: () => [],
      onRefused: () => {
        this.#requests.delete(key);
        return this.#released(source, buffer.onRefused(messageId));
      },
    });
  }

  /** Asks again, or gives up and lets the rest of that sender through (upstream 0.7.0 stays blocked for ever). */
  onTimer(env: Env): Effect[] {
    if (!this.#isLinkUp) return [];
    // No answer would be taken, so none is a failure.
    if (env.isReceiveQueueFull) this.#requests.restart(env.nowMs);
    const { retry, failed } = this.#requests.expire(env.nowMs);
    const effects: Effect[] = retry.map((request) => this.#ask(request));
    for (const { source, messageId } of failed) {
      effects.push(...this.#released(source, this.#bufferOf(source).onLost(messageId)));
    }
    return effects;
  }

  /** Streams begin with what has come of them. */
  onStartTimer(env: Env): Effect[] {
    if (!this.#isLinkUp) return [];
    if (env.isReceiveQueueFull) this.#starts.restart(env.nowMs);
    return this.#starts
      .expire(env.nowMs)
      .failed.flatMap((source) => this.#released(source, this.#bufferOf(source).open()));
  }

  onLinkDown(): void {
    this.#isLinkUp = false;
  }

  onLinkUp(env: Env): void {
    this.#isLinkUp = true;
    this.#requests.restart(env.nowMs);
    this.#starts.restart(env.nowMs);
  }

  #open(delivered: Delivered, env: Env, handlers: OpenHandlers): Effect[] {
    return this.#protection === undefined
      ? handlers.onOpened(delivered, env)
      : this.#protection.open(delivered, env, handlers);
  }

  /** What is next in its order always has room: all that waits may wait for it. */
  #hasRoom(buffer: ReceiverBuffer<Delivered>, delivered: Delivered): boolean {
    if (!buffer.mustWait(delivered.message.session.messageId)) return true;
    let bytes = sizeOf(delivered);
    for (const { aheadBytes } of this.#buffers.values()) bytes += aheadBytes;
    return bytes <= MAX_AHEAD_BYTES;
  }

  #noteDirect(source: Name, messageId: number): void {
    const numbers = this.#direct.get(source.key) ?? new RecentSet<number>(MAX_DIRECT);
    numbers.add(messageId);
    // Set each time: who speaks is not the next to be forgotten.
    this.#direct.set(source.key, numbers);
  }

  #bufferOf(source: Name): ReceiverBuffer<Delivered> {
    let buffer = this.#buffers.get(source.key);
    if (buffer === undefined) {
      buffer = new ReceiverBuffer({ startsAtOne: this.#isListComplete });
      this.#buffers.set(source.key, buffer);
    }
    return buffer;
  }

  #arrived(source: Name, buffer: ReceiverBuffer<Delivered>, opened: Delivered, env: Env): Effect[] {
    const { release, request } = buffer.onMessage(opened.message.session.messageId, opened, sizeOf(opened));
    if (!buffer.isOpening) this.#starts.delete(source.key);
    else if (!this.#starts.has(source.key)) this.#starts.add(source.key, source, env.nowMs);
    const effects = this.#released(source, release);
    for (const messageId of request) {
      const missing = { source, messageId };
      this.#requests.add(requestKey(missing), missing, env.nowMs);
      effects.push(this.#ask(missing));
    }
    return effects;
  }

  #released(source: Name, release: readonly Release<Delivered>[]): Effect[] {
    return release.map((item) =>
      item.kind === 'message'
        ? notifyMessage(item.value)
        : { kind: 'notify', notice: { kind: 'lost', from: source, messageId: item.id } },
    );
  }

  #ask({ source, messageId }: Request): Effect {
    return { kind: 'send', message: this.#build.buildRtxRequest(source, messageId) };
  }
}

/** So long that the sender has repeated a message once or, better, twice, and the repetition has arrived. */
function startWaitMs(timeoutMs: number): number {
  const repetitionMs = 1.1 * timeoutMs;
  const tries = Math.min(2, Math.floor(MAX_START_WAIT_MS / repetitionMs));
  return tries === 0 ? BRIEF_START_WAIT_MS : tries * repetitionMs;
}

function requestKey({ source, messageId }: Request): string {
  return `${source.key}:${String(messageId)}`;
}

function sizeOf({ message, payload }: Delivered): number {
  return payloadBytes(payload, message.metadata);
}

function notifyMessage(delivered: Delivered): Effect {
  return { kind: 'notify', notice: { kind: 'message', delivered } };
}

/** A payload that waits for no other one. */
function unordered(ack: readonly Effect[]): OpenHandlers {
  return {
    onOpened: (opened) => [...ack, notifyMessage(opened)],
    onDuplicate: () => [...ack],
    onRefused: () => [...ack],
  };
}
