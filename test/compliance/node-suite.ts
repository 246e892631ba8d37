import { connect as connectTcp, createServer, type Socket } from 'node:net';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { Name, NULL_ID } from '../../src/name/index.js';
import { encodeMessage } from '../../src/wire/index.js';
import { publish, type PublishOptions, RawClient, subscription, TestMember } from '../node/raw-client.js';
import { field, HEADER, join as bytes, NAME_BYTES, NUMBERS, SESSION, STRINGS } from '../wire/raw.js';

/** What is known of the node under test. */
export interface NodeTraits {
  /** Released version, such as `1.4.0`; `ours` for the embedded node. */
  readonly version: string;
}

const LINK_ID = '6ba7b810-9dad-4d11-80b4-00c04fd430c8';

let serial = 0;

/**
 * The rows of data-plane.md 6.7 that can be told from outside a node, over real sockets. Rows in which released nodes differ by
 * design run only where the answer is known.
 *
 * @param getUrl - `http://host:port` of a running node, asked before each test
 */
export function nodeSuite(title: string, getUrl: () => string, traits: NodeTraits): void {
  const isOurs = traits.version === 'ours';
  const hasAcks = isOurs || traits.version >= '1.3';
  const hasFallback = !isOurs && traits.version < '1.4';
  const countsSubscriptions = traits.version === '1.0.0' || traits.version === '1.1.0';

  describe(title, () => {
    let c1: TestMember;
    let c2: TestMember;
    let c3: TestMember;
    let n: Name;
    let opened: RawClient[];

    async function join(witness?: TestMember): Promise<TestMember> {
      const member = await TestMember.join(getUrl(), witness);
      opened.push(member.raw);
      return member;
    }

    beforeEach(async () => {
      opened = [];
      c1 = await join();
      c2 = await join(c1);
      c3 = await join(c1);
      await c1.settle(c2);
      n = Name.of('test', 'rows', `n${process.pid}-${serial++}`);
    });

    afterEach(() => {
      for (const raw of opened) raw.close();
    });

    function id(value: number): Name {
      return n.withId(BigInt(value));
    }

    async function subscribe(member: TestMember, name: Name, subscriptionId = 0n): Promise<void> {
      member.raw.send(subscription('subscribe', name, subscriptionId));
      await member.settle(member === c1 ? c2 : c1);
    }

    async function unsubscribe(member: TestMember, name: Name, subscriptionId = 0n): Promise<void> {
      member.raw.send(subscription('unsubscribe', name, subscriptionId));
      await member.settle(member === c1 ? c2 : c1);
    }

    /** What each of c1, c2, c3 got of the messages that c1 sends. */
    async function deliveries(...messages: readonly Uint8Array[]): Promise<Record<'c1' | 'c2' | 'c3', string[]>> {
      const members = { c1, c2, c3 };
      const before = { c1: c1.raw.texts.length, c2: c2.raw.texts.length, c3: c3.raw.texts.length };
      c1.raw.send(...messages);
      await Promise.all([c1.mark(c2), c1.mark(c3)]);
      await c2.mark(c1);
      return {
        c1: members.c1.raw.texts.slice(before.c1),
        c2: members.c2.raw.texts.slice(before.c2),
        c3: members.c3.raw.texts.slice(before.c3),
      };
    }

    function to(destination: Name, fanout: number, options: PublishOptions = {}): Uint8Array {
      return publish(destination, 'hello', { fanout, ...options });
    }

    const nobody = { c1: [], c2: [], c3: [] };
    const onlyC1 = { ...nobody, c1: ['hello'] };
    const onlyC2 = { ...nobody, c2: ['hello'] };
    const onlyC3 = { ...nobody, c3: ['hello'] };
    const c2AndC3 = { ...nobody, c2: ['hello'], c3: ['hello'] };

    test('row 1: without a subscriber a publish goes nowhere, and the stream stays open', async () => {
      expect(await deliveries(to(id(5), 1))).toEqual(nobody);
      expect(c1.raw.status).toBeUndefined();
    });

    test('row 2: the subscriber gets it with the connection it came in on', async () => {
      await subscribe(c2, id(5));
      expect(await deliveries(to(id(5), 1))).toEqual(onlyC2);
      const arrived = c2.raw.messages.find((message) => message.kind === 'publish' && message.header.destination.equals(id(5)));
      expect(arrived).toMatchObject({ kind: 'publish', header: { incomingConn: expect.any(BigInt) as bigint } });
      const marker = c2.raw.messages.find((message) => message.kind === 'publish' && message.header.destination.equals(c2.name));
      expect(marker?.kind === 'publish' && marker.header.incomingConn).toBe(
        arrived?.kind === 'publish' && arrived.header.incomingConn,
      );
    });

    test('row 3: no id in the destination reaches a subscriber with an id', async () => {
      await subscribe(c2, id(5));
      expect(await deliveries(to(n, 1))).toEqual(onlyC2);
    });

    test('row 4: another id is nobody', async () => {
      await subscribe(c2, id(5));
      expect(await deliveries(to(id(6), 1))).toEqual(hasFallback ? onlyC2 : nobody);
    });

    test('row 5: another id is nobody for fanout 256 either', async () => {
      await subscribe(c2, id(5));
      expect(await deliveries(to(id(6), 256))).toEqual(nobody);
    });

    test('row 6: with two subscribers another id is nobody in every version', async () => {
      await subscribe(c2, id(5));
      await subscribe(c3, id(6));
      expect(await deliveries(to(id(7), 1))).toEqual(nobody);
    });

    test('row 7: an id reaches the one that has it', async () => {
      await subscribe(c2, id(5));
      await subscribe(c3, id(6));
      expect(await deliveries(to(id(6), 1))).toEqual(onlyC3);
    });

    test('row 8: fanout 1 without id goes to one at a time, and to all in the long run', async () => {
      await subscribe(c2, id(5));
      await subscribe(c3, id(6));
      const got = await deliveries(...Array.from({ length: 40 }, (_, i) => publish(n, `m${i}`)));
      expect(got.c1).toEqual([]);
      expect([...got.c2, ...got.c3].sort()).toEqual(Array.from({ length: 40 }, (_, i) => `m${i}`).sort());
      expect(got.c2.length).toBeGreaterThan(0);
      expect(got.c3.length).toBeGreaterThan(0);
    });

    test('row 9: fanout 256 without id reaches every id once', async () => {
      await subscribe(c2, id(5));
      await subscribe(c3, id(6));
      expect(await deliveries(to(n, 256))).toEqual(c2AndC3);
    });

    test('row 10: the sender does not get its own message back', async () => {
      for (const member of [c1, c2, c3]) await subscribe(member, n);
      expect(await deliveries(to(n, 256))).toEqual(c2AndC3);
    });

    test('row 11: fanout 0 and 2 mean all', async () => {
      for (const member of [c1, c2, c3]) await subscribe(member, n);
      expect(await deliveries(to(n, 0))).toEqual(c2AndC3);
      expect(await deliveries(to(n, 2))).toEqual(c2AndC3);
    });

    test('row 12: the sender as the only subscriber gets nothing', async () => {
      await subscribe(c1, n);
      expect(await deliveries(to(n, 256))).toEqual(nobody);
    });

    test('row 13: nor does it for its own id', async () => {
      await subscribe(c1, id(5));
      expect(await deliveries(to(id(5), 1))).toEqual(nobody);
    });

    test('row 14: a specific id does not match a subscription without id', async () => {
      await subscribe(c2, n);
      expect(await deliveries(to(id(5), 1))).toEqual(hasFallback ? onlyC2 : nobody);
    });

    test('row 15: nor two of them, in every version', async () => {
      await subscribe(c2, n);
      await subscribe(c3, n);
      expect(await deliveries(to(id(5), 1))).toEqual(nobody);
      expect(await deliveries(to(id(5), 256))).toEqual(nobody);
    });

    test('row 16: two subscriptions of one connection make one copy', async () => {
      await subscribe(c2, id(5));
      await subscribe(c2, n);
      expect(await deliveries(to(n, 256))).toEqual(onlyC2);
    });

    test('row 17: two connections with one id: one of them, or both', async () => {
      await subscribe(c2, id(5));
      await subscribe(c3, id(5));
      const one = await deliveries(to(id(5), 1));
      expect([...one.c2, ...one.c3]).toEqual(['hello']);
      expect(await deliveries(to(id(5), 256))).toEqual(c2AndC3);
    });

    test('row 18: fanout 1 never picks the sender', async () => {
      await subscribe(c1, id(5));
      await subscribe(c2, id(5));
      const got = await deliveries(...Array.from({ length: 20 }, () => to(id(5), 1)));
      expect(got).toEqual({ ...nobody, c2: Array<string>(20).fill('hello') });
    });

    test('row 19: an unsubscribe takes one id away and leaves the other', async () => {
      await subscribe(c2, id(5));
      await subscribe(c2, id(6));
      await unsubscribe(c2, id(5));
      expect(await deliveries(to(n, 256))).toEqual(onlyC2);
      expect(await deliveries(to(id(5), 256))).toEqual(nobody);
    });

    test('row 20: the same subscription twice is one', async () => {
      await subscribe(c2, id(5));
      await subscribe(c2, id(5));
      await unsubscribe(c2, id(5));
      expect(await deliveries(to(id(5), 256))).toEqual(countsSubscriptions ? onlyC2 : nobody);
    });

    test.runIf(hasAcks)('row 21: subscription ids are taken back one by one', async () => {
      await subscribe(c2, id(5), 10n);
      await subscribe(c2, id(5), 11n);
      await unsubscribe(c2, id(5), 10n);
      expect(await deliveries(to(id(5), 1))).toEqual(onlyC2);
      await unsubscribe(c2, id(5), 11n);
      expect(await deliveries(to(id(5), 1))).toEqual(nobody);
    });

    test.runIf(hasAcks)('row 22: an unknown subscription id is refused, and the entry stays', async () => {
      await subscribe(c2, id(5), 10n);
      await unsubscribe(c2, id(5), 99n);
      const acks = c2.raw.messages.filter((message) => message.kind === 'subscriptionAck');
      expect(acks).toMatchObject([
        { subscriptionId: 10n, success: true },
        { subscriptionId: 99n, success: false },
      ]);
      expect(await deliveries(to(id(5), 1))).toEqual(onlyC2);
    });

    test('row 23: an unsubscribe of what was never subscribed harms nobody', async () => {
      await subscribe(c3, id(5));
      const before = c2.raw.frames.length;
      await unsubscribe(c2, id(5));
      expect(c2.raw.frames.length).toBe(before);
      expect(await deliveries(to(id(5), 1))).toEqual(onlyC3);
    });

    test.skipIf(traits.version.startsWith('0.7'))('row 24: nor does it disturb other ids of the same name', async () => {
      await subscribe(c2, id(6));
      await subscribe(c3, id(5));
      await unsubscribe(c2, id(5));
      expect(await deliveries(to(n, 256))).toEqual(c2AndC3);
    });

    test('row 25: a half-close ends the subscriptions, and the stream with OK', async () => {
      await subscribe(c2, id(5));
      c2.raw.halfClose();
      expect(await c2.raw.ended()).toMatchObject({ code: 0 });
      await c1.settle(c3);
      c1.raw.send(to(id(5), 1));
      await expectGone(c2);
    });

    test('row 25: a cancel ends the subscriptions', async () => {
      await subscribe(c2, id(5));
      c2.raw.cancel();
      await expectGone(c2);
    });

    test('row 25: a dead socket ends the subscriptions', async () => {
      const proxy = await tcpProxy(getUrl());
      const doomed = await TestMember.join(proxy.url, c1);
      opened.push(doomed.raw);
      await subscribe(c3, n);
      doomed.raw.send(subscription('subscribe', n));
      await doomed.settle(c1);
      proxy.cut();
      await doomed.raw.ended();
      await expectGone(doomed);
    });

    /** Fanout 1 skips a connection that is gone: sooner or later, as its end reaches the node, all go to the other one. */
    async function expectGone(gone: TestMember): Promise<void> {
      // Takes over the name of the one that is gone.
      c3.raw.send(subscription('subscribe', gone.name));
      await c3.settle(c1);
      const end = Date.now() + 5_000;
      for (let streak = 0; streak < 20; ) {
        if (Date.now() > end) throw new Error('a connection that is gone still gets messages');
        const got = await c3Gets(publish(gone.name, 'hello'));
        streak = got ? streak + 1 : 0;
      }
    }

    async function c3Gets(message: Uint8Array): Promise<boolean> {
      const before = c3.raw.texts.length;
      c1.raw.send(message);
      await c1.mark(c3);
      return c3.raw.texts.length > before;
    }

    test.runIf(isOurs)('row 26: forward_to of a client is ignored', async () => {
      await subscribe(c3, n);
      await c1.settle(c3);
      const c3Index = incomingOf(c3, c1);
      expect(await deliveries(to(id(5), 1, { forwardTo: await c3Index }))).toEqual(nobody);
    });

    test.runIf(isOurs)('row 27: recv_from of a client is ignored', async () => {
      const c3Index = await incomingOf(c3, c1);
      c1.raw.send(subscription('subscribe', id(5), 0n, c3Index));
      await c1.settle(c2);
      const before = { c1: c1.raw.texts.length, c3: c3.raw.texts.length };
      c2.raw.send(to(id(5), 1));
      await c2.mark(c1);
      await c2.mark(c3);
      expect(c1.raw.texts.slice(before.c1)).toEqual(onlyC1.c1);
      expect(c3.raw.texts.slice(before.c3)).toEqual([]);
    });

    /** The index of `member` at the node, as `witness` sees it. */
    async function incomingOf(member: TestMember, witness: TestMember): Promise<bigint> {
      await member.mark(witness);
      const last = witness.raw.messages.at(-1);
      if (last?.kind !== 'publish' || last.header.incomingConn === undefined) throw new Error('no incoming_conn');
      return last.header.incomingConn;
    }

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
    test.runIf(isOurs).each(faulty)('row 28: %s is dropped, and the next message arrives', async (_, message) => {
      await subscribe(c2, id(5));
      expect(await deliveries(message, to(id(5), 1))).toEqual(onlyC2);
    });

    test('row 29: a Publish without content is forwarded', async () => {
      await subscribe(c2, Name.fromWire(['org', 'ns', 'app'], [11n, 12n, 13n], 14n));
      const before = c2.raw.frames.length;
      await deliveries(field(3, bytes(HEADER, SESSION)));
      // The marker, and the one without content.
      expect(c2.raw.frames.length - before).toBe(2);
    });

    test.runIf(isOurs).each([
      ['name', STRINGS],
      ['str_name', NUMBERS],
    ])('row 30: a destination without %s is dropped', async (_missing, half) => {
      await subscribe(c2, Name.fromWire(['org', 'ns', 'app'], [11n, 12n, 13n], 14n));
      await subscribe(c2, Name.fromWire(['org', 'ns', 'app'], [0n, 0n, 0n], 0n));
      await subscribe(c2, id(5));
      const header = field(1, bytes(source, field(2, half), field(3, 1n)));
      const before = c2.raw.frames.length;
      await deliveries(field(3, bytes(header, SESSION, content)), to(id(5), 1));
      // The marker, and the sound message after the faulty one.
      expect(c2.raw.frames.length - before).toBe(2);
    });

    test('row 31: a message of 4 MiB + 1 ends the stream of its sender, with its subscriptions', async () => {
      await subscribe(c2, id(5));
      const c4 = await join(c1);
      const small = publish(id(5), '', { padding: 4_000_000 });
      const large = publish(id(5), '', { padding: 4_000_000 + 4 * 1024 * 1024 + 1 - small.length });
      expect(large.length).toBe(4 * 1024 * 1024 + 1);
      c4.raw.send(large);
      expect(await c4.raw.ended()).toMatchObject({ code: 0 });
      await expectGone(c4);
      expect(await deliveries(to(id(5), 1))).toEqual(onlyC2);
    });

    test('row 34: messages between two connections keep their order', async () => {
      await subscribe(c2, n);
      await subscribe(c3, n);
      const texts = Array.from({ length: 100 }, (_, i) => String(i + 1));
      const got = await deliveries(...texts.map((text) => publish(n, text, { fanout: 256 })));
      expect(got).toEqual({ c1: [], c2: texts, c3: texts });
    });

    test('row 35: names are their numbers; strings do not count', async () => {
      const strings = ['org', 'ns', 'same'] as const;
      const salt = BigInt(Math.floor(Math.random() * 2 ** 32));
      const a = Name.fromWire(strings, [1n, 2n, salt], NULL_ID);
      const b = Name.fromWire(strings, [1n, 2n, salt + 1n], NULL_ID);
      await subscribe(c2, a);
      await subscribe(c3, b);
      expect(await deliveries(to(a, 256))).toEqual(onlyC2);
      expect(await deliveries(to(b, 256))).toEqual(onlyC3);
    });

    test.runIf(hasAcks)('row 36: a subscription id is acknowledged to its sender only', async () => {
      await subscribe(c1, id(5), 42n);
      const acks = [c1, c2, c3].map((member) => member.raw.messages.filter(({ kind }) => kind === 'subscriptionAck'));
      expect(acks).toMatchObject([[{ subscriptionId: 42n, success: true }], [], []]);
    });

    test.runIf(hasAcks)('row 37: the first sound link request is answered, nothing else', async () => {
      const link = { kind: 'link', linkId: LINK_ID, slimVersion: '1.4.0', isReply: false } as const;
      c1.raw.send(
        encodeMessage({ ...link, isReply: true }),
        encodeMessage({ ...link, linkId: 'x' }),
        encodeMessage({ ...link, slimVersion: 'v1' }),
        encodeMessage(link),
        encodeMessage(link),
      );
      await c1.settle(c2);
      await c2.mark(c1);
      const links = c1.raw.messages.filter(({ kind }) => kind === 'link');
      expect(links).toMatchObject([{ linkId: LINK_ID, isReply: true, slimVersion: expect.stringMatching(/^\d+\.\d+\.\d+/) as string }]);
    });

    test.runIf(isOurs)('row 38: a client that does not read is cut off, and holds nobody up', async () => {
      await subscribe(c2, id(5));
      c2.raw.pause();
      const flood = publish(id(5), '', { padding: 4_000 });
      const flooding = c1.raw.sendAll(Array<Uint8Array>(40_000).fill(flood));
      for (let i = 0; i < 20; i++) {
        const c4 = await join(c3);
        await c3.mark(c4);
        await c4.mark(c3);
        c4.raw.close();
      }
      await flooding;
      expect(c1.raw.status).toBeUndefined();
      await c1.settle(c3);
      c2.raw.resume();
      expect(await c2.raw.ended()).toMatchObject({ code: 8 });
      await expectGone(c2);
    }, 60_000);
  });
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
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
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
