import type { ChatEventBody } from '../chat/index.js';
import { UsageError } from '../util/index.js';
import type { SessionPort } from './ports.js';
import { SessionRunner } from './session-runner.js';

/** What {@link Groups} tell. */
export interface GroupsHandlers {
  emit(event: ChatEventBody): void;
  /** A member of a session did something. */
  onHeard(session: number, member: string): void;
  /** A session is over and not among the others any more. */
  onClosed(): void;
}

/** The sessions that the client library has given to the chat. What they look like is in the chat's state. */
export class Groups {
  readonly #handlers: GroupsHandlers;
  /** Oldest first. */
  readonly #runners = new Map<number, SessionRunner>();

  constructor(handlers: GroupsHandlers) {
    this.#handlers = handlers;
  }

  /** All sessions, those being left too, oldest first. */
  get all(): readonly SessionRunner[] {
    return [...this.#runners.values()];
  }

  /** Takes in a session and introduces it. */
  add(session: SessionPort): SessionRunner {
    const runner = new SessionRunner(session, {
      emit: (event) => {
        this.#handlers.emit(event);
      },
      onHeard: (member) => {
        this.#handlers.onHeard(session.id, member);
      },
      onClosed: (closed) => {
        if (this.#runners.get(session.id) === closed) this.#runners.delete(session.id);
        this.#handlers.onClosed();
      },
    });
    this.#runners.set(session.id, runner);
    this.#handlers.emit(runner.describe());
    return runner;
  }

  /** The session of this id, unless it is being left. */
  find(id: number | null): SessionRunner | undefined {
    const runner = id === null ? undefined : this.#runners.get(id);
    return runner?.isLeaving === true ? undefined : runner;
  }

  /**
   * As {@link Groups.find}.
   *
   * @throws UsageError `not-in-group`
   */
  get(id: number | null): SessionRunner {
    const runner = this.find(id);
    if (runner !== undefined) return runner;
    throw new UsageError('not-in-group', id === null ? 'you are in no group' : `there is no session ${id}`);
  }
}
