import { Name } from '../../src/name/index.js';
import type {
  CommandId,
  Delivered,
  Effect,
  Env,
  Input,
  OutboundMessage,
  SessionCommand,
  SessionConfig,
  SessionMachine,
  SessionNotice,
  TimerKey,
} from '../../src/protocol/index.js';
import { type Content, MessageType, type Metadata, type PublishMessage, SessionType } from '../../src/wire/index.js';

export const M = Name.of('agntcy', 'ns', 'm', 0x1n);
export const A = Name.of('agntcy', 'ns', 'a', 0xaan);
export const B = Name.of('agntcy', 'ns', 'b', 0xbbn);
export const C = Name.of('agntcy', 'ns', 'c', 0xccn);
export const CHANNEL = Name.of('agntcy', 'ns', 'chat');
export const SESSION_ID = 7;

/** T and R of the sessions in these tests: two retransmissions, given up after three seconds. */
export const T = 1000;
export const R = 2;

export type MessageKind = keyof typeof MessageType;

const KIND_OF_TYPE = new Map<number, MessageKind>(
  (Object.entries(MessageType) as [MessageKind, number][]).map(([kind, type]) => [type, kind]),
);

/** The name of a message type, for traces. */
export function kindOf(messageType: number): MessageKind | 'unknown' {
  return KIND_OF_TYPE.get(messageType) ?? 'unknown';
}

/** What a machine may ask for, in the hands of a test. Random numbers count up from 1000. */
export class TestEnv implements Env {
  nowMs = 0;
  /** How much more the wall clock has moved: the machine slept, or the clock was set. */
  wallAheadMs = 0;
  isReceiveQueueFull = false;
  nextRandom = 1000;

  get wallMs(): number {
    return this.nowMs + this.wallAheadMs;
  }

  randomU32(): number {
    this.nextRandom += 1;
    return this.nextRandom - 1;
  }
}

export function groupConfig(local: Name, overrides: Partial<SessionConfig> = {}): SessionConfig {
  return {
    sessionId: SESSION_ID,
    type: 'group',
    local,
    channel: CHANNEL,
    moderator: M,
    timeoutMs: T,
    maxRetries: R,
    isReliable: true,
    metadata: {},
    resumeAfter: 0,
    ...overrides,
  };
}

/** M calls A. */
export function callConfig(local: Name, overrides: Partial<SessionConfig> = {}): SessionConfig {
  return groupConfig(local, { type: 'pointToPoint', channel: local.equals(M) ? A.withoutId() : M, ...overrides });
}

/** What differs from the usual message of its kind. */
export interface MessageOptions {
  readonly id?: number;
  readonly to?: Name;
  readonly content?: Content;
  readonly metadata?: Metadata;
  readonly fanout?: number;
  readonly sessionType?: number;
  readonly sessionId?: number;
  readonly error?: boolean;
}

const EMPTY_APP_CONTENT: Content = { kind: 'app', payloadType: '', blob: new Uint8Array(0) };

/** Contents of the kinds that have a usual one. */
const USUAL_CONTENT: { readonly [K in MessageKind]?: Content } = {
  msg: EMPTY_APP_CONTENT,
  msgAck: EMPTY_APP_CONTENT,
  rtxRequest: EMPTY_APP_CONTENT,
  rtxReply: EMPTY_APP_CONTENT,
  discoveryRequest: { kind: 'discoveryRequest' },
  discoveryReply: { kind: 'discoveryReply' },
  joinRequest: {
    kind: 'joinRequest',
    enableMls: false,
    timerSettings: { timeoutMs: T, maxRetries: R },
    channel: CHANNEL,
  },
  joinReply: { kind: 'joinReply' },
  leaveRequest: { kind: 'leaveRequest' },
  leaveReply: { kind: 'leaveReply' },
  groupClose: { kind: 'groupClose', participants: [] },
  groupAck: { kind: 'groupAck' },
  groupNack: { kind: 'groupNack' },
  ping: { kind: 'ping' },
};

function usualContent(kind: MessageKind): Content {
  const content = USUAL_CONTENT[kind];
  if (content === undefined) throw new Error(`${kind} has no usual content; say which`);
  return content;
}

/** A message as it comes from the wire. */
export function message(kind: MessageKind, from: Name, options: MessageOptions = {}): PublishMessage {
  const { id = 1, to = CHANNEL, metadata = {}, fanout = 1, error } = options;
  return {
    kind: 'publish',
    header: { source: from, destination: to, fanout, identity: 'token', ...(error !== undefined && { error }) },
    session: {
      sessionType: options.sessionType ?? SessionType.multicast,
      messageType: MessageType[kind],
      sessionId: options.sessionId ?? SESSION_ID,
      messageId: id,
    },
    content: options.content ?? usualContent(kind),
    metadata,
  };
}

/** Message `id` of a member. */
export function msg(from: Name, id: number, text = `${from.app}${String(id)}`, options: MessageOptions = {}) {
  const content: Content = { kind: 'app', payloadType: 'msg', blob: new TextEncoder().encode(text) };
  return message('msg', from, { id, content, fanout: 256, ...options });
}

/** The answer to an RTX request: message `id` again. */
export function rtxReply(from: Name, id: number, text = `${from.app}${String(id)}`): PublishMessage {
  const content: Content = { kind: 'app', payloadType: 'msg', blob: new TextEncoder().encode(text) };
  return message('rtxReply', from, { id, content, fanout: 256 });
}

export function welcome(participants: readonly Name[], id = 500): PublishMessage {
  return message('groupWelcome', M, { id, content: { kind: 'groupWelcome', participants } });
}

export function groupAdd(newParticipant: Name, participants: readonly Name[], id = 501): PublishMessage {
  return message('groupAdd', M, { id, fanout: 256, content: { kind: 'groupAdd', newParticipant, participants } });
}

export function groupRemove(removedParticipant: Name, participants: readonly Name[], id = 502): PublishMessage {
  const content: Content = { kind: 'groupRemove', removedParticipant, participants };
  return message('groupRemove', M, { id, fanout: 256, content });
}

/** A `publish` of the application. */
export function publish(text: string, to?: Name): SessionCommand {
  return {
    kind: 'publish',
    payload: new TextEncoder().encode(text),
    payloadType: 'msg',
    metadata: {},
    ...(to && { to }),
  };
}

/** What a machine sends, as a peer receives it. */
export function arrived(message: OutboundMessage): PublishMessage {
  const { source, destination, fanout, sessionType, messageType, sessionId, messageId, error } = message;
  return {
    kind: 'publish',
    header: { source, destination, fanout, identity: 'token', ...(error && { error }) },
    session: { sessionType, messageType, sessionId, messageId },
    content: message.content,
    metadata: message.metadata,
  };
}

/** A payload message as a receiver takes it. */
export function delivered(message: PublishMessage): Delivered {
  const { content } = message;
  const payload = content.kind === 'app' ? content.blob : new Uint8Array(0);
  return { message, subject: 'subject', payload, isEncrypted: false };
}

export function textOf(content: Content): string {
  return content.kind === 'app' ? new TextDecoder().decode(content.blob) : `(${content.kind})`;
}

/** A name in a trace: `b`, or `b*` for any instance. The channel has no star. */
export function short(name: Name): string {
  if (name.equals(CHANNEL)) return 'chat';
  return name.hasId ? name.app : `${name.app}*`;
}

function list(names: readonly Name[]): string {
  return `[${names.map(short).join(' ')}]`;
}

function contentTrace(content: Content): string {
  if (content.kind === 'app') return content.blob.length > 0 ? ` "${textOf(content)}"` : '';
  if (content.kind === 'groupAdd') return ` +${short(content.newParticipant)} ${list(content.participants)}`;
  if (content.kind === 'groupRemove') return ` -${short(content.removedParticipant)} ${list(content.participants)}`;
  if (content.kind === 'groupWelcome' || content.kind === 'groupClose') return ` ${list(content.participants)}`;
  return '';
}

function sendTrace(message: OutboundMessage): string {
  const { messageType, destination, messageId, fanout, content, metadata, error } = message;
  const flags = Object.keys(metadata).map((key) => ` ${key}`);
  return [
    `${kindOf(messageType)} > ${short(destination)} #${String(messageId)}`,
    fanout === 1 ? '' : ' all',
    contentTrace(content),
    ...flags,
    error === true ? ' error' : '',
  ].join('');
}

function noticeTrace(notice: SessionNotice): string {
  switch (notice.kind) {
    case 'message':
      return `got ${short(notice.delivered.message.header.source)} "${textOf(notice.delivered.message.content)}"`;
    case 'established':
      return `established ${list(notice.members)}`;
    case 'joined':
      return `joined ${short(notice.member)} ${list(notice.members)}`;
    case 'left':
      return `left ${short(notice.member)} ${notice.reason} ${list(notice.members)}`;
    case 'invite':
    case 'remove': {
      const outcome = notice.state === 'failed' ? `failed ${notice.error.code}` : notice.state;
      const mark = notice.ref === undefined ? '' : ` ${notice.ref}`;
      return `${notice.kind} ${short(notice.name)} ${outcome} ${notice.by}${mark}`;
    }
    case 'lost':
      return `lost ${short(notice.from)} ${String(notice.messageId)}`;
    case 'mls':
      return mlsTrace(notice);
    case 'warning':
      return `warning ${notice.code}`;
  }
}

function mlsTrace({ state, epoch, clearPeers, clearCopies }: Extract<SessionNotice, { kind: 'mls' }>): string {
  const words = ['mls', state, epoch === undefined ? '' : String(epoch), list(clearPeers)];
  return [...words, clearCopies === true ? 'copies in clear' : ''].filter((word) => word !== '').join(' ');
}

function effectTrace(effect: Effect): string {
  switch (effect.kind) {
    case 'send':
      return sendTrace(effect.message);
    case 'subscribe':
    case 'unsubscribe':
      return `${effect.kind} ${short(effect.name)}`;
    case 'setTimer':
      return `setTimer ${effect.timer} ${String(effect.afterMs)}`;
    case 'clearTimer':
      return `clearTimer ${effect.timer}`;
    case 'notify':
      return noticeTrace(effect.notice);
    case 'mls':
      return `mls ${effect.request.op}`;
    case 'delivery': {
      const progress = `${String(effect.progress.acked.length)}/${String(effect.progress.missing.length)}`;
      const error = effect.error === undefined ? '' : ` ${effect.error.code}`;
      return `delivery ${String(effect.id)} ${effect.state} ${progress}${error}`;
    }
    case 'settle': {
      const member = effect.member === undefined ? '' : ` ${short(effect.member)}`;
      return `settle ${String(effect.id)}${member}${effect.error === undefined ? '' : ` ${effect.error.code}`}`;
    }
    case 'end':
      return `end ${effect.reason}`;
  }
}

function isTimer({ kind }: Effect): boolean {
  return kind === 'setTimer' || kind === 'clearTimer';
}

function isRequest(effect: Effect): boolean {
  return effect.kind === 'notify' && (effect.notice.kind === 'invite' || effect.notice.kind === 'remove');
}

/**
 * Effects as short lines; timers are left out, see {@link timerTrace}, and so is what tells of invitations and removals, see
 * {@link requestTrace}. `delivery <id> <state> <acked>/<missing>`.
 */
export function trace(effects: readonly Effect[]): string[] {
  return effects.filter((effect) => !isTimer(effect) && !isRequest(effect)).map(effectTrace);
}

/** What the application hears of members that come and go, and of what it asked for, in order: `invite b joined app ref`. */
export function requestTrace(effects: readonly Effect[]): string[] {
  const isMember = (effect: Effect): boolean =>
    effect.kind === 'notify' && (effect.notice.kind === 'joined' || effect.notice.kind === 'left');
  return effects.filter((effect) => isRequest(effect) || isMember(effect)).map(effectTrace);
}

/** Only what concerns timers. */
export function timerTrace(effects: readonly Effect[]): string[] {
  return effects.filter(isTimer).map(effectTrace);
}

/** The messages that are sent. */
export function sent(effects: readonly Effect[]): OutboundMessage[] {
  return effects.flatMap((effect) => (effect.kind === 'send' ? [effect.message] : []));
}

/** The kinds of the messages that are sent. */
export function sentKinds(effects: readonly Effect[]): string[] {
  return sent(effects).map(({ messageType }) => kindOf(messageType));
}

/** Id of the only message of a kind that is sent. */
export function idOf(effects: readonly Effect[], kind: MessageKind): number {
  const found = sent(effects).filter(({ messageType }) => messageType === MessageType[kind]);
  if (found.length !== 1) {
    throw new Error(`${String(found.length)} messages of kind ${kind} in ${trace(effects).join(', ')}`);
  }
  return found[0]!.messageId;
}

/** Ids of all messages of a kind that are sent. */
export function idsOf(effects: readonly Effect[], kind: MessageKind): number[] {
  return sent(effects).flatMap(({ messageType, messageId }) => (messageType === MessageType[kind] ? [messageId] : []));
}

/** A machine with its timers: a driver without promises. */
export class Rig {
  readonly env = new TestEnv();
  readonly machine: SessionMachine;
  readonly timers = new Map<TimerKey, number>();
  #lastCommand = 0;

  constructor(machine: SessionMachine) {
    this.machine = machine;
  }

  /** Runs one input and keeps the books of timers. */
  handle(input: Input): Effect[] {
    const effects = this.machine.handle(input, this.env);
    for (const effect of effects) {
      if (effect.kind === 'setTimer') this.timers.set(effect.timer, this.env.nowMs + effect.afterMs);
      if (effect.kind === 'clearTimer') this.timers.delete(effect.timer);
    }
    return effects;
  }

  receive(...messages: readonly PublishMessage[]): Effect[] {
    return messages.flatMap((message) => this.handle({ kind: 'message', message, subject: 'subject' }));
  }

  /** Runs a command; its number counts up from 1. */
  command(command: SessionCommand): Effect[] {
    this.#lastCommand += 1;
    return this.handle({ kind: 'command', id: this.#lastCommand, command });
  }

  get lastCommand(): CommandId {
    return this.#lastCommand;
  }

  /** Lets time pass; timers fire when they are due, the earliest first. */
  advance(ms: number): Effect[] {
    const effects: Effect[] = [];
    const until = this.env.nowMs + ms;
    for (;;) {
      const next = [...this.timers].filter(([, dueMs]) => dueMs <= until).sort(([, a], [, b]) => a - b)[0];
      if (next === undefined) break;
      const [timer, dueMs] = next;
      this.env.nowMs = Math.max(this.env.nowMs, dueMs);
      this.timers.delete(timer);
      effects.push(...this.handle({ kind: 'timer', timer }));
    }
    this.env.nowMs = until;
    return effects;
  }
}
