import { vi } from 'vitest';

import { type ChatCommand, type ChatEvent, type ChatStore, createChatStore } from '../../src/chat/index.js';
import { ChatRuntime } from '../../src/runtime/chat-runtime.js';
import type { Connect } from '../../src/runtime/ports.js';
import type { RuntimeConfig } from '../../src/runtime/runtime-config.js';
import { utcClock } from '../chat/chat-helper.js';
import { ALICE, BOB, CHANNEL, FakeApp, type FakeSession } from './fake-app.js';

const BASE: RuntimeConfig = {
  version: '0.1.0',
  channel: undefined,
  invites: [],
  timeoutMs: undefined,
  maxRetries: undefined,
  mls: false,
  keepAliveGroup: false,
  givesClearCopies: false,
  waitInvites: true,
  accept: { kind: 'auto' },
  lingerMs: undefined,
  isNodeEmbedded: false,
  logFile: undefined,
  isStrict: true,
  holdsMessages: false,
};

/** A chat without a face around an app under the control of a test. Needs fake timers. */
export class Chat {
  /** All events but `active`, which has tests of its own. */
  readonly events: ChatEvent[] = [];
  readonly active: (number | null)[] = [];
  readonly store: ChatStore = createChatStore({ clock: utcClock, echo: 'none', isLive: false, keepsLines: true });
  readonly app: FakeApp;
  readonly runtime: ChatRuntime;
  isCleanedUp = false;

  constructor(
    config: Partial<RuntimeConfig>,
    app = new FakeApp(config.channel === undefined ? BOB : ALICE),
    connect?: Connect,
  ) {
    this.app = app;
    this.runtime = new ChatRuntime(
      {
        connect: connect ?? app.connect,
        store: this.store,
        emit: (event) => {
          if (event.type === 'active') this.active.push(event.session);
          else this.events.push(event);
        },
        cleanUp: () => {
          this.isCleanedUp = true;
          return Promise.resolve();
        },
      },
      { ...BASE, ...config },
    );
  }

  get session(): FakeSession {
    const session = this.app.sessions.at(-1);
    if (session === undefined) throw new Error('there is no session');
    return session;
  }

  async do(...commands: readonly ChatCommand[]): Promise<void> {
    for (const command of commands) this.runtime.execute(command);
    await this.settle();
  }

  /** Runs what is due now, without letting time pass. */
  async settle(): Promise<void> {
    await vi.advanceTimersByTimeAsync(0);
  }

  of<Type extends ChatEvent['type']>(type: Type): Extract<ChatEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<ChatEvent, { type: Type }> => event.type === type);
  }

  /** Types of the events, with the state where there is one. */
  get summary(): string[] {
    return this.events.map((event) => ('state' in event ? `${event.type} ${event.state}` : event.type));
  }
}

/** The chat of alice, who has made a group. */
export async function moderator(config: Partial<RuntimeConfig> = {}): Promise<Chat> {
  const chat = new Chat({ channel: CHANNEL, ...config });
  await chat.runtime.start();
  await chat.settle();
  return chat;
}

/** The chat of bob, who waits to be invited. */
export async function participant(config: Partial<RuntimeConfig> = {}): Promise<Chat> {
  const chat = new Chat(config);
  await chat.runtime.start();
  return chat;
}

/** A command that publishes. */
export const text = (ref: string, words = 'hello'): ChatCommand => ({ type: 'publish', text: words, ref });
