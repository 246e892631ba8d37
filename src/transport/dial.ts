import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

import { ConfigError, printable, withoutByteOrderMark } from '../util/index.js';

import type { ClientConfig } from './client-config.js';
import { badConfig } from './config-reader.js';
import { tcpError, tlsError } from './connection-errors.js';
import { environmentProxy, openTunnel } from './http-tunnel.js';
import type { PemSource, TlsConfig } from './tls-config.js';

/**
 * Makes the connection below HTTP/2: name, TCP (or a tunnel through the proxy of the environment), TLS.
 *
 * @param signal - ends the attempt; its reason is what the promise rejects with
 * @throws ConnectionError `refused`, `dns`, `tls`, `unreachable`, `connect-timeout`
 * @throws ConfigError `bad-config` when a file of the configuration cannot be read
 * @internal
 */
export async function dial(config: ClientConfig, signal: AbortSignal): Promise<Socket> {
  // Before anything is opened, so that a wrong file leaves nothing behind.
  const context = config.secure ? await secureContext(config.tls) : undefined;
  signal.throwIfAborted();
  const proxy = environmentProxy(config, process.env);
  const socket = proxy ? await openTunnel(proxy, config, signal) : await dialTcp(config, signal);
  // HTTP/2 writes whole batches; waiting for the acknowledgement of the last one would cost up to 40 ms each.
  socket.setNoDelay(true);
  return context ? dialTls(config, socket, context, signal) : socket;
}

async function dialTcp(config: ClientConfig, signal: AbortSignal): Promise<Socket> {
  const socket = connectTcp({ host: config.host, port: config.port });
  await ready(socket, 'connect', signal, (error) => tcpError(config, error));
  return socket;
}

async function dialTls(
  config: ClientConfig,
  socket: Socket,
  context: SecureContext,
  signal: AbortSignal,
): Promise<Socket> {
  const secure = connectTls({
    socket,
    secureContext: context,
    host: config.serverName ?? config.host,
    // There is no such thing as an IP address in SNI. A name checks the certificate too; without one, `host` does.
    ...(isIP(config.serverName ?? config.host) ? {} : { servername: config.serverName ?? config.host }),
    rejectUnauthorized: config.tls.verifyServer,
    // SLIM nodes answer without any, and that is fine.
    ALPNProtocols: ['h2'],
  });
  await ready(secure, 'secureConnect', signal, (error) => tlsError(config, error));
  return secure;
}

/** Waits for a socket to get usable. Destroys it if it does not. */
function ready(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
  translate: (error: Error) => Error,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const onReady = (): void => {
      settle();
      resolve();
    };
    const onError = (error: Error): void => fail(translate(error));
    const onAbort = (): void => fail(signal.reason as Error);
    const settle = (): void => {
      socket.off(event, onReady).off('error', onError);
      signal.removeEventListener('abort', onAbort);
    };
    // The second listener stays: an error while nobody else looks at the socket would end the process.
    socket
      .once(event, onReady)
      .once('error', onError)
      .on('error', () => undefined);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}

async function secureContext(tls: TlsConfig): Promise<SecureContext> {
  const ca = tls.ca && (await readPem(tls.ca, 'tls.ca_source'));
  const cert = tls.identity && (await readPem(tls.identity.cert, 'tls.source.cert'));
  const key = tls.identity && (await readPem(tls.identity.key, 'tls.source.key'));
  try {
    return createSecureContext({
      minVersion: tls.version,
      maxVersion: tls.version,
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...trustedCertificates(tls, ca),
    });
  } catch (cause) {
    // OpenSSL says what it dislikes, never what the key is.
    const why = cause instanceof Error ? printable(cause.message) : 'unknown reason';
    throw new ConfigError(
      'bad-config',
      `configuration of the connection: tls holds a bad certificate or key (${why})`,
      {
        cause,
        details: { path: 'tls' },
      },
    );
  }
}

function trustedCertificates(tls: TlsConfig, ca: string | undefined): { ca?: string[] } {
  const own = ca === undefined ? [] : [ca];
  if (!tls.useSystemRoots) return { ca: own };
  // Naming any certificate replaces Node's roots; naming none also honours NODE_EXTRA_CA_CERTS.
  return ca === undefined ? {} : { ca: [...rootCertificates, ...own] };
}

function readPem(source: PemSource, path: string): Promise<string> {
  return source.kind === 'pem' ? Promise.resolve(source.data) : readConfigFile(source.path, path);
}

/**
 * Reads a text file that the configuration names, without the byte order mark that some editors put before it. No error has the
 * name of the file: people put the token or the key there instead.
 *
 * @param file - as configured, relative to the working directory
 * @param path - where in the configuration, for the message
 * @throws ConfigError `bad-config`
 * @internal
 */
export async function readConfigFile(file: string, path: string): Promise<string> {
  try {
    return withoutByteOrderMark(await readFile(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
    throw badConfig(path, `names a file that cannot be read (${why})`);
  }
}
