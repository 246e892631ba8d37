import { afterEach, describe, expect, test } from 'vitest';

import {
  freePort,
  installedParts,
  Member,
  type NodeKind,
  type NodeProcess,
  realMember,
  slimChatMember,
  startNode,
} from '../harness/index.js';

const SECRET = 'a-shared-secret-for-tests-of-32-bytes-or-more';
const WAIT_MS = 30_000;
const NODES: readonly NodeKind[] = ['1.4.0', 'node-0.7.0'];

const members: Member[] = [];
const nodes: NodeProcess[] = [];

afterEach(async () => {
  // Members first: without their node they would wait for answers to their goodbyes.
  await Promise.all(members.splice(0).map((member) => member.process.stop()));
  await Promise.all(nodes.splice(0).map((node) => node.process.stop()));
});

async function node(kind: NodeKind, listen?: string): Promise<NodeProcess> {
  const started = await startNode(kind, listen);
  nodes.push(started);
  return started;
}

interface Wanted {
  readonly invite?: readonly string[];
  readonly version?: string;
  readonly secret?: string;
  readonly retries?: number;
}

async function member(url: string, name: string, wanted: Wanted = {}): Promise<Member> {
  const { invite, version, secret = SECRET, retries = 29 } = wanted;
  const group = { channel: 'org/ns/chat', invite: invite ?? [], intervalMs: 500, maxRetries: retries };
  const started = new Member(version === undefined ? slimChatMember : realMember(version), {
    label: name,
    name: `org/ns/${name}`,
    node: url,
    secret,
    ...(invite && { group }),
  });
  members.push(started);
  expect(await started.waitFor((event) => event.kind === 'ready', WAIT_MS)).toBeDefined();
  return started;
}

async function hears(who: Member, text: string): Promise<void> {
  const heard = await who.waitFor((event) => event.kind === 'message' && event.text === text, WAIT_MS);
  expect(heard, `${who.label} hears "${text}"`).toBeDefined();
}

function texts(who: Member): (string | undefined)[] {
  return who.events.flatMap((event) => (event.kind === 'message' ? [event.text] : []));
}

describe('faults beside real peers', () => {
  test.for(NODES)(
    'a real node (%s) is killed and started again: our members lose and double nothing',
    {
      timeout: 120_000,
    },
    async (kind, { skip }) => {
      if (!installedParts().has(kind)) skip(`left out: ${kind} is not installed`);
      const port = await freePort();
      const listen = `127.0.0.1:${port}`;
      const first = await node(kind, listen);
      const a = await member(first.url, 'a');
      const m = await member(first.url, 'm', { invite: ['org/ns/a'] });
      expect(await m.waitFor((event) => event.kind === 'joined', WAIT_MS)).toBeDefined();
      m.publish('before', 'r1');
      await hears(a, 'before');
      first.process.kill('SIGKILL');
      for (let i = 0; i < 5; i += 1) m.publish(`meanwhile ${i}`, `x${i}`);
      a.publish('from a', 'y');
      await node(kind, listen);
      await hears(a, 'meanwhile 4');
      await hears(m, 'from a');
      m.publish('after', 'r2');
      await hears(a, 'after');
      expect(texts(a)).toEqual(['before', ...[0, 1, 2, 3, 4].map((i) => `meanwhile ${i}`), 'after']);
    },
  );

  test(
    'a real member with another secret: our invitation ends in time and says what it may be',
    {
      timeout: 60_000,
    },
    async ({ skip }) => {
      if (!installedParts().has('1.4.0')) skip('left out: 1.4.0 is not installed');
      const { url } = await node('embedded');
      await member(url, 'stranger', { version: '1.4.0', secret: `${SECRET}-another` });
      const m = await member(url, 'm', { invite: [], retries: 3 });
      expect(await m.invite('org/ns/stranger', 'i1', WAIT_MS)).toEqual({ ok: false, error: 'invite-timeout' });
    },
  );

  test(
    'a real member killed with -9: our moderator finds it missing, drops it, and goes on',
    {
      timeout: 120_000,
    },
    async ({ skip }) => {
      if (!installedParts().has('1.4.0')) skip('left out: 1.4.0 is not installed');
      const { url } = await node('embedded');
      const real = await member(url, 'real', { version: '1.4.0' });
      const a = await member(url, 'a');
      const m = await member(url, 'm', { invite: ['org/ns/real', 'org/ns/a'] });
      for (const name of ['org/ns/real', 'org/ns/a']) {
        expect(await m.waitFor((event) => event.kind === 'joined' && event.member === name, WAIT_MS)).toBeDefined();
      }
      m.publish('hello', 'r1');
      await hears(real, 'hello');
      real.process.kill('SIGKILL');
      const left = await m.waitFor((event) => event.kind === 'left' && event.member === 'org/ns/real', 60_000);
      expect(left).toMatchObject({ reason: 'offline' });
      m.publish('we two', 'r2');
      await hears(a, 'we two');
      expect(await m.waitFor((event) => event.kind === 'settled' && event.ref === 'r2', WAIT_MS)).not.toHaveProperty(
        'error',
      );
    },
  );
});
