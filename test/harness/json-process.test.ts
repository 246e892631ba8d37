import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { describe, expect, onTestFinished, test } from 'vitest';

import { JsonProcess, repoRoot } from './index.js';

/** A child that answers each line with `{"got":line}`, and ends when its stdin does. */
const ECHO = `
  require('node:readline').createInterface({ input: process.stdin })
    .on('line', (line) => console.log(JSON.stringify({ got: line, pid: process.pid })))
    .on('close', () => process.exit(7));
  console.log(JSON.stringify({ ready: true }));
`;

function start(script: string): JsonProcess {
  const child = new JsonProcess({ label: 'child', command: process.execPath, args: ['-e', script] });
  onTestFinished(async () => {
    await child.stop();
  });
  return child;
}

/** Whether a process is there and has not ended; one that nobody has waited for yet has. */
function isRunning(pid: number): boolean {
  try {
    if (existsSync('/proc/self/stat')) return !/^\d+ \(.*\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    process.kill(pid, 0);
    return true;
  } catch {
    // No such process: that is the answer.
    return false;
  }
}

describe('a JSON-line process', () => {
  test('answers what it is sent, and keeps every line in order', async () => {
    const child = start(ECHO);
    child.send({ n: 1 });
    child.sendLine('not json');
    await child.waitFor('second answer', (line) => line['got'] === 'not json', 5_000);
    expect(child.log.map(({ line }) => line['ready'] ?? line['got'])).toEqual([true, '{"n":1}', 'not json']);
  });

  test('tells lines that are no JSON objects apart', async () => {
    const child = start(`console.log('{"a":1}\\nplain\\n[1]\\n\\n3'); setInterval(() => {}, 1000)`);
    await child.waitUntil('three odd lines', () => child.malformed.length === 3, 5_000);
    expect(child.malformed).toEqual(['plain', '[1]', '3']);
    expect(child.log.map(({ line }) => line)).toEqual([{ a: 1 }]);
  });

  test('searches from a place in the log on', async () => {
    const child = start(ECHO);
    await child.waitFor('ready', (line) => line['ready'] === true, 5_000);
    await expect(
      child.waitFor('a second ready', (line) => line['ready'] === true, 200, child.log.length),
    ).rejects.toThrow('child: no a second ready within 200 ms');
  });

  test('ends a wait when the process has ended, with the reason from stderr', async () => {
    const child = start(`console.error('out of luck'); process.exit(3)`);
    await expect(child.waitFor('ready', () => false, 10_000)).rejects.toThrow(
      /ended while waiting.*exit 3.*out of luck/,
    );
    await expect(child.exited).resolves.toEqual({ code: 3, signal: null });
  });

  test('reports a command that does not exist', async () => {
    const child = new JsonProcess({ label: 'nobody', command: '/no/such/program', args: [] });
    await expect(child.waitFor('ready', () => false, 5_000)).rejects.toThrow(/nobody ended.*ENOENT/);
  });

  test('does not answer while it is frozen, and does afterwards', async () => {
    const child = start(ECHO);
    await child.waitFor('ready', (line) => line['ready'] === true, 5_000);
    child.freeze();
    child.send({ n: 1 });
    await expect(child.waitFor('an answer', (line) => 'got' in line, 300)).rejects.toThrow('no an answer');
    child.thaw();
    await child.waitFor('an answer', (line) => 'got' in line, 5_000);
  });

  test('is stopped by the end of its input', async () => {
    const child = start(ECHO);
    await child.waitFor('ready', (line) => line['ready'] === true, 5_000);
    child.endInput();
    await expect(child.exited).resolves.toEqual({ code: 7, signal: null });
  });
});

test(
  'children end with a test process that is killed, also frozen ones and their children',
  { timeout: 60_000 },
  async () => {
    // A test process in the small: two children of which one is frozen, then killed without any chance to clean up.
    const config = path.join(repoRoot, 'test', 'harness', 'fixtures', 'vitest.config.ts');
    const host = new JsonProcess({
      label: 'host',
      command: process.execPath,
      args: [path.join(repoRoot, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--config', config],
    });
    onTestFinished(async () => {
      await host.stop();
    });
    const line = await host.waitFor('pids', (got) => 'pids' in got, 30_000);
    const pids = line['pids'] as number[];
    expect(pids.every(isRunning)).toBe(true);
    host.kill('SIGKILL');
    await host.exited;
    const deadlineMs = Date.now() + 10_000;
    while (pids.some(isRunning) && Date.now() < deadlineMs) await pause(20);
    expect(pids.filter(isRunning)).toEqual([]);
  },
);
