import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, test, onTestFinished, vi } from 'vitest';

import { writeCrashFile } from '../../src/cli/crash-file.js';
import { readDuration } from '../../src/cli/duration.js';
import { crashScreen, errorScreen } from '../../src/cli/error-screen.js';
import { openLog } from '../../src/cli/log-file.js';
import { ensureNode } from '../../src/cli/node-start.js';
import { chooseRunMode, type Surroundings } from '../../src/cli/run-mode.js';
import { type SlimNode } from '../../src/node/index.js';
import { type ClientConfig, parseClientConfig } from '../../src/transport/index.js';
import { AuthError, ConnectionError, UsageError } from '../../src/util/index.js';

function tempFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'slim-chat-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

describe('chooseRunMode', () => {
  const terminal: Surroundings = {
    isJson: false,
    isPlain: false,
    env: { TERM: 'xterm' },
    stdin: { isTTY: true },
    stdout: { isTTY: true, rows: 24, columns: 80 },
  };

  test.each([
    ['a terminal', {}, 'tui'],
    ['--json', { isJson: true }, 'json'],
    ['--plain', { isPlain: true }, 'plain'],
    ['a pipe as input', { stdin: {} }, 'plain'],
    ['a pipe as output', { stdout: {} }, 'plain'],
    ['TERM=dumb', { env: { TERM: 'dumb' } }, 'plain'],
    ['ACCESSIBLE=1', { env: { ACCESSIBLE: '1' } }, 'plain'],
    ['ACCESSIBLE=0', { env: { ACCESSIBLE: '0' } }, 'tui'],
    ['ACCESSIBLE=N', { env: { ACCESSIBLE: 'N' } }, 'tui'],
    ['ACCESSIBLE=please', { env: { ACCESSIBLE: 'please' } }, 'plain'],
    ['INK_SCREEN_READER=true', { env: { INK_SCREEN_READER: 'true' } }, 'plain'],
    ['a terminal without a size', { stdout: { isTTY: true, rows: 0, columns: 0 } }, 'plain'],
    ['a terminal of 6 rows', { stdout: { isTTY: true, rows: 6, columns: 20 } }, 'tui'],
    ['a terminal of 5 rows', { stdout: { isTTY: true, rows: 5, columns: 80 } }, 'plain'],
    ['a terminal of 19 columns', { stdout: { isTTY: true, rows: 24, columns: 19 } }, 'plain'],
    ['CI and NO_COLOR', { env: { CI: '1', NO_COLOR: '1' } }, 'tui'],
  ] as const)('with %s', (_what, change, mode) => {
    expect(chooseRunMode({ ...terminal, ...change })).toBe(mode);
  });
});

describe('readDuration', () => {
  test.each([
    ['1000', 1000],
    ['250ms', 250],
    ['5s', 5000],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1m30s', 90_000],
    [' 5s ', 5000],
  ])('%s', (text, ms) => {
    expect(readDuration(text, '--timeout')).toBe(ms);
  });

  test.each(['', 's', '-1', '5 s', '5w', '1e3', '0x10', 'constructor'])('refuses %j', (text) => {
    expect(() => readDuration(text, '--timeout')).toThrow(UsageError);
  });
});

describe('errorScreen', () => {
  test('has the error, then what to do, and no stack', () => {
    const hint = 'Is it running? Check with: nc -vz 10.0.0.5 46357';
    const what = 'cannot reach a SLIM node at http://10.0.0.5:46357 (connection refused)';
    expect(errorScreen(new ConnectionError('refused', `${what}. ${hint}`, { details: { hint } }))).toEqual([
      `slim-chat: ${what}`,
      `  ${hint}`,
      '  To start one here: npx slim-chat node',
    ]);
    expect(errorScreen(new AuthError('credentials-rejected', 'no'))).toEqual([
      'slim-chat: no',
      '  Check --shared-secret',
    ]);
  });

  test('shows nothing that a terminal would obey', () => {
    expect(errorScreen(new UsageError('invalid-name', 'got \u001b[2J\nx'))).toEqual(['slim-chat: got \ufffd[2J x']);
  });

  test('of a bug names the file', () => {
    expect(crashScreen('/x/crash.log', new Error('y'))).toEqual([
      'slim-chat: unexpected error, this is a bug. Details: /x/crash.log',
    ]);
    expect(crashScreen(undefined, new Error('y'))).toEqual(['slim-chat: unexpected error, this is a bug: y']);
  });
});

describe('writeCrashFile', () => {
  test('writes where only the user can read', () => {
    const folder = tempFolder();
    const file = writeCrashFile(new Error('oops', { cause: new Error('deep') }), '0.1.0', { XDG_STATE_HOME: folder });
    if (file === undefined) throw new Error('no crash file');
    expect(file).toMatch(/slim-chat\/crash-\d{8}\.log$/);
    expect(file.startsWith(folder)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('slim-chat 0.1.0');
    expect(text).toContain('oops');
    expect(text).toContain('deep');
  });

  test('finds another place when there is no home to write to', () => {
    const folder = tempFolder();
    writeFileSync(path.join(folder, 'slim-chat'), 'a file, not a folder');
    const file = writeCrashFile(new Error('x'), '0.1.0', { XDG_STATE_HOME: folder });
    expect(file?.startsWith(folder)).toBe(false);
    expect(file !== undefined && existsSync(file)).toBe(true);
  });
});

describe('writeCrashFile in a directory that is gone', () => {
  test('does not try to make a relative folder, which Node tries for ever', () => {
    vi.stubEnv('TMPDIR', 'relative');
    vi.stubEnv('HOME', '');
    expect(writeCrashFile(new Error('x'), '0.1.0', {})).toBeUndefined();
  });
});

describe('openLog', () => {
  test('writes events without what people say', () => {
    const file = path.join(tempFolder(), 'x.log');
    const log = openLog(file);
    const base = {
      at: '2026-11-23T12:00:00.000Z',
      session: 1,
      id: 1,
      from: 'a/b/c/1',
      payloadType: 'msg',
      encrypted: false,
    };
    log.chat({ ...base, type: 'message', text: 'private words', metadata: { key: 'private value' } });
    log.node({ kind: 'listening', endpoint: 'http://127.0.0.1:1' });
    log.close();
    log.chat({ at: base.at, type: 'bye', exitCode: 0 });
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('private');
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { source: 'chat', type: 'message', from: 'a/b/c/1', contentLength: 13, metadataKeys: ['key'] },
      { source: 'node', kind: 'listening' },
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('refuses a file it cannot write, and logs nothing without one', () => {
    expect(() => openLog('/nowhere/x.log')).toThrow('Cannot write the log file "/nowhere/x.log" (ENOENT).');
    openLog(undefined).chat({ at: '', type: 'bye', exitCode: 0 });
  });
});

describe('ensureNode', () => {
  const log = (): void => undefined;
  const slim = (port: number): ClientConfig => parseClientConfig(`http://127.0.0.1:${String(port)}`);

  async function listen(): Promise<{ readonly server: Server; readonly port: number }> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => {
      server.close();
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return { server, port: address.port };
  }

  async function freePort(): Promise<number> {
    const { server, port } = await listen();
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  test('starts one where nobody listens', async () => {
    const port = await freePort();
    const node = await ensureNode(slim(port), 'auto', log);
    onTestFinished(() => node?.close());
    expect(node?.port).toBe(port);
  });

  test('leaves alone whoever listens there already', async () => {
    const { port } = await listen();
    expect(await ensureNode(slim(port), 'auto', log)).toBeUndefined();
  });

  test('starts none when told so', async () => {
    expect(await ensureNode(slim(await freePort()), 'never', log)).toBeUndefined();
  });

  test('insists with always', async () => {
    const { port } = await listen();
    await expect(ensureNode(slim(port), 'always', log)).rejects.toMatchObject({ code: 'port-in-use' });
  });

  test('lets one of two that start at once have the port, and the other one use it', async () => {
    const port = await freePort();
    const address = slim(port);
    const nodes = await Promise.all([1, 2, 3, 4].map(() => ensureNode(address, 'auto', log)));
    const started = nodes.filter((node): node is SlimNode => node !== undefined);
    onTestFinished(async () => {
      await Promise.all(started.map((node) => node.close()));
    });
    expect(started).toHaveLength(1);
  });
});
