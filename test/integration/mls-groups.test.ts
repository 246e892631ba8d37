import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';

import type * as Mls from '../../src/mls/index.js';
import { SharedSecret } from '../../src/auth/index.js';
import type { SessionEvent, SlimAppOptions } from '../../src/client/index.js';
import { MessageType } from '../../src/wire/index.js';
import { connectMeddled, type MeddledApp } from './mls-support.js';
import { connect, group, Recorder, SECRET, startNode, type TestApp, watch } from './support.js';

/** Clients of the real engine that were made and not freed yet: each holds all keys of one session. */
const live = { clients: new Set<object>(), made: 0 };

vi.mock('../../src/mls/index.js', async (importOriginal) => {
  const original = await importOriginal<typeof Mls>();
  const counted = (engine: Mls.MlsEngine): Mls.MlsEngine => ({
    ...engine,
    createClient: (suite) => {
      const client = engine.createClient(suite);
      const free = client.free.bind(client);
      live.made += 1;
      live.clients.add(client);
      client.free = () => {
        live.clients.delete(client);
        free();
      };
      return client;
    },
  });
  return { ...original, loadOpenMls: async () => counted(await original.loadOpenMls()) };
});

const FAST = { mls: true, timeoutMs: 100, maxRetries: 20 } as const;

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('missing');
  return value;
}

async function apps(...names: readonly string[]): Promise<readonly TestApp[]> {
  const node = await startNode();
  return Promise.all(names.map((name) => connect(node, `org/ns/${name}`)));
}

function protections(events: readonly SessionEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.kind !== 'mls') return [];
    const { state, epoch, clearPeers } = event.protection;
    return [
      `${state} ${String(epoch)} [${clearPeers
        .map(({ app }) => app)
        .sort()
        .join(' ')}]`,
    ];
  });
}

beforeEach(() => {
  live.made = 0;
  live.clients.clear();
});

describe('keys of sessions', () => {
  test('are freed on leaving, on removal, on closing, and when the app ends', async () => {
    const all = await apps('m', 'a', 'b', 'c');
    const [m, a, b, c] = await group(all, FAST);
    expect([live.made, live.clients.size]).toEqual([4, 4]);
    await must(all[1]).app.deleteSession(must(a).session);
    expect(live.clients.size).toBe(3);
    await must(m).session.remove('org/ns/b');
    await must(b).events.next((event) => event.kind === 'closed');
    expect(live.clients.size).toBe(2);
    await must(all[0]).app.deleteSession(must(m).session);
    await must(c).events.next((event) => event.kind === 'closed');
    expect(live.clients.size).toBe(0);
    const second = await group(all, { ...FAST, channel: 'org/ns/second' });
    expect([live.made, live.clients.size, second.length]).toEqual([8, 4, 4]);
    await Promise.all(all.map(({ app }) => app.close()));
    expect(live.clients.size).toBe(0);
  });

  test('are freed when the node is gone for good and everybody gives up', async () => {
    const node = await startNode();
    const all = await Promise.all(['m', 'a'].map((name) => connect(node, `org/ns/${name}`)));
    await group(all, FAST);
    await node.close();
    await Promise.all(all.map(({ app }) => app.close({ timeoutMs: 100 })));
    expect(live.clients.size).toBe(0);
  });

  test('are freed after invitations that came to nothing, on both sides', async () => {
    const node = await startNode();
    const m = await connect(node, 'org/ns/m');
    const silent = await connectMeddled(node, 'org/ns/silent', (message, way) =>
      way === 'up' && message.content.kind === 'groupAck' ? [] : undefined,
    );
    const session = await m.app.createSession({ channel: 'org/ns/chat', ...FAST, maxRetries: 2 });
    await expect(session.invite(silent.app.name.withoutId())).rejects.toMatchObject({ code: 'invite-timeout' });
    await m.app.deleteSession(session);
    await silent.app.close();
    expect([live.made, live.clients.size]).toEqual([2, 0]);
  });

  test('a session that ends while its MLS is being set up settles everything and leaves nothing behind', async () => {
    const [m, a] = await apps('m', 'a');
    const session = await must(m).app.createSession({ channel: 'org/ns/chat', ...FAST });
    const inviting = session.invite('org/ns/a');
    const publishing = session.publish('too late');
    const ending = must(m).app.deleteSession(session);
    await expect(inviting).rejects.toMatchObject({ code: 'closed' });
    await expect(publishing).rejects.toMatchObject({ code: 'closed' });
    await ending;
    await must(a).app.close();
    expect(live.clients.size).toBe(0);
  });

  test('a moderator that ends in the middle of an addition', async () => {
    const node = await startNode();
    const welcomed = new Recorder<true>();
    const m = await connectMeddled(node, 'org/ns/m', (message, way) => {
      if (way === 'up' && message.content.kind === 'groupWelcome') welcomed.record(true);
      return undefined;
    });
    const a = await connect(node, 'org/ns/a');
    const session = await m.app.createSession({ channel: 'org/ns/chat', ...FAST });
    const inviting = session.invite('org/ns/a').catch((error: unknown) => error);
    await welcomed.until(() => welcomed.events.length > 0);
    await m.app.close();
    expect(await inviting).toMatchObject({ code: 'closed' });
    await a.app.close();
    expect(live.clients.size).toBe(0);
  });
});

describe('what the application sees of MLS', () => {
  test('three groups in one app, with and without MLS, do not know of each other', async () => {
    const all = await apps('m', 'a', 'b');
    const first = await group(all, { ...FAST, channel: 'org/ns/one' });
    const second = await group(all.toReversed(), { ...FAST, channel: 'org/ns/two' });
    const plain = await group(all, { channel: 'org/ns/plain' });
    for (const [text, sessions, encrypted] of [
      ['one', first, true],
      ['two', second, true],
      ['plain', plain, false],
    ] as const) {
      await must(sessions[0]).session.publish(text);
      for (const { session } of sessions.slice(1)) {
        expect(await session.getMessage()).toMatchObject({ text, encrypted });
      }
    }
    expect(first.map(({ session }) => session.protection.state)).toEqual(['on', 'on', 'on']);
    expect(plain.map(({ session }) => session.protection.state)).toEqual(['off', 'off', 'off']);
    await must(first[0]).session.remove('org/ns/a');
    await must(second[0]).session.publish('still two');
    for (const { session } of second.slice(1)) expect(await session.getMessage()).toMatchObject({ text: 'still two' });
  });

  test('row 3: with peers that send in clear, `auto` does the same, says so once, and goes back when one encrypts', async () => {
    const node = await startNode();
    // They name nobody's id, as the bindings of 1.x do: members of ours read what is encrypted, whatever they send.
    const clear = (name: string): Partial<SlimAppOptions> => {
      const secret = new SharedSecret({ secret: SECRET, identity: `${name}/ffffffffffffffff` });
      return { mlsPayload: 'clear', identity: { provider: secret, verifier: secret } };
    };
    const all = [
      await connect(node, 'org/ns/m'),
      await connect(node, 'org/ns/a', clear('org/ns/a')),
      await connect(node, 'org/ns/b', clear('org/ns/b')),
    ];
    const [m, a, b] = await group(all, FAST);
    await must(m).session.publish('first');
    expect(await must(a).session.getMessage()).toMatchObject({ text: 'first', encrypted: true });
    for (const [side, text] of [
      [a, 'from a'],
      [b, 'from b'],
      [a, 'from a again'],
    ] as const) {
      await must(side).session.publish(text);
      expect(await must(m).session.getMessage()).toMatchObject({ text, encrypted: false });
    }
    await must(m).session.publish('second');
    expect(await must(a).session.getMessage()).toMatchObject({ text: 'from b' });
    expect(await must(a).session.getMessage()).toMatchObject({ text: 'second', encrypted: false });
    const c = await connect(node, 'org/ns/c');
    const invited = c.app.listenForSession();
    await must(m).session.invite('org/ns/c');
    await (await invited).publish('from c');
    expect(await must(m).session.getMessage()).toMatchObject({ text: 'from c', encrypted: true });
    expect(must(m).session.protection).toMatchObject({ state: 'on', epoch: 3 });
    expect(protections(must(m).events.events)).toEqual([
      'on 0 []',
      'on 1 []',
      'on 2 []',
      'on 2 [a]',
      'keys-only 2 [a b]',
      'on 3 [a b]',
    ]);
  });

  test('`require` shows nothing that comes in clear but a warning, and what is encrypted', async () => {
    const node = await startNode();
    const all = [
      await connect(node, 'org/ns/m', { mlsPayload: 'require' }),
      await connect(node, 'org/ns/a', { mlsPayload: 'clear' }),
      await connect(node, 'org/ns/b'),
    ];
    const [m, a, b] = await group(all, FAST);
    await must(a).session.publish('a secret in clear');
    await must(m).events.next((event) => event.kind === 'warning');
    await must(b).session.publish('encrypted');
    expect(await must(m).session.getMessage()).toMatchObject({ text: 'encrypted', encrypted: true });
    const warnings = must(m).events.events.filter((event) => event.kind === 'warning');
    expect(warnings).toMatchObject([{ code: 'mls-clear-refused' }]);
    expect(JSON.stringify(warnings)).not.toContain('a secret');
    await must(m).session.publish('mine');
    await must(b).session.getMessage();
    expect(await must(b).session.getMessage()).toMatchObject({ text: 'mine', encrypted: true });
  });

  test('rows 1, 2, 4, 5, 6, 7 and 10 in one group: epochs, removal while others talk, re-join, and a call', async () => {
    const all = await apps('m', 'a', 'b', 'c');
    const [m, a, b, c] = await group(all, FAST);
    for (const side of [m, a, b, c]) expect(must(side).session.protection).toMatchObject({ state: 'on', epoch: 3 });
    const said = Array.from({ length: 30 }, (_, i) => must(b).session.publish(`b ${String(i)}`));
    await must(m).session.remove('org/ns/a');
    const again = must(all[1]).app.listenForSession();
    await must(m).session.invite('org/ns/a');
    await Promise.all(said);
    for (const side of [m, c]) {
      for (let i = 0; i < 30; i += 1) {
        expect(await must(side).session.getMessage()).toMatchObject({ text: `b ${String(i)}`, encrypted: true });
      }
    }
    await must(a).events.next((event) => event.kind === 'closed');
    await must(c).session.publish('for the new one');
    let last = await (await again).getMessage();
    while (last.text !== 'for the new one') last = await (await again).getMessage();
    expect(last.encrypted).toBe(true);
    expect((await again).protection).toMatchObject({ state: 'on', epoch: 5 });
    const called = must(all[2]).app.listenForSession();
    const call = await must(all[3]).app.createSession({ channel: 'org/ns/b', type: 'pointToPoint', ...FAST });
    await call.publish('hello');
    expect(await (await called).getMessage()).toMatchObject({ text: 'hello', encrypted: true });
    expect(call.protection).toMatchObject({ state: 'on', epoch: 1 });
  });

  test('row 15: the clock goes on by 61 minutes: payloads arrive, invitations and removals are refused at once', async () => {
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const all = await apps('m', 'a', 'b', 'late');
    const sessions = await group(all.slice(0, 3), FAST);
    const [m, a, b] = sessions;
    vi.setSystemTime(Date.now() + 61 * 60_000);
    await must(a).session.publish('an hour later');
    for (const side of [m, b]) {
      expect(await must(side).session.getMessage()).toMatchObject({ text: 'an hour later', encrypted: true });
    }
    await expect(must(m).session.invite('org/ns/late')).rejects.toMatchObject({ code: 'mls-token-expired' });
    await expect(must(m).session.remove('org/ns/a')).rejects.toMatchObject({ code: 'mls-token-expired' });
    expect(must(m).session.members).toHaveLength(3);
    expect(must(m).session.protection).toMatchObject({ state: 'on', epoch: 2 });
    await must(m).session.publish('still here');
    for (const side of [a, b]) expect(await must(side).session.getMessage()).toMatchObject({ text: 'still here' });
    // Who leaves is off the moderator's list, and nobody waits for it; the others cannot be told.
    await must(all[1]).app.deleteSession(must(a).session);
    await must(m).events.next((event) => event.kind === 'left');
    await must(m).session.publish('without a');
    expect(await must(b).session.getMessage()).toMatchObject({ text: 'without a' });
    expect(must(m).events.events.filter((event) => event.kind === 'warning')).toMatchObject([{ code: 'mls-failed' }]);
  });

  test('N1: with another secret an invitation into an MLS group times out, and nothing is said of either secret', async () => {
    const node = await startNode();
    const m = await connect(node, 'org/ns/m');
    const stranger = await connect(node, 'org/ns/stranger', { sharedSecret: `${SECRET}-another` });
    const session = watch(await m.app.createSession({ channel: 'org/ns/chat', ...FAST, maxRetries: 2 }));
    const refused: unknown = await session.session.invite('org/ns/stranger').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'invite-timeout', message: expect.stringContaining('secret') as string });
    expect(stranger.app.sessions).toEqual([]);
    expect(JSON.stringify([stranger.events.events, session.events.events])).not.toContain(SECRET);
  });

  test('no token, key or secret is in any warning, error or event, whatever goes wrong', async () => {
    const node = await startNode();
    const tokens = new Set<string>();
    const keyPackages = new Set<string>();
    const spy = (message: Parameters<MeddledApp['line']['meddle']>[0]): void => {
      tokens.add(message.header.identity);
      if (message.content.kind !== 'joinReply' || message.content.keyPackage === undefined) return;
      const bytes = Buffer.from(message.content.keyPackage);
      keyPackages.add(bytes.toString('base64'));
      // The token of the leaf is in there as it is.
      tokens.add(/org\/ns\/[^:]*:\d+:[^:]*:[^:]*:[\w-]{43}/.exec(bytes.toString('latin1'))?.[0] ?? 'no token');
    };
    const m = await connectMeddled(node, 'org/ns/m', (message) => {
      spy(message);
      return undefined;
    });
    let garbles = 0;
    const a = await connectMeddled(node, 'org/ns/a', (message, way) => {
      spy(message);
      if (way !== 'down' || message.session.messageType !== MessageType.msg || garbles > 0) return undefined;
      garbles += 1;
      const { content } = message;
      if (content.kind !== 'app') return undefined;
      return [
        {
          message: {
            ...message,
            content: { ...content, blob: content.blob.toReversed().with(0, 0).with(1, 1).with(2, 0).with(3, 2) },
          },
        },
      ];
    });
    const broken = await connectMeddled(node, 'org/ns/broken', (message, way) => {
      spy(message);
      const { content } = message;
      if (way !== 'up' || content.kind !== 'joinReply') return undefined;
      return [
        { message: { ...message, content: { kind: 'joinReply', keyPackage: must(content.keyPackage).with(60, 1) } } },
      ];
    });
    const [mine, theirs] = await group([m, a], FAST);
    const errors: unknown[] = [];
    const keep = (error: unknown): void => {
      errors.push(error);
    };
    await must(mine).session.invite(broken.app.name.withoutId()).catch(keep);
    await must(mine).session.invite('org/ns/a').catch(keep);
    await must(theirs).session.remove('org/ns/m').catch(keep);
    await must(mine).session.publish('hello');
    await must(theirs).session.getMessage();
    expect(errors).toHaveLength(3);
    const shown = [...errors.map(texts), ...[m, a, broken].flatMap(({ events }) => events.events.map(texts))];
    shown.push(...[mine, theirs].flatMap((side) => must(side).events.events.map(texts)));
    expect(tokens.size).toBeGreaterThan(5);
    expect(tokens).not.toContain('no token');
    const all = shown.join('\n');
    expect(all).toContain('mls-decrypt-failed');
    expect(all).not.toContain(SECRET);
    for (const token of tokens) {
      expect(all).not.toContain(token);
      expect(all).not.toContain(token.split(':').at(-1));
    }
    for (const keyPackage of keyPackages) expect(all).not.toContain(keyPackage.slice(0, 24));
  });
});

/** All texts in a value: also in errors, their details and causes. */
function texts(value: unknown): string {
  const seen = new Set<unknown>();
  const parts: string[] = [];
  const visit = (part: unknown): void => {
    if (typeof part === 'string') parts.push(part);
    if (typeof part !== 'object' || part === null || seen.has(part)) return;
    seen.add(part);
    if (part instanceof Uint8Array) {
      parts.push(Buffer.from(part).toString('base64'));
      return;
    }
    for (const key of Object.getOwnPropertyNames(part)) visit((part as Record<string, unknown>)[key]);
  };
  visit(value);
  return parts.join(' ');
}
