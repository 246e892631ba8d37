import { describe, expect, test } from 'vitest';

import { parseClientConfig } from '../../src/transport/index.js';
import { ConfigError } from '../../src/util/index.js';

function failure(value: unknown): ConfigError {
  try {
    parseClientConfig(value);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('documents that upstream accepts', () => {
  test('the default of group.py, as text and parsed', () => {
    const document = { endpoint: 'http://127.0.0.1:46357', tls: { insecure: true } };
    const expected = {
      endpoint: 'http://127.0.0.1:46357',
      secure: false,
      host: '127.0.0.1',
      port: 46357,
      origin: undefined,
      serverName: undefined,
      tls: { ca: undefined, useSystemRoots: true, identity: undefined, verifyServer: true, version: 'TLSv1.3' },
      auth: { kind: 'none' },
      headers: new Map(),
      keepalive: { intervalMs: 15_000, timeoutMs: 10_000 },
      connectTimeoutMs: 10_000,
      requestTimeoutMs: 10_000,
      backoff: undefined,
    };
    expect(parseClientConfig(document)).toEqual(expected);
    expect(parseClientConfig(` ${JSON.stringify(document)}`)).toEqual(expected);
    expect(parseClientConfig('127.0.0.1:46357')).toEqual(expected);
  });

  test('own CA, basic, keepalive, timeouts and headers', () => {
    const config = parseClientConfig({
      endpoint: 'https://slim.example.org:46357',
      tls: { ca_source: { type: 'file', path: 'ca.pem' }, include_system_ca_certs_pool: false },
      auth: { type: 'basic', username: 'u', password: 'p' },
      keepalive: { http2_keepalive: '30s', timeout: '5s', keep_alive_while_idle: true, tcp_keepalive: '60s' },
      connect_timeout: '5s',
      request_timeout: '10s',
      headers: { 'x-tenant': 'a' },
    });
    expect(config).toMatchObject({
      secure: true,
      tls: { ca: { kind: 'file', path: 'ca.pem' }, useSystemRoots: false },
      auth: { kind: 'basic', username: 'u', password: 'p' },
      keepalive: { intervalMs: 30_000, timeoutMs: 5000 },
      connectTimeoutMs: 5000,
      requestTimeoutMs: 10_000,
      headers: new Map([['x-tenant', 'a']]),
    });
  });

  test('client certificate, CA as text, server name, TLS 1.2 and a token file', () => {
    const config = parseClientConfig({
      endpoint: 'https://10.0.0.5:46357',
      server_name: 'slim-node',
      tls: {
        source: { type: 'file', cert: 'c.pem', key: 'k.pem' },
        ca_source: { type: 'pem', data: '-----BEGIN CERTIFICATE-----' },
        tls_version: 'tls1.2',
      },
      auth: { type: 'static_jwt', file: 'token.jwt', duration: 3600 },
    });
    expect(config).toMatchObject({
      serverName: 'slim-node',
      tls: {
        identity: { cert: { kind: 'file', path: 'c.pem' }, key: { kind: 'file', path: 'k.pem' } },
        ca: { kind: 'pem', data: '-----BEGIN CERTIFICATE-----' },
        version: 'TLSv1.2',
      },
      auth: { kind: 'static-jwt', file: 'token.jwt' },
    });
  });

  test('self-signed tokens, which this package does not make, are refused with what it can do', () => {
    const error = failure({
      endpoint: 'https://h:1',
      tls: { insecure_skip_verify: true },
      auth: {
        type: 'jwt',
        claims: { audience: ['slim'], issuer: 'slim', subject: 'me' },
        duration: '1h',
        key: { type: 'encoding', algorithm: 'HS256', format: 'pem', key: { data: 'secret' } },
      },
    });
    expect(error).toMatchObject({ code: 'unsupported-config', exitCode: 2 });
    expect(error.message).toContain("auth.type 'jwt' is not supported. Use 'none', 'basic' or 'static_jwt'");
  });

  test('both kinds of backoff', () => {
    const endpoint = 'h:1';
    expect(parseClientConfig({ endpoint, backoff: { type: 'exponential' } }).backoff).toEqual({
      kind: 'exponential',
      baseMs: 100,
      factor: 1,
      maxDelayMs: 1000,
      jitter: true,
      maxAttempts: Number.POSITIVE_INFINITY,
    });
    const fixed = { type: 'fixed_interval', interval: '2s', max_attempts: 3 };
    expect(parseClientConfig({ endpoint, backoff: fixed }).backoff).toEqual({
      kind: 'fixed-interval',
      intervalMs: 2000,
      maxAttempts: 3,
    });
  });

  test('fields without effect, if they are well formed; null is absent', () => {
    const document = {
      endpoint: 'h:1',
      compression: 'Gzip',
      rate_limit: '100/60',
      buffer_size: 10,
      metadata: { anything: [1] },
      transport: 'grpc',
      proxy: {},
      keepalive: null,
      origin: null,
      server_name: null,
    };
    expect(parseClientConfig(document)).toEqual(parseClientConfig('h:1'));
  });

  test('zero means no limit and no pings', () => {
    const config = parseClientConfig({ endpoint: 'h:1', connect_timeout: '0s', keepalive: { http2_keepalive: '0s' } });
    expect(config.connectTimeoutMs).toBe(0);
    expect(config.keepalive.intervalMs).toBe(0);
  });

  test('insecure with a CA keeps TLS on, as upstream', () => {
    const tls = { insecure: true, ca_source: { type: 'file', path: 'ca.pem' } };
    expect(parseClientConfig({ endpoint: 'https://h:1', tls }).secure).toBe(true);
  });
});

describe('documents that are refused', () => {
  test.each<[string, unknown, string]>([
    ['no endpoint', {}, 'endpoint is missing'],
    ['an empty endpoint', { endpoint: '' }, 'endpoint must not be empty'],
    ['an endpoint of another type', { endpoint: 5 }, 'endpoint must be a string'],
    ['no object', [], 'the document must be an object'],
    ['nothing', undefined, 'the document must be an object'],
    ['an unknown auth type', { endpoint: 'h:1', auth: { type: 'bearer' } }, 'auth.type'],
    ['auth without a type', { endpoint: 'h:1', auth: {} }, 'auth.type is missing'],
    [
      'basic without a password',
      { endpoint: 'h:1', auth: { type: 'basic', username: 'u' } },
      'auth.password is missing',
    ],
    [
      'basic without a user',
      { endpoint: 'h:1', auth: { type: 'basic', username: '', password: 'p' } },
      'auth.username',
    ],
    ['compression in small letters', { endpoint: 'h:1', compression: 'gzip' }, 'compression must be one of'],
    ['a duration as a number', { endpoint: 'h:1', connect_timeout: 5 }, 'connect_timeout must be a duration'],
    ['a duration without a unit', { endpoint: 'h:1', request_timeout: '5' }, 'request_timeout must be a duration'],
    ['a TLS version in short', { endpoint: 'http://h:1', tls: { tls_version: '1.3' } }, 'tls.tls_version'],
    ['a rate without seconds', { endpoint: 'h:1', rate_limit: '100' }, 'rate_limit'],
    ['a flag as text', { endpoint: 'h:1', tls: { insecure: 'yes' } }, 'tls.insecure must be true or false'],
    ['plaintext on https', { endpoint: 'https://h:1', tls: { insecure: true } }, 'tls.insecure is true but'],
    ['a CA without a path', { endpoint: 'h:1', tls: { ca_source: { type: 'file' } } }, 'tls.ca_source.path is missing'],
    ['a header that is no string', { endpoint: 'h:1', headers: { a: 1 } }, 'headers.a must be a string'],
    ['a header name with a space', { endpoint: 'h:1', headers: { 'a b': 'c' } }, 'headers holds a name'],
    [
      'a header value with a line break',
      { endpoint: 'h:1', headers: { a: 'b\r\nc: d' } },
      'headers.a holds a character',
    ],
    ['an origin that is no URI', { endpoint: 'h:1', origin: 'name' }, 'origin must be a URI'],
    ['an unknown backoff', { endpoint: 'h:1', backoff: { type: 'linear' } }, 'backoff.type'],
    ['a negative count', { endpoint: 'h:1', backoff: { type: 'exponential', base: -1 } }, 'backoff.base'],
    ['text that is not JSON', '{"endpoint": ', 'is not valid JSON'],
  ])('%s', (_name, document, text) => {
    const error = failure(document);
    expect(error.code).toBe('bad-config');
    expect(error.message).toContain(text);
  });

  test.each<[string, unknown, string[]]>([
    ['an unknown field', { endpoint: 'h:1', tmeout: '5s' }, ['tmeout is not supported', 'connect_timeout']],
    [
      'an unknown field below',
      { endpoint: 'h:1', keepalive: { interval: '1s' } },
      ['keepalive.interval', 'http2_keepalive'],
    ],
    ['old TLS keys', { endpoint: 'https://h:1', tls: { ca_file: 'ca.pem' } }, ['tls.ca_file', 'ca_source']],
    ['old certificate keys', { endpoint: 'https://h:1', tls: { cert_file: 'c' } }, ['tls.cert_file', '"cert"']],
    ['SPIRE', { endpoint: 'h:1', auth: { type: 'spire' } }, ['auth.type', "'spire'"]],
    ['SPIRE certificates', { endpoint: 'h:1', tls: { source: { type: 'spire' } } }, ['tls.source.type', "'file'"]],
    ['websockets', { endpoint: 'h:1', transport: 'websocket' }, ['transport', "'grpc'"]],
    ['a proxy', { endpoint: 'h:1', proxy: { url: 'http://p:1' } }, ['proxy.url', 'http_proxy']],
    ['headers of the protocol', { endpoint: 'h:1', headers: { 'Grpc-Timeout': '1S' } }, ['headers.grpc-timeout']],
    ['link ids', { endpoint: 'h:1', link_id: 'x' }, ['link_id']],
    ['a socket file', 'unix:///tmp/slim', ['unix://']],
  ])('unsupported: %s', (_name, document, texts) => {
    const error = failure(document);
    expect(error.code).toBe('unsupported-config');
    for (const text of texts) expect(error.message).toContain(text);
  });

  test('no error holds a secret, nor does its cause', () => {
    const secret = 'S3CRET-S3CRET';
    const documents: unknown[] = [
      { endpoint: `http://u:${secret}@h:1` },
      `http://u:${secret}@h:1/`,
      `u:${secret}@h`,
      `{"endpoint":"h:1","auth":{"password":${secret}}}`,
      { endpoint: 'h:1', auth: { type: 'basic', username: `a:${secret}`, password: secret } },
      { endpoint: 'h:1', auth: { type: 'basic', username: 'u', password: secret, extra: secret } },
      { endpoint: 'h:1', auth: { type: secret } },
      { endpoint: 'h:1', tls: { ca_source: { type: 'pem', data: secret, more: 1 } } },
      { endpoint: 'h:1', tls: { source: { type: 'pem', cert: 'x', key: secret, more: secret } } },
      { endpoint: 'h:1', tls: { tls_version: secret } },
      { endpoint: 'h:1', headers: { authorization: `${secret}\n` } },
      { endpoint: 'h:1', origin: `http://u:${secret}@h` },
      { endpoint: 'h:1', connect_timeout: secret },
      { endpoint: 'h:1', compression: secret },
    ];
    for (const document of documents) {
      const error = failure(document);
      const shown = [error.message, error.stack, JSON.stringify(error.details), String(error.cause)].join(' ');
      expect(shown, JSON.stringify(document)).not.toContain(secret);
    }
  });
});
