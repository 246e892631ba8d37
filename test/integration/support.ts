import { onTestFinished } from 'vitest';

import {
  type AppEvent,
  type CreateSessionOptions,
  type ReceivedMessage,
  type Session,
  type SessionEvent,
  SlimApp,
  type SlimAppOptions,
} from '../../src/client/index.js';
import { SlimNode } from '../../src/node/index.js';

export const SECRET = 'a-shared-secret-for-tests-of-32-bytes-or-more';

/** A node of our own on a free port, or on `port`; gone when the test is over. */
export async function startNode(port = 0): Promise<SlimNode> {
  const node = await SlimNode.start({ port });
  onTestFinished(() => node.close());
  return node;
}

/** Everything that happened, and a way to wait for something of it, past or future. */
export class Recorder<E> {
  readonly events: E[] = [];
  readonly #waiters = new Set<() => void>();

  readonly record = (event: E): void => {
    this.events.push(event);
    for (const wake of this.#waiters) wake();
  };

  /** Resolves with the first event that fits; the test's own timeout ends a wait in vain. */
  async next<T extends E>(fits: (event: E) => event is T): Promise<T>;
  async next(fits: (event: E) => boolean): Promise<E>;
  async next(fits: (event: E) => boolean): Promise<E> {
    await this.until(() => this.events.some(fits));
    return this.events.find(fits) as E;
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiters.delete(wake);
          resolve();
        };
        this.#waiters.add(wake);
      });
    }
  }
}

/** An app, what happened to it, and its sessions as they come. */
export interface TestApp {
  readonly app: SlimApp;
  readonly events: Recorder<AppEvent>;
}

export async function connect(
  node: SlimNode | string,
  name: string,
  options: Partial<SlimAppOptions> = {},
): Promise<TestApp> {
  const events = new Recorder<AppEvent>();
  const app = await SlimApp.connect({
    local: name,
    slim: typeof node === 'string' ? node : node.endpoint,
    sharedSecret: SECRET,
    onEvent: events.record,
    ...options,
  });
  onTestFinished(() => app.close({ timeoutMs: 500 }));
  return { app, events };
}

/** A session with a record of its events. */
export interface TestSession {
  readonly session: Session;
  readonly events: Recorder<SessionEvent>;
}

export function watch(session: Session): TestSession {
  const events = new Recorder<SessionEvent>();
  session.onEvent(events.record);
  return { session, events };
}

/** A group whose moderator is the first app; resolves when everybody is in. The sessions are in the order of the apps. */
export async function group(
  [moderator, ...others]: readonly TestApp[],
  options: Partial<CreateSessionOptions> = {},
): Promise<readonly TestSession[]> {
  if (moderator === undefined) throw new Error('a group needs a moderator');
  const own = watch(await moderator.app.createSession({ channel: 'org/ns/chat', ...options }));
  const joined = await Promise.all(
    others.map(async ({ app }) => {
      const invited = app.listenForSession();
      await own.session.invite(app.name.withoutId());
      return watch(await invited);
    }),
  );
  // A member learns of those after it a moment later than their invitation is done.
  for (const { session, events } of joined) await events.until(() => session.members.length === others.length + 1);
  return [own, ...joined];
}

/** The next `count` texts of a session. */
export async function texts(session: Session, count: number): Promise<(string | undefined)[]> {
  const messages: ReceivedMessage[] = [];
  while (messages.length < count) messages.push(await session.getMessage());
  return messages.map((message) => message.text);
}

export function isWarning(code: string) {
  return (event: AppEvent): boolean => event.kind === 'warning' && event.code === code;
}
