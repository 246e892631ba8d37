import { addLine, addNotes, groupPrefix, withNames } from './add-line.js';
import { labelsOf, nameWithoutId } from './display-name.js';
import type { ChatEvent } from './events.js';
import { sanitiseText } from './sanitise.js';
import type { ChatOptions, ChatState, MemberView, SessionView } from './state.js';
import { closedWords, count, labelIn, protectionWords } from './words.js';

type EventOf<Type extends ChatEvent['type']> = Extract<ChatEvent, { type: Type }>;

/** A session became usable. */
export function onSession(state: ChatState, event: EventOf<'session'>, options: ChatOptions): ChatState {
  const session: SessionView = {
    id: event.session,
    channel: event.channel,
    moderator: event.moderator,
    members: membersOf(event.members, [], state.local),
    mls: event.mls,
    clearPeers: [],
    timeoutMs: event.timeoutMs,
    maxRetries: event.maxRetries,
  };
  const others = state.sessions.filter(({ id }) => id !== session.id);
  const added = { ...state, sessions: [...others, session], waitingSinceMs: null };
  const next = withNames(added, labelsIn(session));
  if (session.moderator === state.local) return next;
  const moderator = labelIn(session, session.moderator);
  const invited = `${moderator} invited you to ${nameWithoutId(session.channel)}`;
  const members = session.members.map(({ name, label }) => {
    if (name === state.local) return `${label} (you)`;
    return name === session.moderator ? `${label} (moderator)` : label;
  });
  const joined = `joined: ${members.join(', ')}. ${protectionWords(session)}`;
  const told = addLine(next, { kind: 'info', text: invited }, event.at, options);
  return addLine(told, { kind: 'info', text: joined }, event.at, options);
}

/** Somebody joined. */
export function onJoined(state: ChatState, event: EventOf<'joined'>, options: ChatOptions): ChatState {
  const before = sessionOf(state, event.session);
  if (before === undefined) return state;
  const names = [...before.members.map(({ name }) => name), event.member];
  const session = { ...before, members: membersOf(names, before.members, state.local) };
  const app = nameWithoutId(event.member);
  const invitations = state.invitations.filter(({ name }) => nameWithoutId(name) !== app);
  const next = withNames({ ...replaceSession(state, session), invitations }, labelsIn(session));
  const text = `${groupPrefix(next, session)}${labelIn(session, event.member)} joined (${count(event.members, 'member')})`;
  return addLine(next, { kind: 'info', text }, event.at, options);
}

/** Somebody is no longer a member. */
export function onLeft(state: ChatState, event: EventOf<'left'>, options: ChatOptions): ChatState {
  const before = sessionOf(state, event.session);
  if (before === undefined) return state;
  const names = before.members.map(({ name }) => name).filter((name) => name !== event.member);
  const session = { ...before, members: membersOf(names, before.members, state.local) };
  const next = replaceSession(state, session);
  // The end of the session follows, and says it.
  if (event.member === state.local) return next;
  const text = `${groupPrefix(next, session)}${leftWords(before, event, state.local)}`;
  return addLine(next, { kind: 'info', text }, event.at, options);
}

function leftWords(session: SessionView, event: EventOf<'left'>, local: string): string {
  const label = labelIn(session, event.member);
  switch (event.reason) {
    case 'removed':
      return `${label} was removed by ${session.moderator === local ? 'you' : labelIn(session, session.moderator)}`;
    case 'left':
      return `${label} left`;
    case 'offline':
      return `${label} is offline and out of the group`;
  }
}

/** A payload arrived. */
export function onMessage(state: ChatState, event: EventOf<'message'>, options: ChatOptions): ChatState {
  const session = sessionOf(state, event.session);
  const label = labelIn(session, event.from);
  if (isReceipt(event)) {
    if (state.confirming.includes(event.from)) return state;
    const text = `${groupPrefix(state, session)}${label} confirms each message it gets (not shown again)`;
    const next = { ...state, confirming: [...state.confirming, event.from] };
    return addLine(next, { kind: 'info', text }, event.at, options);
  }
  const shown = event.text === undefined ? bytesWords(event.textBase64 ?? '') : sanitiseText(event.text);
  // Where the status line says that text is in clear anyway, or that there is no MLS, it is said of all.
  const isException = session?.mls.state === 'on' && !event.encrypted;
  const text = `${groupPrefix(state, session)}${isException ? '(in clear) ' : ''}${shown}`;
  return addLine(state, { kind: 'chat', text, from: label, fromName: event.from }, event.at, options);
}

// The example program of SLIM 1.x answers every message with one to its sender alone.
function isReceipt(event: EventOf<'message'>): boolean {
  return event.metadata['PUBLISH_TO'] !== undefined && event.text?.startsWith('message received by ') === true;
}

function bytesWords(base64: string): string {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return `<${count((base64.length / 4) * 3 - padding, 'byte')}, not text>`;
}

/** A message of a peer is missing for good. */
export function onLost(state: ChatState, event: EventOf<'lost'>, options: ChatOptions): ChatState {
  const session = sessionOf(state, event.session);
  const text = `${groupPrefix(state, session)}a message from ${labelIn(session, event.from)} is lost`;
  return addLine(state, { kind: 'info', text }, event.at, options);
}

/** The protection changed. */
export function onMls(state: ChatState, event: EventOf<'mls'>, options: ChatOptions): ChatState {
  const before = sessionOf(state, event.session);
  if (before === undefined) return state;
  const { clearPeers, epoch, suite } = event;
  const mls = {
    state: event.state,
    ...(epoch === undefined ? {} : { epoch }),
    ...(suite === undefined ? {} : { suite }),
  };
  const session = { ...before, mls, clearPeers };
  // A new epoch comes with each change of the membership, which has its own line.
  const lines = before.mls.state === event.state ? clearPeerLines(before, session) : [protectionWords(session)];
  return lines.reduce(
    (next, text) => addLine(next, { kind: 'info', text: `${groupPrefix(next, session)}${text}` }, event.at, options),
    replaceSession(state, session),
  );
}

/** Whose text is not encrypted any more, or is again, although that of the group is. */
function clearPeerLines(before: SessionView, session: SessionView): readonly string[] {
  if (session.mls.state !== 'on') return [];
  return session.members.flatMap(({ name, label }) => {
    const isClear = session.clearPeers.includes(name);
    if (isClear === before.clearPeers.includes(name)) return [];
    return [isClear ? `${label} sends in clear: what it says is not encrypted` : `${label} encrypts now`];
  });
}

/** A member stopped answering, or answers again. */
export function onPresence(state: ChatState, event: EventOf<'presence'>, options: ChatOptions): ChatState {
  const before = sessionOf(state, event.session);
  const member = before?.members.find(({ name }) => name === event.member);
  if (before === undefined || member === undefined || member.presence === event.presence) return state;
  const members = before.members.map((other) => (other === member ? { ...other, presence: event.presence } : other));
  const session = { ...before, members };
  const next = replaceSession(state, session);
  const heard =
    event.lastHeardAt === undefined ? 'not heard yet' : `last heard ${options.clock.time(event.lastHeardAt)}`;
  const words = event.presence === 'silent' ? `does not answer (${heard})` : 'answers again';
  return addLine(
    next,
    { kind: 'info', text: `${groupPrefix(next, session)}${member.label} ${words}` },
    event.at,
    options,
  );
}

/** A session ended. A participant waits again. */
export function onClosed(state: ChatState, event: EventOf<'closed'>, options: ChatOptions): ChatState {
  const session = sessionOf(state, event.session);
  const isLeaving = state.leaving !== null;
  const draft = closedWords(session, event.reason, isLeaving);
  const told = addLine(state, { ...draft, text: `${groupPrefix(state, session)}${draft.text}` }, event.at, options);
  const sessions = state.sessions.filter(({ id }) => id !== event.session);
  const waits = sessions.length === 0 && !isLeaving && state.role === 'participant';
  const next: ChatState = {
    ...told,
    sessions,
    invitations: sessions.length === 0 ? [] : told.invitations,
    waitingSinceMs: waits ? options.clock.ms(event.at) : null,
  };
  return waits ? addNotes(next, waitingLines(state.local)) : next;
}

/** What a participant without a group should know. */
export function waitingLines(local: string): readonly string[] {
  return [`Waiting for an invitation. Tell a moderator to type:  /invite ${nameWithoutId(local)}`];
}

function sessionOf(state: ChatState, id: number): SessionView | undefined {
  return state.sessions.find((session) => session.id === id);
}

function labelsIn(session: SessionView): readonly string[] {
  return session.members.map(({ label }) => label);
}

function replaceSession(state: ChatState, session: SessionView): ChatState {
  return { ...state, sessions: state.sessions.map((other) => (other.id === session.id ? session : other)) };
}

function membersOf(names: readonly string[], before: readonly MemberView[], local: string): readonly MemberView[] {
  const labels = labelsOf(names);
  return [...labels].map(([name, label]): MemberView => {
    if (name === local) return { name, label, presence: 'you' };
    return { name, label, presence: before.find((member) => member.name === name)?.presence ?? 'online' };
  });
}
