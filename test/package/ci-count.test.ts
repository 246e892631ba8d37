import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'slim-chat-count-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(path.join(folder, 'install.exit'), '0\n');
});

/** Runs vitest itself over a test file with this body, as a suite of .ci/run. */
function runSuite(name: string, body: string): void {
  const suite = path.join(folder, name);
  writeFileSync(`${suite}.test.mjs`, body);
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [
    'run',
    '--root',
    folder,
    '--globals',
    '--reporter=json',
    `--outputFile=${suite}.json`,
    `${name}.test.mjs`,
  ];
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('VITEST')));
  const { status } = spawnSync(process.execPath, [vitest, ...args], { env });
  writeFileSync(`${suite}.exit`, `${String(status)}\n`);
}

function count(...suites: string[]): { exit: number | null; lines: string[]; last: string | undefined } {
  const args = [path.join(root, '.ci', 'count.mjs'), folder, 'install', ...suites];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const lines = stdout.trimEnd().split('\n');
  return { exit: status, lines, last: lines.at(-1) };
}

describe('the count of .ci/run', () => {
  it('adds up passed and skipped tests of all suites', () => {
    runSuite('a', `it('one', () => {}); it('two', () => {}); it.skip('three', () => {});`);
    runSuite('b', `it('one', () => {});`);
    expect(count('a', 'b')).toMatchObject({ exit: 0, last: '3 passed, 0 failed, 1 skipped' });
  });

  it('counts failed tests and fails', () => {
    runSuite('a', `it('one', () => {}); it('two', () => { throw new Error('no'); });`);
    expect(count('a')).toMatchObject({ exit: 1, last: '1 passed, 1 failed, 0 skipped' });
  });

  it('counts a file that does not load', () => {
    runSuite('a', `import './nowhere.mjs'; it('one', () => {});`);
    const result = count('a');
    expect(result).toMatchObject({ exit: 1, last: '0 passed, 1 failed, 0 skipped' });
    expect(result.lines.join('\n')).toContain('failed outside its tests');
  });

  it('counts a failed clean-up after tests that passed', () => {
    runSuite('a', `it('one', () => {}); afterAll(() => { throw new Error('no'); });`);
    expect(count('a')).toMatchObject({ exit: 1, last: '1 passed, 1 failed, 0 skipped' });
  });

  it('counts an error that belongs to no test', () => {
    runSuite('a', `it('one', () => { Promise.reject(new Error('nobody waits')); });`);
    expect(count('a')).toMatchObject({ exit: 1, last: '1 passed, 1 failed, 0 skipped' });
  });

  it('counts a suite of which no test ran', () => {
    runSuite('a', `it.skip('one', () => {});`);
    expect(count('a')).toMatchObject({ exit: 1, last: '0 passed, 1 failed, 1 skipped' });
  });

  it('counts a suite that was killed before it wrote results', () => {
    writeFileSync(path.join(folder, 'a.exit'), '137\n');
    expect(count('a')).toMatchObject({ exit: 1, last: '0 passed, 1 failed, 0 skipped' });
  });

  it('counts a failed installation', () => {
    writeFileSync(path.join(folder, 'install.exit'), '1\n');
    expect(count('a')).toMatchObject({ exit: 1, last: '0 passed, 1 failed, 0 skipped' });
  });
});
