import {
  type ChatCommand,
  type ChatEvent,
  type ChatStore,
  type FaceCommand,
  groupLines,
  helpLines,
  type StartInfo,
  startLines,
} from '../chat/index.js';
import type { ChatPort } from './json-mode.js';

/** What stands between a person and the chat, in the terminal UI as in plain mode. */
export class Face {
  readonly #store: ChatStore;
  readonly #start: StartInfo;
  #chat: Pick<ChatPort, 'execute'> | undefined;

  constructor(store: ChatStore, start: StartInfo) {
    this.#store = store;
    this.#start = start;
  }

  /** Says who carries out commands. */
  attach(chat: Pick<ChatPort, 'execute'>): void {
    this.#chat = chat;
  }

  /** Says what to do next, once the chat is ready. */
  readonly onEvent = (event: ChatEvent): void => {
    if (event.type === 'ready') this.#note(startLines(event, this.#start));
  };

  /** Answers a line that was not understood. `isRefusal`: it was, or may have been, a message. */
  hint(text: string, isRefusal = false): void {
    this.#store.dispatch({ type: 'hint', at: new Date().toISOString(), text, isRefusal });
  }

  /** Carries out what was typed. */
  readonly execute = (command: FaceCommand): void => {
    switch (command.type) {
      case 'help':
        this.#note(helpLines());
        return;
      case 'groups':
        this.#note(groupLines(this.#store.getState()));
        return;
      case 'retry':
        this.#retry();
        return;
      case 'drop':
        this.#drop(command);
        return;
      case 'clear':
        // The business of the UI; there is nothing to clear elsewhere.
        return;
      case 'publish':
      case 'invite':
      case 'remove':
      case 'who':
      case 'status':
      case 'leave':
      case 'switch':
      case 'accept':
      case 'decline':
      case 'exit':
        this.#chat?.execute(command);
        return;
    }
  };

  #note(lines: readonly string[]): void {
    this.#store.dispatch({ type: 'note', lines });
  }

  #retry(): void {
    const { failed, sessions } = this.#store.getState();
    if (failed.length === 0) {
      this.hint('there is no undelivered message');
      return;
    }
    const orphans = failed.filter((own) => sessions.every(({ id }) => id !== own.session)).length;
    if (orphans > 0) {
      const what = orphans === 1 ? 'one message' : `${orphans} messages`;
      this.hint(`the group of ${what} is over, and it goes to no other: write it again where you want it`);
    }
    this.#chat?.execute({ type: 'retry' });
  }

  #drop(command: Extract<ChatCommand, { type: 'drop' }>): void {
    const before = this.#store.getState().own.length;
    this.#chat?.execute(command);
    const dropped = before - this.#store.getState().own.length;
    this.hint(dropped === 0 ? 'no message waits to be sent' : `dropped ${dropped} waiting`);
  }
}
