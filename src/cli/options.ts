import { randomInt } from 'node:crypto';
import { userInfo } from 'node:os';

import type { MlsPolicy } from '../client/index.js';
import { Name } from '../name/index.js';
import { type ListenAddress, parseListen } from '../node/index.js';
import type { AcceptPolicy } from '../runtime/index.js';
import {
  type ClientConfig,
  DEFAULT_ENDPOINT,
  DEFAULT_HOST,
  DEFAULT_PORT,
  isLoopback,
  parseClientConfig,
} from '../transport/index.js';
import { invisibleEnd, UsageError } from '../util/index.js';
import { type GivenOptions, helpText, readArguments } from './arguments.js';
import { readDuration } from './duration.js';
import { CHAT_OPTIONS, NODE_OPTIONS } from './option-table.js';
import { findSecret, type Secret, type SecretSources } from './secret.js';

/** Largest T that the client takes. */
const MAX_TIMEOUT_MS = 60 * 60 * 1000;

const CHANNEL_ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
const CHANNEL_LETTERS = 6;

/** When to start a node inside this program. */
export type NodeMode = 'auto' | 'always' | 'never';

/** Everything the command line says about a chat. */
export interface ChatSettings {
  readonly local: Name;
  /** Whether `--local` was absent. */
  readonly isDerivedName: boolean;
  /** Channel of the group to moderate; `undefined` for a participant, who waits for an invitation. */
  readonly channel: Name | undefined;
  readonly invites: readonly Name[];
  readonly slim: ClientConfig;
  /** Options other members need to reach the same node, to paste; empty for the default endpoint. */
  readonly sharedOptions: string;
  readonly secret: Secret;
  readonly isJson: boolean;
  readonly isPlain: boolean;
  readonly node: NodeMode;
  /** T of the session, milliseconds; `undefined` leaves it to the client. */
  readonly timeoutMs: number | undefined;
  /** R of the session. */
  readonly maxRetries: number | undefined;
  /** Whether the group to moderate has MLS. */
  readonly mls: boolean;
  readonly mlsPayload: MlsPolicy;
  /** Whether members of a group with MLS are renewed before their leaves are too old. */
  readonly keepAliveGroup: boolean;
  readonly waitInvites: boolean;
  /** Which invitations of others are accepted. */
  readonly accept: AcceptPolicy;
  /** Longest wait for deliveries at the end of the input, milliseconds. */
  readonly lingerMs: number | undefined;
  readonly logFile: string | undefined;
}

/** Everything the command line says about `slim-chat node`. */
export interface NodeSettings {
  readonly listen: ListenAddress;
  readonly isJson: boolean;
  readonly logFile: string | undefined;
}

/** What the program is to do. */
export type Invocation =
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'chat'; readonly settings: ChatSettings }
  | { readonly kind: 'node'; readonly settings: NodeSettings };

/**
 * Understands the command line.
 *
 * @param argv - arguments without program and script
 * @throws UsageError or ConfigError with a text that says how to put it right
 */
export async function parseCommandLine(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  version: string,
): Promise<Invocation> {
  if (argv[0] === 'node') return parseNode(argv.slice(1), env);
  const given = await readArguments(argv, CHAT_OPTIONS, env);
  if (given.switched('help') === true) return { kind: 'print', text: await chatHelp() };
  if (given.switched('version') === true) return { kind: 'print', text: version };
  return { kind: 'chat', settings: chatSettings(given) };
}

async function parseNode(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<Invocation> {
  const given = await readArguments(argv, NODE_OPTIONS, env, 1);
  if (given.switched('help') === true) return { kind: 'print', text: await nodeHelp() };
  const listenText = given.text('listen');
  const listen = listenText === undefined ? { host: DEFAULT_HOST, port: DEFAULT_PORT } : parseListen(listenText);
  const settings = { listen, isJson: given.switched('json') === true, logFile: given.text('log-file') };
  return { kind: 'node', settings };
}

function chatSettings(given: GivenOptions): ChatSettings {
  const isJson = given.switched('json') === true;
  const isPlain = given.switched('plain') === true;
  if (isJson && isPlain) throw new UsageError('invalid-option', 'Give either --json or --plain, not both.');
  const localText = given.text('local');
  const local = localText === undefined ? derivedName() : localName(localText, given.label('local'));
  const [org, namespace] = local.strings;
  const invites = given.list('invites').map((text) => parseName(text, given.label('invites'), `${org}/${namespace}`));
  for (const name of invites) {
    if (name.prefixKey === local.prefixKey) {
      throw new UsageError(
        'invalid-option',
        `${given.label('invites')}: ${name.toString()} is your own name; invite others.`,
      );
    }
  }
  const remoteText = given.text('remote');
  // Differs from group.py, where --remote without --invites makes a participant: one that waits needs no channel, and
  // who names one wants a group, be it to invite later.
  const channel =
    remoteText !== undefined
      ? parseName(remoteText, given.label('remote'), `${org}/${namespace}`).withoutId()
      : invites.length > 0
        ? Name.of(org, namespace, `chat-${randomLetters()}`)
        : undefined;
  const slimText = given.text('slim');
  const slim = parseClientConfig(slimText ?? DEFAULT_ENDPOINT);
  const isLocal = isLoopback(slim);
  const node = nodeMode(given, slimText !== undefined);
  if (node === 'always' && (!isLocal || slim.secure)) {
    throw new UsageError(
      'invalid-option',
      `--node always starts a node at ${slim.endpoint}, which is not on this computer.`,
    );
  }
  return {
    local,
    isDerivedName: localText === undefined,
    channel,
    invites: [...new Map(invites.map((name) => [name.key, name])).values()],
    slim,
    sharedOptions: slimText === undefined ? '' : `--slim ${slim.endpoint}`,
    secret: findSecret({ ...secretSources(given), isLoopback: isLocal, endpoint: slim.endpoint }),
    isJson,
    isPlain,
    node,
    timeoutMs: durationOf(given, 'timeout'),
    maxRetries: countOf(given, 'max-retries'),
    mls: given.switched('enable-mls') === true,
    mlsPayload: mlsPolicy(given),
    keepAliveGroup: keepAliveGroup(given),
    waitInvites: given.switched('wait-invites') ?? true,
    accept: acceptPolicy(given, `${org}/${namespace}`),
    lingerMs: durationOf(given, 'linger'),
    logFile: given.text('log-file'),
  };
}

function secretSources(given: GivenOptions): Pick<SecretSources, 'text' | 'file' | 'label'> {
  const isFlag = (name: string): boolean => given.origin(name) === 'flag';
  // A flag goes before a variable, also when the two are the text and the file of one secret.
  const isTextMeant = isFlag('shared-secret') || !isFlag('shared-secret-file');
  const isFileMeant = isFlag('shared-secret-file') || !isFlag('shared-secret');
  const text = isTextMeant ? given.text('shared-secret') : undefined;
  const file = isFileMeant ? given.text('shared-secret-file') : undefined;
  return { text, file, label: given.label(text === undefined ? 'shared-secret-file' : 'shared-secret') };
}

function derivedName(): Name {
  let user = '';
  try {
    user = userInfo().username;
  } catch {
    // No entry for this user id, as in some containers.
  }
  const app = user
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return Name.of('slim', 'chat', app === '' ? 'user' : app);
}

function localName(text: string, label: string): Name {
  const name = parseName(text, label, 'agntcy/ns');
  if (/[:\s]/u.test(text)) {
    throw new UsageError('invalid-name', `${label} must not have a colon or white space, got ${JSON.stringify(text)}.`);
  }
  return name;
}

function parseName(text: string, label: string, prefix: string): Name {
  if (/\p{Cc}/u.test(text)) {
    throw new UsageError('invalid-name', `${label} must not have control characters, got ${JSON.stringify(text)}.`);
  }
  // To everybody else it would be another name, and nobody would see why.
  const end = invisibleEnd(text);
  if (end !== undefined) {
    const message = `${label} begins or ends with something that nobody sees (${end}), got ${JSON.stringify(text)}.`;
    throw new UsageError('invalid-name', message);
  }
  try {
    return Name.parse(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const fix = text.includes('/') ? '' : ` Try ${label}${label.startsWith('--') ? ' ' : '='}${prefix}/${text}`;
    throw new UsageError('invalid-name', `${label}: ${error.message}${fix}`, { cause: error });
  }
}

function randomLetters(): string {
  const letters = Array.from({ length: CHANNEL_LETTERS }, () => CHANNEL_ALPHABET[randomInt(CHANNEL_ALPHABET.length)]);
  return letters.join('');
}

function nodeMode(given: GivenOptions, isSlimGiven: boolean): NodeMode {
  const mode = given.text('node')?.trim() ?? 'auto';
  // Whoever names a node means that one.
  if (mode === 'auto') return isSlimGiven ? 'never' : 'auto';
  if (mode === 'always' || mode === 'never') return mode;
  throw new UsageError(
    'invalid-option',
    `${given.label('node')} is auto, always or never, got ${JSON.stringify(mode)}.`,
  );
}

function keepAliveGroup(given: GivenOptions): boolean {
  const isWanted = given.switched('keep-alive-group') === true;
  if (isWanted && given.switched('enable-mls') !== true) {
    throw new UsageError(
      'invalid-option',
      `${given.label('keep-alive-group')} is for groups with MLS; give --enable-mls too.`,
    );
  }
  return isWanted;
}

function acceptPolicy(given: GivenOptions, prefix: string): AcceptPolicy {
  const [first = 'auto', ...more] = given.list('accept');
  const isWord = first === 'auto' || first === 'ask' || first === 'never';
  if (isWord && more.length === 0) return { kind: first };
  const texts = [first, ...more];
  const word = texts.find((text) => ['auto', 'ask', 'never'].includes(text));
  if (word !== undefined) {
    throw new UsageError(
      'invalid-option',
      `${given.label('accept')} is auto, ask, never, or names; "${word}" does not go with others.`,
    );
  }
  return { kind: 'from', names: texts.map((text) => parseName(text, given.label('accept'), prefix)) };
}

const MLS_POLICIES: readonly MlsPolicy[] = ['auto', 'require', 'mixed', 'clear'];

function mlsPolicy(given: GivenOptions): MlsPolicy {
  const policy = given.text('mls-payload')?.trim() ?? 'auto';
  const known = MLS_POLICIES.find((one) => one === policy);
  if (known !== undefined) return known;
  const words = MLS_POLICIES.join(', ');
  throw new UsageError(
    'invalid-option',
    `${given.label('mls-payload')} is one of ${words}, got ${JSON.stringify(policy)}.`,
  );
}

function durationOf(given: GivenOptions, name: string): number | undefined {
  const text = given.text(name);
  if (text === undefined) return undefined;
  const ms = readDuration(text, given.label(name));
  // Said here, because the client says it of its own option, and only when there is a connection.
  if (name === 'timeout' && (ms < 1 || ms > MAX_TIMEOUT_MS)) {
    throw new UsageError('invalid-option', `${given.label(name)} is 1 ms to 1 h, got ${JSON.stringify(text)}.`);
  }
  return ms;
}

function countOf(given: GivenOptions, name: string): number | undefined {
  const text = given.text(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text.trim()) || Number(text) > 10_000) {
    throw new UsageError(
      'invalid-option',
      `${given.label(name)} takes a whole number up to 10000, got ${JSON.stringify(text)}.`,
    );
  }
  return Number(text);
}

/** The text of `slim-chat --help`. */
export function chatHelp(): Promise<string> {
  return helpText(CHAT_OPTIONS, {
    usage: 'slim-chat [options]          chat in a SLIM group\nslim-chat node [options]     run a SLIM node',
    examples: [
      ['slim-chat --local agntcy/ns/alice --invites agntcy/ns/bob', 'make a group and invite bob'],
      ['slim-chat --local agntcy/ns/bob', 'wait for an invitation'],
      ['slim-chat --local agntcy/ns/bob --slim http://10.0.0.5:46357 --shared-secret-file key', 'on another computer'],
      ['echo done | slim-chat --local ci/bot/1 --invites ci/ns/bob --plain', 'from a script'],
    ],
    epilog:
      'Without --invites and --remote you wait for an invitation. Most options can also be set in the\n' +
      'environment: SLIM_LOCAL, SLIM_SHARED_SECRET, SLIM_ENABLE_MLS=true, ... In the chat, /help lists\n' +
      'the commands.\n\n' +
      'Exit codes: 0 left, 2 usage, 3 no node, 4 credentials, 5 removed or group closed, 6 not everything\n' +
      'delivered, 70 bug, 130 Ctrl+C, 143 SIGTERM.',
  });
}

function nodeHelp(): Promise<string> {
  return helpText(NODE_OPTIONS, {
    usage: 'slim-chat node [options]     run a SLIM node',
    examples: [
      ['slim-chat node', 'for this computer'],
      ['slim-chat node --listen 0.0.0.0:46357', 'for a network you trust'],
    ],
    epilog: 'The node has no passwords and no TLS. It runs until Ctrl+C or SIGTERM.',
  });
}
