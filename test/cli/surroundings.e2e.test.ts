import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { freePort, Program } from './program.js';

const SCRIPT = path.resolve('dist/bin/slim-chat.js');
const PATIENCE_MS = 60_000;

interface End {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the program from a shell, which prepares what it is started in and ends with `exec "$@"`. */
function runIn(shell: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): End {
  const { SLIM_SHARED_SECRET: _secret, ...inherited } = process.env;
  const folder = mkdtempSync(path.join(tmpdir(), 'slim-chat-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const words = ['-c', `cd "$1"; shift; ${shell}`, 'sh', folder, process.execPath, SCRIPT, ...args];
  const ended = spawnSync('/bin/sh', words, {
    input: '',
    encoding: 'utf8',
    env: { ...inherited, HOME: folder, ...env },
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
  return { code: ended.status, output: `${ended.stdout}${ended.stderr}` };
}

async function alone(): Promise<readonly string[]> {
  return ['--local', 'a/b/c', '--slim', `127.0.0.1:${String(await freePort())}`, '--node', 'always'];
}

describe('in a directory that was deleted', () => {
  const gone = 'mkdir gone; cd gone; rmdir ../gone; exec "$@"';

  test('everything works', async () => {
    expect(runIn(gone, ['--version']).code).toBe(0);
    expect(runIn(gone, ['--help']).output).toContain('--shared-secret-file');
    expect(runIn(gone, ['node', '--help']).output).toContain('--listen');
    expect(runIn(gone, ['--json', ...(await alone())])).toMatchObject({ code: 0 });
    expect(runIn(gone, ['--plain', ...(await alone())])).toMatchObject({ code: 0 });
  });

  test('a wrong option and a file that cannot be there are still errors of the user', async () => {
    expect(runIn(gone, ['--nonsense'])).toMatchObject({ code: 2 });
    expect(runIn(gone, ['--shared-secret-file', 'key'])).toMatchObject({ code: 2 });
    expect(runIn(gone, ['--plain', '--log-file', 'x.log', ...(await alone())])).toMatchObject({ code: 2 });
  });
});

describe('with little around it', () => {
  test.each([
    ['without stdin', 'exec "$@" <&-'],
    ['without stdout', 'exec "$@" >&-'],
    ['without stderr', 'exec "$@" 2>&-'],
    ['without any of them', 'exec "$@" <&- >&- 2>&-'],
    ['without HOME', 'unset HOME; exec "$@"'],
    ['with HOME and TMPDIR that are not there', 'HOME=/nowhere/x TMPDIR=/nowhere/y exec "$@"'],
    ['with nothing in the environment', 'exec env -i "$@"'],
  ])('it runs %s', async (_what, shell) => {
    expect(runIn(shell, ['--json', ...(await alone())])).toMatchObject({ code: 0 });
  });
});

describe('a secret that begins with a dash', () => {
  test('is taken, and in no text', async () => {
    const secret = '-LEAK-0123456789-0123456789-0123456789';
    const { code, output } = runIn('exec "$@"', ['--json', ...(await alone()), '--shared-secret', secret]);
    expect(code).toBe(0);
    expect(output).toContain('"ready"');
    expect(output).not.toContain('LEAK');
  });

  test('in the wrong place is not in the line of JSON that tells of it either', async () => {
    const program = new Program(['--json=yes', '--shared-secert', 'LEAK-0123456789-0123456789-0123456789']);
    expect(await program.exit()).toBe(2);
    expect(program.stdout).toContain('Unknown option --shared-secert. Did you mean --shared-secret?');
    expect(program.stdout + program.stderr).not.toContain('LEAK');
  });
});
