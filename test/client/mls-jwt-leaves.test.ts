import { generateKeyPairSync } from 'node:crypto';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { JwtSigner, JwtVerifier, type SessionEvent } from '../../src/client/index.js';
import { loadOpenMls } from '../../src/mls/index.js';
import { CHANNEL, connect, eventsOf, MemoryNode, outcomeOf, pass, within } from './support.js';

const SECOND_MS = 1000;
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

beforeEach(async () => {
  // Read with real time; from then on it is there at once.
  await loadOpenMls();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function member(node: MemoryNode, app: string, durationS: number) {
  const provider = new JwtSigner({ key: privateKey, algorithm: 'ES256', subject: app, durationS });
  const identity = { provider, verifier: new JwtVerifier({ keys: publicKey }) };
  return connect(node, `agntcy/ns/${app}`, { identity, messageDelivery: 'events' });
}

/** A moderator and two members; how long the tokens of each live, in seconds. */
async function start(keepAliveGroup: boolean, moderatorS: number, memberS: number) {
  const node = new MemoryNode();
  const moderator = await member(node, 'alice', moderatorS);
  await member(node, 'bob', memberS);
  await member(node, 'carol', memberS);
  await member(node, 'dave', memberS);
  const options = { channel: CHANNEL, timeoutMs: 1000, maxRetries: 5, mls: true, keepAliveGroup };
  const session = await moderator.app.createSession(options);
  await within(5000, session.invite('agntcy/ns/bob'));
  await within(5000, session.invite('agntcy/ns/carol'));
  return { session, events: eventsOf(session) };
}

function warnings(events: readonly SessionEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'warning' ? [event.code] : []));
}

describe('a group with MLS whose JWTs live five minutes', () => {
  test.each([
    ['all of them', 300, 300],
    ['those of the moderator', 300, 3600],
    ['those of the members', 3600, 300],
  ])(
    '%s: its moderator is warned in the last sixth of them, and then it is frozen',
    async (_whose, moderatorS, memberS) => {
      const { session, events } = await start(false, moderatorS, memberS);
      await pass(245 * SECOND_MS);
      expect(warnings(events)).toEqual([]);
      await pass(6 * SECOND_MS);
      expect(warnings(events)).toEqual(['mls-leaf-ageing', 'mls-leaf-ageing']);
      // Verifiers have a leeway of a minute.
      await pass(115 * SECOND_MS);
      const invitation = outcomeOf(session.invite('agntcy/ns/dave'));
      const removal = outcomeOf(session.remove('agntcy/ns/bob'));
      await pass(100);
      expect(invitation.error).toMatchObject({ code: 'mls-token-expired' });
      expect(removal.error).toMatchObject({ code: 'mls-token-expired' });
      // It stays usable.
      await within(1000, Promise.resolve(session.publish('still here')));
    },
  );

  test.each([
    ['all of them', 300, 300],
    ['those of the moderator', 300, 3600],
    ['those of the members', 3600, 300],
  ])('%s: kept alive, it takes additions and removals all the time', async (_whose, moderatorS, memberS) => {
    const { session, events } = await start(true, moderatorS, memberS);
    for (let round = 0; round < 6; round += 1) {
      await pass(280 * SECOND_MS);
      await within(5000, session.invite('agntcy/ns/dave'));
      await within(5000, session.remove('agntcy/ns/dave'));
    }
    expect(warnings(events)).toEqual([]);
    expect(session.members.map(({ app }) => app).sort()).toEqual(['alice', 'bob', 'carol']);
  });

  test('a moderator whose tokens live half a minute renews its leaf with each commit', async () => {
    const { session } = await start(false, 30, 3600);
    await pass(55 * SECOND_MS);
    await within(5000, session.invite('agntcy/ns/dave'));
    // The leaf of the start would have ended by now, with the leeway.
    await pass(45 * SECOND_MS);
    await within(5000, session.remove('agntcy/ns/dave'));
    expect(session.members.map(({ app }) => app).sort()).toEqual(['alice', 'bob', 'carol']);
  });
});
