import type { Name } from '../name/index.js';
import { assertNever, SessionError } from '../util/index.js';
import type { PublishMessage } from '../wire/index.js';
import type { Answer } from './given-answers.js';
import type {
  CommandId,
  Effect,
  EndReason,
  Env,
  Input,
  QueuedMessages,
  SessionCommand,
  SessionConfig,
  SessionMachine,
  TimerKey,
} from './machine.js';
import { answer, type MembershipRequest, requestOfApp, type Requester } from './requester.js';
import { SessionCore } from './session-core.js';

/** Timers that mean something to one role only. */
export type RoleTimer = Exclude<TimerKey, 'acks' | 'rtx' | 'starts'>;

/**
 * What the machines of moderator and participant do alike: which input goes where, what is left to do after each, and the end.
 * A role says in its hooks what is its own; none is called after the end.
 */
export abstract class SessionShell implements SessionMachine {
  protected readonly core: SessionCore;
  /** Who waits for the end. */
  readonly #closers: Requester[] = [];

  constructor(config: SessionConfig) {
    this.core = new SessionCore(config);
  }

  get members(): readonly Name[] {
    return this.core.members;
  }

  get lastPublishedId(): number {
    return this.core.sender.lastPublishedId;
  }

  get queued(): QueuedMessages {
    return this.core.sender.queued;
  }

  handle(input: Input, env: Env): Effect[] {
    if (this.core.hasEnded) return endedReply(input);
    const effects = this.afterEach(this.#dispatch(input, env), env);
    effects.push(...this.core.armTimers(env));
    return effects;
  }

  // --- Hooks ---------------------------------------------------------------------------------------------------------

  protected abstract onMessage(message: PublishMessage, subject: string, env: Env): Effect[];

  protected abstract onTimer(timer: RoleTimer, env: Env): Effect[];

  protected abstract onMembershipRequest(request: MembershipRequest, env: Env): Effect[];

  /** Sending and receiving have been told already. */
  protected abstract onLinkDown(): Effect[];

  /** Receiving has been told already; own messages are repeated in the place that the role gives them. */
  protected abstract onLinkUp(env: Env): Effect[];

  /** The first wish to end the session; it has ended with `finish`. */
  protected abstract onClose(env: Env): Effect[];

  /** It ends now, whoever has not answered yet. */
  protected abstract onAbandon(): Effect[];

  /** What must be given up or answered before the end. */
  protected abstract onEnd(): Effect[];

  /** The effects of an input, and what the role adds to them. The session may have ended with them. */
  protected abstract afterEach(effects: Effect[], env: Env): Effect[];

  // --- For the roles -------------------------------------------------------------------------------------------------

  /** Whether somebody waits for the end. */
  protected get isClosing(): boolean {
    return this.#closers.length > 0;
  }

  /**
   * The last effects of the session.
   *
   * @param lastAnswer - to the request that ends it
   */
  protected finish(reason: EndReason, lastAnswer?: Answer): Effect[] {
    return [
      ...(lastAnswer === undefined ? [] : [{ kind: 'send', message: lastAnswer.message } as const]),
      ...this.onEnd(),
      ...this.#closers.splice(0).flatMap((closer) => answer(closer, {}, this.core.build)),
      ...this.core.end(reason, endError(reason), lastAnswer),
    ];
  }

  // --- Inputs --------------------------------------------------------------------------------------------------------

  #dispatch(input: Input, env: Env): Effect[] {
    switch (input.kind) {
      case 'message':
        return this.#onMessage(input, env);
      case 'timer':
        return this.#onTimer(input.timer, env);
      case 'command':
        return this.#onCommand(input.id, input.command, env);
      case 'linkDown':
        this.core.onLinkDown();
        return this.onLinkDown();
      case 'linkUp':
        this.core.receiver.onLinkUp(env);
        return this.onLinkUp(env);
      case 'mlsResult':
        return this.core.mls.onResult(input.id, input.result, env);
      default:
        return assertNever(input);
    }
  }

  #onMessage({ message, subject, vouchesForKey }: Extract<Input, { kind: 'message' }>, env: Env): Effect[] {
    const heard = this.core.protection?.onHeard(message.header.source, vouchesForKey === true) ?? [];
    const effects = this.onMessage(message, subject, env);
    return heard.length > 0 ? [...heard, ...effects] : effects;
  }

  #onTimer(timer: TimerKey, env: Env): Effect[] {
    this.core.onTimerFired(timer);
    switch (timer) {
      case 'acks':
        return this.core.sender.onTimer(env);
      case 'rtx':
        return this.core.receiver.onTimer(env);
      case 'starts':
        return this.core.receiver.onStartTimer(env);
      default:
        return this.onTimer(timer, env);
    }
  }

  #onCommand(id: CommandId, command: SessionCommand, env: Env): Effect[] {
    switch (command.kind) {
      case 'publish':
        if (this.isClosing) return endedReply({ kind: 'command', id, command });
        return this.core.sender.onPublish(id, command, env);
      case 'cancel':
        return this.core.sender.onCancel(command.publish);
      case 'invite':
      case 'remove':
        return this.onMembershipRequest(requestOfApp(id, command), env);
      case 'close':
        this.#closers.push({ kind: 'app', id });
        return this.#closers.length > 1 ? [] : this.onClose(env);
      case 'abandon':
        this.#closers.push({ kind: 'app', id });
        return this.onAbandon();
      default:
        return assertNever(command);
    }
  }
}

/** What is answered when a session ends, or has ended. */
export function closedError(): SessionError {
  return new SessionError('closed', 'the session is closed');
}

function endError(reason: EndReason): SessionError {
  switch (reason) {
    case 'removed':
      return new SessionError('removed', 'this app was removed from the group');
    case 'moderator-gone':
      return new SessionError('moderator-gone', 'the moderator is gone');
    case 'left':
    case 'closed':
    case 'abandoned':
      return closedError();
    default:
      return assertNever(reason);
  }
}

/** A command that comes after the end still gets its answer; nothing else does. */
function endedReply(input: Input): Effect[] {
  if (input.kind !== 'command') return [];
  const { id, command } = input;
  // What it was about has failed already.
  if (command.kind === 'cancel') return [];
  const error = closedError();
  if (command.kind === 'publish') {
    const progress = { messageId: undefined, acked: [], missing: [] };
    return [{ kind: 'delivery', id, state: 'failed', progress, error }];
  }
  if (command.kind === 'close' || command.kind === 'abandon') return [{ kind: 'settle', id }];
  return [{ kind: 'settle', id, error }];
}
