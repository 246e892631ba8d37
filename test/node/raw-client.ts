import { randomUUID } from 'node:crypto';

import * as grpc from '@grpc/grpc-js';

import { Name } from '../../src/name/index.js';
import { type DecodedMessage, decodeMessage, encodeMessage, type PublishMessage } from '../../src/wire/index.js';

const DEADLINE_MS = 5_000;
const MARKER = 'marker ';
const asIs = (bytes: Buffer): Buffer => bytes;
const OpenChannelClient = grpc.makeGenericClientConstructor(
  {
    openChannel: {
      path: '/dataplane.proto.v1.DataPlaneService/OpenChannel',
      requestStream: true,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  },
  'DataPlaneService',
);

/** How a stream ended. */
export interface EndStatus {
  readonly code: number;
  readonly details: string;
}

/** A client that speaks bytes over a stream of its own TCP connection. */
export class RawClient {
  /** Everything that arrived. */
  readonly messages: DecodedMessage[] = [];
  /** Texts of the publishes among them, markers excluded. */
  readonly texts: string[] = [];
  /** Texts of the markers among them. */
  readonly markers = new Set<string>();
  /** Set when the stream is over. */
  status: EndStatus | undefined;

  readonly #client: grpc.Client;
  readonly #call: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly #changed = new Condition();
  #isOpen = false;

  private constructor(client: grpc.Client, call: grpc.ClientDuplexStream<Buffer, Buffer>) {
    this.#client = client;
    this.#call = call;
    call.on('data', (frame: Buffer) => {
      const message = decodeMessage(frame);
      this.messages.push(message);
      if (message.kind === 'publish') {
        const text = textOf(message);
        if (text.startsWith(MARKER)) this.markers.add(text);
        else this.texts.push(text);
      }
      this.#changed.notify();
    });
    // 'status' follows and says it all.
    call.on('error', () => undefined);
    call.on('status', (status: grpc.StatusObject) => {
      this.status = { code: status.code, details: status.details };
      this.#changed.notify();
    });
  }

  /** Resolves when the response headers are there. */
  static async connect(url: string): Promise<RawClient> {
    const client = new OpenChannelClient(url.replace(/^http:\/\//, ''), grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.max_send_message_length': -1,
    });
    const call = client.makeBidiStreamRequest<Buffer, Buffer>(
      '/dataplane.proto.v1.DataPlaneService/OpenChannel',
      asIs,
      asIs,
      new grpc.Metadata(),
      {},
    );
    const raw = new RawClient(client, call);
    call.on('metadata', () => {
      raw.#isOpen = true;
      raw.#changed.notify();
    });
    await raw.until(() => raw.#isOpen || raw.status !== undefined, 'the response headers');
    if (!raw.#isOpen) throw new Error(`no stream: ${JSON.stringify(raw.status)}`);
    return raw;
  }

  send(...messages: readonly Uint8Array[]): void {
    for (const message of messages) this.#call.write(Buffer.from(message));
  }

  /** Sends as fast as the stream takes it, until it ends. */
  async sendAll(messages: Iterable<Uint8Array>): Promise<void> {
    for (const message of messages) {
      if (this.status !== undefined) return;
      if (this.#call.write(Buffer.from(message))) continue;
      let hasRoom = false;
      this.#call.once('drain', () => {
        hasRoom = true;
        this.#changed.notify();
      });
      await this.until(() => hasRoom || this.status !== undefined, 'room to send');
    }
  }

  until(test: () => boolean, what: string): Promise<void> {
    return this.#changed.until(
      test,
      () => `${what}; got ${this.messages.length} messages, ${JSON.stringify(this.status)}`,
    );
  }

  async ended(): Promise<EndStatus> {
    await this.until(() => this.status !== undefined, 'the end of the stream');
    if (this.status === undefined) throw new Error('unreachable');
    return this.status;
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  halfClose(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  close(): void {
    this.#call.cancel();
    this.#client.close();
  }
}

/** Resolves when `test` holds, asked again after each `notify`; rejects with `what` after five seconds. */
export class Condition {
  readonly #waiting = new Set<() => void>();

  notify(): void {
    for (const check of this.#waiting) check();
  }

  until(test: () => boolean, what: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`still waiting for ${what()}`));
      }, DEADLINE_MS);
      const check = (): void => {
        if (!test()) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }
}

/** What a publish may be given; the rest has sensible values. */
export interface PublishOptions {
  readonly fanout?: number;
  readonly source?: Name;
  readonly recvFrom?: bigint;
  readonly forwardTo?: bigint;
  readonly padding?: number;
}

export function publish(destination: Name, text: string, options: PublishOptions = {}): Uint8Array {
  const { fanout = 1, source = Name.of('test', 'raw', 'sender', 1n), recvFrom, forwardTo, padding = 0 } = options;
  return encodeMessage({
    kind: 'publish',
    header: {
      source,
      destination,
      fanout,
      identity: 'tok',
      ...(recvFrom === undefined ? {} : { recvFrom }),
      ...(forwardTo === undefined ? {} : { forwardTo }),
    },
    session: { sessionType: 2, messageType: 1, sessionId: 7, messageId: 8 },
    content: { kind: 'app', payloadType: 'msg', blob: Buffer.from(text.padEnd(padding, '.')) },
    metadata: {},
  });
}

export function subscription(
  kind: 'subscribe' | 'unsubscribe',
  name: Name,
  subscriptionId = 0n,
  recvFrom?: bigint,
): Uint8Array {
  const header = { source: name, destination: name, fanout: 1, identity: 'tok' };
  return encodeMessage({
    kind,
    subscriptionId,
    header: recvFrom === undefined ? header : { ...header, recvFrom },
  });
}

export function textOf(message: PublishMessage): string {
  return message.content.kind === 'app' ? Buffer.from(message.content.blob).toString() : '';
}

/**
 * A client with a name that only it has. Between two connections a node keeps the order (data-plane.md 6.5), so a marker that
 * arrived after a message tells that everything before it has arrived too: no test has to sleep.
 */
export class TestMember {
  readonly name: Name;
  readonly raw: RawClient;

  private constructor(raw: RawClient, name: Name) {
    this.raw = raw;
    this.name = name;
  }

  /** Connects and subscribes; resolves when `witness`, if there is one, reaches it. */
  static async join(url: string, witness?: TestMember): Promise<TestMember> {
    const raw = await RawClient.connect(url);
    const member = new TestMember(raw, Name.of('test', 'member', randomUUID(), 1n));
    raw.send(subscription('subscribe', member.name));
    if (witness !== undefined) await member.settle(witness);
    return member;
  }

  /** Resolves when the node has obeyed everything this member has sent. */
  async settle(witness: TestMember): Promise<void> {
    await this.mark(witness);
  }

  /** Sends a marker to another member; resolves when it has arrived. */
  async mark(other: TestMember): Promise<void> {
    const text = `${MARKER}${randomUUID()}`;
    this.raw.send(publish(other.name, text));
    await other.raw.until(() => other.raw.markers.has(text), 'a marker');
  }
}
