import { describe, expect, onTestFinished, test } from 'vitest';

import { freePort, type JsonObject, JsonProcess, repoRoot } from '../harness/index.js';
import { startInTerminal } from '../tty/harness.js';

const PATIENCE_MS = 30_000;
const SECRET = ['--shared-secret', 'only for this test, 32 characters or more'];

/** `npm run dev` as a developer starts it. */
function devCommand(...options: readonly string[]): [command: string, ...args: string[]] {
  return ['npm', 'run', '-s', 'dev', '--', ...options];
}

/** The program from its sources, in its headless mode. */
function startJson(label: string, ...options: readonly string[]): JsonProcess {
  const [command, ...args] = devCommand('--json', '--local', `org/ns/${label}`, ...SECRET, ...options);
  const child = new JsonProcess({ label, command, args, cwd: repoRoot });
  onTestFinished(async () => {
    await child.stop();
  });
  return child;
}

describe('npm run dev', () => {
  test('runs the sources as a whole chat: node, group, and MLS with its WebAssembly', async () => {
    const slim = ['--slim', `http://127.0.0.1:${await freePort()}`];
    const group = ['--remote', 'org/ns/chat', '--invites', 'org/ns/bob', '--enable-mls'];
    const alice = startJson('alice', ...slim, '--node', 'always', ...group);
    await alice.waitFor('ready', (line) => line['type'] === 'ready', PATIENCE_MS);
    const bob = startJson('bob', ...slim, '--node', 'never');
    await alice.waitFor('bob', (line) => line['type'] === 'joined', PATIENCE_MS);
    alice.send({ type: 'publish', text: 'from the sources' });
    const isMessage = (line: JsonObject): boolean => line['type'] === 'message';
    expect(await bob.waitFor('message', isMessage, PATIENCE_MS)).toMatchObject({
      text: 'from the sources',
      encrypted: true,
    });
    for (const child of [bob, alice]) {
      child.endInput();
      expect(await child.exited).toEqual({ code: 0, signal: null });
    }
  });

  test('draws the screen in a terminal', async () => {
    const slim = ['--slim', `http://127.0.0.1:${await freePort()}`, '--node', 'always'];
    // What npm says about newer versions of itself is no part of the screen.
    const env = { npm_config_update_notifier: 'false', CI: '1' };
    const terminal = startInTerminal(devCommand('--local', 'org/ns/carol', ...slim, ...SECRET), { env });
    await terminal.see('waiting for an invitation, 0:');
    terminal.type('/quit\r');
    expect(await terminal.exit()).toMatchObject({ code: 0 });
  });
});
