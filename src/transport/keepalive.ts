import type { ClientHttp2Session } from 'node:http2';

import { startInterval, startTimer, type Timer } from '../util/index.js';

import type { KeepaliveConfig } from './client-config.js';

/**
 * Pings the other side of an HTTP/2 connection now and then.
 *
 * @param onDead - called once when an answer is late
 * @returns stops it
 * @internal
 */
export function startKeepalive(session: ClientHttp2Session, config: KeepaliveConfig, onDead: () => void): () => void {
  if (config.intervalMs === 0) return () => undefined;
  let overdue: Timer | undefined;
  const ping = (): void => {
    if (overdue !== undefined || session.destroyed) return;
    overdue = startTimer(config.timeoutMs, () => {
      stop();
      onDead();
    });
    // An error means that the connection is gone already, and that is seen elsewhere.
    session.ping(() => {
      overdue?.cancel();
      overdue = undefined;
    });
  };
  const interval = startInterval(config.intervalMs, ping);
  const stop = (): void => {
    interval.cancel();
    overdue?.cancel();
  };
  return stop;
}
