import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { afterEach, describe, expect, test, vi } from 'vitest';

import { SharedSecret } from '../../src/auth/index.js';
import { checkLeaf, loadOpenMls, type MlsEngine } from '../../src/mls/index.js';
import { type Content, decodeMessage } from '../../src/wire/index.js';
import { clientOf, codeOf, groupOf, talk } from '../compliance/mls-suite.js';

/** Of all recordings with a shared secret. */
const SECRET = 'very-long-shared-secret-value-0123456789abcdef';

interface Recorded {
  /** Such as `group-1.4.0-mls`. */
  readonly trace: string;
  readonly bytes: Uint8Array;
}

function mlsOf(content: Content): { kind: 'keyPackage' | 'commit' | 'welcome'; bytes: Uint8Array } | undefined {
  switch (content.kind) {
    case 'joinReply':
      return content.keyPackage && { kind: 'keyPackage', bytes: content.keyPackage };
    case 'groupAdd':
    case 'groupRemove':
      return content.mls && { kind: 'commit', bytes: content.mls.content };
    case 'groupWelcome':
      return content.mls && { kind: 'welcome', bytes: content.mls.content };
    default:
      return undefined;
  }
}

/** What released peers sent each other, without what a node repeated. */
function recordings(): Record<'keyPackage' | 'commit' | 'welcome', Recorded[]> {
  const found = { keyPackage: [] as Recorded[], commit: [] as Recorded[], welcome: [] as Recorded[] };
  const seen = new Set<string>();
  const file = new URL('../fixtures/frames.txt.gz', import.meta.url);
  for (const line of gunzipSync(readFileSync(file)).toString().split('\n')) {
    const [trace = '', , kind = '', hex = ''] = line.split(' ');
    if (!trace.includes('-mls') || !kind.startsWith('publish')) continue;
    const message = decodeMessage(Buffer.from(hex, 'hex'));
    const mls = message.kind === 'publish' ? mlsOf(message.content) : undefined;
    if (mls === undefined) continue;
    const key = Buffer.from(mls.bytes).toString('base64');
    if (!seen.has(key)) found[mls.kind].push({ trace, bytes: mls.bytes });
    seen.add(key);
  }
  return found;
}

const { keyPackage: keyPackages, commit: commits, welcome: welcomes } = recordings();

/** When a key package was made, in Unix seconds: the token in it says so, one of a shared secret or a JWT. */
function madeAtS({ bytes }: Recorded): number {
  const text = Buffer.from(bytes).toString('latin1');
  const seconds = /:(\d{10}):[\w-]{16}:/.exec(text)?.[1];
  if (seconds !== undefined) return Number(seconds);
  const claims = /ey[\w-]+\.(ey[\w-]+)\.[\w-]/.exec(text)?.[1] ?? '';
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { iat: number }).iat;
}

describe('what released peers sent', () => {
  let engine: MlsEngine;

  afterEach(() => {
    vi.useRealTimers();
  });

  async function at(seconds: number): Promise<void> {
    engine = await loadOpenMls();
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(seconds * 1000);
  }

  test('is there, of all versions', () => {
    const versions = new Set(keyPackages.map(({ trace }) => trace.split('-')[1]));
    expect([...versions].toSorted()).toEqual(['0.7.0', '0.7.1', '1.0.0', '1.4.0']);
    expect([keyPackages.length, commits.length, welcomes.length].every((count) => count >= 10)).toBe(true);
  });

  test.each(keyPackages)('key package %# of $trace holds, and can be added and followed', async (recorded) => {
    const seconds = madeAtS(recorded);
    await at(seconds + 2);
    const client = clientOf(engine, 1, 'reader');
    const info = client.inspectKeyPackage(recorded.bytes);
    expect(info.notAfter - info.notBefore).toBe(365n * 86_400n);
    if (!recorded.trace.includes('jwt')) {
      const verifier = new SharedSecret({ secret: SECRET, identity: 'org/ns/me' });
      expect(checkLeaf(info, { verifier, nowMs: seconds * 1000 }, true)).toMatch(/^org\/ns\/./);
    }
    client.free();
    const people = groupOf(engine, 1, 'ann', 'ben');
    const { commit } = people[0]!.group.add(recorded.bytes);
    people[0]!.group.mergePending();
    people[1]!.group.stageCommit(commit).merge();
    talk(people);
    for (const person of people) person.client.free();
  });

  test('welcomes and commits are read, and are not for us', async () => {
    engine = await loadOpenMls();
    const client = clientOf(engine, 1, 'ann');
    client.createKeyPackage();
    const group = client.createGroup();
    for (const { bytes } of welcomes) expect(codeOf(() => client.stageWelcome(bytes))).toBe('mls-no-key-package');
    for (const { bytes } of commits) expect(codeOf(() => group.stageCommit(bytes))).toBe('mls-wrong-group');
    client.free();
  });
});
