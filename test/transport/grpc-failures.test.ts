import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { inspect } from 'node:util';

import { describe, expect, test } from 'vitest';

import { GrpcTransport, parseClientConfig } from '../../src/transport/index.js';
import { AuthError, ConnectionError, SlimError } from '../../src/util/index.js';
import { Recorder } from '../compliance/transport-suite.js';

import { closedPort, failureOf, GRPC_HEADERS, http2Server, listen, respondGrpc } from './helpers/raw-servers.js';

async function openFailure(document: Record<string, unknown> & { endpoint: string }): Promise<SlimError> {
  const recorder = new Recorder();
  const error = await failureOf(new GrpcTransport(parseClientConfig(document)).open(recorder));
  // An attempt that failed has no stream that could end.
  expect(recorder.log).toEqual([]);
  if (!(error instanceof SlimError)) throw error;
  return error;
}

async function endOf(port: number): Promise<SlimError | undefined> {
  const recorder = new Recorder();
  await new GrpcTransport(`127.0.0.1:${port}`).open(recorder);
  const error = await recorder.ended;
  expect(recorder.count('end')).toBe(1);
  return error;
}

describe('an attempt that fails says why', () => {
  test('nothing listens', async () => {
    const port = await closedPort();
    const error = await openFailure({ endpoint: `127.0.0.1:${port}` });
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: 'refused', exitCode: 3 });
    expect(error.message).toBe(
      `cannot reach a SLIM node at http://127.0.0.1:${port} (connection refused). ` +
        `Is it running? Check with: nc -vz 127.0.0.1 ${port}`,
    );
    expect(error.details).toEqual({
      endpoint: `http://127.0.0.1:${port}`,
      hint: `Is it running? Check with: nc -vz 127.0.0.1 ${port}`,
      why: 'connection refused',
    });
  });

  test('nothing listens on any address of a name', async () => {
    const error = await openFailure({ endpoint: `localhost:${await closedPort()}` });
    expect(error.code).toBe('refused');
  });

  test('a host name that does not exist', async () => {
    const error = await openFailure({ endpoint: 'http://no-such-host.invalid:46357' });
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'dns' });
    expect(error.message).toContain('no-such-host.invalid');
  });

  test('an HTTP/1.1 server', async () => {
    const port = await listen(createHttpServer((_request, response) => response.end('hello')));
    const error = await openFailure({ endpoint: `127.0.0.1:${port}` });
    expect(error.code).toBe('not-a-slim-node');
    expect(error.message).toContain(`127.0.0.1:${port} answers, but not as a SLIM node (it does not speak HTTP/2)`);
  });

  test('a server of another protocol that speaks first', async () => {
    const port = await listen(
      createTcpServer((socket) => socket.write('220 mail.example.org ESMTP ready, go ahead\r\n')),
    );
    expect(await openFailure({ endpoint: `127.0.0.1:${port}` })).toMatchObject({ code: 'not-a-slim-node' });
  });

  test('an HTTP/2 server that is not gRPC', async () => {
    const port = await http2Server((stream) => {
      stream.respond({ ':status': 404 });
      stream.end('no such page');
    });
    const error = await openFailure({ endpoint: `127.0.0.1:${port}` });
    expect(error.code).toBe('not-a-slim-node');
    expect(error.message).toContain('HTTP status 404');
  });

  test('a web server that says yes to everything', async () => {
    const port = await http2Server((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/html' });
      stream.end('<html>');
    });
    expect(await openFailure({ endpoint: `127.0.0.1:${port}` })).toMatchObject({ code: 'not-a-slim-node' });
  });

  test('a gRPC server without the service', async () => {
    const port = await http2Server((stream) => {
      stream.respond({ ...GRPC_HEADERS, 'grpc-status': '12', 'grpc-message': 'unknown service' }, { endStream: true });
    });
    expect(await openFailure({ endpoint: `127.0.0.1:${port}` })).toMatchObject({ code: 'not-a-slim-node' });
  });

  // SLIM's own refusal: HTTP status 401, no gRPC trailers.
  test.each([401, 403])('credentials refused with HTTP status %i', async (status) => {
    const port = await http2Server((stream) => {
      stream.respond({ ':status': status, 'www-authenticate': 'Basic' }, { endStream: true });
    });
    const auth = { type: 'basic', username: 'u', password: 'very-secret-word' };
    const error = await openFailure({ endpoint: `127.0.0.1:${port}`, auth });
    expect(error).toBeInstanceOf(AuthError);
    expect(error).toMatchObject({ code: 'credentials-rejected', exitCode: 4 });
    expect(error.message).toContain(`http://127.0.0.1:${port}`);
    expect(`${error.message} ${JSON.stringify(error.details)}`).not.toContain('very-secret-word');
  });

  test.each(['16', '7'])('credentials refused with gRPC status %s', async (status) => {
    const port = await http2Server((stream) => {
      stream.respond({ ...GRPC_HEADERS, 'grpc-status': status }, { endStream: true });
    });
    expect(await openFailure({ endpoint: `127.0.0.1:${port}` })).toMatchObject({ code: 'credentials-rejected' });
  });

  test('a gateway whose node is down', async () => {
    const port = await http2Server((stream) => stream.respond({ ':status': 503 }, { endStream: true }));
    expect(await openFailure({ endpoint: `127.0.0.1:${port}` })).toMatchObject({ code: 'unreachable' });
  });

  test('a node that ends the stream instead of opening it', async () => {
    const port = await http2Server((stream) => {
      stream.respond({ ...GRPC_HEADERS, 'grpc-status': '0' }, { endStream: true });
    });
    expect(await openFailure({ endpoint: `127.0.0.1:${port}` })).toMatchObject({ code: 'unreachable' });
  });

  test('a server that accepts and never answers', async () => {
    const port = await listen(createTcpServer((socket) => socket.resume()));
    const error = await openFailure({ endpoint: `127.0.0.1:${port}`, request_timeout: '50ms' });
    expect(error.code).toBe('connect-timeout');
    expect(error.message).toContain('it accepts connections but says nothing for 50 ms');
    expect(error.message).toContain(`https://127.0.0.1:${port}`);
  });

  test('an HTTP/2 server that never answers the request', async () => {
    const port = await http2Server(() => undefined);
    const error = await openFailure({ endpoint: `127.0.0.1:${port}`, request_timeout: '50ms' });
    expect(error.code).toBe('connect-timeout');
  });

  test('a server that hangs up without a word', async () => {
    const port = await listen(createTcpServer((socket) => socket.end()));
    const error = await openFailure({ endpoint: `127.0.0.1:${port}` });
    expect(error.code).toBe('not-a-slim-node');
    expect(error.message).toContain(`If it has TLS, use https://127.0.0.1:${port}`);
  });

  test('a server that resets the connection', async () => {
    const port = await listen(
      createTcpServer((socket) => {
        socket.once('data', () => socket.resetAndDestroy());
      }),
    );
    expect(await openFailure({ endpoint: `127.0.0.1:${port}` })).toMatchObject({ code: 'unreachable' });
  });

  test('a stream that is reset before it is open', async () => {
    const port = await http2Server((stream) => stream.close(7));
    const error = await openFailure({ endpoint: `127.0.0.1:${port}` });
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: 'unreachable', exitCode: 3 });
    expect(error.message).toContain('it turned us away before it answered');
  });

  // As a node does that is going down, and a proxy that has too much to do.
  test.each([
    ['and is done', 0, 'REFUSED_STREAM'],
    ['and has had enough', 11, 'error code 11'],
  ])('a server that says GOAWAY at once %s speaks HTTP/2 all the same', async (_what, code, why) => {
    const settings = Buffer.from('000000040000000000', 'hex');
    const goaway = Buffer.from(`00000807000000000000000000${code.toString(16).padStart(8, '0')}`, 'hex');
    for (const isClosing of [false, true]) {
      const port = await listen(
        createTcpServer((socket) => {
          socket.resume().write(Buffer.concat([settings, goaway]));
          if (isClosing) socket.end();
        }),
      );
      const error = await openFailure({ endpoint: `127.0.0.1:${port}` });
      expect(error).toMatchObject({ code: 'unreachable', exitCode: 3 });
      expect(error.message).toContain('it turned us away before it answered');
      expect(error.message).toContain(why);
    }
  });

  test('a server that sends nothing but noise', async () => {
    const port = await listen(createTcpServer((socket) => socket.resume().write('noise noise noise noise noise\n')));
    const error = await openFailure({ endpoint: `127.0.0.1:${port}` });
    expect(error).toMatchObject({ code: 'not-a-slim-node', exitCode: 3 });
  });

  test('what a peer writes into its message cannot reach a terminal', async () => {
    const port = await http2Server((stream) => {
      const text = encodeURIComponent('\u001b]0;owned\u0007 no \u202eway');
      stream.respond({ ...GRPC_HEADERS, 'grpc-status': '14', 'grpc-message': text }, { endStream: true });
    });
    const error = await openFailure({ endpoint: `127.0.0.1:${port}` });
    expect(error.code).toBe('unreachable');
    expect(error.message).toContain('gRPC status 14: ?]0;owned? no ?way');
  });

  test('a token file that is not there, without showing what stands there: it may be the token', async () => {
    const auth = { type: 'static_jwt', file: 'eyJ-the-token-itself' };
    const error = await openFailure({ endpoint: '127.0.0.1:1', auth });
    expect(error).toMatchObject({ name: 'ConfigError', code: 'bad-config', exitCode: 2 });
    expect(error.message).toContain('auth.file names a file that cannot be read (ENOENT)');
    expect(inspect(error, { depth: 9 })).not.toContain('eyJ-the-token-itself');
  });
});

describe('an open stream that ends says why', () => {
  test('with OK at once', async () => {
    const port = await http2Server((stream) => {
      respondGrpc(stream);
      stream.end();
    });
    const error = await endOf(port);
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'stream-lost', details: { grpcStatus: 0 } });
    expect(error?.message).toContain('the node ended it');
  });

  test('with an error status', async () => {
    const port = await http2Server((stream) => {
      respondGrpc(stream, { 'grpc-status': '13', 'grpc-message': 'internal%20trouble' });
      stream.end();
    });
    const error = await endOf(port);
    expect(error).toMatchObject({ code: 'stream-lost', details: { grpcStatus: 13 } });
    expect(error?.message).toContain('gRPC status 13: internal trouble');
  });

  test('with a refusal of the credentials', async () => {
    const port = await http2Server((stream) => {
      respondGrpc(stream, { 'grpc-status': '16' });
      stream.end();
    });
    expect(await endOf(port)).toMatchObject({ name: 'AuthError', code: 'credentials-rejected' });
  });

  test('without a status', async () => {
    const port = await http2Server((stream) => {
      stream.respond(GRPC_HEADERS);
      stream.end();
    });
    const error = await endOf(port);
    expect(error).toMatchObject({ code: 'stream-lost' });
    expect(error?.details).not.toHaveProperty('grpcStatus');
  });

  test.each([
    ['INTERNAL_ERROR', 2],
    ['CANCEL', 8],
  ])('reset with %s', async (_name, code) => {
    const port = await http2Server((stream) => {
      stream.respond(GRPC_HEADERS);
      stream.once('data', () => stream.close(code));
    });
    const recorder = new Recorder();
    const connection = await new GrpcTransport(`127.0.0.1:${port}`).open(recorder);
    connection.send(Uint8Array.of(1));
    expect(await recorder.ended).toMatchObject({ code: 'stream-lost' });
    expect(recorder.log).toEqual(['end']);
  });

  test('with a GOAWAY that is an error', async () => {
    const port = await http2Server((stream) => {
      stream.respond(GRPC_HEADERS);
      stream.once('data', () => stream.session?.goaway(11));
    });
    const recorder = new Recorder();
    const connection = await new GrpcTransport(`127.0.0.1:${port}`).open(recorder);
    connection.send(Uint8Array.of(1));
    expect(await recorder.ended).toMatchObject({ code: 'stream-lost' });
  });

  test('with a message that is too large', async () => {
    const port = await http2Server((stream) => {
      stream.respond(GRPC_HEADERS);
      stream.write(Buffer.of(0, 0x01, 0x00, 0x00, 0x00));
    });
    const error = await endOf(port);
    expect(error?.code).toBe('stream-lost');
    expect(error?.message).toContain('16777216 bytes');
  });

  test('with a compressed message', async () => {
    const port = await http2Server((stream) => {
      stream.respond(GRPC_HEADERS);
      stream.write(Buffer.of(1, 0, 0, 0, 1, 0));
    });
    expect((await endOf(port))?.message).toContain('compressed');
  });
});
