import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';

import { onTestFinished } from 'vitest';

/** Starts a server of any kind on a free port of this computer until the test ends; returns the port. */
export async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  });
  return (server.address() as AddressInfo).port;
}

/** A port of this computer on which nothing listens. */
export async function closedPort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return port;
}

/** An HTTP/2 server that does to each stream what it is told; returns its port. */
export async function http2Server(onStream: (stream: ServerHttp2Stream, headers: HeaderMap) => void): Promise<number> {
  const server: Http2Server = createHttp2Server();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    onStream(stream, headers as HeaderMap);
  });
  server.on('sessionError', () => undefined);
  return listen(server);
}

/** Request headers. */
export type HeaderMap = Record<string, string | undefined>;

/** Response headers of an open gRPC stream. */
export const GRPC_HEADERS = { ':status': 200, 'content-type': 'application/grpc' } as const;

/** Opens a gRPC stream and ends it with a status when the writable side ends. */
export function respondGrpc(
  stream: ServerHttp2Stream,
  trailers: Record<string, string> = { 'grpc-status': '0' },
): void {
  stream.respond(GRPC_HEADERS, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
}

/** Waits for an error that must come. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it did not fail');
}
