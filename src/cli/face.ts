import {
  type ChatCommand,
  type ChatEvent,
  type ChatStore,
  type FaceCommand,
  helpLines,
  type StartInfo,
  startLines,
} from '../chat/index.js';
import { LEAVE_BUDGET_MS } from './chat-runtime.js';

/** What stands between a person and the chat, in the terminal UI as in plain mode. */
export class Face {
  readonly #store: ChatStore;
  readonly #start: StartInfo;
  #chat: ((command: ChatCommand) => void) | undefined;
  #lastRef = 0;

  constructor(store: ChatStore, start: StartInfo) {
    this.#store = store;
    this.#start = start;
  }

  /** Says who carries out commands. */
  attach(execute: (command: ChatCommand) => void): void {
    this.#chat = execute;
  }

  /** Shows what happens in the chat. */
  readonly onEvent = (event: ChatEvent): void => {
    this.#store.dispatch(event);
    if (event.type === 'ready') this.#store.dispatch({ type: 'note', lines: startLines(event, this.#start) });
  };

  /** Leaving has begun. */
  readonly onLeaving = (): void => {
    this.#store.dispatch({ type: 'leaving', at: now(), budgetMs: LEAVE_BUDGET_MS });
  };

  /** Answers a line that was not understood. */
  hint(text: string): void {
    this.#store.dispatch({ type: 'hint', at: now(), text });
  }

  /** Carries out what was typed. */
  readonly execute = (command: FaceCommand): void => {
    switch (command.type) {
      case 'help':
        this.#store.dispatch({ type: 'note', lines: helpLines() });
        return;
      case 'retry':
        this.#retry();
        return;
      case 'drop':
        this.#drop();
        return;
      case 'clear':
        // The business of the UI; there is nothing to clear elsewhere.
        return;
      case 'publish':
        this.#publish(command, false);
        return;
      case 'invite':
      case 'remove':
      case 'who':
      case 'status':
      case 'leave':
      case 'exit':
        this.#chat?.(command);
        return;
    }
  };

  #publish(command: Extract<ChatCommand, { type: 'publish' }>, isRetry: boolean): void {
    this.#lastRef += 1;
    const ref = `m${this.#lastRef}`;
    this.#store.dispatch({ type: 'own', at: now(), ref, text: command.text ?? '', isRetry });
    this.#chat?.({ ...command, ref });
  }

  #retry(): void {
    const { failed } = this.#store.getState();
    if (failed.length === 0) {
      this.hint('there is no undelivered message');
      return;
    }
    this.#store.dispatch({ type: 'retried', refs: failed.map(({ ref }) => ref) });
    // To everybody again: a member of SLIM 0.7.0 loses its place in the sequence over a message to it alone.
    for (const { ref, rawText } of failed) this.#publish({ type: 'publish', text: rawText, retryOf: ref }, true);
  }

  #drop(): void {
    const before = this.#store.getState().own.length;
    this.#chat?.({ type: 'drop' });
    const dropped = before - this.#store.getState().own.length;
    this.hint(dropped === 0 ? 'no message waits for the first member' : `dropped ${dropped} waiting`);
  }
}

function now(): string {
  return new Date().toISOString();
}
