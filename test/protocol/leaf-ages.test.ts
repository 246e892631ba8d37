import { describe, expect, test } from 'vitest';

import { LeafAges } from '../../src/protocol/leaf-ages.js';
import { SessionModerator } from '../../src/protocol/index.js';
import { done, MlsRig } from './mls-rig.js';
import { A, B, groupConfig, idOf, M, message, TestEnv } from './support.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** By the wall clock. */
const START_MS = 1_800_000_000_000;

/** Both clocks, `ms` after the start. */
function after(ms: number): TestEnv {
  const env = new TestEnv();
  env.nowMs = ms;
  env.wallAheadMs = START_MS;
  return env;
}

/** The texts of the warnings. */
function warned(ages: LeafAges, ms: number): string[] {
  return ages.takeAged(after(ms)).map(({ text }) => text);
}

describe('a leaf that ends when its token says', () => {
  test.each([
    ['an hour, as that of a shared secret', undefined, 50 * MINUTE_MS, '50 minutes ago: when it has been here for 60,'],
    ['an hour', HOUR_MS, 50 * MINUTE_MS, '50 minutes ago: when it has been here for 60,'],
    ['a day', 24 * HOUR_MS, 24 * HOUR_MS - 10 * MINUTE_MS, '1430 minutes ago: when it has been here for 1440,'],
    ['five minutes', 5 * MINUTE_MS, 250 * SECOND_MS, '250 seconds ago: when it has been here for 300,'],
    ['nothing, which counts as a minute', 0, 50 * SECOND_MS, '50 seconds ago: when it has been here for 60,'],
    ['a minute', MINUTE_MS, 50 * SECOND_MS, '50 seconds ago: when it has been here for 60,'],
  ])('%s: the warning comes ten minutes before, or in the last sixth', (_what, lifeMs, dueMs, text) => {
    const ages = new LeafAges();
    // A token says whole seconds.
    ages.add(A, after(0), lifeMs === undefined ? undefined : START_MS + lifeMs - 400);
    expect(warned(ages, dueMs - SECOND_MS)).toEqual([]);
    const [warning, ...others] = warned(ages, dueMs);
    expect(warning).toContain(`${A.toString()} joined ${text}`);
    expect(others).toEqual([]);
    expect(warned(ages, 100 * HOUR_MS)).toEqual([]);
  });

  test('when that of one has ended, that is said of each, and who is alone can still be renewed', () => {
    const ages = new LeafAges();
    ages.add(A, after(0), START_MS + 5 * MINUTE_MS);
    ages.add(B, after(0), START_MS + 6 * MINUTE_MS);
    const aged = ages.takeAged(after(5 * MINUTE_MS));
    expect(aged.map(({ member }) => member)).toEqual([A, B]);
    for (const { isRenewable, text } of aged) {
      expect(isRenewable).toBe(false);
      expect(text).toContain('joined 300 seconds ago, and the identity of a member has ended');
    }
    ages.add(A, after(0), START_MS + 5 * MINUTE_MS);
    ages.remove(B);
    const alone = ages.takeAged(after(7 * MINUTE_MS));
    expect(alone).toMatchObject([{ member: A, isRenewable: true }]);
    expect(alone[0]!.text).toContain('joined 420 seconds ago: when it has been here for 300,');
  });

  test('it is due when the first of them is', () => {
    const ages = new LeafAges();
    ages.add(A, after(0));
    ages.add(B, after(0), START_MS + MINUTE_MS);
    expect(ages.dueInMs(49 * SECOND_MS)).toBe(SECOND_MS);
    ages.remove(B);
    expect(ages.dueInMs(50 * MINUTE_MS - 3 * SECOND_MS)).toBe(3 * SECOND_MS);
  });

  test('the end that MLS tells with an addition is that of the member', () => {
    const answer = { ...done('commit', 1, 'welcome'), leafEndsAtMs: START_MS + 12 * MINUTE_MS };
    const machine = new SessionModerator(groupConfig(M, { mls: { policy: 'auto' } }));
    const rig = new MlsRig(machine, ({ op }) => (op === 'add' ? answer : done(op, 0)));
    rig.env.wallAheadMs = START_MS;
    const discovery = rig.command({ kind: 'invite', name: A.withoutId() });
    const join = rig.receive(message('discoveryReply', A, { id: idOf(discovery, 'discoveryRequest') }));
    const content = { kind: 'joinReply', keyPackage: Uint8Array.of(1) } as const;
    const reply = rig.receive(message('joinReply', A, { id: idOf(join, 'joinRequest'), content }));
    rig.receive(message('groupAck', A, { id: idOf(reply, 'groupWelcome') }));
    const warningAt = (minute: number): unknown => {
      rig.env.nowMs = minute * MINUTE_MS;
      return rig.handle({ kind: 'timer', timer: 'leaves' }).find(({ kind }) => kind === 'notify');
    };
    expect(warningAt(9.9)).toBeUndefined();
    expect(warningAt(10)).toMatchObject({ notice: { code: 'mls-leaf-ageing' } });
  });
});
