import { editDistance } from './edit-distance.js';
import type { ChatCommand } from './events.js';

/** What a typed line asks for. `help`, `retry` and `clear` are for the face around the chat, the rest for the chat itself. */
export type FaceCommand = ChatCommand | { readonly type: 'help' | 'retry' | 'clear' };

/** A typed line, understood or not. A blank line asks for nothing. */
export type ParsedInput =
  { readonly ok: true; readonly commands: readonly FaceCommand[] } | { readonly ok: false; readonly hint: string };

/** What the parser must know of the chat. */
export interface InputContext {
  /** Own printed name. */
  readonly local: string;
  /** Members of the session, to resolve short names. */
  readonly members: readonly { readonly name: string; readonly label: string }[];
  /** Whether there is a session to write to. */
  readonly isInGroup: boolean;
  readonly isModerator: boolean;
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
  { name: 'retry', args: '', help: 'send undelivered messages again' },
  { name: 'drop', args: '', help: 'forget messages that wait for the first member' },
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
 * Understands a typed line: a `/command`, `//text` for a line that starts with a slash, or a message.
 *
 * @param line - as typed; may hold LF
 */
export function parseInput(line: string, context: InputContext): ParsedInput {
  const trimmed = line.trim();
  if (trimmed === '') return { ok: true, commands: [] };
  if (trimmed.startsWith('//')) return message(trimmed.slice(1), context);
  if (trimmed.startsWith('/')) return command(trimmed.slice(1), context);
  if ((trimmed === 'exit' || trimmed === 'quit') && !context.isConfirmed) {
    return { ok: false, hint: `type /quit to leave, Enter again to send the word "${trimmed}"` };
  }
  return message(line, context);
}

function message(text: string, context: InputContext): ParsedInput {
  if (!context.isInGroup) {
    return { ok: false, hint: 'nobody is listening yet: you are waiting for an invitation (/help for commands)' };
  }
  return run({ type: 'publish', text });
}

function command(text: string, context: InputContext): ParsedInput {
  const end = text.search(/\s/);
  const word = (end < 0 ? text : text.slice(0, end)).toLowerCase();
  const rest = end < 0 ? '' : text.slice(end).trim();
  switch (word) {
    case 'help':
    case 'who':
    case 'status':
    case 'retry':
    case 'drop':
    case 'clear':
      return rest === '' ? run({ type: word }) : { ok: false, hint: `/${word} takes no argument` };
    case 'quit':
    case 'exit':
      return rest === '' ? run({ type: 'exit' }) : { ok: false, hint: '/quit takes no argument' };
    case 'leave':
      if (rest !== '') return { ok: false, hint: '/leave takes no argument' };
      if (!context.isInGroup) return { ok: false, hint: 'you are in no group; /quit ends the program' };
      return run({ type: 'leave' });
    case 'me':
      if (rest === '') return { ok: false, hint: 'usage: /me TEXT' };
      return message(`* ${appOf(context.local)} ${rest}`, context);
    case 'invite':
      return invite(rest, context);
    case 'remove':
      return remove(rest, context);
    default:
      return { ok: false, hint: unknown(word) };
  }
}

function invite(rest: string, context: InputContext): ParsedInput {
  const names = rest.split(/[\s,]+/).filter((name) => name !== '');
  if (names.length === 0) return { ok: false, hint: 'usage: /invite NAME..., e.g. /invite agntcy/ns/bob' };
  const refusal = moderatorOnly('invite', context);
  if (refusal !== undefined) return refusal;
  const commands: FaceCommand[] = [];
  for (const name of names) {
    const full = fullName(name, context.local);
    if (full === undefined) return { ok: false, hint: `a name is org/ns/app, got "${name}"` };
    commands.push({ type: 'invite', name: full });
  }
  return { ok: true, commands };
}

function remove(rest: string, context: InputContext): ParsedInput {
  if (rest === '' || /\s/.test(rest)) return { ok: false, hint: 'usage: /remove NAME' };
  const refusal = moderatorOnly('remove', context);
  if (refusal !== undefined) return refusal;
  const member = context.members.find(({ name, label }) => label === rest || name === rest || prefixOf(name) === rest);
  if (member !== undefined) return run({ type: 'remove', name: member.name });
  const full = fullName(rest, context.local);
  if (full === undefined || !rest.includes('/')) {
    return { ok: false, hint: `there is no member "${rest}" (/who lists them)` };
  }
  return run({ type: 'remove', name: full });
}

function moderatorOnly(verb: string, context: InputContext): ParsedInput | undefined {
  if (!context.isInGroup) return { ok: false, hint: `you are in no group, so you cannot ${verb}` };
  return context.isModerator ? undefined : { ok: false, hint: `only the moderator can ${verb}` };
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
