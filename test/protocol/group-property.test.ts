import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { SimulatedGroup } from './simulated-group.js';
import { type GroupOptions, SHORT_LEAF_MS, type SimulatedSession } from './simulation.js';
import { short } from './support.js';
import { GOOD_NETWORK, type NetworkOptions } from './simulated-network.js';

/** How often each property is tried; more by hand: `FC_RUNS=5000 npx vitest …`. */
const RUNS = Number(process.env['FC_RUNS'] ?? 60);

const network: fc.Arbitrary<NetworkOptions> = fc.record({
  minDelayMs: fc.constant(1),
  maxDelayMs: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 20, max: 700 })),
  lossRate: fc.constantFrom(0, 0.05, 0.3),
  duplicateRate: fc.constantFrom(0, 0.1, 0.5),
  reorders: fc.boolean(),
});

const mls = fc.constantFrom<GroupOptions['mls']>(undefined, undefined, { policy: 'auto' }, { policy: 'require' });

/** Enough tries that a message gets through a network that loses one of three on each of four ways. */
const PATIENT = { timeoutMs: 500, maxRetries: 150 };

describe('everybody stays', () => {
  const plan = fc.record({
    seed: fc.integer(),
    network,
    mls,
    members: fc.integer({ min: 2, max: 5 }),
    /** Who publishes, and how long after the one before. */
    speeches: fc.array(fc.record({ who: fc.nat({ max: 4 }), afterMs: fc.nat({ max: 400 }) }), { maxLength: 25 }),
    /** Whether invitations wait for each other, and for the speeches. */
    isOrderly: fc.boolean(),
  });

  test('each message is delivered once, in order, to everybody it was meant for, whatever the network does', () => {
    fc.assert(
      fc.property(plan, ({ seed, network, mls, members, speeches, isOrderly }) => {
        const group = new SimulatedGroup(seed, members, { network, group: { ...PATIENT, ...(mls && { mls }) } });
        const everybody = Array.from({ length: members - 1 }, (_, index) => index + 1);
        const invitations = isOrderly ? [] : everybody.map((index) => group.invite(index));
        if (isOrderly) group.gather(...everybody);
        for (const { who, afterMs } of speeches) {
          group.run(afterMs);
          const index = who % members;
          if (index === 0 || group.app(index).session?.isEstablished === true) group.publish(index);
        }
        group.runUntil('invitations', () => invitations.every(({ isSettled }) => isSettled));
        expect(invitations.map(({ error }) => error?.message)).toEqual(invitations.map(() => undefined));
        group.network.options = GOOD_NETWORK;
        group.run(100_000);
        group.checkMembers();
        expect(group.memberNames).toHaveLength(members);
        group.checkOrder();
        group.checkNothingLost();
        group.checkAcknowledged();
        group.checkSettled();
        if (mls !== undefined) group.checkKeys();
        group.checkEncrypted(mls !== undefined);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('a group is kept alive', () => {
  const plan = fc.record({
    seed: fc.integer(),
    delayMs: fc.integer({ min: 1, max: 60 }),
    duplicateRate: fc.constantFrom(0, 0.1, 0.5),
    members: fc.integer({ min: 2, max: 4 }),
    pausesMs: fc.array(fc.nat({ max: 4000 }), { minLength: 60, maxLength: 100 }),
  });

  test('each member is renewed in time, and gets all that the moderator says, once and in order', () => {
    fc.assert(
      fc.property(plan, ({ seed, delayMs, duplicateRate, members, pausesMs }) => {
        const network = { ...GOOD_NETWORK, maxDelayMs: delayMs, duplicateRate };
        const options = { timeoutMs: 500, maxRetries: 20, mls: { policy: 'require' }, keepsAlive: true } as const;
        const group = new SimulatedGroup(seed, members, { network, group: options });
        const everybody = Array.from({ length: members - 1 }, (_, index) => index + 1);
        group.gather(...everybody);
        const startedMs = group.network.time.nowMs;
        for (const pauseMs of pausesMs) {
          group.run(pauseMs);
          group.publish(0);
        }
        const passedMs = group.network.time.nowMs - startedMs;
        group.run(5000);
        const said = [...group.moderator.commands.values()].flatMap(({ command }) =>
          command.kind === 'publish' ? [new TextDecoder().decode(command.payload)] : [],
        );
        for (const index of everybody) {
          const { sessions } = group.app(index);
          expect(sessions.flatMap(({ received }) => received.map(({ text }) => text))).toEqual(said);
          expect(sessions.length - 1).toBeGreaterThanOrEqual(Math.floor(passedMs / SHORT_LEAF_MS));
        }
        const warnings = group.moderator.notices.filter(({ kind }) => kind === 'warning');
        expect(warnings).toEqual([]);
        const isIn = ({ session }: { session: SimulatedSession | undefined }): boolean =>
          session?.isAlive === true && session.machine.members.length === members;
        group.runUntil('nobody is away for a renewal', () => group.apps.every(isIn), 5000);
        group.checkMembers();
        group.checkKeys();
        group.checkSettled();
        group.checkEncrypted(true);
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    );
  });
});

describe('what failed is sent again', () => {
  const plan = fc.record({
    seed: fc.integer(),
    network,
    mls,
    members: fc.integer({ min: 2, max: 5 }),
    speeches: fc.array(fc.record({ who: fc.nat({ max: 4 }), afterMs: fc.nat({ max: 150 }), isDirect: fc.boolean() }), {
      maxLength: 20,
    }),
  });

  test('who missed a message gets it, and nobody gets one twice', () => {
    fc.assert(
      fc.property(plan, ({ seed, network, mls, members, speeches }) => {
        const group = new SimulatedGroup(seed, members, {
          group: { timeoutMs: 100, maxRetries: 1, ...(mls && { mls }) },
        });
        group.gather(...Array.from({ length: members - 1 }, (_, index) => index + 1));
        group.network.options = network;
        for (const { who, afterMs, isDirect } of speeches) {
          group.run(afterMs);
          group.publish(who % members, isDirect ? group.app((who + 1) % members).name : undefined);
        }
        group.network.options = GOOD_NETWORK;
        group.run(5000);
        const retries = group.apps.flatMap(({ session }) =>
          [...session!.commands.values()].flatMap(({ command, progress, error }) => {
            if (command.kind !== 'publish' || progress?.messageId === undefined || error?.code !== 'not-acked')
              return [];
            const text = new TextDecoder().decode(command.payload);
            const { messageId, missing } = progress;
            return [{ text, missing, record: session!.publish(text, command.to, { messageId, missing }) }];
          }),
        );
        group.run(5000);
        group.checkOrder();
        group.checkSettled();
        expect(group.memberNames).toHaveLength(members);
        for (const { text, missing, record } of retries) {
          expect(record.error?.message).toBeUndefined();
          for (const name of missing) {
            const { session } = group.apps.find((app) => app.name.equals(name))!;
            expect(session!.received.filter((received) => received.text === text)).toHaveLength(1);
          }
        }
      }),
      { numRuns: RUNS },
    );
  });
});

const member = fc.integer({ min: 0, max: 4 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('publish' as const), who: member }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('publishTo' as const), who: member, whom: member }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), who: member }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('invite' as const), who: member }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), who: member }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), who: member }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abandon' as const), who: member }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('linkDown' as const), who: member, ms: fc.nat({ max: 8000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('freeze' as const), who: member, ms: fc.nat({ max: 8000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('slow' as const), who: member, ms: fc.nat({ max: 4000 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Lets one thing happen. */
function perform(group: SimulatedGroup, step: Step): void {
  const index = step.who % group.apps.length;
  const { link, session } = group.app(index);
  switch (step.kind) {
    case 'publish':
      if (session?.isEstablished === true || index === 0) group.publish(index);
      return;
    case 'publishTo':
      if (session?.isEstablished !== true && index !== 0) return;
      group.publish(index, group.app(step.whom % group.apps.length).name);
      return;
    case 'cancel': {
      const record = [...(session?.commands.values() ?? [])].findLast(({ command }) => command.kind === 'publish');
      if (record !== undefined) session?.cancel(record);
      return;
    }
    case 'invite':
      if (index !== 0) group.invite(index);
      return;
    case 'remove':
      if (index !== 0) group.remove(index);
      return;
    case 'leave':
      if (index !== 0 && session?.isEstablished === true) session.run({ kind: 'close' });
      return;
    case 'abandon':
      if (index !== 0 && session?.isEstablished === true) session.run({ kind: 'abandon' });
      return;
    case 'linkDown':
      link.down();
      group.network.time.after(step.ms, () => {
        link.up();
      });
      return;
    case 'freeze':
      link.freeze();
      group.network.time.after(step.ms, () => {
        link.thaw();
      });
      return;
    case 'slow':
      if (session === undefined) return;
      session.isReceiveQueueFull = true;
      group.network.time.after(step.ms, () => {
        session.isReceiveQueueFull = false;
      });
  }
}

const story = fc.record({
  seed: fc.integer(),
  network,
  mls,
  keepsAlive: fc.boolean(),
  apps: fc.integer({ min: 2, max: 5 }),
  steps: fc.array(fc.record({ step, afterMs: fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 3000 })) }), {
    maxLength: 30,
  }),
});

type Story = typeof story extends fc.Arbitrary<infer S> ? S : never;

/** The group that a story is about; with MLS it may be one that renews its members. */
function groupOf({ seed, network, mls, keepsAlive, apps }: Omit<Story, 'steps'>): SimulatedGroup {
  const options = { timeoutMs: 500, maxRetries: 30, ...(mls && { mls, keepsAlive }) };
  return new SimulatedGroup(seed, apps, { network, group: options });
}

/** A group that lives through a story; then everything works again for a while. */
function live(story: Story): SimulatedGroup {
  const group = groupOf(story);
  for (let index = 1; index < story.apps; index += 1) group.invite(index);
  for (const { step, afterMs } of story.steps) {
    group.run(afterMs);
    perform(group, step);
  }
  group.run(10_000);
  group.network.options = GOOD_NETWORK;
  group.run(200_000);
  return group;
}

/** Whether a check finds nothing wrong at the moment. */
function isRight(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    // What it says does not matter as long as it comes right.
    return false;
  }
}

describe('members come and go, links break, processes stop, readers are slow', () => {
  test('nothing is delivered twice or out of order, every command has one answer, the lists agree in the end', () => {
    fc.assert(
      fc.property(story, (story) => {
        const group = live(story);
        group.checkOrder();
        group.checkAcknowledged();
        group.checkSettled();
        group.checkSubscriptions();
        group.checkEncrypted(story.mls !== undefined);
        const checkLists = (): void => {
          group.checkMembers();
          if (story.mls !== undefined) group.checkKeys();
        };
        // Somebody may be away for a renewal just now.
        if (story.keepsAlive) group.runUntil('the lists agree', () => isRight(checkLists), 20_000);
        checkLists();
      }),
      { numRuns: RUNS },
    );
  });

  test.each<[string, Omit<Story, 'keepsAlive'>]>([
    [
      'a member that left before all had heard of it came back as a ghost',
      {
        seed: 1780844549,
        network: { ...GOOD_NETWORK, maxDelayMs: 1, lossRate: 0.05 },
        mls: undefined,
        apps: 3,
        steps: [{ step: { kind: 'leave', who: 2 }, afterMs: 14 }],
      },
    ],
    [
      'a member that said goodbye while its removal waited was answered twice',
      {
        seed: 0,
        network: { ...GOOD_NETWORK, maxDelayMs: 1, duplicateRate: 0.5 },
        mls: undefined,
        apps: 3,
        steps: [{ step: { kind: 'leave', who: 1 }, afterMs: 10 }],
      },
    ],
    [
      'an invitation of a member that had just left without being heard was forgotten with that member',
      {
        seed: 0,
        network: { ...GOOD_NETWORK, maxDelayMs: 1 },
        mls: undefined,
        apps: 3,
        steps: [
          { step: { kind: 'linkDown', who: 0, ms: 1 }, afterMs: 12 },
          { step: { kind: 'remove', who: 2 }, afterMs: 0 },
          { step: { kind: 'invite', who: 1 }, afterMs: 0 },
          { step: { kind: 'leave', who: 1 }, afterMs: 0 },
        ],
      },
    ],
    [
      'a removal of who was being admitted had no answer when the admission failed',
      {
        seed: 0,
        network: { ...GOOD_NETWORK, maxDelayMs: 20, duplicateRate: 0.5 },
        mls: undefined,
        apps: 2,
        steps: [
          { step: { kind: 'publishTo', who: 0, whom: 0 }, afterMs: 65 },
          { step: { kind: 'freeze', who: 0, ms: 0 }, afterMs: 41 },
          { step: { kind: 'linkDown', who: 0, ms: 0 }, afterMs: 15 },
          { step: { kind: 'remove', who: 1 }, afterMs: 0 },
          { step: { kind: 'leave', who: 3 }, afterMs: 1 },
        ],
      },
    ],
    [
      'a member that was welcomed twice counted the time from the request, not from its answer, and answered a copy of it',
      {
        seed: 0,
        network: { ...GOOD_NETWORK, maxDelayMs: 217 },
        mls: { policy: 'require' },
        apps: 2,
        steps: [{ step: { kind: 'linkDown', who: 0, ms: 0 }, afterMs: 1531 }],
      },
    ],
  ])('once: %s', (_, story) => {
    const group = live({ ...story, keepsAlive: false });
    group.checkOrder();
    group.checkSettled();
    group.checkMembers();
  });

  test('the close always ends everything', () => {
    fc.assert(
      fc.property(story, fc.nat({ max: 3000 }), (story, afterMs) => {
        const group = groupOf(story);
        for (let index = 1; index < story.apps; index += 1) group.invite(index);
        for (const { step, afterMs } of story.steps) {
          group.run(afterMs);
          perform(group, step);
        }
        group.run(afterMs);
        const close = group.moderator.run({ kind: 'close' });
        group.run(10_000);
        group.network.options = GOOD_NETWORK;
        group.run(200_000);
        expect([close.isSettled, close.error]).toEqual([true, undefined]);
        // Whoever was just removed and has not heard of it finds out only if it was pinged before.
        const members = new Set(group.memberNames);
        for (const { name, session } of group.apps) if (members.has(short(name))) expect(session?.end).toBeDefined();
        group.checkOrder();
        group.checkSettled();
        group.checkSubscriptions();
      }),
      { numRuns: RUNS },
    );
  });
});
