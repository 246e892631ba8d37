import { onTestFinished } from 'vitest';

import type { SlimAppOptions } from '../../src/client/index.js';
import type { SlimNode } from '../../src/node/index.js';
import { type Connection, type ConnectionHandlers, GrpcTransport, type Transport } from '../../src/transport/index.js';
import { decodeMessage, encodeMessage, MessageType, type PublishMessage } from '../../src/wire/index.js';
import { SeededRandom } from '../protocol/virtual-time.js';
import { connect, type TestApp } from './support.js';

/** Which way a message goes between an app and its node. */
export type Way = 'up' | 'down';

/** One message as it goes on, how much later. */
export interface Onward {
  readonly message: PublishMessage;
  readonly afterMs?: number;
}

/** What becomes of a session message on its way; nothing returned: it goes on as it is. */
export type Meddle = (message: PublishMessage, way: Way) => readonly Onward[] | undefined;

/** A real stream over sockets with somebody on the line who loses, repeats, delays and changes messages. */
export class MeddledTransport implements Transport {
  readonly #inner: GrpcTransport;
  /** May be changed at any time. */
  meddle: Meddle;

  constructor(endpoint: string, meddle: Meddle = () => undefined) {
    this.#inner = new GrpcTransport(endpoint);
    this.meddle = meddle;
  }

  get endpoint(): string {
    return this.#inner.endpoint;
  }

  async open(handlers: ConnectionHandlers, signal?: AbortSignal): Promise<Connection> {
    let hasEnded = false;
    const inner = await this.#inner.open(
      {
        onFrame: (frame) => {
          this.#pass(frame, 'down', (onward) => {
            if (!hasEnded) handlers.onFrame(onward);
          });
        },
        onDrain: () => {
          handlers.onDrain();
        },
        onEnd: (error) => {
          hasEnded = true;
          handlers.onEnd(error);
        },
      },
      signal,
    );
    return {
      send: (frame) => this.#pass(frame, 'up', (onward) => inner.send(onward)),
      close: () => inner.close(),
    };
  }

  close(): void {
    this.#inner.close();
  }

  /** @returns what the last frame that goes on at once said */
  #pass(frame: Uint8Array, way: Way, goOn: (frame: Uint8Array) => boolean | void): boolean {
    const message = decodeMessage(frame);
    const onward = message.kind === 'publish' ? this.meddle(message, way) : undefined;
    if (onward === undefined) return goOn(frame) !== false;
    let isWritable = true;
    for (const { message: next, afterMs } of onward) {
      const bytes = encodeMessage(next);
      if (afterMs === undefined) isWritable = goOn(bytes) !== false;
      else setTimeout(() => void goOn(bytes), afterMs);
    }
    return isWritable;
  }
}

/** An app with somebody on its line. */
export interface MeddledApp extends TestApp {
  readonly line: MeddledTransport;
}

export async function connectMeddled(
  node: SlimNode,
  name: string,
  meddle?: Meddle,
  options: Partial<SlimAppOptions> = {},
): Promise<MeddledApp> {
  const line = new MeddledTransport(node.endpoint, meddle);
  onTestFinished(() => {
    line.close();
  });
  return { ...(await connect(node, name, { slim: line, ...options })), line };
}

/** Sent once to each request and never again, because a second one upsets upstream: real streams lose nothing. */
const REPLIES: ReadonlySet<number> = new Set([
  MessageType.discoveryReply,
  MessageType.joinReply,
  MessageType.leaveReply,
  MessageType.groupAck,
]);

/** Loses and repeats everything but replies, and lets payloads overtake each other; the same for each seed and order of messages. */
export function badLine(
  seed: number,
  rates: { readonly lost: number; readonly doubled: number; readonly late: number },
): Meddle {
  const random = new SeededRandom(seed);
  return (message) => {
    if (REPLIES.has(message.session.messageType)) return undefined;
    if (random.fraction() < rates.lost) return [];
    const isLate = message.content.kind === 'app' && random.fraction() < rates.late;
    const onward: Onward = isLate ? { message, afterMs: 20 } : { message };
    return random.fraction() < rates.doubled ? [onward, onward] : [onward];
  };
}

/** The same message with other bytes where the application's payload is. */
export function withPayload(message: PublishMessage, change: (blob: Uint8Array) => Uint8Array): PublishMessage {
  const { content } = message;
  if (content.kind !== 'app') throw new Error(`no payload in ${content.kind}`);
  return { ...message, content: { ...content, blob: change(content.blob) } };
}

/** One bit of it is another. */
export function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[copy.length - 3]! ^= 1;
  return copy;
}
