import { describe, expect, test, type TestContext } from 'vitest';

import { buildWallClock, type CommandOutcome, installedParts, WallClock } from '../harness/index.js';
import { AgeingGroup, GIVE_UP_MS, nameOf, WAIT_MS } from './ageing-group.js';
import { tellAllowances } from './allowances.js';
import { judgeRenewals, RENEWAL_ALLOWANCES, renewalsOf, type Witness } from './renewals.js';
import { heardOf, outcomesOf, Speaker, toldBy } from './speeches.js';

const REAL = '1.4.0';
/** Whom our moderator invites. */
const OTHERS = [
  ['a', REAL],
  ['b', REAL],
  ['c', 'ours'],
] as const;
/** Our moderator looks at the wall clock every ten seconds. */
const NOTICE_MS = 10_000 + 5_000;

const SPEECH_MS = 20;
const built = installedParts().has(REAL) ? buildWallClock(REAL) : { why: `${REAL} is not installed` };

async function startGroup(context: TestContext): Promise<{ group: AgeingGroup; clock: WallClock }> {
  if (built.library === undefined) context.skip(`left out: ${built.why}`);
  const clock = new WallClock(built.library);
  context.onTestFinished(() => {
    clock.close();
  });
  return { group: await AgeingGroup.start(clock, context), clock };
}

/** Waits until as many messages more are done as take a moment to say. */
async function mayGoOn(speaker: Speaker): Promise<void> {
  expect(await speaker.isSettled(speaker.saidAtMs.length + 20, WAIT_MS), 'the moderator is acknowledged').toBe(true);
}

/** `ok`, or why not. */
function wordOf(outcome: CommandOutcome): string {
  return outcome.ok ? 'ok' : outcome.error;
}

function witnessOf(speaker: Speaker, all: readonly Speaker[]): Witness {
  const { member } = speaker;
  const told = toldBy(member);
  return {
    speech: speaker,
    isModerator: member.label === 'm',
    isOurs: member.isOurs,
    outcomes: outcomesOf(speaker, told),
    heard: new Map(all.map((other) => [other.label, heardOf(other, told)])),
  };
}

describe('groups with MLS whose members live by a clock that is moved', () => {
  test.concurrent(
    'row 15: 61 minutes old, moderator ours: payloads pass, changes are refused at once, and it stays usable',
    { timeout: 90_000 },
    async (context) => {
      const { group, clock } = await startGroup(context);
      await group.add('late', REAL);
      await group.gather(['m', 'ours'], OTHERS);
      const everybody = ['m', 'a', 'b', 'c'];
      expect(await group.talk('while all is young', everybody)).toEqual([]);
      clock.advanceMinutes(61);
      expect(await group.talk('after an hour', everybody)).toEqual([]);
      const m = group.of('m');
      const startedAtMs = performance.now();
      expect(await m.invite(nameOf('late'), 'i', WAIT_MS)).toEqual({ ok: false, error: 'mls-token-expired' });
      expect(await m.remove(nameOf('a'), 'r', WAIT_MS)).toEqual({ ok: false, error: 'mls-token-expired' });
      // At once: nobody was waited for in vain.
      expect(performance.now() - startedAtMs).toBeLessThan(GIVE_UP_MS);
      expect(await group.talk('and still', everybody)).toEqual([]);
      expect(group.of('late').find((event) => event.kind === 'session')).toBeUndefined();
      const warned = await m.waitFor(
        (event) =>
          event.kind === 'trouble' && event.text.includes('mls-leaf-ageing') && event.text.includes(nameOf('a')),
        NOTICE_MS,
      );
      expect(warned).toMatchObject({
        text: expect.stringContaining('joined 61 minutes ago, and the identity of a member has ended') as string,
      });
    },
  );

  test.concurrent(
    'row 15: 61 minutes old, moderator real: payloads pass, its invitation never completes',
    { timeout: 90_000 },
    async (context) => {
      const { group, clock } = await startGroup(context);
      await group.add('late', 'ours');
      await group.gather(
        ['m', REAL],
        [
          ['a', 'ours'],
          ['b', REAL],
          ['c', 'ours'],
        ],
      );
      const everybody = ['m', 'a', 'b', 'c'];
      expect(await group.talk('while all is young', everybody)).toEqual([]);
      clock.advanceMinutes(61);
      expect(await group.talk('after an hour', everybody)).toEqual([]);
      const outcome = await group.of('m').invite(nameOf('late'), 'i', 2 * GIVE_UP_MS);
      expect(outcome).toEqual({ ok: false, error: `no answer within ${2 * GIVE_UP_MS} ms` });
      expect(group.of('late').find((event) => event.kind === 'session')).toBeUndefined();
      // To its moderator the invited one counts as a member, which acknowledges nothing; to the others it does not.
      expect(await group.talk('and still', everybody)).toEqual([expect.stringMatching(/^m: /)]);
    },
  );

  test.concurrent(
    'row 16: 70 minutes old, moderator ours with --keep-alive-group: it adds and removes, and nothing of what it says is lost',
    { timeout: 120_000 },
    async (context) => {
      const { group, clock } = await startGroup(context);
      await group.add('late', REAL);
      await group.gather(['m', 'ours'], OTHERS, true);
      expect(await group.talk('while all is young', ['m', 'a', 'b', 'c'])).toEqual([]);
      const m = group.of('m');
      const mark = m.mark();
      const own = new Speaker(m, SPEECH_MS);
      const speakers = [own, ...['a', 'b', 'c'].map((label) => new Speaker(group.of(label), SPEECH_MS))];
      const endSpeeches = (): void => {
        for (const speaker of speakers) speaker.stop();
      };
      context.onTestFinished(endSpeeches);
      await mayGoOn(own);
      clock.advanceMinutes(50);
      for (const label of ['a', 'b', 'c']) {
        const isBack = await m.waitFor(
          (event) => event.kind === 'joined' && event.member === nameOf(label),
          NOTICE_MS,
          mark,
        );
        expect(isBack, `${label} was invited again`).toBeDefined();
      }
      await mayGoOn(own);
      clock.advanceMinutes(20);
      await mayGoOn(own);
      endSpeeches();
      await Promise.all(speakers.map((speaker) => speaker.untilSettled(GIVE_UP_MS + 1_000)));
      // What is acknowledged is on its way to the application.
      for (const speaker of speakers) await speaker.untilHeard(speakers, GIVE_UP_MS);
      const renewals = ['a', 'b', 'c'].flatMap((label) =>
        renewalsOf(label, toldBy(m).slice(mark), toldBy(group.of(label))),
      );
      const { failures, allowed } = judgeRenewals(
        speakers.map((speaker) => witnessOf(speaker, speakers)),
        renewals,
      );
      tellAllowances('row 16', allowed, RENEWAL_ALLOWANCES);
      expect(failures, JSON.stringify({ failures, renewals, allowed }, undefined, 1)).toEqual([]);
      // The tokens of the first sessions have expired by now; changes are made by members that were invited again.
      expect(wordOf(await m.invite(nameOf('late'), 'i', WAIT_MS))).toBe('ok');
      expect(await group.talk('all together', ['m', 'a', 'b', 'c', 'late'])).toEqual([]);
      expect(wordOf(await m.remove(nameOf('a'), 'r', WAIT_MS))).toBe('ok');
      expect(await group.talk('without one', ['m', 'b', 'c', 'late'])).toEqual([]);
      expect(m.events.filter((event) => event.kind === 'trouble')).toEqual([]);
    },
  );
});
