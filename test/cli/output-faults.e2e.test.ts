import { once } from 'node:events';

import { describe, expect, test } from 'vitest';

import { JsonProgram, Program, startNode } from './program.js';
import { BOB, member, moderatorOptions } from './talk.js';

describe('a piped line that looks like a command', () => {
  test('is sent when it is the path of a file', async () => {
    const { slim } = await startNode();
    const bob = await member(BOB, slim);
    const alice = new Program(['--plain', ...moderatorOptions(slim)]);
    alice.child.stdin.end('/usr/bin/foo failed\n');
    expect(await alice.exit()).toBe(0);
    await bob.event({ type: 'closed' });
    expect(bob.texts).toEqual(['/usr/bin/foo failed']);
  });
});

describe('a piped line that cannot be sent', () => {
  test.each([
    ['an unknown command', '/frobnicate all\n', 'there is no command /frobnicate'],
    ['bytes that are no UTF-8', Buffer.from([0x67, 0xff, 0xfe, 0x0a]), 'line 1 was not sent: it is not UTF-8'],
    ['a line longer than any message', `${'x'.repeat(9 * 1024 * 1024)}\n`, 'line 1 was not sent: it is too long'],
    ['a message that is too long for SLIM', `${'x'.repeat(5 * 1024 * 1024)}\n`, '!! '],
  ] as const)('shows in the exit code, and the next one is sent: %s', async (_what, line, word) => {
    const { slim } = await startNode();
    const bob = await member(BOB, slim);
    const alice = new Program(['--plain', ...moderatorOptions(slim)]);
    alice.child.stdin.write(line);
    alice.child.stdin.end('the next one\n');
    expect(await alice.exit()).toBe(6);
    expect(alice.stdout).toContain(word);
    await bob.event({ type: 'closed' });
    expect(bob.texts).toEqual(['the next one']);
  });
});

describe('a JSON command that is refused', () => {
  test.each([
    ['a message without a group', '{"type":"publish","text":"anyone?","ref":"1"}', { code: 'not-in-group', ref: '1' }],
    ['nonsense', 'hello?', { code: 'bad-command', line: 1 }],
    ['an unknown command', '{"type":"dance","ref":"1"}', { code: 'bad-command', ref: '1' }],
    ['a removal without a group', '{"type":"remove","name":"a/b/c","ref":"1"}', { code: 'not-in-group', ref: '1' }],
    ['an answer to no invitation', '{"type":"accept"}', { code: 'no-invitation' }],
  ])('shows in the exit code: %s', async (_what, line, error) => {
    const { slim } = await startNode();
    const bob = await member(BOB, slim);
    bob.child.stdin.end(`${line}\n`);
    expect(await bob.exit()).toBe(6);
    expect(bob.of('error')).toMatchObject([error]);
    expect(bob.events.at(-1)).toMatchObject({ type: 'bye', exitCode: 6 });
  });

  test.each(['invite', 'remove'])('shows in the exit code: %s by who is not the moderator', async (type) => {
    const { slim } = await startNode();
    const bob = await member(BOB, slim);
    const alice = new JsonProgram(moderatorOptions(slim));
    await alice.event({ type: 'joined' });
    bob.send({ type, name: 'ci/ns/carol', ref: '1' });
    await bob.event({ type, ref: '1', state: 'failed', code: 'not-moderator' });
    bob.child.stdin.end();
    expect(await bob.exit()).toBe(6);
  });
});

describe.skipIf(process.platform !== 'linux')('a member whose output nobody reads', () => {
  test('keeps little of what it gets, its senders learn of it, and it goes on when it is read again', async () => {
    const { slim } = await startNode();
    const bob = await member(BOB, slim);
    const alice = new JsonProgram(moderatorOptions(slim, '--timeout', '300ms', '--max-retries', '1'));
    await alice.event({ type: 'joined' });
    const before = bob.peakBytes;
    bob.child.stdout.pause();
    const text = 'x'.repeat(900_000);
    for (let number = 0; number < 200; number += 1) {
      alice.send({ type: 'publish', text, ref: String(number) });
      if (alice.child.stdin.writableNeedDrain) await once(alice.child.stdin, 'drain');
    }
    const settled = (): number =>
      alice.of('delivery').filter(({ state }) => state === 'failed' || state === 'acked').length;
    await alice.until('all outcomes', () => settled() >= 200, 60_000);
    expect((bob.peakBytes - before) / 1e6).toBeLessThan(120);
    expect(alice.of('delivery')).toContainEqual(expect.objectContaining({ state: 'failed', reason: 'unacked' }));

    bob.child.stdout.resume();
    alice.send({ type: 'publish', text: 'and now?', ref: 'now' });
    await alice.event({ type: 'delivery', ref: 'now', state: 'acked' });
    await bob.event({ type: 'message', text: 'and now?' });
  });
});

describe('output that cannot be written', () => {
  test
    .skipIf(process.platform !== 'linux')
    .each([
      ['--help'],
      ['--version'],
      ['node --help'],
      ['node --listen 127.0.0.1:0'],
      ['node --listen 127.0.0.1:0 --json'],
      ['--plain --local ci/ns/bob'],
      ['--json --local ci/ns/bob'],
      ['--plain --local ci/ns/alice --invites ci/ns/bob'],
      ['--json --local ci/ns/alice --invites ci/ns/bob'],
    ])('ends with 74 and a word when the disk is full: %s', async (options) => {
    const { slim } = await startNode();
    const args = options.split(' ');
    const isChat = args.includes('--local');
    const program = new Program([...args, ...(isChat ? ['--slim', slim] : [])], { into: '/dev/full' });
    expect(await program.exit()).toBe(74);
    expect(program.stderr).toBe('slim-chat: The output is incomplete: writing it failed (ENOSPC).\n');
  });

  test.each([['--help'], ['--version'], ['--plain --local ci/ns/bob'], ['--json --local ci/ns/bob']])(
    'ends with 74 and a word when its reader has gone: %s',
    async (options) => {
      const { slim } = await startNode();
      const args = options.split(' ');
      const isChat = args.includes('--local');
      const program = new Program([...args, ...(isChat ? ['--slim', slim] : [])]);
      program.child.stdout.destroy();
      expect(await program.exit()).toBe(74);
      expect(program.stderr).toBe('slim-chat: The output is incomplete: whoever read it has stopped (EPIPE).\n');
    },
  );

  test('does not end a node whose reader has gone, because others talk through it', async () => {
    const { node, slim } = await startNode();
    node.child.stdout.destroy();
    const bob = await member(BOB, slim);
    const alice = new Program(['--plain', ...moderatorOptions(slim)]);
    alice.child.stdin.end('through it\n');
    expect(await alice.exit()).toBe(0);
    expect(bob.texts).toEqual(['through it']);
  });
});
