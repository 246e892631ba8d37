import type { ClientHttp2Session } from 'node:http2';
import { Socket } from 'node:net';

import { afterEach, expect, test, vi } from 'vitest';

import { GrpcTransport, MemoryTransport, parseClientConfig } from '../../src/transport/index.js';
import { Keepalive } from '../../src/transport/keepalive.js';
import { Recorder } from '../compliance/transport-suite.js';
import { GRPC_HEADERS, http2Server } from './helpers/raw-servers.js';

afterEach(() => {
  vi.useRealTimers();
});

const HOURS_600_MS = 600 * 3_600_000;

test('a node that answers after 50 ms is in time for timeouts of 600 hours', async () => {
  const port = await http2Server((stream) => {
    setTimeout(() => {
      stream.respond(GRPC_HEADERS);
    }, 50);
  });
  const config = parseClientConfig({ endpoint: `127.0.0.1:${port}`, connect_timeout: '600h', request_timeout: '600h' });
  const connection = await new GrpcTransport(config).open(new Recorder());
  void connection.close();
});

test('pings every 600 hours are none in the first day, and an answer may take as long', async () => {
  vi.useFakeTimers();
  const ping = vi.fn();
  const onDead = vi.fn();
  // All that the keepalive knows of a session.
  const session = { ping, destroyed: false } as Partial<ClientHttp2Session> as ClientHttp2Session;
  const socket = new Socket();
  const keepalive = new Keepalive(session, socket, { intervalMs: HOURS_600_MS, timeoutMs: HOURS_600_MS }, onDead);
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(ping).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(HOURS_600_MS - 86_400_000);
  expect(ping).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(onDead).not.toHaveBeenCalled();
  keepalive.stop();
  expect(vi.getTimerCount()).toBe(0);
});

test('a line in memory with a latency of 600 hours delivers nothing in the first day', async () => {
  vi.useFakeTimers();
  const onFrame = vi.fn();
  const transport = new MemoryTransport(() => ({ onFrame, onDrain: () => {}, onEnd: () => {} }), {
    latencyMs: HOURS_600_MS,
  });
  const connection = await transport.open(new Recorder());
  connection.send(Uint8Array.of(1));
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(onFrame).not.toHaveBeenCalled();
});
