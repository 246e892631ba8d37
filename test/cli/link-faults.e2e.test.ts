import { describe, expect, test } from 'vitest';

import { startProgram } from '../tty/start-program.js';
import { type JsonProgram, Program, startNode } from './program.js';
import { BOB, member, moderator, moderatorOptions } from './talk.js';

/** `--slim` as a document whose pings alone would find out too late. */
function lazyDocument(slim: string): string {
  return JSON.stringify({ endpoint: slim, keepalive: { http2_keepalive: '60s', timeout: '10s' } });
}

/** Alice, who moderates a group with bob. */
async function talkOver(slim: string, ...more: readonly string[]): Promise<JsonProgram> {
  const alice = moderator(slim, ...more);
  await alice.event({ type: 'joined' });
  return alice;
}

describe('a node that stands still', () => {
  test.each([
    ['with the usual patience', (slim: string) => slim, []],
    ['with 5.5 s of patience', (slim: string) => slim, ['--timeout', '500ms', '--max-retries', '10']],
    ['and pings a minute apart', lazyDocument, ['--timeout', '500ms', '--max-retries', '10']],
  ])(
    '%s: the connection is lost before the message is, nobody is called silent, and it is delivered',
    async (...row) => {
      const [, configure, options] = row;
      const { node, slim } = await startNode();
      const bob = await member(BOB, slim);
      const alice = await talkOver(configure(slim), ...options);
      node.freeze();
      alice.send({ type: 'publish', text: 'hello?', ref: 'x' });
      expect(await alice.event({ type: 'connection', state: 'lost' })).toMatchObject({
        code: 'stream-lost',
        reason: expect.stringMatching(/^no answer to a ping within \d+ ms$/) as string,
      });
      // Longer than a message has.
      await new Promise((resolve) => setTimeout(resolve, 6000));
      node.thaw();
      await alice.event({ type: 'delivery', ref: 'x', state: 'acked' });
      expect(bob.texts).toEqual(['hello?']);
      expect(alice.of('presence')).toEqual([]);
      expect(alice.of('delivery').filter(({ state }) => state === 'failed')).toEqual([]);
      alice.child.stdin.end();
      expect(await alice.exit()).toBe(0);
    },
  );

  test('is told in a pipe, whose lines wait for it', async () => {
    const { node, slim } = await startNode();
    const bob = await member(BOB, slim);
    const alice = new Program(['--plain', ...moderatorOptions(slim)]);
    await alice.untilShown('bob joined');
    node.freeze();
    alice.child.stdin.end('hello?\n');
    await alice.untilShown('connection lost (no answer to a ping within');
    node.thaw();
    expect(await alice.exit()).toBe(0);
    expect(bob.texts).toEqual(['hello?']);
    expect(alice.stdout).not.toContain('!!');
  });

  test('is told in the terminal, and the line waits for it', async () => {
    const { node, slim } = await startNode();
    await member(BOB, slim);
    const alice = startProgram(moderatorOptions(slim));
    await alice.see('talk | 2 members');
    node.freeze();
    alice.type('hello?\r');
    await alice.see('no connection');
    node.thaw();
    await alice.see('back online');
    await alice.see('talk | 2 members');
    expect(alice.transcript().join('\n')).not.toContain('not delivered');
  });

  test('keeps an invitation alive that is on its way', async () => {
    const { node, slim } = await startNode();
    const alice = moderator(slim, '--no-wait-invites', '--timeout', '500ms', '--max-retries', '10');
    await alice.event({ type: 'ready' });
    node.freeze();
    await alice.event({ type: 'connection', state: 'lost' });
    node.thaw();
    await member(BOB, slim);
    await alice.event({ type: 'joined' });
    expect(alice.of('invite').filter(({ state }) => state === 'failed')).toEqual([]);
  });
});

describe('a member that stands still', () => {
  test('is not a dead connection: it is called silent, and the message to it fails', async () => {
    const { slim } = await startNode();
    const bob = await member(BOB, slim);
    const alice = await talkOver(slim, '--timeout', '500ms', '--max-retries', '10');
    bob.freeze();
    alice.send({ type: 'publish', text: 'hello?', ref: 'x' });
    await alice.event({ type: 'delivery', ref: 'x', state: 'failed' });
    await alice.event({ type: 'presence', presence: 'silent' });
    expect(alice.of('connection').filter(({ state }) => state === 'lost')).toEqual([]);
  });
});
