import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import { expect, test } from 'vitest';

import { GrpcTransport } from '../../src/transport/index.js';
import { Recorder } from '../compliance/transport-suite.js';
import { failureOf, listen } from './helpers/raw-servers.js';

const FRAME_HEADER_BYTES = 9;
const SETTINGS = 4;
const WINDOW_UPDATE = 8;
const ACK = 1;

function settings(flags: number): Buffer {
  return Buffer.from([0, 0, 0, SETTINGS, flags, 0, 0, 0, 0]);
}

async function chunk(socket: Socket): Promise<Buffer> {
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes;
}

test('the word of the node on our settings is answered with something, or TCP keeps its response back for 40 ms', async () => {
  const server = createServer();
  const port = await listen(server);
  const stop = new AbortController();
  const failure = failureOf(new GrpcTransport(`127.0.0.1:${port}`).open(new Recorder(), stop.signal));

  const [socket] = (await once(server, 'connection')) as [Socket];
  await chunk(socket);
  socket.write(settings(0));
  expect(await chunk(socket)).toEqual(settings(ACK));
  socket.write(settings(ACK));
  const answer = await chunk(socket);
  expect([answer.length, answer[3]]).toEqual([FRAME_HEADER_BYTES + 4, WINDOW_UPDATE]);

  stop.abort();
  expect(await failure).toMatchObject({ code: 'aborted' });
});
