import { describe, expect, test } from 'vitest';

import { JsonProgram, Program, startNode } from './program.js';

const BOB = 'ci/ns/bob';

async function listener(slim: string): Promise<JsonProgram> {
  const bob = new JsonProgram(['--local', BOB, '--slim', slim]);
  await bob.event({ type: 'ready' });
  return bob;
}

describe('slim-chat --plain', () => {
  test('sends what is piped into it, waits until it has arrived, leaves, and ends with 0', async () => {
    const { slim } = await startNode();
    const bob = await listener(slim);
    const bot = new Program([
      '--plain',
      '--local',
      'ci/bot/1',
      '--remote',
      'ci/ns/alerts',
      '--invites',
      BOB,
      '--slim',
      slim,
    ]);
    bot.child.stdin.end('build is green\n');
    expect(await bot.exit()).toBe(0);
    expect(await bob.event({ type: 'message' })).toMatchObject({ text: 'build is green' });
    await bob.event({ type: 'closed', reason: 'closed' });
    expect(bot.stdout).toMatch(/^\d\d:\d\d -- bob joined \(2 members\)$/m);
    expect(bot.stdout).toMatch(/^\d\d:\d\d {2}\S+ {2}build is green$/m);
    expect(bot.stdout).toMatch(/^\d\d:\d\d -- left ci\/ns\/alerts$/m);
    expect(bot.stderr).toBe('');
    // Nothing moves a cursor or colours anything.
    expect(bot.stdout).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  test('is what a pipe gets without asking', async () => {
    const { slim } = await startNode();
    const program = new Program(['--local', BOB, '--slim', slim]);
    await program.untilShown('Waiting for an invitation. Tell a moderator to type:  /invite ci/ns/bob');
    program.child.stdin.end();
    expect(await program.exit()).toBe(0);
  });

  test('ends with 6 when somebody did not get everything', async () => {
    const { slim } = await startNode();
    const bot = new Program(['--plain', '--local', 'ci/bot/1', '--invites', BOB, '--slim', slim, '--linger', '300ms']);
    bot.child.stdin.end('nobody hears this\n');
    expect(await bot.exit()).toBe(6);
    expect(bot.stdout).toMatch(/!! not sent: "nobody hears this"/);
  });

  test('keeps the messages of a participant until it is invited', async () => {
    const { slim } = await startNode();
    const bob = new Program(['--plain', '--local', BOB, '--slim', slim]);
    bob.child.stdin.end('here I am\n');
    await bob.untilShown('Waiting for an invitation');
    const alice = new JsonProgram(['--local', 'ci/ns/alice', '--slim', slim, '--invites', BOB]);
    expect(await alice.event({ type: 'message' })).toMatchObject({ text: 'here I am' });
    expect(await bob.exit()).toBe(0);
    await alice.event({ type: 'left', reason: 'left' });
  });

  test('shows a talk with commands, and disarms what peers send', async () => {
    const { slim } = await startNode();
    const bob = await listener(slim);
    const alice = new Program(['--plain', '--local', 'ci/ns/alice', '--invites', BOB, '--slim', slim]);
    await alice.untilShown('bob joined');
    bob.send({ type: 'publish', text: '\u001b]52;c;aGk=\u0007\u202ehi', ref: '1' });
    bob.send({ type: 'publish', base64: '//79', ref: '2' });
    await alice.untilShown('<3 bytes, not text>');
    expect(alice.stdout).toContain('\ufffd]52;c;aGk=\ufffdhi');
    expect(alice.stdout).not.toMatch(/(?!\n)\p{Cc}|\p{Bidi_Control}/u);
    alice.write('/who\n');
    await alice.untilShown('moderator, you');
    alice.write('/remove bob\n');
    await alice.untilShown('bob was removed by you');
    await bob.event({ type: 'closed', reason: 'removed' });
    alice.write('/quit\n');
    expect(await alice.exit()).toBe(0);
  });

  test('ends with 5 when the group is closed before the input ends', async () => {
    const { slim } = await startNode();
    const bob = new Program(['--plain', '--local', BOB, '--slim', slim]);
    await bob.untilShown('Waiting');
    const alice = new JsonProgram(['--local', 'ci/ns/alice', '--slim', slim, '--invites', BOB]);
    await alice.event({ type: 'joined' });
    alice.send({ type: 'exit' });
    await bob.untilShown('!! alice (moderator) closed the group');
    bob.child.stdin.end();
    expect(await bob.exit()).toBe(5);
  });

  test('says while it connects that nobody answers, then gives up with the fix', async () => {
    const { node, slim } = await startNode();
    node.child.kill('SIGKILL');
    await node.ended;
    const program = new Program(['--plain', '--local', BOB, '--slim', slim]);
    await program.untilShown(`No SLIM node answers at ${slim} yet, trying again ...`);
    expect(await program.exit()).toBe(3);
    expect(program.stderr).toContain(`slim-chat: cannot reach a SLIM node at ${slim} (connection refused)`);
    expect(program.stderr).toContain('npx slim-chat node');
    expect(program.stderr).not.toMatch(/ {4}at /);
  });
});
