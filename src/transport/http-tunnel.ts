import { request } from 'node:http';
import type { Socket } from 'node:net';

import type { ClientConfig } from './client-config.js';
import { proxyError, tcpError } from './connection-errors.js';
import { authorityOf, isLoopback } from './endpoint.js';

/**
 * The proxy that the environment names for an endpoint: `http_proxy` or `https_proxy` by scheme, then `all_proxy`, in lower or
 * upper case, unless `no_proxy` lists the host, one of its parent domains, or `*`. Never one for this computer.
 *
 * @param env - environment variables
 * @internal
 */
export function environmentProxy(
  config: ClientConfig,
  env: Readonly<Record<string, string | undefined>>,
): URL | undefined {
  if (isLoopback(config)) return undefined;
  // An empty variable is how people switch one off.
  const variable = (name: string): string | undefined =>
    [env[name], env[name.toUpperCase()]].find((value) => value !== undefined && value !== '');
  const text = variable(config.secure ? 'https_proxy' : 'http_proxy') ?? variable('all_proxy');
  if (text === undefined) return undefined;
  const exceptions = (variable('no_proxy') ?? '').split(',').map((entry) => entry.trim().toLowerCase());
  const isException = exceptions.some((entry) => {
    const domain = entry.replace(/^\*?\./, '');
    return domain !== '' && (entry === '*' || config.host === domain || config.host.endsWith(`.${domain}`));
  });
  if (isException) return undefined;
  const asUrl = text.includes('://') ? text : `http://${text}`;
  return URL.canParse(asUrl) ? new URL(asUrl) : undefined;
}

/**
 * Asks a proxy for a TCP connection to the endpoint.
 *
 * @throws ConnectionError `unreachable` when the proxy is out of reach or refuses; the reason of `signal` when that fires
 * @internal
 */
export function openTunnel(proxy: URL, config: ClientConfig, signal: AbortSignal): Promise<Socket> {
  const name = proxy.host;
  if (proxy.protocol !== 'http:') {
    return Promise.reject(proxyError(config, name, `${proxy.protocol}// proxies are not supported`));
  }
  const target = authorityOf(config);
  const headers: Record<string, string> = { host: target };
  if (proxy.username !== '') {
    const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    headers['proxy-authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`;
  }
  return new Promise((resolve, reject) => {
    const { hostname: host, port } = proxy;
    const options = {
      method: 'CONNECT',
      host: host.replace(/^\[|\]$/g, ''),
      port: port === '' ? 80 : Number(port),
      path: target,
      headers,
    };
    const tunnel = request({ ...options, agent: false, signal });
    tunnel.once('connect', (response, socket: Socket, head) => {
      if (response.statusCode === 200) {
        // Bytes of the node that came with the proxy's answer.
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      } else {
        socket.destroy();
        reject(proxyError(config, name, `HTTP status ${response.statusCode ?? 0}`));
      }
    });
    // An answer that is not about the tunnel.
    tunnel.once('response', (response) => {
      tunnel.destroy();
      reject(proxyError(config, name, `HTTP status ${response.statusCode ?? 0}`));
    });
    tunnel.once('error', (error) => {
      reject(signal.aborted ? (signal.reason as Error) : proxyError(config, name, tcpError(config, error).code, error));
    });
    tunnel.end();
  });
}
