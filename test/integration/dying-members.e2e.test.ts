import { setTimeout as pause } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { LivingGroup, type Member } from '../harness/index.js';

const WAIT_MS = 30_000;
/** Four rounds of pings of ten seconds, and a busy machine. */
const OFFLINE_MS = 60_000;

async function joined(moderator: Member, app: string, mark = 0, ms = WAIT_MS): Promise<void> {
  const event = await moderator.waitFor(
    ({ kind, ...more }) => kind === 'joined' && 'member' in more && more.member === `org/ns/${app}`,
    ms,
    mark,
  );
  expect(event, `${app} has joined`).toBeDefined();
}

/** Waits until a member knows that another one is offline. */
async function missed(who: Member, app: string): Promise<void> {
  const left = await who.waitFor((event) => event.kind === 'left' && event.member === `org/ns/${app}`, OFFLINE_MS);
  expect(left, `${app} is gone for ${who.label}`).toMatchObject({ reason: 'offline' });
}

/** Everybody hears a text of the first, and it is acknowledged by all. */
async function talks(from: Member, to: readonly Member[], text: string): Promise<void> {
  from.publish(text, text);
  for (const who of to) {
    const heard = await who.waitFor((event) => event.kind === 'message' && event.text === text, WAIT_MS);
    expect(heard, `${who.label} hears ${text}`).toBeDefined();
  }
  const outcome = await from.waitFor((event) => event.kind === 'settled' && event.ref === text, WAIT_MS);
  expect(outcome).toBeDefined();
  expect(outcome).not.toHaveProperty('error');
}

describe('a member that is killed before its first ping', () => {
  test.concurrent.for([[1, 'on'] as const, [5, 'off'] as const, [9, 'on'] as const])(
    '%i s after it joined is offline to all, and in again when it is started again; MLS %s',
    { timeout: 180_000 },
    async ([afterS, mls], context) => {
      const group = await LivingGroup.start(context);
      const dying = await group.member('a');
      const b = await group.member('b');
      const m = await group.moderator(['b', 'a'], mls === 'on');
      await pause(afterS * 1000);
      dying.process.kill('SIGKILL');
      const mark = m.mark();
      await missed(m, 'a');
      await missed(b, 'a');
      await talks(m, [b], 'without a');
      await talks(b, [m], 'we two');
      const a = await group.member('a');
      await joined(m, 'a', mark, OFFLINE_MS);
      await talks(m, [a, b], 'welcome back');
      await talks(a, [m, b], 'here I am');
    },
  );

  test.concurrent(
    'is started again and invited at once: in as soon as the dead one is found missing',
    { timeout: 180_000 },
    async (context) => {
      const group = await LivingGroup.start(context);
      const dying = await group.member('a');
      const m = await group.moderator(['a'], false);
      dying.process.kill('SIGKILL');
      const a = await group.member('a');
      expect(await m.invite('org/ns/a', 'again', OFFLINE_MS)).toEqual({ ok: true });
      await talks(m, [a], 'hello again');
      expect(await m.invite('org/ns/a', 'once more', WAIT_MS)).toEqual({ ok: false, error: 'already-in-group' });
    },
  );
});

test.concurrent(
  'a member that stands still until it is missed is in again when it goes on',
  { timeout: 180_000 },
  async (context) => {
    const group = await LivingGroup.start(context);
    const a = await group.member('a');
    const b = await group.member('b');
    const m = await group.moderator(['a', 'b'], true);
    a.process.kill('SIGSTOP');
    const mark = m.mark();
    await missed(m, 'a');
    await talks(m, [b], 'without a');
    a.process.kill('SIGCONT');
    await joined(m, 'a', mark, OFFLINE_MS);
    await talks(m, [a, b], 'welcome back');
    await talks(a, [m, b], 'here I am');
  },
);

test.concurrent(
  'a moderator that is killed before its first ping is missed by its members',
  { timeout: 120_000 },
  async (context) => {
    const group = await LivingGroup.start(context);
    const a = await group.member('a');
    const m = await group.moderator(['a'], false);
    expect(await a.waitFor((event) => event.kind === 'session', WAIT_MS)).toBeDefined();
    m.process.kill('SIGKILL');
    expect(await a.waitFor((event) => event.kind === 'closed', OFFLINE_MS)).toMatchObject({ reason: 'moderator-gone' });
  },
);
