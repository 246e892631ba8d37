import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** One JSON object of a process. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A line that a process wrote, with the time at which this process read it. */
export interface LogEntry {
  /** Milliseconds since the process was started. */
  readonly atMs: number;
  readonly line: JsonObject;
}

/** What to start, and how to call it in error texts. */
export interface JsonProcessOptions {
  readonly label: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the environment of this process; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** It does not end when its stdin does, so somebody has to see to it when the test process is killed. */
  readonly outlivesInput?: boolean;
}

/** How a process ended. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const STDERR_KEPT = 65_536;
const STOP_GRACE_MS = 5_000;

const alive = new Set<JsonProcess>();
let exitHookSet = false;

/**
 * A child process that reads and writes JSON lines, with its whole event log.
 *
 * It runs in a process group of its own, and signals go to the group, so that helpers it started end with it.
 */
export class JsonProcess {
  readonly label: string;
  /** When it was spawned (`performance.now()`). */
  readonly startedAtMs = performance.now();
  /** Every JSON object it wrote, oldest first. */
  readonly log: LogEntry[] = [];
  /** Lines on stdout that were no JSON objects. */
  readonly malformed: string[] = [];
  /** Settles when the process has ended and its output was read. */
  readonly exited: Promise<ExitStatus>;
  /** Set once it has ended. */
  exit: ExitStatus | undefined;

  readonly #outlivesInput: boolean;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #listeners = new Set<() => void>();
  #stderrTail = '';
  #warden: ChildProcessByStdio<Writable, null, null> | undefined;

  constructor(options: JsonProcessOptions) {
    this.label = options.label;
    this.#outlivesInput = options.outlivesInput === true;
    if (!exitHookSet) {
      exitHookSet = true;
      process.on('exit', killTheRest);
    }
    this.#child = spawn(options.command, [...options.args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    alive.add(this);
    if (this.#outlivesInput) this.#postWarden();
    // Writing to a process that has just ended is a normal race here; `exited` tells about it.
    this.#child.stdin.on('error', () => undefined);
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderrTail = (this.#stderrTail + text).slice(-STDERR_KEPT);
    });
    createInterface({ input: this.#child.stdout, crlfDelay: Infinity }).on('line', (line) => {
      this.#take(line);
    });
    this.exited = new Promise((resolve) => {
      const end = (status: ExitStatus): void => {
        if (this.exit !== undefined) return;
        this.exit = status;
        alive.delete(this);
        this.#releaseWarden();
        this.#notify();
        resolve(status);
      };
      this.#child.once('close', (code, signal) => {
        end({ code, signal });
      });
      this.#child.once('error', (error) => {
        this.#stderrTail += `\n${error.message}`;
        end({ code: -1, signal: null });
      });
    });
  }

  /** Process id; also the id of its group. */
  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`${this.label} did not start: ${this.#stderrTail.trim()}`);
    return pid;
  }

  /** The last 64 KiB of what it wrote to stderr. */
  get stderr(): string {
    return this.#stderrTail;
  }

  /** Writes one object as a line. */
  send(message: JsonObject): void {
    this.sendLine(JSON.stringify(message));
  }

  /** Writes a line as it is, for tests of bad input. */
  sendLine(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Closes its stdin. */
  endInput(): void {
    this.#child.stdin.end();
  }

  /** Calls `listener` after each line and at the end of the process; returns "stop listening". */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** First line, from index `from` of the log on, that `test` accepts; rejects after `timeoutMs` or when the process has ended. */
  async waitFor(what: string, test: (line: JsonObject) => boolean, timeoutMs: number, from = 0): Promise<JsonObject> {
    let next = from;
    let found: JsonObject | undefined;
    await this.waitUntil(
      what,
      () => {
        for (; next < this.log.length && found === undefined; next += 1) {
          const entry = this.log[next];
          if (entry !== undefined && test(entry.line)) found = entry.line;
        }
        return found !== undefined;
      },
      timeoutMs,
    );
    if (found === undefined) throw new Error(`${this.label}: lost ${what}`);
    return found;
  }

  /** Resolves when `condition` holds; it is asked after each line. Rejects after `timeoutMs` or when the process has ended. */
  async waitUntil(what: string, condition: () => boolean, timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      let stop = (): void => undefined;
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        stop();
        if (error === undefined) resolve();
        else reject(error);
      };
      const check = (): void => {
        if (condition()) settle();
        else if (this.exit !== undefined) {
          settle(new Error(`${this.label} ended while waiting for ${what}: ${this.why()}`));
        }
      };
      const timer = setTimeout(() => {
        settle(new Error(`${this.label}: no ${what} within ${timeoutMs} ms: ${this.why()}`));
      }, timeoutMs);
      stop = this.onChange(check);
      check();
    });
  }

  /** Sends a signal to the process group. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    const { pid } = this.#child;
    if (pid === undefined || this.exit !== undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }

  /** Stops the process without ending it. A frozen process cannot notice that its stdin is closed, so a warden kills it then. */
  freeze(): void {
    this.#postWarden();
    this.kill('SIGSTOP');
  }

  /** Lets a frozen process go on. */
  thaw(): void {
    this.kill('SIGCONT');
    if (!this.#outlivesInput) this.#releaseWarden();
  }

  /** Ends it: closes stdin, asks with SIGTERM, and kills it after five seconds. */
  async stop(): Promise<ExitStatus> {
    if (this.exit !== undefined) return this.exit;
    this.thaw();
    this.endInput();
    this.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.kill('SIGKILL');
    }, STOP_GRACE_MS);
    const status = await this.exited;
    clearTimeout(timer);
    return status;
  }

  /** Short text about its state, for errors. */
  why(): string {
    const last = this.log.at(-1)?.line;
    const state = this.exit === undefined ? 'running' : `exit ${this.exit.code ?? this.exit.signal ?? '?'}`;
    return [
      `${state}, ${this.log.length} lines`,
      last === undefined ? '' : `last ${JSON.stringify(last).slice(0, 300)}`,
      this.#stderrTail.trim().slice(-500),
    ]
      .filter((part) => part !== '')
      .join('; ');
  }

  #take(text: string): void {
    if (text.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // Reported as data: whether such a line is allowed is for the test to say.
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      this.log.push({ atMs: performance.now() - this.startedAtMs, line: value as JsonObject });
    } else {
      this.malformed.push(text);
    }
    this.#notify();
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** A shell that kills the group when its own stdin ends without a word, which is when this process is gone. */
  #postWarden(): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#warden !== undefined) return;
    this.#warden = spawn('sh', ['-c', `read -r _ || kill -s KILL -- -${pid}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#warden.stdin.on('error', () => undefined);
  }

  #releaseWarden(): void {
    this.#warden?.stdin.end('done\n');
    this.#warden = undefined;
  }
}

/** Kills what is left when the test process ends. A killed test process closes the pipes instead, which ends the children too. */
function killTheRest(): void {
  for (const child of alive) child.kill('SIGKILL');
}
