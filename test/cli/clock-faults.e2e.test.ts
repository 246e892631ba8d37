import { describe, expect, test } from 'vitest';

import { JsonProgram, Program, startNode } from './program.js';
import { BOB, member, moderatorOptions } from './talk.js';

const ONCE = ['--timeout', '500ms', '--max-retries', '10', '--no-wait-invites'];

/** Options of Node for a program whose clock is so many seconds ahead. */
function withClock(aheadS: number): { readonly node: readonly string[] } {
  const code = `const now = Date.now; Date.now = () => now() + ${String(1000 * aheadS)};`;
  return { node: ['--import', `data:text/javascript,${encodeURIComponent(code)}`] };
}

/** By how much the other clock is ahead, as a program tells it. */
async function secondsOf(program: JsonProgram): Promise<number> {
  const { seconds } = await program.event({ type: 'warning', code: 'clock-off' });
  return Number(seconds);
}

describe('clocks that differ', () => {
  test.each([20, -20, 4000, -4000])('by %i s: both ends say so, with the seconds', async (aheadS) => {
    const { slim } = await startNode();
    const bob = await member(BOB, slim);
    const alice = new JsonProgram(moderatorOptions(slim, ...ONCE), withClock(aheadS));
    expect(Math.abs((await secondsOf(bob)) - aheadS)).toBeLessThanOrEqual(2);
    expect(Math.abs((await secondsOf(alice)) + aheadS)).toBeLessThanOrEqual(2);
    await alice.event({ type: 'invite', state: 'failed', code: 'invite-timeout' });
    for (const program of [alice, bob]) {
      expect(program.of('warning')).toHaveLength(1);
      program.child.stdin.end();
    }
  });

  test('are told in a pipe, too, and the failed invitation names them among the reasons', async () => {
    const { slim } = await startNode();
    const bob = new Program(['--plain', '--local', BOB, '--slim', slim]);
    await bob.untilShown('Waiting');
    const alice = new Program(['--plain', ...moderatorOptions(slim, ...ONCE)], withClock(20));
    await alice.untilShown('ci/ns/bob drops what comes from here: its clock is 20 s behind');
    await bob.untilShown('dropped messages from ci/ns/alice: its clock is 20 s ahead of');
    await alice.untilShown('no answer from bob: not running, other name, different secret, or clocks that differ');
  });
});
