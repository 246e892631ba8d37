import { describe, expect, test } from 'vitest';

import { startProgram } from '../tty/start-program.js';
import { JsonProgram, Program, startNode } from './program.js';

const ALICE = 'ci/ns/alice';
const BOB = 'ci/ns/bob';
const CAROL = 'ci/ns/carol';
const MALLORY = 'ci/ns/mallory';
const TALK = 'ci/ns/talk';
const TRAP = 'ci/ns/trap';

/** A group of a moderator, who invites. */
function moderator(slim: string, local: string, channel: string, invites: string, ...more: readonly string[]) {
  return new JsonProgram(['--local', local, '--slim', slim, '--remote', channel, '--invites', invites, ...more]);
}

describe('who is in a group and is invited to another by somebody who knows the same secret', () => {
  test('goes on in his own with --plain, until he accepts or switches', async () => {
    const { slim } = await startNode();
    const bob = new Program(['--plain', '--local', BOB, '--slim', slim]);
    await bob.untilShown('Waiting');
    const alice = moderator(slim, ALICE, TALK, BOB);
    await bob.untilShown('alice invited you to ci/ns/talk');
    const mallory = moderator(slim, MALLORY, TRAP, BOB);
    await bob.until('the invitation', () => /mallory invite[sd] you to ci\/ns\/trap/.test(bob.stdout));
    bob.write('for alice alone\n');
    await alice.event({ type: 'message', text: 'for alice alone' });

    bob.write('/accept\n');
    await bob.untilShown('now in ci/ns/trap');
    bob.write('for mallory\n');
    await mallory.event({ type: 'message', text: 'for mallory' });
    alice.send({ type: 'publish', text: 'are you there?' });
    await bob.untilShown('[talk] alice  are you there?');
    bob.write('/switch talk\nback again\n');
    await alice.event({ type: 'message', text: 'back again' });
    expect(alice.texts).toEqual(['for alice alone', 'back again']);
    expect(mallory.texts).toEqual(['for mallory']);
    bob.child.stdin.end();
    expect(await bob.exit()).toBe(0);
  });

  test('goes on in his own with --plain in a terminal', async () => {
    const { slim } = await startNode();
    const bob = startProgram(['--plain', '--local', BOB, '--slim', slim]);
    await bob.see('Waiting for an invitation');
    const alice = moderator(slim, ALICE, TALK, BOB);
    await bob.see('alice invited you to ci/ns/talk');
    const mallory = moderator(slim, MALLORY, TRAP, BOB);
    await bob.see(/mallory invite[sd] you to ci\/ns\/trap/);
    bob.type('for alice alone\r');
    await alice.event({ type: 'message', text: 'for alice alone' });
    bob.type('/accept\r');
    await bob.see('now in ci/ns/trap');
    bob.type('for mallory\r');
    await mallory.event({ type: 'message', text: 'for mallory' });
    bob.type('/switch talk\r');
    await bob.see('now in ci/ns/talk');
    bob.type('back again\r');
    await alice.event({ type: 'message', text: 'back again' });
    expect(alice.texts).toEqual(['for alice alone', 'back again']);
    expect(mallory.texts).toEqual(['for mallory']);
    bob.type('\u0004');
    expect((await bob.exit()).code).toBe(0);
  });

  test('goes on in his own with --json, where a command without a session is for the active one', async () => {
    const { slim } = await startNode();
    const bob = new JsonProgram(['--local', BOB, '--slim', slim]);
    await bob.event({ type: 'ready' });
    const alice = moderator(slim, ALICE, TALK, BOB);
    const { session: talk } = await bob.event({ type: 'session', channel: TALK });
    const mallory = moderator(slim, MALLORY, TRAP, BOB);
    const { session: trap } = await bob.event({ channel: TRAP });
    bob.send({ type: 'publish', text: 'for alice alone' });
    await alice.event({ type: 'message', text: 'for alice alone' });
    expect(bob.of('invitation')).toMatchObject([{ session: trap, state: 'asked', channel: TRAP, mls: false }]);

    bob.send({ type: 'accept' });
    await bob.event({ type: 'active', session: trap });
    bob.send({ type: 'publish', text: 'for mallory' });
    await mallory.event({ type: 'message', text: 'for mallory' });
    bob.send({ type: 'publish', text: 'for alice by name', session: talk });
    await alice.event({ type: 'message', text: 'for alice by name' });
    bob.send({ type: 'switch', session: talk });
    bob.send({ type: 'publish', text: 'back again' });
    await alice.event({ type: 'message', text: 'back again' });
    expect(alice.texts).toEqual(['for alice alone', 'for alice by name', 'back again']);
    expect(mallory.texts).toEqual(['for mallory']);
    bob.child.stdin.end();
    expect(await bob.exit()).toBe(0);
  });

  test('may decline with --json: to the inviter that is as if nobody were there', async () => {
    const { slim } = await startNode();
    const bob = new JsonProgram(['--local', BOB, '--slim', slim]);
    await bob.event({ type: 'ready' });
    const alice = moderator(slim, ALICE, TALK, BOB);
    await bob.event({ type: 'session', channel: TALK });
    const mallory = moderator(
      slim,
      MALLORY,
      TRAP,
      BOB,
      '--timeout',
      '300ms',
      '--max-retries',
      '9',
      '--no-wait-invites',
    );
    await bob.event({ type: 'invitation', channel: TRAP, state: 'asked' });
    bob.send({ type: 'decline' });
    await bob.event({ type: 'invitation', channel: TRAP, state: 'declined' });
    await mallory.event({ type: 'invite', state: 'failed', code: 'invite-timeout' });
    bob.send({ type: 'publish', text: 'still here' });
    await alice.event({ type: 'message', text: 'still here' });
    expect(bob.of('session')).toHaveLength(1);
  });

  test('sees in the terminal UI at the prompt where a line goes, and how much is unread elsewhere', async () => {
    const { slim } = await startNode();
    const bob = startProgram(['--local', BOB, '--slim', slim]);
    await bob.see('waiting for an invitation, 0:');
    const alice = moderator(slim, ALICE, TALK, BOB);
    await bob.see('talk | 2 members');
    bob.type('for alice');
    await bob.see('> for alice');
    const mallory = moderator(slim, MALLORY, TRAP, BOB);
    await bob.see(/mallory invite[sd] you to (?:ci\/ns\/)?trap/);
    bob.type(' alone\r');
    await alice.event({ type: 'message', text: 'for alice alone' });

    bob.type('/accept\r');
    await bob.see(/^trap>/m);
    alice.send({ type: 'publish', text: 'are you there?' });
    await bob.see('unread: 1 talk (Alt+1)');
    await bob.see('[talk] alice  are you there?');
    bob.type('for mallory\r');
    await mallory.event({ type: 'message', text: 'for mallory' });
    bob.type('\u001b1');
    await bob.see(/^talk>/m);
    expect(bob.screen().join('\n')).not.toContain('unread: 1');
    bob.type('back again\r');
    await alice.event({ type: 'message', text: 'back again' });
    bob.type('\u001b2');
    await bob.see(/^trap>/m);
    bob.type('bye, mallory\r');
    await mallory.event({ type: 'message', text: 'bye, mallory' });
    expect(alice.texts).toEqual(['for alice alone', 'back again']);
    expect(mallory.texts).toEqual(['for mallory', 'bye, mallory']);
    bob.type('/quit\r');
    expect((await bob.exit()).code).toBe(0);
  });
});

describe('two moderators who invite the same idle participant at the same moment', () => {
  test.each([
    ['--json', '"type":"ready"'],
    ['--plain', 'Waiting'],
  ])('get him one after the other with %s: he is in one group and is asked about the other', async (mode, ready) => {
    const { slim } = await startNode();
    const bob = new Program([mode, '--local', BOB, '--slim', slim]);
    await bob.untilShown(ready);
    // What both send reaches him at once, when he goes on.
    bob.freeze();
    const moderators = [moderator(slim, ALICE, TALK, BOB), moderator(slim, MALLORY, TRAP, BOB)] as const;
    for (const one of moderators) await one.event({ type: 'invite', state: 'started' });
    bob.thaw();
    const first = await Promise.race(
      moderators.map(async (one) => {
        await one.event({ type: 'joined' });
        return one;
      }),
    );
    const second = moderators.find((one) => one !== first) ?? first;
    const channel = String(second.of('session')[0]?.['channel']);
    const asked = mode === '--json' ? '"state":"asked"' : `invites you to ${channel}`;
    await bob.untilShown(asked);
    const say = (text: string): void => {
      bob.write(mode === '--json' ? `${JSON.stringify({ type: 'publish', text })}\n` : `${text}\n`);
    };
    say('to the first');
    await first.event({ type: 'message', text: 'to the first' });
    expect(second.of('joined')).toEqual([]);

    bob.write(mode === '--json' ? '{"type":"accept"}\n' : '/accept\n');
    await second.event({ type: 'joined' });
    await bob.until('the change', () => (mode === '--json' ? /"active".*\n.*"active"/s : /now in/).test(bob.stdout));
    say('to the second');
    await second.event({ type: 'message', text: 'to the second' });
    expect(first.texts).toEqual(['to the first']);
    expect(second.texts).toEqual(['to the second']);
  });
});

describe('who types in the terminal UI while two moderators invite him', () => {
  test('sends nothing to a group that was not at the prompt when he began, unless he says so', async () => {
    const { slim } = await startNode();
    const bob = startProgram(['--local', BOB, '--slim', slim]);
    await bob.see('waiting for an invitation, 0:');
    bob.type('begun alone');
    await bob.see('> begun alone');
    const alice = moderator(slim, ALICE, TALK, BOB);
    await bob.see('talk | 2 members');
    const mallory = moderator(slim, MALLORY, TRAP, BOB);
    await bob.see('mallory invites you to trap: /accept or /decline');
    bob.type('\r');
    await bob.see('the group on the screen has changed: Enter again sends this to it');
    bob.type('\r');
    await alice.event({ type: 'message', text: 'begun alone' });

    bob.type('/accept\r');
    await bob.see(/^trap>/m);
    bob.type('begun in the trap');
    await bob.see('trap> begun in the trap');
    mallory.send({ type: 'exit' });
    await bob.see('nothing goes anywhere until you choose: /switch talk');
    bob.type('\r');
    await bob.see('choose the group that this is for: /switch talk');
    expect(bob.screen().join('\n')).toMatch(/> begun in the trap$/m);
    bob.type('\u001b1');
    await bob.see('now in ci/ns/talk');
    bob.type('\r');
    await alice.event({ type: 'message', text: 'begun in the trap' });
    expect(alice.texts).toEqual(['begun alone', 'begun in the trap']);
    expect(mallory.texts).toEqual([]);
  });
});

describe('two programs of one name', () => {
  test('take turns: one is a member, and the other one can be invited when the first has gone', async () => {
    const { slim } = await startNode();
    const bobs = [new JsonProgram(['--local', BOB, '--slim', slim]), new JsonProgram(['--local', BOB, '--slim', slim])];
    const names = await Promise.all(bobs.map(async (bob) => (await bob.event({ type: 'ready' }))['local']));
    const alice = moderator(slim, ALICE, TALK, BOB);
    const { member } = await alice.event({ type: 'joined' });
    const other = names.find((name) => name !== member);
    const [inside, outside] = names[0] === member ? bobs : bobs.toReversed();
    alice.send({ type: 'invite', name: other, ref: 'too early' });
    await alice.event({ type: 'invite', ref: 'too early', state: 'failed', code: 'already-in-group' });
    alice.send({ type: 'publish', text: 'to the first' });
    await inside?.event({ type: 'message', text: 'to the first' });

    alice.send({ type: 'remove', name: member, ref: 'gone' });
    await alice.event({ type: 'remove', ref: 'gone', state: 'removed' });
    await inside?.event({ type: 'closed', reason: 'removed' });
    alice.send({ type: 'invite', name: other, ref: 'in turn' });
    await alice.event({ type: 'joined', member: other });
    alice.send({ type: 'publish', text: 'to the second' });
    await outside?.event({ type: 'message', text: 'to the second' });
    expect(inside?.texts).toEqual(['to the first']);
    expect(outside?.texts).toEqual(['to the second']);
  });
});

describe('/retry of a text that did not reach somebody in one group', () => {
  /** Bob in alice's group, where carol has missed `for the talk`, and then in mallory's, which is the active one. */
  async function startFailed() {
    const { slim } = await startNode();
    const bob = new Program(['--plain', '--local', BOB, '--slim', slim]);
    const carol = new JsonProgram(['--local', CAROL, '--slim', slim]);
    await bob.untilShown('Waiting');
    await carol.event({ type: 'ready' });
    const short = ['--timeout', '200ms', '--max-retries', '4'];
    const alice = moderator(slim, ALICE, TALK, `${BOB},${CAROL}`, ...short);
    for (const name of [BOB, CAROL]) await alice.event({ type: 'invite', name, state: 'joined' });
    alice.send({ type: 'publish', text: 'welcome', ref: 'welcome' });
    await alice.event({ type: 'delivery', ref: 'welcome', state: 'acked' });
    carol.freeze();
    bob.write('for the talk\n');
    await bob.untilShown('not delivered to carol: "for the talk"');
    const mallory = moderator(slim, MALLORY, TRAP, BOB);
    await bob.until('the invitation', () => /mallory invite[sd] you to ci\/ns\/trap/.test(bob.stdout));
    if (bob.stdout.includes('mallory invites')) bob.write('/accept\n');
    await mallory.event({ type: 'joined' });
    bob.write('for the trap\n');
    await mallory.event({ type: 'message', text: 'for the trap' });
    return { bob, carol, alice, mallory };
  }

  test('goes to that group though another one is active', async () => {
    const { bob, carol, alice, mallory } = await startFailed();
    carol.thaw();
    bob.write('/retry\n');
    await bob.untilShown('now delivered: "for the talk"');
    bob.write('the end\n');
    await mallory.event({ type: 'message', text: 'the end' });
    expect(mallory.texts).toEqual(['for the trap', 'the end']);
    bob.write('/switch talk\nthe end\n');
    for (const member of [alice, carol]) await member.event({ type: 'message', text: 'the end' });
    expect(alice.texts).toEqual(['for the talk', 'the end']);
    expect(carol.texts).toEqual(['welcome', 'for the talk', 'the end']);
  });

  test('goes nowhere when that group is over, with a word', async () => {
    const { bob, alice, mallory } = await startFailed();
    alice.send({ type: 'exit' });
    await bob.untilShown('alice (moderator) closed the group');
    bob.write('/retry\n');
    bob.write('the end\n');
    await mallory.event({ type: 'message', text: 'the end' });
    expect(mallory.texts).toEqual(['for the trap', 'the end']);
    expect(bob.stdout).toContain('the group of one message is over, and it goes to no other');
    bob.child.stdin.end();
    expect(await bob.exit()).toBe(6);
  });
});
