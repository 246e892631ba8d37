import { addLine, addNotes, sessionOf, withNames } from './add-line.js';
import { labelsOf, nameWithoutId, shortName } from './display-name.js';
import type { ChatEvent } from './events.js';
import { sanitiseText } from './sanitise.js';
import type { ChatOptions, ChatState, LocalAction, MemberView, SessionView } from './state.js';
import { askedWords, bytesWords, closedWords, count, labelIn, mlsWords, protectionWords } from './words.js';

/** How many members are remembered that confirm messages with messages. */
const MAX_CONFIRMING = 1000;

type EventOf<Type extends ChatEvent['type']> = Extract<ChatEvent, { type: Type }>;

/** A session became usable. */
export function onSession(state: ChatState, event: EventOf<'session'>, options: ChatOptions): ChatState {
  const session: SessionView = {
    id: event.session,
    channel: event.channel,
    moderator: event.moderator,
    role: event.role,
    members: membersOf(event.members, [], state.local),
    mls: event.mls,
    clearPeers: [],
    clearCopies: false,
    timeoutMs: event.timeoutMs,
    maxRetries: event.maxRetries,
    unread: 0,
  };
  const others = state.sessions.filter(({ id }) => id !== session.id);
  const added: ChatState = {
    ...state,
    sessions: [...others, session],
    // Who is in no group sees the first one that there is; everybody else goes on where he was.
    activeSession: others.length === 0 ? session.id : state.activeSession,
    lostGroup: null,
    waitingSinceMs: null,
    asked: state.asked.filter((asked) => asked.session !== session.id),
  };
  const next = withNames(added, labelsIn(session));
  if (session.role === 'moderator') return next;
  const moderator = labelIn(session, session.moderator);
  const invited = `${moderator} invited you to ${nameWithoutId(session.channel)}`;
  const members = session.members.map(({ name, label }) => {
    if (name === state.local) return `${label} (you)`;
    return name === session.moderator ? `${label} (moderator)` : label;
  });
  const joined = `joined: ${members.join(', ')}. ${protectionWords(session)}`;
  const told = addLine(next, { kind: 'info', text: invited, about: session }, event.at, options);
  return addLine(told, { kind: 'info', text: joined, about: session }, event.at, options);
}

/** The user wants another group on the screen. */
export function onSwitch(
  state: ChatState,
  action: Extract<LocalAction, { type: 'switch' }>,
  options: ChatOptions,
): ChatState {
  const session = sessionOf(state, action.session);
  if (session === undefined || state.activeSession === session.id) return state;
  const read = replaceSession(state, { ...session, unread: 0 });
  const news = session.unread > 0 ? `, ${session.unread} unread above` : '';
  const text = `now in ${nameWithoutId(session.channel)} (${count(session.members.length, 'member')}${news})`;
  return addLine({ ...read, activeSession: session.id }, { kind: 'info', text }, action.at, options);
}

/** Somebody invites this app, and what has become of that. */
export function onInvitation(state: ChatState, event: EventOf<'invitation'>, options: ChatOptions): ChatState {
  const before = state.asked.find(({ session }) => session === event.session);
  const others = state.asked.filter((asked) => asked !== before);
  const label = shortName(event.from);
  const channel = nameWithoutId(event.channel);
  switch (event.state) {
    case 'asked': {
      const { session, from, mls } = event;
      const deadlineMs = options.clock.ms(event.at) + (event.expiresInMs ?? 0);
      const next = { ...state, asked: [...others, { session, from, label, channel: event.channel, mls, deadlineMs }] };
      // An inviter that does not give up comes back every half minute: that is for the status line.
      if (event.attempt > 1) return next;
      return addLine(next, { kind: 'alert', text: askedWords(event) }, event.at, options);
    }
    case 'accepted':
      return { ...state, asked: others };
    case 'declined':
      return addLine({ ...state, asked: others }, { kind: 'info', text: `declined ${channel}` }, event.at, options);
    case 'lapsed': {
      if (event.attempt > 1) return { ...state, asked: others };
      const text = `the invitation of ${label} to ${channel} has lapsed`;
      return addLine({ ...state, asked: others }, { kind: 'info', text }, event.at, options);
    }
  }
}

/** Somebody joined. */
export function onJoined(state: ChatState, event: EventOf<'joined'>, options: ChatOptions): ChatState {
  const before = sessionOf(state, event.session);
  if (before === undefined) return state;
  const names = [...before.members.map(({ name }) => name), event.member];
  const session = { ...before, members: membersOf(names, before.members, state.local) };
  const app = nameWithoutId(event.member);
  const invitations = state.invitations.filter(
    (invitation) => invitation.session !== session.id || nameWithoutId(invitation.name) !== app,
  );
  const next = withNames({ ...replaceSession(state, session), invitations }, labelsIn(session));
  const text = `${labelIn(session, event.member)} joined (${count(event.members, 'member')})`;
  return addLine(next, { kind: 'info', text, about: session }, event.at, options);
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
  return addLine(next, { kind: 'info', text: leftWords(before, event), about: session }, event.at, options);
}

function leftWords(session: SessionView, event: EventOf<'left'>): string {
  const label = labelIn(session, event.member);
  switch (event.reason) {
    case 'removed':
      return `${label} was removed by ${session.role === 'moderator' ? 'you' : labelIn(session, session.moderator)}`;
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
    const text = `${label} confirms each message it gets (not shown again)`;
    // Names are others' choice: only so many are remembered.
    const confirming = [...state.confirming, event.from].slice(-MAX_CONFIRMING);
    return addLine({ ...state, confirming }, { kind: 'info', text, about: session }, event.at, options);
  }
  const shown = event.text === undefined ? bytesWords(byteCount(event.textBase64 ?? '')) : sanitiseText(event.text);
  // Where the status line says that text is in clear anyway, or that there is no MLS, it is said of all.
  const isException = session?.mls.state === 'on' && !event.encrypted;
  const text = `${isException ? '(in clear) ' : ''}${shown}`;
  const isUnread = session !== undefined && session.id !== state.activeSession;
  const next = isUnread ? replaceSession(state, { ...session, unread: session.unread + 1 }) : state;
  return addLine(next, { kind: 'chat', text, from: label, fromName: event.from, about: session }, event.at, options);
}

// The example program of SLIM 1.x answers every message with one to its sender alone.
function isReceipt(event: EventOf<'message'>): boolean {
  return event.metadata['PUBLISH_TO'] !== undefined && event.text?.startsWith('message received by ') === true;
}

function byteCount(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}

/** A message of a peer is missing for good. */
export function onLost(state: ChatState, event: EventOf<'lost'>, options: ChatOptions): ChatState {
  const session = sessionOf(state, event.session);
  const text = `a message from ${labelIn(session, event.from)} is lost`;
  return addLine(state, { kind: 'info', text, about: session }, event.at, options);
}

/** The protection changed. */
export function onMls(state: ChatState, event: EventOf<'mls'>, options: ChatOptions): ChatState {
  const before = sessionOf(state, event.session);
  if (before === undefined) return state;
  const { clearPeers, clearCopies = false, epoch, suite } = event;
  const mls = {
    state: event.state,
    ...(epoch === undefined ? {} : { epoch }),
    ...(suite === undefined ? {} : { suite }),
  };
  const session = { ...before, mls, clearPeers, clearCopies };
  // A new epoch comes with each change of the membership, which has its own line.
  const lines = [...(before.mls.state === event.state ? [] : [mlsWords(session)]), ...clearPeerLines(before, session)];
  return lines.reduce(
    (next, text) => addLine(next, { kind: 'info', text, about: session }, event.at, options),
    replaceSession(state, session),
  );
}

/** Who cannot read what is encrypted, and what it gets instead. In a group where all is in clear there is nothing to tell apart. */
function clearPeerLines(before: SessionView, session: SessionView): readonly string[] {
  if (session.mls.state !== 'on') return [];
  const known = before.mls.state === 'on' && before.clearCopies === session.clearCopies ? before.clearPeers : [];
  const found = session.clearPeers.filter((name) => !known.includes(name));
  const gone = known.filter((name) => !session.clearPeers.includes(name));
  const members = session.members.map(({ name }) => name);
  return [
    ...found.map((name) => {
      const gets = session.clearCopies ? 'gets a copy in clear of what you write' : 'cannot read what you write';
      return `${labelIn(session, name)} sends in clear and ${gets}`;
    }),
    ...gone.filter((name) => members.includes(name)).map((name) => `${labelIn(session, name)} encrypts now`),
  ];
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
  return addLine(next, { kind: 'info', text: `${member.label} ${words}`, about: session }, event.at, options);
}

/** A session ended. A participant waits again; who is in other groups says himself where to go on. */
export function onClosed(state: ChatState, event: EventOf<'closed'>, options: ChatOptions): ChatState {
  const session = sessionOf(state, event.session);
  const isLeaving = state.leaving !== null;
  const draft = closedWords(session, event.reason, isLeaving);
  const told = addLine(state, { ...draft, about: session }, event.at, options);
  const sessions = state.sessions.filter(({ id }) => id !== event.session);
  const waits = sessions.length === 0 && !isLeaving && state.intent === 'participant';
  const wasActive = state.activeSession === event.session;
  const next: ChatState = {
    ...told,
    sessions,
    activeSession: wasActive ? null : state.activeSession,
    lostGroup: sessions.length === 0 && event.reason !== 'left' && session !== undefined ? session : null,
    invitations: told.invitations.filter((invitation) => invitation.session !== event.session),
    waitingSinceMs: waits ? options.clock.ms(event.at) : null,
  };
  if (waits) return addNotes(next, waitingLines(state.local), options);
  const [other] = sessions;
  if (!wasActive || isLeaving || other === undefined) return next;
  const text = `nothing goes anywhere until you choose: /switch ${shortName(other.channel)}`;
  return addLine(next, { kind: 'info', text }, event.at, options);
}

/** What a participant without a group should know. */
export function waitingLines(local: string): readonly string[] {
  return [`Waiting for an invitation. Tell a moderator to type:  /invite ${nameWithoutId(local)}`];
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
