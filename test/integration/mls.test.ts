import { describe, expect, test } from 'vitest';

import { type Session } from '../../src/client/index.js';
import { connect, group, startNode, type TestApp, texts } from './support.js';

async function apps(...names: readonly string[]): Promise<readonly TestApp[]> {
  const node = await startNode();
  return Promise.all(names.map((name) => connect(node, `org/ns/${name}`)));
}

async function hears(session: Session | undefined, text: string): Promise<void> {
  expect(await session?.getMessage()).toMatchObject({ text, encrypted: true });
}

describe('a group with MLS', () => {
  test('three members talk; every payload is ciphertext, every side is in the same epoch', async () => {
    const [m, a, b] = await group(await apps('m', 'a', 'b'), { mls: true });
    await m?.session.publish('from m');
    await hears(a?.session, 'from m');
    await hears(b?.session, 'from m');
    await a?.session.publish('from a');
    await hears(m?.session, 'from a');
    await hears(b?.session, 'from a');
    for (const side of [m, a, b]) {
      expect(side?.session.protection).toEqual({ state: 'on', epoch: 2, clearPeers: [] });
    }
  });

  test('20 messages from everybody at once, and a member that joins meanwhile: nothing lost, doubled or out of order', async () => {
    const all = await apps('m', 'a', 'b', 'late');
    const sessions = await group(all.slice(0, 3), { mls: true });
    const heard = sessions.map(({ session }) => texts(session, 40));
    const invited = all[3]?.app.listenForSession();
    const published = sessions.flatMap(({ session }) =>
      Array.from({ length: 20 }, (_, i) => session.publish(`${session.local.app} ${String(i)}`)),
    );
    await sessions[0]?.session.invite('org/ns/late');
    await Promise.all(published);
    for (const [index, own] of ['m', 'a', 'b'].entries()) {
      const received = await heard[index];
      for (const name of ['m', 'a', 'b'].filter((other) => other !== own)) {
        const texts = received?.filter((text) => text?.startsWith(`${name} `));
        expect(texts).toEqual(Array.from({ length: 20 }, (_, i) => `${name} ${String(i)}`));
      }
    }
    await sessions[1]?.session.publish('for late too');
    let last: string | undefined;
    while (last !== 'for late too') last = (await (await invited)?.getMessage())?.text;
  });

  test('a removed member reads nothing newer, and can be invited again', async () => {
    const all = await apps('m', 'a', 'b');
    const [m, a, b] = await group(all, { mls: true });
    await m?.session.remove('org/ns/a');
    await expect(a?.session.getMessage()).rejects.toMatchObject({ code: 'removed' });
    await m?.session.publish('without a');
    await hears(b?.session, 'without a');
    const again = all[1]?.app.listenForSession();
    await m?.session.invite('org/ns/a');
    const second = await again;
    await b?.session.publish('with a');
    await hears(second, 'with a');
    await hears(m?.session, 'with a');
    await second?.publish('back');
    await hears(m?.session, 'back');
    await hears(b?.session, 'back');
  });

  test('a member that leaves takes nobody else out of step', async () => {
    const all = await apps('m', 'a', 'b', 'c');
    const [m, a, b, c] = await group(all, { mls: true });
    if (a !== undefined) await all[1]?.app.deleteSession(a.session);
    await b?.events.next((event) => event.kind === 'left');
    await c?.events.next((event) => event.kind === 'left');
    await b?.session.publish('still here');
    await hears(m?.session, 'still here');
    await hears(c?.session, 'still here');
  });

  test('a point-to-point session is encrypted, too', async () => {
    const [m, a] = await apps('m', 'a');
    const called = a?.app.listenForSession();
    const caller = await m?.app.createSession({ channel: 'org/ns/a', type: 'pointToPoint', mls: true });
    const callee = await called;
    await caller?.publish('ping');
    await hears(callee, 'ping');
    await callee?.publish('pong');
    await hears(caller, 'pong');
  });
});
