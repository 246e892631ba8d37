import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

import { type RunOptions, startInTerminal, type TerminalRun } from './harness.js';

const PROGRAM = fileURLToPath(new URL('../../dist/bin/slim-chat.js', import.meta.url));

/** Starts the program as a user would; the first line it writes is its process id. */
export function startProgram(options: readonly string[], run: RunOptions = {}): TerminalRun & { pid: () => number } {
  const home = mkdtempSync(path.join(tmpdir(), 'slim-chat-home-'));
  onTestFinished(() => {
    rmSync(home, { recursive: true, force: true });
  });
  // What CI services set; the launcher must not let it keep the UI from drawing.
  const env = { HOME: home, USER: 'tester', CI: '1', ...run.env };
  const command = ['/bin/sh', '-c', 'echo "pid:$$"; exec "$@"', 'sh', process.execPath, PROGRAM, ...options];
  const terminal = startInTerminal(command, { ...run, env });
  return { ...terminal, pid: () => Number(/pid:(\d+)/.exec(terminal.output())?.[1]) };
}
