import { assertNever } from '../util/index.js';

import { badConfig, type ConfigReader } from './config-reader.js';

/** What a configuration document says about waiting between attempts. */
export type BackoffConfig = { readonly maxAttempts: number } & (
  | { readonly kind: 'fixed-interval'; readonly intervalMs: number }
  | {
      readonly kind: 'exponential';
      readonly baseMs: number;
      readonly factor: number;
      readonly maxDelayMs: number;
      readonly jitter: boolean;
    }
);

/**
 * Reads the `backoff` object, which SLIM knows since 1.0.
 *
 * @throws ConfigError `bad-config`, `unsupported-config`
 * @internal
 */
export function readBackoff(reader: ConfigReader | undefined): BackoffConfig | undefined {
  if (!reader) return undefined;
  const backoff = readKind(reader, reader.requiredString('type'));
  reader.done();
  return backoff;
}

function readKind(reader: ConfigReader, type: string): BackoffConfig {
  const maxAttempts = reader.count('max_attempts') ?? Number.POSITIVE_INFINITY;
  switch (type) {
    case 'fixed_interval':
      return { kind: 'fixed-interval', maxAttempts, intervalMs: reader.durationMs('interval') ?? 1000 };
    case 'exponential':
      return {
        kind: 'exponential',
        maxAttempts,
        baseMs: reader.count('base') ?? 100,
        factor: reader.count('factor') ?? 1,
        maxDelayMs: reader.durationMs('max_delay') ?? 1000,
        jitter: reader.boolean('jitter', true),
      };
    default:
      throw badConfig(reader.path('type'), "must be 'exponential' or 'fixed_interval'");
  }
}

/**
 * How long to wait before the next attempt.
 *
 * @param backoff - from the configuration
 * @param failedAttempts - how many attempts have failed in a row, from 1
 * @param random - between 0 and 1, for the jitter
 * @returns milliseconds, or `undefined` when it is time to give up
 */
export function backoffDelayMs(
  backoff: BackoffConfig,
  failedAttempts: number,
  random: () => number,
): number | undefined {
  if (failedAttempts > backoff.maxAttempts) return undefined;
  switch (backoff.kind) {
    case 'fixed-interval':
      return backoff.intervalMs;
    case 'exponential': {
      // As upstream: the base to the power of the attempt, so 100 ms, then the maximum.
      const delayMs = Math.min(backoff.baseMs ** failedAttempts * backoff.factor, backoff.maxDelayMs);
      return backoff.jitter ? delayMs * random() : delayMs;
    }
    default:
      return assertNever(backoff);
  }
}
