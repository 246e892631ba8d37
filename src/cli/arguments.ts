import yargs from 'yargs';

import { editDistance } from '../chat/index.js';
import { UsageError } from '../util/index.js';
import { CHAT_OPTIONS, MISSING_OPTIONS, NODE_OPTIONS, type OptionInfo } from './option-table.js';
import { readSwitch } from './switch-word.js';

/** Values by option name, from the command line or else the environment. */
export interface GivenOptions {
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  /** `undefined` if neither it nor its negation was given. */
  switched(name: string): boolean | undefined;
  /** Where the value of an option came from. */
  origin(name: string): 'flag' | 'env' | undefined;
  /** What the user has set, for messages: the option, or the variable instead of it. */
  label(name: string): string;
}

/** Help of a command line. */
export interface HelpText {
  readonly usage: string;
  readonly examples: readonly (readonly [command: string, what: string])[];
  readonly epilog: string;
}

/**
 * Reads the options of a command line, and the environment for those that are absent. An empty variable counts as absent.
 *
 * No error quotes a word that may be a secret: people forget a blank, a quote or a letter, and then a secret stands where another
 * word is expected.
 *
 * @param before - how many words the user has typed before these
 * @throws UsageError `invalid-option`, with a guess for a wrong name and an explanation for an option that is not supported
 */
export async function readArguments(
  argv: readonly string[],
  table: readonly OptionInfo[],
  env: NodeJS.ProcessEnv,
  before = 0,
): Promise<GivenOptions> {
  const parsed: Readonly<Record<string, unknown>> = await newParser(table).parseAsync(pairUp(argv, table, before));
  const given = new Map<string, unknown>(Object.entries(parsed).filter(([key]) => key !== '_' && key !== '$0'));
  for (const option of table) {
    if (given.has(option.name)) checkValue(option, given.get(option.name));
  }
  checkMissing(env);
  const variableOf = (name: string): string | undefined => table.find((option) => option.name === name)?.env;
  const fromEnv = (name: string): string | undefined => {
    const variable = variableOf(name);
    const value = variable === undefined ? undefined : env[variable];
    return value === '' ? undefined : value;
  };
  const origin = (name: string): 'flag' | 'env' | undefined =>
    given.has(name) ? 'flag' : fromEnv(name) === undefined ? undefined : 'env';
  const label = (name: string): string => (origin(name) === 'env' ? variableOf(name) : undefined) ?? `--${name}`;
  return {
    text: (name) => (given.has(name) ? String(given.get(name)) : fromEnv(name)),
    // The example programs separate the names in a variable by blanks.
    list: (name) => splitList(given.has(name) ? given.get(name) : fromEnv(name)?.replace(/\s+/g, ',')),
    switched: (name) => {
      if (given.has(name)) return given.get(name) === true;
      const value = fromEnv(name);
      return value === undefined ? undefined : switchOf(label(name), value);
    },
    origin,
    label,
  };
}

/**
 * Puts each value to its option (`--slim X` becomes `--slim=X`) and each switch into plain words, because yargs takes a value that
 * begins with a dash for an option, and `--enable-mls=yes` for a no.
 *
 * @throws UsageError `invalid-option` for whatever is no option of this program
 */
function pairUp(argv: readonly string[], table: readonly OptionInfo[], before: number): string[] {
  const paired: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    const next = argv[at + 1];
    const found = findOption(word, table);
    if (found === undefined) throw noUseFor(word, at + 1 + before, table);
    const { name, kind } = found.option;
    let { value } = found;
    const takesNext = kind === 'switch' ? next === 'true' || next === 'false' : !findOption(next, table);
    if (value === undefined && takesNext) {
      value = next;
      at += 1;
    }
    if (kind === 'switch') value = String(value === undefined || switchOf(`--${name}`, value));
    paired.push(value === undefined ? `--${name}` : `--${name}=${value}`);
  }
  return paired;
}

interface FoundOption {
  readonly option: OptionInfo;
  /** What stands in the same word; `false` for a switch with `--no-`. */
  readonly value: string | undefined;
}

/** The option that a word names, with or without a value in it. */
function findOption(word: string | undefined, table: readonly OptionInfo[]): FoundOption | undefined {
  const [, name, value] = /^--?([^=]+)(?:=(.*))?$/s.exec(word ?? '') ?? [];
  const option = table.find((known) => known.name === name);
  if (option !== undefined) return { option, value };
  const denied = table.find((known) => known.kind === 'switch' && name === `no-${known.name}`);
  return denied === undefined || value !== undefined ? undefined : { option: denied, value: 'false' };
}

/** @throws UsageError `invalid-option` for what is neither on nor off */
function switchOf(label: string, text: string): boolean {
  const isOn = readSwitch(text);
  if (isOn !== undefined) return isOn;
  throw new UsageError('invalid-option', `${label} is a switch: give it true or false, not ${JSON.stringify(text)}.`);
}

/** The text of `--help`. */
export async function helpText(table: readonly OptionInfo[], help: HelpText): Promise<string> {
  // Not yargs' own examples: it breaks them into columns, and then they cannot be pasted.
  const examples = help.examples.map(([command, what]) => `  # ${what}\n  ${command}`);
  const text = await newParser(table).usage(help.usage).getHelp();
  return [text, `Examples:\n${examples.join('\n')}`, help.epilog].join('\n\n');
}

function newParser(table: readonly OptionInfo[]): ReturnType<typeof yargs> {
  const parser = yargs([])
    .locale('en')
    .exitProcess(false)
    .help(false)
    .version(false)
    .wrap(100)
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': true,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'short-option-groups': false,
      'strip-dashed': false,
    })
    .fail(() => {
      // Its message may quote what was typed.
      throw new UsageError('invalid-option', 'These options make no sense together. See --help.');
    });
  for (const { name, kind, arg, help } of table) {
    // A list is read as text, too: yargs would take the words after it as more of its values.
    const type = kind === 'switch' ? 'boolean' : 'string';
    parser.option(name, { type, description: arg === '' ? help : `${arg}  ${help}` });
  }
  return parser;
}

function noUseFor(word: string, position: number, table: readonly OptionInfo[]): UsageError {
  const name = /^--?([^=]+)/.exec(word)?.[1];
  const missing = MISSING_OPTIONS.find((option) => option.name === name);
  if (missing !== undefined) return notSupported(`--${missing.name}`, missing.what);
  const near = name === undefined ? undefined : nearest(name, table);
  if (name !== undefined && near !== undefined) {
    return new UsageError('invalid-option', `Unknown option --${name}. Did you mean --${near}?`);
  }
  const isOfOther = [...CHAT_OPTIONS, ...NODE_OPTIONS].some((option) => option.name === name);
  const what = isOfOther ? `Unknown option --${String(name)}` : `There is no use for argument ${position}`;
  const looksLikeName = word.split('/').length === 3;
  const guess = looksLikeName ? 'Did you forget --invites or --local before it?' : 'See --help for all options.';
  return new UsageError('invalid-option', `${what}. ${guess}`);
}

/** The option that a wrong name is so close to that the wrong name may be shown. */
function nearest(name: string, table: readonly OptionInfo[]): string | undefined {
  const [near] = table
    .map((option) => ({ name: option.name, distance: editDistance(name, option.name) }))
    .sort((left, right) => left.distance - right.distance);
  const isNear = near !== undefined && near.distance <= Math.max(2, Math.floor(near.name.length / 3));
  return isNear && name.length > 1 ? near.name : undefined;
}

/** @throws UsageError `invalid-option` for a variable that asks for what this program does not have */
function checkMissing(env: NodeJS.ProcessEnv): void {
  for (const { name, env: variable, what } of MISSING_OPTIONS) {
    const value = env[variable];
    if (value !== undefined && value !== '' && readSwitch(value) !== false) {
      throw notSupported(`${variable} (--${name})`, what);
    }
  }
}

function notSupported(option: string, what: string): UsageError {
  return new UsageError(
    'invalid-option',
    `${option} is not supported yet: this version has no ${what}. Leave it out, and mind what that means for you.`,
  );
}

function checkValue({ name, kind, arg }: OptionInfo, value: unknown): void {
  if (kind === 'switch') {
    if (Array.isArray(value)) throw new UsageError('invalid-option', `--${name} may be given once.`);
    return;
  }
  if (kind === 'text' && Array.isArray(value)) {
    throw new UsageError('invalid-option', `--${name} may be given once.`);
  }
  if ([value].flat().some((text) => typeof text !== 'string' || text === '')) {
    throw new UsageError('missing-option', `--${name} needs a value: --${name} ${arg}`);
  }
}

function splitList(value: unknown): readonly string[] {
  return [value]
    .flat()
    .filter((text) => typeof text === 'string')
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
}
