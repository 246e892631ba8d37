import { describe, expect, test, type TestContext } from 'vitest';

import {
  FaultyPipe,
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
      await this.#add(role, kinds[role], pipe.url);
    }
    for (const role of ROLES.slice(1)) {
      const invited = await this.members
        .get('M')
        ?.waitFor((event) => event.kind === 'settled' && event.op === 'invite' && event.name === nameOf(role), WAIT_MS);
      expect(invited, `${role} was invited`).toBeDefined();
      expect(invited).not.toHaveProperty('error');
    }
  }

  /** Everybody publishes at once. */
  async say(step: Exchange['step'], count: number): Promise<ReadonlyMap<Role, Outcomes>> {
    const marks = new Map([...this.members].map(([role, member]) => [role, member.mark()]));
    const exchange = { step, members: ROLES, count, marks };
    this.exchanges.push(exchange);
    return runExchange(exchange, this.members, EXCHANGE_MS);
  }

  async #add(role: Role, kind: MemberKind, url: string): Promise<void> {
    const group = { channel: 'org/ns/chat', invite: ROLES.slice(1).map(nameOf), mls: true, ...REPEATS };
    const member = new Member(kind === 'ours' ? slimChatMember : realMember(kind), {
      label: role,
      name: nameOf(role),
      node: url,
      secret: SECRET,
      ...(role === 'M' && { group }),
    });
    this.#stopLater(member.process);
    this.members.set(role, member);
    expect(await member.waitFor((event) => event.kind === 'ready', WAIT_MS), `${role} is ready`).toBeDefined();
  }

  #stopLater(child: JsonProcess): void {
    this.#context.onTestFinished(async () => {
      await child.stop();
    });
  }
}

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
