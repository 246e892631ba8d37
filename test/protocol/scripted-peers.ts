import type { Name } from '../../src/name/index.js';
import { type OutboundMessage, SESSION_ID_LIMIT } from '../../src/protocol/index.js';
import { PROBE_ID } from '../../src/protocol/ping-rounds.js';
import { type Content, MessageType, type PublishMessage, SessionType } from '../../src/wire/index.js';
import type { Link, Network, SimulatedPeer } from './simulated-network.js';
import { CHANNEL, kindOf, short, textOf } from './support.js';

/** Generations of upstream that differ in what they expect (session.md 9): 0.7.0, and 1.x. */
export type UpstreamVersion = '0.7.0' | '1.x';

/** Upstream's constants of a ping (`controller_sender.rs:handle_ping_timeout`). */
const PING_INTERVAL_MS = 10_000;
const MAX_MISSED = 3;

const T_MS = 1000;
const R = 10;

interface Exchange {
  readonly message: OutboundMessage;
  readonly missing: Set<string>;
  /** Called once: with the last reply, or when it is given up. */
  readonly done: (isAnswered: boolean) => void;
  tries: number;
}

/** What moderators and participants of upstream have in common. Written from session.md alone, knows no machine of ours. */
abstract class UpstreamPeer implements SimulatedPeer {
  readonly name: Name;
  readonly version: UpstreamVersion;
  readonly received: { readonly from: string; readonly id: number; readonly text: string }[] = [];
  /** What upstream would have died of. Tests look at this; nothing is thrown, the peer just stops as a dead one does. */
  panic: string | undefined;
  readonly failures: string[] = [];
  sessionId = 0;
  protected readonly network: Network;
  protected readonly link: Link;
  protected readonly endpoints = new Map<string, Name>();
  readonly #exchanges = new Map<number, Exchange>();
  readonly #unacked = new Map<number, { readonly text: string; readonly missing: Map<string, Name>; tries: number }>();
  readonly #last = new Map<string, number>();
  readonly #sent = new Map<number, string>();
  #lastId = 0;

  constructor(network: Network, name: Name, version: UpstreamVersion) {
    this.network = network;
    this.name = name;
    this.version = version;
    this.link = network.connect(this);
  }

  /** Whether it is in the group. */
  abstract readonly isListening: boolean;

  abstract onControl(message: PublishMessage): void;

  onLinkDown(): void {
    // The link of a scripted peer does not break.
  }

  onLinkUp(): void {
    // As above.
  }

  onMessage(message: PublishMessage): void {
    if (this.panic !== undefined) return;
    const { source } = message.header;
    const { messageId, messageType } = message.session;
    switch (messageType) {
      case MessageType.msg:
        if (!this.isListening) return;
        this.send(MessageType.msgAck, source, 1, messageId, emptyApp());
        this.#deliver(source, messageId, textOf(message.content));
        return;
      case MessageType.msgAck:
        this.#unacked.get(messageId)?.missing.delete(source.key);
        return;
      case MessageType.rtxRequest:
        this.#onRtxRequest(source, messageId);
        return;
      default:
        this.onControl(message);
    }
  }

  publish(text: string): number {
    this.#lastId += 1;
    const messageId = this.#lastId;
    this.#sent.set(messageId, text);
    this.#unacked.set(messageId, { text, missing: new Map(this.endpoints), tries: 0 });
    this.send(MessageType.msg, CHANNEL, 256, messageId, app(text));
    this.#repeat(messageId);
    return messageId;
  }

  /** Who has not acknowledged a message. */
  missing(messageId: number): string[] {
    return [...(this.#unacked.get(messageId)?.missing.values() ?? [])].map(short).sort();
  }

  protected die(reason: string): void {
    this.panic ??= reason;
    this.network.note(`${short(this.name)} PANIC ${reason}`);
  }

  protected send(
    messageType: number,
    destination: Name,
    fanout: number,
    messageId: number,
    content: Content,
    metadata: Readonly<Record<string, string>> = {},
  ): OutboundMessage {
    const message = this.build(messageType, destination, fanout, messageId, content, metadata);
    this.link.send(message);
    return message;
  }

  protected build(
    messageType: number,
    destination: Name,
    fanout: number,
    messageId: number,
    content: Content,
    metadata: Readonly<Record<string, string>> = {},
  ): OutboundMessage {
    return {
      source: this.name,
      destination,
      fanout,
      sessionType: SessionType.multicast,
      messageType,
      sessionId: this.sessionId,
      messageId,
      content,
      metadata,
    };
  }

  /** A control request, repeated every T, R times, until all have answered (`controller_sender.rs`). */
  protected request(
    messageType: number,
    destination: Name,
    fanout: number,
    content: Content,
    expected: readonly Name[],
    done: (isAnswered: boolean) => void,
    metadata: Readonly<Record<string, string>> = {},
  ): number {
    const messageId = this.network.random.u32();
    const message = this.send(messageType, destination, fanout, messageId, content, metadata);
    const missing = new Set(expected.map((name) => this.#replyKey(message, name)));
    this.#exchanges.set(messageId, { message, missing, done, tries: 0 });
    this.#retransmit(messageId);
    return messageId;
  }

  /** Whether a reply was waited for; the last one completes the request. */
  protected settle(message: PublishMessage): boolean {
    const exchange = this.#exchanges.get(message.session.messageId);
    if (exchange?.missing.delete(this.#replyKey(exchange.message, message.header.source)) !== true) return false;
    if (exchange.missing.size > 0) return true;
    this.#exchanges.delete(message.session.messageId);
    exchange.done(true);
    return true;
  }

  protected hasRequests(): boolean {
    return this.#exchanges.size > 0;
  }

  protected forgetSource(name: Name): void {
    this.endpoints.delete(name.key);
    // 0.7.0 keeps the numbers of who is gone (session.md 3.9).
    if (this.version !== '0.7.0') this.#last.delete(name.key);
  }

  /** 0.7.0 compares replies without id, later ones with it. */
  #replyKey(request: OutboundMessage, name: Name): string {
    return this.version === '0.7.0' || request.messageType === MessageType.discoveryRequest ? name.prefixKey : name.key;
  }

  #retransmit(messageId: number): void {
    this.link.after(T_MS, () => {
      const exchange = this.#exchanges.get(messageId);
      if (exchange === undefined || this.panic !== undefined) return;
      exchange.tries += 1;
      if (exchange.tries > R) {
        this.#exchanges.delete(messageId);
        this.failures.push(kindOf(exchange.message.messageType));
        exchange.done(false);
        return;
      }
      this.link.send(exchange.message);
      this.#retransmit(messageId);
    });
  }

  #repeat(messageId: number): void {
    this.link.after(T_MS, () => {
      const unacked = this.#unacked.get(messageId);
      if (unacked === undefined || unacked.missing.size === 0 || this.panic !== undefined) return;
      unacked.tries += 1;
      if (unacked.tries > R) {
        this.failures.push(`msg ${String(messageId)}`);
        return;
      }
      for (const name of unacked.missing.values()) {
        this.send(MessageType.msg, name, 256, messageId, app(unacked.text));
      }
      this.#repeat(messageId);
    });
  }

  #deliver(source: Name, id: number, text: string): void {
    const last = this.#last.get(source.key);
    if (last !== undefined && id <= last) return;
    if (last !== undefined && id > last + 1) {
      // Each number in between gets a slot and a request at once (session.md 10.12).
      if (id - last > 1_000_000) {
        this.die(`memory: a gap of ${String(id - last)}`);
        return;
      }
      this.failures.push(`gap before ${String(id)} of ${short(source)}`);
    }
    this.#last.set(source.key, id);
    this.received.push({ from: short(source), id, text });
  }

  #onRtxRequest(source: Name, messageId: number): void {
    const text = this.#sent.get(messageId);
    this.#unacked.get(messageId)?.missing.delete(source.key);
    if (!this.isListening) return;
    if (messageId === PROBE_ID) {
      // What is asked for only to learn who is there (`session_sender.rs:on_rtx_message`).
      const reply = this.build(MessageType.rtxReply, source, 1, messageId, emptyApp());
      this.link.send({ ...reply, error: true });
      return;
    }
    if (text === undefined) throw new Error(`${short(source)} asks for ${String(messageId)}, which was never sent`);
    this.send(MessageType.rtxReply, source, 256, messageId, app(text));
  }
}

/** A member of upstream. Answers, and dies of what upstream dies of. */
export class UpstreamParticipant extends UpstreamPeer {
  isIn = false;
  end: string | undefined;
  #isWatching = false;
  pings = 0;
  #moderator: Name | undefined;
  #missedWindows = 0;
  #hasHeard = false;

  get isListening(): boolean {
    return this.isIn;
  }

  onControl(message: PublishMessage): void {
    const { source } = message.header;
    const { messageId, messageType } = message.session;
    const { content } = message;
    const isOurs = message.session.sessionId === this.sessionId;
    switch (content.kind) {
      case 'discoveryRequest':
        // Not part of a session: the id of the request's session goes back.
        this.sessionId = this.isIn ? this.sessionId : message.session.sessionId;
        this.send(MessageType.discoveryReply, source, 1, messageId, { kind: 'discoveryReply' });
        return;
      case 'joinRequest':
        if (content.timerSettings === undefined || content.channel === undefined) return;
        this.sessionId = message.session.sessionId;
        this.#moderator = source;
        this.end = undefined;
        this.send(MessageType.joinReply, source, 1, messageId, { kind: 'joinReply' });
        return;
      case 'groupWelcome':
        if (!isOurs) return;
        if (!this.isIn) this.link.subscribe(CHANNEL);
        this.isIn = true;
        for (const name of content.participants) if (!name.equals(this.name)) this.endpoints.set(name.key, name);
        this.#ack(message);
        if (this.version === '1.x' && !this.#isWatching) this.#watch();
        return;
      case 'groupAdd':
        if (!isOurs || !this.isIn) return;
        // Also one that names this member: then its own acknowledgement is missing for ever (session.md 10.9).
        if (this.version === '0.7.0' || !content.newParticipant.equals(this.name)) {
          this.endpoints.set(content.newParticipant.key, content.newParticipant);
        }
        this.#ack(message);
        return;
      case 'groupRemove':
        if (!isOurs || !this.isIn) return;
        this.forgetSource(content.removedParticipant);
        this.#ack(message);
        return;
      case 'leaveRequest':
        if (!isOurs || !this.isIn) return;
        this.send(MessageType.leaveReply, source, 1, messageId, { kind: 'leaveReply' });
        this.#close('removed');
        return;
      case 'groupClose':
        if (!isOurs || !this.isIn) return;
        this.#ack(message);
        this.#close('closed');
        return;
      case 'ping':
        this.#onPing(message);
        return;
      case 'groupAck':
      case 'groupNack':
      case 'groupProposal':
        this.die(`${kindOf(messageType)} at a participant`);
        return;
      case 'leaveReply':
        if (!this.settle(message)) this.die('a LeaveReply that nobody waits for');
        return;
      default:
    }
  }

  /** Deletes the session: 0.7.0 tells nobody. */
  leave(): void {
    if (this.version === '0.7.0') {
      this.isIn = false;
      this.end = 'left';
      return;
    }
    const moderator = this.#moderator;
    if (moderator === undefined) throw new Error('in no session');
    this.link.unsubscribe(CHANNEL);
    const done = (): void => {
      this.isIn = false;
      this.end = 'left';
    };
    const content = { kind: 'leaveRequest' } as const;
    this.request(MessageType.leaveRequest, moderator, 1, content, [moderator], done, { LEAVING_SESSION: 'TRUE' });
  }

  #ack(message: PublishMessage): void {
    this.send(MessageType.groupAck, message.header.source, 1, message.session.messageId, { kind: 'groupAck' });
  }

  #onPing({ header, session }: PublishMessage): void {
    if (this.version === '0.7.0' || !this.isIn) return;
    this.pings += 1;
    this.#hasHeard = true;
    this.send(MessageType.ping, header.source, header.fanout, session.messageId, { kind: 'ping' });
  }

  /** Three windows without a ping: the session closes in silence. */
  #watch(): void {
    this.#isWatching = true;
    this.link.after(PING_INTERVAL_MS, () => {
      this.#isWatching = this.isIn;
      if (!this.isIn) return;
      this.#missedWindows = this.#hasHeard ? 0 : this.#missedWindows + 1;
      this.#hasHeard = false;
      if (this.#missedWindows >= MAX_MISSED) this.#close('moderator gone');
      else this.#watch();
    });
  }

  #close(reason: string): void {
    this.isIn = false;
    this.end = reason;
    this.endpoints.clear();
    // 0.7.0 sleeps for half a second before (session.md 10.23).
    this.link.after(this.version === '0.7.0' ? 500 : 0, () => {
      this.link.unsubscribe(CHANNEL);
    });
  }
}

/** What a moderator of upstream is doing; with no task, a reply finds nothing to belong to. */
type Task = 'discovery' | 'join' | 'welcome' | 'remove' | 'leave' | 'close';

/** A moderator of upstream: one task at a time, and dead at the first reply that it does not wait for. */
export class UpstreamModerator extends UpstreamPeer {
  /** Members by name without id. */
  readonly members = new Map<string, Name>();
  readonly gone: string[] = [];
  /** Replies that nobody waited for while something else was under way: upstream logs them, or does things twice. */
  readonly strays: string[] = [];
  isClosed = false;
  #task: Task | undefined;
  readonly #queue: (() => void)[] = [];
  #isSubscribed = false;
  readonly #missed = new Map<string, number>();
  #pinged: { readonly id: number; readonly missing: Set<string> } | undefined;

  constructor(network: Network, name: Name, version: UpstreamVersion) {
    super(network, name, version);
    this.sessionId = network.random.u32() % SESSION_ID_LIMIT;
    if (version === '1.x') this.#pingLater();
  }

  get isIdle(): boolean {
    return this.#task === undefined && this.#queue.length === 0;
  }

  get memberNames(): string[] {
    return [...this.members.values()].map(short).sort();
  }

  invite(name: Name): void {
    this.#enqueue(() => {
      this.#task = 'discovery';
      this.request(MessageType.discoveryRequest, name, 1, { kind: 'discoveryRequest' }, [name], (isAnswered) => {
        if (!isAnswered) this.#done();
      });
    });
  }

  remove(member: Name): void {
    this.#enqueue(() => {
      const before = this.#participants().length;
      this.members.delete(member.prefixKey);
      this.forgetSource(member);
      if (before <= (this.version === '0.7.0' ? 3 : 2)) {
        this.#askToLeave(member);
        return;
      }
      this.#task = 'remove';
      // 0.7.0 waits for a name that no answer matches (session.md 3.6): it fails, and the member is never told.
      const expected = [...this.members.values(), this.version === '0.7.0' ? CHANNEL : member];
      const content = { kind: 'groupRemove', removedParticipant: member, participants: this.#participants() } as const;
      this.request(MessageType.groupRemove, CHANNEL, 256, content, expected, (isAnswered) => {
        if (isAnswered) this.#askToLeave(member);
        else this.#done();
      });
    });
  }

  close(): void {
    this.#enqueue(() => {
      this.#task = 'close';
      const others = [...this.members.values()];
      // 0.7.0 lists the others without ids.
      const participants = this.version === '0.7.0' ? others.map((name) => name.withoutId()) : this.#participants();
      this.request(MessageType.groupClose, CHANNEL, 256, { kind: 'groupClose', participants }, others, () => {
        this.isClosed = true;
        this.#done();
      });
    });
  }

  get isListening(): boolean {
    return true;
  }

  onControl(message: PublishMessage): void {
    const { source } = message.header;
    switch (message.content.kind) {
      case 'discoveryReply':
        this.#expect(message, 'discovery', () => {
          this.#join(source);
        });
        return;
      case 'joinReply':
        this.#expect(message, 'join', () => {
          this.#welcome(source);
        });
        return;
      case 'groupAck':
        this.#expect(message, undefined, () => {});
        return;
      case 'leaveReply':
        this.#expect(message, 'leave', () => {});
        return;
      case 'ping':
        if (message.session.messageId === this.#pinged?.id) this.#pinged.missing.delete(source.key);
        return;
      case 'leaveRequest':
        this.#onLeaving(message);
        return;
      case 'groupProposal':
        this.die('GroupProposal at a moderator');
        return;
      default:
    }
  }

  #participants(): Name[] {
    return [this.name, ...this.members.values()];
  }

  /** `on_discovery_reply` and its siblings unwrap the current task (session.md 10.1). */
  #expect(message: PublishMessage, task: Task | undefined, then: () => void): void {
    const stray = `${kindOf(message.session.messageType)} of ${short(message.header.source)}`;
    if (this.#task === undefined) this.die(`${stray} while idle`);
    else if ((task !== undefined && this.#task !== task) || !this.settle(message)) this.strays.push(stray);
    else then();
  }

  #join(member: Name): void {
    this.#task = 'join';
    if (!this.#isSubscribed) this.link.subscribe(CHANNEL);
    this.#isSubscribed = true;
    const content: Content = {
      kind: 'joinRequest',
      enableMls: false,
      timerSettings: { timeoutMs: T_MS, maxRetries: R },
      channel: CHANNEL,
    };
    this.request(MessageType.joinRequest, member, 1, content, [member], (isAnswered) => {
      if (!isAnswered) this.#done();
    });
  }

  #welcome(member: Name): void {
    this.#task = 'welcome';
    const others = [...this.members.values()];
    this.members.set(member.prefixKey, member);
    this.endpoints.set(member.key, member);
    this.#missed.set(member.key, 0);
    const participants = this.#participants();
    let waiting = others.length > 0 ? 2 : 1;
    const done = (): void => {
      waiting -= 1;
      if (waiting === 0) this.#done();
    };
    if (others.length > 0) {
      const content = { kind: 'groupAdd', newParticipant: member, participants } as const;
      this.request(MessageType.groupAdd, CHANNEL, 256, content, others, done);
    }
    this.request(MessageType.groupWelcome, member, 1, { kind: 'groupWelcome', participants }, [member], done);
  }

  #askToLeave(member: Name): void {
    this.#task = 'leave';
    this.request(MessageType.leaveRequest, member, 1, { kind: 'leaveRequest' }, [member], () => {
      this.#done();
    });
  }

  #onLeaving({ header, session, metadata }: PublishMessage): void {
    if (metadata['LEAVING_SESSION'] !== 'TRUE' || this.version === '0.7.0') return;
    if (this.members.get(header.source.prefixKey)?.equals(header.source) !== true) return;
    this.send(MessageType.leaveReply, header.source, 1, session.messageId, { kind: 'leaveReply' });
    this.#evict(header.source);
  }

  /** The others are told, the member is not. */
  #evict(member: Name): void {
    this.gone.push(short(member));
    this.members.delete(member.prefixKey);
    this.forgetSource(member);
    this.#missed.delete(member.key);
    const others = [...this.members.values()];
    if (others.length === 0) return;
    this.#enqueue(() => {
      this.#task = 'remove';
      const content = { kind: 'groupRemove', removedParticipant: member, participants: this.#participants() } as const;
      this.request(MessageType.groupRemove, CHANNEL, 256, content, others, () => {
        this.#done();
      });
    });
  }

  #pingLater(): void {
    this.link.after(PING_INTERVAL_MS, () => {
      if (this.isClosed || this.panic !== undefined) return;
      for (const key of this.#pinged?.missing ?? []) {
        const missed = (this.#missed.get(key) ?? 0) + 1;
        this.#missed.set(key, missed);
        const member = this.endpoints.get(key);
        if (missed >= MAX_MISSED && member !== undefined) this.#evict(member);
      }
      const members = [...this.members.values()];
      if (members.length > 0) {
        const id = this.network.random.u32();
        for (const { key } of members) if (this.#pinged?.missing.has(key) === false) this.#missed.set(key, 0);
        this.#pinged = { id, missing: new Set(members.map(({ key }) => key)) };
        this.send(MessageType.ping, CHANNEL, 256, id, { kind: 'ping' });
      }
      this.#pingLater();
    });
  }

  #enqueue(start: () => void): void {
    this.#queue.push(start);
    if (this.#task === undefined) this.#done();
  }

  #done(): void {
    this.#task = undefined;
    this.#queue.shift()?.();
  }
}

function app(text: string): Content {
  return { kind: 'app', payloadType: 'msg', blob: new TextEncoder().encode(text) };
}

function emptyApp(): Content {
  return { kind: 'app', payloadType: '', blob: new Uint8Array(0) };
}
