import { constants } from 'node:os';

import { render } from 'ink';

import type { RunTui, TuiExit } from '../chat/index.js';
import { startTimer } from '../util/index.js';
import { App } from './app.js';
import { TuiModel } from './tui-model.js';
import { eraseReflowed, inkStdout, reflowOf } from './ink-stdout.js';
import { InputReader, type StartTimer } from './input/index.js';
import type { ScreenSize } from './live-layout.js';
import { liveView } from './live-view.js';
import { type LeaveStyle, Terminal } from './terminal.js';
import { makePaint, wantsColor } from './theme.js';

/** Signals that ask the program to end, and can wait until it has left. */
const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;
type Signal = (typeof SIGNALS)[number];

const startUiTimer: StartTimer = (afterMs, run) => startTimer(afterMs, run).cancel;

/**
 * Shows the chat in a terminal until it has ended.
 *
 * Both streams must be terminals. The terminal is restored on every way out, also when the process ends from elsewhere. SIGTERM,
 * SIGHUP, SIGINT and a terminal that went away leave properly; a signal then gives 128 plus its number as exit code, and a second
 * one does not wait.
 *
 * @returns a promise that rejects with what the UI threw
 */
export const runTui: RunTui = async (deps) => {
  const { stdin, stdout, store } = deps;
  const terminal = new Terminal({ stdin, stdout });
  let finish: (exit: TuiExit) => void = () => undefined;
  let fail: (thrown: unknown) => void = () => undefined;
  const outcome = new Promise<TuiExit>((resolve, reject) => {
    finish = resolve;
    fail = (thrown) => {
      reject(toError(thrown));
    };
  });
  let signalCode: number | undefined;
  // A pty may report 0 rows and columns for a while.
  const size = (): ScreenSize => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 });

  const model = new TuiModel({
    ...deps,
    size,
    startTimer: startUiTimer,
    onForce: () => finish({ kind: 'forced' }),
    onEnded: (exitCode) => finish({ kind: 'ended', exitCode: signalCode ?? exitCode }),
  });
  const reader = new InputReader({
    startTimer: startUiTimer,
    onEvents: (events) => {
      try {
        model.handle(events);
      } catch (error) {
        fail(error);
      }
    },
  });

  const onSignal = (signal: Signal): void => {
    const exitCode = 128 + constants.signals[signal];
    if (signalCode !== undefined) finish({ kind: 'ended', exitCode });
    signalCode = exitCode;
    model.leave();
  };
  const onGone = (): void => model.leave();
  const reflow = reflowOf(process.env);
  // Must be told before Ink is, so it is registered first.
  const onResize = (): void => {
    const before = model.getState();
    const { columns } = size();
    if (columns < before.size.columns) stdout.write(eraseReflowed(liveView(store.getState(), before), columns, reflow));
    model.resize();
  };

  stdout.on('resize', onResize).on('error', onGone);
  stdin.on('end', onGone).on('error', onGone);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  // Before anything is drawn: whoever sees the prompt may type, and every key must arrive as a key.
  terminal.enter((bytes) => reader.feed(bytes));
  const paint = makePaint(wantsColor(process.env));
  const ink = render(<App store={store} model={model} paint={paint} onError={fail} />, {
    stdout: inkStdout(stdout),
    stdin,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  const leaveTerminal = (style: LeaveStyle): void => {
    ink.unmount();
    terminal.restore(style);
  };
  const onExit = (): void => leaveTerminal('abrupt');
  process.on('exit', onExit);

  try {
    model.start();
    const exit = await outcome;
    model.close();
    // Until the empty live region has been drawn and everything has reached the terminal.
    const drawn = ink.waitUntilExit();
    await Promise.resolve();
    ink.unmount();
    await drawn;
    terminal.restore('clean');
    return exit;
  } finally {
    reader.close();
    model.close();
    leaveTerminal('abrupt');
    process.off('exit', onExit);
    for (const signal of SIGNALS) process.off(signal, onSignal);
    stdin.off('end', onGone).off('error', onGone);
    // Errors of a terminal that is gone may still come; they have no consequence any more.
    stdout.off('resize', onResize);
  }
};

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('the UI threw something that is no error', { cause: thrown });
}
