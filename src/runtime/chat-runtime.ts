import {
  type ChatCommand,
  type ChatEvent,
  type ChatEventBody,
  type ChatStore,
  exitCodeOf,
  isAlone,
  memberInfos,
  selectStatus,
  unsettledCount,
} from '../chat/index.js';
import { Name } from '../name/index.js';
import { assertNever, SessionError, SlimError, withinBudget } from '../util/index.js';
import { Announcer } from './announcer.js';
import { connectionEvent } from './connection-event.js';
import { drainMs } from './drain.js';
import { askedAbout, Groups } from './groups.js';
import { InvitationDesk } from './invitation-desk.js';
import { InviteKeeper } from './invite-keeper.js';
import { parseInvitedName } from './invited-name.js';
import { Outbox } from './outbox.js';
import type { AppPort, AppPortEvent, Connect, SessionPort } from './ports.js';
import type { RuntimeConfig } from './runtime-config.js';
import type { SessionRunner } from './session-runner.js';
import { Signal } from './signal.js';
import { startEvents } from './start-events.js';

/** How long leaving may take before the program ends anyway, milliseconds. */
const LEAVE_BUDGET_MS = 5000;

/** Closing the connection gets at least this long, milliseconds. */
const MIN_CLOSE_MS = 500;

/** What a {@link ChatRuntime} works with. */
export interface RuntimeDeps {
  readonly connect: Connect;
  /** The state of the chat; everything that happens is in it before it is told. */
  readonly store: ChatStore;
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
 * The chat itself, without a face: owns the app, its sessions and the state of the chat, carries out commands, reports events.
 *
 * A participant that has left a group, or was made to, waits for the next invitation. Commands never throw: what does not work
 * is an `error` event.
 */
export class ChatRuntime {
  /** Resolves to the exit code when everything is over; the last event was `bye`. Rejects because of a bug only. */
  readonly done: Promise<number>;
  readonly #deps: RuntimeDeps;
  readonly #config: RuntimeConfig;
  readonly #groups: Groups;
  readonly #outbox: Outbox;
  readonly #desk: InvitationDesk;
  readonly #announcer: Announcer;
  /** Tells that something has happened. */
  readonly #progress = new Signal();
  /** Sessions that came before `ready`. */
  readonly #early: SessionPort[] = [];
  readonly #aborted = new AbortController();
  #app: AppPort | undefined;
  #keeper: InviteKeeper | undefined;
  #isOutputBlocked = false;
  #exit: ExitOptions | undefined;
  #finish: (exitCode: number) => void = () => undefined;
  #crash: (error: unknown) => void = () => undefined;

  constructor(deps: RuntimeDeps, config: RuntimeConfig) {
    this.#deps = deps;
    this.#config = config;
    const { store } = deps;
    const emit = this.#emit;
    this.#announcer = new Announcer(deps);
    this.#groups = new Groups({ emit, presence: this.#announcer.presence, onClosed: this.#onClosed });
    this.#outbox = new Outbox({ store, groups: this.#groups, emit, holdsMessages: config.holdsMessages });
    this.#desk = new InvitationDesk({ policy: config.accept, isIdle: this.#isIdle, emit });
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
    const handlers = { onEvent: this.#onAppEvent, acceptInvitation: this.#desk.decide };
    const app = await this.#deps.connect(handlers, this.#aborted.signal);
    this.#app = app;
    const { channel, timeoutMs, maxRetries, mls, keepAliveGroup } = this.#config;
    for (const event of startEvents(app, this.#config)) this.#emit(event);
    for (const session of this.#early.splice(0)) this.#addSession(session);
    if (channel === undefined) return;
    const session = await app.createSession({
      channel,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(maxRetries !== undefined && { maxRetries }),
      mls,
      keepAliveGroup,
    });
    this.#keeper = new InviteKeeper(this.#addSession(session), this.#config.waitInvites, (work) => {
      this.#guard(work);
    });
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

  /** An input line, counted from 1, that is no command: says what was expected. */
  refuse({
    line,
    expected,
    ref,
  }: {
    readonly line: number;
    readonly expected: string;
    readonly ref?: string | undefined;
  }): void {
    const message = `line ${line}: expected ${expected}`;
    this.#emit({ type: 'error', code: 'bad-command', message, ...(ref !== undefined && { ref }), line });
  }

  /** Something worth a look has happened beside the chat, in this program. */
  warn(code: string, message: string): void {
    if (this.isReady) this.#emit({ type: 'warning', code, message });
  }

  /** Whether the app has been connected. */
  get isReady(): boolean {
    return this.#app !== undefined;
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
    this.#progress.notify();
    if (isFirst) this.#guard(this.#end());
  }

  /** Resolves when the next command may come: messages are taken without a long queue, and what happens is read by somebody. */
  async writable(): Promise<void> {
    while (this.#exit === undefined && this.#mustWait()) await this.#progress.next();
  }

  /** Whether nobody takes what is told here. While that is so, payloads are left to the retransmission of their senders. */
  setOutputBlocked(isBlocked: boolean): void {
    if (this.#isOutputBlocked === isBlocked) return;
    this.#isOutputBlocked = isBlocked;
    for (const { session } of this.#groups.all) {
      if (isBlocked) session.pauseReceiving();
      else session.resumeReceiving();
    }
    this.#progress.notify();
  }

  #execute(command: ChatCommand): void {
    switch (command.type) {
      case 'publish':
        this.#outbox.publish(command);
        return;
      case 'invite':
        this.#guard(this.#addressed(command).invite(parseInvitedName(command.name), command.ref));
        return;
      case 'remove':
        this.#remove(command);
        return;
      case 'who':
        this.#who(command);
        return;
      case 'status': {
        const state = this.#deps.store.getState();
        const status = selectStatus(state, askedAbout(state, command.session), this.#config.logFile);
        this.#emit({ type: 'status', ...(command.ref !== undefined && { ref: command.ref }), status });
        return;
      }
      case 'leave':
        this.#leave(this.#addressed(command));
        return;
      case 'retry':
        this.#outbox.retry(command.session);
        return;
      case 'drop':
        this.#outbox.drop(command.session ?? this.#deps.store.getState().activeSession);
        return;
      case 'switch':
        this.#switchTo(this.#addressed(command));
        return;
      case 'accept':
        this.#desk.accept(command.session);
        return;
      case 'decline':
        this.#desk.decline(command.session);
        return;
      case 'exit':
        this.exit({ drain: command.drain === true });
        return;
      default:
        assertNever(command);
    }
  }

  #remove(command: Extract<ChatCommand, { type: 'invite' | 'remove' }>): void {
    const runner = this.#addressed(command);
    const name = Name.parse(command.name);
    // Also somebody who is not there at the moment and would be invited when it is back.
    const wasAwaited = runner.session.role === 'moderator' && this.#keeper?.forget(name) === true;
    if (wasAwaited) runner.tellGivenUp(name, command.ref);
    else this.#guard(runner.remove(name, command.ref));
  }

  /** The session that a command is for. */
  #addressed({ session }: { readonly session?: number }): SessionRunner {
    return this.#groups.get(session ?? this.#deps.store.getState().activeSession);
  }

  #who({ session: id, ref }: Extract<ChatCommand, { type: 'who' | 'status' }>): void {
    const state = this.#deps.store.getState();
    const session = askedAbout(state, id);
    const members =
      session === undefined
        ? []
        : memberInfos(state, session, (member) => this.#announcer.presence.lastHeardAt(session.id, member));
    this.#emit({ type: 'who', session: session?.id ?? null, ...(ref !== undefined && { ref }), members });
  }

  #switchTo({ session }: SessionRunner): void {
    this.#announcer.watchActive(() => {
      this.#deps.store.dispatch({ type: 'switch', at: now(), session: session.id });
    });
  }

  #leave(runner: SessionRunner): void {
    // Its own group is what this program was started for.
    const isLast = this.#groups.all.length === 1;
    if (this.#config.channel !== undefined && runner.session.role === 'moderator' && isLast) this.exit({});
    else this.#guard(this.#delete(runner));
  }

  async #delete(runner: SessionRunner): Promise<void> {
    runner.markLeaving();
    await this.#app?.deleteSession(runner.session, { timeoutMs: LEAVE_BUDGET_MS });
    // A session that was cut short says nothing itself.
    runner.end('left');
  }

  readonly #onAppEvent = (event: AppPortEvent): void => {
    switch (event.kind) {
      case 'session':
        if (this.isReady) this.#addSession(event.session);
        else this.#early.push(event.session);
        return;
      case 'warning':
        this.#emit({
          type: 'warning',
          code: event.code,
          message: event.text,
          ...(event.seconds !== undefined && { seconds: event.seconds }),
        });
        return;
      case 'connection': {
        const { state } = event;
        if (state.kind === 'closed') {
          if (state.error !== undefined) this.#giveUp(state.error);
          return;
        }
        this.#emit(connectionEvent(state));
        return;
      }
      default:
        assertNever(event);
    }
  };

  /**
   * Whether an invitation of this moderator finds somebody without a group. A pipe goes on writing after its group was closed: those
   * lines were for that group, so only its moderator may have them without being asked about.
   */
  readonly #isIdle = (from: Name): boolean => {
    const { sessions, lostGroup } = this.#deps.store.getState();
    if (this.#config.channel !== undefined || sessions.length > 0) return false;
    if (lostGroup === null || !this.#config.holdsMessages) return true;
    return Name.parse(lostGroup.moderator).prefixKey === from.prefixKey;
  };

  /** The configuration of the connection does not allow another try. */
  #giveUp(error: SlimError): void {
    this.#emit({ type: 'error', code: error.code, message: `The connection is given up: ${error.message}` });
    this.exit({ exitCode: error.exitCode });
  }

  #addSession(session: SessionPort): SessionRunner {
    if (this.#isOutputBlocked) session.pauseReceiving();
    const runner = this.#groups.add(session);
    if (this.#desk.onSession(session.id, this.#deps.store.getState().activeSession)) this.#switchTo(runner);
    if (this.#deps.store.getState().activeSession === session.id) this.#outbox.release(session.id);
    return runner;
  }

  readonly #onClosed = (): void => {
    // Whoever came to moderate has nothing left to do.
    if (this.#deps.store.getState().lostGroup !== null && this.#config.channel !== undefined) this.exit({});
  };

  async #end(): Promise<void> {
    // Else at once: when the connection was given up, the sessions end in the same moment, and no moderator has closed them.
    if (this.#exit?.drain === true) await this.#drain();
    this.#keeper?.stop();
    this.#desk.close();
    this.#deps.store.dispatch({ type: 'leaving', at: now(), budgetMs: LEAVE_BUDGET_MS });
    this.#outbox.giveUpHeld();
    await this.#close();
    this.#announcer.presence.stop();
    await this.#deps.cleanUp();
    const isOver = this.#exit?.drain === true || this.#config.channel !== undefined;
    const { isStrict } = this.#config;
    const exitCode = this.#exit?.exitCode ?? exitCodeOf(this.#deps.store.getState(), { isStrict, isOver });
    this.#emit({ type: 'bye', exitCode });
    this.#finish(exitCode);
  }

  async #drain(): Promise<void> {
    const startMs = Date.now();
    while (this.#exit?.drain === true && unsettledCount(this.#deps.store.getState()) > 0) {
      const leftMs = startMs + drainMs(this.#deps.store.getState(), this.#config) - Date.now();
      if (leftMs <= 0) return;
      await this.#progress.next(leftMs);
    }
  }

  async #close(): Promise<void> {
    const app = this.#app;
    if (app === undefined) return;
    const deadlineMs = Date.now() + LEAVE_BUDGET_MS;
    await withinBudget(Promise.all(this.#groups.all.map((runner) => this.#delete(runner))), LEAVE_BUDGET_MS);
    for (const runner of this.#groups.all) runner.end('left');
    const timeoutMs = Math.max(MIN_CLOSE_MS, deadlineMs - Date.now());
    await withinBudget(app.close({ timeoutMs }), timeoutMs);
  }

  #mustWait(): boolean {
    if (this.#isOutputBlocked || this.#outbox.isFull) return true;
    return this.#groups.all.some((runner) => !runner.isLeaving && !runner.session.isWritable && this.#mayGoOn(runner));
  }

  /** Whether a full session may become writable by itself. Where nobody is and nobody is invited it takes a command. */
  #mayGoOn({ session }: SessionRunner): boolean {
    const state = this.#deps.store.getState();
    return !isAlone(state, session.id) || state.invitations.some((invitation) => invitation.session === session.id);
  }

  /** Something has happened: the one sink, which everything below has in its hands. */
  readonly #emit = (body: ChatEventBody): void => {
    if (body.type === 'closed' && body.reason === 'removed')
      this.#desk.onRemoved(this.#deps.store.getState(), body.session);
    this.#announcer.emit(body);
    this.#progress.notify();
  };

  /** What must not fail quietly: an error that is no expected one ends the program as a bug. */
  #guard(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#crash(error);
    });
  }
}

function now(): string {
  return new Date().toISOString();
}
