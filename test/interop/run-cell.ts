import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

import {
  Member,
  type MemberDialect,
  type NodeProcess,
  realMember,
  slimChatMember,
  startNode,
} from '../harness/index.js';
import { knows, NEWS_MS, reports, untilListed } from './awareness.js';
import { type Cell, isDivided, type MemberKind, kindsOf } from './cells.js';
import { runExchange } from './exchange.js';
import { wrongProtections } from './protection.js';
import { type Exchange, type Finding, type FindingKind, type Role, type Step, type Totals, grade } from './findings.js';

/** What happened in a cell. */
export interface CellRun {
  readonly findings: readonly Finding[];
  readonly totals: Totals;
  /** Milliseconds per step. */
  readonly ms: Readonly<Partial<Record<Step, number>>>;
}

const SECRET = 'very-long-shared-secret-value-0123456789abcdef';
const INTERVAL_MS = 500;
/**
 * The same where some messages are never acked by anybody (upstream 1): much of such a cell is waiting for that, and 1.x members
 * leave a 0.7.0 moderator, which sends no pings, after 30 s.
 */
const DIVIDED_INTERVAL_MS = 250;
const MAX_RETRIES = 5;
/** For the machine: it may be busy with other cells. */
const SLACK_MS = 8_000;
const READY_MS = 20_000;
/** Like {@link NEWS_MS}, when the moderator has failed: then there may be no news. */
const LATE_NEWS_MS = 1_500;
/** Upstream point 4: before 1.3 a session is reported before the node has the member's channel subscription. */
const SETTLE_MS = 500;

const NAMES: Readonly<Record<Role, string>> = {
  M: 'org/ns/moderator',
  A: 'org/ns/alice',
  B: 'org/ns/bob',
  C: 'org/ns/carol',
};

/** Runs the whole story of a cell. Never rejects for what members do; everything that should not be is a finding. */
export async function runCell(cell: Cell): Promise<CellRun> {
  const story = new Story(cell);
  try {
    await story.tell();
  } finally {
    await story.end();
  }
  return story.result();
}

function dialectOf(kind: MemberKind): MemberDialect {
  return kind === 'ours' ? slimChatMember : realMember(kind);
}

class Story {
  readonly #cell: Cell;
  readonly #members = new Map<Role, Member>();
  readonly #present = new Set<Role>();
  readonly #findings: Finding[] = [];
  readonly #exchanges: Exchange[] = [];
  readonly #ms: Partial<Record<Step, number>> = {};
  readonly #settles: boolean;
  readonly #intervalMs: number;
  /** After this a sender has given up. */
  readonly #giveUpMs: number;
  #node: NodeProcess | undefined;
  #step: Step = 'start';

  constructor(cell: Cell) {
    this.#cell = cell;
    this.#settles = kindsOf(cell).some((kind) => kind === '0.7.0' || kind === '1.0.0');
    this.#intervalMs = isDivided(cell) ? DIVIDED_INTERVAL_MS : INTERVAL_MS;
    this.#giveUpMs = this.#intervalMs * (MAX_RETRIES + 1);
  }

  async tell(): Promise<void> {
    if (!(await this.#lap('start', () => this.#start()))) return;
    if (!(await this.#lap('invite', () => this.#inviteAtStart()))) return;
    await this.#lap('late', () => this.#invite('C'));
    await this.#lap('remove', () => this.#remove('B'));
    await this.#lap('rejoin', () => this.#invite('B'));
    await this.#lap('leave', () => this.#leave('A'));
    await this.#lap('close', () => this.#close());
  }

  async end(): Promise<void> {
    await Promise.all([...this.#members.values()].map((member) => member.process.stop()));
    await this.#node?.process.stop();
  }

  result(): CellRun {
    const { totals, findings } = grade(this.#exchanges, this.#members);
    const others = [...wrongProtections(this.#cell, this.#members), ...this.#troubles()];
    return { findings: [...this.#findings, ...findings, ...others], totals, ms: this.#ms };
  }

  async #lap<T>(step: Step, work: () => Promise<T>): Promise<T> {
    this.#step = step;
    const startedAtMs = performance.now();
    const result = await work();
    this.#ms[step] = Math.round(performance.now() - startedAtMs);
    return result;
  }

  #add(kind: FindingKind, at: Role, about: Role | undefined, detail: string, count = 1): void {
    this.#findings.push({ step: this.#step, kind, at, ...(about === undefined ? {} : { about }), count, detail });
  }

  #member(role: Role): Member {
    const member = this.#members.get(role);
    if (member === undefined) throw new Error(`${role} was not started`);
    return member;
  }

  /** Starts the node and the participants; the moderator comes with the invitations. */
  async #start(): Promise<boolean> {
    this.#node = await startNode(this.#cell.node);
    const [first, second] = this.#cell.participants;
    this.#spawn('A', first);
    this.#spawn('B', second);
    this.#spawn('C', second);
    return this.#allReady(['A', 'B', 'C']);
  }

  #spawn(role: Role, kind: MemberKind): void {
    if (this.#node === undefined) throw new Error('no node');
    const group = {
      channel: 'org/ns/chat',
      invite: [NAMES.A, NAMES.B],
      intervalMs: this.#intervalMs,
      maxRetries: MAX_RETRIES,
      mls: this.#cell.mls,
    };
    const options = { label: role, name: NAMES[role], node: this.#node.url, secret: SECRET };
    this.#members.set(role, new Member(dialectOf(kind), role === 'M' ? { ...options, group } : options));
  }

  async #allReady(roles: readonly Role[]): Promise<boolean> {
    const ready = await Promise.all(
      roles.map((role) => this.#member(role).waitFor((event) => event.kind === 'ready', READY_MS)),
    );
    roles.forEach((role, index) => {
      if (ready[index] === undefined) this.#add('not-ready', role, undefined, this.#member(role).process.why());
    });
    return ready.every((event) => event !== undefined);
  }

  async #inviteAtStart(): Promise<boolean> {
    this.#spawn('M', this.#cell.moderator);
    if (!(await this.#allReady(['M']))) return false;
    this.#present.add('M');
    const moderator = this.#member('M');
    const invited = (['A', 'B'] as const).map(async (role) => {
      const outcome = await moderator.waitFor(
        (event) => event.kind === 'settled' && event.op === 'invite' && event.name === NAMES[role],
        2 * this.#giveUpMs + SLACK_MS,
      );
      const error = outcome?.kind === 'settled' ? outcome.error : 'no answer';
      if (error !== undefined) this.#add('command-failed', 'M', role, error);
      return this.#arrived(role, 0);
    });
    const sessions = await Promise.all(invited);
    // Every member of ours must know all others now, from its session or from later joins.
    await Promise.all([...this.#present].map((role) => this.#knowsEveryone(role, 0)));
    await this.#exchange(20);
    // Without any session there is no group, and nothing to learn from the other steps.
    return sessions.some((isThere) => isThere);
  }

  async #invite(role: Role): Promise<void> {
    const mark = this.#member(role).mark();
    const marks = this.#marks();
    const outcome = await this.#member('M').invite(NAMES[role], `invite:${this.#step}`, this.#giveUpMs + SLACK_MS);
    if (!outcome.ok) this.#add('command-failed', 'M', role, outcome.error);
    const hasSession = await this.#arrived(role, mark);
    await this.#told('joined', role, marks);
    if (hasSession) await this.#knowsEveryone(role, mark);
    await this.#exchange(5);
  }

  /** Waits for the session of an invited member, which is present from then on. Resolves with whether it came. */
  async #arrived(role: Role, mark: number): Promise<boolean> {
    const session = await this.#member(role).waitFor((event) => event.kind === 'session', NEWS_MS, mark);
    if (session === undefined) this.#add('no-session', role, undefined, 'invited, but no session');
    // Also without a session: who should be here and is not must show as lost messages.
    this.#present.add(role);
    return session !== undefined;
  }

  async #remove(role: Role): Promise<void> {
    const mark = this.#member(role).mark();
    const marks = this.#marks();
    const outcome = await this.#member('M').remove(NAMES[role], 'remove', this.#giveUpMs + SLACK_MS);
    if (!outcome.ok) this.#add('command-failed', 'M', role, outcome.error);
    await this.#sawClosed(role, mark, 'removed', outcome.ok ? NEWS_MS : LATE_NEWS_MS);
    this.#present.delete(role);
    await this.#told('left', role, marks);
    await this.#exchange(5);
  }

  async #leave(role: Role): Promise<void> {
    const marks = this.#marks();
    const outcome = await this.#member(role).leave('leave', this.#giveUpMs + SLACK_MS);
    if (!outcome.ok) this.#add('command-failed', role, undefined, outcome.error);
    this.#present.delete(role);
    await this.#told('left', role, marks);
    await this.#exchange(5);
  }

  async #close(): Promise<void> {
    const others = [...this.#present].filter((role) => role !== 'M');
    const marks = this.#marks();
    const closing = this.#member('M').leave('close', this.#giveUpMs + SLACK_MS);
    await Promise.all(others.map((role) => this.#sawClosed(role, marks.get(role) ?? 0, 'closed', NEWS_MS)));
    const outcome = await closing;
    if (!outcome.ok) this.#add('command-failed', 'M', undefined, outcome.error);
  }

  async #sawClosed(role: Role, mark: number, reason: string, timeoutMs: number): Promise<void> {
    const member = this.#member(role);
    const closed = await member.waitFor((event) => event.kind === 'closed' && event.by === 'peer', timeoutMs, mark);
    if (closed?.kind !== 'closed') this.#add('no-closed', role, 'M', 'the session is still there');
    else if (member.isOurs && closed.reason !== reason) this.#add('wrong-reason', role, 'M', closed.reason);
  }

  #marks(): ReadonlyMap<Role, number> {
    return new Map([...this.#members].map(([role, member]) => [role, member.mark()]));
  }

  /** Waits until everyone present knows of the change. A member of ours must report it; of real ones it is just awaited. */
  async #told(change: 'joined' | 'left', about: Role, marks: ReadonlyMap<Role, number>): Promise<void> {
    const observers = [...this.#present].filter((role) => role !== about);
    await Promise.all(
      observers.map(async (role) => {
        const member = this.#member(role);
        if (!member.isOurs) await untilListed(member, NAMES[about], change === 'joined');
        else if (!(await reports(member, change, NAMES[about], marks.get(role) ?? 0))) {
          this.#add(change === 'joined' ? 'no-joined' : 'no-left', role, about, `no event '${change}'`);
        }
      }),
    );
  }

  async #knowsEveryone(role: Role, mark: number): Promise<void> {
    const member = this.#member(role);
    if (!member.isOurs) return;
    for (const other of this.#present) {
      if (other === role || (await knows(member, NAMES[other], mark))) continue;
      this.#add('no-joined', role, other, 'not among the members');
    }
  }

  /** Everyone present publishes at once. */
  async #exchange(count: number): Promise<void> {
    if (this.#settles) await pause(SETTLE_MS);
    const exchange: Exchange = { step: this.#step, members: [...this.#present], count, marks: this.#marks() };
    this.#exchanges.push(exchange);
    const outcomes = await runExchange(exchange, this.#members, this.#giveUpMs + SLACK_MS);
    for (const [role, ended] of outcomes) {
      const failed = ended.filter((error) => error !== undefined);
      if (ended.length < count) this.#add('unsettled', role, undefined, 'no outcome in time', count - ended.length);
      for (const [about, errors] of this.#byMissing(failed)) {
        this.#add('not-acked', role, about, errors[0] ?? '', errors.length);
      }
    }
  }

  /** Failed publishes by the member whose ack is missing; real members do not say which. */
  #byMissing(errors: readonly string[]): ReadonlyMap<Role | undefined, readonly string[]> {
    const groups = new Map<Role | undefined, string[]>();
    for (const error of errors) {
      const named = [...this.#members].filter(([, member]) => error.includes(member.name)).map(([role]) => role);
      for (const about of named.length > 0 ? named : [undefined]) {
        groups.set(about, [...(groups.get(about) ?? []), error]);
      }
    }
    return groups;
  }

  /** Errors that members of ours reported by themselves, and lines that are no JSON. */
  #troubles(): readonly Finding[] {
    const findings: Finding[] = [];
    for (const [role, member] of this.#members) {
      if (!member.isOurs) continue;
      const texts = member.events.filter((event) => event.kind === 'trouble').map((event) => event.text);
      for (const detail of [...texts, ...member.process.malformed]) {
        findings.push({ step: 'close', kind: 'trouble', at: role, count: 1, detail });
      }
    }
    return findings;
  }
}
