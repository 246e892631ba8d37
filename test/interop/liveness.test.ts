import { setTimeout as pause } from 'node:timers/promises';

import { describe, expect, test, type TestContext } from 'vitest';

import { installedParts, LivingGroup, type Member, type MemberEvent, realMember } from '../harness/index.js';

/** Without pings (0.7.0) and with them. */
const VERSIONS = ['0.7.0', '1.0.0', '1.4.0'] as const;
const WAIT_MS = 30_000;
/** Four rounds of ten seconds, and a busy machine. */
const GONE_MS = 60_000;
/** Longer than whoever is not there is waited for. */
const IDLE_MS = 50_000;

function need(context: TestContext, version: string): void {
  if (!installedParts().has(version)) context.skip(`left out: ${version} is not installed`);
}

async function sees(
  who: Member,
  what: string,
  test: (event: MemberEvent) => boolean,
  ms: number,
): Promise<MemberEvent> {
  const event = await who.waitFor(test, ms);
  expect(event, `${who.label}: ${what}`).toBeDefined();
  return event as MemberEvent;
}

async function speaks(from: Member, to: Member): Promise<void> {
  from.publish('still here', 'still');
  await sees(to, 'hears', (event) => event.kind === 'message' && event.text === 'still here', WAIT_MS);
}

describe.concurrent.each(VERSIONS)('beside %s', (version) => {
  test.concurrent('a member of it that is killed at once is missed', { timeout: 120_000 }, async (context) => {
    need(context, version);
    const group = await LivingGroup.start(context);
    const real = await group.member('real', realMember(version));
    const m = await group.moderator(['real'], false);
    real.process.kill('SIGKILL');
    expect(await sees(m, 'misses', (event) => event.kind === 'left', GONE_MS)).toMatchObject({ reason: 'offline' });
  });

  test.concurrent('its moderator that is killed at once is missed', { timeout: 120_000 }, async (context) => {
    need(context, version);
    const group = await LivingGroup.start(context);
    const a = await group.member('a');
    const real = await group.moderator(['a'], false, realMember(version));
    await sees(a, 'is in', (event) => event.kind === 'session', WAIT_MS);
    real.process.kill('SIGKILL');
    expect(await sees(a, 'misses', (event) => event.kind === 'closed', GONE_MS)).toMatchObject({
      reason: 'moderator-gone',
    });
  });
});

describe.concurrent('beside 0.7.0, which has no pings,', () => {
  const version = '0.7.0';

  test.concurrent.for([false, true])(
    'a member of it that says nothing for long stays, and one that is killed is missed; MLS %s',
    { timeout: 240_000 },
    async (mls, context) => {
      need(context, version);
      const group = await LivingGroup.start(context);
      const real = await group.member('real', realMember(version));
      const m = await group.moderator(['real'], mls);
      await pause(IDLE_MS);
      expect(m.find((event) => event.kind === 'left')).toBeUndefined();
      await speaks(real, m);
      real.process.kill('SIGKILL');
      expect(await sees(m, 'misses', (event) => event.kind === 'left', GONE_MS)).toMatchObject({ reason: 'offline' });
    },
  );

  test.concurrent(
    'its moderator that says nothing for long is not left, and one that is killed is missed',
    { timeout: 240_000 },
    async (context) => {
      need(context, version);
      const group = await LivingGroup.start(context);
      const a = await group.member('a');
      const real = await group.moderator(['a'], false, realMember(version));
      await sees(a, 'is in', (event) => event.kind === 'session', WAIT_MS);
      await pause(IDLE_MS);
      expect(a.find((event) => event.kind === 'closed')).toBeUndefined();
      await speaks(real, a);
      real.process.kill('SIGKILL');
      expect(await sees(a, 'misses', (event) => event.kind === 'closed', GONE_MS)).toMatchObject({
        reason: 'moderator-gone',
      });
    },
  );
});

test.concurrent(
  'a 0.7.0 member that leaves tells nobody, and is missed all the same',
  { timeout: 120_000 },
  async (context) => {
    need(context, '0.7.0');
    const group = await LivingGroup.start(context);
    const real = await group.member('real', realMember('0.7.0'));
    const m = await group.moderator(['real'], false);
    expect(await real.leave('bye', WAIT_MS)).toEqual({ ok: true });
    expect(await sees(m, 'misses', (event) => event.kind === 'left', GONE_MS)).toMatchObject({ reason: 'offline' });
  },
);

test.concurrent(
  'of a moderator of 1.4.0 our members hear who was killed, and wait for it no more',
  { timeout: 180_000 },
  async (context) => {
    need(context, '1.4.0');
    const group = await LivingGroup.start(context);
    const [dying, a] = [await group.member('dying'), await group.member('a')];
    await group.moderator(['a', 'dying'], true, realMember('1.4.0'));
    await sees(dying, 'is in', (event) => event.kind === 'session', WAIT_MS);
    await pause(1000);
    dying.process.kill('SIGKILL');
    await sees(a, 'misses', (event) => event.kind === 'left' && event.member === 'org/ns/dying', GONE_MS);
    a.publish('we two', 'two');
    const outcome = await sees(a, 'is heard', (event) => event.kind === 'settled' && event.ref === 'two', WAIT_MS);
    expect(outcome).not.toHaveProperty('error');
  },
);
