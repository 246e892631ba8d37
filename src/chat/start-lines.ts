import { nameWithoutId } from './display-name.js';
import type { ChatEvent } from './events.js';
import { sanitiseLine } from './sanitise.js';
import { waitingLines } from './session-reducer.js';

/** What the first lines must tell besides the `ready` event. */
export interface StartInfo {
  /** Whether the public demo secret is in use. */
  readonly isDemoSecret: boolean;
  /** Whether the group to moderate is encrypted end to end. */
  readonly mls: boolean;
  /** Whether `--local` was not given, so that the name was made up. */
  readonly isDerivedName: boolean;
  /** How to start this program, e.g. `npx slim-chat`. */
  readonly program: string;
  /** Names that were invited, for the line to paste. */
  readonly invites: readonly string[];
  /** Options others need too, e.g. `--slim http://10.0.0.5:46357`; empty if none. */
  readonly sharedOptions: string;
}

/** The lines once the app is connected: where, who, and what to do next. */
export function startLines(ready: Extract<ChatEvent, { type: 'ready' }>, info: StartInfo): readonly string[] {
  const where = sanitiseLine(ready.node.endpoint.replace(/^https?:\/\//, ''));
  const local = nameWithoutId(ready.local);
  const lines: string[] = [];
  if (ready.node.embedded) {
    lines.push(`No SLIM node at ${where}, started one here (this computer only, stops when you leave).`);
  }
  if (ready.channel === null) {
    lines.push(`Connected to ${where} as ${local}.${info.isDemoSecret ? ' Demo secret.' : ''}`);
  } else {
    const protection = `${info.isDemoSecret ? 'Demo secret, ' : ''}${info.mls ? 'MLS asked for' : 'MLS off'}.`;
    lines.push(`You are ${local}, moderator of ${nameWithoutId(ready.channel)}. ${protection}`);
  }
  if (info.isDerivedName) lines.push(`Your name was made from your user name; choose another with --local org/ns/app.`);
  if (ready.channel === null) return [...lines, ...waitingLines(ready.local)];
  if (info.invites.length === 0) return [...lines, 'Nobody is invited yet. Type:  /invite NAME'];
  lines.push(ready.node.embedded ? 'Others can join from this computer with:' : 'Others can join with:');
  for (const name of info.invites) {
    const options = info.sharedOptions === '' ? '' : ` ${info.sharedOptions}`;
    lines.push(`  ${info.program} --local ${nameWithoutId(name)}${options}`);
  }
  return lines;
}

/** The very first line. */
export function headerLine(version: string, isModerator: boolean): string {
  return `slim-chat ${version} - /help for commands, Ctrl+C ${isModerator ? 'twice ' : ''}to leave`;
}
