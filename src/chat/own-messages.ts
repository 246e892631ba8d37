import type { ChatEvent } from './events.js';
import { addLine, ownLabel, sessionOf } from './add-line.js';
import { sanitiseText } from './sanitise.js';
import type { ChatOptions, ChatState, LocalAction, OwnContent, OwnMessage } from './state.js';
import { bytesWords, labelIn, quote } from './words.js';

/** How long an own message may stay in the live region, milliseconds. */
export const LIVE_MS = 1500;

/** How many failed messages are kept for another try, and how many UTF-16 units or bytes of them; the rest is only counted. */
const MAX_FAILED = 1000;
const MAX_FAILED_SIZE = 8 * 1024 * 1024;

/** A message was handed to the runtime. */
export function addOwn(
  state: ChatState,
  { at, key, ref, content, session, again }: Extract<LocalAction, { type: 'own' }>,
  options: ChatOptions,
): ChatState {
  const own: OwnMessage = {
    key,
    ref,
    content,
    text: shownText(content),
    at,
    atMs: options.clock.ms(at),
    session,
    id: again?.id ?? null,
    state: 'queued',
    sentMs: null,
    acked: 0,
    missing: again?.missing ?? [],
    reason: undefined,
    isPrinted: again !== undefined || options.echo === 'none',
    isRetry: again !== undefined,
  };
  const added = { ...state, own: [...state.own, own] };
  return options.echo === 'print' ? printUpTo(added, added.own.length - 1, options) : added;
}

/** The state of an own message changed. */
export function onDelivery(
  state: ChatState,
  event: Extract<ChatEvent, { type: 'delivery' }>,
  options: ChatOptions,
): ChatState {
  const index = state.own.findIndex(({ key }) => key === event.key);
  const before = state.own[index];
  if (before === undefined) return state;
  const { session, acked } = event;
  // What is refused has no number; had it one before, it is still that message, and nobody else misses it.
  const { id, missing } = event.id === null ? before : event;
  const known = { ...before, session, id, missing, acked: acked.length };
  if (event.state === 'queued' || event.state === 'sent') {
    const sentMs = event.state === 'sent' ? (before.sentMs ?? options.clock.ms(event.at)) : null;
    return { ...state, own: state.own.with(index, { ...known, state: event.state, sentMs }) };
  }
  const isDropped = event.reason === 'dropped';
  // Taken back by the user before anybody saw it: no line tells of it.
  if (isDropped && !before.isPrinted) return removeAt(state, index);
  const printed = removeAt(printUpTo(state, index, options), index);
  if (event.state === 'acked') {
    if (!before.isRetry) return printed;
    const text = `now delivered: ${quote(before.text)}`;
    return addLine(printed, { kind: 'info', text, about: sessionOf(state, session) }, event.at, options);
  }
  const failed: OwnMessage = { ...known, state: 'failed', reason: event.reason, isPrinted: true };
  const kept = isDropped ? printed : keepFailed(printed, failed);
  const draft = { kind: 'alert', text: failureWords(state, failed), about: sessionOf(state, session) } as const;
  return addLine(kept, draft, event.at, options);
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
    const about = sessionOf(next, own.session);
    const from = about === undefined ? ownLabel(next) : labelIn(about, next.local);
    next = addLine(next, { kind: 'own', text: own.text, from, fromName: next.local, about }, own.at, options);
    next = { ...next, own: next.own.with(index, { ...own, isPrinted: true }) };
  }
  return next;
}

function removeAt(state: ChatState, index: number): ChatState {
  return { ...state, own: state.own.toSpliced(index, 1) };
}

function keepFailed(state: ChatState, failed: OwnMessage): ChatState {
  const kept = [...state.failed, failed];
  let size = kept.reduce((sum, { content }) => sum + content.payload.length, 0);
  let { refused } = state;
  while (kept.length > MAX_FAILED || (size > MAX_FAILED_SIZE && kept.length > 1)) {
    size -= kept.shift()?.content.payload.length ?? 0;
    refused += 1;
  }
  return { ...state, failed: kept, refused };
}

function shownText({ payload }: OwnContent): string {
  return typeof payload === 'string' ? sanitiseText(payload) : bytesWords(payload.length);
}

function failureWords(state: ChatState, own: OwnMessage): string {
  const session = sessionOf(state, own.session);
  const text = quote(own.text);
  if (own.reason === 'dropped') return `dropped: ${text}`;
  const [only] = own.missing;
  // Whether it can be sent again is a question of its group, and of whether this program goes on.
  const retry = session === undefined || state.leaving !== null || own.reason === 'closed' ? '' : '  /retry';
  if (only === undefined) return `not sent: ${text}${retry}`;
  const names = own.missing.map((name) => labelIn(session, name));
  const isGone = (name: string): boolean => session?.members.every((member) => member.name !== name) === true;
  if (own.missing.every(isGone)) return `not delivered: ${text}; no longer in the group: ${names.join(', ')}`;
  const remove =
    retry !== '' && session?.role === 'moderator' && own.missing.length === 1
      ? ` or /remove ${labelIn(session, only)}`
      : '';
  return `not delivered to ${names.join(', ')}: ${text}${retry}${remove}`;
}
