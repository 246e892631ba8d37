import yargs from 'yargs';

import { editDistance } from '../chat/index.js';
import { UsageError } from '../util/index.js';
import { MISSING_OPTIONS, type OptionInfo } from './option-table.js';

/** Values by option name, from the command line or else the environment. */
export interface GivenOptions {
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  /** `undefined` if neither it nor its negation was given. */
  switched(name: string): boolean | undefined;
  /** Where the value of an option came from. */
  origin(name: string): 'flag' | 'env' | undefined;
}

/** Help of a command line. */
export interface HelpText {
  readonly usage: string;
  readonly examples: readonly (readonly [command: string, what: string])[];
  readonly epilog: string;
}

/**
 * Reads the options of a command line, and the environment for those that are absent.
 *
 * @throws UsageError `invalid-option`, with a guess for a wrong name and an explanation for an option that is not supported
 */
export async function readArguments(
  argv: readonly string[],
  table: readonly OptionInfo[],
  env: NodeJS.ProcessEnv,
): Promise<GivenOptions> {
  const parser = newParser(table);
  const parsed: Readonly<Record<string, unknown>> = await parser.parseAsync([...argv]);
  const given = new Map<string, unknown>(Object.entries(parsed).filter(([key]) => key !== '_' && key !== '$0'));
  for (const name of given.keys()) checkName(name, table);
  const [stray] = (parsed['_'] ?? []) as readonly (string | number)[];
  if (stray !== undefined) throw strayArgument(String(stray));
  for (const { name, env: variable, what } of MISSING_OPTIONS) {
    const value = env[variable];
    if (value !== undefined && !['', '0', 'false', 'no', 'off'].includes(value.toLowerCase())) {
      throw notSupported(`${variable} (--${name})`, what);
    }
  }
  for (const option of table) {
    if (given.has(option.name)) checkValue(option, given.get(option.name));
  }
  const fromEnv = (name: string): string | undefined => {
    const variable = table.find((option) => option.name === name)?.env;
    const value = variable === undefined ? undefined : env[variable];
    return value === '' ? undefined : value;
  };
  return {
    text: (name) => (given.has(name) ? String(given.get(name)) : fromEnv(name)),
    list: (name) => splitList(given.has(name) ? given.get(name) : fromEnv(name)),
    switched: (name) => (given.has(name) ? given.get(name) === true : isOn(fromEnv(name))),
    origin: (name) => (given.has(name) ? 'flag' : fromEnv(name) === undefined ? undefined : 'env'),
  };
}

/** A switch in the environment, in the words of SLIM's example programs. */
function isOn(value: string | undefined): boolean | undefined {
  return value === undefined ? undefined : /^(?:1|true|yes|on)$/i.test(value);
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
    .fail((message: string, error: Error | undefined) => {
      throw new UsageError('invalid-option', message, { cause: error });
    });
  for (const { name, kind, arg, help } of table) {
    // A list is read as text, too: yargs would take the words after it as more of its values.
    const type = kind === 'switch' ? 'boolean' : 'string';
    parser.option(name, { type, description: arg === '' ? help : `${arg}  ${help}` });
  }
  return parser;
}

function checkName(name: string, table: readonly OptionInfo[]): void {
  if (table.some((option) => option.name === name)) return;
  const missing = MISSING_OPTIONS.find((option) => option.name === name);
  if (missing !== undefined) throw notSupported(`--${name}`, missing.what);
  const dashes = name.length === 1 ? '-' : '--';
  const [near] = table
    .map((option) => ({ name: option.name, distance: editDistance(name, option.name) }))
    .sort((left, right) => left.distance - right.distance);
  const guess =
    near !== undefined && near.distance <= Math.max(2, Math.floor(near.name.length / 3)) && name.length > 1
      ? `Did you mean --${near.name}?`
      : 'See --help for all options.';
  throw new UsageError('invalid-option', `Unknown option ${dashes}${name}. ${guess}`);
}

function notSupported(option: string, what: string): UsageError {
  return new UsageError(
    'invalid-option',
    `${option} is not supported yet: this version has no ${what}. Leave it out, and mind what that means for you.`,
  );
}

function strayArgument(text: string): UsageError {
  const looksLikeName = text.split('/').length === 3;
  const guess = looksLikeName ? `Did you mean --invites ${text} or --local ${text}?` : 'See --help for all options.';
  return new UsageError('invalid-option', `There is no use for ${JSON.stringify(text)}. ${guess}`);
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
