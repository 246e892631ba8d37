import { assertNever } from '../util/index.js';
import { graphemesOf, padded, widthOf } from './columns.js';
import { nameWithoutId, nameWithShortId, shortName } from './display-name.js';
import type { ChatEvent, ChatStatus, MemberInfo } from './events.js';
import { sanitiseLine } from './sanitise.js';
import type { ChatClock, SessionView } from './state.js';

const QUOTE_LENGTH = 40;

/** `1 member`, `2 members`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `1st`, `2nd`, `3rd`, `11th`. */
export function ordinal(number: number): string {
  const teen = number % 100 >= 11 && number % 100 <= 13;
  const suffix = teen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${suffix}`;
}

/** A duration in whole seconds, at least 0, as `24 s`. */
export function seconds(ms: number): string {
  return `${Math.max(0, Math.ceil(ms / 1000))} s`;
}

/** The beginning of a text in quotation marks, on one line. */
export function quote(text: string): string {
  const line = sanitiseLine(text);
  const graphemes = graphemesOf(line.slice(0, QUOTE_LENGTH * 20));
  return graphemes.length <= QUOTE_LENGTH ? `"${line}"` : `"${graphemes.slice(0, QUOTE_LENGTH - 3).join('')}..."`;
}

/** What protects the text of a group, truthfully, in a few words. */
export function mlsWords({ mls, clearPeers }: Pick<SessionView, 'mls' | 'clearPeers'>): string {
  switch (mls.state) {
    case 'off':
      return 'MLS off';
    case 'joining':
      return 'MLS joining';
    case 'on':
      return mls.epoch === undefined ? 'MLS on' : `MLS on, epoch ${mls.epoch}`;
    case 'keys-only':
      return `MLS keys agreed, text in clear (${clearPeers.length > 0 ? 'SLIM 0.7 peers' : '--mls-payload clear'})`;
    default:
      return assertNever(mls.state);
  }
}

/** What protects the text of a group, and who is left out of it. */
export function protectionWords(session: SessionView): string {
  const words = mlsWords(session);
  const [first] = session.clearPeers;
  if (session.mls.state !== 'on' || first === undefined) return words;
  const who = session.clearPeers.length === 1 ? labelIn(session, first) : count(session.clearPeers.length, 'member');
  return `${words}, ${session.clearCopies ? 'in clear for' : 'not for'} ${who}`;
}

/** The label of a member; of somebody who is no member, the short name. */
export function labelIn(session: SessionView | undefined, name: string): string {
  return session?.members.find((member) => member.name === name)?.label ?? shortName(name);
}

/** A payload that is no text. */
export function bytesWords(length: number): string {
  return `<${count(length, 'byte')}, not text>`;
}

/** An invitation that waits for an answer. */
export function askedWords({ from, channel, mls }: { from: string; channel: string; mls: boolean }): string {
  return `${shortName(from)} invites you to ${nameWithoutId(channel)} (MLS ${mls ? 'asked for' : 'off'}): /accept or /decline`;
}

/** Why an invitation failed, for people. */
export function inviteFailure(name: string, code: string | undefined, willRetry: boolean): string {
  const label = shortName(name);
  switch (code) {
    case 'invite-timeout':
      return `no answer from ${label}: not running, other name, different secret, or clocks that differ; ${
        willRetry ? 'still trying' : `/invite ${nameWithoutId(name)} tries again`
      }`;
    case 'already-in-group':
      return `${label} is in the group already`;
    case 'not-moderator':
      return `cannot invite ${label}: only the moderator can`;
    case 'mls-unsupported':
      return `cannot invite ${label}: it cannot take part with MLS`;
    case 'aborted':
    case 'closed':
      return `the invitation of ${label} was given up`;
    case undefined:
    default:
      return `could not invite ${label}${codeWords(code)}`;
  }
}

/** Why a removal failed, for people. */
export function removeFailure(name: string, code: string | undefined): string {
  const label = shortName(name);
  switch (code) {
    case 'participant-not-found':
      return `${label} is not in the group`;
    case 'not-moderator':
      return `cannot remove ${label}: only the moderator can`;
    case undefined:
    default:
      return `could not remove ${label}${codeWords(code)}`;
  }
}

function codeWords(code: string | undefined): string {
  return code === undefined ? '' : ` (${sanitiseLine(code)})`;
}

/** How a session ended, for people; `isLeaving` when it was this program's wish. */
export function closedWords(
  session: SessionView | undefined,
  reason: Extract<ChatEvent, { type: 'closed' }>['reason'],
  isLeaving: boolean,
): { readonly kind: 'info' | 'alert'; readonly text: string } {
  const channel = session === undefined ? 'the group' : nameWithoutId(session.channel);
  const moderator = session === undefined ? 'the moderator' : labelIn(session, session.moderator);
  if (reason === 'left' || (isLeaving && reason === 'closed')) return { kind: 'info', text: `left ${channel}` };
  switch (reason) {
    case 'closed':
      return { kind: 'alert', text: `${moderator} (moderator) closed the group` };
    case 'removed':
      return { kind: 'alert', text: `you were removed by ${moderator}` };
    case 'moderator-gone':
      return { kind: 'alert', text: `${moderator} (moderator) is gone, the group is closed` };
    default:
      return assertNever(reason);
  }
}

/** The lines of `/who`. */
export function whoLines(
  members: readonly MemberInfo[],
  session: SessionView | undefined,
  clock: ChatClock,
): readonly string[] {
  if (session === undefined) return ['-- you are in no group'];
  const labels = members.map(({ name }) => labelIn(session, name));
  const names = members.map(({ name }) => nameWithShortId(name));
  const labelWidth = Math.max(...labels.map(widthOf), 0);
  const nameWidth = Math.max(...names.map(widthOf), 0);
  return [
    `-- members of ${nameWithoutId(session.channel)}`,
    ...members.map((member, index) => {
      const label = padded(labels[index] ?? '', labelWidth);
      return `   ${label}  ${padded(names[index] ?? '', nameWidth)}  ${memberWords(member, clock)}`;
    }),
  ];
}

function memberWords(member: MemberInfo, clock: ChatClock): string {
  const words: string[] = [];
  if (member.role === 'moderator') words.push('moderator');
  if (member.presence === 'silent') {
    words.push(member.lastHeardAt === undefined ? 'silent' : `silent since ${clock.time(member.lastHeardAt)}`);
  } else {
    words.push(member.presence);
  }
  if (member.unacked > 0) words.push(`${count(member.unacked, 'message')} not acked`);
  return words.join(', ');
}

/** The lines of `/status`. */
export function statusLines(status: ChatStatus, session: SessionView | undefined): readonly string[] {
  const rows: readonly (readonly [string, string])[] = [
    ['version', status.version],
    ['you', `${status.local} (${status.role})`],
    ['node', `${status.node.endpoint}${status.node.embedded ? ', started by this program' : ''}`],
    ['connection', status.connection],
    ['channel', status.channel ?? (status.others.length === 0 ? 'none, waiting for an invitation' : 'none chosen')],
    ['session', status.session === null ? 'none' : `${status.session}, ${count(status.members, 'member')}`],
    ...status.others.map((other): [string, string] => ['also in', `${nameWithoutId(other)} (/switch)`]),
    ['retries', retryWords(status)],
    ['protection', session === undefined ? mlsWords({ mls: status.mls, clearPeers: [] }) : protectionWords(session)],
    ['undelivered', String(status.undelivered)],
    ['log file', status.logFile ?? 'none (--log-file FILE)'],
  ];
  return ['-- status', ...rows.map(([key, value]) => `   ${key.padEnd(11)}  ${sanitiseLine(value)}`)];
}

function retryWords({ timeoutMs, maxRetries }: ChatStatus): string {
  return timeoutMs === null || maxRetries === null ? '-' : `every ${timeoutMs} ms, ${maxRetries} times`;
}
