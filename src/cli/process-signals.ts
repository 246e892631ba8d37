import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Turns the signals that ask for an end into a proper one. A second signal does not wait for it.
 *
 * @param onSignal - gets the exit code of the first one, 128 plus its number
 * @returns stops listening
 */
export function listenForSignals(onSignal: (exitCode: number) => void): () => void {
  let hasCome = false;
  const stops = SIGNALS.map((signal) => {
    const listener = (): void => {
      const exitCode = 128 + constants.signals[signal];
      if (hasCome) process.exit(exitCode);
      hasCome = true;
      onSignal(exitCode);
    };
    process.on(signal, listener);
    return () => {
      process.off(signal, listener);
    };
  });
  return () => {
    for (const stop of stops) stop();
  };
}
