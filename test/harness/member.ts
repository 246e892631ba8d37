import { JsonProcess, type JsonObject, type JsonProcessOptions } from './json-process.js';

/** What a member process reported, in words that fit both a real SLIM member and ours. Names are `org/ns/app` without id. */
export type MemberEvent =
  | { readonly kind: 'ready' }
  /** A session is usable, with MLS or without; `members` only where the program tells them. */
  | {
      readonly kind: 'session';
      readonly mls: boolean;
      readonly members?: readonly string[];
    }
  /** A payload; one that is no text comes as `hex`. Whether it was encrypted only where the program tells. */
  | {
      readonly kind: 'message';
      readonly from: string;
      readonly text: string | undefined;
      readonly hex?: string;
      readonly encrypted?: boolean;
    }
  /** A command came to its end; `ref` is the one given with it, `name` whom it was about. */
  | {
      readonly kind: 'settled';
      readonly op: 'publish' | 'invite' | 'remove' | 'leave' | 'participants';
      readonly ref?: string;
      readonly name?: string;
      readonly error?: string;
    }
  /** Answer to the question who is in the group. */
  | { readonly kind: 'participants'; readonly ref: string; readonly names: readonly string[] }
  | { readonly kind: 'joined'; readonly member: string }
  | { readonly kind: 'left'; readonly member: string; readonly reason: string }
  | { readonly kind: 'closed'; readonly by: 'self' | 'peer'; readonly reason: string }
  /** The program reports an error that belongs to no command. */
  | { readonly kind: 'trouble'; readonly text: string };

/** A {@link MemberEvent} with the time it was read, in ms since the process started. */
export type TimedEvent = MemberEvent & { readonly atMs: number };

/** How to start a member. */
export interface MemberOptions {
  /** Short name for reports, e.g. `M`. */
  readonly label: string;
  /** `org/ns/app`. */
  readonly name: string;
  /** URL of the node. */
  readonly node: string;
  readonly secret: string;
  /** Given to a moderator: the group to create at start. */
  readonly group?: GroupOptions;
  /** Added to the environment of its process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A group that a member creates at its start. */
export interface GroupOptions {
  /** `org/ns/channel`. */
  readonly channel: string;
  /** Names to invite at once. */
  readonly invite: readonly string[];
  /** Time between retries. */
  readonly intervalMs: number;
  readonly maxRetries: number;
  /** Whether it is a group with MLS. */
  readonly mls?: boolean;
  /** Whether members are removed and invited again before their keys are too old. Ours only. */
  readonly keepAlive?: boolean;
  /** Whether who does not answer, or goes offline, is invited again. Ours only. */
  readonly waitsForInvited?: boolean;
}

/** The language of one member program. */
export interface MemberDialect {
  /** `ours`, or the version of the real member. */
  readonly kind: string;
  start(options: MemberOptions): Omit<JsonProcessOptions, 'label'>;
  /** Events of one line; none when the line tells nothing of interest. */
  translate(line: JsonObject): readonly MemberEvent[];
  publish(text: string, ref: string): JsonObject;
  invite(name: string, ref: string): JsonObject;
  remove(name: string, ref: string): JsonObject;
  /** Leaves the group; a moderator closes it. */
  leave(ref: string): JsonObject;
  /** Asks who is in the group; absent where the program cannot tell. */
  participants?(ref: string): JsonObject;
}

/** A group member in a process of its own, real or ours, behind one interface. */
export class Member {
  readonly label: string;
  readonly name: string;
  readonly kind: string;
  readonly process: JsonProcess;
  /** Everything it reported, oldest first. */
  readonly events: TimedEvent[] = [];

  readonly #dialect: MemberDialect;
  #translated = 0;

  constructor(dialect: MemberDialect, options: MemberOptions) {
    this.#dialect = dialect;
    this.label = options.label;
    this.name = options.name;
    this.kind = dialect.kind;
    const start = dialect.start(options);
    this.process = new JsonProcess({
      label: `${options.label} (${dialect.kind})`,
      ...start,
      env: { ...start.env, ...options.env },
    });
    this.process.onChange(() => {
      this.#translateNew();
    });
  }

  get isOurs(): boolean {
    return this.kind === 'ours';
  }

  /** A place in the event log, for `has` and `waitFor`. */
  mark(): number {
    return this.events.length;
  }

  /** First event from `mark` on that `test` accepts. */
  find(test: (event: MemberEvent) => boolean, mark = 0): TimedEvent | undefined {
    for (let index = mark; index < this.events.length; index += 1) {
      const event = this.events[index];
      if (event !== undefined && test(event)) return event;
    }
    return undefined;
  }

  /** Waits for an event from `mark` on; `undefined` when none came in time or the process ended. */
  async waitFor(test: (event: MemberEvent) => boolean, timeoutMs: number, mark = 0): Promise<TimedEvent | undefined> {
    try {
      await this.process.waitUntil('event', () => this.find(test, mark) !== undefined, timeoutMs);
    } catch {
      // What did not come is a result for the caller, not an error of the harness.
    }
    return this.find(test, mark);
  }

  /** Publishes a text to the group; its outcome is an event `settled` with this `ref`. */
  publish(text: string, ref: string): void {
    this.process.send(this.#dialect.publish(text, ref));
  }

  /** Invites a name. Resolves with the outcome. */
  async invite(name: string, ref: string, timeoutMs: number): Promise<CommandOutcome> {
    return this.#command(this.#dialect.invite(name, ref), ref, timeoutMs);
  }

  /** Removes a name. Resolves with the outcome. */
  async remove(name: string, ref: string, timeoutMs: number): Promise<CommandOutcome> {
    return this.#command(this.#dialect.remove(name, ref), ref, timeoutMs);
  }

  /** Leaves the group (a moderator closes it). Resolves when its own side is done with it. */
  async leave(ref: string, timeoutMs: number): Promise<CommandOutcome> {
    const mark = this.mark();
    this.process.send(this.#dialect.leave(ref));
    const done = await this.waitFor(
      (event) => (event.kind === 'settled' && event.ref === ref) || event.kind === 'closed',
      timeoutMs,
      mark,
    );
    if (done === undefined) return { ok: false, error: `no answer to leave within ${timeoutMs} ms` };
    return done.kind === 'settled' && done.error !== undefined ? { ok: false, error: done.error } : { ok: true };
  }

  /** Who is in the group as this member sees it; `undefined` when it cannot tell. */
  async participants(timeoutMs: number): Promise<readonly string[] | undefined> {
    if (this.#dialect.participants === undefined) return undefined;
    const ref = `participants:${this.events.length}`;
    const mark = this.mark();
    this.process.send(this.#dialect.participants(ref));
    const answer = await this.waitFor((event) => 'ref' in event && event.ref === ref, timeoutMs, mark);
    return answer?.kind === 'participants' ? answer.names : undefined;
  }

  async #command(message: JsonObject, ref: string, timeoutMs: number): Promise<CommandOutcome> {
    const mark = this.mark();
    this.process.send(message);
    const done = await this.waitFor((event) => event.kind === 'settled' && event.ref === ref, timeoutMs, mark);
    if (done?.kind !== 'settled') return { ok: false, error: `no answer within ${timeoutMs} ms` };
    return done.error === undefined ? { ok: true } : { ok: false, error: done.error };
  }

  #translateNew(): void {
    for (; this.#translated < this.process.log.length; this.#translated += 1) {
      const entry = this.process.log[this.#translated];
      if (entry === undefined) continue;
      for (const event of this.#dialect.translate(entry.line)) this.events.push({ ...event, atMs: entry.atMs });
    }
  }
}

/** How a command of a member ended. */
export type CommandOutcome = { readonly ok: true } | { readonly ok: false; readonly error: string };
