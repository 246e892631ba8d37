import path from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { JsonProcess, Member, type MemberEvent, repoRoot, slimChatMember, startNode } from '../harness/index.js';

const SECRET = 'only for this test, 32 characters or more';
const WAIT_MS = 30_000;

/** Runs a test's node and members; whatever it starts ends with it. */
class Stage {
  readonly #slim: string;

  private constructor(slim: string) {
    this.#slim = slim;
  }

  static async open(): Promise<Stage> {
    const { url, process: node } = await startNode('embedded');
    onTestFinished(async () => {
      await node.stop();
    });
    return new Stage(url);
  }

  /** Starts one of the examples. */
  example(file: string, ...args: readonly string[]): Example {
    return new Example(file, args, { SLIM_SLIM: this.#slim, SLIM_SHARED_SECRET: SECRET });
  }

  /** The program as a member that waits for invitations; with `invite` as the moderator of a group. */
  async member(app: string, invite?: readonly string[], channel = 'standup'): Promise<Member> {
    const group = { channel: `acme/team/${channel}`, intervalMs: 200, maxRetries: 100 };
    const options = { label: app, name: `acme/team/${app}`, node: this.#slim, secret: SECRET };
    const member = new Member(slimChatMember, { ...options, ...(invite && { group: { ...group, invite } }) });
    onTestFinished(async () => {
      await member.process.stop();
    });
    await see(member, (event) => event.kind === 'ready');
    return member;
  }
}

/** An example in a process of its own. */
class Example {
  readonly #process: JsonProcess;

  constructor(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const script = path.join(repoRoot, 'scripts', 'examples', file);
    this.#process = new JsonProcess({ label: file, command: process.execPath, args: [script, ...args], env });
    onTestFinished(async () => {
      await this.#process.stop();
    });
  }

  /** What it has printed. The examples write for people, so not one of their lines is JSON. */
  get lines(): readonly string[] {
    return this.#process.malformed;
  }

  /** Waits until it has printed a line. */
  async prints(line: string): Promise<void> {
    await this.#process.waitUntil(line, () => this.lines.includes(line), WAIT_MS);
  }

  /** Asks it to end as Ctrl+C does. */
  interrupt(): void {
    this.#process.kill('SIGINT');
  }

  /** Its exit code and what it printed on stderr. */
  async end(): Promise<{ readonly code: number | null; readonly stderr: string }> {
    const { code } = await this.#process.exited;
    return { code, stderr: this.#process.stderr };
  }
}

async function see(member: Member, test: (event: MemberEvent) => boolean): Promise<void> {
  expect(await member.waitFor(test, WAIT_MS), member.process.why()).toBeDefined();
}

async function hears(member: Member, text: string): Promise<void> {
  await see(member, (event) => event.kind === 'message' && event.text === text);
}

async function sees(member: Member, joined: string): Promise<void> {
  await see(member, (event) => event.kind === 'joined' && event.member === joined);
}

const texts = (member: Member): unknown[] =>
  member.events.flatMap((event) => (event.kind === 'message' ? [event.text] : []));

describe('the examples do what they say', () => {
  test('bot.mjs answers commands in a group that it was invited to, nothing else, and says goodbye', async () => {
    const stage = await Stage.open();
    const bot = stage.example('bot.mjs');
    await bot.prints('bot waits for invitations');
    const alice = await stage.member('alice', ['acme/team/bot']);
    await sees(alice, 'acme/team/bot');
    alice.publish('just talking', 'r1');
    alice.publish('!echo hello', 'r2');
    alice.publish('!who', 'r3');
    await hears(alice, 'here are alice, bot');
    expect(texts(alice)).toEqual(['alice said: hello', 'here are alice, bot']);
    await bot.prints('everyone has: alice said: hello');
    await bot.prints('everyone has: here are alice, bot');
    bot.interrupt();
    await see(alice, (event) => event.kind === 'left' && event.reason === 'left');
    expect(await bot.end()).toEqual({ code: 0, stderr: '' });
    expect(bot.lines).toEqual([
      'bot waits for invitations',
      'joined acme/team/standup',
      'everyone has: alice said: hello',
      'everyone has: here are alice, bot',
      'out of acme/team/standup: left',
      'goodbye',
    ]);
  });

  test('bridge.mjs lets two groups hear each other, once, also where two bridges connect the same groups', async () => {
    const stage = await Stage.open();
    const bridges = ['bridge', 'other'].map((app) => stage.example('bridge.mjs', `acme/team/${app}`));
    await Promise.all(
      bridges.map((bridge, index) => bridge.prints(`${['bridge', 'other'][index]!} waits for invitations`)),
    );
    const invite = ['acme/team/bridge', 'acme/team/other'];
    const alice = await stage.member('alice', invite, 'red');
    const bob = await stage.member('bob', invite, 'blue');
    for (const moderator of [alice, bob]) for (const name of invite) await sees(moderator, name);
    for (const bridge of bridges) {
      for (const channel of ['red', 'blue']) await bridge.prints(`joined acme/team/${channel}`);
    }
    alice.publish('hello blue', 'r1');
    for (const bridge of bridges) await bridge.prints('everyone in blue: [red] alice: hello blue');
    bob.publish('hello red', 'r2');
    for (const bridge of bridges) await bridge.prints('everyone in red: [blue] bob: hello red');
    // A line that went round would have come before the answers to this one.
    alice.publish('last', 'r3');
    for (const bridge of bridges) await bridge.prints('everyone in blue: [red] alice: last');
    bridges.forEach((bridge) => {
      bridge.interrupt();
    });
    for (const bridge of bridges) expect(await bridge.end()).toEqual({ code: 0, stderr: '' });
    expect(texts(alice)).toEqual(['[blue] bob: hello red', '[blue] bob: hello red']);
    expect(texts(bob)).toEqual([
      ...['[red] alice: hello blue', '[red] alice: hello blue'],
      ...['[red] alice: last', '[red] alice: last'],
    ]);
  });

  test('own-node.mjs starts a node, talks over it, and leaves nothing running', async () => {
    const example = new Example('own-node.mjs', []);
    expect(await example.end()).toEqual({ code: 0, stderr: '' });
    expect(example.lines).toEqual([
      'the node listens',
      'alice: is this your own node?',
      'bob: yes',
      'the node has ended',
    ]);
  });

  test('json-client.mjs tells a group something and ends with 0 when everyone has it', async () => {
    const stage = await Stage.open();
    const bob = await stage.member('bob');
    const carol = await stage.member('carol');
    const herald = stage.example('json-client.mjs', 'it is green', 'acme/team/bob', 'acme/team/carol');
    for (const member of [bob, carol]) await hears(member, 'it is green');
    expect(await herald.end()).toEqual({ code: 0, stderr: '' });
    expect(herald.lines.toSorted()).toEqual(['bob joined', 'carol joined', 'everyone has it']);
    for (const member of [bob, carol]) await see(member, (event) => event.kind === 'closed');
  });

  test('json-client.mjs says why it failed where there is no node', async () => {
    const herald = new Example('json-client.mjs', ['text', 'acme/team/bob'], {
      SLIM_SLIM: 'http://127.0.0.1:1',
      SLIM_SHARED_SECRET: SECRET,
      SLIM_NODE: 'never',
    });
    expect(await herald.end()).toMatchObject({ code: 3 });
    expect(herald.lines.join('\n')).toContain('refused');
  });
});
