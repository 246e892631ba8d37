import { createServer } from 'node:http';
import { connect } from 'node:net';

import { describe, expect, test, vi } from 'vitest';

import { environmentProxy, openTunnel } from '../../src/transport/http-tunnel.js';
import { GrpcTransport, parseClientConfig } from '../../src/transport/index.js';
import { Recorder } from '../compliance/transport-suite.js';

import { closedPort, failureOf, http2Server, listen, respondGrpc } from './helpers/raw-servers.js';

/** An HTTP proxy; whatever host it is asked for, it connects to this computer. */
async function startProxy(requests: string[]): Promise<number> {
  const proxy = createServer((_request, response) => response.writeHead(400).end());
  proxy.on('connect', (request, near) => {
    requests.push(`${request.url ?? ''} ${request.headers['proxy-authorization'] ?? '-'}`);
    near.on('error', () => undefined);
    if (request.url?.startsWith('forbidden.') === true) {
      near.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const far = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      near.write('HTTP/1.1 200 OK\r\n\r\n');
      near.pipe(far).pipe(near);
    });
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
  });
  return listen(proxy);
}

describe('the proxy of the environment', () => {
  const http = parseClientConfig('http://slim.example.org:46357');
  const https = parseClientConfig('https://slim.example.org:46357');

  test.each([
    [http, { http_proxy: 'http://p:1' }, 'p:1'],
    [http, { HTTP_PROXY: 'p:1' }, 'p:1'],
    [http, { https_proxy: 'http://p:1' }, undefined],
    [https, { https_proxy: 'http://p:1', http_proxy: 'http://q:1' }, 'p:1'],
    [https, { all_proxy: 'http://p:1' }, 'p:1'],
    [http, { http_proxy: '' }, undefined],
    [http, {}, undefined],
    [http, { http_proxy: 'http://p:1', no_proxy: 'other.org, example.org' }, undefined],
    [http, { http_proxy: 'http://p:1', NO_PROXY: '.example.org' }, undefined],
    [http, { http_proxy: 'http://p:1', no_proxy: '*' }, undefined],
    [http, { http_proxy: 'http://p:1', no_proxy: 'ample.org,' }, 'p:1'],
    [parseClientConfig('127.0.0.1:1'), { http_proxy: 'http://p:1' }, undefined],
    [parseClientConfig('localhost:1'), { http_proxy: 'http://p:1' }, undefined],
  ])('case %#', (config, env, expected) => {
    expect(environmentProxy(config, env)?.host).toBe(expected);
  });

  test.each([
    ['10.1.2.3:46357', '10.0.0.0/8', true],
    ['11.1.2.3:46357', '10.0.0.0/8', false],
    ['10.1.2.3:46357', '192.168.0.0/16 10.1.2.3', true],
    ['10.1.2.3:46357', '10.1.2.3:46357', true],
    ['10.1.2.3:46357', '10.1.2.3:80', false],
    ['10.1.2.3:46357', '2.3', false],
    ['10.1.2.3:46357', '0.0.0.0/0', true],
    ['10.1.2.3:46357', '10.0.0.0/33, 10.0.0.0/x, /8, 10.0.0.0/', false],
    ['[fd00::5]:46357', 'fd00::/8', true],
    ['[fd00::5]:46357', 'fd00:0::5', true],
    ['[fd00::5]:46357', '[fd00::5]', true],
    ['[fd00::5]:46357', '[fd00::5]:46357', true],
    ['[fd00::5]:46357', '[fd00::5]:80', false],
    ['[fd00::5]:46357', '10.0.0.0/8', false],
    ['slim.example.org:46357', 'other.org example.org', true],
    ['slim.example.org:46357', 'other.org\texample.org\n', true],
    ['slim.example.org:46357', ' *.example.org ,', true],
    ['slim.example.org:46357', 'Slim.Example.ORG:46357', true],
    ['slim.example.org:46357', 'slim.example.org:443', false],
    ['slim.example.org:46357', 'example.org.', true],
    ['slim.example.org:46357', '10.0.0.0/8', false],
    ['slim.example.org:46357', ' , ', false],
    ['10.1.2.3:46357', 'x,*', true],
  ])('for %s with no_proxy "%s": left out %s', (endpoint, list, isLeftOut) => {
    const proxy = environmentProxy(parseClientConfig(endpoint), { http_proxy: ' http://p:1 ', no_proxy: list });
    expect(proxy?.host).toBe(isLeftOut ? undefined : 'p:1');
  });

  test('that is no URL is an error, and no reason to go without', () => {
    const env = { HTTP_PROXY: 'http://user:secret-word@proxy:not-a-port' };
    expect(() => environmentProxy(http, env)).toThrow('The environment variable HTTP_PROXY holds no proxy URL.');
    expect(environmentProxy(http, { ...env, no_proxy: '*' })).toBeUndefined();
  });
});

describe('a tunnel', () => {
  test('carries a stream', async () => {
    const requests: string[] = [];
    const proxyPort = await startProxy(requests);
    const nodePort = await http2Server((stream) => {
      respondGrpc(stream);
      stream.on('data', (chunk: Buffer) => stream.write(chunk)).on('end', () => stream.end());
    });
    vi.stubEnv('http_proxy', `http://user:pass%20word@127.0.0.1:${proxyPort}`);
    vi.stubEnv('no_proxy', '');
    vi.stubEnv('NO_PROXY', '');
    const recorder = new Recorder();
    const connection = await new GrpcTransport(`http://slim.invalid:${nodePort}`).open(recorder);
    connection.send(Uint8Array.of(5));
    await recorder.inbox.reach(1);
    await connection.close();
    const credentials = Buffer.from('user:pass word').toString('base64');
    expect(requests).toEqual([`slim.invalid:${nodePort} Basic ${credentials}`]);
  });

  test('that is refused is an error which names the proxy', async () => {
    const port = await startProxy([]);
    const config = parseClientConfig('http://forbidden.example.org:1');
    const proxy = new URL(`http://u:secret-word@127.0.0.1:${port}`);
    const error = await failureOf(openTunnel(proxy, config, new AbortController().signal));
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'unreachable' });
    expect(error.message).toContain(`proxy 127.0.0.1:${port}: HTTP status 403`);
    expect(error.message).not.toContain('secret-word');
  });

  test('has the password as it stands when its percent sign is no encoding', async () => {
    const requests: string[] = [];
    const proxyPort = await startProxy(requests);
    const target = parseClientConfig(`http://h.example.org:${await closedPort()}`);
    const proxy = new URL(`http://user:50%off@127.0.0.1:${proxyPort}`);
    await failureOf(openTunnel(proxy, target, new AbortController().signal));
    expect(requests[0]).toContain(`Basic ${Buffer.from('user:50%off').toString('base64')}`);
  });

  test('whose proxy is down is an error', async () => {
    const proxy = new URL(`http://127.0.0.1:${await closedPort()}`);
    const opening = openTunnel(proxy, parseClientConfig('http://h.example.org:1'), new AbortController().signal);
    await expect(opening).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('through a kind of proxy we do not know is an error', async () => {
    const config = parseClientConfig('http://h.example.org:1');
    const opening = openTunnel(new URL('socks5://127.0.0.1:1'), config, new AbortController().signal);
    await expect(opening).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('can be aborted while the proxy is silent', async () => {
    const port = await listen(createServer().on('connect', (_request, socket) => socket.on('error', () => undefined)));
    const abort = new AbortController();
    const config = parseClientConfig('http://h.example.org:1');
    const opening = openTunnel(new URL(`http://127.0.0.1:${port}`), config, abort.signal);
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(opening).rejects.toBe(reason);
  });
});
