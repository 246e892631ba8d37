import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { repoRoot } from './paths.js';
import { peersHome, pythonOf } from './peers-kit.js';

const SOURCE = path.join(repoRoot, 'test', 'harness', 'wall-clock.c');

const COMPILER = process.env['CC'] ?? 'cc';

/** How far a clock is moved to see whether that works; nothing else accounts for a difference of half of it. */
const PROBE_MS = 1_200_000;

/**
 * The wall clock of processes, which a test moves while they run. Their monotonic clocks, and with them their timers, stay as
 * they are: what a process sees when the machine slept, or somebody set the clock.
 */
export class WallClock {
  /** For the environment of the processes. */
  readonly env: Readonly<Record<string, string>>;

  readonly #folder: string;
  readonly #fd: number;
  #aheadMs = 0;

  /** @param library - from {@link buildWallClock} */
  constructor(library: string) {
    this.#folder = mkdtempSync(path.join(tmpdir(), 'slim-chat-clock-'));
    const file = path.join(this.#folder, 'seconds');
    this.#fd = openSync(file, 'w');
    this.#write();
    this.env = { LD_PRELOAD: library, WALL_CLOCK_FILE: file };
  }

  /** Moves the clock on. */
  advanceMinutes(minutes: number): void {
    this.#aheadMs += minutes * 60_000;
    this.#write();
  }

  /** Removes its file; processes that still run stay where they are. */
  close(): void {
    closeSync(this.#fd);
    rmSync(this.#folder, { recursive: true });
  }

  #write(): void {
    const seconds = Buffer.from(BigInt64Array.of(BigInt(this.#aheadMs / 1000)).buffer);
    writeSync(this.#fd, seconds, 0, seconds.length, 0);
  }
}

/**
 * Compiles the library that moves clocks, once for each version of its source, into the home of the real peers, and sees that it
 * moves the clock of our program and of real members of `version`.
 *
 * @returns its path, or why clocks cannot be moved here
 */
export function buildWallClock(
  version: string,
): { readonly library: string; readonly why?: never } | { readonly library?: never; readonly why: string } {
  if (process.platform !== 'linux') return { why: `the clock of a process cannot be moved on ${process.platform}` };
  const hash = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 12);
  const library = path.join(peersHome(), `wall-clock-${hash}.so`);
  if (!existsSync(library)) {
    mkdirSync(peersHome(), { recursive: true });
    // Under a name of its own first: another test process may be doing the same.
    const draft = `${library}.${process.pid}`;
    const made = spawnSync(COMPILER, ['-shared', '-fPIC', '-O2', '-Wall', '-o', draft, SOURCE], { encoding: 'utf8' });
    if (made.error !== undefined) return { why: `no C compiler (${COMPILER}): ${made.error.message}` };
    if (made.status !== 0) return { why: `${COMPILER} cannot compile ${path.basename(SOURCE)}: ${made.stderr.trim()}` };
    renameSync(draft, library);
  }
  const probes = [
    [process.execPath, ['-p', 'Date.now()']],
    [pythonOf(version), ['-c', 'import time; print(int(time.time() * 1000))']],
  ] as const;
  const clock = new WallClock(library);
  try {
    clock.advanceMinutes(PROBE_MS / 60_000);
    for (const [command, args] of probes) {
      const { stdout } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...clock.env } });
      const aheadMs = Number(stdout) - Date.now();
      if (!(aheadMs > PROBE_MS / 2))
        return { why: `preloading ${path.basename(library)} does not move the clock of ${command}` };
    }
  } finally {
    clock.close();
  }
  return { library };
}
