import { describe, expect, onTestFinished, test } from 'vitest';

import { SharedSecret } from '../../src/auth/index.js';
import type { SessionEvent } from '../../src/client/index.js';
import { loadOpenMls } from '../../src/mls/index.js';
import { type Content, MessageType } from '../../src/wire/index.js';
import { badLine, connectMeddled, flipped, type Meddle, withPayload } from './mls-support.js';
import { connect, group, SECRET, startNode, type TestApp, type TestSession, texts, watch } from './support.js';

const FAST = { mls: true, timeoutMs: 100, maxRetries: 20 } as const;

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('missing');
  return value;
}

/** Everybody says something and hears it of everybody else, encrypted. */
async function talk(sessions: readonly TestSession[], text: string): Promise<void> {
  await Promise.all(sessions.map(({ session }) => session.publish(`${text} ${session.local.app}`)));
  for (const { session } of sessions) {
    const expected = new Set(
      sessions.filter((s) => s.session !== session).map((s) => `${text} ${s.session.local.app}`),
    );
    while (expected.size > 0) {
      const message = await session.getMessage();
      if (expected.delete(message.text ?? '')) expect(message.encrypted).toBe(true);
    }
  }
}

async function inviteTo(m: TestSession, { app }: TestApp): Promise<TestSession> {
  const invited = app.listenForSession();
  await m.session.invite(app.name.withoutId());
  return watch(await invited);
}

/** Changes the key packages in the join replies of an app. */
function withKeyPackage(change: (keyPackage: Uint8Array | undefined) => Uint8Array | undefined): Meddle {
  return (message, way) => {
    const { content } = message;
    if (way !== 'up' || content.kind !== 'joinReply') return undefined;
    const keyPackage = change(content.keyPackage);
    return [{ message: { ...message, content: { kind: 'joinReply', ...(keyPackage && { keyPackage }) } } }];
  };
}

function warnings(events: readonly SessionEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'warning' ? [event.code] : []));
}

describe('a group with MLS on bad lines', () => {
  test(
    'rows 8 and 9: 4 members, 200 messages each, 5 % lost, 5 % doubled, payloads reordered: nothing lost',
    { timeout: 120_000 },
    async () => {
      const node = await startNode();
      const rates = { lost: 0.05, doubled: 0.05, late: 0.1 };
      const apps = await Promise.all(
        ['m', 'a', 'b', 'c'].map((name, i) => connectMeddled(node, `org/ns/${name}`, badLine(i + 1, rates))),
      );
      const sessions = await group(apps, { ...FAST, maxRetries: 100 });
      // The first message of a sender who was there before may be overtaken; from the second on there is an order.
      await talk(sessions, 'hello');
      const heard = sessions.map(({ session }) => texts(session, 600));
      const published = sessions.flatMap(({ session }) =>
        Array.from({ length: 200 }, (_, i) => session.publish(`${session.local.app} ${String(i)}`)),
      );
      await Promise.all(published);
      for (const [index, { session, events }] of sessions.entries()) {
        const all = await must(heard[index]);
        for (const name of ['m', 'a', 'b', 'c'].filter((other) => other !== session.local.app)) {
          expect(all.filter((text) => text?.startsWith(`${name} `))).toEqual(
            Array.from({ length: 200 }, (_, i) => `${name} ${String(i)}`),
          );
        }
        expect(events.events.filter((event) => event.kind === 'lost')).toEqual([]);
        expect(warnings(events.events)).toEqual([]);
        expect(session.protection).toMatchObject({ state: 'on', epoch: 3 });
      }
    },
  );

  test(
    'members come, go and come back on such lines, and everybody left is in one epoch',
    { timeout: 120_000 },
    async () => {
      const node = await startNode();
      const rates = { lost: 0.05, doubled: 0.05, late: 0 };
      const apps = await Promise.all(
        ['m', 'a', 'b', 'c'].map((name, i) => connectMeddled(node, `org/ns/${name}`, badLine(i + 11, rates))),
      );
      const [m, a, b] = await group(apps.slice(0, 3), { ...FAST, maxRetries: 100 });
      const c = await inviteTo(must(m), must(apps[3]));
      await must(m).session.remove('org/ns/a');
      await must(a).events.next((event) => event.kind === 'closed');
      const again = await inviteTo(must(m), must(apps[1]));
      const everybody = [must(m), must(b), c, again];
      for (const { session, events } of everybody) await events.until(() => session.members.length === 4);
      await talk(everybody, 'still together');
      for (const { session } of everybody) expect(session.protection).toMatchObject({ state: 'on', epoch: 5 });
    },
  );

  test('N7: a tampered ciphertext is not shown and not acknowledged; the genuine one is read', async () => {
    const node = await startNode();
    const m = await connect(node, 'org/ns/m');
    let tampered = 0;
    const a = await connectMeddled(node, 'org/ns/a', (message, way) => {
      if (way !== 'down' || message.session.messageType !== MessageType.msg || tampered > 1) return undefined;
      tampered += 1;
      return [{ message: withPayload(message, flipped) }];
    });
    const [mine, theirs] = await group([m, a], FAST);
    await must(mine).session.publish('genuine');
    expect(await must(theirs).session.getMessage()).toMatchObject({ text: 'genuine', encrypted: true });
    expect(tampered).toBe(2);
    // Two tampered copies of one message are one thing to be told.
    expect(warnings(must(theirs).events.events)).toEqual(['mls-decrypt-failed']);
  });

  test('a ciphertext under another name does not keep the genuine message from being read', async () => {
    const node = await startNode();
    const m = await connect(node, 'org/ns/m');
    const b = await connect(node, 'org/ns/b');
    const stolen = new SharedSecret({ secret: SECRET, identity: 'org/ns/b' });
    let isDone = false;
    const a = await connectMeddled(node, 'org/ns/a', (message, way) => {
      if (way !== 'down' || message.session.messageType !== MessageType.msg || isDone) return undefined;
      isDone = true;
      // First as a message of b's, then as it is.
      const header = { ...message.header, source: b.app.name, identity: stolen.mint(Date.now()) };
      return [{ message: { ...message, header } }, { message }];
    });
    const [mine, theirs] = await group([m, a, b], FAST);
    await must(mine).session.publish('genuine');
    const message = await must(theirs).session.getMessage();
    expect(message.text).toBe('genuine');
    expect(message.source.equals(m.app.name)).toBe(true);
  });

  test('a commit that is lost for one member: it catches up by repetition and reads what waited', async () => {
    const node = await startNode();
    const [m, b, c] = await Promise.all(['m', 'b', 'c'].map((name) => connect(node, `org/ns/${name}`)));
    let lost = 0;
    const a = await connectMeddled(node, 'org/ns/a', (message, way) => {
      if (way !== 'down' || message.content.kind !== 'groupAdd' || lost >= 3) return undefined;
      lost += 1;
      return [];
    });
    const sessions = await group([must(m), a, must(b)].slice(0, 2), FAST);
    const invitedB = must(b).app.listenForSession();
    const inviting = must(sessions[0]).session.invite('org/ns/b');
    const late = watch(await invitedB);
    // Sent in an epoch that a does not know yet.
    await Promise.all([late.session.publish('early bird'), inviting]);
    expect(await must(sessions[1]).session.getMessage()).toMatchObject({ text: 'early bird', encrypted: true });
    expect(lost).toBe(3);
    const last = await inviteTo(must(sessions[0]), must(c));
    await talk([...sessions, late, last], 'in step');
  });

  test('the moderator is killed: the others go on in the epoch they are in', async () => {
    const node = await startNode();
    let isDead = false;
    const m = await connectMeddled(node, 'org/ns/m', () => (isDead ? [] : undefined));
    const [a, b] = await Promise.all(['a', 'b'].map((name) => connect(node, `org/ns/${name}`)));
    const sessions = await group([m, must(a), must(b)], FAST);
    await talk(sessions, 'before');
    isDead = true;
    await expect(must(sessions[1]).session.publish('anybody there?')).rejects.toMatchObject({ code: 'not-acked' });
    expect(await must(sessions[2]).session.getMessage()).toMatchObject({ text: 'anybody there?', encrypted: true });
  });

  test('the node restarts in the middle of an addition: everybody is in, in one epoch, and nothing is lost', async () => {
    const first = await startNode();
    const { port } = first;
    let restart: (() => void) | undefined;
    const restarted = new Promise<void>((resolve) => {
      restart = resolve;
    });
    const m = await connectMeddled(first, 'org/ns/m', (message, way) => {
      if (way !== 'up' || message.content.kind !== 'groupWelcome' || restart === undefined) return undefined;
      if (message.header.destination.app !== 'c') return undefined;
      restart();
      restart = undefined;
      return [];
    });
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => connect(first, `org/ns/${name}`)));
    const sessions = await group([m, must(a), must(b)], FAST);
    const invited = must(c).app.listenForSession();
    const inviting = must(sessions[0]).session.invite('org/ns/c');
    await restarted;
    await first.close();
    const published = sessions.map(({ session }) => session.publish(`while it is down ${session.local.app}`));
    await startNode(port);
    await inviting;
    const late = watch(await invited);
    await Promise.all(published);
    const everybody = [...sessions, late];
    for (const { session, events } of everybody) await events.until(() => session.members.length === 4);
    await talk(everybody, 'all in');
    for (const { session } of everybody) expect(session.protection).toMatchObject({ state: 'on', epoch: 3 });
    for (const { events } of everybody) expect(warnings(events.events)).toEqual([]);
  });
});

describe('invitations into a group with MLS', () => {
  test('four additions at the same moment: all in, one epoch each', async () => {
    const node = await startNode();
    const all = await Promise.all(['m', 'a', 'b', 'c', 'd'].map((name) => connect(node, `org/ns/${name}`)));
    const m = watch(await must(all[0]).app.createSession({ channel: 'org/ns/chat', ...FAST }));
    const others = await Promise.all(all.slice(1).map((app) => inviteTo(m, app)));
    const everybody = [m, ...others];
    for (const { session, events } of everybody) await events.until(() => session.members.length === 5);
    await talk(everybody, 'hello');
    for (const { session } of everybody) expect(session.protection).toMatchObject({ state: 'on', epoch: 4 });
  });

  test('the same name invited twice at the same moment: it is in once, and both hear of it', async () => {
    const node = await startNode();
    const [m, a] = await Promise.all(['m', 'a'].map((name) => connect(node, `org/ns/${name}`)));
    const session = watch(await must(m).app.createSession({ channel: 'org/ns/chat', ...FAST }));
    const invited = must(a).app.listenForSession();
    const both = await Promise.all([session.session.invite('org/ns/a'), session.session.invite('org/ns/a')]);
    expect(both).toEqual([must(a).app.name, must(a).app.name]);
    expect(session.session.members).toHaveLength(2);
    await talk([session, watch(await invited)], 'hello');
  });

  test.each([
    ['a broken one', (keyPackage: Uint8Array | undefined) => keyPackage?.subarray(0, 40), 'mls-malformed'],
    [
      'one that was changed',
      (keyPackage: Uint8Array | undefined) => keyPackage && flipped(keyPackage),
      'mls-bad-signature',
    ],
    ['none', () => undefined, 'mls-unsupported'],
    ['an empty one', () => new Uint8Array(0), 'mls-unsupported'],
    ['a welcome', () => Uint8Array.of(0, 1, 0, 3, 0, 1, 0), 'mls-'],
  ])('a join reply with %s instead of a key package fails this invitation only', async (_what, change, code) => {
    const node = await startNode();
    const m = await connect(node, 'org/ns/m');
    const [a, b] = await Promise.all(['a', 'b'].map((name) => connect(node, `org/ns/${name}`)));
    const bad = await connectMeddled(node, 'org/ns/bad', withKeyPackage(change));
    const sessions = await group([m, must(a)], FAST);
    const [failed, third] = await Promise.all([
      must(sessions[0])
        .session.invite(bad.app.name.withoutId())
        .catch((error: unknown) => error),
      inviteTo(must(sessions[0]), must(b)),
    ]);
    expect(failed).toMatchObject({ code: expect.stringContaining(code) as string });
    const everybody = [...sessions, third];
    for (const { session, events } of everybody) await events.until(() => session.members.length === 3);
    await talk(everybody, 'never mind');
    expect(bad.app.sessions).toEqual([]);
  });

  test('N3, N5: a key package whose token names another key, and one of somebody who is in already', async () => {
    const engine = await loadOpenMls();
    const client = engine.createClient(1);
    const other = engine.createClient(1);
    onTestFinished(() => {
      client.free();
      other.free();
    });
    const node = await startNode();
    const m = await connect(node, 'org/ns/m');
    const shared = new SharedSecret({ secret: SECRET, identity: 'org/ns/a/1' });
    const identity = { provider: shared, verifier: shared };
    const a = await connect(node, 'org/ns/a', { identity });
    const liar = await connectMeddled(
      node,
      'org/ns/liar',
      withKeyPackage(() => {
        client.setCredential(new TextEncoder().encode(shared.mint(Date.now(), other.publicKey)));
        return client.createKeyPackage();
      }),
    );
    const double = await connect(node, 'org/ns/double', { identity });
    const sessions = await group([m, a], FAST);
    const { session } = must(sessions[0]);
    await expect(session.invite(liar.app.name.withoutId())).rejects.toMatchObject({ code: 'mls-pubkey-mismatch' });
    await expect(session.invite(double.app.name.withoutId())).rejects.toMatchObject({ code: 'mls-subject-duplicate' });
    expect(session.members).toHaveLength(2);
    await talk(sessions, 'nobody came');
    expect(session.protection).toMatchObject({ epoch: 1 });
  });

  test('N4: a key package for the second time', async () => {
    const node = await startNode();
    const [m, a] = await Promise.all(['m', 'a'].map((name) => connect(node, `org/ns/${name}`)));
    let first: Uint8Array | undefined;
    const stolen = must(a);
    const lineOfA: Meddle = (message, way) => {
      if (way === 'up' && message.content.kind === 'joinReply') first = message.content.keyPackage;
      return undefined;
    };
    await stolen.app.close();
    const again = await connectMeddled(node, 'org/ns/a2', lineOfA);
    const thief = await connectMeddled(
      node,
      'org/ns/thief',
      withKeyPackage(() => first),
    );
    const sessions = await group([must(m), again], FAST);
    const inviting = must(sessions[0]).session.invite(thief.app.name.withoutId());
    await expect(inviting).rejects.toMatchObject({
      code: expect.stringMatching(/^mls-(subject-duplicate|duplicate-member)$/) as string,
    });
    await talk(sessions, 'still us');
  });

  test('a member that goes away between join and welcome: the invitation fails, the others go on', async () => {
    const node = await startNode();
    const [m, a, b] = await Promise.all(['m', 'a', 'b'].map((name) => connect(node, `org/ns/${name}`)));
    let isGone = false;
    const lost = await connectMeddled(node, 'org/ns/lost', (message, way) => {
      if (way === 'up' && message.content.kind === 'joinReply') {
        isGone = true;
        return undefined;
      }
      return isGone ? [] : undefined;
    });
    const sessions = await group([must(m), must(a)], { ...FAST, maxRetries: 4 });
    const inviting = must(sessions[0]).session.invite(lost.app.name.withoutId());
    await expect(inviting).rejects.toMatchObject({ code: 'invite-timeout' });
    const third = await inviteTo(must(sessions[0]), must(b));
    const everybody = [...sessions, third];
    for (const { session, events } of everybody) {
      await events.until(() => session.members.length === 3);
      expect(session.members.map((name) => name.app).sort()).toEqual(['a', 'b', 'm']);
    }
    await talk(everybody, 'without it');
    // Added, removed, and one more added.
    await must(sessions[1]).events.until(() => must(sessions[1]).session.protection.epoch === 4);
    for (const { session } of everybody) expect(session.protection).toMatchObject({ state: 'on', epoch: 4 });
  });

  test('removed and invited again in quick succession, three times, while another member talks', async () => {
    const node = await startNode();
    const [m, a, b] = await Promise.all(['m', 'a', 'b'].map((name) => connect(node, `org/ns/${name}`)));
    const sessions = await group([must(m), must(a), must(b)], FAST);
    const [mine, , third] = sessions;
    let last: TestSession | undefined;
    for (let round = 0; round < 3; round += 1) {
      const invited = must(a).app.listenForSession();
      const removing = must(mine).session.remove('org/ns/a');
      const said = must(third).session.publish(`round ${String(round)}`);
      const inviting = must(mine).session.invite('org/ns/a');
      await Promise.all([removing, inviting, said]);
      last = watch(await invited);
      expect(await must(mine).session.getMessage()).toMatchObject({ text: `round ${String(round)}`, encrypted: true });
    }
    const everybody = [must(mine), must(last), must(third)];
    for (const { session, events } of everybody) await events.until(() => session.members.length === 3);
    await talk(everybody, 'after all');
    for (const { session } of everybody) expect(session.protection).toMatchObject({ state: 'on', epoch: 8 });
    expect(sessions.flatMap(({ events }) => warnings(events.events))).toEqual([]);
  });

  test('N10: a welcome for somebody else is not acknowledged, and the app hears why nothing came of it', async () => {
    const node = await startNode();
    const m = await connect(node, 'org/ns/m');
    const stranger = (await loadOpenMls()).createClient(1);
    onTestFinished(() => {
      stranger.free();
    });
    const secret = new SharedSecret({ secret: SECRET, identity: 'org/ns/a' });
    stranger.setCredential(new TextEncoder().encode(secret.mint(Date.now(), stranger.publicKey)));
    const acks: Content['kind'][] = [];
    const a = await connectMeddled(node, 'org/ns/a', (message, way) => {
      if (way === 'up' && message.content.kind === 'groupAck') acks.push('groupAck');
      if (way === 'up' && message.content.kind === 'joinReply') {
        return [{ message: { ...message, content: { kind: 'joinReply', keyPackage: stranger.createKeyPackage() } } }];
      }
      return undefined;
    });
    const session = await m.app.createSession({ channel: 'org/ns/chat', ...FAST, maxRetries: 3 });
    await expect(session.invite('org/ns/a')).rejects.toMatchObject({ code: 'invite-timeout' });
    expect(acks).toEqual([]);
    expect(a.app.sessions).toEqual([]);
    const told = a.events.events.filter((event) => event.kind === 'warning');
    expect(told).toMatchObject([{ code: 'mls-failed', text: expect.stringContaining('welcome') as string }]);
  });

  test('N11: MLS wanted of an app whose tokens vouch for no key: a clear error, no half-made session', async () => {
    const node = await startNode();
    const m = await connect(node, 'org/ns/m');
    const shared = new SharedSecret({ secret: SECRET, identity: 'org/ns/a' });
    const provider = {
      subject: shared.subject,
      mint: (nowMs: number, publicKey?: Uint8Array): string => {
        if (publicKey !== undefined) throw new Error('a static token cannot name a key');
        return shared.mint(nowMs);
      },
    };
    const a = await connect(node, 'org/ns/a', { identity: { provider, verifier: shared } });
    const session = await m.app.createSession({ channel: 'org/ns/chat', ...FAST, maxRetries: 3 });
    await expect(session.invite('org/ns/a')).rejects.toMatchObject({ code: 'invite-timeout' });
    expect(a.app.sessions).toEqual([]);
    expect(a.events.events.filter((event) => event.kind === 'warning')).toMatchObject([
      { code: 'mls-failed', text: expect.stringContaining('cannot name a key') as string },
    ]);
  });
});
