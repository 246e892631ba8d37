import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { beforeEach, describe, expect, test, onTestFinished } from 'vitest';

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
  test('adds up passed and skipped tests of all suites', () => {
    runSuite('a', `it('one', () => {}); it('two', () => {}); it.skip('three', () => {});`);
    runSuite('b', `it('one', () => {});`);
    expect(count('a', 'b')).toMatchObject({ exit: 0, last: '3 passed, 0 failed, 1 skipped' });
  });

  test('counts failed tests and fails', () => {
    runSuite('a', `it('one', () => {}); it('two', () => { throw new Error('no'); });`);
    expect(count('a')).toMatchObject({ exit: 1, last: '1 passed, 1 failed, 0 skipped' });
  });

  test('counts a file that does not load', () => {
    runSuite('a', `import './nowhere.mjs'; it('one', () => {});`);
    const result = count('a');
    expect(result).toMatchObject({ exit: 1, last: '0 passed, 1 failed, 0 skipped' });
    expect(result.lines.join('\n')).toContain('failed outside its tests');
  });

  test('counts a failed clean-up after tests that passed', () => {
    runSuite('a', `it('one', () => {}); afterAll(() => { throw new Error('no'); });`);
    expect(count('a')).toMatchObject({ exit: 1, last: '1 passed, 1 failed, 0 skipped' });
  });

  test('counts an error that belongs to no test', () => {
    runSuite('a', `it('one', () => { Promise.reject(new Error('nobody waits')); });`);
    expect(count('a')).toMatchObject({ exit: 1, last: '1 passed, 1 failed, 0 skipped' });
  });

  test('counts a suite of which no test ran', () => {
    runSuite('a', `it.skip('one', () => {});`);
    expect(count('a')).toMatchObject({ exit: 1, last: '0 passed, 1 failed, 1 skipped' });
  });

  test('counts a suite that was killed before it wrote results', () => {
    writeFileSync(path.join(folder, 'a.exit'), '137\n');
    expect(count('a')).toMatchObject({ exit: 1, last: '0 passed, 1 failed, 0 skipped' });
  });

  test('counts a failed installation', () => {
    writeFileSync(path.join(folder, 'install.exit'), '1\n');
    expect(count('a')).toMatchObject({ exit: 1, last: '0 passed, 1 failed, 0 skipped' });
  });

  /** What cargo printed, and how it ended. */
  function cargo(text: string, exitCode: number): ReturnType<typeof count> {
    writeFileSync(path.join(folder, 'crate.txt'), text);
    writeFileSync(path.join(folder, 'crate.exit'), `${String(exitCode)}\n`);
    return count('crate');
  }
  const RESULT = 'test result: ok. 9 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.51s\n';

  test('adds up what cargo prints for each of its test programs', () => {
    expect(cargo(`${RESULT}...\n${RESULT}`, 0)).toMatchObject({ exit: 0, last: '18 passed, 0 failed, 4 skipped' });
    const failed = RESULT.replace('ok. 9 passed; 0 failed', 'FAILED. 8 passed; 1 failed');
    expect(cargo(RESULT + failed, 101)).toMatchObject({ exit: 1, last: '17 passed, 1 failed, 4 skipped' });
  });

  test('counts a crate that does not compile as a failure, and one that was left out as skipped', () => {
    expect(cargo('error: could not compile\n', 101)).toMatchObject({ exit: 1 });
    expect(cargo('Compiling\n', 0)).toMatchObject({ exit: 1 });
    expect(cargo('SKIPPED: no cargo\n', 0)).toMatchObject({ exit: 0, last: '0 passed, 0 failed, 1 skipped' });
  });

  test('says aloud, just before the last line, which suite was left out and why', () => {
    writeFileSync(path.join(folder, 'node22.txt'), 'SKIPPED: NOTHING RAN ON NODE 22\n');
    writeFileSync(path.join(folder, 'node22.exit'), '0\n');
    runSuite('a', `it('one', () => {});`);
    const { exit, lines } = count('node22', 'a');
    expect(exit).toBe(0);
    expect(lines.slice(-2)).toEqual([
      '!! node22 was left out: NOTHING RAN ON NODE 22',
      '1 passed, 0 failed, 1 skipped',
    ]);
  });
});
