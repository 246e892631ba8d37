import { activeSession } from './add-line.js';
import { nameWithoutId, shortName } from './display-name.js';
import type { ChatStatus, MemberInfo } from './events.js';
import type { ChatLine } from './line-log.js';
import type { InputContext } from './slash-command.js';
import type { ChatState, OwnMessage, SessionView } from './state.js';
import { count, ordinal, protectionWords, quote, seconds } from './words.js';

/** The finished lines; the same array for the same log. */
export function selectLines(state: ChatState): readonly ChatLine[] {
  return state.lines.toArray();
}

let liveOf: { readonly own: ChatState['own']; readonly live: readonly OwnMessage[] } | undefined;

/** Own messages of the live region, oldest first; the same array while they do not change. */
export function selectLive(state: ChatState): readonly OwnMessage[] {
  if (liveOf?.own !== state.own) liveOf = { own: state.own, live: state.own.filter(({ isPrinted }) => !isPrinted) };
  return liveOf.live;
}

/** How far an own message of the live region has come, in a word. */
export function deliveryWords(own: OwnMessage): string {
  if (own.state !== 'sent') return own.state;
  return `${own.acked}/${own.acked + own.missing.length}`;
}

/** Whether something on the screen changes by time alone, so that the UI must dispatch `tick` and draw, twice a second. */
export function needsTick(state: ChatState): boolean {
  return (
    state.ended === null &&
    (state.waitingSinceMs !== null ||
      state.leaving !== null ||
      state.connection.state === 'retrying' ||
      state.asked.length > 0 ||
      state.invitations.length > 0 ||
      state.own.some(({ isPrinted }) => !isPrinted))
  );
}

/** One line for each invitation under way, own ones and others', with the time it has left. */
export function invitationLines(state: ChatState, nowMs: number): readonly string[] {
  const asked = state.asked.map(({ label, channel, deadlineMs }) => {
    return `${label} invites you to ${shortName(channel)}: /accept or /decline, ${seconds(deadlineMs - nowMs)} left`;
  });
  const own = state.invitations
    .filter(({ attempt, hasTimedOut }) => attempt === 1 && !hasTimedOut)
    .map(({ label, deadlineMs }) => `inviting ${label} ... no answer yet, ${seconds(deadlineMs - nowMs)} left`);
  return [...own, ...asked];
}

/** The status line: the group and its members, or what is being waited for; then everything that is not as it should be. */
export function statusLine(state: ChatState, nowMs: number): string {
  const session = activeSession(state);
  const parts: string[] = [];
  if (session !== undefined) {
    parts.push(shortName(session.channel));
    const silent = session.members.filter(({ presence }) => presence === 'silent').length;
    parts.push(`${count(session.members.length, 'member')}${silent > 0 ? `, ${silent} silent` : ''}`);
    const invited = state.invitations.filter((invitation) => invitation.session === session.id);
    if (invited.length > 0) parts.push(`waiting for ${invited.map(({ label }) => label).join(', ')}`);
    parts.push(protectionWords(session));
  } else if (state.sessions.length > 0) {
    parts.push('no group chosen: /switch');
  } else if (state.waitingSinceMs !== null) {
    parts.push(`waiting for an invitation, ${minutes(nowMs - state.waitingSinceMs)}`);
  }
  const unread = state.sessions.filter((other) => other.unread > 0).map((other) => unreadWords(state, other));
  if (unread.length > 0) parts.push(`unread: ${unread.join(', ')}`);
  if (state.asked.length > 0) parts.push(count(state.asked.length, 'invitation'));
  const connection = connectionWords(state, nowMs);
  if (connection !== '') parts.push(connection);
  const undelivered = undeliveredCount(state);
  if (state.failed.length > 0) parts.push(`${undelivered} undelivered`);
  if (state.leaving !== null) parts.push(`leaving, ${seconds(state.leaving.deadlineMs - nowMs)} at most`);
  return parts.join(' | ');
}

/** `2 chat-b (Alt+3)`. */
function unreadWords(state: ChatState, session: SessionView): string {
  const number = state.sessions.indexOf(session) + 1;
  return `${session.unread} ${shortName(session.channel)}${number <= 9 ? ` (Alt+${number})` : ''}`;
}

function connectionWords({ connection }: ChatState, nowMs: number): string {
  switch (connection.state) {
    case 'up':
      return '';
    case 'connecting':
      return 'connecting';
    case 'lost':
      return 'no connection';
    case 'retrying': {
      const next = connection.nextMs > nowMs ? `, ${seconds(connection.nextMs - nowMs)}` : '';
      return `no connection, ${ordinal(Math.max(1, connection.attempt))} try${next}`;
    }
  }
}

function minutes(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** What stands before the line that is typed: where it goes, as soon as that could be anywhere else. */
export function promptText(state: ChatState): string {
  const session = activeSession(state);
  if (state.sessions.length < 2 && session !== undefined) return '> ';
  if (session === undefined) return state.sessions.length === 0 ? '> ' : '(no group)> ';
  return `${shortName(session.channel)}> `;
}

/** The lines of `/switch`: the groups with their numbers. */
export function groupLines(state: ChatState): readonly string[] {
  if (state.sessions.length === 0) return ['-- you are in no group'];
  return [
    '-- your groups',
    ...state.sessions.map((session, index) => {
      const words = [nameWithoutId(session.channel), count(session.members.length, 'member')];
      if (session.unread > 0) words.push(`${session.unread} unread`);
      if (session.id === state.activeSession) words.push('here');
      return `   ${index + 1}  ${words.join(', ')}`;
    }),
  ];
}

/** What the first of two key presses that leave should say: what leaving means for others. */
export function leaveWarning(state: ChatState): string {
  const parts = ['Press Ctrl+C again to leave.'];
  for (const session of state.sessions) {
    const others = session.members.length - 1;
    if (session.role !== 'moderator' || others < 1) continue;
    const which = state.sessions.length > 1 ? shortName(session.channel) : 'the group';
    parts.push(`You are the moderator: ${which} closes for ${count(others, 'member')}.`);
  }
  const unsent = unsentWords(state);
  if (unsent !== '') parts.push(unsent);
  if (state.node?.embedded === true) parts.push('Your node stops too.');
  return parts.join(' ');
}

/** What would never be sent if the program ended now; empty if nothing. */
export function unsentWords(state: ChatState): string {
  const unsent = state.own.filter((own) => own.state === 'queued');
  const [first] = unsent;
  if (first === undefined) return '';
  const more = unsent.length > 1 ? ` and ${unsent.length - 1} more` : '';
  return `Not sent yet: ${quote(first.text)}${more}.`;
}

/** What `parseInput` must know. */
export function inputContext(
  state: ChatState,
  options: { readonly isConfirmed: boolean; readonly maySendAhead?: boolean },
): InputContext {
  const session = activeSession(state);
  return {
    local: state.local,
    session: session?.id ?? null,
    maySendAhead: options.maySendAhead === true,
    members: session?.members ?? [],
    invited: state.invitations.filter((invitation) => invitation.session === session?.id),
    isModerator: session?.role === 'moderator',
    sessions: state.sessions.map(({ id, channel }) => ({
      id,
      label: shortName(channel),
      channel: nameWithoutId(channel),
    })),
    asked: state.asked.map(({ session: id, label, from, channel }) => ({
      session: id,
      label,
      from: nameWithoutId(from),
      channel: nameWithoutId(channel),
    })),
    unsent: unsentWords(state),
    isConfirmed: options.isConfirmed,
  };
}

/** Own messages that are neither acknowledged nor failed. */
export function unsettledCount(state: ChatState): number {
  return state.own.length;
}

/** Messages and lines that were not delivered or not sent: what the exit code 6 is about. */
export function undeliveredCount(state: ChatState): number {
  return state.failed.length + state.refused;
}

/** Whether messages wait for somebody to come: for the first group, or for its first member. */
export function isHolding(state: ChatState): boolean {
  return state.own.some((own) => own.state === 'queued' && isAlone(state, own.session));
}

/** Whether nobody else is in a session; null is the one that is still to come. */
export function isAlone(state: ChatState, session: number | null): boolean {
  const members = state.sessions.find(({ id }) => id === session)?.members.length ?? 0;
  return members < 2;
}

/** Own messages that a member of a session has not acknowledged, or never got. */
export function unackedCount(state: ChatState, session: number, member: string): number {
  const misses = (own: OwnMessage): boolean => own.session === session && own.missing.includes(member);
  return state.own.filter(misses).length + state.failed.filter(misses).length;
}

/** What `/who` tells of the members of a session. `lastHeardAt`: when each was heard last, by printed full name. */
export function memberInfos(
  state: ChatState,
  session: SessionView,
  lastHeardAt: (member: string) => string | undefined,
): readonly MemberInfo[] {
  return session.members.map(({ name, presence }): MemberInfo => {
    const heard = lastHeardAt(name);
    return {
      name,
      role: name === session.moderator ? 'moderator' : 'participant',
      presence,
      unacked: unackedCount(state, session.id, name),
      ...(heard !== undefined && { lastHeardAt: heard }),
    };
  });
}

/** What `/status` tells. */
export function selectStatus(
  state: ChatState,
  session: SessionView | undefined,
  logFile: string | undefined,
): ChatStatus {
  return {
    version: state.version,
    local: state.local,
    node: state.node ?? { endpoint: '', embedded: false },
    connection: state.connection.state,
    role: session?.role ?? state.intent,
    session: session?.id ?? null,
    channel: session?.channel ?? null,
    members: session?.members.length ?? 0,
    timeoutMs: session?.timeoutMs ?? null,
    maxRetries: session?.maxRetries ?? null,
    mls: session?.mls ?? { state: 'off' },
    others: state.sessions.filter((other) => other !== session).map(({ channel }) => channel),
    undelivered: undeliveredCount(state),
    logFile: logFile ?? null,
  };
}

/** The exit code that tells how it went. `isStrict`: undelivered messages count. `isOver`: without a group there is no point. */
export function exitCodeOf(
  state: ChatState,
  { isStrict, isOver }: { readonly isStrict: boolean; readonly isOver: boolean },
): number {
  if (state.lostGroup !== null && isOver) return 5;
  return isStrict && undeliveredCount(state) > 0 ? 6 : 0;
}
