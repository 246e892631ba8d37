import { onTestFinished, vi } from 'vitest';

import {
  type AppEvent,
  type Name,
  type Session,
  type SessionEvent,
  SlimApp,
  type SlimAppOptions,
} from '../../src/client/index.js';
import {
  type MemoryAcceptor,
  type MemoryConnection,
  MemoryTransport,
  type MemoryTransportOptions,
} from '../../src/transport/index.js';
import { decodeMessage, encodeMessage, type PublishMessage, type SubscriptionMessage } from '../../src/wire/index.js';
import { kindOf } from '../protocol/support.js';

export { watchRejections } from '../util/watch-rejections.js';

export const SECRET = 'a-shared-secret-of-thirty-two-bytes-and-more';
export const CHANNEL = 'agntcy/ns/chat';

/** One app's stream as the node sees it. */
export class NodeStream {
  readonly connection: MemoryConnection;
  /** What came, in order. */
  readonly frames: (PublishMessage | SubscriptionMessage)[] = [];
  readonly names = new Map<string, { readonly name: Name; readonly ids: Set<bigint> }>();
  isOpen = true;
  /** Frames for a process that is stopped: they wait for it. */
  #held: Uint8Array[] | undefined;
  /** Loses what comes for it. */
  isDeaf = false;

  constructor(connection: MemoryConnection) {
    this.connection = connection;
  }

  /** A frame for this app. */
  deliver(frame: Uint8Array): void {
    if (this.isDeaf) return;
    if (this.#held === undefined) this.connection.send(frame);
    else this.#held.push(frame);
  }

  /** The process stops; what comes for it waits. */
  freeze(): void {
    this.#held = [];
  }

  /** It goes on, and finds what waited. */
  thaw(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const frame of held) this.deliver(frame);
  }

  /** What came, as `subscribe agntcy/ns/chat` or `msg`. */
  get trace(): string[] {
    return this.frames.map((frame) =>
      frame.kind === 'publish'
        ? kindOf(frame.session.messageType)
        : `${frame.kind} ${frame.header.destination.withoutId().toString()}`,
    );
  }

  /** The messages of one kind that came. */
  messages(kind: string): PublishMessage[] {
    return this.frames.filter(
      (frame): frame is PublishMessage => frame.kind === 'publish' && kindOf(frame.session.messageType) === kind,
    );
  }
}

/** A node in memory that can be told to be bad. */
export class MemoryNode {
  readonly streams: NodeStream[] = [];
  /** As nodes since 1.3 do. */
  acknowledgesSubscriptions = true;
  /** Rejects new streams. */
  refusal: Error | undefined;
  /** How often somebody tried to open a stream. */
  attempts = 0;
  /** Messages that get lost here. */
  drops: (message: PublishMessage) => boolean = () => false;

  /** The way to this node. */
  transport(options: MemoryTransportOptions = {}): MemoryTransport {
    return new MemoryTransport(this.accept, options);
  }

  /** Takes a new stream. */
  readonly accept: MemoryAcceptor = (connection) => {
    this.attempts += 1;
    if (this.refusal !== undefined) throw this.refusal;
    const stream = new NodeStream(connection);
    this.streams.push(stream);
    return {
      onFrame: (frame) => {
        this.#onFrame(stream, frame);
      },
      onDrain: () => {},
      onEnd: () => {
        stream.isOpen = false;
        stream.names.clear();
      },
    };
  };

  /** The newest stream. */
  get stream(): NodeStream {
    const stream = this.streams.at(-1);
    if (stream === undefined) throw new Error('nobody has connected');
    return stream;
  }

  /** Sends a frame down a stream. */
  send(stream: NodeStream, message: Parameters<typeof encodeMessage>[0]): void {
    stream.connection.send(encodeMessage(message));
  }

  #onFrame(stream: NodeStream, frame: Uint8Array): void {
    const message = decodeMessage(frame);
    if (message.kind === 'publish') {
      stream.frames.push(message);
      if (!this.drops(message)) this.#route(stream, message, frame);
    } else if (message.kind === 'subscribe' || message.kind === 'unsubscribe') {
      stream.frames.push(message);
      this.#onSubscription(stream, message);
    }
  }

  #onSubscription(stream: NodeStream, { kind, header, subscriptionId }: SubscriptionMessage): void {
    const name = header.destination;
    const known = stream.names.get(name.key) ?? { name, ids: new Set() };
    if (kind === 'subscribe') known.ids.add(subscriptionId);
    else known.ids.delete(subscriptionId);
    if (known.ids.size > 0) stream.names.set(name.key, known);
    else stream.names.delete(name.key);
    if (!this.acknowledgesSubscriptions || subscriptionId === 0n) return;
    this.send(stream, { kind: 'subscriptionAck', subscriptionId, success: true, error: '' });
  }

  #route(from: NodeStream, { header }: PublishMessage, frame: Uint8Array): void {
    const { destination, fanout } = header;
    const targets = this.streams.filter(
      (stream) =>
        stream !== from &&
        stream.isOpen &&
        [...stream.names.values()].some(({ name }) =>
          destination.hasId ? name.equals(destination) : name.prefixKey === destination.prefixKey,
        ),
    );
    for (const stream of fanout === 1 ? targets.slice(0, 1) : targets) stream.deliver(frame);
  }
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

/** Lets time pass. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Waits for something that takes time, with fake timers. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const outcome = outcomeOf(promise);
  for (let passed = 0; passed <= ms && !outcome.isSettled; passed += 10) await pass(10);
  if (!outcome.isSettled) throw new Error(`not within ${String(ms)} ms`);
  return promise;
}

/** What a promise comes to, without waiting for it. */
export function outcomeOf<T>(promise: PromiseLike<T>): {
  isSettled: boolean;
  value?: T;
  error?: unknown;
  count: number;
} {
  const outcome: { isSettled: boolean; value?: T; error?: unknown; count: number } = { isSettled: false, count: 0 };
  promise.then(
    (value) => {
      Object.assign(outcome, { isSettled: true, value, count: outcome.count + 1 });
    },
    (error: unknown) => {
      Object.assign(outcome, { isSettled: true, error, count: outcome.count + 1 });
    },
  );
  return outcome;
}

/** Connects an app and closes it at the end of the test. */
export async function connect(
  node: MemoryNode,
  local: string,
  options: Partial<SlimAppOptions> = {},
): Promise<{ app: SlimApp; events: AppEvent[]; stream: NodeStream }> {
  const events: AppEvent[] = [];
  const app = await within(
    1000,
    SlimApp.connect({
      local,
      slim: node.transport(),
      sharedSecret: SECRET,
      onEvent: (event) => events.push(event),
      ...options,
    }),
  );
  onTestFinished(async () => {
    vi.useFakeTimers();
    await within(20_000, app.close());
    vi.useRealTimers();
  });
  return { app, events, stream: node.stream };
}

/** A moderator and one member in a group. */
export async function pair(node: MemoryNode, options: Partial<SlimAppOptions> = {}) {
  const alice = await connect(node, 'agntcy/ns/alice', options);
  const bob = await connect(node, 'agntcy/ns/bob', options);
  const aliceSession = await alice.app.createSession({ channel: CHANNEL, timeoutMs: 1000, maxRetries: 5 });
  const joined = bob.app.listenForSession();
  await within(1000, aliceSession.invite('agntcy/ns/bob'));
  const bobSession = await within(1000, joined);
  return { alice, bob, aliceSession, bobSession };
}

/** Keeps the events of a session. */
export function eventsOf(session: Session): SessionEvent[] {
  const events: SessionEvent[] = [];
  session.onEvent((event) => events.push(event));
  return events;
}
