import type { ClientHttp2Session } from 'node:http2';

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
  let overdue: NodeJS.Timeout | undefined;
  const ping = (): void => {
    if (overdue !== undefined || session.destroyed) return;
    overdue = setTimeout(() => {
      stop();
      onDead();
    }, config.timeoutMs);
    // An error means that the connection is gone already, and that is seen elsewhere.
    session.ping(() => {
      clearTimeout(overdue);
      overdue = undefined;
    });
  };
  const interval = setInterval(ping, config.intervalMs);
  const stop = (): void => {
    clearInterval(interval);
    clearTimeout(overdue);
  };
  return stop;
}
