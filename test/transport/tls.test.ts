import { performServerHandshake } from 'node:http2';
import { createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { GrpcTransport, parseClientConfig } from '../../src/transport/index.js';
import { Recorder } from '../compliance/transport-suite.js';

import { type Certificate, CertificateAuthority, missingOpenssl } from './helpers/certificates.js';
import { failureOf, http2Server, listen, respondGrpc } from './helpers/raw-servers.js';

if (missingOpenssl !== undefined) console.warn(`SKIPPED: all TLS tests of the transport, because ${missingOpenssl}.`);

describe.skipIf(missingOpenssl !== undefined)('TLS', () => {
  let authority: CertificateAuthority;
  let stranger: CertificateAuthority;
  let server: Certificate;

  beforeAll(() => {
    authority = new CertificateAuthority();
    stranger = new CertificateAuthority('somebody else');
    server = authority.sign('node', ['DNS:localhost', 'DNS:slim-node', 'IP:127.0.0.1']);
  });
  afterAll(() => {
    authority.dispose();
    stranger.dispose();
  });

  /** Stands in for a real node: TLS 1.3 only, and no ALPN at all; echoes messages. Returns its port. */
  function startNode(options: TlsOptions = {}): Promise<number> {
    const { cert, key } = server;
    const node = createTlsServer({ minVersion: 'TLSv1.3', cert, key, ...options }, (socket) => {
      socket.on('error', () => undefined);
      const session = performServerHandshake(socket);
      session.on('error', () => undefined);
      session.on('stream', (stream) => {
        stream.on('error', () => undefined);
        respondGrpc(stream);
        stream.on('data', (chunk: Buffer) => stream.write(chunk)).on('end', () => stream.end());
      });
    });
    node.on('tlsClientError', () => undefined);
    return listen(node);
  }

  async function roundTrip(document: Record<string, unknown>): Promise<void> {
    const recorder = new Recorder();
    const connection = await new GrpcTransport(parseClientConfig(document)).open(recorder);
    connection.send(Uint8Array.of(1, 2, 3));
    expect([...((await recorder.inbox.reach(1))[0] ?? [])]).toEqual([1, 2, 3]);
    await connection.close();
    expect(await recorder.ended).toBeUndefined();
  }

  function failure(document: Record<string, unknown>): Promise<Error> {
    return failureOf(new GrpcTransport(parseClientConfig(document)).open(new Recorder()));
  }

  test('trusts its own CA from a file, by name and by address', async () => {
    const port = await startNode();
    const tls = { ca_source: { type: 'file', path: authority.ca.certFile }, include_system_ca_certs_pool: false };
    await roundTrip({ endpoint: `https://localhost:${port}`, tls });
    await roundTrip({ endpoint: `https://127.0.0.1:${port}`, tls });
  });

  test('trusts its own CA as text, next to the well-known ones', async () => {
    const endpoint = `https://localhost:${await startNode()}`;
    await roundTrip({ endpoint, tls: { ca_source: { type: 'pem', data: authority.ca.cert } } });
  });

  test('refuses a certificate of an unknown CA', async () => {
    const port = await startNode();
    const documents = [
      {},
      { tls: { include_system_ca_certs_pool: false } },
      { tls: { ca_source: { type: 'pem', data: stranger.ca.cert } } },
    ];
    for (const document of documents) {
      const error = await failure({ endpoint: `https://localhost:${port}`, ...document });
      expect(error).toMatchObject({ name: 'ConnectionError', code: 'tls' });
      expect(error.message).toContain('Give the authority as tls.ca_source');
    }
  });

  test('takes any certificate with insecure_skip_verify', async () => {
    const other = stranger.sign('other', ['DNS:elsewhere']);
    const port = await startNode({ cert: other.cert, key: other.key });
    await roundTrip({ endpoint: `https://localhost:${port}`, tls: { insecure_skip_verify: true } });
  });

  test('verifies the name, and server_name replaces it', async () => {
    const named = authority.sign('named', ['DNS:slim-node']);
    let asked: unknown;
    const port = await startNode({
      cert: named.cert,
      key: named.key,
      SNICallback: (name, done) => {
        asked = name;
        done(null);
      },
    });
    const tls = { ca_source: { type: 'pem', data: authority.ca.cert } };
    for (const host of ['localhost', '127.0.0.1']) {
      const error = await failure({ endpoint: `https://${host}:${port}`, tls });
      expect(error).toMatchObject({ code: 'tls' });
      expect(error.message).toContain(`its certificate is not for '${host}'`);
      await roundTrip({ endpoint: `https://${host}:${port}`, server_name: 'slim-node', tls });
      expect(asked).toBe('slim-node');
    }
  });

  test('shows a client certificate, from files and as text', async () => {
    const client = authority.sign('client', []);
    const port = await startNode({ requestCert: true, rejectUnauthorized: true, ca: authority.ca.cert });
    const ca_source = { type: 'pem', data: authority.ca.cert };
    const endpoint = `https://localhost:${port}`;
    const file = { type: 'file', cert: client.certFile, key: client.keyFile };
    await roundTrip({ endpoint, tls: { ca_source, source: file } });
    await roundTrip({ endpoint, tls: { ca_source, source: { type: 'pem', cert: client.cert, key: client.key } } });
  });

  test('says so when a client certificate is missing or of a wrong CA', async () => {
    const client = stranger.sign('client', []);
    const port = await startNode({ requestCert: true, rejectUnauthorized: true, ca: authority.ca.cert });
    const ca_source = { type: 'pem', data: authority.ca.cert };
    const missing = await failure({ endpoint: `https://localhost:${port}`, tls: { ca_source } });
    expect(missing).toMatchObject({ code: 'tls' });
    expect(missing.message).toContain('It may want a client certificate: give it as tls.source');
    const source = { type: 'file', cert: client.certFile, key: client.keyFile };
    const wrong = await failure({ endpoint: `https://localhost:${port}`, tls: { ca_source, source } });
    expect(wrong).toMatchObject({ code: 'tls' });
    expect(wrong.message).toContain('tls.source');
  });

  test('speaks exactly the version it is told', async () => {
    const tls = { ca_source: { type: 'pem', data: authority.ca.cert } };
    const modern = await startNode();
    const error = await failure({ endpoint: `https://localhost:${modern}`, tls: { ...tls, tls_version: 'tls1.2' } });
    expect(error).toMatchObject({ code: 'tls' });
    expect(error.message).toContain('Try tls.tls_version "tls1.3"');

    const old = await startNode({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
    expect(await failure({ endpoint: `https://localhost:${old}`, tls })).toMatchObject({ code: 'tls' });
    await roundTrip({ endpoint: `https://localhost:${old}`, tls: { ...tls, tls_version: 'tls1.2' } });
  });

  test('a server that negotiates h2 is fine too', async () => {
    const endpoint = `https://localhost:${await startNode({ ALPNProtocols: ['h2'] })}`;
    await roundTrip({ endpoint, tls: { ca_source: { type: 'pem', data: authority.ca.cert } } });
  });

  test('a web server that only knows HTTP/1.1', async () => {
    const endpoint = `https://localhost:${await startNode({ ALPNProtocols: ['http/1.1'] })}`;
    const error = await failure({ endpoint, tls: { ca_source: { type: 'pem', data: authority.ca.cert } } });
    expect(error.message).toContain('it does not speak HTTP/2');
  });

  test('https to a node without TLS says which endpoint to use', async () => {
    const port = await http2Server((stream) => respondGrpc(stream));
    const error = await failure({ endpoint: `https://127.0.0.1:${port}` });
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'tls' });
    expect(error.message).toContain(`Use http://127.0.0.1:${port}`);
    expect(error.message).toContain('it does not speak TLS');
  });

  test('http to a node with TLS says which endpoint to use', async () => {
    const port = await startNode();
    const error = await failure({ endpoint: `http://127.0.0.1:${port}` });
    expect(error.message).toContain(`use https://127.0.0.1:${port}`);
  });

  test('http to a node with TLS that answers with an alert, as SLIM does', async () => {
    const alert = Buffer.of(0x15, 3, 3, 0, 2, 2, 10);
    const port = await listen(createTcpServer((socket) => socket.once('data', () => socket.end(alert))));
    const error = await failure({ endpoint: `http://127.0.0.1:${port}` });
    expect(error).toMatchObject({ code: 'tls' });
    expect(error.message).toContain(`(it speaks TLS). Use https://127.0.0.1:${port}`);
  });

  test('a server that is silent in the handshake runs into the connect timeout', async () => {
    const port = await listen(createTcpServer((socket) => socket.resume()));
    const error = await failure({ endpoint: `https://127.0.0.1:${port}`, connect_timeout: '50ms' });
    expect(error).toMatchObject({ code: 'connect-timeout' });
  });

  test('files that cannot be read, or are no certificates, are errors of the configuration', async () => {
    const endpoint = 'https://127.0.0.1:1';
    const lost = await failure({ endpoint, tls: { ca_source: { type: 'file', path: '/no/such/ca.pem' } } });
    expect(lost).toMatchObject({ name: 'ConfigError', code: 'bad-config' });
    expect(lost.message).toContain('tls.ca_source names a file that cannot be read (ENOENT)');

    const cert = authority.file('not-a-certificate.pem', 'SECRET KEY MATERIAL');
    const garbage = await failure({ endpoint, tls: { source: { type: 'file', cert, key: cert } } });
    expect(garbage).toMatchObject({ name: 'ConfigError', code: 'bad-config' });
    expect(garbage.message).not.toContain('SECRET');
  });

  test('files are read again for each connection', async () => {
    const endpoint = `https://localhost:${await startNode()}`;
    const caFile = authority.file('changing.pem', stranger.ca.cert);
    const transport = new GrpcTransport(
      parseClientConfig({ endpoint, tls: { ca_source: { type: 'file', path: caFile } } }),
    );
    await expect(transport.open(new Recorder())).rejects.toMatchObject({ code: 'tls' });
    authority.file('changing.pem', authority.ca.cert);
    const connection = await transport.open(new Recorder());
    await connection.close();
  });

  test('a token file goes out as bearer token, as it is at that moment', async () => {
    const seen: unknown[] = [];
    const port = await http2Server((stream, headers) => {
      seen.push(headers['authorization']);
      respondGrpc(stream);
      stream.resume().on('end', () => stream.end());
    });
    const file = authority.file('token.jwt', 'aaa.bbb.ccc\n');
    const transport = new GrpcTransport(
      parseClientConfig({ endpoint: `127.0.0.1:${port}`, auth: { type: 'static_jwt', file, duration: 60 } }),
    );
    await (await transport.open(new Recorder())).close();
    authority.file('token.jwt', 'ddd.eee.fff');
    await (await transport.open(new Recorder())).close();
    expect(seen).toEqual(['Bearer aaa.bbb.ccc', 'Bearer ddd.eee.fff']);

    authority.file('token.jwt', 'two\ntokens');
    await expect(transport.open(new Recorder())).rejects.toMatchObject({ code: 'bad-config' });
  });
});
