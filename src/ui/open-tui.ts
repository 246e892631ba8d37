import { constants } from 'node:os';

import type { OpenTui, Tui, TuiDeps, TuiExit, TuiStreams } from '../chat/index.js';
import { startTimer } from '../util/index.js';
import type { Drawing } from './draw.js';
import { eraseLive, eraseReflowed, makeRoom, reflowOf } from './ink-stdout.js';
import { InputReader, type InputEvent, type StartTimer } from './input/index.js';
import { JobControl } from './job-control.js';
import type { ScreenSize } from './live-layout.js';
import { type LeaveStyle, Terminal } from './terminal.js';
import { TuiModel } from './tui-model.js';

/** Signals that ask the program to end, and can wait until it has left. */
const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;
type Signal = (typeof SIGNALS)[number];

/** How long the size of the terminal must have been the same before the live region is drawn again, in ms. */
const SETTLE_MS = 100;

/** What is due runs after the signals that have come meanwhile: whoever draws when a stop is over must know of it first. */
const startUiTimer: StartTimer = (afterMs, run) => {
  let due: NodeJS.Immediate | undefined;
  const { cancel } = startTimer(afterMs, () => {
    due = setImmediate(run);
  });
  return () => {
    cancel();
    clearImmediate(due);
  };
};

/**
 * Takes the terminal, so that nothing that is typed from now on is echoed or lost, and shows the chat in it later.
 *
 * Both streams must be terminals. The terminal is restored on every way out, also when the process ends from elsewhere, and given
 * back while the process is stopped. SIGTERM, SIGHUP, SIGINT and a terminal that went away leave properly; a signal then gives 128
 * plus its number as exit code, and a second one does not wait. Ctrl+C before there is a chat is a SIGINT.
 */
export const openTui: OpenTui = (streams) => new TerminalUi(streams);

class TerminalUi implements Tui {
  readonly #streams: TuiStreams;
  readonly #terminal: Terminal;
  readonly #reader: InputReader;
  readonly #jobs: JobControl;
  /** Loading it takes a while, and so does what the program does before there is something to draw. */
  readonly #drawModule = import('./draw.js');
  #model: TuiModel | undefined;
  #drawing: Drawing | undefined;
  #stopSettling: (() => void) | undefined;
  #isGone = false;
  /** The shell has the terminal. */
  #isStopped = false;

  constructor(streams: TuiStreams) {
    this.#streams = streams;
    this.#terminal = new Terminal(streams);
    this.#reader = new InputReader({ startTimer: startUiTimer, onInterrupt: () => process.emit('SIGINT', 'SIGINT') });
    this.#jobs = new JobControl({ onStop: () => this.#onStop(), onContinue: () => this.#onContinue() });
    // Whoever wants to draw hears of it.
    this.#drawModule.catch(() => undefined);
    const { stdin, stdout } = streams;
    stdin.on('end', this.#onGone).on('error', this.#onGone);
    stdout.on('error', this.#onGone);
    process.on('exit', this.#onExit);
    this.#terminal.enter((bytes) => this.#reader.feed(bytes));
  }

  /** @returns a promise that rejects with what the UI threw */
  async run(deps: TuiDeps): Promise<TuiExit> {
    const { stdin, stdout } = this.#streams;
    let finish: (exit: TuiExit) => void = () => undefined;
    let fail: (thrown: unknown) => void = () => undefined;
    const outcome = new Promise<TuiExit>((resolve, reject) => {
      finish = resolve;
      fail = (thrown) => {
        reject(toError(thrown));
      };
    });
    let signalCode: number | undefined;
    const model = new TuiModel({
      ...deps,
      size: () => this.#size(),
      startTimer: startUiTimer,
      onForce: () => finish({ kind: 'forced' }),
      onSuspend: () => this.#jobs.stop(),
      onEnded: (exitCode) => finish({ kind: 'ended', exitCode: signalCode ?? exitCode }),
    });
    const onSignal = (signal: Signal): void => {
      const exitCode = 128 + constants.signals[signal];
      if (signalCode !== undefined) finish({ kind: 'ended', exitCode });
      signalCode = exitCode;
      model.leave();
    };
    const onEvents = (events: readonly InputEvent[]): void => {
      try {
        model.handle(events);
      } catch (error) {
        fail(error);
      }
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
    try {
      const { draw } = await this.#drawModule;
      this.#model = model;
      const drawing = draw({
        ...{ stdin, stdout, store: deps.store, model, onError: fail },
        // A message may be there to be drawn before the signal that a stop is over.
        beforeWrite: () => {
          if (this.#isStopped) this.#onContinue();
        },
      });
      this.#drawing = drawing;
      stdout.on('resize', this.#onResize);
      model.start();
      model.handleTypedAhead(this.#reader.open(onEvents));
      if (this.#isGone) model.leave();
      const exit = await outcome;
      model.close();
      // Until the empty live region has been drawn and everything has reached the terminal.
      await drawing.finish();
      this.#leaveTerminal('clean');
      return exit;
    } finally {
      model.close();
      this.close();
      for (const signal of SIGNALS) process.off(signal, onSignal);
    }
  }

  close(): void {
    this.#reader.close();
    this.#stopSettling?.();
    this.#jobs.close();
    this.#leaveTerminal('abrupt');
    process.off('exit', this.#onExit);
    const { stdin, stdout } = this.#streams;
    stdin.off('end', this.#onGone).off('error', this.#onGone);
    // Errors of a terminal that is gone may still come; they have no consequence any more.
    stdout.off('resize', this.#onResize);
  }

  /** A pty may report 0 rows and columns for a while. */
  #size(): ScreenSize {
    const { columns, rows } = this.#streams.stdout;
    return { columns: columns || 80, rows: rows || 24 };
  }

  #leaveTerminal(style: LeaveStyle): void {
    this.#drawing?.stop();
    this.#terminal.restore(style);
  }

  readonly #onExit = (): void => {
    this.#leaveTerminal('abrupt');
  };

  readonly #onGone = (): void => {
    this.#isGone = true;
    this.#model?.leave();
  };

  readonly #onResize = (): void => {
    if (this.#drawing === undefined || this.#model === undefined) return;
    const { size } = this.#model.getState();
    const isHidden = this.#stopSettling !== undefined;
    this.#drawLater(isHidden ? '' : eraseReflowed(this.#drawing.drawn(), size, this.#size(), reflowOf(process.env)));
  };

  #onStop(): void {
    if (this.#drawing !== undefined) this.#terminal.write(eraseLive(this.#drawing.drawn()));
    this.#terminal.suspend();
    this.#isStopped = true;
  }

  #onContinue(): void {
    this.#isStopped = false;
    this.#terminal.resume();
    if (this.#drawing === undefined) return;
    // Where the cursor is now, nobody knows: the region begins in its row.
    this.#drawLater(makeRoom(this.#drawing.drawn()));
  }

  /**
   * Shows no live region for a moment: in a window that is being dragged, each frame would be drawn for a size that is another one
   * by the time it gets there.
   *
   * @param erase - what erases the live region and leaves the cursor where Ink believes it to be
   */
  #drawLater(erase: string): void {
    const { stdout } = this.#streams;
    // With the empty frame in one piece: another resize between them would move the cursor.
    stdout.cork();
    stdout.write(erase);
    this.#model?.hide();
    setImmediate(() => {
      stdout.uncork();
    });
    this.#stopSettling?.();
    this.#stopSettling = startUiTimer(SETTLE_MS, () => {
      this.#stopSettling = undefined;
      this.#drawing?.refreshSize();
      this.#model?.resize();
    });
  }
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('the UI threw something that is no error', { cause: thrown });
}
