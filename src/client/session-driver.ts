import { randomU32 } from './random.js';
import type { Name } from '../name/index.js';
import type {
  CommandId,
  Effect,
  EndReason,
  Env,
  Input,
  OutboundMessage,
  SessionCommand,
  SessionMachine,
  SessionNotice,
  TimerKey,
} from '../protocol/index.js';
import { assertNever, InternalError } from '../util/index.js';
import type { CompletionHandle } from './completion-handle.js';
import type { MlsRunner } from './mls-session.js';
import type { WarningCode } from './events.js';

/** What a driver needs of the connection. */
export interface SessionLink {
  readonly isUp: boolean;
  send(message: OutboundMessage): void;
  subscribe(name: Name): void;
  unsubscribe(name: Name): void;
}

/** What a driver tells its session. */
export interface SessionDriverHandlers {
  onNotice(notice: SessionNotice): void;
  onDelivery(handle: CompletionHandle): void;
  onEnd(reason: EndReason): void;
  onWarning(code: WarningCode, text: string): void;
  isReceiveQueueFull(): boolean;
}

/**
 * After this many MLS operations the rest of the process gets its turn. Each takes about 0.1 ms, so a burst would otherwise keep
 * the screen, the other sessions, and all that it has encrypted itself waiting.
 */
const MLS_PER_TURN = 16;

type MlsQuestion = Extract<Effect, { kind: 'mls' }>;
type MlsAnswer = Extract<Input, { kind: 'mlsResult' }>;

interface PendingCommand {
  readonly resolve: (member: Name | undefined) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Runs one session machine: one queue of inputs, effects executed in order, timers turned into inputs. The only interpreter of
 * effects. An effect may post an input; it then waits its turn, so a machine is never entered twice.
 */
export class SessionDriver {
  readonly #machine: SessionMachine;
  readonly #link: SessionLink;
  readonly #handlers: SessionDriverHandlers;
  readonly #timers = new Map<TimerKey, NodeJS.Timeout>();
  readonly #commands = new Map<CommandId, PendingCommand>();
  readonly #handles = new Map<CommandId, CompletionHandle>();
  readonly #quietWaiters: (() => void)[] = [];
  readonly #env: Env;
  readonly #mls: MlsRunner | undefined;
  #inputs: Input[] = [];
  #isRunning = false;
  /** What the machine gets before any other input. */
  #mlsAnswer: MlsAnswer | undefined;
  /** MLS operations that are not answered yet; everything else waits for them. */
  #mlsRequests: MlsQuestion[] = [];
  #isMlsBusy = false;
  /** Operations since the rest of the process had its last turn. */
  #mlsInTurn = 0;
  #lastCommandId = 0;

  constructor(machine: SessionMachine, link: SessionLink, handlers: SessionDriverHandlers, mls?: MlsRunner) {
    this.#mls = mls;
    this.#machine = machine;
    this.#link = link;
    this.#handlers = handlers;
    this.#env = {
      get nowMs() {
        return performance.now();
      },
      get wallMs() {
        return Date.now();
      },
      get isReceiveQueueFull() {
        return handlers.isReceiveQueueFull();
      },
      randomU32,
    };
    if (!link.isUp) this.post({ kind: 'linkDown' });
  }

  /** Full names, own included. */
  get members(): readonly Name[] {
    return this.#machine.members;
  }

  /** Number of the newest own message. */
  get lastPublishedId(): number {
    return this.#machine.lastPublishedId;
  }

  /** How many own messages wait for their first transmission. */
  get queuedCount(): number {
    return this.#machine.queuedCount;
  }

  /** Hands an input over; it has been handled on return unless this is called from inside an effect, or MLS has much to do. */
  post(input: Input): void {
    this.#inputs.push(input);
    if (this.#isRunning) return;
    this.#drain();
  }

  #drain(): void {
    this.#isRunning = true;
    let isPaused = false;
    try {
      for (let next = this.#next(); next !== undefined; next = isPaused ? undefined : this.#next()) {
        this.#step(next);
        isPaused = this.#mlsInTurn >= MLS_PER_TURN;
      }
    } finally {
      this.#isRunning = isPaused;
    }
    if (!isPaused) return;
    setImmediate(() => {
      this.#mlsInTurn = 0;
      this.#drain();
    });
  }

  #next(): Input | undefined {
    this.#runMls();
    const answer = this.#mlsAnswer;
    this.#mlsAnswer = undefined;
    if (answer !== undefined) return answer;
    return this.#isMlsBusy ? undefined : this.#inputs.shift();
  }

  /** One operation at a time; most are answered at once. */
  #runMls(): void {
    if (this.#isMlsBusy || this.#mlsAnswer !== undefined) return;
    const question = this.#mlsRequests.shift();
    if (question === undefined || this.#mls === undefined) return;
    const { id, request } = question;
    this.#mlsInTurn += 1;
    const result = this.#mls.run(request);
    if (!(result instanceof Promise)) {
      this.#mlsAnswer = { kind: 'mlsResult', id, result };
      return;
    }
    this.#isMlsBusy = true;
    void result.then((later) => {
      this.#isMlsBusy = false;
      this.#mlsAnswer = { kind: 'mlsResult', id, result: later };
      this.#drain();
    });
  }

  /** Runs a command; `invite` resolves to who joined. */
  run(command: Exclude<SessionCommand, { kind: 'publish' }>): Promise<Name | undefined> {
    return new Promise((resolve, reject) => {
      this.#lastCommandId += 1;
      this.#commands.set(this.#lastCommandId, { resolve, reject });
      this.post({ kind: 'command', id: this.#lastCommandId, command });
    });
  }

  /** Resolves when no message waits to be sent or to be acknowledged. */
  async whenQuiet(): Promise<void> {
    if (this.#handles.size === 0) return;
    await new Promise<void>((resolve) => this.#quietWaiters.push(resolve));
  }

  /** Publishes; the handle learns each change. */
  publish(command: Extract<SessionCommand, { kind: 'publish' }>, handle: CompletionHandle): void {
    this.#lastCommandId += 1;
    this.#handles.set(this.#lastCommandId, handle);
    this.post({ kind: 'command', id: this.#lastCommandId, command });
  }

  #step(input: Input): void {
    let effects: Effect[];
    try {
      effects = this.#machine.handle(input, this.#env);
    } catch (error) {
      // A machine must not throw; if it does, one message is lost and not the session.
      const what =
        input.kind === 'message' ? `a message of type ${String(input.message.session.messageType)}` : input.kind;
      const cause = error instanceof Error ? error.message : String(error);
      this.#handlers.onWarning('protocol-violation', `this program failed on ${what}, which is a bug: ${cause}`);
      if (input.kind === 'command') {
        this.#fail(input.id, new InternalError('invariant', cause, { cause: error }));
      }
      return;
    }
    for (const effect of effects) this.#execute(effect);
  }

  #execute(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        this.#link.send(effect.message);
        return;
      case 'subscribe':
        this.#link.subscribe(effect.name);
        return;
      case 'unsubscribe':
        this.#link.unsubscribe(effect.name);
        return;
      case 'setTimer':
        this.#setTimer(effect.timer, effect.afterMs);
        return;
      case 'clearTimer':
        clearTimeout(this.#timers.get(effect.timer));
        this.#timers.delete(effect.timer);
        return;
      case 'notify':
        this.#handlers.onNotice(effect.notice);
        return;
      case 'delivery': {
        const handle = this.#handles.get(effect.id);
        if (handle === undefined) return;
        if (effect.state === 'acked' || effect.state === 'failed') this.#handles.delete(effect.id);
        handle.update(effect.state, effect.progress, effect.error);
        this.#handlers.onDelivery(handle);
        if (this.#handles.size === 0) for (const wake of this.#quietWaiters.splice(0)) wake();
        return;
      }
      case 'settle':
        this.#settle(effect.id, effect.error, effect.member);
        return;
      case 'mls':
        this.#mlsRequests.push(effect);
        return;
      case 'end':
        this.#mls?.free();
        this.#handlers.onEnd(effect.reason);
        return;
      default:
        assertNever(effect);
    }
  }

  #setTimer(timer: TimerKey, afterMs: number): void {
    clearTimeout(this.#timers.get(timer));
    this.#timers.set(
      timer,
      setTimeout(() => {
        this.#timers.delete(timer);
        this.post({ kind: 'timer', timer });
      }, afterMs),
    );
  }

  #fail(id: CommandId, error: InternalError): void {
    const progress = { messageId: undefined, acked: [], missing: [] };
    if (this.#handles.has(id)) this.#execute({ kind: 'delivery', id, state: 'failed', progress, error });
    else this.#settle(id, error, undefined);
  }

  #settle(id: CommandId, error: Error | undefined, member: Name | undefined): void {
    const command = this.#commands.get(id);
    this.#commands.delete(id);
    if (error === undefined) command?.resolve(member);
    else command?.reject(error);
  }
}
