import { assertNever } from '../util/index.js';
import { addLine, addNotes } from './add-line.js';
import type { ChatEvent } from './events.js';
import { addOwn, onDelivery, printOld } from './own-messages.js';
import { onClosed, onJoined, onLeft, onLost, onMessage, onMls, onPresence, onSession } from './session-events.js';
import { nameWithoutId, shortName } from './display-name.js';
import { sanitiseLine } from './sanitise.js';
import type { ChatAction, ChatOptions, ChatState, InvitationView } from './state.js';
import { currentSession } from './add-line.js';
import { inviteFailure, removeFailure, seconds, statusLines, whoLines } from './words.js';

// What an attempt lasts when no session says it: the client's defaults.
const DEFAULT_TIMEOUT_MS = 1000;
const DEFAULT_RETRIES = 29;

/** The state after an event. Pure; the same object if nothing changed. */
export function reduce(state: ChatState, action: ChatAction, options: ChatOptions): ChatState {
  switch (action.type) {
    case 'own':
      return addOwn(state, action, options);
    case 'note':
      return addNotes(state, action.lines);
    case 'hint':
      return addLine(state, { kind: 'info', text: sanitiseLine(action.text) }, action.at, options);
    case 'tick':
      return printOld(state, action.nowMs, options);
    case 'leaving':
      return onLeaving(state, action.at, action.budgetMs, options);
    case 'retried':
      return { ...state, failed: state.failed.filter(({ ref }) => !action.refs.includes(ref)) };
    case 'forget':
      return { ...state, lines: state.lines.dropBefore(action.before) };
    case 'ready':
      return onReady(state, action, options);
    case 'session':
      return onSession(state, action, options);
    case 'joined':
      return onJoined(state, action, options);
    case 'left':
      return onLeft(state, action, options);
    case 'invite':
      return onInvite(state, action, options);
    case 'remove':
      return onRemove(state, action, options);
    case 'message':
      return onMessage(state, action, options);
    case 'delivery':
      return onDelivery(state, action, options);
    case 'lost':
      return onLost(state, action, options);
    case 'mls':
      return onMls(state, action, options);
    case 'presence':
      return onPresence(state, action, options);
    case 'connection':
      return onConnection(state, action, options);
    case 'warning':
      return addLine(state, { kind: 'info', text: sanitiseLine(action.message) }, action.at, options);
    case 'error':
      return onError(state, action, options);
    case 'closed':
      return onClosed(state, action, options);
    case 'who':
      return addNotes(state, whoLines(action.members, currentSession(state), options.clock));
    case 'status':
      return addNotes(state, statusLines(action.status, currentSession(state)));
    case 'bye':
      return { ...state, ended: { exitCode: action.exitCode } };
    default:
      return assertNever(action);
  }
}

function onReady(state: ChatState, event: Extract<ChatEvent, { type: 'ready' }>, { clock }: ChatOptions): ChatState {
  return {
    ...state,
    version: event.version,
    local: event.local,
    role: event.role,
    node: event.node,
    connection: { state: 'up', attempt: 0, nextMs: 0 },
    waitingSinceMs: event.role === 'participant' && state.sessions.length === 0 ? clock.ms(event.at) : null,
  };
}

function onError(state: ChatState, event: Extract<ChatEvent, { type: 'error' }>, options: ChatOptions): ChatState {
  // A message that was refused is not on its way any more.
  const own = state.own.filter(({ ref }) => ref !== event.ref);
  const next = own.length === state.own.length ? state : { ...state, own };
  return addLine(next, { kind: 'alert', text: sanitiseLine(event.message) }, event.at, options);
}

function onLeaving(state: ChatState, at: string, budgetMs: number, options: ChatOptions): ChatState {
  if (state.leaving !== null) return state;
  const startedMs = options.clock.ms(at);
  const next = { ...state, leaving: { startedMs, deadlineMs: startedMs + budgetMs }, waitingSinceMs: null };
  return state.sessions.length === 0 ? next : addLine(next, { kind: 'info', text: 'leaving ...' }, at, options);
}

function onInvite(state: ChatState, event: Extract<ChatEvent, { type: 'invite' }>, options: ChatOptions): ChatState {
  const before = state.invitations.find(({ name }) => sameApp(name, event.name));
  const others = state.invitations.filter((invitation) => invitation !== before);
  if (event.state === 'joined') return { ...state, invitations: others };
  if (event.state === 'started') {
    const session = currentSession(state);
    const lengthMs = (session?.timeoutMs ?? DEFAULT_TIMEOUT_MS) * ((session?.maxRetries ?? DEFAULT_RETRIES) + 1);
    const startedMs = options.clock.ms(event.at);
    const invitation: InvitationView = {
      name: event.name,
      label: shortName(event.name),
      startedMs,
      deadlineMs: startedMs + lengthMs,
      attempt: (before?.attempt ?? 0) + 1,
      hasTimedOut: false,
    };
    const next = { ...state, invitations: [...others, invitation] };
    if (options.isLive || invitation.attempt > 1) return next;
    const text = `inviting ${invitation.label}, up to ${seconds(lengthMs)}`;
    return addLine(next, { kind: 'info', text }, event.at, options);
  }
  const willRetry = event.retryInMs !== undefined;
  const invitations = willRetry && before !== undefined ? [...others, { ...before, hasTimedOut: true }] : others;
  const next = { ...state, invitations };
  // The same news every half minute would bury the chat, and nobody asks for it on the way out.
  if (state.leaving !== null) return next;
  if (willRetry && before !== undefined && before.attempt > 1) return next;
  return addLine(next, { kind: 'info', text: inviteFailure(event.name, event.code, willRetry) }, event.at, options);
}

function sameApp(left: string, right: string): boolean {
  return nameWithoutId(left) === nameWithoutId(right);
}

function onRemove(state: ChatState, event: Extract<ChatEvent, { type: 'remove' }>, options: ChatOptions): ChatState {
  if (event.state !== 'failed') return state;
  return addLine(state, { kind: 'alert', text: removeFailure(event.name, event.code) }, event.at, options);
}

function onConnection(
  state: ChatState,
  event: Extract<ChatEvent, { type: 'connection' }>,
  options: ChatOptions,
): ChatState {
  const wasDown = state.connection.state === 'lost' || state.connection.state === 'retrying';
  const connection = {
    state: event.state,
    attempt: event.attempt ?? 0,
    nextMs: event.inMs === undefined ? 0 : options.clock.ms(event.at) + event.inMs,
  };
  const next = { ...state, connection };
  const isDown = event.state === 'lost' || event.state === 'retrying';
  // Before the app has been connected once there is no chat, and the program reports on its own.
  if (state.local === '' || state.leaving !== null) return next;
  if (isDown && !wasDown) {
    return addLine(next, { kind: 'info', text: 'connection lost, trying again' }, event.at, options);
  }
  if (event.state === 'up' && wasDown) return addLine(next, { kind: 'info', text: 'back online' }, event.at, options);
  return next;
}
