import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import {
  installedParts,
  type JsonProcess,
  Member,
  realMember,
  slimChatMember,
  startNode,
  startProxy,
} from '../harness/index.js';
import type { MemberKind } from './cells.js';

const SECRET = 'a-shared-secret-for-tests-of-32-bytes-or-more';
const WAIT_MS = 30_000;
const ROLES = ['moderator', 'alice', 'bob'] as const;
const MESSAGES = 5;

/** Moderator and two participants. */
const GROUPS: readonly (readonly [MemberKind, MemberKind, MemberKind])[] = [
  ['ours', 'ours', 'ours'],
  ['ours', '1.4.0', '1.4.0'],
  ['1.4.0', 'ours', '1.4.0'],
];

/** Long and unlike anything else, so that finding one, or not finding it, is no accident. */
function textOf(role: string, index: number): string {
  return `the plain words of ${role}, number ${index}: do not show these`;
}

const TEXTS = ROLES.flatMap((role) => Array.from({ length: MESSAGES }, (_, index) => textOf(role, index)));

/** Stops processes at the end of a test, the last one first: members say goodbye through what was started before them. */
function stopLater(child: JsonProcess): void {
  onTestFinished(async () => {
    await child.stop();
  });
}

/** A group talks through the recording proxy. Resolves with the bytes of each message that passed it, as hex. */
async function record(kinds: readonly MemberKind[], mls: boolean): Promise<readonly string[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'slim-chat-plaintext-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const node = await startNode('embedded');
  stopLater(node.process);
  const proxy = await startProxy(node.url, path.join(folder, 'trace.jsonl'));
  stopLater(proxy.process);

  const members: Member[] = [];
  for (const [index, role] of [...ROLES.entries()].reverse()) {
    const kind = kinds[index] ?? 'ours';
    const member = new Member(kind === 'ours' ? slimChatMember : realMember(kind), {
      label: role,
      name: `org/ns/${role}`,
      node: proxy.url,
      secret: SECRET,
      ...(role === 'moderator' && {
        group: {
          channel: 'org/ns/chat',
          invite: ['org/ns/alice', 'org/ns/bob'],
          intervalMs: 1_000,
          maxRetries: 10,
          mls,
        },
      }),
    });
    stopLater(member.process);
    members.push(member);
    expect(await member.waitFor(({ kind: event }) => event === 'ready', WAIT_MS), `${role} is ready`).toBeDefined();
  }
  for (const member of members) {
    const session = await member.waitFor((event) => event.kind === 'session', WAIT_MS);
    expect(session, `${member.label} has a session`).toMatchObject({ mls });
  }
  const moderator = members.at(-1);
  for (const name of ['org/ns/alice', 'org/ns/bob']) {
    const isIn = await moderator?.waitFor(
      (event) => event.kind === 'settled' && event.op === 'invite' && event.name === name,
      WAIT_MS,
    );
    expect(isIn, `${name} was invited`).toBeDefined();
  }
  for (const member of members) {
    for (let index = 0; index < MESSAGES; index += 1) member.publish(textOf(member.label, index), `${index}`);
  }
  for (const member of members) {
    for (const text of TEXTS.filter((one) => !one.includes(` ${member.label},`))) {
      const heard = await member.waitFor((event) => event.kind === 'message' && event.text === text, WAIT_MS);
      expect(heard, `${member.label} reads "${text}"`).toBeDefined();
    }
  }
  return readFileSync(proxy.traceFile, 'utf8')
    .split('\n')
    .flatMap((line) => /"hex": ?"([0-9a-f]*)"/.exec(line)?.[1] ?? []);
}

describe('what passes between the clients and the node', () => {
  for (const kinds of GROUPS) {
    for (const mls of [true, false]) {
      const what = mls ? 'no word of what is said with MLS' : 'every word of what is said without MLS';
      test(`${what}: ${kinds.join(', ')}`, { timeout: 120_000 }, async ({ skip }) => {
        const missing = ['proxy', ...kinds.filter((kind) => kind !== 'ours')].find(
          (part) => !installedParts().has(part),
        );
        if (missing !== undefined) skip(`left out: ${missing} is not installed`);
        const messages = await record(kinds, mls);
        // Each text goes up once and comes down to two members, readable or not.
        expect(messages.length).toBeGreaterThan(3 * TEXTS.length);
        const readable = TEXTS.filter((text) => {
          const hex = Buffer.from(text).toString('hex');
          return messages.some((message) => message.includes(hex));
        });
        expect(readable).toEqual(mls ? [] : TEXTS);
      });
    }
  }
});
