import type { Name } from '../name/index.js';
import type { OutboundMessage } from '../protocol/index.js';
import type { Connection, Transport } from '../transport/index.js';
import { MAX_FRAME_BYTES } from '../transport/index.js';
import {
  abortError,
  AuthError,
  ConnectionError,
  type ErrorCode,
  LinkedQueue,
  pause,
  type SlimError,
} from '../util/index.js';
import { decodeMessage, encodeMessage, type PublishMessage, type SubscriptionAckMessage } from '../wire/index.js';
import type { ConnectionState, WarningCode } from './events.js';
import { askGeneration, turnedAwayBecause } from './generation-question.js';
import { randomU64 } from './random.js';
import { firstSchedule, reconnectionSchedule } from './retry-schedule.js';
import type { SessionLink } from './session-driver.js';
import { StreamTrial } from './stream-trial.js';

/** How often in a row the node that is connected to again may be of another generation: it may be in the middle of a change. */
const MAX_MISMATCHES = 5;

/** What only a person can mend: it is told while the connection is tried again. */
const PERSISTENT = ['unsupported-generation', 'not-a-slim-node', 'tls', 'credentials-rejected'] as const;

/** Frames that wait for a slow connection. What is dropped beyond is a message that its sender repeats. */
const MAX_OUTBOX_FRAMES = 65_536;
const MAX_OUTBOX_BYTES = 256 * 1024 * 1024;

/** What a link needs and tells. */
export interface NodeLinkOptions {
  readonly transport: Transport;
  /** Full name of the app: source of its subscriptions. */
  readonly local: Name;
  /** A fresh identity token. */
  readonly mint: () => string;
  /** How often the first connection is tried; absent: as the transport's configuration says, or ten times. */
  readonly connectAttempts?: number | undefined;
  onMessage(message: PublishMessage): void;
  onState(state: ConnectionState): void;
  onWarning(code: WarningCode, text: string): void;
}

/** One name this app has at the node. */
interface Subscription {
  readonly name: Name;
  /** The same at each reconnection, so that a node of 1.3+ keeps one entry. */
  readonly id: bigint;
  users: number;
}

/**
 * The connection of one app to its node: opened, watched, opened again; subscriptions counted and restored before anything
 * else goes out; messages encoded and queued. Knows nothing of sessions.
 */
export class NodeLink implements SessionLink {
  readonly #options: NodeLinkOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #closing = new AbortController();
  #connection: Connection | undefined;
  #isUp = false;
  /** The last stream was ended as nodes of another generation do it, and nobody has asked yet whether this is one. */
  #wasTurnedAway = false;
  readonly #outbox = new LinkedQueue<Uint8Array>();
  #outboxBytes = 0;
  #isBlocked = false;
  #isDropping = false;
  #hasMintFailed = false;

  constructor(options: NodeLinkOptions) {
    this.#options = options;
  }

  /** Whether there is a connection that is of use. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /**
   * Connects for the first time and subscribes the app's own name.
   *
   * @throws ConnectionError or AuthError of the last attempt; SessionError `aborted`
   */
  async start(signal?: AbortSignal): Promise<void> {
    const stop = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    this.#subscriptions.set(this.#options.local.key, { name: this.#options.local, id: nonZeroU64(), users: 1 });
    const schedule = firstSchedule(this.#options.transport.backoff, this.#options.connectAttempts);
    for (let attempt = 1; ; attempt += 1) {
      this.#options.onState({ kind: 'connecting', attempt });
      try {
        await this.#open(stop);
        break;
      } catch (error) {
        const inMs = schedule(attempt);
        if (!(error instanceof ConnectionError) || isMismatch(error) || inMs === undefined) throw error;
        this.#options.onState({ kind: 'retrying', attempt: attempt + 1, inMs, error });
        await pause(inMs, stop);
      }
    }
  }

  subscribe(name: Name): void {
    const known = this.#subscriptions.get(name.key);
    if (known !== undefined) {
      known.users += 1;
      return;
    }
    const subscription = { name, id: nonZeroU64(), users: 1 };
    this.#subscriptions.set(name.key, subscription);
    this.#sendSubscription('subscribe', subscription);
  }

  unsubscribe(name: Name): void {
    const known = this.#subscriptions.get(name.key);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users > 0) return;
    this.#subscriptions.delete(name.key);
    this.#sendSubscription('unsubscribe', known);
  }

  /** Sends a message with a fresh token. While the link is down it is dropped: sessions know, and repeat what matters. */
  send(message: OutboundMessage, answerWithinMs?: number): void {
    if (this.#connection === undefined) return;
    const identity = this.#mint();
    if (identity === undefined) return;
    const { source, destination, fanout, sessionType, messageType, sessionId, messageId, error } = message;
    const frame = encodeMessage({
      kind: 'publish',
      header: { source, destination, fanout, identity, ...(error && { error }) },
      session: { sessionType, messageType, sessionId, messageId },
      content: message.content,
      metadata: message.metadata,
    });
    if (frame.length > MAX_FRAME_BYTES) {
      this.#options.onWarning('message-too-large', `a message of ${frame.length} bytes is too large for SLIM`);
      return;
    }
    this.#write(frame, false);
    if (answerWithinMs !== undefined) this.#connection.expectAnswer?.(answerWithinMs);
  }

  /** Gives up every name and ends the stream in order. Idempotent. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    for (const subscription of this.#subscriptions.values()) this.#sendSubscription('unsubscribe', subscription);
    this.#closing.abort();
    const connection = this.#connection;
    if (connection !== undefined) {
      // Everything that waits goes out, as far as the connection takes it; it says itself when it gives up.
      for (const frame of this.#takeOutbox()) connection.send(frame);
      this.#connection = undefined;
      this.#isUp = false;
      await connection.close();
    }
    this.#options.transport.close();
    this.#options.onState({ kind: 'closed' });
  }

  /** Opens a stream that is of use, and tells so. */
  async #open(signal: AbortSignal): Promise<void> {
    const reason = await this.#whyTurnedAway(signal);
    if (reason !== undefined && isMismatch(reason)) throw reason;
    try {
      await this.#openStream(signal);
    } catch (error) {
      throw (await this.#whyTurnedAway(signal)) ?? error;
    }
  }

  async #openStream(signal: AbortSignal): Promise<void> {
    const trial = new StreamTrial(() => {
      if (this.#closing.signal.aborted) return;
      this.#isUp = true;
      this.#options.onState({ kind: 'up' });
    });
    const connection = await this.#options.transport.open(
      {
        onFrame: (frame) => {
          trial.onFrame();
          this.#onFrame(frame);
        },
        onDrain: () => {
          this.#isBlocked = false;
          this.#pump();
        },
        onEnd: (error) => {
          const reason =
            error ?? new ConnectionError('stream-lost', `${this.#options.transport.endpoint} ended the stream`);
          if (trial.isTurnedAwayBy(reason)) this.#wasTurnedAway = true;
          this.#onEnd(reason, trial);
        },
      },
      signal,
    );
    if (signal.aborted) {
      await connection.close();
      throw abortError(signal);
    }
    let subscriptions: Uint8Array[];
    try {
      subscriptions = Array.from(this.#subscriptions.values(), (one) =>
        this.#encode('subscribe', one, this.#options.mint()),
      );
    } catch (error) {
      // Without a token the stream is of no use.
      await connection.close();
      throw error;
    }
    this.#takeOutbox();
    this.#isBlocked = false;
    this.#connection = connection;
    for (const frame of subscriptions) this.#write(frame, true);
    await trial.passed(signal);
  }

  /** If the node has ended the last stream at once: asks it what it is, and says what is wrong with that. */
  async #whyTurnedAway(signal: AbortSignal): Promise<ConnectionError | undefined> {
    if (!this.#wasTurnedAway) return undefined;
    const { transport } = this.#options;
    const reason = turnedAwayBecause(transport.endpoint, await askGeneration(transport, signal));
    // A node that is of another generation is asked again before anything else is tried.
    this.#wasTurnedAway = reason !== undefined && isMismatch(reason);
    return reason;
  }

  #onEnd(reason: SlimError, trial: StreamTrial): void {
    trial.onEnd(reason);
    if (this.#connection === undefined || this.#closing.signal.aborted) return;
    this.#connection = undefined;
    this.#takeOutbox();
    // Nobody has been told of a connection; whoever opened it tries again.
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#options.onState({ kind: 'lost', error: reason });
    void this.#reconnect(reason);
  }

  async #reconnect(reason: SlimError): Promise<void> {
    const { signal } = this.#closing;
    const schedule = reconnectionSchedule(this.#options.transport.backoff);
    let error = reason;
    let mismatches = 0;
    const told = new Set<ErrorCode>();
    for (let attempt = 1; ; attempt += 1) {
      const inMs = schedule(attempt);
      if (inMs === undefined || mismatches === MAX_MISMATCHES) {
        this.#giveUp(error);
        return;
      }
      this.#options.onState({ kind: 'retrying', attempt, inMs, error });
      try {
        await pause(inMs, signal);
        await this.#open(signal);
        return;
      } catch (caught) {
        if (signal.aborted) return;
        error = caught instanceof ConnectionError || caught instanceof AuthError ? caught : wrap(caught);
        mismatches = isMismatch(error) ? mismatches + 1 : 0;
        const problem = PERSISTENT.find((code) => code === error.code);
        if (problem !== undefined && !told.has(problem)) this.#options.onWarning(problem, error.message);
        told.add(error.code);
      }
    }
  }

  #giveUp(error: SlimError): void {
    this.#closing.abort();
    this.#options.transport.close();
    this.#options.onState({ kind: 'closed', error });
  }

  readonly #onFrame = (frame: Uint8Array): void => {
    const message = decodeMessage(frame);
    switch (message.kind) {
      case 'publish':
        this.#options.onMessage(message);
        return;
      case 'subscriptionAck':
        this.#onSubscriptionAck(message);
        return;
      case 'malformed':
        if (message.problem !== 'unknown-type') {
          this.#options.onWarning('protocol-violation', `dropped a malformed message: ${message.detail}`);
        }
        return;
      case 'link':
      case 'subscribe':
      case 'unsubscribe':
        // Meant for nodes. A newer node may send them; there is nothing to do about it.
        return;
    }
  };

  #onSubscriptionAck(ack: SubscriptionAckMessage): void {
    if (ack.success) return;
    const refused = [...this.#subscriptions.values()].find(({ id }) => id === ack.subscriptionId);
    if (refused === undefined) return;
    this.#options.onWarning('subscription-refused', `the node refused the subscription of ${refused.name.toString()}`);
  }

  #sendSubscription(kind: 'subscribe' | 'unsubscribe', subscription: Subscription): void {
    if (this.#connection === undefined) return;
    const identity = this.#mint();
    if (identity !== undefined) this.#write(this.#encode(kind, subscription, identity), true);
  }

  #encode(kind: 'subscribe' | 'unsubscribe', { name, id }: Subscription, identity: string): Uint8Array {
    const header = { source: this.#options.local, destination: name, fanout: 1, identity };
    return encodeMessage({ kind, header, subscriptionId: id });
  }

  /** A fresh token. A provider that fails costs what was to be sent, and is told once. */
  #mint(): string | undefined {
    try {
      const identity = this.#options.mint();
      this.#hasMintFailed = false;
      return identity;
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      if (!this.#hasMintFailed)
        this.#options.onWarning('identity-rejected', `no identity token to send with: ${cause}`);
      this.#hasMintFailed = true;
      return undefined;
    }
  }

  #write(frame: Uint8Array, mustNotDrop: boolean): void {
    if (!this.#isBlocked && this.#connection !== undefined) {
      this.#isBlocked = !this.#connection.send(frame);
      return;
    }
    const waiting = this.#outbox.size;
    if (!mustNotDrop && (waiting >= MAX_OUTBOX_FRAMES || this.#outboxBytes + frame.length > MAX_OUTBOX_BYTES)) {
      if (!this.#isDropping) {
        this.#options.onWarning('queue-full', `the node takes messages too slowly; ${waiting} wait, more are dropped`);
      }
      this.#isDropping = true;
      return;
    }
    this.#outbox.push(frame);
    this.#outboxBytes += frame.length;
  }

  #pump(): void {
    while (!this.#isBlocked && this.#connection !== undefined) {
      const frame = this.#outbox.shift();
      if (frame === undefined) break;
      this.#outboxBytes -= frame.length;
      this.#isBlocked = !this.#connection.send(frame);
    }
    if (this.#outbox.size === 0) this.#isDropping = false;
  }

  #takeOutbox(): Uint8Array[] {
    this.#outboxBytes = 0;
    this.#isDropping = false;
    return this.#outbox.takeAll();
  }
}

/** 0 would mean that no acknowledgement is wanted. */
function nonZeroU64(): bigint {
  let id: bigint;
  do id = randomU64();
  while (id === 0n);
  return id;
}

function isMismatch(error: SlimError): boolean {
  return error.code === 'unsupported-generation';
}

function wrap(error: unknown): ConnectionError {
  const text = error instanceof Error ? error.message : String(error);
  return new ConnectionError('unreachable', text, { cause: error });
}
