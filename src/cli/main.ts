import { writeSync } from 'node:fs';

import { SlimError, withinBudget } from '../util/index.js';
import { writeCrashFile } from './crash-file.js';
import { crashScreen, errorScreen } from './error-screen.js';
import type { ProgramIo } from './chat-program.js';
import { useLineMode } from './line-mode.js';
import { LineWriter } from './line-writer.js';
import { parseCommandLine } from './options.js';
import { readSwitch } from './switch-word.js';
import { readVersion } from './version.js';

/** How long the others may be told after a bug, milliseconds. */
const LEAVE_BUDGET_MS = 5000;

/** Exit code of a bug. */
const BUG = 70;

/**
 * The program: reads the command line, runs what it says, and ends the process with the exit code that tells how it went.
 *
 * Everything heavy is loaded when it is needed, so that `--help` is instant and `--json` knows no UI.
 */
export async function main(): Promise<void> {
  const version = readVersion();
  let leave: () => Promise<unknown> = () => Promise.resolve();
  const onBug = (error: unknown): void => {
    void crash(error, version, leave);
  };
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
  let exitCode: number;
  try {
    exitCode = await run(version, (how) => {
      leave = how;
    });
  } catch (error) {
    if (!(error instanceof SlimError) || error.exitCode === BUG) {
      await crash(error, version, leave);
      return;
    }
    printError(errorScreen(error));
    exitCode = error.exitCode;
  }
  // Sockets or a stdin that is still open must not keep a program alive that has said goodbye.
  process.exit(exitCode);
}

async function run(version: string, onRunning: ProgramIo['onRunning']): Promise<number> {
  const { env, stdin, stdout } = process;
  const argv = process.argv.slice(2);
  const invocation = await parseOrTell(argv, env, version);
  if (invocation.kind !== 'chat') useLineMode(stdin);
  switch (invocation.kind) {
    case 'print':
      return print(invocation.text, stdout);
    case 'node': {
      const { runNode } = await import('./node-command.js');
      return runNode(invocation.settings, stdout);
    }
    case 'chat': {
      const { runChat } = await import('./chat-program.js');
      return runChat(invocation.settings, version, { stdin, stdout, env, onRunning });
    }
  }
}

async function print(text: string, stdout: NodeJS.WriteStream): Promise<number> {
  const ignore = (): void => undefined;
  const writer = new LineWriter(stdout, { onGone: ignore, onBlocked: ignore });
  writer.write(text);
  await writer.flush();
  writer.assertWritten();
  return 0;
}

/** A program that reads our JSON must learn of a wrong command line there, too. */
async function parseOrTell(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  version: string,
): ReturnType<typeof parseCommandLine> {
  try {
    return await parseCommandLine(argv, env, version);
  } catch (error) {
    if (error instanceof SlimError && asksForJson(argv) && argv[0] !== 'node') {
      const { fatal } = await import('./chat-program.js');
      const { formatJsonEvent } = await import('./json-event.js');
      for (const event of fatal(error)) writeAll(1, `${formatJsonEvent(event)}\n`);
    }
    throw error;
  }
}

function asksForJson(argv: readonly string[]): boolean {
  return argv.some((word) => word === '--json' || (word.startsWith('--json=') && readSwitch(word.slice(7)) === true));
}

let hasCrashed = false;

async function crash(error: unknown, version: string, leave: () => Promise<unknown>): Promise<void> {
  // What fails on the way out, in a program that has failed already, must not keep it.
  if (hasCrashed) process.exit(BUG);
  hasCrashed = true;
  const file = writeCrashFile(error, version, process.env);
  // The terminal is restored by listeners that are there already; this text must come after that.
  process.on('exit', () => {
    printError(crashScreen(file, error));
  });
  try {
    await withinBudget(leave(), LEAVE_BUDGET_MS);
  } catch {
    // The chat itself has failed; its error is the one that is reported.
  }
  process.exit(BUG);
}

function printError(lines: readonly string[]): void {
  writeAll(2, lines.map((line) => `${line}\n`).join(''));
}

/** Synchronous, because the process ends right after it. */
function writeAll(descriptor: number, text: string): void {
  try {
    writeSync(descriptor, text);
  } catch {
    // Nobody is there to read it.
  }
}
