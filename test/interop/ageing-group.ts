import { expect, type TestContext } from 'vitest';

import {
  type GroupOptions,
  type JsonProcess,
  Member,
  type NodeProcess,
  realMember,
  slimChatMember,
  startNode,
  type WallClock,
} from '../harness/index.js';
import type { MemberKind } from './cells.js';

const SECRET = 'a-shared-secret-for-tests-of-32-bytes-or-more';
/** For things that take milliseconds, on a machine that is busy. */
export const WAIT_MS = 20_000;
/** How the members of these groups repeat what is not answered; they give up after three seconds. */
export const REPEATS = { intervalMs: 500, maxRetries: 5 } as const;
export const GIVE_UP_MS = REPEATS.intervalMs * (REPEATS.maxRetries + 1);

/** Members that live by one wall clock, which the test moves. */
export class AgeingGroup {
  readonly members = new Map<string, Member>();

  readonly #node: NodeProcess;
  readonly #clock: WallClock;
  /** Of the test they belong to; which one that is cannot be found out while several run. */
  readonly #context: TestContext;

  private constructor(node: NodeProcess, clock: WallClock, context: TestContext) {
    this.#node = node;
    this.#clock = clock;
    this.#context = context;
    this.#stopLater(node.process);
  }

  /** Starts a node of ours, which knows no time. Everything ends with the test. */
  static async start(clock: WallClock, context: TestContext): Promise<AgeingGroup> {
    return new AgeingGroup(await startNode('embedded'), clock, context);
  }

  /** Starts a member and waits until it is there. */
  async add(label: string, kind: MemberKind, group?: Pick<GroupOptions, 'invite' | 'keepAlive'>): Promise<Member> {
    const member = new Member(kind === 'ours' ? slimChatMember : realMember(kind), {
      label,
      name: nameOf(label),
      node: this.#node.url,
      secret: SECRET,
      env: this.#clock.env,
      ...(group && { group: { channel: 'org/ns/chat', mls: true, ...REPEATS, ...group } }),
    });
    this.#stopLater(member.process);
    this.members.set(label, member);
    expect(await member.waitFor((event) => event.kind === 'ready', WAIT_MS), `${label} is ready`).toBeDefined();
    return member;
  }

  /** A moderator and those it invites, all in one session. */
  async gather(
    moderator: readonly [string, MemberKind],
    others: readonly (readonly [string, MemberKind])[],
    keepAlive = false,
  ): Promise<void> {
    for (const [label, kind] of others) await this.add(label, kind);
    const invite = others.map(([label]) => nameOf(label));
    const inviter = await this.add(...moderator, { invite, keepAlive });
    for (const name of invite) {
      const invited = await inviter.waitFor(
        (event) => event.kind === 'settled' && event.op === 'invite' && event.name === name,
        WAIT_MS,
      );
      expect(invited, `${name} was invited`).toBeDefined();
      expect(invited).not.toHaveProperty('error');
    }
    for (const [label] of others) {
      const session = await this.of(label).waitFor((event) => event.kind === 'session', WAIT_MS);
      expect(session, `${label} has a session`).toMatchObject({ mls: true });
    }
  }

  of(label: string): Member {
    const member = this.members.get(label);
    if (member === undefined) throw new Error(`${label} was not started`);
    return member;
  }

  /** Everybody says something and the others hear it. Resolves with the failed publishes, as sender and reason. */
  async talk(topic: string, labels: readonly string[]): Promise<readonly string[]> {
    const texts = labels.map((label) => [this.of(label), `${label} ${topic}`] as const);
    for (const [speaker, text] of texts) speaker.publish(text, text);
    for (const label of labels) {
      const listener = this.of(label);
      for (const [speaker, text] of texts) {
        if (speaker === listener) continue;
        const heard = await listener.waitFor((event) => event.kind === 'message' && event.text === text, WAIT_MS);
        expect(heard, `${label} reads "${text}"`).toBeDefined();
      }
    }
    const failed: string[] = [];
    for (const [speaker, text] of texts) {
      const settled = await speaker.waitFor((event) => event.kind === 'settled' && event.ref === text, WAIT_MS);
      expect(settled, `"${text}" has an outcome`).toBeDefined();
      if (settled?.kind === 'settled' && settled.error !== undefined) failed.push(`${speaker.label}: ${settled.error}`);
    }
    return failed;
  }

  /** Stops a process at the end of the test, the last one first: members say goodbye through what was started before them. */
  #stopLater(child: JsonProcess): void {
    this.#context.onTestFinished(async () => {
      await child.stop();
    });
  }
}

/** A name by its label, as members report it. */
export function nameOf(label: string): string {
  return `org/ns/${label}`;
}
