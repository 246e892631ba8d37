import { once } from 'node:events';
import { type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { Name } from '../../src/name/index.js';
import { defaultQueueLimits, type ClientStream } from '../../src/node/client-stream.js';
import { GrpcServer, type GrpcServerOptions } from '../../src/node/grpc-server.js';
import type { NodeLogEvent } from '../../src/node/log-event.js';
import { MessageProcessor } from '../../src/node/message-processor.js';
import { forwardedBytes, readFrame } from '../../src/node/relay.js';
import { encodeFrames, FRAME_PREFIX_BYTES, OPEN_CHANNEL_PATH } from '../../src/transport/index.js';
import { Condition, publish, subscription } from './raw-client.js';

const name = Name.of('org', 'ns', 'n');

async function serve(options: Partial<GrpcServerOptions>): Promise<{
  readonly port: number;
  readonly log: NodeLogEvent[];
  readonly processor: MessageProcessor<ClientStream>;
  readonly changed: Condition;
}> {
  const log: NodeLogEvent[] = [];
  const changed = new Condition();
  const onLog = (event: NodeLogEvent): void => {
    log.push(event);
    changed.notify();
  };
  const processor = new MessageProcessor<ClientStream>(onLog, () => 0);
  const server = new GrpcServer(processor, onLog, {
    queue: defaultQueueLimits,
    keepaliveMs: 120_000,
    keepaliveTimeoutMs: 20_000,
    ...options,
  });
  const { port } = await server.listen('127.0.0.1', 0);
  onTestFinished(() => server.close());
  return { port, log, processor, changed };
}

/** A stream of its own session, without any queue of grpc-js in between. */
async function open(port: number): Promise<ClientHttp2Stream> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  onTestFinished(() => {
    session.destroy();
  });
  const stream = session.request(
    { ':method': 'POST', ':path': OPEN_CHANNEL_PATH, 'content-type': 'application/grpc' },
    { endStream: false },
  );
  stream.on('error', () => undefined);
  await once(stream, 'response');
  return stream;
}

function framed(...messages: readonly Uint8Array[]): Buffer {
  return encodeFrames(messages);
}

describe('keepalive', () => {
  test('a client that does not answer pings is dropped', async () => {
    const { port, log, changed, processor } = await serve({ keepaliveMs: 50, keepaliveTimeoutMs: 50 });
    const socket = connectTcp(port, '127.0.0.1');
    onTestFinished(() => {
      socket.destroy();
    });
    socket.on('error', () => undefined).resume();
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.write(Buffer.from('000000040000000000', 'hex'));
    await changed.until(
      () => log.some((event) => event.kind === 'keepalive-timeout'),
      () => 'the timeout',
    );
    await once(socket, 'close');
    expect(processor.connectionCount).toBe(0);
  });

  test('one that answers stays', async () => {
    const { port, log } = await serve({ keepaliveMs: 20, keepaliveTimeoutMs: 2_000 });
    const stream = await open(port);
    let pings = 0;
    const seen = new Condition();
    stream.session?.on('ping', () => {
      pings++;
      seen.notify();
    });
    await seen.until(
      () => pings >= 3,
      () => 'three pings',
    );
    expect(log.filter((event) => event.kind === 'keepalive-timeout')).toEqual([]);
    expect(stream.destroyed).toBe(false);
  });
});

describe('queues', () => {
  const message = publish(name, 'hello', { padding: 400 });
  const batch = framed(...Array<Uint8Array>(50).fill(message));

  /** Subscribes and resolves when the node has acknowledged it. */
  async function subscribe(stream: ClientHttp2Stream): Promise<void> {
    stream.write(framed(subscription('subscribe', name, 1n)));
    await once(stream, 'data');
  }

  async function flood(stream: ClientHttp2Stream, batches: number): Promise<void> {
    for (let i = 0; i < batches; i++) {
      if (!stream.write(batch)) await once(stream, 'drain');
    }
  }

  test('a sender faster than its receiver is slowed down, and the receiver gets everything', async () => {
    const { port, log, processor } = await serve({
      queue: { ...defaultQueueLimits, maxFrames: 2_000, pauseMs: 2_000 },
    });
    const receiver = await open(port);
    await subscribe(receiver);
    const sender = await open(port);
    const batches = 400;
    let received = 0;
    const progress = new Condition();
    receiver.on('data', (chunk: Buffer) => {
      received += chunk.length;
      receiver.pause();
      setTimeout(() => {
        receiver.resume();
        progress.notify();
      }, 1);
    });
    await flood(sender, batches);
    const reading = readFrame(Buffer.from(message));
    if (reading.kind !== 'publish') throw new Error(reading.kind);
    const expected = batches * 50 * forwardedBytes(reading, 1, FRAME_PREFIX_BYTES).length;
    for (let million = 1; million * 1_000_000 < expected; million++) {
      await progress.until(
        () => received >= million * 1_000_000,
        () => `more than ${received} bytes`,
      );
    }
    await progress.until(
      () => received >= expected,
      () => `more than ${received} bytes`,
    );
    expect(received).toBe(expected);
    expect(log.filter((event) => event.kind === 'cut-off')).toEqual([]);
    expect(processor.counts.forwarded).toBe(batches * 50);
  }, 60_000);

  test('a receiver that does not read delays its sender once, and is cut off when its queue is full', async () => {
    const limits = { maxFrames: 2_000, maxBytes: 1024 * 1024 * 1024, pauseMs: 300 };
    const { port, log, changed, processor } = await serve({ queue: limits });
    const receiver = await open(port);
    await subscribe(receiver);
    receiver.pause();
    const closed = new Promise<void>((resolve) => {
      receiver.once('close', resolve);
    });
    const other = await open(port);
    other.write(framed(subscription('subscribe', name, 1n)));
    other.resume();
    const sender = await open(port);
    const start = performance.now();
    await flood(sender, 400);
    await changed.until(
      () => log.some((event) => event.kind === 'cut-off'),
      () => 'the cut',
    );
    // One pause, and a wide margin for the machine: a pause a chunk would take half a minute.
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(log).toContainEqual({ kind: 'disconnected', connection: 0, reason: 'cut-off' });
    expect(log.filter((event) => event.kind === 'disconnected')).toHaveLength(1);
    expect(processor.connectionCount).toBe(2);
    await closed;
    expect(receiver.rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }, 60_000);

  test('the limit in bytes cuts off too', async () => {
    const { port, log, changed } = await serve({ queue: { maxFrames: 1_000_000, maxBytes: 500_000, pauseMs: 10 } });
    const receiver = await open(port);
    await subscribe(receiver);
    receiver.pause();
    const sender = await open(port);
    await flood(sender, 200);
    await changed.until(
      () => log.some((event) => event.kind === 'cut-off'),
      () => 'the cut',
    );
    const [cut] = log.filter((event) => event.kind === 'cut-off');
    expect(cut).toMatchObject({ kind: 'cut-off', connection: 0 });
    expect(cut?.kind === 'cut-off' && cut.bytes).toBeGreaterThan(500_000);
    expect(cut?.kind === 'cut-off' && cut.bytes).toBeLessThan(600_000);
  }, 30_000);

  test('what was queued before a half-close is still delivered', async () => {
    const { port } = await serve({});
    const stream = await open(port);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
    });
    stream.end(framed(...Array.from({ length: 1_000 }, (_, i) => subscription('subscribe', name, BigInt(i + 1)))));
    const [[trailers]] = (await Promise.all([once(stream, 'trailers'), once(stream, 'end')])) as [[unknown], unknown];
    expect(trailers).toMatchObject({ 'grpc-status': '0' });
    // Acknowledgements of ids below 128 have one byte less.
    expect(Buffer.concat(chunks).length).toBe(1_000 * (5 + 7) - 127);
  });
});
