import type { FaceCommand } from './slash-command.js';
import type { ChatStore } from './store.js';

/** The two ends of a terminal. */
export interface TuiStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
}

/** What the terminal UI gets from the program around it. */
export interface TuiDeps {
  /** Everything to show; start lines are in its log already. The UI dispatches `tick` while `needsTick` says so. */
  readonly store: ChatStore;
  /**
   * Carries out what `parseInput` made of a line; never throws. Answers come through the store: own messages, hints, help,
   * and `ended` after `exit`. `clear` is the UI's own business and does nothing here.
   */
  readonly execute: (command: FaceCommand) => void;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** How the terminal UI ended: after the chat itself has (`state.ended`), or because the user would not wait for that. */
export type TuiExit = { readonly kind: 'ended'; readonly exitCode: number } | { readonly kind: 'forced' };

/** The terminal UI. It holds the terminal from its start on, and has something to show later. */
export interface Tui {
  /** Shows the chat until it has ended. Resolves with the terminal restored. */
  run(deps: TuiDeps): Promise<TuiExit>;
  /** Restores the terminal, for a program that ends before there is a chat. */
  close(): void;
}

/** Takes the terminal. The type of `openTui`, exported by `ui/`. */
export type OpenTui = (streams: TuiStreams) => Tui;
