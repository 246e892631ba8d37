import { assertNever } from '../util/index.js';
import { addLine, addNotes, sessionOf } from './add-line.js';
import type { ChatEvent } from './events.js';
import { addOwn, onDelivery, printOld } from './own-messages.js';
import {
  onClosed,
  onInvitation,
  onJoined,
  onLeft,
  onLost,
  onMessage,
  onMls,
  onPresence,
  onSession,
  onSwitch,
} from './session-reducer.js';
import { nameWithoutId, shortName } from './display-name.js';
import { sanitiseLine } from './sanitise.js';
import type { ChatAction, ChatOptions, ChatState, InvitationView, LocalAction } from './state.js';
import { inviteFailure, removeFailure, seconds, statusLines, whoLines } from './words.js';

/** The state after an event. Pure; the same object if nothing changed. */
export function reduce(state: ChatState, action: ChatAction, options: ChatOptions): ChatState {
  switch (action.type) {
    case 'own':
      return addOwn(state, action, options);
    case 'note':
      return addNotes(state, action.lines, options);
    case 'hint':
      return onHint(state, action, options);
    case 'tick':
      return printOld(state, action.nowMs, options);
    case 'leaving':
      return onLeaving(state, action.at, action.budgetMs, options);
    case 'retried':
      return { ...state, failed: state.failed.filter(({ key }) => !action.keys.includes(key)) };
    case 'switch':
      return onSwitch(state, action, options);
    case 'forget':
      return { ...state, lines: state.lines.dropBefore(action.before) };
    case 'ready':
      return onReady(state, action, options);
    case 'session':
      return onSession(state, action, options);
    // Told by the program, for others: the state knows it from what made it so.
    case 'active':
      return state;
    case 'invitation':
      return onInvitation(state, action, options);
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
    case 'warning': {
      const about = sessionOf(state, action.session ?? null);
      return addLine(state, { kind: 'info', text: sanitiseLine(action.message), about }, action.at, options);
    }
    case 'error':
      return onError(state, action, options);
    case 'closed':
      return onClosed(state, action, options);
    case 'who':
      return addNotes(state, whoLines(action.members, sessionOf(state, action.session), options.clock), options);
    case 'status':
      return addNotes(state, statusLines(action.status, sessionOf(state, action.status.session)), options);
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
    intent: event.role,
    node: event.node,
    connection: { state: 'up', attempt: 0, nextMs: 0 },
    waitingSinceMs: event.role === 'participant' && state.sessions.length === 0 ? clock.ms(event.at) : null,
  };
}

function onError(state: ChatState, event: Extract<ChatEvent, { type: 'error' }>, options: ChatOptions): ChatState {
  const about = sessionOf(state, event.session ?? null);
  const draft = { kind: 'alert', text: sanitiseLine(event.message), about } as const;
  // A message that was refused is counted where its failure is reported.
  const refused = state.refused + (event.key === undefined ? 1 : 0);
  return addLine({ ...state, refused }, draft, event.at, options);
}

/** The state after a command about a member has failed. One that was not even tried, because only the moderator may, is refused. */
function withRefusal(state: ChatState, code: string | undefined): ChatState {
  return code === 'not-moderator' ? { ...state, refused: state.refused + 1 } : state;
}

function onHint(state: ChatState, action: Extract<LocalAction, { type: 'hint' }>, options: ChatOptions): ChatState {
  const next = action.isRefusal === true ? { ...state, refused: state.refused + 1 } : state;
  return addLine(next, { kind: 'info', text: sanitiseLine(action.text) }, action.at, options);
}

function onLeaving(state: ChatState, at: string, budgetMs: number, options: ChatOptions): ChatState {
  if (state.leaving !== null) return state;
  const startedMs = options.clock.ms(at);
  const next = { ...state, leaving: { startedMs, deadlineMs: startedMs + budgetMs }, waitingSinceMs: null };
  return state.sessions.length === 0 ? next : addLine(next, { kind: 'info', text: 'leaving ...' }, at, options);
}

function onInvite(state: ChatState, event: Extract<ChatEvent, { type: 'invite' }>, options: ChatOptions): ChatState {
  const session = sessionOf(state, event.session);
  const before = state.invitations.find(
    (invitation) => invitation.session === event.session && sameApp(invitation.name, event.name),
  );
  const others = state.invitations.filter((invitation) => invitation !== before);
  if (event.state === 'joined') return { ...state, invitations: others };
  if (event.state === 'started') {
    if (session === undefined) return state;
    const lengthMs = session.timeoutMs * (session.maxRetries + 1);
    const startedMs = options.clock.ms(event.at);
    const invitation: InvitationView = {
      session: event.session,
      name: event.name,
      label: shortName(event.name),
      startedMs,
      deadlineMs: startedMs + lengthMs,
      attempt: (before?.attempt ?? 0) + 1,
      hasTimedOut: false,
      isFailureTold: before?.isFailureTold ?? false,
    };
    const next = { ...state, invitations: [...others, invitation] };
    if (options.isLive || invitation.attempt > 1) return next;
    const text = `inviting ${invitation.label}, up to ${seconds(lengthMs)}`;
    return addLine(next, { kind: 'info', text, about: session }, event.at, options);
  }
  const willRetry = event.retryInMs !== undefined;
  const failed = before && { ...before, hasTimedOut: true, isFailureTold: true };
  const invitations = willRetry && failed !== undefined ? [...others, failed] : others;
  const next = withRefusal({ ...state, invitations }, event.code);
  // The same news every half minute would bury the chat, and nobody asks for it on the way out.
  if (state.leaving !== null) return next;
  if (willRetry && before?.isFailureTold === true) return next;
  const text = inviteFailure(event.name, event.code, willRetry);
  return addLine(next, { kind: 'info', text, about: session }, event.at, options);
}

function sameApp(left: string, right: string): boolean {
  return nameWithoutId(left) === nameWithoutId(right);
}

function onRemove(state: ChatState, event: Extract<ChatEvent, { type: 'remove' }>, options: ChatOptions): ChatState {
  if (event.state !== 'failed') return state;
  const about = sessionOf(state, event.session);
  const next = withRefusal(state, event.code);
  return addLine(next, { kind: 'alert', text: removeFailure(event.name, event.code), about }, event.at, options);
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
    const why = event.reason === undefined ? '' : ` (${sanitiseLine(event.reason)})`;
    return addLine(next, { kind: 'info', text: `connection lost${why}, trying again` }, event.at, options);
  }
  if (event.state === 'up' && wasDown) return addLine(next, { kind: 'info', text: 'back online' }, event.at, options);
  return next;
}
