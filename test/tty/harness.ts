import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { onTestFinished } from 'vitest';

import type { ChatAction, FaceCommand } from '../../src/chat/index.js';

const CHILD = fileURLToPath(new URL('fixtures/ui-child.mjs', import.meta.url));
/** How long anything may take; a machine under load is slow, but not this slow. */
const PATIENCE_MS = 20_000;

/** A program in a terminal. */
export interface TerminalRun {
  /** Everything the program wrote, escape sequences included. */
  readonly output: () => string;
  /** The screen as a person sees it, without blank lines at its end. */
  readonly screen: () => string[];
  /** Scrollback and screen, row by row. */
  readonly rows: () => string[];
  /** Scrollback and screen, with soft-wrapped lines joined. */
  readonly transcript: () => string[];
  readonly cursor: () => { x: number; y: number };
  readonly isBracketedPaste: () => boolean;
  readonly type: (text: string) => void;
  readonly resize: (columns: number, rows: number) => void;
  /** Takes the terminal away, as closing its window does. */
  readonly hangUp: () => void;
  /** Waits until it holds, looking again whenever the program has written. */
  readonly until: (what: string, holds: () => boolean) => Promise<void>;
  /** Waits for a text on the screen. */
  readonly see: (text: string | RegExp) => Promise<void>;
  /** The shell's word about the program, once it is gone. */
  readonly exit: () => Promise<{ code: number; stty: string; sttyBefore: string }>;
}

/** Size and environment of a run. */
export interface RunOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program under a shell in a pty, so that the state of the terminal can be compared before and after. */
export function startInTerminal(command: readonly string[], options: RunOptions = {}): TerminalRun {
  const { columns = 80, rows = 24, env = {} } = options;
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    scrollback: 20_000,
    allowProposedApi: true,
  });
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const script = `echo "before:$(stty -g)"; ${quoted}; echo "code:$?"; echo "after:$(stty -g):end"`;
  // VS Code's terminal is the emulator that the tests use, and programs may know its ways.
  const pty: IPty = spawn('/bin/sh', ['-c', script], {
    name: env['TERM'] ?? 'xterm-256color',
    cols: columns,
    rows,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      LANG: 'C.UTF-8',
      CI: 'false',
      TERM_PROGRAM: 'vscode',
      ...env,
    },
  });
  let output = '';
  const watchers = new Set<() => void>();
  const look = (): void => {
    for (const watcher of [...watchers]) watcher();
  };
  pty.onData((data) => {
    output += data;
    terminal.write(data, look);
  });
  pty.onExit(look);
  onTestFinished(() => {
    pty.kill('SIGKILL');
    terminal.dispose();
  });

  const buffer = () => terminal.buffer.active;
  const screen = (): string[] => {
    const lines: string[] = [];
    for (let y = 0; y < terminal.rows; y += 1) {
      lines.push(
        buffer()
          .getLine(buffer().baseY + y)
          ?.translateToString(true) ?? '',
      );
    }
    while (lines.at(-1) === '') lines.pop();
    return lines;
  };
  const allRows = (): string[] =>
    Array.from({ length: buffer().length }, (_, y) => buffer().getLine(y)?.translateToString(true) ?? '');
  const transcript = (): string[] => {
    const lines: string[] = [];
    for (let y = 0; y < buffer().length; y += 1) {
      const line = buffer().getLine(y);
      const text = line?.translateToString(true) ?? '';
      if (line?.isWrapped === true) lines.push((lines.pop() ?? '') + text);
      else lines.push(text);
    }
    while (lines.at(-1) === '') lines.pop();
    return lines;
  };
  const until = async (what: string, holds: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const done = (error?: Error): void => {
        clearTimeout(timer);
        watchers.delete(watcher);
        if (error === undefined) resolve();
        else reject(error);
      };
      const watcher = (): void => {
        if (holds()) done();
      };
      const timer = setTimeout(() => {
        done(new Error(`never saw ${what}; the screen is\n${screen().join('\n')}`));
      }, PATIENCE_MS);
      watchers.add(watcher);
      watcher();
    });
  return {
    output: () => output,
    screen,
    rows: allRows,
    transcript,
    cursor: () => ({ x: buffer().cursorX, y: buffer().cursorY }),
    isBracketedPaste: () => terminal.modes.bracketedPasteMode,
    type: (text) => pty.write(text),
    resize: (newColumns, newRows) => {
      pty.resize(newColumns, newRows);
      terminal.resize(newColumns, newRows);
    },
    hangUp: () => {
      // Not in the type: closes the descriptor, which is what a terminal does that goes away.
      (pty as IPty & { destroy: () => void }).destroy();
    },
    until,
    see: async (text) => {
      const holds = (): boolean => {
        const shown = screen().join('\n');
        return typeof text === 'string' ? shown.includes(text) : text.test(shown);
      };
      await until(String(text), holds);
    },
    exit: async () => {
      const ending = /code:(\d+)\nafter:(\S+):end/;
      const shown = (): string => transcript().join('\n');
      await until('the end of the program', () => ending.test(shown()));
      const [, code = '', stty = ''] = ending.exec(shown()) ?? [];
      const sttyBefore = /before:(\S+)/.exec(output)?.[1] ?? '';
      return { code: Number(code), stty, sttyBefore };
    },
  };
}

/** The terminal UI over a chat that the test plays. */
export interface UiRun extends TerminalRun {
  readonly pid: number;
  /** What the UI has executed so far. */
  readonly executed: readonly FaceCommand[];
  readonly dispatch: (...actions: ChatAction[]) => void;
  readonly order: (order: object) => void;
  /** Waits until the UI has executed that many commands. */
  readonly untilExecuted: (count: number) => Promise<void>;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
}

/** Starts the UI and waits until it runs. */
export async function startUi(options: RunOptions = {}): Promise<UiRun> {
  const folder = mkdtempSync(path.join(tmpdir(), 'slim-chat-tty-'));
  const address = path.join(folder, 'control');
  const executed: FaceCommand[] = [];
  const watchers = new Set<() => void>();
  const connected = new Promise<{ socket: Socket; pid: number }>((resolve) => {
    const server = createServer((socket) => {
      // The child may be killed while something is on the way to it.
      socket.on('error', () => {});
      createInterface({ input: socket }).on('line', (line) => {
        const message = JSON.parse(line) as { pid?: number; execute?: FaceCommand };
        if (message.pid !== undefined) resolve({ socket, pid: message.pid });
        if (message.execute !== undefined) executed.push(message.execute);
        for (const watcher of [...watchers]) watcher();
      });
    });
    server.listen(address);
    onTestFinished(() => {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    });
  });
  const run = startInTerminal([process.execPath, CHILD], { ...options, env: { ...options.env, UI_CONTROL: address } });
  const { socket, pid } = await connected;
  const gone = new Promise<void>((resolve) => {
    socket.on('close', () => {
      resolve();
    });
  });
  onTestFinished(() => {
    socket.destroy();
  });
  const order = (message: object): void => {
    socket.write(`${JSON.stringify(message)}\n`);
  };
  await run.until('the prompt', () => run.isBracketedPaste());
  return {
    ...run,
    pid,
    executed,
    gone,
    order,
    dispatch: (...actions) => {
      order({ dispatch: actions });
    },
    untilExecuted: async (count) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`executed only ${JSON.stringify(executed)}; the screen is\n${run.screen().join('\n')}`));
        }, PATIENCE_MS);
        const watcher = (): void => {
          if (executed.length < count) return;
          clearTimeout(timer);
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
        watcher();
      }),
  };
}
