import { describe, expect, onTestFinished, test } from 'vitest';

import { freePort, JsonProcess, programPath } from '../harness/index.js';

const WAIT_MS = 30_000;
const SECRET = 'only for this test, 32 characters or more';

/** The built program, run by the Node that runs this test: `.ci/run` starts this file with several. */
function start(label: string, ...options: readonly string[]): JsonProcess {
  const args = [programPath, '--local', `org/ns/${label}`, '--shared-secret', SECRET, ...options];
  const program = new JsonProcess({ label, command: process.execPath, args });
  onTestFinished(async () => {
    await program.stop();
  });
  return program;
}

describe(`two programs on Node ${process.versions.node}`, () => {
  test('exchange a line each way, encrypted, over the node that the first one started', async () => {
    const slim = ['--slim', `http://127.0.0.1:${await freePort()}`];
    const group = ['--remote', 'org/ns/chat', '--invites', 'org/ns/bob', '--enable-mls'];
    const alice = start('alice', '--json', ...slim, '--node', 'always', ...group);
    await alice.waitFor('ready', (line) => line['type'] === 'ready', WAIT_MS);
    // The other face of the program: lines of text, as a pipe has them.
    const bob = start('bob', '--plain', ...slim, '--node', 'never');
    const bobSaw = (text: RegExp): Promise<void> =>
      bob.waitUntil(String(text), () => bob.malformed.some((line) => text.test(line)), WAIT_MS);

    await alice.waitFor('bob', (line) => line['type'] === 'joined', WAIT_MS);
    alice.send({ type: 'publish', text: 'hello bob 日本語', ref: 'a1' });
    await bobSaw(/alice.*hello bob 日本語/);
    bob.sendLine('hello alice');
    const heard = await alice.waitFor('the answer', (line) => line['type'] === 'message', WAIT_MS);
    expect(heard).toMatchObject({ text: 'hello alice', encrypted: true });
    await alice.waitFor('the delivery', (line) => line['ref'] === 'a1' && line['state'] === 'acked', WAIT_MS);

    for (const program of [bob, alice]) {
      program.endInput();
      expect(await program.exited).toEqual({ code: 0, signal: null });
      expect(program.stderr).toBe('');
    }
  });
});
