import { shortName } from './display-name.js';
import { editDistance } from './edit-distance.js';
import type { ChatCommand } from './events.js';

/** What a typed line asks for. `help`, `groups` and `clear` are for the face around the chat, the rest for the chat itself. */
export type FaceCommand = ChatCommand | { readonly type: 'help' | 'groups' | 'clear' };

/**
 * A typed line, understood or not. A blank line asks for nothing. `isMessage`: what was not understood or cannot be sent is, or may be, a
 * message, so somebody may miss it.
 */
export type ParsedInput =
  | { readonly ok: true; readonly commands: readonly FaceCommand[] }
  | { readonly ok: false; readonly hint: string; readonly isMessage?: true };

/** What the parser must know of the chat. */
export interface InputContext {
  /** Own printed name. */
  readonly local: string;
  /** The session on the screen, which all that is typed is for; null if there is none. */
  readonly session: number | null;
  /** Whether a message may be written while there is no session, for the first one that comes. */
  readonly maySendAhead: boolean;
  /** Members of the session, to resolve short names. */
  readonly members: readonly { readonly name: string; readonly label: string }[];
  /** Who is being invited into it, to resolve short names as well. */
  readonly invited: readonly { readonly name: string; readonly label: string }[];
  readonly isModerator: boolean;
  /** All sessions, in the order of their numbers on the screen. */
  readonly sessions: readonly { readonly id: number; readonly label: string; readonly channel: string }[];
  /** Invitations that wait for an answer. */
  readonly asked: readonly {
    readonly session: number;
    readonly label: string;
    readonly from: string;
    readonly channel: string;
  }[];
  /** What would not be sent any more if the program ended now; empty if nothing. */
  readonly unsent: string;
  /** Whether this very line was given a hint just before, and is meant. */
  readonly isConfirmed: boolean;
}

/** One command for people. */
export interface CommandInfo {
  readonly name: string;
  /** Its arguments in the way help shows them, or empty. */
  readonly args: string;
  readonly help: string;
}

/** The commands, in the order help shows them. */
export const COMMANDS: readonly CommandInfo[] = [
  { name: 'help', args: '', help: 'this list' },
  { name: 'who', args: '', help: 'members, and who does not answer' },
  { name: 'status', args: '', help: 'connection, session and settings, for a bug report' },
  { name: 'invite', args: 'NAME...', help: 'invite by org/ns/app, or by app in your own org/ns' },
  { name: 'remove', args: 'NAME', help: 'remove a member' },
  { name: 'switch', args: 'GROUP', help: 'go on in another group, by its name or number; alone: list them' },
  { name: 'accept', args: '[NAME]', help: 'join the group that you are invited to' },
  { name: 'decline', args: '[NAME]', help: 'do not' },
  { name: 'retry', args: '', help: 'send undelivered messages again, to those who miss them' },
  { name: 'drop', args: '', help: 'forget messages that wait to be sent' },
  { name: 'me', args: 'TEXT', help: 'say what you do' },
  { name: 'clear', args: '', help: 'clear the screen, not the scrollback' },
  { name: 'leave', args: '', help: 'leave the group; a participant waits for the next invitation' },
  { name: 'quit', args: '', help: 'leave and end' },
];

/** The lines of `/help`. */
export function helpLines(): readonly string[] {
  const usage = COMMANDS.map(({ name, args }) => (args === '' ? `/${name}` : `/${name} ${args}`));
  const width = Math.max(...usage.map((text) => text.length));
  return [
    ...COMMANDS.map(({ help }, index) => `   ${(usage[index] ?? '').padEnd(width)}  ${help}`),
    `   ${'//TEXT'.padEnd(width)}  send a line that starts with a slash`,
  ];
}

/**
 * Understands a typed line: a `/command`, `//text` for a line that starts with a slash, or a message. No command has a slash in its
 * name, so a path is a message. A blank in front or a second line make everything a message, which goes out to the letter: code
 * that is pasted, for one. What is for a group carries the session that it was typed for.
 *
 * @param line - as typed; may hold LF
 */
export function parseInput(line: string, context: InputContext): ParsedInput {
  const typed = line.trimEnd();
  if (typed.includes('\n')) return parseText(line, context);
  if (typed.startsWith('//')) return parseText(line.slice(1), context);
  if (/^\/[^\s/]*(?:\s|$)/.test(typed)) return command(typed.slice(1), context);
  if ((typed === 'exit' || typed === 'quit') && !context.isConfirmed) {
    return hint(`type /quit to leave, Enter again to send the word "${typed}"`);
  }
  return parseText(line, context);
}

/** Takes a text as a message to the letter, whatever it begins with. A blank one asks for nothing. */
export function parseText(text: string, context: InputContext): ParsedInput {
  return text.trim() === '' ? { ok: true, commands: [] } : message(text, context);
}

function message(text: string, context: InputContext): ParsedInput {
  const { session, sessions, maySendAhead } = context;
  if (session !== null) return run({ type: 'publish', text, session });
  const [other] = sessions;
  if (other !== undefined) {
    return { ...hint(`choose the group that this is for: /switch ${other.label}`), isMessage: true };
  }
  if (maySendAhead) return run({ type: 'publish', text });
  const waiting = 'nobody is listening yet: you are waiting for an invitation (/help for commands)';
  return { ...hint(waiting), isMessage: true };
}

function command(text: string, context: InputContext): ParsedInput {
  const end = text.search(/\s/);
  const word = (end < 0 ? text : text.slice(0, end)).toLowerCase();
  const rest = end < 0 ? '' : text.slice(end).trim();
  const stamp = context.session === null ? {} : { session: context.session };
  switch (word) {
    case 'help':
    case 'clear':
    case 'retry':
      return rest === '' ? run({ type: word }) : hint(`/${word} takes no argument`);
    case 'who':
    case 'status':
    case 'drop':
      return rest === '' ? run({ type: word, ...stamp }) : hint(`/${word} takes no argument`);
    case 'quit':
    case 'exit':
      if (rest !== '') return hint('/quit takes no argument');
      if (context.unsent === '' || context.isConfirmed) return run({ type: 'exit' });
      return hint(`${context.unsent} Enter again leaves all the same.`);
    case 'leave':
      if (rest !== '') return hint('/leave takes no argument');
      if (context.session === null) return hint('you are in no group; /quit ends the program');
      return run({ type: 'leave', ...stamp });
    case 'me':
      if (rest === '') return hint('usage: /me TEXT');
      return message(`* ${appOf(context.local)} ${rest}`, context);
    case 'invite':
      return invite(rest, context);
    case 'remove':
      return remove(rest, context);
    case 'switch':
      return switchTo(rest, context);
    case 'accept':
    case 'decline':
      return answer(word, rest, context);
    default:
      return { ...hint(unknown(word)), isMessage: true };
  }
}

function switchTo(rest: string, { sessions }: InputContext): ParsedInput {
  if (rest === '') return run({ type: 'groups' });
  const number = /^[1-9]\d?$/.test(rest) ? sessions[Number(rest) - 1] : undefined;
  const named = sessions.filter(({ label, channel }) => label === rest || channel === rest);
  if (named.length > 1) return hint(`there are several groups "${rest}"; say which by its number (/switch lists them)`);
  const found = named[0] ?? number;
  if (found === undefined) return hint(`there is no group "${rest}" (/switch lists them)`);
  return run({ type: 'switch', session: found.id });
}

function answer(word: 'accept' | 'decline', rest: string, { asked }: InputContext): ParsedInput {
  const named = asked.filter(
    ({ label, from, channel }) =>
      rest === '' || [label, channel, shortName(channel), from, prefixOf(from)].includes(rest),
  );
  const [only] = named;
  if (only === undefined) return hint(rest === '' ? 'nobody invites you now' : `there is no invitation of "${rest}"`);
  if (named.length === 1) return run({ type: word, session: only.session });
  const names = named.map(({ from, channel }) => `${prefixOf(from)} (to ${channel})`);
  return hint(`there are several invitations, so say which: /${word} NAME or CHANNEL; ${names.join(', ')}`);
}

function invite(rest: string, context: InputContext): ParsedInput {
  const names = rest.split(/[\s,]+/).filter((name) => name !== '');
  if (names.length === 0) return hint('usage: /invite NAME..., e.g. /invite agntcy/ns/bob');
  const session = moderated('invite', context);
  if (typeof session === 'string') return hint(session);
  const commands: FaceCommand[] = [];
  for (const name of names) {
    const full = fullName(name, context.local);
    if (full === undefined) return hint(`a name is org/ns/app, got "${name}"`);
    commands.push({ type: 'invite', name: full, session });
  }
  return { ok: true, commands };
}

function remove(rest: string, context: InputContext): ParsedInput {
  if (rest === '' || /\s/.test(rest)) return hint('usage: /remove NAME');
  const session = moderated('remove', context);
  if (typeof session === 'string') return hint(session);
  const known = [...context.members, ...context.invited];
  const member = known.find(({ name, label }) => label === rest || name === rest || prefixOf(name) === rest);
  if (member !== undefined) return run({ type: 'remove', name: member.name, session });
  const full = fullName(rest, context.local);
  if (full === undefined || !rest.includes('/')) return hint(`there is no member "${rest}" (/who lists them)`);
  return run({ type: 'remove', name: full, session });
}

/** The session on the screen, if this app moderates it; else why not. */
function moderated(verb: string, { session, isModerator }: InputContext): number | string {
  if (session === null) return `you are in no group, so you cannot ${verb}`;
  return isModerator ? session : `only the moderator can ${verb}`;
}

function hint(text: string): { readonly ok: false; readonly hint: string } {
  return { ok: false, hint: text };
}

function run(single: FaceCommand): ParsedInput {
  return { ok: true, commands: [single] };
}

function fullName(name: string, local: string): string | undefined {
  const parts = name.split('/');
  if (parts.includes('')) return undefined;
  if (parts.length === 1) return [...local.split('/').slice(0, 2), name].join('/');
  return parts.length === 3 || parts.length === 4 ? name : undefined;
}

function prefixOf(name: string): string {
  return name.split('/').slice(0, 3).join('/');
}

function appOf(name: string): string {
  return name.split('/')[2] ?? name;
}

function unknown(word: string): string {
  const near = COMMANDS.map(({ name }) => ({ name, distance: editDistance(word, name) })).sort(
    (left, right) => left.distance - right.distance,
  )[0];
  const guess =
    near !== undefined && near.distance <= 2 && near.distance < word.length - 1
      ? `did you mean /${near.name}?`
      : 'try /help,';
  return `there is no command /${word}; ${guess} or // to send a line that starts with a slash`;
}
