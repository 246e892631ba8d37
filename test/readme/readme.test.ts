import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, test, onTestFinished } from 'vitest';

import { parseCommandLine } from '../../src/cli/options.js';
import { SlimNode } from '../../src/node/index.js';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
const run = promisify(execFile);

/** The code blocks of one language; the empty language is the one of commands and screens. */
function blocks(language: string): string[] {
  return [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, found]) => found === language)
    .map(([, , content]) => content ?? '');
}

/** A folder in which `slim-chat` can be imported by its name, as in a user's project. */
function userFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'slim-chat-readme-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  mkdirSync(path.join(folder, 'node_modules', '@types'), { recursive: true });
  symlinkSync(root, path.join(folder, 'node_modules', 'slim-chat'));
  symlinkSync(path.join(root, 'node_modules', '@types', 'node'), path.join(folder, 'node_modules', '@types', 'node'));
  return folder;
}

describe('README.md', () => {
  test('has the tables of the options, keys and commands there are', () => {
    const check = spawnSync(process.execPath, [path.join(root, 'scripts', 'readme-tables.mjs'), '--check']);
    expect(check.stderr.toString()).toBe('');
    expect(check.status).toBe(0);
  });

  test('has three examples of the library, which type-check', async () => {
    const files = blocks('js').map((_, index) => `example-${index}.mts`);
    expect(files).toHaveLength(3);
    const folder = userFolder();
    for (const [index, example] of blocks('js').entries()) writeFileSync(path.join(folder, files[index]!), example);
    const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = [
      '--strict',
      '--noEmit',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--types',
      'node',
    ];
    const strict = [...options, '--noPropertyAccessFromIndexSignature', '--noUncheckedIndexedAccess'];
    // The compiler prints what is wrong on stdout and ends with an error.
    await expect(run(process.execPath, [tsc, ...strict, ...files], { cwd: folder })).resolves.toMatchObject({
      stdout: '',
    });
  });

  test.each([
    ['the first', 0, /^bob joined acme\/team\/standup\nbob got "good morning" from alice\n$/],
    ['the second', 1, /^connected as acme\/team\/alice\/[0-9a-f]{1,16}\n$/],
    ['the third', 2, /^bob has 1001 messages\n$/],
  ])('has examples of the library that do what they say: %s', async (_, index, output) => {
    const node = await SlimNode.start({ port: 0 });
    onTestFinished(() => node.close());
    const folder = userFolder();
    writeFileSync(path.join(folder, 'example.mjs'), blocks('js')[index] ?? '');
    const env = { ...process.env, SLIM_SLIM: node.endpoint };
    const { stdout, stderr } = await run(process.execPath, ['example.mjs'], { cwd: folder, env, timeout: 30_000 });
    expect(stderr).toBe('');
    expect(stdout).toMatch(output);
  });

  test('shows only command lines that the program understands', async () => {
    const folder = userFolder();
    const secretFile = path.join(folder, 'secret.txt');
    writeFileSync(secretFile, 'a secret of more than thirty-two characters');
    const commands = blocks('')
      .flatMap((block) => block.split('\n'))
      .flatMap((line) => /^(?:.* \| )?(?:npx )?slim-chat ((?:node|--\w).*)$/.exec(line)?.[1] ?? []);
    expect(commands.length).toBeGreaterThan(3);
    for (const command of commands) {
      const argv = command.replace('secret.txt', secretFile).split(' ');
      await expect(parseCommandLine(argv, {}, '0.0.0'), command).resolves.toHaveProperty('kind');
    }
  });

  test('names only files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target]) => target ?? '');
    expect(links).not.toEqual([]);
    for (const target of links) expect(existsSync(path.join(root, target)), target).toBe(true);
  });

  test('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: object };
    const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script ?? '');
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  });
});
