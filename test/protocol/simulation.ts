import type { Name } from '../../src/name/index.js';
import {
  type CommandId,
  type DeliveryProgress,
  type Effect,
  type EndReason,
  type Answer,
  AppAnswers,
  type Input,
  type MlsPolicy,
  type MlsRequest,
  type MlsResult,
  type OutboundMessage,
  type RetryOf,
  routeInbound,
  type SessionCommand,
  type SessionConfig,
  type SessionMachine,
  SessionModerator,
  type SessionNotice,
  SessionParticipant,
  type TimerKey,
} from '../../src/protocol/index.js';
import type { SlimError } from '../../src/util/index.js';
import { MessageType, type PublishMessage } from '../../src/wire/index.js';
import type { Link, Network, SimulatedPeer } from './simulated-network.js';
import { SimulatedMls } from './simulated-mls.js';
import { CHANNEL, requestTrace, short, trace } from './support.js';

/** A command and what became of it. */
export interface CommandRecord {
  readonly id: CommandId;
  readonly command: SessionCommand;
  isSettled: boolean;
  error: SlimError | undefined;
  member: Name | undefined;
  /** Of a message: whom it was sent to. */
  audience: readonly Name[];
  progress: DeliveryProgress | undefined;
}

type MlsQuestion = Extract<Effect, { kind: 'mls' }>;

/** A payload that came out at a receiver. */
export interface Received {
  readonly from: Name;
  readonly messageId: number;
  readonly text: string;
  readonly isEncrypted: boolean;
}

const REPLIES: ReadonlySet<number> = new Set([
  MessageType.discoveryReply,
  MessageType.joinReply,
  MessageType.leaveReply,
  MessageType.groupAck,
]);

/** What lies between two answers to the same request at least: a quarter of the shortest T in use. */
const REPLY_PAUSE_MS = 250;

/** Finds a second reply to the same request; one after a reconnection or a while is right (session.md appendix A 6). */
class ReplyCheck {
  readonly #sent = new Map<string, number>();

  onSend(message: OutboundMessage, nowMs: number): void {
    if (!REPLIES.has(message.messageType)) return;
    const { messageType, messageId, destination } = message;
    const reply = `${String(messageType)} ${String(messageId)} ${destination.key}`;
    const beforeMs = this.#sent.get(reply);
    if (beforeMs !== undefined && nowMs - beforeMs < REPLY_PAUSE_MS) throw new Error(`a second reply ${reply}`);
    this.#sent.set(reply, nowMs);
  }

  onReconnection(): void {
    this.#sent.clear();
  }
}

type RequestNotice = Extract<SessionNotice, { kind: 'invite' | 'remove' }>;

/** How long a leaf lives in a group that is kept alive; so many renewals fit into a few minutes. */
export const SHORT_LEAF_MS = 60_000;

/** Finds an invitation or removal whose start or end is not told once, or told otherwise than it is answered. */
class RequestCheck {
  readonly #told = new Map<CommandId, RequestNotice[]>();

  onNotice(notice: RequestNotice): void {
    const id = Number(notice.ref);
    const told = this.#told.get(id) ?? [];
    this.#told.set(id, [...told, notice]);
    const isInOrder = told.length === (notice.state === 'started' ? 0 : 1);
    if (!isInOrder) throw new Error(`request ${String(id)} is told as ${notice.state} after ${String(told.length)}`);
  }

  onSettled({ id, error, member }: Extract<Effect, { kind: 'settle' }>): void {
    const last = this.#told.get(id)?.at(-1);
    const isTold =
      last?.state === 'failed' ? last.error === error : last?.state === (member === undefined ? 'removed' : 'joined');
    if (!isTold) throw new Error(`request ${String(id)} is settled and was told as ${last?.state ?? 'nothing'}`);
  }
}

/**
 * One session of an app: a driver in virtual time that keeps books. It throws when a machine does what no machine may: settle a
 * command twice, do anything after its end, reply twice, count acknowledgements wrongly.
 */
export class SimulatedSession {
  readonly app: SimulatedApp;
  readonly config: SessionConfig;
  readonly machine: SessionMachine;
  readonly commands = new Map<CommandId, CommandRecord>();
  readonly received: Received[] = [];
  readonly lost: { readonly from: Name; readonly messageId: number }[] = [];
  readonly notices: SessionNotice[] = [];
  readonly replies = new ReplyCheck();
  readonly #requests = new RequestCheck();
  end: EndReason | undefined;
  isEstablished = false;
  isReceiveQueueFull = false;
  /** Undefined without MLS. */
  readonly mls: SimulatedMls | undefined;
  readonly #timers = new Map<TimerKey, () => void>();
  #isSubscribed = false;
  readonly #inputs: Input[] = [];
  readonly #mlsRequests: MlsQuestion[] = [];
  /** A machine is at work, or waits for MLS; whatever happens meanwhile has to wait too. */
  #isBusy = false;

  constructor(app: SimulatedApp, config: SessionConfig, machine: SessionMachine) {
    this.app = app;
    this.config = config;
    this.machine = machine;
    if (config.mls !== undefined) this.mls = new SimulatedMls(app.network.mls, config.local);
    if (!app.link.isUp) this.post({ kind: 'linkDown' });
  }

  get isAlive(): boolean {
    return this.end === undefined;
  }

  /** Runs a command. */
  run(asked: SessionCommand): CommandRecord {
    const id = this.commands.size + 1;
    const command = asked.kind === 'invite' || asked.kind === 'remove' ? { ...asked, ref: String(id) } : asked;
    const record: CommandRecord = {
      id,
      command,
      isSettled: false,
      error: undefined,
      member: undefined,
      audience: [],
      progress: undefined,
    };
    this.commands.set(id, record);
    const name = 'name' in command ? ` ${short(command.name)}` : '';
    this.app.network.note(`${short(this.app.name)} command ${String(id)} ${command.kind}${name}`);
    this.post({ kind: 'command', id, command });
    return record;
  }

  publish(text: string, to?: Name, again?: RetryOf): CommandRecord {
    const payload = new TextEncoder().encode(text);
    const command = { kind: 'publish', payload, payloadType: 'msg', metadata: {} } as const;
    return this.run({ ...command, ...(to && { to }), ...(again && { again }) });
  }

  /** Takes a message back, as a driver does: ahead of everything, also of an answer of MLS. */
  cancel({ id }: CommandRecord): void {
    this.#handle({ kind: 'command', id: -1, command: { kind: 'cancel', publish: id } });
    if (!this.#isBusy) this.#drain();
  }

  post(input: Input): void {
    this.#inputs.push(input);
    if (!this.#isBusy) this.#drain();
  }

  #drain(): void {
    this.#isBusy = true;
    for (;;) {
      const question = this.#mlsRequests.shift();
      if (question !== undefined) {
        this.#runMls(question);
        return;
      }
      const input = this.#inputs.shift();
      if (input === undefined) break;
      this.#handle(input);
    }
    this.#isBusy = false;
  }

  #handle(input: Input): void {
    if (input.kind === 'linkUp') this.replies.onReconnection();
    const { time, random } = this.app.network;
    const env = {
      nowMs: time.nowMs,
      wallMs: time.nowMs,
      isReceiveQueueFull: this.isReceiveQueueFull,
      randomU32: () => random.u32(),
    };
    for (const effect of this.machine.handle(input, env)) this.#execute(effect);
  }

  /** The answer comes after some time, and before any other input. */
  #runMls({ id, request }: MlsQuestion): void {
    if (this.mls === undefined) throw new Error(`${request.op} in a session without MLS`);
    const { mls } = this;
    this.app.link.after(this.app.network.mlsDelayMs(), () => {
      if (this.isAlive) {
        const result = this.#withLeafEnd(request, mls.run(request));
        if (!result.ok) this.app.network.note(`${short(this.app.name)} mls ${request.op}: ${result.error.code}`);
        this.#handle({ kind: 'mlsResult', id, result });
      }
      this.#drain();
    });
  }

  #withLeafEnd({ op }: MlsRequest, result: MlsResult): MlsResult {
    if (!result.ok || op !== 'add' || this.config.keepsAlive !== true) return result;
    return { ...result, leafEndsAtMs: this.app.network.time.nowMs + SHORT_LEAF_MS };
  }

  #execute(effect: Effect): void {
    const isAnswer = effect.kind === 'settle' || effect.kind === 'delivery';
    if (this.end !== undefined && !isAnswer) throw new Error(`after the end: ${trace([effect]).join()}`);
    switch (effect.kind) {
      case 'send':
        this.replies.onSend(effect.message, this.app.network.time.nowMs);
        this.app.link.send(effect.message);
        return;
      case 'subscribe':
      case 'unsubscribe':
        if (this.#isSubscribed === (effect.kind === 'subscribe')) throw new Error(`${effect.kind} twice`);
        this.#isSubscribed = effect.kind === 'subscribe';
        this.app.link[effect.kind](effect.name);
        return;
      case 'setTimer':
        this.#setTimer(effect.timer, effect.afterMs);
        return;
      case 'clearTimer':
        this.#timers.get(effect.timer)?.();
        this.#timers.delete(effect.timer);
        return;
      case 'notify':
        this.#onNotice(effect.notice);
        return;
      case 'delivery':
        this.#onDelivery(effect);
        return;
      case 'settle': {
        const record = this.#open(effect.id);
        const isRequest = record.command.kind === 'invite' || record.command.kind === 'remove';
        // After the end of the session nothing is told any more.
        if (isRequest && this.end === undefined) this.#requests.onSettled(effect);
        record.isSettled = true;
        record.error = effect.error;
        record.member = effect.member;
        this.app.network.note(`${short(this.app.name)} ${trace([effect]).join()}`);
        return;
      }
      case 'mls':
        this.#mlsRequests.push(effect);
        return;
      case 'end':
        this.mls?.free();
        this.end = effect.reason;
        this.app.network.note(`${short(this.app.name)} end ${effect.reason}`);
        if (this.#timers.size > 0) throw new Error(`timers after the end: ${[...this.#timers.keys()].join()}`);
        if (this.#isSubscribed) throw new Error('the channel was not given up');
        this.app.onEnd(this, effect.answer);
        return;
    }
  }

  #setTimer(timer: TimerKey, afterMs: number): void {
    if (!(afterMs >= 1 && afterMs < 2 ** 31)) throw new Error(`timer ${timer} of ${String(afterMs)} ms`);
    this.#timers.get(timer)?.();
    const cancel = this.app.link.after(afterMs, () => {
      if (this.#timers.get(timer) !== cancel) return;
      this.#timers.delete(timer);
      this.post({ kind: 'timer', timer });
    });
    this.#timers.set(timer, cancel);
  }

  #onNotice(notice: SessionNotice): void {
    this.notices.push(notice);
    const told: Effect = { kind: 'notify', notice };
    const lines = new Set([...trace([told]), ...requestTrace([told])]);
    this.app.network.note(`${short(this.app.name)} ${[...lines].join()}`);
    if (notice.kind === 'invite' || notice.kind === 'remove') this.#requests.onNotice(notice);
    if (notice.kind === 'established') this.isEstablished = true;
    if (notice.kind === 'lost') this.lost.push(notice);
    if (notice.kind !== 'message') return;
    const { message, payload, isEncrypted } = notice.delivered;
    const { header, session } = message;
    const text = new TextDecoder().decode(payload);
    this.received.push({ from: header.source, messageId: session.messageId, text, isEncrypted });
  }

  #onDelivery(effect: Extract<Effect, { kind: 'delivery' }>): void {
    const record = this.#open(effect.id);
    const { acked, missing } = effect.progress;
    if (new Set([...acked, ...missing].map((name) => name.key)).size !== acked.length + missing.length) {
      throw new Error(`a member is counted twice for message ${String(effect.id)}`);
    }
    if (effect.state === 'acked' && missing.length > 0) throw new Error('acknowledged by all but some');
    if (effect.state === 'sent' && record.audience.length === 0) record.audience = [...acked, ...missing];
    record.progress = effect.progress;
    if (effect.state !== 'acked' && effect.state !== 'failed') return;
    record.isSettled = true;
    record.error = effect.error;
    if (effect.error !== undefined) this.app.network.note(`${short(this.app.name)} ${trace([effect]).join()}`);
  }

  #open(id: CommandId): CommandRecord {
    const record = this.commands.get(id);
    if (record === undefined) throw new Error(`an unknown command ${String(id)} is settled`);
    if (record.isSettled) throw new Error(`command ${String(id)} (${record.command.kind}) is settled twice`);
    return record;
  }
}

/** What a session is made with, unless said otherwise. */
export interface GroupOptions {
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly mls?: { readonly policy: MlsPolicy };
  /** Also gives leaves a short life. */
  readonly keepsAlive?: boolean;
}

/** An app of this package, without promises: what `SlimApp` does with messages. */
export class SimulatedApp implements SimulatedPeer {
  readonly name: Name;
  readonly subject: string;
  readonly network: Network;
  readonly link: Link;
  /** Also those that are over. */
  readonly sessions: SimulatedSession[] = [];
  readonly #answers: AppAnswers;
  readonly #replies = new ReplyCheck();
  readonly #resumeAfter = new Map<number, number>();

  constructor(network: Network, name: Name) {
    this.network = network;
    this.name = name;
    this.subject = `${name.toString()}_AbCd1234`;
    this.#answers = new AppAnswers(name);
    this.link = network.connect(this);
  }

  /** The newest session; it may be over. */
  get session(): SimulatedSession | undefined {
    return this.sessions.at(-1);
  }

  createGroup(options: GroupOptions): SimulatedSession {
    return this.#add(
      {
        sessionId: this.network.random.u32(),
        type: 'group',
        local: this.name,
        channel: CHANNEL,
        moderator: this.name,
        ...options,
        isReliable: true,
        metadata: {},
        resumeAfter: 0,
      },
      'moderator',
    );
  }

  onMessage(message: PublishMessage): void {
    const route = routeInbound(message, this.name, (id) => this.#find(id) !== undefined);
    switch (route.kind) {
      case 'session':
        this.#find(route.sessionId)?.post({ kind: 'message', message, subject: 'subject' });
        return;
      case 'reply':
        this.#reply(this.#answers.onDiscovery(message, route.message, this.network.time.nowMs));
        return;
      case 'join': {
        const resumeAfter = this.#resumeAfter.get(route.config.sessionId) ?? 0;
        const roundTripMs = this.#answers.roundTripMs(message, message.header.identity, this.network.time.nowMs);
        const config = { ...route.config, ...(roundTripMs !== undefined && { roundTripMs }), resumeAfter };
        this.#add(config, 'participant').post({
          kind: 'message',
          message,
          subject: 'subject',
        });
        return;
      }
      case 'refuse':
        throw new Error(`refused: ${route.text}`);
      case 'ignore':
        this.#reply(this.#answers.again(message, this.network.time.nowMs));
        return;
    }
  }

  onLinkDown(): void {
    this.#answers.mayBeLost();
    for (const session of this.#alive()) session.post({ kind: 'linkDown' });
  }

  onLinkUp(): void {
    this.#replies.onReconnection();
    for (const session of this.#alive()) {
      session.post({ kind: 'linkUp' });
    }
  }

  onEnd(session: SimulatedSession, answer: Answer | undefined): void {
    if (answer !== undefined) this.#answers.keep(answer, this.network.time.nowMs);
    this.#resumeAfter.set(session.config.sessionId, session.machine.lastPublishedId);
  }

  #reply(reply: OutboundMessage | undefined): void {
    if (reply === undefined) return;
    this.#replies.onSend(reply, this.network.time.nowMs);
    this.link.send(reply);
  }

  #alive(): SimulatedSession[] {
    return this.sessions.filter((session) => session.isAlive);
  }

  #find(id: number): SimulatedSession | undefined {
    return this.sessions.find((session) => session.isAlive && session.config.sessionId === id);
  }

  #add(config: SessionConfig, role: 'moderator' | 'participant'): SimulatedSession {
    const machine = role === 'moderator' ? new SessionModerator(config) : new SessionParticipant(config);
    const session = new SimulatedSession(this, config, machine);
    this.sessions.push(session);
    return session;
  }
}
