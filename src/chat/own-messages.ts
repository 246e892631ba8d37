import type { ChatEvent } from './events.js';
import { addLine, currentSession, ownLabel } from './add-line.js';
import { sanitiseText } from './sanitise.js';
import type { ChatOptions, ChatState, LocalAction, OwnMessage } from './state.js';
import { labelIn, quote } from './words.js';

/** How long an own message may stay in the live region, milliseconds. */
export const LIVE_MS = 1500;

/** A message was handed to the runtime. */
export function addOwn(
  state: ChatState,
  action: Extract<LocalAction, { type: 'own' }>,
  options: ChatOptions,
): ChatState {
  const own: OwnMessage = {
    ref: action.ref,
    text: sanitiseText(action.text),
    rawText: action.text,
    at: action.at,
    atMs: options.clock.ms(action.at),
    session: currentSession(state)?.id ?? null,
    state: 'queued',
    acked: 0,
    missing: [],
    isPrinted: action.isRetry === true || options.echo === 'none',
    isRetry: action.isRetry === true,
  };
  const added = { ...state, own: [...state.own, own] };
  return options.echo === 'print' ? printUpTo(added, added.own.length - 1, options) : added;
}

/** The state of an own message changed. Messages that no face has announced are not shown. */
export function onDelivery(
  state: ChatState,
  event: Extract<ChatEvent, { type: 'delivery' }>,
  options: ChatOptions,
): ChatState {
  const index = state.own.findIndex(({ ref }) => ref === event.ref);
  const before = state.own[index];
  if (before === undefined) return state;
  if (event.state === 'queued' || event.state === 'sent') {
    const after: OwnMessage = { ...before, state: event.state, acked: event.acked.length, missing: event.missing };
    return { ...state, own: state.own.with(index, after) };
  }
  const isDropped = event.state === 'failed' && before.state === 'queued' && event.missing.length === 0;
  if (isDropped && !before.isPrinted) return removeAt(state, index);
  const printed = removeAt(printUpTo(state, index, options), index);
  if (event.state === 'acked') {
    if (!before.isRetry) return printed;
    return addLine(printed, { kind: 'info', text: `now delivered: ${quote(before.text)}` }, event.at, options);
  }
  const failed: OwnMessage = { ...before, state: 'failed', missing: event.missing, isPrinted: true };
  const kept = isDropped ? printed : { ...printed, failed: [...printed.failed, failed] };
  return addLine(kept, { kind: 'alert', text: failureWords(state, failed) }, event.at, options);
}

/** Makes lines of own messages that have been in the live region long enough. */
export function printOld(state: ChatState, nowMs: number, options: ChatOptions): ChatState {
  const last = state.own.findLastIndex((own) => !own.isPrinted && own.state === 'sent' && nowMs - own.atMs >= LIVE_MS);
  return last < 0 ? state : printUpTo(state, last, options);
}

// All messages up to one, so that own lines keep the order in which they were written.
function printUpTo(state: ChatState, last: number, options: ChatOptions): ChatState {
  let next = state;
  for (const [index, own] of state.own.entries()) {
    if (index > last) break;
    if (own.isPrinted) continue;
    next = addLine(next, { kind: 'own', text: own.text, from: ownLabel(next), fromName: next.local }, own.at, options);
    next = { ...next, own: next.own.with(index, { ...own, isPrinted: true }) };
  }
  return next;
}

function removeAt(state: ChatState, index: number): ChatState {
  return { ...state, own: state.own.toSpliced(index, 1) };
}

function failureWords(state: ChatState, own: OwnMessage): string {
  const session = state.sessions.find(({ id }) => id === own.session) ?? currentSession(state);
  if (own.missing.length === 0) return `not delivered: ${quote(own.text)}  /retry`;
  const names = own.missing.map((name) => labelIn(session, name));
  const [only] = own.missing;
  const remove =
    session?.moderator === state.local && own.missing.length === 1 && only !== undefined
      ? ` or /remove ${labelIn(session, only)}`
      : '';
  return `not delivered to ${names.join(', ')}: ${quote(own.text)}  /retry${remove}`;
}
