import { type ChatState, isHolding } from '../chat/index.js';
import { DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT_MS } from '../client/index.js';
import type { RuntimeConfig } from './runtime-config.js';

/** Time on top of (R+1) × T in which the report of a failure arrives. */
const SETTLE_MARGIN_MS = 500;

/**
 * How long the program waits for its messages at the end of its input: as told, or as long as it can take until somebody has come and
 * they are settled.
 */
export function drainMs(
  state: ChatState,
  { lingerMs, timeoutMs = DEFAULT_TIMEOUT_MS, maxRetries = DEFAULT_MAX_RETRIES }: RuntimeConfig,
): number {
  if (lingerMs !== undefined) return lingerMs;
  const settleMs = state.sessions.map((session) => session.timeoutMs * (session.maxRetries + 1));
  const longestMs = Math.max(timeoutMs * (maxRetries + 1), ...settleMs) + SETTLE_MARGIN_MS;
  // Once somebody is there every message settles by itself; the bound is for a client that does not keep its word.
  return isHolding(state) ? longestMs : 3 * longestMs;
}
