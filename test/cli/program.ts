import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished } from 'vitest';

import { eventProblems } from './json-contract.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = path.join(root, 'dist', 'bin', 'slim-chat.js');

/** Generous, because the machine may be busy; reached only when something is wrong. */
const PATIENCE_MS = 30_000;

type Fields = Readonly<Record<string, unknown>>;

/** How a process ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How to start a {@link Program}. */
export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Options of Node itself. */
  readonly node?: readonly string[];
  /** A file that gets what it writes to stdout. */
  readonly into?: string;
}

/** The built program in a process of its own. It dies with the test. */
export class Program {
  readonly child: ChildProcessWithoutNullStreams;
  stdout = '';
  stderr = '';
  readonly ended: Promise<ProgramEnd>;
  #end: ProgramEnd | undefined;
  readonly #waiters = new Set<() => void>();

  constructor(args: readonly string[], options: ProgramOptions = {}) {
    const { SLIM_LOCAL: _local, SLIM_SLIM: _slim, SLIM_SHARED_SECRET: _secret, ...inherited } = process.env;
    const command = [process.execPath, ...(options.node ?? []), script, ...args];
    const { into } = options;
    // The shell gives way to the program, so signals still reach it.
    const [file = '', ...words] =
      into === undefined ? command : ['/bin/sh', '-c', 'into=$1; shift; exec "$@" >"$into"', 'sh', into, ...command];
    this.child = spawn(file, words, { env: { ...inherited, ...options.env }, cwd: root });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#wake();
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#wake();
    });
    // A program that ends early closes its input; what a test writes then is lost, as it should be.
    this.child.stdin.on('error', () => undefined);
    this.ended = once(this.child, 'close').then((values) => {
      const [code, signal] = values as [number | null, NodeJS.Signals | null];
      this.#end = { code, signal };
      this.#wake();
      return this.#end;
    });
    onTestFinished(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  write(text: string): void {
    this.child.stdin.write(text);
  }

  /** Stops it where it is, as a computer does that sleeps. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  /** Lets it go on. */
  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** The most memory that it has had so far, bytes. Linux only. */
  get peakBytes(): number {
    const status = readFileSync(`/proc/${String(this.child.pid)}/status`, 'utf8');
    return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]);
  }

  /** The processor time that it has used so far, milliseconds. Linux only, where a tick is 10 ms. */
  get cpuMs(): number {
    const stat = readFileSync(`/proc/${String(this.child.pid)}/stat`, 'utf8');
    const [userTicks, systemTicks] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number);
    return 10 * ((userTicks ?? NaN) + (systemTicks ?? NaN));
  }

  /** Waits for the exit code. */
  async exit(patienceMs = PATIENCE_MS): Promise<number | null> {
    await this.until('the end', () => this.#end !== undefined, patienceMs);
    return (await this.ended).code;
  }

  /** Waits until a condition on its output holds; fails with the output if that does not happen. */
  async until(what: string, condition: () => boolean, patienceMs = PATIENCE_MS): Promise<void> {
    const deadlineMs = Date.now() + patienceMs;
    while (!condition()) {
      const leftMs = deadlineMs - Date.now();
      if (leftMs <= 0 || this.#end !== undefined) {
        throw new Error(`waited in vain for ${what}\nstdout: ${ending(this.stdout)}\nstderr: ${ending(this.stderr)}`);
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiters.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, leftMs);
        this.#waiters.add(wake);
      });
    }
  }

  /** Waits for a text on stdout. */
  async untilShown(text: string): Promise<void> {
    await this.until(JSON.stringify(text), () => this.stdout.includes(text));
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }
}

/** The program with `--json`. */
export class JsonProgram extends Program {
  readonly #events: Fields[] = [];
  readonly #lines: string[] = [];
  /** The beginning of a line whose end has not come. */
  #rest = '';

  constructor(args: readonly string[], options: ProgramOptions = {}) {
    super(['--json', ...args], options);
    this.child.stdout.on('data', (text: string) => {
      const [first = '', ...others] = text.split('\n');
      this.#rest += first;
      for (const other of others) {
        this.#lines.push(this.#rest);
        this.#rest = other;
      }
    });
    // Whatever a test is about, every line it causes must fit the contract.
    onTestFinished(() => {
      for (const line of this.lines) expect(eventProblems(line)).toBe('');
    });
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  get events(): readonly Fields[] {
    for (const line of this.#lines.slice(this.#events.length)) this.#events.push(JSON.parse(line) as Fields);
    return this.#events;
  }

  send(command: Fields): void {
    this.write(`${JSON.stringify(command)}\n`);
  }

  /** The first event with these fields, from the `from`th event on; waits for it. */
  async event(fields: Fields, from = 0): Promise<Fields> {
    const find = (): Fields | undefined =>
      this.events.slice(from).find((event) => Object.entries(fields).every(([key, value]) => event[key] === value));
    await this.until(JSON.stringify(fields), () => find() !== undefined);
    const found = find();
    if (found === undefined) throw new Error('the event is gone');
    return found;
  }

  /** Events of one type so far. */
  of(type: string): readonly Fields[] {
    return this.events.filter((event) => event['type'] === type);
  }

  /** The texts that it has got so far. */
  get texts(): readonly unknown[] {
    return this.of('message').map(({ text }) => text);
  }
}

/** The last lines of an output, and of long ones only how they begin: enough for an error text. */
function ending(output: string): string {
  return output
    .split('\n')
    .slice(-60)
    .map((line) => (line.length > 1000 ? `${line.slice(0, 1000)}...` : line))
    .join('\n');
}

/** A port of this computer that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Runs `slim-chat node` on a free port, or on one that was used before. Resolves to its endpoint. */
export async function startNode(port = 0): Promise<{ readonly node: Program; readonly slim: string }> {
  const node = new Program(['node', '--listen', `127.0.0.1:${String(port)}`]);
  await node.untilShown('SLIM node at ');
  const slim = /http:\/\/\S+/.exec(node.stdout)?.[0];
  if (slim === undefined) throw new Error(`no endpoint in ${node.stdout}`);
  return { node, slim };
}
