import { describe, expect, test } from 'vitest';

import { connect, group, startNode, texts, watch } from './support.js';

describe('a group on the embedded node', () => {
  test('three members talk, each hears each of the others once and in order', async () => {
    const node = await startNode();
    const apps = await Promise.all(['org/ns/m', 'org/ns/a', 'org/ns/b'].map((name) => connect(node, name)));
    const sessions = await group(apps);
    const heard = sessions.map(({ session }) => texts(session, 40));
    await Promise.all(
      sessions.flatMap(({ session }) =>
        Array.from({ length: 20 }, (_, i) => session.publish(`${session.local.app} ${String(i)}`)),
      ),
    );
    for (const [index, own] of ['m', 'a', 'b'].entries()) {
      const others = ['m', 'a', 'b'].filter((name) => name !== own);
      const all = await heard[index];
      for (const name of others) {
        expect(all?.filter((text) => text?.startsWith(`${name} `))).toEqual(
          Array.from({ length: 20 }, (_, i) => `${name} ${String(i)}`),
        );
      }
    }
  });

  test('a removed member is out, can be invited again, and the others are told', async () => {
    const node = await startNode();
    const apps = await Promise.all(['org/ns/m', 'org/ns/a', 'org/ns/b'].map((name) => connect(node, name)));
    const [m, a, b] = await group(apps);
    if (m === undefined || a === undefined || b === undefined) throw new Error('no group');
    await m.session.remove('org/ns/a');
    await expect(a.session.getMessage()).rejects.toMatchObject({ code: 'removed' });
    await b.events.next((event) => event.kind === 'left' && event.reason === 'removed');
    await m.session.publish('without a');
    const again = apps[1]?.app.listenForSession();
    await m.session.invite('org/ns/a');
    const second = await again;
    await m.session.publish('with a');
    expect((await second?.getMessage())?.text).toBe('with a');
    expect(await texts(b.session, 2)).toEqual(['without a', 'with a']);
    await second?.publish('back');
    expect((await m.session.getMessage()).text).toBe('back');
    expect((await b.session.getMessage()).text).toBe('back');
  });

  test('a participant that leaves is gone for everybody, and the group lives on', async () => {
    const node = await startNode();
    const apps = await Promise.all(['org/ns/m', 'org/ns/a', 'org/ns/b'].map((name) => connect(node, name)));
    const [m, a, b] = await group(apps);
    if (m === undefined || a === undefined || b === undefined) throw new Error('no group');
    await apps[1]?.app.deleteSession(a.session);
    await m.events.next((event) => event.kind === 'left' && event.reason === 'left');
    await b.events.next((event) => event.kind === 'left' && event.reason === 'left');
    await m.session.publish('still here');
    expect((await b.session.getMessage()).text).toBe('still here');
    expect(a.session.closeReason).toBe('left');
  });

  test('the moderator closes: every member is told, later calls say so', async () => {
    const node = await startNode();
    const apps = await Promise.all(['org/ns/m', 'org/ns/a'].map((name) => connect(node, name)));
    const [m, a] = await group(apps);
    if (m === undefined || a === undefined) throw new Error('no group');
    await apps[0]?.app.deleteSession(m.session);
    await a.events.next((event) => event.kind === 'closed' && event.reason === 'closed');
    await expect(m.session.publish('too late')).rejects.toMatchObject({ code: 'closed' });
    await expect(m.session.invite('org/ns/b')).rejects.toMatchObject({ code: 'closed' });
    await expect(a.session.getMessage()).rejects.toMatchObject({ code: 'closed' });
  });

  test('what is published before anybody joined waits, and reaches the first member', async () => {
    const node = await startNode();
    const m = await connect(node, 'org/ns/m');
    const a = await connect(node, 'org/ns/a');
    const session = await m.app.createSession({ channel: 'org/ns/chat' });
    const early = [session.publish('one'), session.publish('two')];
    expect(early.map((handle) => handle.state)).toEqual(['queued', 'queued']);
    const invited = a.app.listenForSession();
    await session.invite('org/ns/a');
    await Promise.all(early);
    expect(await texts(await invited, 2)).toEqual(['one', 'two']);
  });

  test('a message to one member reaches that one only', async () => {
    const node = await startNode();
    const apps = await Promise.all(['org/ns/m', 'org/ns/a', 'org/ns/b'].map((name) => connect(node, name)));
    const [m, a, b] = await group(apps);
    if (m === undefined || a === undefined || b === undefined) throw new Error('no group');
    await m.session.publishTo(a.session.local, 'for a');
    await m.session.publish('for all');
    expect(await texts(a.session, 2)).toEqual(['for a', 'for all']);
    expect(await texts(b.session, 1)).toEqual(['for all']);
    await expect(m.session.publishTo('org/ns/ghost/1', 'x')).rejects.toMatchObject({ code: 'participant-not-found' });
  });

  test('a point-to-point session talks both ways and ends on both sides', async () => {
    const node = await startNode();
    const m = await connect(node, 'org/ns/m');
    const a = await connect(node, 'org/ns/a');
    const called = a.app.listenForSession();
    const caller = await m.app.createSession({ channel: 'org/ns/a', type: 'pointToPoint' });
    const callee = watch(await called);
    await caller.publish('ping');
    expect((await callee.session.getMessage()).text).toBe('ping');
    await callee.session.publish('pong');
    expect((await caller.getMessage()).text).toBe('pong');
    await m.app.deleteSession(caller);
    await callee.events.next((event) => event.kind === 'closed');
  });

  test('two moderators invite the same app: it is in both groups, and what is said in one stays there', async () => {
    const node = await startNode();
    const [m1, m2, a] = await Promise.all(['org/ns/m1', 'org/ns/m2', 'org/ns/a'].map((name) => connect(node, name)));
    if (m1 === undefined || m2 === undefined || a === undefined) throw new Error('no apps');
    const first = await m1.app.createSession({ channel: 'org/ns/one' });
    const second = await m2.app.createSession({ channel: 'org/ns/two' });
    await Promise.all([first.invite('org/ns/a'), second.invite('org/ns/a')]);
    const both = [await a.app.listenForSession(), await a.app.listenForSession()];
    const inOne = both.find((session) => session.channel.app === 'one');
    const inTwo = both.find((session) => session.channel.app === 'two');
    await Promise.all([first.publish('to one'), second.publish('to two')]);
    expect((await inOne?.getMessage())?.text).toBe('to one');
    expect((await inTwo?.getMessage())?.text).toBe('to two');
  });

  test('inviting who is in the group already says so', async () => {
    const node = await startNode();
    const apps = await Promise.all(['org/ns/m', 'org/ns/a'].map((name) => connect(node, name)));
    const [m] = await group(apps);
    await expect(m?.session.invite('org/ns/a')).rejects.toMatchObject({ code: 'already-in-group' });
  });
});
