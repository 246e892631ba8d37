import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { Session, SessionEvent, SlimApp } from '../../src/client/index.js';
import { loadOpenMls } from '../../src/mls/index.js';
import { CHANNEL, connect, eventsOf, MemoryNode, outcomeOf, pass, within } from './support.js';

const MINUTE_MS = 60_000;

beforeEach(async () => {
  // Read with real time; from then on it is there at once.
  await loadOpenMls();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function warnings(events: readonly SessionEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'warning' ? [event.code] : []));
}

/** Every text that an app ever gets, in whichever session of it. */
function hear(app: SlimApp): { readonly texts: (string | undefined)[]; readonly sessions: Session[] } {
  const heard = { texts: [] as (string | undefined)[], sessions: [] as Session[] };
  app.onEvent((event) => {
    if (event.kind !== 'session') return;
    heard.sessions.push(event.session);
    event.session.onEvent((inner) => {
      if (inner.kind === 'message') heard.texts.push(inner.message.text);
    });
  });
  return heard;
}

async function start(node: MemoryNode, keepAliveGroup: boolean) {
  const events = { messageDelivery: 'events' } as const;
  const moderator = await connect(node, 'agntcy/ns/alice', events);
  const [bob, carol] = [await connect(node, 'agntcy/ns/bob', events), await connect(node, 'agntcy/ns/carol', events)];
  const heard = [hear(bob.app), hear(carol.app)] as const;
  const options = { channel: CHANNEL, timeoutMs: 1000, maxRetries: 5, mls: true, keepAliveGroup };
  const session = await moderator.app.createSession(options);
  await within(5000, session.invite('agntcy/ns/bob'));
  await within(5000, session.invite('agntcy/ns/carol'));
  return { session, events: eventsOf(session), heard, bob, carol };
}

describe('a group with MLS that gets old', () => {
  test('its moderator is warned of each member once, ten minutes before it is frozen, and then it is', async () => {
    const node = new MemoryNode();
    const { session, events } = await start(node, false);
    await connect(node, 'agntcy/ns/dave');
    await pass(49 * MINUTE_MS);
    expect(warnings(events)).toEqual([]);
    await pass(1 * MINUTE_MS);
    expect(warnings(events)).toEqual(['mls-leaf-ageing', 'mls-leaf-ageing']);
    await pass(11 * MINUTE_MS);
    const invitation = outcomeOf(session.invite('agntcy/ns/dave'));
    const removal = outcomeOf(session.remove('agntcy/ns/bob'));
    await pass(100);
    expect(invitation.error).toMatchObject({ code: 'mls-token-expired' });
    expect(removal.error).toMatchObject({ code: 'mls-token-expired' });
    expect(session.members.map(({ app }) => app)).toEqual(['alice', 'bob', 'carol']);
    // It stays usable.
    await within(1000, Promise.resolve(session.publish('still here')));
    expect(warnings(events)).toHaveLength(2);
  });

  test('kept alive, it takes additions and removals after hours, and no message of its moderator is lost', async () => {
    const node = new MemoryNode();
    const { session, events, heard } = await start(node, true);
    await connect(node, 'agntcy/ns/dave');
    const said: string[] = [];
    const published = [];
    for (let minute = 0; minute < 130; minute += 1) {
      for (let second = 0; second < 60; second += 15) {
        said.push(`minute ${String(minute)} ${String(second)}`);
        published.push(outcomeOf(session.publish(said.at(-1)!)));
        await pass(15_000);
      }
    }
    await pass(10_000);
    expect(published.map(({ error }) => error).filter((error) => error !== undefined)).toEqual([]);
    for (const { texts, sessions } of heard) {
      expect(texts).toEqual(said);
      // Two renewals.
      expect(sessions).toHaveLength(3);
    }
    expect(warnings(events)).toEqual([]);
    await within(5000, session.invite('agntcy/ns/dave'));
    await within(5000, session.remove('agntcy/ns/bob'));
    expect(session.members.map(({ app }) => app).sort()).toEqual(['alice', 'carol', 'dave']);
  }, 60_000);

  test('the machine sleeps for 40 minutes: the members are warned of, or renewed, as if it had been awake', async () => {
    const node = new MemoryNode();
    const [warned, kept] = [await start(node, false), await start(new MemoryNode(), true)];
    await pass(9 * MINUTE_MS);
    // Timers stand still meanwhile, and so does the clock that they go by.
    vi.setSystemTime(Date.now() + 40 * MINUTE_MS);
    await pass(30_000);
    expect(warnings(warned.events)).toEqual([]);
    expect(kept.heard[0].sessions).toHaveLength(1);
    await pass(40_000);
    expect(warnings(warned.events)).toEqual(['mls-leaf-ageing', 'mls-leaf-ageing']);
    for (const { sessions } of kept.heard) expect(sessions).toHaveLength(2);
    expect(warnings(kept.events)).toEqual([]);
    vi.setSystemTime(Date.now() + 30 * MINUTE_MS);
    await within(5000, kept.session.remove('agntcy/ns/bob'));
    await within(5000, kept.session.invite('agntcy/ns/bob'));
  });

  test('messages that are published while a member is renewed wait for it; so does a sender that asks', async () => {
    const node = new MemoryNode();
    const { session, heard } = await start(node, true);
    // The goodbye of the member takes a while.
    node.drops = (message) => message.content.kind === 'leaveRequest';
    await pass(50 * MINUTE_MS + 500);
    const said = Array.from({ length: 300 }, (_, index) => `for both ${String(index)}`);
    const handles = said.map((text) => session.publish(text));
    const writable = outcomeOf(session.writable());
    await pass(2000);
    expect(new Set(handles.map(({ state }) => state))).toEqual(new Set(['queued']));
    expect(writable.isSettled).toBe(false);
    node.drops = () => false;
    await pass(20_000);
    expect(new Set(handles.map(({ state }) => state))).toEqual(new Set(['acked']));
    expect(writable.isSettled).toBe(true);
    for (const { texts } of heard) expect(texts).toEqual(said);
  });

  test('a member that is not there any more when it should be renewed: a warning, and the group goes on', async () => {
    const node = new MemoryNode();
    const { session, events, heard } = await start(node, true);
    node.drops = (message) => message.content.kind === 'joinRequest' && message.header.destination.app === 'bob';
    await pass(52 * MINUTE_MS);
    expect(warnings(events)).toEqual(['mls-failed']);
    expect(session.members.map(({ app }) => app)).toEqual(['alice', 'carol']);
    await within(1000, Promise.resolve(session.publish('without bob')));
    expect(heard[1].texts).toEqual(['without bob']);
  });

  test('a session that ends while a member is renewed fails what waited', async () => {
    const node = new MemoryNode();
    const { session, bob } = await start(node, true);
    node.drops = (message) => message.content.kind === 'leaveRequest';
    await pass(50 * MINUTE_MS + 500);
    const handle = outcomeOf(session.publish('too late'));
    expect(bob.app.sessions).toHaveLength(1);
    await within(20_000, session.driver.run({ kind: 'close' }));
    await pass(100);
    expect(handle.error).toMatchObject({ code: 'closed' });
    expect(handle.count).toBe(1);
  });

  test('is not offered without MLS or in a call', async () => {
    const { app } = await connect(new MemoryNode(), 'agntcy/ns/alice');
    for (const options of [{}, { mls: false }, { mls: true, type: 'pointToPoint' }] as const) {
      const creating = app.createSession({ channel: CHANNEL, keepAliveGroup: true, ...options });
      await expect(creating).rejects.toMatchObject({ code: 'invalid-option' });
    }
  });
});
