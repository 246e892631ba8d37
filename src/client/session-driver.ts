import { randomU32 } from './random.js';
import type { Name } from '../name/index.js';
import {
  type Answer,
  cancelledError,
  type CommandId,
  type Effect,
  type EndReason,
  type Env,
  type Input,
  type OutboundMessage,
  type QueuedMessages,
  queueFullError,
  type SessionCommand,
  type SessionMachine,
  type SessionNotice,
  type TimerKey,
} from '../protocol/index.js';
import { assertNever, InternalError, type SlimError, startTimer, type Timer } from '../util/index.js';
import { type CompletionHandle, NOT_SENT } from './completion-handle.js';
import { InputQueue } from './input-queue.js';
import type { MlsRunner } from './mls-session.js';
import type { WarningCode } from './events.js';

/** What a driver needs of the connection. */
export interface SessionLink {
  readonly isUp: boolean;
  /** @param answerWithinMs - when nothing has come by then, the message may be taken for failed: a dead connection ends earlier */
  send(message: OutboundMessage, answerWithinMs?: number): void;
  subscribe(name: Name): void;
  unsubscribe(name: Name): void;
}

/** What a driver tells its session. */
export interface SessionDriverHandlers {
  onNotice(notice: SessionNotice): void;
  onDelivery(handle: CompletionHandle): void;
  /** @param answer - to the request that ended it; who asks again gets it again */
  onEnd(reason: EndReason, answer: Answer | undefined): void;
  onWarning(code: WarningCode, text: string): void;
  /** What could be done now is done; fewer messages may wait than before. */
  onDrained(): void;
  isReceiveQueueFull(): boolean;
  /** How long it waits for the answer to what it sends, with all repetitions. */
  readonly answerWithinMs?: number;
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
  readonly #timers = new Map<TimerKey, Timer>();
  readonly #commands = new Map<CommandId, PendingCommand>();
  readonly #handles = new Map<CommandId, CompletionHandle>();
  readonly #mls: MlsRunner | undefined;
  readonly #inputs = new InputQueue();
  /** Go before everything else, also before the answer of MLS: what they take back must not leave meanwhile. */
  readonly #cancels: Input[] = [];
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

  /** Own messages that wait for their first transmission: for their turn, for MLS, or in the machine. */
  get queued(): QueuedMessages {
    const [waiting, queued] = [this.#inputs.own, this.#machine.queued];
    return { count: waiting.count + queued.count, bytes: waiting.bytes + queued.bytes };
  }

  /** Hands an input over; it has been handled on return unless this is called from inside an effect, or MLS has much to do. */
  post(input: Input): void {
    // What need not wait does not go through the queue: that is nearly everything, and the queue counts what is in it.
    if (!this.#isRunning && !this.#isMlsBusy) {
      this.#drain(input);
      return;
    }
    this.#inputs.push(input);
    if (!this.#isRunning) this.#drain();
  }

  #drain(first?: Input): void {
    this.#isRunning = true;
    let isPaused = false;
    try {
      for (let next = first ?? this.#next(); next !== undefined; next = isPaused ? undefined : this.#next()) {
        this.#step(next);
        isPaused = this.#mlsInTurn >= MLS_PER_TURN;
      }
    } finally {
      this.#isRunning = isPaused;
    }
    this.#handlers.onDrained();
    if (!isPaused) return;
    setImmediate(() => {
      this.#mlsInTurn = 0;
      this.#drain();
    });
  }

  #next(): Input | undefined {
    const cancel = this.#cancels.shift();
    if (cancel !== undefined) return cancel;
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

  /** Publishes; the handle learns each change. */
  publish(command: Extract<SessionCommand, { kind: 'publish' }>, handle: CompletionHandle): void {
    this.#lastCommandId += 1;
    const id = this.#lastCommandId;
    handle.command = id;
    this.#handles.set(id, handle);
    const error = queueFullError(this.queued, command.payload.length);
    if (error === undefined) this.post({ kind: 'command', id, command });
    else this.#failPublish(id, error);
  }

  /** Takes a message back that has not been sent yet; it fails with `cancelled`. Does nothing to others. */
  cancel(handle: CompletionHandle): void {
    const publish = handle.command;
    if (publish === undefined || this.#handles.get(publish) !== handle) return;
    if (this.#inputs.takeBack(publish)) {
      this.#failPublish(publish, cancelledError());
      this.#handlers.onDrained();
      return;
    }
    this.#lastCommandId += 1;
    this.#cancels.push({ kind: 'command', id: this.#lastCommandId, command: { kind: 'cancel', publish } });
    if (!this.#isRunning) this.#drain();
  }

  #step(input: Input): void {
    let effects: Effect[];
    try {
      effects = this.#machine.handle(input, new StepEnv(this.#handlers));
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
        this.#link.send(effect.message, this.#handlers.answerWithinMs);
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
        this.#timers.get(effect.timer)?.cancel();
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
        this.#handlers.onEnd(effect.reason, effect.answer);
        return;
      default:
        assertNever(effect);
    }
  }

  #setTimer(timer: TimerKey, afterMs: number): void {
    this.#timers.get(timer)?.cancel();
    this.#timers.set(
      timer,
      startTimer(afterMs, () => {
        this.#timers.delete(timer);
        this.post({ kind: 'timer', timer });
      }),
    );
  }

  #fail(id: CommandId, error: InternalError): void {
    if (this.#handles.has(id)) this.#failPublish(id, error);
    else this.#settle(id, error, undefined);
  }

  #failPublish(id: CommandId, error: SlimError): void {
    this.#execute({ kind: 'delivery', id, state: 'failed', progress: NOT_SENT, error });
  }

  #settle(id: CommandId, error: Error | undefined, member: Name | undefined): void {
    const command = this.#commands.get(id);
    this.#commands.delete(id);
    if (error === undefined) command?.resolve(member);
    else command?.reject(error);
  }
}

/** What a machine may ask for in one step. It sees one moment, however often it asks; what it does not ask for costs nothing. */
class StepEnv implements Env {
  readonly randomU32 = randomU32;
  readonly #handlers: SessionDriverHandlers;
  #nowMs: number | undefined;
  #wallMs: number | undefined;
  #isReceiveQueueFull: boolean | undefined;

  constructor(handlers: SessionDriverHandlers) {
    this.#handlers = handlers;
  }

  get nowMs(): number {
    this.#nowMs ??= performance.now();
    return this.#nowMs;
  }

  get wallMs(): number {
    this.#wallMs ??= Date.now();
    return this.#wallMs;
  }

  get isReceiveQueueFull(): boolean {
    this.#isReceiveQueueFull ??= this.#handlers.isReceiveQueueFull();
    return this.#isReceiveQueueFull;
  }
}
