import type { ChatCommand, ChatEvent, ChatEventBody, ChatStatus } from '../chat/index.js';
import { Name } from '../name/index.js';
import { assertNever, SessionError, SlimError, UsageError } from '../util/index.js';
import { InviteKeeper } from './invite-keeper.js';
import type { Outgoing } from './outbox.js';
import type { AppPort, AppPortEvent, Connect, SessionPort } from './ports.js';
import { SessionRunner } from './session-runner.js';
import { Signal } from './signal.js';

/** How long leaving may take before the program ends anyway, milliseconds. */
export const LEAVE_BUDGET_MS = 5000;

/** How long the same warning is not repeated, milliseconds. */
const WARNING_PAUSE_MS = 10_000;

/** Messages that may wait for the first group. */
const MAX_WAITING = 256;

/** Time on top of (R+1) × T in which the report of a failure arrives. */
const SETTLE_MARGIN_MS = 500;

/** What a {@link ChatRuntime} is to do. */
export interface RuntimeConfig {
  readonly version: string;
  /** Group to moderate; `undefined` for a participant. */
  readonly channel: Name | undefined;
  readonly invites: readonly Name[];
  /** T and R of the group; `undefined` leaves them to the client. */
  readonly timeoutMs: number | undefined;
  readonly maxRetries: number | undefined;
  readonly waitInvites: boolean;
  /** Longest wait for deliveries when the input has ended. */
  readonly lingerMs: number | undefined;
  readonly isNodeEmbedded: boolean;
  readonly logFile: string | undefined;
  /** Whether undelivered messages make exit code 6. */
  readonly isStrict: boolean;
  /** Whether messages for a group that is not there yet wait for it instead of being refused. */
  readonly holdsMessages: boolean;
}

/** What a {@link ChatRuntime} works with. */
export interface RuntimeDeps {
  readonly connect: Connect;
  /** Gets everything that happens, in order. */
  readonly emit: (event: ChatEvent) => void;
  /** Called after the app is closed, before `bye`: stops what else this program runs. */
  readonly cleanUp: () => Promise<void>;
}

/** How to end. */
export interface ExitOptions {
  /** Wait for messages under way first. */
  readonly drain?: boolean;
  /** Instead of the one that tells how it went. */
  readonly exitCode?: number;
}

/**
 * The chat itself, without a face: owns the app and its sessions, carries out commands, reports events.
 *
 * A participant that has left a group, or was made to, waits for the next invitation. Commands never throw: what does not work
 * is an `error` event.
 */
export class ChatRuntime {
  /** Resolves to the exit code when everything is over; the last event was `bye`. */
  readonly done: Promise<number>;
  readonly #deps: RuntimeDeps;
  readonly #config: RuntimeConfig;
  /** Oldest first. */
  readonly #runners: SessionRunner[] = [];
  readonly #early: SessionPort[] = [];
  readonly #waiting: Outgoing[] = [];
  readonly #failed = new Set<Outgoing>();
  readonly #warnings = new Map<string, number>();
  readonly #aborted = new AbortController();
  readonly #progress = new Signal();
  #app: AppPort | undefined;
  #keeper: InviteKeeper | undefined;
  #connection: ChatStatus['connection'] = 'connecting';
  #isReady = false;
  #hasLostGroup = false;
  #exit: ExitOptions | undefined;
  #hasEnded = false;
  #finish: (exitCode: number) => void = () => undefined;
  #crash: (error: unknown) => void = () => undefined;

  constructor(deps: RuntimeDeps, config: RuntimeConfig) {
    this.#deps = deps;
    this.#config = config;
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#crash = reject;
    });
  }

  /**
   * Connects; creates the group and invites, if this is a moderator.
   *
   * @throws what connecting throws; SessionError `aborted` if an exit was asked for meanwhile
   */
  async start(): Promise<void> {
    const app = await this.#deps.connect((event) => {
      this.#onAppEvent(event);
    }, this.#aborted.signal);
    this.#app = app;
    const { channel, version, timeoutMs, maxRetries } = this.#config;
    this.#emit({
      type: 'ready',
      local: app.name.toString(),
      node: { endpoint: app.endpoint, embedded: this.#config.isNodeEmbedded },
      role: channel === undefined ? 'participant' : 'moderator',
      channel: channel?.toString() ?? null,
      version,
    });
    this.#isReady = true;
    for (const session of this.#early.splice(0)) this.#addSession(session);
    if (channel === undefined) return;
    const session = await app.createSession({
      channel,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(maxRetries !== undefined && { maxRetries }),
    });
    this.#keeper = new InviteKeeper(this.#addSession(session), this.#config.waitInvites);
    this.#guard(this.#keeper.run(this.#config.invites));
  }

  /** Carries out a command. */
  execute(command: ChatCommand): void {
    if (this.#exit !== undefined && command.type !== 'exit') return;
    try {
      this.#execute(command);
    } catch (error) {
      if (!(error instanceof SlimError)) throw error;
      const ref = 'ref' in command && command.ref !== undefined ? { ref: command.ref } : {};
      this.#emit({ type: 'error', code: error.code, message: error.message, ...ref });
    }
  }

  /** Ends properly. A second call without `drain` cuts short the waiting of one with it. */
  exit(options: ExitOptions): void {
    const isFirst = this.#exit === undefined;
    this.#exit = isFirst ? options : { ...this.#exit, ...options, drain: options.drain === true };
    this.#aborted.abort(new SessionError('aborted', 'the program is ending'));
    this.#progress.notify();
    if (isFirst) this.#guard(this.#end());
  }

  /** Resolves when messages are taken without a long queue before them. */
  async writable(): Promise<void> {
    while (this.#exit === undefined && this.#isFull()) await this.#progress.next();
  }

  #isFull(): boolean {
    return this.#waiting.length > MAX_WAITING || this.#runners.some(({ outbox }) => outbox.isFull);
  }

  #execute(command: ChatCommand): void {
    switch (command.type) {
      case 'publish':
        this.#publish(command);
        return;
      case 'invite':
        this.#guard(this.#group(command.session).invite(Name.parse(command.name), command.ref));
        return;
      case 'remove':
        this.#guard(this.#group(command.session).remove(Name.parse(command.name), command.ref));
        return;
      case 'who': {
        const ref = command.ref === undefined ? {} : { ref: command.ref };
        this.#emit({ type: 'who', ...ref, members: this.#find(command.session)?.members() ?? [] });
        return;
      }
      case 'status': {
        const ref = command.ref === undefined ? {} : { ref: command.ref };
        this.#emit({ type: 'status', ...ref, status: this.#status(this.#find(command.session)) });
        return;
      }
      case 'leave':
        this.#leave(this.#group(command.session));
        return;
      case 'drop':
        for (const { outbox } of this.#runners) outbox.drop();
        for (const outgoing of this.#waiting.splice(0)) this.#emitFailed(outgoing);
        return;
      case 'exit':
        this.exit({ drain: command.drain === true });
        return;
      default:
        assertNever(command);
    }
  }

  #publish(command: Extract<ChatCommand, { type: 'publish' }>): void {
    const payload = command.bytes ?? command.text;
    if (payload === undefined) throw new UsageError('invalid-payload', 'a message needs a text or bytes');
    for (const failed of this.#failed) if (failed.ref === command.retryOf) this.#failed.delete(failed);
    const outgoing: Outgoing = {
      ref: command.ref,
      payload,
      payloadType: command.payloadType,
      metadata: command.metadata,
      to: command.to === undefined ? undefined : Name.parse(command.to),
    };
    if (this.#config.holdsMessages && this.#runners.length === 0) {
      this.#waiting.push(outgoing);
      return;
    }
    this.#group(command.session).outbox.add(outgoing);
  }

  #leave(runner: SessionRunner): void {
    // A group without its moderator is over, and so is the program that made it.
    if (this.#config.channel !== undefined && runner.isModerator) {
      this.exit({});
      return;
    }
    this.#guard(this.#delete(runner));
  }

  async #delete(runner: SessionRunner): Promise<void> {
    runner.markLeaving();
    await this.#app?.deleteSession(runner.session, { timeoutMs: LEAVE_BUDGET_MS });
    // A session that was cut short says nothing itself.
    runner.end('left');
  }

  #find(id: number | undefined): SessionRunner | undefined {
    const staying = this.#runners.filter(({ isLeaving }) => !isLeaving);
    return id === undefined ? staying.at(-1) : staying.find(({ session }) => session.id === id);
  }

  #group(id: number | undefined): SessionRunner {
    const runner = this.#find(id);
    if (runner !== undefined) return runner;
    const text = id === undefined ? 'you are in no group' : `there is no session ${id}`;
    throw new UsageError('not-in-group', text);
  }

  #status(runner: SessionRunner | undefined): ChatStatus {
    const session = runner?.session;
    return {
      version: this.#config.version,
      local: this.#app?.name.toString() ?? '',
      node: { endpoint: this.#app?.endpoint ?? '', embedded: this.#config.isNodeEmbedded },
      connection: this.#connection,
      role: this.#config.channel === undefined ? 'participant' : 'moderator',
      session: session?.id ?? null,
      channel: session?.channel.withoutId().toString() ?? null,
      members: session?.members.length ?? 0,
      timeoutMs: session?.timeoutMs ?? null,
      maxRetries: session?.maxRetries ?? null,
      mls: { state: 'off' },
      undelivered: this.#failed.size,
      logFile: this.#config.logFile ?? null,
    };
  }

  #onAppEvent(event: AppPortEvent): void {
    switch (event.kind) {
      case 'session':
        if (this.#isReady) this.#addSession(event.session);
        else this.#early.push(event.session);
        return;
      case 'warning':
        this.#warn(event.code, event.text);
        return;
      case 'connection': {
        const { state } = event;
        if (state.kind === 'closed') return;
        this.#connection = state.kind;
        this.#emit({
          type: 'connection',
          state: state.kind,
          ...('attempt' in state && { attempt: state.attempt }),
          ...('inMs' in state && { inMs: state.inMs }),
        });
        return;
      }
      default:
        assertNever(event);
    }
  }

  #addSession(session: SessionPort): SessionRunner {
    const runner = new SessionRunner(session, {
      emit: (event) => {
        if (event.type === 'warning') this.#warn(event.code, event.message);
        else this.#emit(event);
      },
      onFailed: (outgoing) => {
        this.#failed.add(outgoing);
      },
      onProgress: () => {
        this.#progress.notify();
      },
      onClosed: (closed, reason) => {
        this.#onClosed(closed, reason !== 'left');
      },
    });
    this.#runners.push(runner);
    this.#hasLostGroup = false;
    this.#emit(runner.describe());
    for (const outgoing of this.#waiting.splice(0)) runner.outbox.add(outgoing);
    this.#progress.notify();
    return runner;
  }

  #onClosed(runner: SessionRunner, isForeign: boolean): void {
    this.#runners.splice(this.#runners.indexOf(runner), 1);
    this.#hasLostGroup = isForeign && this.#runners.length === 0;
    this.#progress.notify();
    // Whoever came to moderate has nothing left to do.
    if (this.#hasLostGroup && this.#config.channel !== undefined) this.exit({});
  }

  async #end(): Promise<void> {
    await this.#drain();
    this.#keeper?.stop();
    this.#progress.notify();
    for (const outgoing of this.#waiting.splice(0)) {
      this.#failed.add(outgoing);
      this.#emitFailed(outgoing);
    }
    await this.#close();
    await this.#deps.cleanUp();
    const exitCode = this.#exit?.exitCode ?? this.#exitCode();
    this.#emit({ type: 'bye', exitCode });
    this.#hasEnded = true;
    this.#finish(exitCode);
  }

  #exitCode(): number {
    if (this.#hasLostGroup && (this.#exit?.drain === true || this.#config.channel !== undefined)) return 5;
    return this.#config.isStrict && this.#failed.size > 0 ? 6 : 0;
  }

  async #drain(): Promise<void> {
    const startMs = Date.now();
    while (this.#exit?.drain === true && this.#unsettledCount() > 0) {
      const leftMs = startMs + this.#drainMs() - Date.now();
      if (leftMs <= 0) return;
      await this.#progress.next(leftMs);
    }
  }

  /** How long to wait for messages: as told, or as long as it can take until somebody has come and they are settled. */
  #drainMs(): number {
    if (this.#config.lingerMs !== undefined) return this.#config.lingerMs;
    const { timeoutMs = this.#config.timeoutMs ?? 1000, maxRetries = this.#config.maxRetries ?? 29 } =
      this.#runners.at(-1)?.session ?? {};
    const settleMs = timeoutMs * (maxRetries + 1) + SETTLE_MARGIN_MS;
    const isHeld = this.#waiting.length > 0 || this.#runners.some(({ outbox }) => outbox.heldCount > 0);
    // Once somebody is there, every message settles by itself; the bound is only for a client that does not keep its word.
    return isHeld ? settleMs : 3 * settleMs;
  }

  #unsettledCount(): number {
    return this.#runners.reduce((sum, { outbox }) => sum + outbox.unsettledCount, this.#waiting.length);
  }

  async #close(): Promise<void> {
    const app = this.#app;
    if (app === undefined) return;
    const leaving = Promise.all([...this.#runners].map((runner) => this.#delete(runner)));
    await withinBudget(leaving, LEAVE_BUDGET_MS);
    for (const runner of [...this.#runners]) runner.end('left');
    await withinBudget(app.close({ timeoutMs: 1000 }), LEAVE_BUDGET_MS);
  }

  #warn(code: string, message: string): void {
    const key = `${code} ${message}`;
    const nowMs = Date.now();
    const lastMs = this.#warnings.get(key);
    if (lastMs !== undefined && nowMs - lastMs < WARNING_PAUSE_MS) return;
    // Texts hold names that others choose, so the memory of them must be bounded.
    if (this.#warnings.size >= 1000) this.#warnings.clear();
    this.#warnings.set(key, nowMs);
    this.#emit({ type: 'warning', code, message });
  }

  #emitFailed({ ref }: Outgoing): void {
    const base = { type: 'delivery', id: null, state: 'failed', acked: [], missing: [] } as const;
    this.#emit({ ...base, ...(ref !== undefined && { ref }) });
  }

  #emit(body: ChatEventBody): void {
    if (!this.#hasEnded) this.#deps.emit({ at: new Date().toISOString(), ...body });
  }

  /** What must not fail quietly: an error that is no expected one ends the program as a bug. */
  #guard(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#crash(error);
    });
  }
}

async function withinBudget(work: Promise<unknown>, budgetMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const budget = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, budgetMs);
  });
  try {
    await Promise.race([work, budget]);
  } finally {
    clearTimeout(timer);
    // What fails after the budget is spent interests nobody any more.
    work.catch(() => undefined);
  }
}
