import type { ChatCommand, ChatEvent, ChatEventBody, ChatStatus } from '../chat/index.js';
import { Name } from '../name/index.js';
import { assertNever, SessionError, SlimError, UsageError } from '../util/index.js';
import { InviteKeeper } from './invite-keeper.js';
import type { Outgoing } from './outbox.js';
import type { AppPort, AppPortEvent, Connect, SessionPort } from './ports.js';
import { SessionList } from './session-list.js';
import type { SessionRunner } from './session-runner.js';
import { WarningFilter } from './warning-filter.js';
import { withinBudget } from './within-budget.js';

/** How long leaving may take before the program ends anyway, milliseconds. */
export const LEAVE_BUDGET_MS = 5000;

/** Closing the connection gets at least this long, milliseconds. */
const MIN_CLOSE_MS = 500;

/** Time on top of (R+1) × T in which the report of a failure arrives. */
const SETTLE_MARGIN_MS = 500;

/** T and R of the client library. */
const DEFAULT_TIMEOUT_MS = 1000;
const DEFAULT_MAX_RETRIES = 29;

/** What a {@link ChatRuntime} is to do. */
export interface RuntimeConfig {
  readonly version: string;
  /** Group to moderate; `undefined` for a participant. */
  readonly channel: Name | undefined;
  readonly invites: readonly Name[];
  /** T and R of the group; `undefined` leaves them to the client. */
  readonly timeoutMs: number | undefined;
  readonly maxRetries: number | undefined;
  /** Whether the group is encrypted end to end. */
  readonly mls: boolean;
  readonly keepAliveGroup: boolean;
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
  /** Called when leaving begins, after the wait for messages. */
  readonly onLeaving?: () => void;
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
  /** Resolves to the exit code when everything is over; the last event was `bye`. Rejects because of a bug only. */
  readonly done: Promise<number>;
  readonly #deps: RuntimeDeps;
  readonly #config: RuntimeConfig;
  readonly #sessions: SessionList;
  /** Sessions that came before `ready`. */
  readonly #early: SessionPort[] = [];
  readonly #warnings = new WarningFilter();
  readonly #aborted = new AbortController();
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
    this.#sessions = new SessionList({
      emit: (event) => {
        this.#emit(event);
      },
      onClosed: (isForeign) => {
        this.#onClosed(isForeign);
      },
    });
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#crash = reject;
    });
  }

  /**
   * Connects; creates the group and invites, if this is a moderator.
   *
   * @throws what connecting throws; SessionError `aborted` or `closed` if an exit was asked for meanwhile
   */
  async start(): Promise<void> {
    const app = await this.#deps.connect((event) => {
      this.#onAppEvent(event);
    }, this.#aborted.signal);
    this.#app = app;
    const { channel, timeoutMs, maxRetries, mls, keepAliveGroup } = this.#config;
    this.#emit({
      type: 'ready',
      local: app.name.toString(),
      node: { endpoint: app.endpoint, embedded: this.#config.isNodeEmbedded },
      role: channel === undefined ? 'participant' : 'moderator',
      channel: channel?.toString() ?? null,
      version: this.#config.version,
    });
    this.#isReady = true;
    for (const session of this.#early.splice(0)) this.#addSession(session);
    if (channel === undefined) return;
    const session = await app.createSession({
      channel,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(maxRetries !== undefined && { maxRetries }),
      mls,
      keepAliveGroup,
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
      const ref = 'ref' in command ? { ref: command.ref } : {};
      this.#emit({ type: 'error', code: error.code, message: error.message, ...ref });
    }
  }

  /** Whether the app has been connected. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether the end has been asked for. */
  get isExiting(): boolean {
    return this.#exit !== undefined;
  }

  /** Ends properly. A second call without `drain` cuts short the waiting of one with it. */
  exit(options: ExitOptions): void {
    const isFirst = this.#exit === undefined;
    this.#exit = { ...this.#exit, ...options, drain: options.drain === true && this.#exit?.drain !== false };
    this.#aborted.abort(new SessionError('aborted', 'the program is ending'));
    this.#sessions.progress.notify();
    if (isFirst) this.#guard(this.#end());
  }

  /** Resolves when messages are taken without a long queue before them. */
  async writable(): Promise<void> {
    while (this.#exit === undefined && this.#sessions.isFull) await this.#sessions.progress.next();
  }

  #execute(command: ChatCommand): void {
    switch (command.type) {
      case 'publish':
        this.#publish(command);
        return;
      case 'invite':
        this.#guard(this.#sessions.get(command.session).invite(Name.parse(command.name), command.ref));
        return;
      case 'remove':
        this.#guard(this.#sessions.get(command.session).remove(Name.parse(command.name), command.ref));
        return;
      case 'who': {
        const members = this.#sessions.find(command.session)?.members() ?? [];
        this.#emit({ type: 'who', ...(command.ref !== undefined && { ref: command.ref }), members });
        return;
      }
      case 'status': {
        const status = this.#status(this.#sessions.find(command.session));
        this.#emit({ type: 'status', ...(command.ref !== undefined && { ref: command.ref }), status });
        return;
      }
      case 'leave':
        this.#leave(this.#sessions.get(command.session));
        return;
      case 'drop':
        this.#sessions.drop();
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
    if (command.retryOf !== undefined) this.#sessions.forgetFailed(command.retryOf);
    const outgoing: Outgoing = {
      ref: command.ref,
      payload,
      payloadType: command.payloadType,
      metadata: command.metadata,
      to: command.to === undefined ? undefined : Name.parse(command.to),
    };
    const runner = this.#sessions.find(command.session);
    if (runner === undefined && this.#config.holdsMessages) this.#sessions.keep(outgoing);
    else this.#sessions.get(command.session).outbox.add(outgoing);
  }

  #leave(runner: SessionRunner): void {
    // A group without its moderator is over, and so is the program that made it.
    if (this.#config.channel !== undefined && runner.isModerator) this.exit({});
    else this.#guard(this.#delete(runner));
  }

  async #delete(runner: SessionRunner): Promise<void> {
    runner.markLeaving();
    await this.#app?.deleteSession(runner.session, { timeoutMs: LEAVE_BUDGET_MS });
    // A session that was cut short says nothing itself.
    runner.end('left');
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
      mls: runner?.mls ?? { state: 'off' },
      undelivered: this.#sessions.failedCount,
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
        this.#emit({ type: 'warning', code: event.code, message: event.text });
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
    this.#hasLostGroup = false;
    return this.#sessions.add(session);
  }

  #onClosed(isForeign: boolean): void {
    this.#hasLostGroup = isForeign && this.#sessions.all.length === 0;
    // Whoever came to moderate has nothing left to do.
    if (this.#hasLostGroup && this.#config.channel !== undefined) this.exit({});
  }

  async #end(): Promise<void> {
    await this.#drain();
    this.#keeper?.stop();
    this.#deps.onLeaving?.();
    this.#sessions.giveUpWaiting();
    await this.#close();
    await this.#deps.cleanUp();
    const exitCode = this.#exit?.exitCode ?? this.#exitCode();
    this.#emit({ type: 'bye', exitCode });
    this.#hasEnded = true;
    this.#finish(exitCode);
  }

  #exitCode(): number {
    if (this.#hasLostGroup && (this.#exit?.drain === true || this.#config.channel !== undefined)) return 5;
    return this.#config.isStrict && this.#sessions.failedCount > 0 ? 6 : 0;
  }

  async #drain(): Promise<void> {
    const startMs = Date.now();
    while (this.#exit?.drain === true && this.#sessions.unsettledCount > 0) {
      const leftMs = startMs + this.#drainMs() - Date.now();
      if (leftMs <= 0) return;
      await this.#sessions.progress.next(leftMs);
    }
  }

  /** How long to wait for messages: as told, or as long as it can take until somebody has come and they are settled. */
  #drainMs(): number {
    if (this.#config.lingerMs !== undefined) return this.#config.lingerMs;
    const session = this.#sessions.find(undefined)?.session;
    const timeoutMs = session?.timeoutMs ?? this.#config.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const maxRetries = session?.maxRetries ?? this.#config.maxRetries ?? DEFAULT_MAX_RETRIES;
    const settleMs = timeoutMs * (maxRetries + 1) + SETTLE_MARGIN_MS;
    // Once somebody is there every message settles by itself; the bound is for a client that does not keep its word.
    return this.#sessions.isHolding ? settleMs : 3 * settleMs;
  }

  async #close(): Promise<void> {
    const app = this.#app;
    if (app === undefined) return;
    const deadlineMs = Date.now() + LEAVE_BUDGET_MS;
    await withinBudget(Promise.all(this.#sessions.all.map((runner) => this.#delete(runner))), LEAVE_BUDGET_MS);
    for (const runner of this.#sessions.all) runner.end('left');
    const timeoutMs = Math.max(MIN_CLOSE_MS, deadlineMs - Date.now());
    await withinBudget(app.close({ timeoutMs }), timeoutMs);
  }

  #emit(body: ChatEventBody): void {
    if (this.#hasEnded) return;
    if (body.type === 'warning' && !this.#warnings.admits(body.code, body.message)) return;
    this.#deps.emit({ at: new Date().toISOString(), ...body });
  }

  /** What must not fail quietly: an error that is no expected one ends the program as a bug. */
  #guard(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#crash(error);
    });
  }
}
