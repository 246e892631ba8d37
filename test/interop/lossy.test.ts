import { describe, expect, test, type TestContext } from 'vitest';

import {
  FaultyPipe,
  type GroupOptions,
  installedParts,
  type JsonProcess,
  Member,
  realMember,
  slimChatMember,
  startNode,
} from '../harness/index.js';
import { tellAllowances } from './allowances.js';
import type { MemberKind } from './cells.js';
import { type Outcomes, runExchange } from './exchange.js';
import { type Exchange, grade, type Role } from './findings.js';
import { judgeLossy, LOSSY_ALLOWANCES } from './lossy-rules.js';

const REAL = '1.4.0';
const SECRET = 'a-shared-secret-for-tests-of-32-bytes-or-more';
const WAIT_MS = 30_000;
const RATES = { lost: 0.05, doubled: 0.05, late: 0.05 } as const;
const MESSAGES = 200;
const ROLES = ['M', 'A', 'B', 'C'] as const;
/** Long enough for a busy machine to answer in; the waits for acknowledgements that never come are ten times that. */
const REPEATS = { intervalMs: 600, maxRetries: 9 } as const;
const EXCHANGE_MS = 60_000;

/** A group, who is in it, and where the seeds of its lines begin. */
interface Group {
  readonly kinds: Readonly<Record<(typeof ROLES)[number], MemberKind>>;
  readonly seed: number;
}

/** `INTEROP_SEED` repeats the faults of a failed run, as far as its messages come in the same order. */
const SEED = Number(process.env['INTEROP_SEED'] ?? 1);
const GROUPS: readonly Group[] = [
  { kinds: { M: 'ours', A: 'ours', B: REAL, C: REAL }, seed: SEED },
  { kinds: { M: REAL, A: 'ours', B: 'ours', C: REAL }, seed: SEED + 100 },
];

function nameOf(role: Role): string {
  return `org/ns/${role.toLowerCase()}`;
}

/** Members of one group, each behind a line of its own. */
class LossyGroup {
  readonly members = new Map<Role, Member>();
  readonly pipes: FaultyPipe[] = [];
  readonly exchanges: Exchange[] = [];

  readonly #context: TestContext;

  constructor(context: TestContext) {
    this.#context = context;
  }

  async gather({ kinds, seed }: Group): Promise<void> {
    const node = await startNode('embedded');
    this.#stopLater(node.process);
    for (const [index, role] of [...ROLES.entries()].reverse()) {
      const pipe = await FaultyPipe.start(node.url, seed + index, RATES);
      this.#context.onTestFinished(() => pipe.close());
      this.pipes.push(pipe);
      const group = { channel: 'org/ns/chat', invite: ROLES.slice(1).map(nameOf), mls: true, ...REPEATS };
      await this.#add(role, kinds[role], pipe.url, role === 'M' ? group : undefined);
    }
    for (const role of ROLES.slice(1)) {
      const invited = await this.members
        .get('M')
        ?.waitFor((event) => event.kind === 'settled' && event.op === 'invite' && event.name === nameOf(role), WAIT_MS);
      expect(invited, `${role} was invited`).toBeDefined();
      expect(invited).not.toHaveProperty('error');
    }
  }

  /** A moderator alone, and somebody it can invite, behind lines that lose answers, too. */
  async pair(moderator: MemberKind, member: MemberKind, mls: boolean): Promise<readonly [Member, Member]> {
    const node = await startNode('embedded');
    this.#stopLater(node.process);
    const rates = { lost: RATES.lost, doubled: 0, late: 0, alsoAnswers: true };
    const add = async (role: Role, kind: MemberKind, seed: number, group?: GroupOptions): Promise<Member> => {
      const pipe = await FaultyPipe.start(node.url, seed, rates);
      this.#context.onTestFinished(() => pipe.close());
      this.pipes.push(pipe);
      return this.#add(role, kind, pipe.url, group);
    };
    const invited = await add('A', member, SEED + 200);
    const group = { channel: 'org/ns/chat', invite: [], mls, ...PATIENCE };
    return [await add('M', moderator, SEED + 201, group), invited];
  }

  /** Everybody publishes at once. */
  async say(step: Exchange['step'], count: number): Promise<ReadonlyMap<Role, Outcomes>> {
    const marks = new Map([...this.members].map(([role, member]) => [role, member.mark()]));
    const exchange = { step, members: ROLES, count, marks };
    this.exchanges.push(exchange);
    return runExchange(exchange, this.members, EXCHANGE_MS);
  }

  async #add(role: Role, kind: MemberKind, url: string, group?: GroupOptions): Promise<Member> {
    const member = new Member(kind === 'ours' ? slimChatMember : realMember(kind), {
      label: role,
      name: nameOf(role),
      node: url,
      secret: SECRET,
      ...(group && { group }),
    });
    this.#stopLater(member.process);
    this.members.set(role, member);
    expect(await member.waitFor((event) => event.kind === 'ready', WAIT_MS), `${role} is ready`).toBeDefined();
    return member;
  }

  #stopLater(child: JsonProcess): void {
    this.#context.onTestFinished(async () => {
      await child.stop();
    });
  }
}

/** Who moderates, and who is invited, removed and invited again; real members need not survive each other. */
const ROUNDS: readonly { readonly moderator: MemberKind; readonly members: MemberKind; readonly mls: boolean }[] = [
  { moderator: 'ours', members: 'ours', mls: true },
  { moderator: 'ours', members: '1.4.0', mls: false },
  { moderator: 'ours', members: '0.7.0', mls: false },
  { moderator: '1.4.0', members: 'ours', mls: false },
  { moderator: '0.7.0', members: 'ours', mls: false },
];
const INVITATIONS = 10;
const PATIENCE = { intervalMs: 500, maxRetries: 10 } as const;

describe('invite, remove and invite again on lines that lose 5 % of everything, answers included', () => {
  for (const { moderator, members, mls } of ROUNDS) {
    const who = `${moderator}, member ${members}, MLS ${mls ? 'on' : 'off'}`;
    test.concurrent(`moderator ${who}`, { timeout: 180_000 }, async (context) => {
      for (const kind of [moderator, members]) {
        if (kind !== 'ours' && !installedParts().has(kind)) context.skip(`left out: ${kind} is not installed`);
      }
      const group = new LossyGroup(context);
      const [m, a] = await group.pair(moderator, members, mls);
      for (let round = 0; round < INVITATIONS; round += 1) {
        expect(await m.invite(a.name, `i${round}`, WAIT_MS), `invitation ${round}`).toEqual({ ok: true });
        m.publish(`round ${round}`, `p${round}`);
        const heard = await a.waitFor(
          ({ kind, ...more }) => kind === 'message' && 'text' in more && more.text === `round ${round}`,
          WAIT_MS,
        );
        expect(heard, `message ${round}`).toBeDefined();
        expect(await m.remove(a.name, `r${round}`, WAIT_MS), `removal ${round}`).toEqual({ ok: true });
      }
      // Else nothing was proved. How many there are depends on how many messages it took.
      expect(group.pipes.reduce((sum, { counts }) => sum + counts.lost, 0)).toBeGreaterThan(0);
    });
  }
});

describe('groups with MLS on lines that lose 5 %, double 5 % and reorder 5 %', () => {
  for (const one of GROUPS) {
    const who = ROLES.map((role) => one.kinds[role]).join(', ');
    test.concurrent(`${MESSAGES} messages from each of ${who}`, { timeout: 180_000 }, async (context) => {
      if (!installedParts().has(REAL)) context.skip(`left out: ${REAL} is not installed`);
      const group = new LossyGroup(context);
      await group.gather(one);
      // The first message of a sender who was there before may be overtaken; from the second on there is an order.
      const first = await group.say('invite', 1);
      const all = await group.say('late', MESSAGES);
      const { totals, findings } = grade(group.exchanges, group.members);
      const verdicts = [
        judgeLossy(findings, all, MESSAGES, one.kinds, nameOf),
        judgeLossy([], first, 1, one.kinds, nameOf),
      ];
      const allowed = verdicts.map((verdict) => verdict.allowed);
      for (const counts of allowed) tellAllowances(who, counts, LOSSY_ALLOWANCES);
      const note = JSON.stringify({ seed: one.seed, totals, allowed, faults: group.pipes.map(({ counts }) => counts) });
      expect(
        verdicts.flatMap(({ failures }) => failures),
        note,
      ).toEqual([]);
      for (const member of group.members.values()) {
        const troubles = member.isOurs ? member.events.filter((event) => event.kind === 'trouble') : [];
        expect(troubles, `troubles of ${member.label}, ${note}`).toEqual([]);
      }
      // Bad lines they were.
      for (const { counts } of group.pipes) {
        for (const fault of ['lost', 'doubled', 'late'] as const) expect(counts[fault]).toBeGreaterThan(MESSAGES / 4);
      }
    });
  }
});
