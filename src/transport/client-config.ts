import { ConfigReader, badConfig, unsupportedConfig } from './config-reader.js';
import { readAuth, type AuthConfig } from './auth-config.js';
import { type BackoffConfig, readBackoff } from './backoff.js';
import { type Endpoint, formatEndpoint, parseEndpoint } from './endpoint.js';
import { readTls, type TlsConfig } from './tls-config.js';

/** How to reach a node; made by {@link parseClientConfig}. Holds secrets: never print it. */
export interface ClientConfig extends Endpoint {
  /** Scheme, host and port, for people. */
  readonly endpoint: string;
  /** Replaces scheme and authority of the request, for proxies that route by name. */
  readonly origin: { readonly scheme: 'http' | 'https'; readonly authority: string } | undefined;
  /** Name to ask for and to verify in TLS, instead of the host. */
  readonly serverName: string | undefined;
  /** Used only if {@link Endpoint.secure}. */
  readonly tls: TlsConfig;
  readonly auth: AuthConfig;
  /** Additional request headers, names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly keepalive: KeepaliveConfig;
  /** Time for name, TCP and TLS together, in milliseconds; 0 is no limit. */
  readonly connectTimeoutMs: number;
  /** Time for the node's response headers after that, in milliseconds; 0 is no limit. */
  readonly requestTimeoutMs: number;
  /** What the document says about retries; `undefined` leaves it to the client. The transport itself never retries; `NodeLink` does. */
  readonly backoff: BackoffConfig | undefined;
}

/** HTTP/2 pings that find out whether the other side is still there. */
export interface KeepaliveConfig {
  /** Between two pings, in milliseconds; 0 is never, whatever is sent. */
  readonly intervalMs: number;
  /** The connection is dead when an answer takes longer, in milliseconds; what is sent may have less time. */
  readonly timeoutMs: number;
}

/**
 * Upstream pings only when told to, and else finds a dead path only by TCP; pings cost nothing. Together less than the 30 s
 * after which a participant gives up a moderator of which it hears nothing.
 */
const DEFAULT_KEEPALIVE: KeepaliveConfig = { intervalMs: 15_000, timeoutMs: 10_000 };
/** Differs from upstream, which waits for ever: a program that accepts and says nothing must become an error one can read. */
const DEFAULT_TIMEOUT_MS = 10_000;
const COMPRESSIONS = ['Gzip', 'Zlib', 'Deflate', 'Snappy', 'Zstd', 'Lz4', 'None', 'Empty'];

/**
 * Reads what `--slim` takes: an endpoint (see {@link parseEndpoint}) or the JSON object of upstream's client configuration,
 * as text or parsed. Unlike upstream it refuses what it would ignore, except fields that have no effect there either
 * (`compression`, `rate_limit`, `buffer_size`, `metadata`). No error text holds a value that may be secret.
 * Fields and defaults: slim 0.7.0 `config/src/grpc/client.rs:ClientConfig`.
 *
 * @throws ConfigError `bad-config` for wrong types and values, `unsupported-config` for fields this package does not know
 */
export function parseClientConfig(value: unknown): ClientConfig {
  if (typeof value !== 'string') return readDocument(value);
  // Takes a byte order mark off, too.
  const text = value.trim();
  return text.startsWith('{') ? readDocument(parseJson(text)) : readDocument({ endpoint: text });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may hold a password. So it is neither shown nor kept as cause.
    throw badConfig('the document', 'starts with { but is not valid JSON');
  }
}

function readDocument(value: unknown): ClientConfig {
  const reader = new ConfigReader(value);
  const endpoint = parseEndpoint(reader.requiredString('endpoint'));
  const config: ClientConfig = {
    ...endpoint,
    endpoint: formatEndpoint(endpoint),
    origin: readOrigin(reader),
    serverName: reader.string('server_name'),
    tls: readTls(reader.object('tls'), endpoint.secure),
    auth: readAuth(reader.object('auth')),
    headers: readHeaders(reader),
    keepalive: readKeepalive(reader.object('keepalive')),
    connectTimeoutMs: reader.durationMs('connect_timeout') ?? DEFAULT_TIMEOUT_MS,
    requestTimeoutMs: reader.durationMs('request_timeout') ?? DEFAULT_TIMEOUT_MS,
    backoff: readBackoff(reader.object('backoff')),
  };
  readTransport(reader);
  checkIgnored(reader);
  reader.done();
  return config;
}

function readOrigin(reader: ConfigReader): ClientConfig['origin'] {
  const text = reader.string('origin');
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if ((url?.protocol !== 'http:' && url?.protocol !== 'https:') || url.username !== '' || url.password !== '') {
    throw badConfig(reader.path('origin'), 'must be a URI such as http://name:port');
  }
  return { scheme: url.protocol === 'http:' ? 'http' : 'https', authority: url.host };
}

/** Names that the protocol itself needs, or that belong to one hop. */
const RESERVED_HEADER =
  /^(?:content-type|te|user-agent|host|connection|keep-alive|proxy-connection|transfer-encoding|upgrade|grpc-.*)$/;

function readHeaders(reader: ConfigReader): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [key, value] of reader.stringMap('headers')) {
    const name = key.toLowerCase();
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) throw badConfig('headers', 'holds a name that HTTP does not allow');
    const path = `headers.${name}`;
    if (RESERVED_HEADER.test(name)) throw unsupportedConfig(path, 'is set by the protocol');
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) throw badConfig(path, 'holds a character that HTTP does not allow');
    headers.set(name, value);
  }
  return headers;
}

function readKeepalive(reader: ConfigReader | undefined): KeepaliveConfig {
  if (!reader) return DEFAULT_KEEPALIVE;
  const keepalive = {
    intervalMs: reader.durationMs('http2_keepalive') ?? DEFAULT_KEEPALIVE.intervalMs,
    timeoutMs: reader.durationMs('timeout') ?? DEFAULT_KEEPALIVE.timeoutMs,
  };
  // There is always exactly one stream on a connection, so it is never idle; and TCP has nothing to add to the pings.
  reader.boolean('keep_alive_while_idle', false);
  reader.durationMs('tcp_keepalive');
  reader.done();
  return keepalive;
}

function readTransport(reader: ConfigReader): void {
  const transport = reader.string('transport');
  if (transport === 'websocket') throw unsupportedConfig('transport', "'websocket' is not supported. Use 'grpc'");
  if (transport !== undefined && transport !== 'grpc') throw badConfig('transport', "must be 'grpc'");

  const proxy = reader.object('proxy');
  if (proxy?.raw('url') !== undefined) {
    const advice = 'Set the environment variable http_proxy or https_proxy instead';
    throw unsupportedConfig('proxy.url', `is not supported. ${advice}`);
  }
  proxy?.done();
}

/** Fields without effect, here as upstream; a document with a typing error in them is still refused. */
function checkIgnored(reader: ConfigReader): void {
  const compression = reader.raw('compression');
  if (compression !== undefined && !COMPRESSIONS.some((name) => name === compression)) {
    throw badConfig('compression', `must be one of ${COMPRESSIONS.join(', ')}`);
  }
  const rateLimit = reader.string('rate_limit');
  if (rateLimit !== undefined && !/^\d+\/\d+$/.test(rateLimit)) {
    throw badConfig('rate_limit', 'must be "<number>/<seconds>"');
  }
  reader.count('buffer_size');
  reader.object('metadata');
}
