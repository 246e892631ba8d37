import { once } from 'node:events';
import { connect as connectTcp, createServer, type Socket } from 'node:net';

import { beforeEach, expect, test } from 'vitest';

import { Name } from '../../src/name/index.js';
import { field, HEADER, join as bytes, NAME_BYTES, NUMBERS, SESSION, STRINGS } from '../wire/raw.js';
import { publish } from './raw-client.js';
import { hello, nobody, onlyC2, type Trio } from './trio.js';

/** The rows of data-plane.md 6.7 about ends, faulty messages and clients that do not read. */
export function faultRows(getTrio: () => Trio, isOurs: boolean): void {
  let t: Trio;
  beforeEach(() => {
    t = getTrio();
  });

  const source = field(1, NAME_BYTES);
  const destination = field(2, NAME_BYTES);
  const content = field(3, field(1, field(2, 'x')));
  const faulty: [string, Buffer][] = [
    ['an empty message', Buffer.alloc(0)],
    ['a Publish without header', field(3, bytes(SESSION, content))],
    ['a Publish without source', field(3, bytes(field(1, destination), SESSION, content))],
    ['a Publish without destination', field(3, bytes(field(1, source), SESSION, content))],
    ['a Publish without session', field(3, bytes(HEADER, content))],
    ['a Publish with empty header and session', Buffer.from('1a040a001200', 'hex')],
    ['an empty field 5', field(5, '')],
    ['an unknown field', field(15, 'x')],
  ];

  test('row 25: a half-close ends the subscriptions, and the stream with OK', async () => {
    await t.subscribe(t.c2, t.id(5));
    t.c2.raw.halfClose();
    expect(await t.c2.raw.ended()).toMatchObject({ code: 0 });
    expect(await t.deliveries(hello(t.id(5), 1))).toEqual(nobody);
    await t.gone(t.c2);
  });

  test('row 25: a cancel ends the subscriptions', async () => {
    await t.subscribe(t.c2, t.id(5));
    t.c2.raw.cancel();
    await t.c2.raw.ended();
    await t.gone(t.c2);
  });

  test('row 25: a dead socket ends the subscriptions', async () => {
    const proxy = await tcpProxy(t.url);
    const doomed = await t.join(t.c1, proxy.url);
    proxy.cut();
    await doomed.raw.ended();
    await t.gone(doomed);
  });

  test.runIf(isOurs).each(faulty)('row 28: %s is dropped, and the next message arrives', async (_, message) => {
    await t.subscribe(t.c2, t.id(5));
    expect(await t.deliveries(message, hello(t.id(5), 1))).toEqual(onlyC2);
  });

  test('row 29: a Publish without content is forwarded', async () => {
    await t.subscribe(t.c2, Name.fromWire(['org', 'ns', 'app'], [11n, 12n, 13n], 14n));
    const before = t.c2.raw.messages.length;
    await t.deliveries(field(3, bytes(HEADER, SESSION)));
    // The marker, and the one without content.
    expect(t.c2.raw.messages.length - before).toBe(2);
  });

  test.runIf(isOurs).each([
    ['name', STRINGS],
    ['str_name', NUMBERS],
  ])('row 30: a destination without %s is dropped', async (_missing, half) => {
    await t.subscribe(t.c2, Name.fromWire(['org', 'ns', 'app'], [11n, 12n, 13n], 14n));
    await t.subscribe(t.c2, Name.fromWire(['org', 'ns', 'app'], [0n, 0n, 0n], 0n));
    await t.subscribe(t.c2, t.id(5));
    const header = field(1, bytes(source, field(2, half), field(3, 1n)));
    const before = t.c2.raw.messages.length;
    await t.deliveries(field(3, bytes(header, SESSION, content)), hello(t.id(5), 1));
    // The marker, and the sound message after the faulty one.
    expect(t.c2.raw.messages.length - before).toBe(2);
  });

  test('row 31: a message of 4 MiB + 1 ends the stream of its sender, with its subscriptions', async () => {
    await t.subscribe(t.c2, t.id(5));
    const c4 = await t.join(t.c1);
    const small = publish(t.id(5), '', { padding: 4_000_000 });
    const large = publish(t.id(5), '', { padding: 4_000_000 + 4 * 1024 * 1024 + 1 - small.length });
    expect(large.length).toBe(4 * 1024 * 1024 + 1);
    c4.raw.send(large);
    expect(await c4.raw.ended()).toMatchObject({ code: 0 });
    await t.gone(c4);
    expect(await t.deliveries(hello(t.id(5), 1))).toEqual(onlyC2);
  });

  test.runIf(isOurs)(
    'row 38: a client that does not read is cut off, and holds nobody up',
    async () => {
      await t.subscribe(t.c2, t.id(5));
      t.c2.raw.pause();
      const flood = publish(t.id(5), '', { padding: 4_000 });
      const flooding = t.c1.raw.sendAll(Array<Uint8Array>(25_000).fill(flood));
      for (let i = 0; i < 20; i++) {
        const c4 = await t.join(t.c3);
        await t.c3.mark(c4);
        await c4.mark(t.c3);
        c4.raw.close();
      }
      await flooding;
      expect(t.c1.raw.status).toBeUndefined();
      await t.c1.settle(t.c3);
      t.c2.raw.resume();
      expect(await t.c2.raw.ended()).toMatchObject({ code: 8 });
      await t.gone(t.c2);
    },
    60_000,
  );
}

async function tcpProxy(url: string): Promise<{ readonly url: string; cut(): void }> {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  const server = createServer((client) => {
    const upstream = connectTcp(Number(port), hostname);
    sockets.push(client, upstream);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.pipe(upstream);
    upstream.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
      server.close();
    },
  };
}
