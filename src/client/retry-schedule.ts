import { type BackoffConfig, backoffDelayMs } from '../transport/index.js';

/** Milliseconds to wait after so many failures in a row, from 1; `undefined` when it is time to give up. */
export type RetrySchedule = (failures: number) => number | undefined;

/** The first connection, unless said otherwise: ten attempts, a second apart (`message_processing.rs:connect`). */
const FIRST_ATTEMPTS = 10;
const FIRST: BackoffConfig = { kind: 'fixed-interval', intervalMs: 1000, maxAttempts: FIRST_ATTEMPTS - 1 };

/** A connection that was lost, unless said otherwise: for ever, with pauses that grow from the first to the last of these. */
const AGAIN_MIN_MS = 250;
const AGAIN_MAX_MS = 10_000;

/**
 * When to try the first connection again.
 *
 * @param backoff - of the configuration
 * @param attempts - how many attempts the program wants; goes before the number in `backoff`
 */
export function firstSchedule(backoff: BackoffConfig | undefined, attempts: number | undefined): RetrySchedule {
  const { maxAttempts: retries, ...waits } = backoff ?? FIRST;
  return scheduleOf({ ...waits, maxAttempts: attempts === undefined ? retries : Math.max(1, attempts) - 1 });
}

/** When to open a lost stream again. The loss itself is the first failure. */
export function reconnectionSchedule(backoff: BackoffConfig | undefined): RetrySchedule {
  if (backoff !== undefined) return scheduleOf(backoff);
  // Up to a quarter less, so that the members of a group do not all come back in the same instant.
  return (failures) => Math.round(Math.min(AGAIN_MAX_MS, AGAIN_MIN_MS * 2 ** (failures - 1)) * (1 - Math.random() / 4));
}

function scheduleOf(backoff: BackoffConfig): RetrySchedule {
  return (failures) => {
    const delayMs = backoffDelayMs(backoff, failures, Math.random);
    return delayMs === undefined ? undefined : Math.round(delayMs);
  };
}
