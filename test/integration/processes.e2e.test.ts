import { afterEach, describe, expect, test } from 'vitest';

import { freePort, Member, type NodeProcess, slimChatMember, startNode } from '../harness/index.js';

const SECRET = 'a-shared-secret-for-tests-of-32-bytes-or-more';
const WAIT_MS = 20_000;

const members: Member[] = [];
const nodes: NodeProcess[] = [];

afterEach(async () => {
  // Members first: without their node they would wait for answers to their goodbyes.
  await Promise.all(members.splice(0).map((member) => member.process.stop()));
  await Promise.all(nodes.splice(0).map((started) => started.process.stop()));
});

async function node(listen?: string): Promise<NodeProcess> {
  const started = await startNode('embedded', listen);
  nodes.push(started);
  return started;
}

async function member(url: string, name: string, invite?: readonly string[], retries = 29): Promise<Member> {
  const group = { channel: 'org/ns/chat', invite: invite ?? [], intervalMs: 200, maxRetries: retries };
  const started = new Member(slimChatMember, {
    label: name,
    name: `org/ns/${name}`,
    node: url,
    secret: SECRET,
    ...(invite && { group }),
  });
  members.push(started);
  expect(await started.waitFor((event) => event.kind === 'ready', WAIT_MS)).toBeDefined();
  return started;
}

/** A moderator `m` and the members `a` and `b`, each of which knows both others. */
async function trio(url: string, retries?: number): Promise<readonly [Member, Member, Member]> {
  const a = await member(url, 'a');
  const b = await member(url, 'b');
  const m = await member(url, 'm', ['org/ns/a', 'org/ns/b'], retries);
  for (const name of ['org/ns/a', 'org/ns/b']) {
    expect(await m.waitFor((event) => event.kind === 'joined' && event.member === name, WAIT_MS)).toBeDefined();
  }
  for (const other of [a, b]) expect(await other.waitFor((event) => event.kind === 'session', WAIT_MS)).toBeDefined();
  return [m, a, b];
}

async function hears(who: Member, text: string, timeoutMs = WAIT_MS): Promise<void> {
  expect(await who.waitFor((event) => event.kind === 'message' && event.text === text, timeoutMs)).toBeDefined();
}

function texts(who: Member): (string | undefined)[] {
  return who.events.flatMap((event) => (event.kind === 'message' ? [event.text] : []));
}

describe('processes that die', () => {
  test('a member killed with -9: the others go on, the sender learns who is missing', async () => {
    const { url } = await node();
    const [m, a, b] = await trio(url, 4);
    a.process.kill('SIGKILL');
    m.publish('who is there?', 'r1');
    await hears(b, 'who is there?');
    const outcome = await m.waitFor((event) => event.kind === 'settled' && event.ref === 'r1', WAIT_MS);
    expect(outcome).toMatchObject({ error: expect.stringContaining('org/ns/a') as string });
    expect(await m.remove('org/ns/a', 'r2', WAIT_MS)).toEqual({ ok: true });
    m.publish('only b', 'r3');
    expect(await m.waitFor((event) => event.kind === 'settled' && event.ref === 'r3', WAIT_MS)).not.toHaveProperty(
      'error',
    );
  });

  test('the node is killed with -9 and started again: nothing is lost or doubled', async () => {
    const port = await freePort();
    const first = await node(`127.0.0.1:${port}`);
    const [m, a, b] = await trio(first.url);
    m.publish('before', 'r1');
    await hears(a, 'before');
    await hears(b, 'before');
    first.process.kill('SIGKILL');
    for (let i = 0; i < 5; i += 1) m.publish(`meanwhile ${i}`, `x${i}`);
    a.publish('from a', 'y');
    await node(`127.0.0.1:${port}`);
    await hears(a, 'meanwhile 4');
    await hears(b, 'meanwhile 4');
    await hears(b, 'from a');
    await hears(m, 'from a');
    expect(texts(a)).toEqual(['before', ...[0, 1, 2, 3, 4].map((i) => `meanwhile ${i}`)]);
    expect(texts(b).filter((text) => text !== 'from a')).toEqual(texts(a));
  });

  test(
    'a member frozen for 40 s and continued: the group goes on meanwhile, and it learns where it stands',
    { timeout: 120_000 },
    async () => {
      const { url } = await node();
      const [m, a, b] = await trio(url, 4);
      m.publish('hello', 'r0');
      await hears(a, 'hello');
      a.process.kill('SIGSTOP');
      const frozenAt = Date.now();
      b.publish('are you frozen?', 'r1');
      await hears(m, 'are you frozen?');
      const left = await m.waitFor((event) => event.kind === 'left' && event.member === 'org/ns/a', 60_000);
      expect(left).toMatchObject({ reason: 'offline' });
      expect(await b.waitFor((event) => event.kind === 'left', WAIT_MS)).toMatchObject({ reason: 'offline' });
      m.publish('without a', 'r2');
      await hears(b, 'without a');
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 40_000 - (Date.now() - frozenAt))));
      a.process.kill('SIGCONT');
      expect(await a.waitFor((event) => event.kind === 'closed', 30_000)).toBeDefined();
      expect(await m.invite('org/ns/a', 'r3', WAIT_MS)).toEqual({ ok: true });
      m.publish('welcome back', 'r4');
      await hears(a, 'welcome back');
    },
  );
});
