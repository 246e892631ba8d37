import type { Name } from '../../src/name/index.js';
import type { OutboundMessage } from '../../src/protocol/index.js';
import { decodeMessage, encodeMessage, type PublishMessage } from '../../src/wire/index.js';
import { MemoryMls } from '../mls/memory-mls/memory-mls.js';
import { kindOf, short } from './support.js';
import { SeededRandom, VirtualTime } from './virtual-time.js';

/** How bad the network is, for each of the two ways between a peer and the node. */
export interface NetworkOptions {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** Probability of a message to get lost. Real streams lose nothing while they live. */
  readonly lossRate: number;
  readonly duplicateRate: number;
  /**
   * Whether payloads overtake and are overtaken. Real streams keep their order; among control messages it is kept here too,
   * because a GroupAdd that comes after the GroupRemove of the same member cannot be told from a second GroupAdd.
   */
  readonly reorders: boolean;
}

export const GOOD_NETWORK: NetworkOptions = {
  minDelayMs: 1,
  maxDelayMs: 5,
  lossRate: 0,
  duplicateRate: 0,
  reorders: false,
};

/** Something at the end of a link. */
export interface SimulatedPeer {
  readonly name: Name;
  /** Whom its tokens name, where that matters; here the token is that. */
  readonly subject?: string;
  onMessage(message: PublishMessage): void;
  onLinkDown(): void;
  onLinkUp(): void;
}

/** What keeps its order: all that goes one way, or only control messages, subscriptions among them. */
type Lane = 'up' | 'down' | 'upControl' | 'downControl';

type Frame =
  | { readonly kind: 'publish'; readonly bytes: Uint8Array; readonly message: PublishMessage }
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly name: Name };

/** Everything there is: time, chance, the node, and who is connected to it. */
export class Network {
  readonly time = new VirtualTime();
  readonly random: SeededRandom;
  readonly links: Link[] = [];
  /** One engine for everybody: no two keys are the same. */
  readonly mls: MemoryMls;
  /** Everything that peers sent, in order. */
  readonly sent: OutboundMessage[] = [];
  /** What happened, for the eyes of whoever looks into a failure. */
  readonly log: string[] = [];
  options: NetworkOptions;

  constructor(seed: number, options: NetworkOptions = GOOD_NETWORK) {
    this.random = new SeededRandom(seed);
    this.options = options;
    this.mls = new MemoryMls({ seed: String(seed), nowMs: () => this.time.nowMs });
  }

  /** How long an MLS operation takes; as long as messages do. */
  mlsDelayMs(): number {
    return this.random.between(0, this.options.maxDelayMs);
  }

  /** Connects a peer and subscribes its name. */
  connect(peer: SimulatedPeer): Link {
    const link = new Link(this, peer);
    this.links.push(link);
    link.subscribe(peer.name);
    return link;
  }

  note(text: string): void {
    this.log.push(`${this.time.nowMs.toFixed(1)} ${text}`);
  }

  /** What the node does with a message (data-plane.md 6.2, as 1.4 does it). */
  route(from: Link, { bytes, message }: Extract<Frame, { kind: 'publish' }>): void {
    const { destination, fanout } = message.header;
    const candidates = this.links.filter((link) => link !== from && link.isSubscribed(destination));
    const chosen =
      fanout === 1 ? candidates.slice(0, 1).map(() => candidates[this.random.u32() % candidates.length]!) : candidates;
    for (const link of chosen) link.carryDown(bytes, message);
  }
}

/** One peer's stream to the node and back. */
export class Link {
  readonly peer: SimulatedPeer;
  readonly #network: Network;
  /** Names the peer wants, with how often. They survive an interruption. */
  readonly #wanted = new Map<string, { readonly name: Name; users: number }>();
  /** Names the node knows of. They do not. */
  readonly #known = new Map<string, Name>();
  /** Counts interruptions: what was on its way before one never arrives. */
  #stream = 1;
  #isUp = true;
  #isDead = false;
  #isFrozen = false;
  readonly #backlog: (() => void)[] = [];
  readonly #lastArrivalMs = new Map<Lane, number>();

  constructor(network: Network, peer: SimulatedPeer) {
    this.#network = network;
    this.peer = peer;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Whether the node would give the peer what goes to `destination`. */
  isSubscribed(destination: Name): boolean {
    if (destination.hasId) return this.#known.has(destination.key);
    for (const name of this.#known.values()) if (name.prefixKey === destination.prefixKey) return true;
    return false;
  }

  subscribe(name: Name): void {
    const known = this.#wanted.get(name.key);
    if (known !== undefined) {
      known.users += 1;
      return;
    }
    this.#wanted.set(name.key, { name, users: 1 });
    this.#carryUp({ kind: 'subscribe', name });
  }

  unsubscribe(name: Name): void {
    const known = this.#wanted.get(name.key);
    if (known === undefined) {
      throw new Error(`${short(this.peer.name)} gives up ${short(name)}, which it does not have`);
    }
    known.users -= 1;
    if (known.users > 0) return;
    this.#wanted.delete(name.key);
    this.#carryUp({ kind: 'unsubscribe', name });
  }

  /** How often the peer wants a name. */
  usersOf(name: Name): number {
    return this.#wanted.get(name.key)?.users ?? 0;
  }

  /** Sends a message, as bytes: what cannot be written is found here. */
  send(message: OutboundMessage): void {
    checkOutbound(message);
    this.#network.sent.push(message);
    if (!this.#isUp) return;
    const { source, destination, fanout, sessionType, messageType, sessionId, messageId, error } = message;
    const bytes = encodeMessage({
      kind: 'publish',
      header: { source, destination, fanout, identity: this.peer.subject ?? 'token', ...(error && { error }) },
      session: { sessionType, messageType, sessionId, messageId },
      content: message.content,
      metadata: message.metadata,
    });
    this.#carryUp({ kind: 'publish', bytes, message: decode(bytes) });
  }

  /** The stream breaks: what is on its way is lost, the node forgets the peer. */
  down(): void {
    if (!this.#isUp || this.#isDead) return;
    this.#isUp = false;
    this.#stream += 1;
    this.#known.clear();
    this.#network.note(`${short(this.peer.name)} link down`);
    this.#toPeer(() => {
      this.peer.onLinkDown();
    });
  }

  /** A new stream, with every name subscribed before anything else. */
  up(): void {
    if (this.#isUp || this.#isDead) return;
    this.#isUp = true;
    this.#network.note(`${short(this.peer.name)} link up`);
    for (const { name } of this.#wanted.values()) this.#carryUp({ kind: 'subscribe', name });
    this.#toPeer(() => {
      this.peer.onLinkUp();
    });
  }

  /** The process stops; what comes in the meantime waits for it, timers too. */
  freeze(): void {
    this.#network.note(`${short(this.peer.name)} freezes`);
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#network.note(`${short(this.peer.name)} thaws`);
    this.#isFrozen = false;
    for (const run of this.#backlog.splice(0)) this.#toPeer(run);
  }

  /** The process dies; the node notices. */
  kill(): void {
    this.#network.note(`${short(this.peer.name)} dies`);
    this.#isDead = true;
    this.#isUp = false;
    this.#stream += 1;
    this.#known.clear();
    this.#backlog.length = 0;
  }

  /** A timer of the peer. */
  after(ms: number, run: () => void): () => void {
    return this.#network.time.after(ms, () => {
      this.#toPeer(run);
    });
  }

  /** @internal From the node to the peer. */
  carryDown(bytes: Uint8Array, message: PublishMessage): void {
    this.#carry('down', message, () => {
      const arrived = decode(bytes);
      this.#toPeer(() => {
        this.#note('<', arrived);
        this.peer.onMessage(arrived);
      });
    });
  }

  #carryUp(frame: Frame): void {
    if (!this.#isUp) return;
    if (frame.kind !== 'publish') {
      this.#deliver(this.#network.options.reorders ? ['upControl'] : ['up', 'upControl'], () => {
        if (frame.kind === 'subscribe') this.#known.set(frame.name.key, frame.name);
        else this.#known.delete(frame.name.key);
      });
      return;
    }
    this.#note('>', frame.message);
    this.#carry('up', frame.message, () => {
      this.#network.route(this, frame);
    });
  }

  #carry(way: 'up' | 'down', message: PublishMessage, arrive: () => void): void {
    const { random, options } = this.#network;
    const { lossRate, duplicateRate, reorders } = options;
    const copies = random.fraction() < duplicateRate ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (random.fraction() < lossRate) {
        this.#note(`x${way}`, message);
        continue;
      }
      const controlLane: Lane[] = message.content.kind === 'app' ? [] : [`${way}Control`];
      this.#deliver(reorders ? controlLane : [way, ...controlLane], arrive);
    }
  }

  /** Lets something arrive after some time, not before what went the same lanes earlier. */
  #deliver(lanes: readonly Lane[], arrive: () => void): void {
    const { random, options, time } = this.#network;
    const last = Math.max(0, ...lanes.map((lane) => this.#lastArrivalMs.get(lane) ?? 0));
    const atMs = Math.max(time.nowMs + random.between(options.minDelayMs, options.maxDelayMs), last);
    for (const lane of lanes) this.#lastArrivalMs.set(lane, atMs);
    const stream = this.#stream;
    time.after(atMs - time.nowMs, () => {
      if (stream === this.#stream) arrive();
    });
  }

  #toPeer(run: () => void): void {
    if (this.#isDead) return;
    if (this.#isFrozen) this.#backlog.push(run);
    else run();
  }

  #note(way: string, { header, session }: PublishMessage): void {
    const { source, destination } = header;
    const what = `${kindOf(session.messageType)} #${String(session.messageId)}`;
    this.#network.note(`${short(this.peer.name)} ${way} ${what} ${short(source)} to ${short(destination)}`);
  }
}

function decode(bytes: Uint8Array): PublishMessage {
  const message = decodeMessage(bytes);
  if (message.kind !== 'publish') throw new Error(`what was sent is no session message: ${message.kind}`);
  return message;
}

/** Appendix A 1 and 2 of session.md. */
export function checkOutbound(message: OutboundMessage): void {
  const { source, fanout, sessionId, messageId, content, error } = message;
  if (!source.hasId) throw new Error('the source of a message is no full name');
  if (fanout !== 1 && fanout !== 256) throw new Error(`fanout ${String(fanout)}`);
  if (content.kind === 'unknown') throw new Error('a message without content');
  if ('error' in message && error !== true) throw new Error('an error field that is not true');
  for (const number of [sessionId, messageId]) {
    if (!Number.isInteger(number) || number < 0 || number > 0xffff_ffff) throw new Error(`${String(number)} is no u32`);
  }
}
