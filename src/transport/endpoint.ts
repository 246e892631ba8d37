import { isIP } from 'node:net';

import type { ConfigError } from '../util/index.js';

import { badConfig, unsupportedConfig } from './config-reader.js';

/** Where a node listens. */
export interface Endpoint {
  /** Whether it is TLS. */
  readonly secure: boolean;
  /** Host name or IP address; IPv6 without brackets. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
}

/** Where a node listens unless said otherwise: for this computer only. */
export const DEFAULT_HOST = '127.0.0.1';

/** The port of the upstream examples. */
export const DEFAULT_PORT = 46357;

/** Where a node is unless said otherwise. */
export const DEFAULT_ENDPOINT = `http://${DEFAULT_HOST}:${DEFAULT_PORT}`;

const EXAMPLE = 'Use http://host:port, https://host:port or host:port';

/**
 * Reads an endpoint: `http://host:port`, `https://host:port`, or `host:port`, which means http. IPv6 addresses go into
 * brackets. With a scheme the port may be left out; it is 80 or 443 then.
 *
 * @throws ConfigError `bad-config`, or `unsupported-config` for the schemes of other transports
 */
export function parseEndpoint(text: string): Endpoint {
  const trimmed = text.trim();
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(trimmed)?.[1]?.toLowerCase();
  if (scheme === 'unix' || scheme === 'ws' || scheme === 'wss') {
    throw unsupportedConfig('endpoint', `with ${scheme}:// is not supported. ${EXAMPLE}`);
  }
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') throw badEndpoint(trimmed);
  if (scheme === undefined && !/^(?:\[[^\]]*\]|[^:/?#@]+):\d+\/?$/.test(trimmed)) throw badEndpoint(trimmed);

  const asUrl = scheme === undefined ? `http://${trimmed}` : trimmed;
  if (!URL.canParse(asUrl)) throw badEndpoint(trimmed);
  const url = new URL(asUrl);
  if (url.hostname === '' || url.port === '0') throw badEndpoint(trimmed);
  // Credentials in a URL end up in logs; SLIM has `auth` for them.
  if (url.username !== '' || url.password !== '') throw badConfig('endpoint', 'must not hold a user name or password');
  if ((url.pathname !== '/' && url.pathname !== '') || url.search !== '' || url.hash !== '') throw badEndpoint(trimmed);

  const secure = url.protocol === 'https:';
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  return { secure, host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

/** No shared secret is shorter. */
const MIN_SECRET_LENGTH = 32;

function badEndpoint(text: string): ConfigError {
  // A password may stand before an @ or behind a ?, a whole document may be in quotes, and somebody may have given the secret.
  const mayBeShown = text.length < MIN_SECRET_LENGTH && /^[\w.:/[\]-]+$/.test(text);
  const shown = text === '' ? 'is empty' : mayBeShown ? `'${text}' is not valid` : 'is not valid';
  return badConfig('endpoint', `${shown}. ${EXAMPLE}`);
}

/** Host and port as they stand in a URL. */
export function authorityOf({ host, port }: Endpoint): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

/** The endpoint as people write it, with scheme and port. */
export function formatEndpoint(endpoint: Endpoint): string {
  return `${endpoint.secure ? 'https' : 'http'}://${authorityOf(endpoint)}`;
}

/** Whether the endpoint cannot be reached from another computer. */
export function isLoopback({ host }: Pick<Endpoint, 'host'>): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  switch (isIP(name)) {
    case 4:
      return name.startsWith('127.');
    case 6:
      // The URL parser writes the mapped form in hex: ::ffff:127.0.0.1 is ::ffff:7f00:1.
      return name === '::1' || name.startsWith('::ffff:7f') || name.startsWith('::ffff:127.');
    default:
      return name === 'localhost';
  }
}
