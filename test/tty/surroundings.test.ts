import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { freePort } from '../harness/index.js';
import { startInTerminal } from './harness.js';
import { startProgram } from './start-program.js';

async function alone(): Promise<readonly string[]> {
  const slim = `127.0.0.1:${String(await freePort())}`;
  return ['--slim', slim, '--node', 'always', '--local', 'a/b/c', '--remote', 'a/b/talk'];
}

function tempFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'slim-chat-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

describe('the terminal UI where the shell is set up for other work', () => {
  test('is drawn by the same build of React, without debugger and in full', async () => {
    const file = path.join(tempFolder(), 'loaded');
    // A file that was only looked through for its exports is known to Node, too, but was not run.
    const tell = `
      import { writeFileSync } from 'node:fs';
      import Module from 'node:module';
      process.on('exit', () => {
        const names = Object.keys(Module._cache).filter((name) => Module._cache[name].loaded);
        writeFileSync(process.env.TELL_LOADED, names.join('\\n'));
      });
    `;
    const env = {
      NODE_ENV: 'development',
      DEV: 'true',
      CI: '1',
      CONTINUOUS_INTEGRATION: 'true',
      TELL_LOADED: file,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tell)}`,
    };
    const run = startProgram(await alone(), { env });
    await run.see('talk | 1 member');
    run.type('/quit\r');
    expect((await run.exit()).code).toBe(0);
    const loaded = readFileSync(file, 'utf8').split('\n');
    expect(loaded.some((name) => name.endsWith('react.production.js'))).toBe(true);
    expect(loaded.filter((name) => name.includes('.development.'))).toEqual([]);
    expect(run.output()).not.toContain('devtools');
  });

  test('runs in a directory that was deleted', async () => {
    const gone = path.join(tempFolder(), 'gone');
    const program = path.resolve('dist/bin/slim-chat.js');
    const script = 'mkdir "$1" && cd "$1" && rmdir "$1" && shift && exec "$@"';
    const command = ['/bin/sh', '-c', script, 'sh', gone, process.execPath, program, ...(await alone())];
    const run = startInTerminal(command, { env: { HOME: tempFolder(), CI: '1' } });
    await run.see('talk | 1 member');
    run.type('/quit\r');
    expect((await run.exit()).code).toBe(0);
  });
});
