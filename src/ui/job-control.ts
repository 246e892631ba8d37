import { startTimer } from '../util/index.js';

/**
 * How long after a stop the program takes the terminal back if nobody has told it to go on, in ms. Where no shell waits for it, the
 * system does not stop it; where one does, this time passes while the program stands still.
 */
const NOT_STOPPED_MS = 50;

/** What to do around a stop. */
export interface JobControlHandlers {
  /** The program is about to stop and can still act. Not called for SIGSTOP. */
  readonly onStop: () => void;
  /** The program goes on; somebody else may have used the terminal. */
  readonly onContinue: () => void;
}

/** Lets a shell stop the program and let it go on, as it does with programs that leave the terminal in line mode. */
export class JobControl {
  readonly #handlers: JobControlHandlers;
  #cancelFallback: (() => void) | undefined;

  constructor(handlers: JobControlHandlers) {
    this.#handlers = handlers;
    // Windows has no such signals.
    if (process.platform === 'win32') return;
    process.on('SIGTSTP', this.#onStopSignal);
    process.on('SIGCONT', this.#onContinueSignal);
  }

  /** Stops the program with all that were started with it, as the terminal does at Ctrl+Z: a shell waits for the first of them. */
  stop(): void {
    if (process.platform !== 'win32') this.#stop(0);
  }

  /** Listens no more. */
  close(): void {
    this.#cancelFallback?.();
    process.off('SIGTSTP', this.#onStopSignal);
    process.off('SIGCONT', this.#onContinueSignal);
  }

  #stop(target: number): void {
    this.#handlers.onStop();
    // Without a listener the signal does what it does by default.
    process.off('SIGTSTP', this.#onStopSignal);
    process.kill(target, 'SIGTSTP');
    this.#cancelFallback = startTimer(NOT_STOPPED_MS, this.#onContinueSignal).cancel;
  }

  readonly #onStopSignal = (): void => {
    this.#stop(process.pid);
  };

  readonly #onContinueSignal = (): void => {
    this.#cancelFallback?.();
    this.#cancelFallback = undefined;
    process.off('SIGTSTP', this.#onStopSignal);
    process.on('SIGTSTP', this.#onStopSignal);
    this.#handlers.onContinue();
  };
}
