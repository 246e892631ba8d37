import { currentSession } from './add-line.js';
import { shortName } from './display-name.js';
import type { ChatLine } from './line-log.js';
import type { InputContext } from './slash-command.js';
import type { ChatState, OwnMessage } from './state.js';
import { count, ordinal, protectionWords, seconds } from './words.js';

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
      state.invitations.length > 0 ||
      state.own.some(({ isPrinted }) => !isPrinted))
  );
}

/** One line for each invitation under way, with the time it has left. */
export function invitationLines(state: ChatState, nowMs: number): readonly string[] {
  return state.invitations
    .filter(({ attempt, hasTimedOut }) => attempt === 1 && !hasTimedOut)
    .map(({ label, deadlineMs }) => `inviting ${label} ... no answer yet, ${seconds(deadlineMs - nowMs)} left`);
}

/** The status line: the group and its members, or what is being waited for; then everything that is not as it should be. */
export function statusLine(state: ChatState, nowMs: number): string {
  const session = currentSession(state);
  const parts: string[] = [];
  if (session !== undefined) {
    parts.push(shortName(session.channel));
    const silent = session.members.filter(({ presence }) => presence === 'silent').length;
    parts.push(`${count(session.members.length, 'member')}${silent > 0 ? `, ${silent} silent` : ''}`);
    if (state.invitations.length > 0) {
      parts.push(`waiting for ${state.invitations.map(({ label }) => label).join(', ')}`);
    }
    parts.push(protectionWords(session));
  } else if (state.waitingSinceMs !== null) {
    parts.push(`waiting for an invitation, ${minutes(nowMs - state.waitingSinceMs)}`);
  }
  const connection = connectionWords(state, nowMs);
  if (connection !== '') parts.push(connection);
  if (state.failed.length > 0) parts.push(`${state.failed.length} undelivered`);
  if (state.leaving !== null) parts.push(`leaving, ${seconds(state.leaving.deadlineMs - nowMs)} at most`);
  return parts.join(' | ');
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

/** What the first of two key presses that leave should say: what leaving means for others. */
export function leaveWarning(state: ChatState): string {
  const parts = ['Press Ctrl+C again to leave.'];
  const session = currentSession(state);
  const others = (session?.members.length ?? 1) - 1;
  if (session?.moderator === state.local && others > 0) {
    parts.push(`You are the moderator: the group closes for ${count(others, 'member')}.`);
  }
  if (state.node?.embedded === true) parts.push('Your node stops too.');
  return parts.join(' ');
}

/** What `parseInput` must know. */
export function inputContext(state: ChatState, isConfirmed: boolean): InputContext {
  const session = currentSession(state);
  return {
    local: state.local,
    members: session?.members ?? [],
    isInGroup: session !== undefined,
    isModerator: session?.moderator === state.local,
    isConfirmed,
  };
}
