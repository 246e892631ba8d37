import { setTimeout as pause } from 'node:timers/promises';

import { afterAll, describe, expect, test } from 'vitest';

import {
  installedParts,
  Member,
  type MemberDialect,
  type NodeProcess,
  realMember,
  slimChatMember,
  startNode,
  strictMember,
} from '../harness/index.js';
import { tellAllowances } from './allowances.js';

/** Versions that behave differently in a group with MLS, and ours. */
type Kind = 'ours' | '0.7.0' | '1.0.0' | '1.2.0' | '1.4.0';

const SECRET = 'a-shared-secret-for-tests-of-32-bytes-or-more';
const WAIT_MS = 30_000;
/** Upstream point 4: before 1.3 a session is reported before the node has the member's channel subscription. */
const SETTLE_MS = 500;
const OTHERS: Readonly<Record<string, readonly Kind[]>> = {
  '0.7.0': ['0.7.0', '0.7.0'],
  '1.0.0': ['1.0.0', '1.0.0'],
  '1.2.0': ['1.2.0', '1.2.0'],
  '1.4.0': ['1.4.0', '1.4.0'],
  mixed: ['0.7.0', '1.0.0', '1.2.0', '1.4.0'],
};

const ALLOWED = {
  seemed: 'nothing tells 1.0.0 from 1.0.1 before it has spoken, so it is given ciphertext of ours until then',
  ended: 'a real member encrypts for the channel, and the application of a 0.7.0 member ends with what it cannot read',
  garbage: 'a real member encrypts for the channel, and the application of a 1.0.0 member is given that',
} as const;

/** Moderator first. */
function groupOf(moderator: 'ours' | '0.7.0', others: string): readonly Kind[] {
  const kinds = OTHERS[others] ?? [];
  if (moderator === 'ours') return ['ours', ...kinds];
  return ['0.7.0', 'ours', ...(others === 'mixed' ? kinds : kinds.slice(1))];
}

function decrypts(kind: Kind): boolean {
  return kind === 'ours' || kind === '1.2.0' || kind === '1.4.0';
}

function dialectOf(kind: Kind): MemberDialect {
  if (kind === 'ours') return slimChatMember;
  // Ends on ciphertext, as the group.py of its version does. Later ones do not.
  return kind === '0.7.0' ? strictMember(kind) : realMember(kind);
}

/** How often each was needed, in all talks. */
const needed: Partial<Record<keyof typeof ALLOWED, number>> = {};

function allow(what: keyof typeof ALLOWED, count: number): void {
  needed[what] = (needed[what] ?? 0) + count;
}

afterAll(() => {
  tellAllowances('the tutorial with MLS', needed, ALLOWED);
});

/** A group with MLS that talks, one after another, and what each of them may see of that. */
class Talk {
  readonly #kinds: readonly Kind[];
  readonly #policy: 'auto' | 'mixed';
  readonly #members: Member[] = [];
  #node: NodeProcess | undefined;
  readonly #spoken = new Set<number>();
  /** Words of ours to members of 1.0.0 that had not spoken, as `speaker>reader`. */
  readonly #unknowing = new Set<string>();
  /** Ended by what a real member encrypted for the channel. */
  readonly #ended = new Set<number>();

  constructor(kinds: readonly Kind[], policy: 'auto' | 'mixed' = 'auto') {
    this.#kinds = kinds;
    this.#policy = policy;
  }

  async gather(): Promise<void> {
    const node = await startNode('embedded');
    this.#node = node;
    for (const [index, kind] of [...this.#kinds.entries()].toReversed()) {
      const name = nameOf(index);
      const invite = this.#kinds.slice(1).map((_, other) => nameOf(other + 1));
      const member = new Member(dialectOf(kind), {
        label: `${kind}-${index}`,
        name,
        node: node.url,
        secret: SECRET,
        env: { SLIM_MLS_PAYLOAD: this.#policy },
        ...(index === 0 && { group: { channel: 'org/ns/chat', invite, intervalMs: 1_000, maxRetries: 5, mls: true } }),
      });
      this.#members.unshift(member);
      const ready = await member.waitFor((event) => event.kind === 'ready', WAIT_MS);
      expect(ready, `${member.label} is ready: ${member.process.why()}`).toBeDefined();
    }
    const [moderator] = this.#members;
    for (const [index, member] of this.#members.entries()) {
      const session = await member.waitFor((event) => event.kind === 'session', WAIT_MS);
      expect(session, `${member.label} has a session`).toBeDefined();
      if (index === 0) continue;
      const invited = await moderator?.waitFor(
        (event) => event.kind === 'settled' && event.op === 'invite' && event.name === member.name,
        WAIT_MS,
      );
      expect(invited, `${member.label} is in`).toMatchObject({ kind: 'settled' });
      expect(invited).not.toHaveProperty('error');
    }
    await pause(SETTLE_MS);
  }

  /** Members first: without their node they would wait for answers to their goodbyes. */
  async end(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.process.stop()));
    await this.#node?.process.stop();
  }

  /** Everybody says something, from `first` on, and everybody who can read it reads it. */
  async everybodySpeaks(first: number): Promise<void> {
    for (let turn = 0; turn < this.#kinds.length; turn += 1) {
      const speaker = (first + turn) % this.#kinds.length;
      if (!this.#ended.has(speaker)) await this.speak(speaker);
    }
  }

  /** Nobody has got what it could not read, and nobody has ended, but by a real member's doing. */
  judge(): void {
    for (const [index, member] of this.#members.entries()) {
      if (!this.#ended.has(index)) expect(member.process.exit, `${member.label} is alive`).toBeUndefined();
      for (const [other, sender] of this.#members.entries()) {
        const unreadable = member.events.filter(
          (event) => event.kind === 'message' && event.from === sender.name && event.hex !== undefined,
        ).length;
        if (unreadable === 0) continue;
        const isOurs = this.#kinds[other] === 'ours';
        const isAllowed = isOurs ? this.#unknowing.has(`${other}>${index}`) : !decrypts(this.#kinds[index] ?? 'ours');
        expect(isAllowed, `${member.label} is given ciphertext of ${sender.label}`).toBe(true);
        if (isOurs) allow('seemed', unreadable);
        else if (this.#kinds[index] === '1.0.0') allow('garbage', unreadable);
      }
    }
  }

  /** A member says something. Resolves when all who can read it have. */
  async speak(speaker: number, text = `${this.#members[speaker]?.label ?? ''} speaks`): Promise<void> {
    const readers = this.#kinds.flatMap((_, index) => (index === speaker || this.#ended.has(index) ? [] : [index]));
    const expected = readers.filter((reader) => this.#mustRead(speaker, reader));
    this.#members[speaker]?.publish(text, text);
    for (const reader of expected) {
      const member = this.#members[reader];
      const heard = await member?.waitFor((event) => event.kind === 'message' && event.text === text, WAIT_MS);
      expect(heard, `${member?.label ?? ''} reads "${text}": ${member?.process.why() ?? ''}`).toBeDefined();
    }
    this.#spoken.add(speaker);
    for (const reader of readers) {
      if (this.#kinds[reader] === '1.0.0' && !this.#spoken.has(reader)) this.#unknowing.add(`${speaker}>${reader}`);
    }
    if (this.#kinds[speaker] === 'ours' || !decrypts(this.#kinds[speaker] ?? 'ours')) return;
    for (const reader of readers.filter((index) => this.#kinds[index] === '0.7.0')) {
      await this.#members[reader]?.process.exited;
      this.#ended.add(reader);
      allow('ended', 1);
    }
  }

  #mustRead(speaker: number, reader: number): boolean {
    const from = this.#kinds[speaker] ?? 'ours';
    const to = this.#kinds[reader] ?? 'ours';
    if (from !== 'ours') return to === 'ours' || decrypts(from) === decrypts(to);
    const others = this.#kinds.flatMap((_, index) => (index === speaker ? [] : [index]));
    const isInClear = others.every((index) => this.#isKnownAsClear(index));
    return isInClear || decrypts(to) || (this.#policy === 'mixed' && this.#isKnownAsClear(reader));
  }

  /** By its identity, or because it was heard. */
  #isKnownAsClear(index: number): boolean {
    const kind = this.#kinds[index];
    return kind === '0.7.0' || (kind === '1.0.0' && this.#spoken.has(index));
  }
}

function nameOf(index: number): string {
  return `org/ns/member-${index}`;
}

/** Runs a talk, if all that it needs is there. */
async function run(
  talk: Talk,
  kinds: readonly Kind[],
  skip: (note: string) => void,
  speak: () => Promise<void>,
): Promise<void> {
  const missing = kinds.find((kind) => kind !== 'ours' && !installedParts().has(kind));
  if (missing !== undefined) skip(`left out: ${missing} is not installed`);
  try {
    await talk.gather();
    await speak();
    talk.judge();
  } finally {
    await talk.end();
  }
}

describe('the tutorial with MLS: everybody stays alive, and everybody who can read reads', () => {
  for (const moderator of ['0.7.0', 'ours'] as const) {
    for (const others of Object.keys(OTHERS)) {
      const kinds = groupOf(moderator, others);
      for (const first of kinds.keys()) {
        const who = first === 0 ? 'the moderator' : `member ${first}`;
        const name = `moderator ${moderator}, others ${kinds.slice(1).join('+')}, ${who} (${kinds[first] ?? ''}) speaks first`;
        test.concurrent(name, { timeout: 180_000 }, async ({ skip }) => {
          const talk = new Talk(kinds);
          await run(talk, kinds, skip, () => talk.everybodySpeaks(first));
        });
      }
    }
  }

  for (const kinds of [
    ['ours', '0.7.0', '1.2.0', '1.4.0'],
    ['0.7.0', 'ours', '1.2.0', '1.4.0'],
  ] as const) {
    test.concurrent(`with copies in clear: ${kinds.join(', ')}`, { timeout: 180_000 }, async ({ skip }) => {
      const talk = new Talk(kinds, 'mixed');
      await run(talk, kinds, skip, async () => {
        for (const text of ['once', 'and again']) await talk.speak(kinds.indexOf('ours'), text);
      });
    });
  }
});
