/**
 * Makes the tables of README.md from the definitions the program itself uses: options, keys, commands. Needs dist/.
 *
 *   node scripts/readme-tables.mjs           writes them between their markers
 *   node scripts/readme-tables.mjs --check   changes nothing, exits with 1 when one is out of date
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { COMMANDS } from '../dist/chat/index.js';
import { CHAT_OPTIONS, NODE_OPTIONS } from '../dist/cli/index.js';
import { KEYMAP } from '../dist/ui/index.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const README = path.join(root, 'README.md');

const code = (text) => `\`${text}\``;
const row = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
const table = (heads, rows) => [row(heads), row(heads.map(() => '---')), ...rows.map(row)].join('\n');

function optionTable(options) {
  const flag = ({ name, arg }) => code(arg === '' ? `--${name}` : `--${name} ${arg}`);
  return table(
    ['option', 'environment', 'what'],
    options.map((option) => [flag(option), option.env === undefined ? '' : code(option.env), option.help]),
  );
}

/** `ctrl+left` as it stands on keyboards: `Ctrl+Left`. */
function chord(key) {
  const named = { linefeed: 'Ctrl+J' };
  return named[key] ?? key.replace(/(^|\+)([a-z])/g, (_, plus, letter) => plus + letter.toUpperCase());
}

/** Events or commands of the JSON contract, from the schema that ships. `implied` fields are in all of them. */
function contractTable(kind, implied) {
  const schema = JSON.parse(readFileSync(path.join(root, 'dist', 'cli', 'json-schema.json'), 'utf8'));
  const rows = Object.entries(schema.definitions)
    .filter(([name]) => name.startsWith(`${kind}.`))
    .map(([name, { properties, required = [], description = '' }]) => {
      const fields = Object.keys(properties).filter((field) => !implied.includes(field));
      const shown = fields.map((field) => code(field) + (required.includes(field) ? '' : '?'));
      return [code(name.slice(kind.length + 1)), shown.join(', '), description];
    });
  return table([kind, 'fields (? = not always)', 'what'], rows);
}

const TABLES = {
  options: optionTable(CHAT_OPTIONS),
  'node-options': optionTable(NODE_OPTIONS),
  events: contractTable('event', ['v', 'type', 'at']),
  'json-commands': contractTable('command', ['type']),
  commands: table(
    ['command', 'what'],
    [
      ...COMMANDS.map(({ name, args, help }) => [code(args === '' ? `/${name}` : `/${name} ${args}`), help]),
      [code('//TEXT'), 'send a line that starts with a slash'],
    ],
  ),
  keys: table(
    ['keys', 'what'],
    KEYMAP.map(({ keys, help }) => [keys.map(chord).join(', '), help]),
  ),
};

function withTables(readme) {
  let text = readme;
  for (const [name, content] of Object.entries(TABLES)) {
    const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from < 0 || to < from) throw new Error(`README.md has no place for the table "${name}" (${begin} ... ${end})`);
    text = `${text.slice(0, from)}${begin}\n\n${content}\n\n${text.slice(to)}`;
  }
  return text;
}

const before = readFileSync(README, 'utf8');
const after = withTables(before);
if (!process.argv.includes('--check')) {
  writeFileSync(README, after);
} else if (before !== after) {
  console.error('README.md: tables are out of date. Run: npm run readme');
  process.exitCode = 1;
}
