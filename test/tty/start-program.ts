import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

import { type RunOptions, startInTerminal, type TerminalRun } from './harness.js';

const PROGRAM = fileURLToPath(new URL('../../dist/bin/slim-chat.js', import.meta.url));

/** A program, and its process id. */
export type ProgramRun = TerminalRun & { readonly pid: () => number };

/** Starts the program as a user would; the first line it writes is its process id. `then`: what the shell does after it. */
export function startProgram(
  options: readonly string[],
  run: RunOptions & { readonly then?: string } = {},
): ProgramRun {
  const script = run.then === undefined ? `${TELL_PID}; exec "$@"` : `${TELL_PID}; "$@"; ${run.then}`;
  return start(['/bin/sh', '-c', script, 'sh', process.execPath, PROGRAM, ...options], run);
}

/** Starts the program from a shell with job control. */
export async function startShell(options: readonly string[], run: RunOptions = {}): Promise<ProgramRun> {
  // Without line editing, so that what the shell does to the terminal is what all shells do.
  const shell = ['bash', '--norc', '--noprofile', '--noediting', '-i'];
  const terminal = start(shell, { ...run, env: { PS1: '$ ', ...run.env } });
  await terminal.see(/\$ $/);
  const words = [process.execPath, PROGRAM, ...options].map((word) => `'${word}'`);
  terminal.type(`sh -c '${TELL_PID}; exec "$@"' sh ${words.join(' ')}\r`);
  return terminal;
}

const TELL_PID = 'echo "pid:$$"';

function start(command: readonly string[], run: RunOptions): ProgramRun {
  const home = mkdtempSync(path.join(tmpdir(), 'slim-chat-home-'));
  onTestFinished(() => {
    rmSync(home, { recursive: true, force: true });
  });
  // What CI services set; the launcher must not let it keep the UI from drawing.
  const env = { HOME: home, USER: 'tester', CI: '1', ...run.env };
  const terminal = startInTerminal(command, { ...run, env });
  return { ...terminal, pid: () => Number(/^pid:(\d+)/m.exec(terminal.output())?.[1]) };
}
