import { describe, expect, test } from 'vitest';

import { startProgram } from '../tty/start-program.js';
import { JsonProgram, Program, startNode } from './program.js';
import { ALICE, BOB, TALK, member, moderatorOptions } from './talk.js';

const CAROL = 'ci/ns/carol';

/** More than any queue between the input and the node may hold. */
const FLOOD = 17_000;

const FLOOD_TEXTS: readonly string[] = Array.from(
  { length: FLOOD },
  (_, index) => `${String(index)} ${'.'.repeat(60)}`,
);

/** How long a program may take for the flood; on a quiet machine it is a few seconds. */
const FLOOD_PATIENCE_MS = 100_000;

/** The flood as the input of a mode. */
function floodFor(mode: string): string {
  const lines = FLOOD_TEXTS.map((text) => (mode === '--json' ? JSON.stringify({ type: 'publish', text }) : text));
  return `${lines.join('\n')}\n`;
}

/** Waits until a program has stopped reading its input. */
async function untilInputRests({ child: { stdin } }: Program): Promise<void> {
  for (let rounds = 0, before = NaN; rounds < 5;) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    rounds = stdin.writableLength === before ? rounds + 1 : 0;
    before = stdin.writableLength;
  }
}

describe('more lines than any queue holds, piped with MLS', () => {
  test.each(['--plain', '--json'])('are all heard, in order, with %s', async (mode) => {
    const { slim } = await startNode();
    const bob = await member(BOB, slim);
    const alice = new Program([mode, ...moderatorOptions(slim, '--enable-mls')]);
    alice.child.stdin.end(floodFor(mode));
    expect(await alice.exit(FLOOD_PATIENCE_MS)).toBe(0);
    await bob.event({ type: 'closed' });
    expect(bob.texts).toEqual(FLOOD_TEXTS);
    expect(bob.of('message').every(({ encrypted }) => encrypted === true)).toBe(true);
  });
});

describe('more lines than any queue holds, piped before anybody is there', () => {
  test('wait in the pipe of a moderator until the invitee comes, and are all heard', async () => {
    const { slim } = await startNode();
    const alice = new Program(['--plain', ...moderatorOptions(slim)]);
    alice.child.stdin.end(floodFor('--plain'));
    await alice.untilShown('inviting bob');
    await untilInputRests(alice);
    expect(alice.child.stdin.writableLength).toBeGreaterThan(0);
    const bob = await member(BOB, slim);
    expect(await alice.exit(FLOOD_PATIENCE_MS)).toBe(0);
    await bob.event({ type: 'closed' });
    expect(bob.texts).toEqual(FLOOD_TEXTS);
  });

  test('wait in the pipe of a participant until it is invited, and are all heard', async () => {
    const { slim } = await startNode();
    const bob = new Program(['--plain', '--local', BOB, '--slim', slim]);
    bob.child.stdin.end(floodFor('--plain'));
    await bob.untilShown('Waiting');
    await untilInputRests(bob);
    expect(bob.child.stdin.writableLength).toBeGreaterThan(0);
    const alice = new JsonProgram(moderatorOptions(slim));
    expect(await bob.exit(FLOOD_PATIENCE_MS)).toBe(0);
    await alice.event({ type: 'left' });
    expect(alice.texts).toEqual(FLOOD_TEXTS);
  });

  test('end with 6 when nobody comes and nobody is invited again', async () => {
    const { slim } = await startNode();
    const once = ['--no-wait-invites', '--timeout', '50ms', '--max-retries', '3'];
    const alice = new Program(['--plain', ...moderatorOptions(slim, ...once)]);
    // The pipe has no reason to wait any more, or the program would never end.
    alice.child.stdin.end(FLOOD_TEXTS.slice(0, 1000).join('\n'));
    expect(await alice.exit()).toBe(6);
    expect(alice.stdout.match(/!! not sent/g)).toHaveLength(1000);
  });

  test('end with 6 when nobody comes for as long as --linger says', async () => {
    const { slim } = await startNode();
    const alice = new Program(['--plain', ...moderatorOptions(slim, '--linger', '500ms')]);
    alice.child.stdin.end('one\ntwo\n');
    expect(await alice.exit()).toBe(6);
    expect(alice.stdout).toContain('!! not sent: "one"');
    expect(alice.stdout).toContain('!! not sent: "two"');
  });
});

describe('a line typed in the terminal UI while the node is down', () => {
  test('is not forgotten by /quit: it is asked about, and stands in the scrollback as not sent', async () => {
    const { node, slim } = await startNode();
    await member(BOB, slim);
    const alice = startProgram(moderatorOptions(slim));
    await alice.see('talk | 2 members');
    node.child.kill('SIGKILL');
    await alice.see('no connection');
    alice.type('precious words\r');
    await alice.see('precious words ... queued');
    alice.type('/quit\r');
    await alice.see('Not sent yet: "precious words". Enter again leaves all the same.');
    alice.type('\r');
    expect((await alice.exit()).code).toBe(0);
    expect(alice.transcript().join('\n')).toMatch(/^\d\d:\d\d !! not sent: "precious words"$/m);
  });
});

describe('a member that sleeps for a while', () => {
  test('gets by /retry what it has missed, and nobody has it twice', async () => {
    const { slim } = await startNode();
    const bob = await member(BOB, slim);
    const carol = new Program(['--plain', '--local', CAROL, '--slim', slim]);
    await carol.untilShown('Waiting');
    const alice = new Program([
      ...['--plain', '--local', ALICE, '--slim', slim, '--remote', TALK, '--invites', `${BOB},${CAROL}`],
      ...['--timeout', '200ms', '--max-retries', '5'],
    ]);
    await alice.untilShown('(3 members)');
    bob.send({ type: 'publish', text: 'welcome', ref: 'welcome' });
    await bob.event({ type: 'delivery', ref: 'welcome', state: 'acked' });
    carol.freeze();
    alice.write('did you see this?\n');
    await alice.untilShown('!! not delivered to carol: "did you see this?"');
    carol.thaw();
    alice.write('/retry\n');
    await alice.untilShown('now delivered: "did you see this?"');
    alice.write('the end\n');
    await bob.event({ type: 'message', text: 'the end' });
    await carol.untilShown('the end');
    expect(bob.texts).toEqual(['did you see this?', 'the end']);
    expect(carol.stdout.match(/did you see this\?/g)).toHaveLength(1);
    alice.child.stdin.end();
    expect(await alice.exit()).toBe(0);
  });
});

describe.skipIf(process.platform !== 'linux')('waiting for longer than a timer can', () => {
  /** How much processor time a program uses in two seconds, milliseconds. */
  async function cpuIn2s(program: Program): Promise<number> {
    const before = program.cpuMs;
    await new Promise((resolve) => setTimeout(resolve, 2000));
    return program.cpuMs - before;
  }

  test('with --linger 600h costs next to nothing', async () => {
    const { slim } = await startNode();
    const alice = new Program(['--plain', ...moderatorOptions(slim, '--linger', '600h')]);
    alice.child.stdin.end('is anybody there?\n');
    await alice.untilShown('is anybody there?');
    expect(await cpuIn2s(alice)).toBeLessThan(700);
    expect(alice.stderr).toBe('');
    const bob = await member(BOB, slim);
    await bob.event({ type: 'message', text: 'is anybody there?' });
    expect(await alice.exit()).toBe(0);
  });

  test('with --timeout 3600s --max-retries 1000 costs next to nothing', async () => {
    const { slim } = await startNode();
    const bob = await member(BOB, slim);
    const alice = new Program(['--plain', ...moderatorOptions(slim, '--timeout', '3600s', '--max-retries', '1000')]);
    await alice.untilShown('bob joined');
    bob.send({ type: 'publish', text: 'welcome', ref: 'welcome' });
    await bob.event({ type: 'delivery', ref: 'welcome', state: 'acked' });
    bob.freeze();
    alice.child.stdin.end('are you there?\n');
    await alice.untilShown('are you there?');
    expect(await cpuIn2s(alice)).toBeLessThan(700);
    expect(alice.stderr).toBe('');
    bob.thaw();
    await bob.event({ type: 'message', text: 'are you there?' });
    expect(await alice.exit()).toBe(0);
  });
});
