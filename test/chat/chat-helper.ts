import {
  type ChatAction,
  type ChatClock,
  type ChatEvent,
  type ChatOptions,
  type ChatState,
  formatLine,
} from '../../src/chat/index.js';
import { reduce } from '../../src/chat/reducer.js';
import { initialState } from '../../src/chat/state.js';

/** Reads times without a time zone. */
export const utcClock: ChatClock = {
  ms: (at) => Date.parse(at),
  time: (at) => at.slice(11, 16),
  day: (at) => at.slice(0, 10),
};

export const LIVE: ChatOptions = { clock: utcClock, echo: 'live', isLive: true, keepsLines: true };
export const PLAIN: ChatOptions = { clock: utcClock, echo: 'print', isLive: false, keepsLines: true };

export const ALICE = 'agntcy/ns/alice/9f3c01';
export const BOB = 'agntcy/ns/bob/41d002';
export const CAROL = 'agntcy/ns/carol/77aa03';
export const CHANNEL = 'agntcy/ns/chat-7q2k';

/** `12:01` or `12:01:07` on the test day, as an event has it. */
export function at(time: string): string {
  return `2026-11-23T${time.length === 5 ? `${time}:00` : time}.000Z`;
}

export function ready(local: string, role: 'moderator' | 'participant'): ChatEvent {
  return {
    type: 'ready',
    at: at('12:00'),
    local,
    role,
    channel: role === 'moderator' ? CHANNEL : null,
    node: { endpoint: 'http://127.0.0.1:46357', embedded: false },
    version: '0.1.0',
  };
}

/** A session of these members, the first of which is its moderator; `local` is who looks on. */
export function session(
  members: readonly string[],
  id = 7,
  channel = CHANNEL,
): Extract<ChatEvent, { type: 'session' }> {
  return {
    type: 'session',
    at: at('12:01'),
    session: id,
    channel,
    moderator: ALICE,
    members,
    // Who is alone in it has made it; with others, these tests look on as somebody else than alice unless they say so.
    role: members.length === 1 ? 'moderator' : 'participant',
    mls: { state: 'off' },
    timeoutMs: 1000,
    maxRetries: 29,
    metadata: {},
  };
}

export function message(from: string, text: string, time: string, metadata: Record<string, string> = {}): ChatEvent {
  return {
    type: 'message',
    at: at(time),
    session: 7,
    id: 1,
    from,
    text,
    payloadType: 'msg',
    metadata,
    encrypted: false,
  };
}

/** An own message begins; `ref` is `m` and its key. */
export function own(ref: string, text: string, time: string, session: number | null = 7): OwnAction {
  return { type: 'own', key: Number(ref.slice(1)), ref, content: { payload: text }, session, at: at(time) };
}

/** Its progress. */
export function delivery(
  ref: string,
  state: 'queued' | 'sent' | 'acked' | 'failed',
  acked: readonly string[],
  missing: readonly string[],
  time = '12:05',
): DeliveryEvent {
  const base = {
    type: 'delivery',
    key: Number(ref.slice(1)),
    ref,
    session: 7,
    id: state === 'queued' ? null : 1,
  } as const;
  return { ...base, state, acked, missing, at: at(time), ...(state === 'failed' && { reason: 'unacked' }) };
}

type OwnAction = Extract<ChatAction, { type: 'own' }>;
type DeliveryEvent = Extract<ChatEvent, { type: 'delivery' }>;

/** The state after some events. */
export function run(options: ChatOptions, ...actions: readonly ChatAction[]): ChatState {
  return actions.reduce((state, action) => reduce(state, action, options), initialState());
}

export function after(state: ChatState, options: ChatOptions, ...actions: readonly ChatAction[]): ChatState {
  return actions.reduce((before, action) => reduce(before, action, options), state);
}

/** The finished lines as a wide screen has them. */
export function screen(state: ChatState, columns = Infinity): string[] {
  return state.lines.toArray().flatMap((line) => formatLine(line, { nameWidth: state.nameWidth, columns }).split('\n'));
}
