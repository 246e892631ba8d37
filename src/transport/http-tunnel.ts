import { request } from 'node:http';
import { BlockList, isIP, type Socket } from 'node:net';

import { ConfigError } from '../util/index.js';

import type { ClientConfig } from './client-config.js';
import { proxyError, tcpError } from './connection-errors.js';
import { authorityOf, isLoopback } from './endpoint.js';

/**
 * The proxy that the environment names for an endpoint: `http_proxy` or `https_proxy` by scheme, then `all_proxy`, in lower or
 * upper case, unless `no_proxy` lists the host. Never one for this computer.
 *
 * @param env - environment variables
 * @throws ConfigError `bad-config` for a proxy that is no URL: going without one may be just what it was set against
 * @internal
 */
export function environmentProxy(
  config: ClientConfig,
  env: Readonly<Record<string, string | undefined>>,
): URL | undefined {
  if (isLoopback(config)) return undefined;
  // An empty variable is how people switch one off.
  const find = (...names: readonly string[]): readonly [name: string, value: string] | undefined =>
    names
      .flatMap((name) => [name, name.toUpperCase()])
      .map((name) => [name, env[name]?.trim() ?? ''] as const)
      .find(([, value]) => value !== '');
  const found = find(config.secure ? 'https_proxy' : 'http_proxy', 'all_proxy');
  if (found === undefined || isExcepted(config, find('no_proxy')?.[1] ?? '')) return undefined;
  const [name, text] = found;
  const asUrl = text.includes('://') ? text : `http://${text}`;
  // It may hold a password, so it is not shown.
  if (!URL.canParse(asUrl)) throw new ConfigError('bad-config', `The environment variable ${name} holds no proxy URL.`);
  return new URL(asUrl);
}

/**
 * Whether `no_proxy` lists a host. Its entries stand between commas or blanks: a host name with all names below it, with or without
 * `*.` or a dot in front, an IP address, a network such as `10.0.0.0/8`, or `*` for all; behind a name or an address there may be
 * a port. That is what curl, Python, Go and SLIM's own nodes have in common and each of them on its own.
 */
function isExcepted({ host, port }: ClientConfig, list: string): boolean {
  const entries = list.split(/[\s,]+/).filter((entry) => entry !== '');
  return entries.some((entry) => {
    if (entry === '*') return true;
    const [, address = entry, onlyPort] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
    if (onlyPort !== undefined && Number(onlyPort) !== port) return false;
    const listed = address.replace(/^\[(.*)\]$/, '$1');
    return isIP(host) === 0 ? isBelow(host, listed) : isInNetwork(host, listed);
  });
}

function isBelow(host: string, listed: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  const domain = listed.toLowerCase().replace(/^\*?\.|\.$/g, '');
  return domain !== '' && (name === domain || name.endsWith(`.${domain}`));
}

function isInNetwork(host: string, listed: string): boolean {
  const [address = '', prefix] = listed.split('/');
  const version = isIP(address);
  const bits = prefix === undefined ? (version === 4 ? 32 : 128) : Number(prefix);
  if (version === 0 || !/^\d{1,3}$/.test(prefix ?? '0') || bits > (version === 4 ? 32 : 128)) return false;
  const network = new BlockList();
  network.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  return network.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
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
    const credentials = `${decoded(proxy.username)}:${decoded(proxy.password)}`;
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

/** Many a password has a percent sign that is no encoding. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Then it is meant as it stands.
    return text;
  }
}
