interface Waiting {
  readonly runs: Set<() => void>;
  readonly listener: () => void;
}

/** What waits for each signal. Behind all of it the signal has one listener: Node warns of a leak at the eleventh. */
const waitingFor = new WeakMap<AbortSignal, Waiting>();

/**
 * Runs something as soon as a signal fires; at once if it has. Any number may wait for one signal: an application has one for
 * everything that is to end with it.
 *
 * @param run - a function of its own for each call; must not throw
 * @returns calls it off, and must be called when the wait is over: until then the signal keeps what `run` holds
 */
export function onAbort(signal: AbortSignal | undefined, run: () => void): () => void {
  if (signal === undefined) return () => undefined;
  if (signal.aborted) {
    run();
    return () => undefined;
  }
  const { runs, listener } = waitingFor.get(signal) ?? listenTo(signal);
  runs.add(run);
  return () => {
    runs.delete(run);
    if (runs.size > 0 || signal.aborted) return;
    signal.removeEventListener('abort', listener);
    waitingFor.delete(signal);
  };
}

function listenTo(signal: AbortSignal): Waiting {
  const runs = new Set<() => void>();
  const listener = (): void => {
    // What one of them calls off does not run any more.
    for (const run of runs) run();
  };
  const waiting = { runs, listener };
  waitingFor.set(signal, waiting);
  signal.addEventListener('abort', listener, { once: true });
  return waiting;
}
