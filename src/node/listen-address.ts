import { DEFAULT_HOST, DEFAULT_PORT } from '../transport/index.js';
import { UsageError } from '../util/index.js';

/** Where a node listens. */
export interface ListenAddress {
  /** IP address or host name, without brackets. */
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
}

/**
 * Parses `host:port`, `[ipv6]:port` or `:port` (loopback: whoever wants other computers to come in says so).
 *
 * @throws UsageError `invalid-option`, with a text that shows the form
 */
export function parseListen(text: string): ListenAddress {
  const match = /^(?:\[(?<ip6>[0-9a-f:.]+(?:%[\w.-]+)?)\]|(?<host>[^\s:/[\]]*)):(?<port>\d{1,5})$/i.exec(text);
  const port = Number(match?.groups?.['port']);
  if (match === null || port > 65_535) {
    throw new UsageError(
      'invalid-option',
      `The address to listen at is HOST:PORT, such as 127.0.0.1:${DEFAULT_PORT} or [::1]:0, got ${JSON.stringify(text)}.`,
    );
  }
  const host = match.groups?.['ip6'] ?? match.groups?.['host'];
  return { host: host === undefined || host === '' ? DEFAULT_HOST : host, port };
}
