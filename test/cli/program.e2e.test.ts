import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, test, onTestFinished } from 'vitest';

import { freePort, JsonProgram, Program, startNode } from './program.js';

const BOB = 'a/b/bob';

function preload(code: string): readonly string[] {
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
}

// Tells on stderr which packages of the UI are loaded.
const TELL_UI = preload(`
  import { register } from 'node:module';
  register('data:text/javascript,' + encodeURIComponent(\`
    import { writeSync } from 'node:fs';
    export async function resolve(specifier, context, next) {
      const found = await next(specifier, context);
      if (/node_modules.(ink|react)./.test(found.url)) writeSync(2, 'loaded ' + found.url + '\\\\n');
      return found;
    }
  \`));
`);

describe('the program', () => {
  test('would be caught loading the UI', () => {
    const { stderr } = spawnSync(process.execPath, [...TELL_UI, '-e', 'import("ink")'], { encoding: 'utf8' });
    expect(stderr).toContain('/ink/');
    expect(stderr).toContain('/react/');
  });

  test('prints its version and its help at once, without the UI', async () => {
    const version = new Program(['--version']);
    expect(await version.exit()).toBe(0);
    const { version: expected } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(version.stdout).toBe(`${expected}\n`);
    const help = new Program(['--help'], { node: TELL_UI });
    expect(await help.exit()).toBe(0);
    expect(help.stdout).toContain('--shared-secret-file');
    expect(help.stderr).toBe('');
  });

  test('knows no UI with --json', async () => {
    const { slim } = await startNode();
    const program = new JsonProgram(['--local', BOB, '--slim', slim], { node: TELL_UI });
    await program.event({ type: 'ready' });
    program.child.stdin.end();
    expect(await program.exit()).toBe(0);
    expect(program.stderr).toBe('');
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)('leaves properly on %s', async (signal, code) => {
    const { slim } = await startNode();
    const bob = new JsonProgram(['--local', BOB, '--slim', slim]);
    await bob.event({ type: 'ready' });
    const alice = new JsonProgram(['--local', 'a/b/alice', '--slim', slim, '--invites', BOB]);
    await alice.event({ type: 'joined' });
    bob.child.kill(signal);
    expect(await bob.exit()).toBe(code);
    expect(bob.events.filter(({ type }) => type !== 'active').slice(-2)).toMatchObject([
      { type: 'closed', reason: 'left' },
      { type: 'bye', exitCode: code },
    ]);
    await alice.event({ type: 'left', reason: 'left' });
  });

  test('ends while it still connects', async () => {
    const program = new Program(['--plain', '--local', BOB, '--slim', `127.0.0.1:${String(await freePort())}`]);
    await program.untilShown('trying again');
    program.child.kill('SIGTERM');
    expect(await program.exit()).toBe(143);
    expect(program.stderr).toBe('');
  });

  test('leaves, says so, and ends with 74 when nobody reads its output any more, as with head', async () => {
    const { slim } = await startNode();
    const bob = new JsonProgram(['--local', BOB, '--slim', slim]);
    await bob.event({ type: 'ready' });
    const alice = new JsonProgram(['--local', 'a/b/alice', '--slim', slim, '--invites', BOB]);
    await alice.event({ type: 'joined' });
    bob.child.stdout.destroy();
    alice.send({ type: 'publish', text: 'are you there?' });
    expect(await bob.exit()).toBe(74);
    expect(bob.stderr).toContain('slim-chat: The output is incomplete: whoever read it has stopped (EPIPE).');
    await alice.event({ type: 'left', reason: 'left' });
  });

  test.skipIf(process.platform !== 'linux')('does not show its secret in the list of processes', async () => {
    const { slim } = await startNode();
    const secret = 'this-must-not-be-seen-by-anybody-else';
    const program = new JsonProgram(['--local', BOB, '--slim', slim, '--shared-secret', secret]);
    await program.event({ type: 'ready' });
    const shown = readFileSync(`/proc/${String(program.child.pid)}/cmdline`, 'utf8');
    expect(shown).toContain('slim-chat');
    expect(shown).not.toContain(secret);
  });

  test('writes a log without secret and texts', async () => {
    const { slim } = await startNode();
    const folder = mkdtempSync(path.join(tmpdir(), 'slim-chat-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const file = path.join(folder, 'chat.log');
    const secret = 'a secret that is long enough for SLIM';
    const options = ['--slim', slim, '--shared-secret', secret];
    const bob = new JsonProgram(['--local', BOB, ...options]);
    await bob.event({ type: 'ready' });
    const alice = new JsonProgram(['--local', 'a/b/alice', ...options, '--invites', BOB, '--log-file', file]);
    await alice.event({ type: 'joined' });
    bob.send({ type: 'publish', text: 'private words' });
    await alice.event({ type: 'message' });
    alice.send({ type: 'exit' });
    expect(await alice.exit()).toBe(0);
    const log = readFileSync(file, 'utf8');
    const types = log
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types).toEqual(expect.arrayContaining(['ready', 'session', 'joined', 'message', 'closed', 'bye']));
    expect(log).not.toContain('private words');
    expect(log).not.toContain(secret);
  });

  test('says of a bug where the details are, with exit code 70', async () => {
    const { slim } = await startNode();
    const state = mkdtempSync(path.join(tmpdir(), 'slim-chat-'));
    onTestFinished(() => {
      rmSync(state, { recursive: true });
    });
    const bug = preload(`
      const write = process.stdout.write.bind(process.stdout);
      process.stdout.write = (text, ...rest) => {
        if (String(text).includes('"message"')) setImmediate(() => { throw new Error('planted bug'); });
        return write(text, ...rest);
      };
    `);
    const secret = 'a secret that is long enough for SLIM';
    const options = ['--slim', slim, '--shared-secret', secret];
    const program = new JsonProgram(['--local', BOB, ...options], { node: bug, env: { XDG_STATE_HOME: state } });
    await program.event({ type: 'ready' });
    const alice = new JsonProgram(['--local', 'a/b/alice', ...options, '--invites', BOB]);
    await alice.event({ type: 'joined' });
    alice.send({ type: 'publish', text: 'trigger the bug' });
    expect(await program.exit()).toBe(70);
    // Even so, nobody has to wait for it.
    await alice.event({ type: 'left', reason: 'left' });
    const [name] = readdirSync(path.join(state, 'slim-chat'));
    const file = path.join(state, 'slim-chat', name ?? '');
    expect(program.stderr).toBe(`slim-chat: unexpected error, this is a bug. Details: ${file}\n`);
    const details = readFileSync(file, 'utf8');
    expect(details).toContain('planted bug');
    expect(details).not.toContain(secret);
  });

  test('runs without HOME and with nothing else in the environment', async () => {
    const { slim } = await startNode();
    const env = Object.fromEntries(Object.keys(process.env).map((key) => [key, undefined]));
    const program = new JsonProgram(['--slim', slim], { env });
    expect(await program.event({ type: 'ready' })).toMatchObject({
      local: expect.stringMatching(/^slim\/chat\//) as unknown,
    });
    program.child.stdin.end();
    expect(await program.exit()).toBe(0);
  });

  test('asks for a newer Node in words', async () => {
    const old = preload(
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.0' } });`,
    );
    const program = new Program(['--version'], { node: old });
    expect(await program.exit()).toBe(2);
    expect(program.stderr).toBe('slim-chat: needs Node 20.19 or later, this is 18.20.0\n');
  });
});

describe('slim-chat node', () => {
  test('runs until it is told to end, and says where it listens', async () => {
    const node = new Program(['node', '--listen', '127.0.0.1:0', '--json']);
    await node.until('ready', () => node.stdout.includes('"ready"'));
    const lines = node.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const url = lines.find(({ type }) => type === 'ready')?.['url'];
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const port = new URL(String(url)).port;

    const second = new Program(['node', '--listen', `127.0.0.1:${port}`]);
    expect(await second.exit()).toBe(2);
    expect(second.stderr).toContain('another program uses this port');

    node.child.kill('SIGINT');
    expect(await node.exit()).toBe(0);
    const ended = (await startNode(Number(port))).node;
    ended.child.kill('SIGTERM');
    expect(await ended.exit()).toBe(143);
  });
});
