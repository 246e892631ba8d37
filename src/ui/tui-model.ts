import {
  activeSession,
  type ChatState,
  COMMANDS,
  inputContext,
  needsTick,
  parseInput,
  parseText,
  shortName,
  type TuiDeps,
} from '../chat/index.js';
import { assertNever } from '../util/index.js';
import { compose, type ComposerContext, type ComposerEffect, emptyComposer, setAside } from './composer.js';
import type { InputEvent, StartTimer, Vocabulary } from './input/index.js';
import type { ScreenSize } from './live-layout.js';
import { leaveQuestion, type UiState } from './live-view.js';

/** How often countdowns are drawn, ms. */
export const TICK_MS = 500;

/** How many printed lines are kept before they are forgotten, so that forgetting is rare. */
export const FORGET_LINES = 1000;

/** What a {@link TuiModel} needs. */
export interface TuiModelDeps extends Pick<TuiDeps, 'store' | 'execute' | 'nowMs'> {
  readonly size: () => ScreenSize;
  readonly startTimer: StartTimer;
  /** The user will not wait for a proper end. */
  readonly onForce: () => void;
  /** The user wants his shell for a while. */
  readonly onSuspend: () => void;
  /** The chat has ended. */
  readonly onEnded: (exitCode: number) => void;
}

/**
 * Everything the UI does that is not drawing: keys into commands, time into ticks. Knows neither Ink nor a terminal.
 *
 * A store in the sense of `useSyncExternalStore`.
 */
export class TuiModel {
  readonly #deps: TuiModelDeps;
  readonly #listeners = new Set<() => void>();
  #state: UiState;
  #stopTick: (() => void) | undefined;
  readonly #stopWatching: () => void;
  #clearScreen: (() => void) | undefined;
  #hasAskedToLeave = false;
  #forgotten = 0;

  constructor(deps: TuiModelDeps) {
    this.#deps = deps;
    this.#state = { composer: emptyComposer, size: deps.size(), nowMs: deps.nowMs(), isHidden: false, isClosed: false };
    this.#stopWatching = deps.store.subscribe(() => {
      this.#onChatChange();
    });
  }

  readonly getState = (): UiState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  /** Looks at the chat for the first time; from then on it is told about changes. */
  start(): void {
    this.#onChatChange();
  }

  /** Says how the screen is cleared. @returns takes that back */
  readonly onClearScreen = (clear: () => void): (() => void) => {
    this.#clearScreen = clear;
    return () => {
      this.#clearScreen = undefined;
    };
  };

  /** The lines before a key are in the scrollback: the chat need not keep them. */
  readonly onPrinted = (before: number): void => {
    if (before - this.#forgotten < FORGET_LINES) return;
    this.#forgotten = before;
    this.#deps.store.dispatch({ type: 'forget', before });
  };

  /** Takes what was typed. */
  handle(events: readonly InputEvent[]): void {
    for (const event of events) {
      const step = compose(this.#state.composer, event, this.#context());
      this.#update({ composer: step.state });
      // At once, because the next event of the same chunk may depend on it: Ctrl+C behind /quit, for one.
      for (const effect of step.effects) this.#perform(effect);
    }
  }

  /** Takes what was typed before there was a chat. A line that cannot be sent does not become the start of the next one. */
  handleTypedAhead(events: readonly InputEvent[]): void {
    for (const [index, event] of events.entries()) {
      this.handle([event]);
      const isLineEnd = event.kind === 'key' && event.key === 'enter';
      if (isLineEnd && index < events.length - 1) this.#update({ composer: setAside(this.#state.composer) });
    }
  }

  /** Leaves as the user would with /quit. */
  leave(): void {
    this.#hasAskedToLeave = true;
    this.#deps.execute({ type: 'exit' });
  }

  /** Shows nothing live, until {@link resize}. */
  hide(): void {
    this.#update({ isHidden: true });
  }

  /** The screen has a size for which the live region can be drawn. */
  resize(): void {
    this.#update({ size: this.#deps.size(), isHidden: false });
  }

  /** Ends: nothing live is shown any more, no timer runs. */
  close(): void {
    this.#stopWatching();
    this.#stopTick?.();
    this.#stopTick = undefined;
    this.#update({ isClosed: true });
  }

  #update(change: Partial<UiState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) listener();
  }

  #perform(effect: ComposerEffect): void {
    switch (effect.kind) {
      case 'run':
        if (effect.command.type === 'exit') this.#hasAskedToLeave = true;
        this.#deps.execute(effect.command);
        break;
      case 'clear-screen':
        this.#clearScreen?.();
        break;
      case 'suspend':
        this.#deps.onSuspend();
        break;
      case 'force':
        this.#deps.onForce();
        break;
      default:
        assertNever(effect);
    }
  }

  #onChatChange(): void {
    const chat = this.#deps.store.getState();
    this.#update({ nowMs: this.#deps.nowMs() });
    if (chat.ended !== null) this.#deps.onEnded(chat.ended.exitCode);
    else if (needsTick(chat)) this.#stopTick ??= this.#deps.startTimer(TICK_MS, () => this.#onTick());
  }

  #onTick(): void {
    this.#stopTick = undefined;
    this.#deps.store.dispatch({ type: 'tick', nowMs: this.#deps.nowMs() });
    // A tick that changes nothing in the chat still changes countdowns, and is followed by the next one.
    this.#onChatChange();
  }

  #context(): ComposerContext {
    const chat = this.#deps.store.getState();
    return {
      parse: (line, isConfirmed) => parseInput(line, inputContext(chat, { isConfirmed })),
      parseText: (text) => parseText(text, inputContext(chat, { isConfirmed: false })),
      vocabulary: () => vocabularyOf(chat),
      leaveWarning: leaveQuestion(chat),
      isLeaving: this.#hasAskedToLeave || chat.leaving !== null,
      sessions: chat.sessions.map(({ id }) => id),
      activeSession: chat.activeSession,
    };
  }
}

/** What Tab knows: commands, the other members, who has been invited or invites, and the other groups. */
function vocabularyOf(chat: ChatState): Vocabulary {
  const members = activeSession(chat)?.members ?? [];
  const names = [
    ...members.filter(({ name }) => name !== chat.local).map(({ label }) => label),
    ...chat.invitations.map(({ label }) => label),
    ...chat.asked.map(({ label }) => label),
    ...chat.sessions.filter(({ id }) => id !== chat.activeSession).map(({ channel }) => shortName(channel)),
  ];
  return { commands: COMMANDS.map(({ name }) => `/${name}`), names: [...new Set(names)] };
}
