import { constants, type IncomingHttpHeaders } from 'node:http2';

import { assertNever, AuthError, ConnectionError, type ErrorCode, printable, type SlimError } from '../util/index.js';

import type { ClientConfig } from './client-config.js';
import { authorityOf } from './endpoint.js';
import type { FramingFault } from './grpc-framing.js';

/*
 * The one place where what Node and gRPC say about a connection becomes an error of this package. Each message names the
 * endpoint, the likely cause and what to do; `details.hint` is the last of these alone.
 */

const OTHER_PORT = 'Another program uses this port; give the endpoint of the node';
/** Until 0.5 the one method of a node had another name. */
const OTHER_SERVICE =
  'Another program or a SLIM node before 0.6 uses this port; give the endpoint of a node of SLIM 0.7 to 1.4';

/** gRPC status codes that mean more than "it did not work". */
const GRPC = { ok: 0, permissionDenied: 7, unimplemented: 12, unauthenticated: 16 } as const;

function failure(
  code: ErrorCode,
  config: ClientConfig,
  [what, why]: readonly [what: string, why: string],
  hint: string,
  cause?: unknown,
): ConnectionError {
  const details = { endpoint: config.endpoint, hint, why };
  return new ConnectionError(code, `${what} (${why}). ${hint}`, cause === undefined ? { details } : { cause, details });
}

function unreachable(
  code: ErrorCode,
  config: ClientConfig,
  why: string,
  hint: string,
  cause?: unknown,
): ConnectionError {
  return failure(code, config, [`cannot reach a SLIM node at ${config.endpoint}`, why], hint, cause);
}

function notASlimNode(config: ClientConfig, why: string, hint: string, cause?: unknown): ConnectionError {
  const what = `${authorityOf(config)} answers, but not as a SLIM node`;
  return failure('not-a-slim-node', config, [what, why], hint, cause);
}

/** Plaintext to a node with TLS fails in many ways. */
function tlsHint(config: ClientConfig, hint: string): string {
  return config.secure ? hint : `${hint} If it has TLS, use https://${authorityOf(config)}`;
}

/** Name resolution or TCP failed. */
export function tcpError(config: ClientConfig, cause: unknown): ConnectionError {
  const code = codeOf(cause);
  switch (code) {
    case 'ECONNREFUSED': {
      const hint = `Is it running? Check with: nc -vz ${config.host} ${config.port}`;
      return unreachable('refused', config, 'connection refused', hint, cause);
    }
    case 'ENOTFOUND':
      return unreachable('dns', config, 'no such host name', 'Check the spelling of the host', cause);
    case 'EAI_AGAIN':
      return unreachable('dns', config, 'the name server does not answer', 'Check the network', cause);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENETDOWN':
    case 'EADDRNOTAVAIL':
      return unreachable('unreachable', config, 'no route to it', 'Check the network and the address', cause);
    case 'ECONNRESET':
      return unreachable(
        'unreachable',
        config,
        'it reset the connection',
        tlsHint(config, 'Is it a SLIM node?'),
        cause,
      );
    case 'ETIMEDOUT':
      return unreachable('connect-timeout', config, 'no answer', 'Check the address and firewalls', cause);
    default:
      if (code.startsWith('EAI_')) return unreachable('dns', config, code, 'Check the spelling of the host', cause);
      return unreachable('unreachable', config, messageOf(cause), 'Check the network and the address', cause);
  }
}

/** Certificate checks that a CA of one's own cures. */
const UNKNOWN_CA = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

const CLIENT_CERTIFICATE = 'It may want a client certificate: give it as tls.source';

/** The TLS handshake failed, or its end, which TLS 1.3 tells late: a node that refuses a client does so after it. */
export function tlsError(config: ClientConfig, cause: unknown): ConnectionError {
  const code = codeOf(cause);
  const [why, hint] = explainTls(config, code, messageOf(cause));
  return unreachable('tls', config, why, hint, cause);
}

function explainTls(config: ClientConfig, code: string, message: string): [why: string, hint: string] {
  const plain = `If the node has no TLS, use http://${authorityOf(config)}`;
  if (UNKNOWN_CA.has(code)) {
    return ['its certificate is not signed by a known authority', 'Give the authority as tls.ca_source'];
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const name = config.serverName ?? config.host;
    return [
      `its certificate is not for '${name}'`,
      'Use the name in the certificate as host, or give it as server_name',
    ];
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return [`its certificate is not valid now: ${message}`, 'Renew the certificate, or check the clock'];
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return ['it does not speak TLS', `Use http://${authorityOf(config)}`];
  }
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/.test(code)) {
    const other = config.tls.version === 'TLSv1.3' ? 'tls1.2' : 'tls1.3';
    return [`it does not accept ${config.tls.version}`, `Try tls.tls_version "${other}"`];
  }
  if (code.endsWith('NO_APPLICATION_PROTOCOL')) {
    return ['it does not speak HTTP/2', OTHER_PORT];
  }
  if (code === '') return ['it closed the connection after the TLS handshake', CLIENT_CERTIFICATE];
  if (/ALERT_(?:CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE|NO_CERTIFICATE|HANDSHAKE)/.test(code)) {
    const hint = config.tls.identity ? 'Check the client certificate in tls.source' : CLIENT_CERTIFICATE;
    return ['it refused our side of the TLS handshake', hint];
  }
  // Closed in the middle, without a word of TLS.
  if (code === 'ECONNRESET') return ['it closed the connection during the TLS handshake', plain];
  return [`TLS failed: ${message}`, plain];
}

/** The node kept silent for longer than the configuration allows. */
export function timeoutError(config: ClientConfig, phase: 'connect' | 'response'): ConnectionError {
  const ms = phase === 'connect' ? config.connectTimeoutMs : config.requestTimeoutMs;
  const why =
    phase === 'connect' ? `no answer within ${ms} ms` : `it accepts connections but says nothing for ${ms} ms`;
  const hint = phase === 'connect' ? 'Check the address and firewalls' : tlsHint(config, 'Is it a SLIM node?');
  return unreachable('connect-timeout', config, why, hint);
}

/** The connection ended before the node had answered the request. */
export function noResponseError(config: ClientConfig, cause: unknown, bytesRead: number): ConnectionError {
  const code = codeOf(cause);
  if (config.secure && (/^ERR_(?:SSL|TLS)/.test(code) || cause === undefined)) return tlsError(config, cause);
  if (!config.secure && bytesRead === TLS_ALERT_BYTES) {
    return unreachable('tls', config, 'it speaks TLS', `Use https://${authorityOf(config)}`, cause);
  }
  if (code === 'ERR_HTTP2_ERROR') return notASlimNode(config, 'it does not speak HTTP/2', OTHER_PORT, cause);
  // What its own GOAWAY or reset makes of our stream has other codes: it does speak HTTP/2.
  if (code.startsWith('ERR_HTTP2')) {
    const why = `it turned us away before it answered: ${messageOf(cause)}`;
    return unreachable('unreachable', config, why, 'It may be starting, ending or too busy: try again', cause);
  }
  if (cause === undefined) {
    return notASlimNode(config, 'it closed the connection without a word', tlsHint(config, 'Is it a SLIM node?'));
  }
  return tcpError(config, cause);
}

/** A TLS record with an alert: what a TLS server says to HTTP/2 in plaintext before it hangs up. */
const TLS_ALERT_BYTES = 7;

/**
 * What is wrong with the response headers, if they are not those of an open gRPC stream. The body of a refusal by HTTP status
 * says nothing, and the status of gRPC is in the headers when the stream ends with them.
 */
export function responseError(
  config: ClientConfig,
  headers: IncomingHttpHeaders & { ':status'?: number },
): SlimError | undefined {
  const status = headers[':status'] ?? 0;
  if (status !== 200) return httpStatusError(config, status);
  const isGrpc = /^application\/grpc(?:$|[+;])/.test(headers['content-type'] ?? '');
  if (!isGrpc) return notASlimNode(config, 'a web server', OTHER_PORT);
  return headers['grpc-status'] === undefined ? undefined : grpcStatusError(config, headers, false);
}

function httpStatusError(config: ClientConfig, status: number): SlimError {
  switch (status) {
    case 401:
    case 403:
      return credentialsRejected(config, `HTTP status ${status}`);
    case 429:
    case 502:
    case 503:
    case 504:
      return unreachable('unreachable', config, `HTTP status ${status} from a proxy`, 'Try again later');
    default:
      return notASlimNode(config, `HTTP status ${status}`, OTHER_PORT);
  }
}

function credentialsRejected(config: ClientConfig, why: string): AuthError {
  const hint = 'Check the auth object of the connection';
  const message = `the SLIM node at ${config.endpoint} rejected our credentials (${why}). ${hint}`;
  return new AuthError('credentials-rejected', message, { details: { endpoint: config.endpoint, hint } });
}

function grpcStatusError(config: ClientConfig, trailers: IncomingHttpHeaders, wasOpen: boolean): SlimError {
  const status = Number(trailers['grpc-status']);
  const text = grpcMessage(trailers);
  switch (status) {
    case GRPC.unauthenticated:
    case GRPC.permissionDenied:
      return credentialsRejected(config, `gRPC status ${status}${text}`);
    case GRPC.unimplemented:
      return notASlimNode(config, 'another gRPC service', OTHER_SERVICE);
    default:
      if (wasOpen) return endedByNode(config, status, text);
      return unreachable(
        'unreachable',
        config,
        `it ended the stream at once, gRPC status ${status}${text}`,
        'Try again',
      );
  }
}

function grpcMessage(trailers: IncomingHttpHeaders): string {
  const raw = trailers['grpc-message'];
  if (typeof raw !== 'string' || raw === '') return '';
  try {
    return `: ${printable(decodeURIComponent(raw))}`;
  } catch {
    // Percent signs that are no encoding: show the text as it came.
    return `: ${printable(raw)}`;
  }
}

/** An open stream is over, for a reason that is not in gRPC. */
export function streamLost(config: ClientConfig, why: string, cause?: unknown): ConnectionError {
  return failure(
    'stream-lost',
    config,
    [`lost the connection to ${config.endpoint}`, why],
    'It may be restarting; try again',
    cause,
  );
}

/** The node ended the stream itself; which status it gave is in `details.grpcStatus`. */
function endedByNode(config: ClientConfig, status: number, text: string): ConnectionError {
  const lost = streamLost(config, status === GRPC.ok ? 'the node ended it' : `gRPC status ${status}${text}`);
  return new ConnectionError(lost.code, lost.message, { details: { ...lost.details, grpcStatus: status } });
}

/** All that is known when an open stream ends without our doing. */
export interface StreamEnd {
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly error: unknown;
  /** HTTP/2 error code of the stream. */
  readonly rstCode: number;
}

/** Why an open stream ended. Any status is an end, OK too: nodes say OK when they shut down or dislike a message. */
export function streamEndError(config: ClientConfig, { trailers, error, rstCode }: StreamEnd): SlimError {
  if (trailers?.['grpc-status'] !== undefined) return grpcStatusError(config, trailers, true);
  // The names of HTTP/2 errors are in the message Node gives them; a cancel has none, and is also what a closed socket makes.
  if (error !== undefined) return streamLost(config, messageOf(error), error);
  if (rstCode === constants.NGHTTP2_CANCEL) return streamLost(config, 'connection closed');
  return streamLost(config, 'the node ended it without a status');
}

/** The bytes of an open stream make no sense. */
export function framingError(config: ClientConfig, fault: FramingFault): ConnectionError {
  switch (fault.kind) {
    case 'compressed':
      return streamLost(config, 'the node sent a compressed message, which was not asked for');
    case 'bad-frame':
      return streamLost(config, 'the node sent something that is no gRPC message');
    case 'too-large':
      return streamLost(config, `the node sent a message of ${fault.bytes} bytes, the limit is ${fault.maxBytes}`);
    default:
      return assertNever(fault);
  }
}

/** A proxy did not let us through. */
export function proxyError(config: ClientConfig, proxy: string, why: string, cause?: unknown): ConnectionError {
  const hint = 'Check the proxy, or put the host into the environment variable no_proxy';
  return unreachable('unreachable', config, `proxy ${proxy}: ${why}`, hint, cause);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function messageOf(error: unknown): string {
  // A host with several addresses fails with an error for each, and an empty message.
  if (error instanceof AggregateError && error.message === '') return messageOf(error.errors[0]);
  return error instanceof Error ? printable(error.message) : 'no reason given';
}
