import type { Buffer } from 'node:buffer';

import { encodeFrames, FRAME_PREFIX_BYTES, sealFrame, MAX_MESSAGE_BYTES } from '../transport/index.js';
import { assertNever, printableWord } from '../util/index.js';
import {
  decodeMessage,
  encodeMessage,
  type LinkMessage,
  parseSlimVersion,
  type SlimVersion,
  type SubscriptionMessage,
} from '../wire/index.js';

import type { DisconnectReason, DropReason, NodeLogEvent } from './log-event.js';
import { forwardedBytes, type PublishFrame, readFrame } from './relay.js';
import { routeKey } from './route-key.js';
import { Router } from './router.js';

/**
 * The version this node tells in link negotiation. It implements subscription ids and acknowledgements as 1.3 does, and no
 * recovery of a lost link, which 1.4 added on the node's side.
 */
export const LINK_VERSION = '1.3.0';

/** Where messages for one connection go. */
export interface Outlet {
  /**
   * Queues one framed message. Never throws; drops it when the connection is over.
   *
   * @returns false when whoever causes such messages should pause
   */
  send(framed: Buffer): boolean;
  /** Ends the connection in order, with a status of gRPC and a text for people. Never throws. */
  end(reason: DisconnectReason, code: number, text: string): void;
}

/** Counters of a {@link MessageProcessor}, since its start. */
export interface TrafficCounts {
  /** Messages that arrived. */
  received: number;
  /** Copies that were queued for a connection. */
  forwarded: number;
  /** Messages that were not obeyed or reached nobody. */
  dropped: number;
}

interface Peer<Out extends Outlet> {
  readonly outlet: Out;
  hasLink: boolean;
}

const NOBODY: readonly never[] = [];
/** Status of gRPC. */
const STATUS_FAILED_PRECONDITION = 9;
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/**
 * What the node does with a message, apart from sockets: obeys subscriptions, forwards publishes, answers links
 * (`message_processing.rs`). Handles messages one after the other; each is queued to all its targets before the next, which
 * gives the order of data-plane.md 6.5. Nothing that a client sends makes it throw.
 */
export class MessageProcessor<Out extends Outlet> {
  readonly #router: Router;
  readonly #peers = new Map<number, Peer<Out>>();
  readonly #log: (event: NodeLogEvent) => void;
  #nextConnection = 0;

  /** Counters; only this class writes them. */
  readonly counts: TrafficCounts = { received: 0, forwarded: 0, dropped: 0 };

  /**
   * @param randomBelow - a random integer from 0 to `limit` - 1
   */
  constructor(log: (event: NodeLogEvent) => void, randomBelow: (limit: number) => number) {
    this.#log = log;
    this.#router = new Router(randomBelow);
  }

  /** Number of open connections. */
  get connectionCount(): number {
    return this.#router.connectionCount;
  }

  /** Number of pairs of a connection and a name it is subscribed to. */
  get subscriptionCount(): number {
    return this.#router.subscriptionCount;
  }

  /**
   * Adds a connection.
   *
   * Differs from upstream: numbers are not used again, so `incoming_conn` in a late message never means a newcomer.
   *
   * @returns its number
   */
  open(outlet: Out): number {
    const connection = this.#nextConnection++;
    this.#peers.set(connection, { outlet, hasLink: false });
    this.#router.connect(connection);
    return connection;
  }

  /** Removes a connection and its subscriptions, at once. Idempotent. */
  close(connection: number): void {
    this.#peers.delete(connection);
    this.#router.disconnect(connection);
  }

  /**
   * Handles one message of a connection.
   *
   * @returns the outlets that want the sender to pause
   */
  handle(connection: number, message: Buffer): readonly Out[] {
    const peer = this.#peers.get(connection);
    if (peer === undefined) return NOBODY;
    this.counts.received++;
    const reading = readFrame(message);
    switch (reading.kind) {
      case 'publish':
        return this.#onPublish(connection, reading);
      case 'malformed':
        return this.#drop(connection, reading.problem);
      case 'other':
        return this.#onOther(connection, peer, message);
      default:
        return assertNever(reading);
    }
  }

  #onPublish(connection: number, publish: PublishFrame): readonly Out[] {
    const targets = this.#router.route(publish.destination, publish.fanout, connection);
    if (targets.length === 0) return this.#drop(connection, 'no-match');
    const framed = forwardedBytes(publish, connection, FRAME_PREFIX_BYTES);
    if (framed.length - FRAME_PREFIX_BYTES > MAX_MESSAGE_BYTES) return this.#drop(connection, 'too-large');
    sealFrame(framed);
    let full: Out[] | undefined;
    for (const target of targets) {
      const outlet = this.#peers.get(target)?.outlet;
      if (outlet === undefined) continue;
      this.counts.forwarded++;
      if (!outlet.send(framed)) (full ??= []).push(outlet);
    }
    return full ?? NOBODY;
  }

  #onOther(connection: number, peer: Peer<Out>, bytes: Buffer): readonly Out[] {
    const message = decodeMessage(bytes);
    switch (message.kind) {
      case 'subscribe':
      case 'unsubscribe':
        return this.#onSubscription(connection, peer, message);
      case 'link':
        return this.#onLink(connection, peer, message);
      case 'malformed':
        return this.#drop(connection, message.problem);
      case 'subscriptionAck':
      case 'publish':
        return this.#drop(connection, 'unexpected');
      default:
        return assertNever(message);
    }
  }

  // slim 1.3 mp.rs:process_subscription
  #onSubscription(connection: number, peer: Peer<Out>, message: SubscriptionMessage): readonly Out[] {
    const { subscriptionId } = message;
    const name = message.header.destination;
    const key = routeKey(name);
    let error = '';
    if (message.kind === 'subscribe') {
      this.#router.subscribe(connection, key, subscriptionId);
      this.#log({ kind: 'subscribed', connection, name: printableWord(name.toString()) });
    } else if (this.#router.unsubscribe(connection, key, subscriptionId) === undefined) {
      this.#log({ kind: 'unsubscribed', connection, name: printableWord(name.toString()) });
    } else {
      error = 'no such subscription';
      this.#drop(connection, 'not-subscribed');
    }
    if (subscriptionId === 0n) return NOBODY;
    return this.#answer(peer, encodeMessage({ kind: 'subscriptionAck', subscriptionId, success: error === '', error }));
  }

  // slim 1.3 mp.rs:handle_link_negotiation, accepting side
  #onLink(connection: number, peer: Peer<Out>, message: LinkMessage): readonly Out[] {
    const { linkId } = message;
    const version = parseSlimVersion(message.slimVersion);
    if (peer.hasLink || message.isReply || version === undefined) return this.#drop(connection, 'bad-link');
    if (version.isOtherGeneration) return this.#turnAway(connection, peer, version);
    if (!UUID_V4.test(linkId)) return this.#drop(connection, 'bad-link');
    peer.hasLink = true;
    return this.#answer(peer, encodeMessage({ kind: 'link', linkId, slimVersion: LINK_VERSION, isReply: true }));
  }

  /**
   * Nothing else that an app of generation 2 sends could be read here. Of all ends this is the one that it understands: it passes the
   * text on to whoever runs it, and does not try again (seen with 2.0.0 and 3.3.8; a reply without a key says nothing to people).
   */
  #turnAway(connection: number, { outlet }: Peer<Out>, { text, major }: SlimVersion): readonly Out[] {
    this.counts.dropped++;
    this.#log({ kind: 'turned-away', connection, version: text });
    const advice = `use a node of SLIM ${major}.x, or an app of 0.7 to 1.4`;
    const what = `this node speaks generation 1 (SLIM 0.7 to 1.4), and this app is of SLIM ${text}`;
    outlet.end('other-generation', STATUS_FAILED_PRECONDITION, `${what}: ${advice}`);
    return NOBODY;
  }

  #answer(peer: Peer<Out>, message: Uint8Array): readonly Out[] {
    return peer.outlet.send(encodeFrames([message])) ? NOBODY : [peer.outlet];
  }

  #drop(connection: number, reason: DropReason): readonly Out[] {
    this.counts.dropped++;
    this.#log({ kind: 'dropped', connection, reason });
    return NOBODY;
  }
}
