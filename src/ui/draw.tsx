import { render } from 'ink';

import type { ChatStore, TuiStreams } from '../chat/index.js';
import { App } from './app.js';
import { inkStdout } from './ink-stdout.js';
import type { LiveLayout } from './live-layout.js';
import { makePaint, wantsColor } from './theme.js';
import type { TuiModel } from './tui-model.js';

/** Frames a second, at most. So many that a frame is drawn as soon as it is laid out: what is on the screen is known at any time. */
const MAX_FPS = 1000;

/** What is drawn, and where. */
export interface DrawingDeps extends TuiStreams {
  readonly store: ChatStore;
  readonly model: TuiModel;
  /** Called before anything is written; the live region on the screen is then still the one before. */
  readonly beforeWrite: () => void;
  /** A component threw; nothing is drawn from then on. */
  readonly onError: (error: unknown) => void;
}

/** The chat on the screen. */
export interface Drawing {
  /** The live region as it is on the screen now. */
  readonly drawn: () => LiveLayout;
  /** Draws for the size that the terminal has now. */
  readonly refreshSize: () => void;
  /** Draws no more. Idempotent. */
  readonly stop: () => void;
  /** Draws what is left, and resolves when the terminal has got it. */
  readonly finish: () => Promise<unknown>;
}

/** Draws the chat, and draws again whenever it has changed. */
export function draw({ stdin, stdout, store, model, beforeWrite, onError }: DrawingDeps): Drawing {
  let laidOut: LiveLayout = { rows: [], cursor: undefined };
  let drawn = laidOut;
  const onLayout = (live: LiveLayout): void => {
    laidOut = live;
  };
  const terminal = inkStdout(stdout, () => {
    beforeWrite();
    drawn = laidOut;
  });
  const paint = makePaint(wantsColor(process.env));
  const ink = render(<App store={store} model={model} paint={paint} onError={onError} onLayout={onLayout} />, {
    stdout: terminal.stream,
    stdin,
    maxFps: MAX_FPS,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  const finish = async (): Promise<unknown> => {
    const ended = ink.waitUntilExit();
    await Promise.resolve();
    ink.unmount();
    return ended;
  };
  return { drawn: () => drawn, refreshSize: terminal.refreshSize, stop: () => ink.unmount(), finish };
}
