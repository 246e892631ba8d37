import { type ChatState, sessionOf, type SessionView } from '../chat/index.js';
import { UsageError } from '../util/index.js';
import type { SessionPort } from './ports.js';
import { SessionRunner, type SessionRunnerDeps } from './session-runner.js';

/** What {@link Groups} give to their sessions, and tell. */
export interface GroupsDeps extends Pick<SessionRunnerDeps, 'emit' | 'presence'> {
  /** A session is over and not among the others any more. */
  readonly onClosed: () => void;
}

/** The sessions that the client library has given to the chat. What they look like is in the chat's state. */
export class Groups {
  readonly #deps: GroupsDeps;
  /** Oldest first. */
  readonly #runners = new Map<number, SessionRunner>();

  constructor(deps: GroupsDeps) {
    this.#deps = deps;
  }

  /** All sessions, those being left too, oldest first. */
  get all(): readonly SessionRunner[] {
    return [...this.#runners.values()];
  }

  /** Takes in a session and introduces it. */
  add(session: SessionPort): SessionRunner {
    const { emit, presence, onClosed } = this.#deps;
    const runner = new SessionRunner(session, {
      emit,
      presence,
      onClosed: () => {
        if (this.#runners.get(session.id) === runner) this.#runners.delete(session.id);
        onClosed();
      },
    });
    this.#runners.set(session.id, runner);
    runner.introduce();
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
    throw notInGroup(id);
  }
}

/**
 * The session that a question is about: the one that it names, else the active one, if there is one.
 *
 * @throws UsageError `not-in-group` for a session that is not there
 */
export function askedAbout(state: ChatState, id: number | undefined): SessionView | undefined {
  const session = sessionOf(state, id ?? state.activeSession);
  if (session === undefined && id !== undefined) throw notInGroup(id);
  return session;
}

/** Why nothing can be done in a session that is not there; `null` stands for no session at all. */
export function notInGroup(id: number | null): UsageError {
  return new UsageError('not-in-group', id === null ? 'you are in no group' : `there is no session ${id}`);
}
