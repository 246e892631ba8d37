import {
  type ChatCommand,
  type ChatEventBody,
  type ChatStore,
  type OwnContent,
  type OwnMessage,
} from '../chat/index.js';
import { Name } from '../name/index.js';
import { UsageError } from '../util/index.js';
import { type Groups, notInGroup } from './groups.js';

type PublishCommand = Extract<ChatCommand, { type: 'publish' }>;

/** How many messages may wait for the first group, and how many UTF-16 units or bytes of them. */
const PAUSE_ABOVE = 256;
const PAUSE_ABOVE_SIZE = 8 * 1024 * 1024;

/** What an outbox works with. */
export interface OutboxDeps {
  readonly store: ChatStore;
  readonly groups: Groups;
  readonly emit: (event: ChatEventBody) => void;
  /** Whether messages for a group that is still to come wait for it instead of being refused. */
  readonly holdsMessages: boolean;
}

/**
 * Own messages on their way into their sessions. They wait in the sessions, which also say when to pause; only those for the first
 * group, where there is none yet, wait in the state of the chat.
 */
export class Outbox {
  readonly #deps: OutboxDeps;
  #lastKey = 0;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** Whether so much waits for the first group that whoever makes messages should pause. */
  get isFull(): boolean {
    const held = this.#held();
    return (
      held.length > PAUSE_ABOVE || held.reduce((sum, { content }) => sum + content.payload.length, 0) > PAUSE_ABOVE_SIZE
    );
  }

  /**
   * Sends a message to the session that it was written for. One that cannot be sent fails, and is kept with its text.
   *
   * @throws UsageError `invalid-payload`, `invalid-name` for what is no message
   */
  publish(command: PublishCommand): void {
    const { store, groups, holdsMessages } = this.#deps;
    const { ref } = command;
    const content = contentOf(command);
    const state = store.getState();
    const session = command.session ?? state.activeSession;
    const key = this.#begin(content, session, ref);
    const runner = groups.find(session);
    if (runner !== undefined) runner.publish(key, ref, content);
    else if (holdsMessages && session === null && state.sessions.length === 0) this.#report(key, ref, null, 'queued');
    else this.#refuse(key, ref, session);
  }

  /** The first group is there: what has waited for it goes out. */
  release(session: number): void {
    const runner = this.#deps.groups.find(session);
    if (runner === undefined) return;
    for (const { key, ref, content } of this.#held()) runner.publish(key, ref, content);
  }

  /** Sends failed messages again, each in its own session and to those who miss it. Those of a session that is over stay as they are. */
  retry(session: number | undefined): void {
    const { store, groups } = this.#deps;
    const failed = store
      .getState()
      .failed.filter(
        (own) => (session === undefined || own.session === session) && groups.find(own.session) !== undefined,
      );
    store.dispatch({ type: 'retried', keys: failed.map(({ key }) => key) });
    for (const own of failed) {
      const key = this.#begin(own.content, own.session, own.ref, own);
      groups.find(own.session)?.publish(key, own.ref, own.content, own);
    }
  }

  /** Gives up, by the user's wish, the messages of a session that have not been sent yet. */
  drop(session: number | null): void {
    for (const { key, ref, ...own } of this.#deps.store.getState().own) {
      if (own.state !== 'queued') continue;
      if (own.session === null) this.#report(key, ref, null, 'failed', 'dropped');
      else if (own.session === session) this.#deps.groups.find(session)?.cancel(key);
    }
  }

  /** No group will come any more. */
  giveUpHeld(): void {
    for (const { key, ref } of this.#held()) this.#report(key, ref, null, 'failed', 'closed');
  }

  #held(): readonly OwnMessage[] {
    return this.#deps.store.getState().own.filter(({ session }) => session === null);
  }

  #begin(content: OwnContent, session: number | null, ref: string | undefined, failed?: OwnMessage): number {
    this.#lastKey += 1;
    const key = this.#lastKey;
    const at = new Date().toISOString();
    const again = failed && { id: failed.id, missing: failed.missing };
    this.#deps.store.dispatch({
      type: 'own',
      at,
      key,
      content,
      session,
      ...(ref !== undefined && { ref }),
      ...(again && { again }),
    });
    return key;
  }

  #refuse(key: number, ref: string | undefined, session: number | null): void {
    const { code, message } = notInGroup(session);
    const about = { key, ...(ref !== undefined && { ref }) };
    this.#deps.emit({ type: 'error', code, message, ...about });
    this.#report(key, ref, session, 'failed', 'refused', code);
  }

  #report(
    key: number,
    ref: string | undefined,
    session: number | null,
    state: 'queued' | 'failed',
    reason?: 'dropped' | 'closed' | 'refused',
    code?: string,
  ): void {
    this.#deps.emit({
      type: 'delivery',
      key,
      session,
      ...(ref !== undefined && { ref }),
      id: null,
      state,
      acked: [],
      missing: [],
      ...(reason !== undefined && { reason }),
      ...(code !== undefined && { code }),
    });
  }
}

function contentOf({ text, bytes, payloadType, metadata, to }: PublishCommand): OwnContent {
  const payload = bytes ?? text;
  if (payload === undefined) throw new UsageError('invalid-payload', 'a message needs a text or bytes');
  if (to !== undefined) Name.parse(to);
  return {
    payload,
    ...(payloadType !== undefined && { payloadType }),
    ...(metadata !== undefined && { metadata }),
    ...(to !== undefined && { to }),
  };
}
