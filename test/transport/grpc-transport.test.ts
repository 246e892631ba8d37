import { createServer, type Server } from 'node:net';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { GrpcTransport, parseClientConfig } from '../../src/transport/index.js';
import { type PeerStream, Recorder, settled, transportSuite } from '../compliance/transport-suite.js';

import { GrpcPeer } from './helpers/grpc-peer.js';
import { GRPC_HEADERS, http2Server, listen, respondGrpc } from './helpers/raw-servers.js';

transportSuite('grpc', async () => {
  const peer = await GrpcPeer.start();
  const silent = await startSilentServer();
  const transport = new GrpcTransport(peer.url);
  const silentTransport = new GrpcTransport(`http://127.0.0.1:${silent.port}`);
  return {
    transport,
    silentTransport,
    nextStream: () => peer.nextStream(),
    get onStream() {
      return peer.onStream;
    },
    set onStream(onStream: ((stream: PeerStream) => void) | undefined) {
      peer.onStream = onStream;
    },
    dispose: async () => {
      transport.close();
      silentTransport.close();
      await peer.stop();
      silent.server.close();
    },
  };
});

async function startSilentServer(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return { server, port: typeof address === 'object' && address ? address.port : 0 };
}

describe('GrpcTransport', () => {
  let peer: GrpcPeer;

  beforeEach(async () => {
    peer = await GrpcPeer.start();
  });
  afterEach(() => peer.stop());

  test('frames that are sent together leave together, but the first few of many ahead of the rest', async () => {
    const recorder = new Recorder();
    const connection = await new GrpcTransport(peer.url).open(recorder);
    const stream = await peer.nextStream();
    connection.send(new Uint8Array(10));
    await stream.inbox.reach(1);
    const before = peer.dataFramesFromClients;
    for (let sent = 0; sent < 200; sent += 1) {
      // Some in the same turn, some in promise jobs of it.
      if (sent % 10 === 0) await Promise.resolve();
      connection.send(new Uint8Array(100));
    }
    await stream.inbox.reach(201);
    // The rest of 21 000 bytes needs two DATA frames of HTTP/2.
    expect(peer.dataFramesFromClients - before).toBe(3);
    for (let sent = 0; sent < 5; sent += 1) connection.send(new Uint8Array(100));
    await stream.inbox.reach(206);
    expect(peer.dataFramesFromClients - before).toBe(4);
    await connection.close();
  });

  test('send returns false with the 256th frame or the first mebibyte that waits', async () => {
    const recorder = new Recorder();
    const connection = await new GrpcTransport(peer.url).open(recorder);
    for (let sent = 1; sent < 256; sent += 1) expect(connection.send(new Uint8Array(1))).toBe(true);
    let drained = recorder.nextDrain();
    expect(connection.send(new Uint8Array(1))).toBe(false);
    await drained;
    expect(connection.send(new Uint8Array(1024 * 1024 - 1))).toBe(true);
    drained = recorder.nextDrain();
    expect(connection.send(new Uint8Array(1))).toBe(false);
    await drained;
    await connection.close();
  });

  test('sends the headers of the configuration, and no deadline', async () => {
    const config = parseClientConfig({
      endpoint: peer.url,
      headers: { 'X-Tenant': 'a' },
      auth: { type: 'basic', username: 'u', password: 'pässword' },
      request_timeout: '5s',
    });
    const connection = await new GrpcTransport(config).open(new Recorder());
    expect(peer.lastHeaders).toMatchObject({
      'x-tenant': 'a',
      authorization: `Basic ${Buffer.from('u:pässword').toString('base64')}`,
    });
    expect(peer.lastHeaders).not.toHaveProperty('grpc-timeout');
    await connection.close();
  });

  test('origin replaces the authority, which is the endpoint otherwise', async () => {
    const seen: unknown[] = [];
    const port = await http2Server((stream, headers) => {
      seen.push([headers[':scheme'], headers[':authority'], headers['content-type'], headers['te']]);
      respondGrpc(stream);
      stream.resume().on('end', () => stream.end());
    });
    const endpoint = `127.0.0.1:${port}`;
    for (const origin of [undefined, 'https://slim.example.org:1234/']) {
      const config = parseClientConfig({ endpoint, origin });
      const connection = await new GrpcTransport(config).open(new Recorder());
      await connection.close();
    }
    expect(seen).toEqual([
      ['http', endpoint, 'application/grpc', 'trailers'],
      ['https', 'slim.example.org:1234', 'application/grpc', 'trailers'],
    ]);
  });

  test('names its endpoint', () => {
    expect(new GrpcTransport('localhost:46357').endpoint).toBe('http://localhost:46357');
  });

  test('pings, and gives up when there is no answer', async () => {
    const port = await http2Server((stream) => stream.respond(GRPC_HEADERS));
    const relay = await startFreezableRelay(port);
    const config = parseClientConfig({
      endpoint: `127.0.0.1:${relay.port}`,
      keepalive: { http2_keepalive: '30ms', timeout: '100ms' },
    });
    const recorder = new Recorder();
    await new GrpcTransport(config).open(recorder);
    // Pings that are answered leave it open: each is a chunk to the server, and these take longer than one may be late.
    await relay.chunks(15);
    expect(recorder.log).toEqual([]);
    relay.freeze();
    const error = await recorder.ended;
    expect(error).toMatchObject({ code: 'stream-lost' });
    expect(error?.message).toContain('no answer to a ping within 100 ms');
  });

  test('a GOAWAY that lets streams finish does not end this one', async () => {
    const port = await http2Server((stream) => {
      stream.respond(GRPC_HEADERS);
      stream.session?.goaway(0);
      stream.on('data', (chunk: Buffer) => stream.write(chunk));
    });
    const recorder = new Recorder();
    const connection = await new GrpcTransport(`127.0.0.1:${port}`).open(recorder);
    await settled();
    connection.send(Uint8Array.of(1, 2, 3));
    expect((await recorder.inbox.reach(1))[0]).toEqual(Buffer.of(1, 2, 3));
    expect(recorder.log).toEqual(['frame']);
    connection.close().catch(() => undefined);
  });

  test('a node that never ends its side is left after a second', async () => {
    const port = await http2Server((stream) => {
      stream.respond(GRPC_HEADERS);
      stream.resume();
    });
    const recorder = new Recorder();
    const connection = await new GrpcTransport(`127.0.0.1:${port}`).open(recorder);
    const begin = performance.now();
    await connection.close();
    expect(performance.now() - begin).toBeGreaterThan(900);
    expect(performance.now() - begin).toBeLessThan(3000);
    expect(await recorder.ended).toBeUndefined();
  });
});

/** Passes bytes on until it is frozen; then it keeps its connections and says nothing, like a network that is gone. */
async function startFreezableRelay(
  targetPort: number,
): Promise<{ port: number; freeze: () => void; chunks: (count: number) => Promise<void> }> {
  const { connect } = await import('node:net');
  let isFrozen = false;
  let seen = 0;
  let onChunk: () => void = () => undefined;
  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port: targetPort });
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
    near.on('data', (chunk) => {
      seen += 1;
      onChunk();
      if (!isFrozen) far.write(chunk);
    });
    far.on('data', (chunk) => {
      if (!isFrozen) near.write(chunk);
    });
  });
  const port = await listen(server);
  return {
    port,
    freeze: () => {
      isFrozen = true;
    },
    chunks: (count) => {
      const target = seen + count;
      return new Promise((resolve) => {
        onChunk = (): void => {
          if (seen >= target) resolve();
        };
      });
    },
  };
}
