import { describe, expect, test } from 'vitest';

import { freePort, JsonProgram, startNode } from './program.js';

const ALICE = 'agntcy/ns/alice';
const BOB = 'agntcy/ns/bob';
const CAROL = 'agntcy/ns/carol';

async function participant(local: string, slim: string, ...args: readonly string[]): Promise<JsonProgram> {
  const program = new JsonProgram(['--local', local, '--slim', slim, ...args]);
  await program.event({ type: 'ready' });
  return program;
}

describe('slim-chat --json', () => {
  test('is a whole chat: node, group, messages, removal, return, leaving, end', async () => {
    const slim = `http://127.0.0.1:${String(await freePort())}`;
    const alice = new JsonProgram([
      ...['--local', ALICE, '--slim', slim, '--node', 'always'],
      ...['--remote', 'agntcy/ns/chat', '--invites', `${BOB},${CAROL}`, '--timeout', '300ms'],
    ]);
    expect(await alice.event({ type: 'ready' })).toMatchObject({
      role: 'moderator',
      channel: 'agntcy/ns/chat',
      node: { endpoint: slim, embedded: true },
    });
    const bob = await participant(BOB, slim);
    const carol = await participant(CAROL, slim);
    await alice.event({ type: 'joined', members: 3 });

    // Messages in all directions, with everything that they can carry.
    alice.send({ type: 'publish', text: 'hello 日本語', ref: 'a1', payloadType: 'greeting', metadata: { k: 'v' } });
    expect(await bob.event({ type: 'message' })).toMatchObject({
      text: 'hello 日本語',
      payloadType: 'greeting',
      metadata: { k: 'v' },
      encrypted: false,
      id: 1,
    });
    expect(await alice.event({ type: 'delivery', ref: 'a1', state: 'acked' })).toMatchObject({ missing: [] });
    bob.send({ type: 'publish', base64: '/wD+', ref: 'b1' });
    expect(await carol.event({ type: 'message', textBase64: '/wD+' })).not.toHaveProperty('text');
    await bob.event({ type: 'delivery', ref: 'b1', state: 'acked' });

    // Who is there, and what is what.
    alice.send({ type: 'who', ref: 'w' });
    expect(await alice.event({ type: 'who', ref: 'w' })).toMatchObject({
      members: expect.arrayContaining([
        expect.objectContaining({ role: 'moderator', presence: 'you' }),
        expect.objectContaining({ role: 'participant', presence: 'online', unacked: 0 }),
      ]) as unknown,
    });
    bob.send({ type: 'status', ref: 's' });
    expect(await bob.event({ type: 'status', ref: 's' })).toMatchObject({
      status: { channel: 'agntcy/ns/chat', members: 3, timeoutMs: 300, maxRetries: 29, connection: 'up' },
    });

    // Removed, and invited again.
    alice.send({ type: 'remove', name: CAROL, ref: 'r1' });
    await alice.event({ type: 'remove', ref: 'r1', state: 'removed' });
    await carol.event({ type: 'closed', reason: 'removed' });
    await bob.event({ type: 'left', members: 2 });
    let mark = carol.events.length;
    alice.send({ type: 'invite', name: CAROL, ref: 'i1' });
    await alice.event({ type: 'invite', ref: 'i1', state: 'joined' });
    await carol.event({ type: 'session' }, mark);

    // Leaves by itself, and stays to be invited again.
    mark = alice.events.length;
    carol.send({ type: 'leave' });
    await carol.event({ type: 'closed', reason: 'left' });
    await alice.event({ type: 'left', reason: 'left' }, mark);
    carol.send({ type: 'publish', text: 'anyone?', ref: 'c1' });
    await carol.event({ type: 'error', code: 'not-in-group', ref: 'c1' });

    // The end.
    alice.send({ type: 'exit' });
    expect(await alice.exit()).toBe(0);
    await bob.event({ type: 'closed', reason: 'closed' });
    bob.send({ type: 'exit' });
    carol.send({ type: 'exit' });
    expect(await bob.exit()).toBe(0);
    // It has asked for what was not possible.
    expect(await carol.exit()).toBe(6);
    expect(alice.events.at(-1)).toMatchObject({ type: 'bye', exitCode: 0 });
    expect(alice.of('closed')).toMatchObject([{ reason: 'left' }]);
    expect(alice.stderr + bob.stderr + carol.stderr).toBe('');
  });

  test('delivers a flood in order, and exits at the end of the input when all of it is acknowledged', async () => {
    const { slim } = await startNode();
    const bob = await participant(BOB, slim);
    const alice = new JsonProgram(['--local', ALICE, '--slim', slim, '--invites', BOB]);
    const count = 2000;
    for (let i = 0; i < count; i += 1) alice.send({ type: 'publish', text: `n ${String(i)}`, ref: String(i) });
    alice.child.stdin.end();
    expect(await alice.exit()).toBe(0);
    expect(alice.of('delivery').filter(({ state }) => state === 'acked')).toHaveLength(count);
    await bob.event({ type: 'closed' });
    expect(bob.of('message').map(({ text }) => text)).toEqual(
      Array.from({ length: count }, (_, i) => `n ${String(i)}`),
    );
  });

  test('answers nonsense by line, and lives on', async () => {
    const { slim } = await startNode();
    const bob = await participant(BOB, slim);
    bob.write('nonsense\n{"type":"dance","ref":"d"}\n');
    expect(await bob.event({ type: 'error', line: 1 })).toMatchObject({ code: 'bad-command' });
    expect(await bob.event({ type: 'error', line: 2 })).toMatchObject({ code: 'bad-command', ref: 'd' });
    bob.send({ type: 'invite', name: 'agntcy/ns/x', ref: 'i' });
    await bob.event({ type: 'error', code: 'not-in-group', ref: 'i' });
    bob.send({ type: 'exit' });
    expect(await bob.exit()).toBe(6);
  });

  test('reports an invitation that nobody answers, here because of another secret', async () => {
    const { slim } = await startNode();
    const bob = await participant(BOB, slim, '--shared-secret', 'quite another secret of 32 bytes');
    const alice = new JsonProgram([
      ...['--local', ALICE, '--slim', slim, '--invites', BOB],
      ...['--timeout', '50', '--max-retries', '3', '--no-wait-invites'],
    ]);
    expect(await alice.event({ type: 'invite', state: 'failed' })).toMatchObject({ name: BOB, code: 'invite-timeout' });
    expect(bob.of('session')).toEqual([]);
    await bob.event({ type: 'warning', code: 'identity-rejected' });
  });

  test('goes on inviting until the invitee is there', async () => {
    const { slim } = await startNode();
    const alice = new JsonProgram([
      '--local',
      ALICE,
      '--slim',
      slim,
      '--invites',
      BOB,
      '--timeout',
      '50',
      '--max-retries',
      '3',
    ]);
    expect(await alice.event({ type: 'invite', state: 'failed' })).toMatchObject({ retryInMs: 1000 });
    const bob = await participant(BOB, slim);
    await alice.event({ type: 'invite', state: 'joined' });
    await bob.event({ type: 'session' });
  });

  test('survives the death of the node', async () => {
    const { node, slim } = await startNode();
    const bob = await participant(BOB, slim);
    const alice = new JsonProgram(['--local', ALICE, '--slim', slim, '--invites', BOB]);
    await alice.event({ type: 'joined' });
    node.child.kill('SIGKILL');
    await alice.event({ type: 'connection', state: 'lost' });
    await bob.event({ type: 'connection', state: 'lost' });
    alice.send({ type: 'publish', text: 'while it was away', ref: 'a1' });
    await startNode(Number(new URL(slim).port));
    await bob.event({ type: 'message', text: 'while it was away' });
    await alice.event({ type: 'delivery', ref: 'a1', state: 'acked' });
    expect(alice.of('connection').at(-1)).toMatchObject({ state: 'up' });
  });

  test('ends with error and bye when there is no node', async () => {
    const program = new JsonProgram(['--local', BOB, '--slim', `127.0.0.1:${String(await freePort())}`]);
    expect(await program.exit()).toBe(3);
    expect(program.events.slice(-2)).toMatchObject([
      { type: 'error', code: 'refused' },
      { type: 'bye', exitCode: 3 },
    ]);
    expect(program.stderr).toContain('To start one here: npx slim-chat node');
  });

  test('ends with error and bye when the command line is wrong', async () => {
    const program = new JsonProgram(['--local', 'bob']);
    expect(await program.exit()).toBe(2);
    expect(program.events).toMatchObject([
      { type: 'error', code: 'invalid-name' },
      { type: 'bye', exitCode: 2 },
    ]);
  });
});
