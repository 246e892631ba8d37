import { type AddressInfo, createServer } from 'node:net';

import { describe, expect, test } from 'vitest';

import type { TerminalRun } from './harness.js';
import { startProgram } from './start-program.js';

/** A port that is free now, for a node that is started later. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** Alice with a node of her own, and Bob, who has joined. */
async function startPair() {
  const slim = ['--slim', `http://127.0.0.1:${await freePort()}`];
  const alice = startProgram([
    ...slim,
    ...['--node', 'always', '--local', 'agntcy/ns/alice', '--remote', 'agntcy/ns/talk', '--invites', 'agntcy/ns/bob'],
  ]);
  await alice.see('talk | 1 member | waiting for bob');
  const bob = startProgram([...slim, '--local', 'agntcy/ns/bob']);
  await Promise.all([alice.see('talk | 2 members'), bob.see('talk | 2 members')]);
  return { alice, bob };
}

async function expectRestored(run: TerminalRun, code: number): Promise<void> {
  const end = await run.exit();
  expect(end.code).toBe(code);
  expect(end.stty).toBe(end.sttyBefore);
  expect(run.isBracketedPaste()).toBe(false);
  expect(run.output()).not.toMatch(/\u001b\[3J|\u001b\]/);
}

describe('the program in a terminal', () => {
  test('exchanges lines between a moderator with a node and a participant, and both leave', async () => {
    const { alice, bob } = await startPair();
    alice.type('hello bob 日本語 👩‍👩‍👧\r');
    await bob.see(/\d\d:\d\d {2}alice {2}hello bob 日本語 👩‍👩‍👧/);
    bob.type('two\u001b\rlines\r');
    await alice.see(/\d\d:\d\d +bob {2}two\n +lines\n/);
    await alice.see(/\d\d:\d\d {2}alice {2}hello bob/);
    await bob.see(/\d\d:\d\d +bob {2}two\n/);

    bob.type('/quit\r');
    await expectRestored(bob, 0);
    await alice.see('bob left');
    alice.type('\u0003');
    await alice.see('Press Ctrl+C again to leave.');
    alice.type('\u0003');
    await expectRestored(alice, 0);
    expect(alice.transcript().join('\n')).toMatch(/left agntcy\/ns\/talk/);
  });

  test('tells the others when it is told to end', async () => {
    const { alice, bob } = await startPair();
    process.kill(bob.pid(), 'SIGTERM');
    await expectRestored(bob, 143);
    await alice.see('bob left');
    process.kill(alice.pid(), 'SIGHUP');
    await expectRestored(alice, 129);
  });

  test('answers to commands', async () => {
    const { alice, bob } = await startPair();
    alice.type('/who\r');
    await alice.see('-- members of agntcy/ns/talk');
    await alice.see(/alice\/[0-9a-f]{1,4}\S* +moderator/);
    alice.type('/remove bob\r');
    await bob.see('you were removed by alice');
    await bob.see('waiting for an invitation, 0:');
    alice.type('/invite bob\r');
    await bob.see('talk | 2 members');
    bob.type('/leave\r');
    await bob.see('waiting for an invitation, 0:');
    // Nothing is lost by leaving while waiting, so it does not ask.
    bob.type('\u0003');
    await expectRestored(bob, 0);
    alice.type('/quit\r');
    await expectRestored(alice, 0);
  });

  test('draws no colours with NO_COLOR, and no live region without a terminal for it', async () => {
    const slim = ['--slim', `http://127.0.0.1:${await freePort()}`, '--node', 'always'];
    const options = [...slim, '--local', 'agntcy/ns/carol'];
    const plain = startProgram(options, { env: { NO_COLOR: '1' } });
    await plain.see('waiting for an invitation, 0:');
    expect(plain.output()).not.toMatch(/\u001b\[[\d;]*[1-9][\d;]*m/);
    plain.type('\u0004');
    await expectRestored(plain, 0);
    const dumb = startProgram(options, { env: { TERM: 'dumb' } });
    await dumb.see('Waiting for an invitation.');
    expect(dumb.output()).not.toContain('\u001b');
    dumb.type('/quit\r');
    expect((await dumb.exit()).code).toBe(0);
  });
});
