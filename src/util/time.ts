import { SessionError } from './errors.js';
import { onAbort } from './on-abort.js';

/** How long to wait for something, and what ends the wait early. */
export interface WaitOptions {
  /** Rejects with SessionError `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; rejects with SessionError `timeout`. Waits for ever if absent. */
  readonly timeoutMs?: number | undefined;
}

/** What {@link startTimer} started. */
export interface Timer {
  /** Calls it off. Without effect when it has run, or was cancelled before. */
  readonly cancel: () => void;
}

/** How a timer runs. */
export interface TimerOptions {
  /** Whether the process waits for it. Default true. */
  readonly keepsAlive?: boolean;
}

/** The longest wait that a timer of Node can count (24.8 days). It fires a longer one at once, with a warning on stderr. */
const LONGEST_MS = 2 ** 31 - 1;

/** A timer that fires so much too late, in milliseconds, tells that the process stood still: stopped, asleep, or very busy. */
const STOOD_STILL_MS = 1000;

/** How long what came meanwhile is looked at before such a timer runs, in milliseconds. */
const CATCH_UP_MS = 200;

/**
 * Runs something later. The only place of this package that starts timers of Node, because those are safe for any wait here:
 * one of months is waited for in pieces, and `Infinity` never ends. When the process stood still, what came in the meantime goes
 * first: Node would run all timers that are due before it looks at a socket, and take for missing what lies there.
 *
 * @param afterMs - milliseconds from now
 */
export function startTimer(afterMs: number, run: () => void, { keepsAlive = true }: TimerOptions = {}): Timer {
  let handle: NodeJS.Timeout;
  const start = (remainingMs: number): void => {
    const pieceMs = Math.min(remainingMs, LONGEST_MS);
    const dueMs = performance.now() + pieceMs;
    handle = setTimeout(() => {
      if (remainingMs > pieceMs) start(remainingMs - pieceMs);
      else if (performance.now() - dueMs > STOOD_STILL_MS) start(CATCH_UP_MS);
      else run();
    }, pieceMs);
    if (!keepsAlive) handle.unref();
  };
  start(afterMs);
  return {
    cancel: () => {
      clearTimeout(handle);
    },
  };
}

/**
 * Runs something again and again, each time `everyMs` after the last.
 *
 * @param everyMs - milliseconds, above zero
 */
export function startInterval(everyMs: number, run: () => void, options: TimerOptions = {}): Timer {
  let timer: Timer;
  let isCancelled = false;
  const start = (): void => {
    timer = startTimer(
      everyMs,
      () => {
        run();
        if (!isCancelled) start();
      },
      options,
    );
  };
  start();
  return {
    cancel: () => {
      isCancelled = true;
      timer.cancel();
    },
  };
}

/**
 * Waits.
 *
 * @throws SessionError `aborted` as soon as the signal fires
 */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = startTimer(ms, () => {
      stopWaiting();
      resolve();
    });
    const stopWaiting = onAbort(signal, () => {
      timer.cancel();
      reject(abortError(signal));
    });
  });
}

/** Settles as `promise` does, or rejects when the wait is over. `promise` itself goes on, and its failure is then nobody's. */
export async function withDeadline<T>(promise: Promise<T>, { signal, timeoutMs }: WaitOptions): Promise<T> {
  if (signal === undefined && timeoutMs === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const onTimeout = (): void => {
      finish();
      reject(new SessionError('timeout', `no answer within ${timeoutMs} ms`));
    };
    const timer = timeoutMs === undefined ? undefined : startTimer(timeoutMs, onTimeout);
    const finish = (): void => {
      timer?.cancel();
      stopWaiting();
    };
    const stopWaiting = onAbort(signal, () => {
      timer?.cancel();
      reject(abortError(signal));
    });
    // Listened to after an abort as well: a failure that comes later would be an unhandled rejection.
    promise.then(
      (value) => {
        finish();
        resolve(value);
      },
      (error: unknown) => {
        finish();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}

/** What an aborted call rejects with. */
export function abortError(signal: AbortSignal | undefined): SessionError {
  return new SessionError('aborted', 'the call was aborted', { cause: signal?.reason });
}
