import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { Name, NULL_ID } from '../../src/name/index.js';
import { encodeMessage } from '../../src/wire/index.js';
import { faultRows } from '../node/fault-rows.js';
import { publish, subscription } from '../node/raw-client.js';
import { c2AndC3, hello, nobody, onlyC2, onlyC3, Trio } from '../node/trio.js';

/** What is known of the node under test. */
export interface NodeTraits {
  /** Released version, such as `1.4.0`; `ours` for the embedded node. */
  readonly version: string;
}

const LINK_ID = '6ba7b810-9dad-4d11-80b4-00c04fd430c8';

/**
 * The rows of data-plane.md 6.7 that can be told from outside a node, over real sockets; rows 32 and 33 need an app inside the
 * node (router.test.ts). Rows in which released nodes differ by design run only where the answer is known.
 *
 * @param getUrl - `http://host:port` of a running node, asked before each test
 */
export function nodeSuite(title: string, getUrl: () => string, traits: NodeTraits): void {
  const isOurs = traits.version === 'ours';

  describe(title, () => {
    let trio: Trio;
    beforeEach(async () => {
      trio = await Trio.open(getUrl());
    });
    afterEach(() => {
      trio.close();
    });

    routingRows(() => trio, traits);
    faultRows(() => trio, isOurs);
  });
}

function routingRows(getTrio: () => Trio, { version }: NodeTraits): void {
  const isOurs = version === 'ours';
  const hasAcks = isOurs || version >= '1.3';
  const hasFallback = !isOurs && version < '1.4';
  const countsSubscriptions = version === '1.0.0' || version === '1.1.0';

  let t: Trio;
  beforeEach(() => {
    t = getTrio();
  });

  test('row 1: without a subscriber a publish goes nowhere, and the stream stays open', async () => {
    expect(await t.deliveries(hello(t.id(5), 1))).toEqual(nobody);
    expect(t.c1.raw.status).toBeUndefined();
  });

  test('row 2: the subscriber gets it with the connection it came in on', async () => {
    await t.subscribe(t.c2, t.id(5));
    expect(await t.deliveries(hello(t.id(5), 1))).toEqual(onlyC2);
    const arrived = t.c2.raw.messages.find(
      (message) => message.kind === 'publish' && message.header.destination.equals(t.id(5)),
    );
    expect(arrived).toMatchObject({ kind: 'publish', header: { incomingConn: expect.any(BigInt) as bigint } });
    const marker = t.c2.raw.messages.find(
      (message) => message.kind === 'publish' && message.header.destination.equals(t.c2.name),
    );
    expect(marker?.kind === 'publish' && marker.header.incomingConn).toBe(
      arrived?.kind === 'publish' && arrived.header.incomingConn,
    );
  });

  test('row 3: no id in the destination reaches a subscriber with an id', async () => {
    await t.subscribe(t.c2, t.id(5));
    expect(await t.deliveries(hello(t.n, 1))).toEqual(onlyC2);
  });

  test('row 4: another id is nobody', async () => {
    await t.subscribe(t.c2, t.id(5));
    expect(await t.deliveries(hello(t.id(6), 1))).toEqual(hasFallback ? onlyC2 : nobody);
  });

  test('row 5: another id is nobody for fanout 256 either', async () => {
    await t.subscribe(t.c2, t.id(5));
    expect(await t.deliveries(hello(t.id(6), 256))).toEqual(nobody);
  });

  test('row 6: with two subscribers another id is nobody in every version', async () => {
    await t.subscribe(t.c2, t.id(5));
    await t.subscribe(t.c3, t.id(6));
    expect(await t.deliveries(hello(t.id(7), 1))).toEqual(nobody);
  });

  test('row 7: an id reaches the one that has it', async () => {
    await t.subscribe(t.c2, t.id(5));
    await t.subscribe(t.c3, t.id(6));
    expect(await t.deliveries(hello(t.id(6), 1))).toEqual(onlyC3);
  });

  test('row 8: fanout 1 without id goes to one at a time, and to all in the long run', async () => {
    await t.subscribe(t.c2, t.id(5));
    await t.subscribe(t.c3, t.id(6));
    const got = await t.deliveries(...Array.from({ length: 40 }, (_, i) => publish(t.n, `m${i}`)));
    expect(got.c1).toEqual([]);
    expect([...got.c2, ...got.c3].sort()).toEqual(Array.from({ length: 40 }, (_, i) => `m${i}`).sort());
    expect(got.c2.length).toBeGreaterThan(0);
    expect(got.c3.length).toBeGreaterThan(0);
  });

  test('row 9: fanout 256 without id reaches every id once', async () => {
    await t.subscribe(t.c2, t.id(5));
    await t.subscribe(t.c3, t.id(6));
    expect(await t.deliveries(hello(t.n, 256))).toEqual(c2AndC3);
  });

  test('row 10: the sender does not get its own message back', async () => {
    for (const member of [t.c1, t.c2, t.c3]) await t.subscribe(member, t.n);
    expect(await t.deliveries(hello(t.n, 256))).toEqual(c2AndC3);
  });

  test('row 11: fanout 0 and 2 mean all', async () => {
    for (const member of [t.c1, t.c2, t.c3]) await t.subscribe(member, t.n);
    expect(await t.deliveries(hello(t.n, 0))).toEqual(c2AndC3);
    expect(await t.deliveries(hello(t.n, 2))).toEqual(c2AndC3);
  });

  test('row 12: the sender as the only subscriber gets nothing', async () => {
    await t.subscribe(t.c1, t.n);
    expect(await t.deliveries(hello(t.n, 256))).toEqual(nobody);
  });

  test('row 13: nor does it for its own id', async () => {
    await t.subscribe(t.c1, t.id(5));
    expect(await t.deliveries(hello(t.id(5), 1))).toEqual(nobody);
  });

  test('row 14: a specific id does not match a subscription without id', async () => {
    await t.subscribe(t.c2, t.n);
    expect(await t.deliveries(hello(t.id(5), 1))).toEqual(hasFallback ? onlyC2 : nobody);
  });

  test('row 15: nor two of them, in every version', async () => {
    await t.subscribe(t.c2, t.n);
    await t.subscribe(t.c3, t.n);
    expect(await t.deliveries(hello(t.id(5), 1))).toEqual(nobody);
    expect(await t.deliveries(hello(t.id(5), 256))).toEqual(nobody);
  });

  test('row 16: two subscriptions of one connection make one copy', async () => {
    await t.subscribe(t.c2, t.id(5));
    await t.subscribe(t.c2, t.n);
    expect(await t.deliveries(hello(t.n, 256))).toEqual(onlyC2);
  });

  test('row 17: two connections with one id: one of them, or both', async () => {
    await t.subscribe(t.c2, t.id(5));
    await t.subscribe(t.c3, t.id(5));
    const one = await t.deliveries(hello(t.id(5), 1));
    expect([...one.c2, ...one.c3]).toEqual(['hello']);
    expect(await t.deliveries(hello(t.id(5), 256))).toEqual(c2AndC3);
  });

  test('row 18: fanout 1 never picks the sender', async () => {
    await t.subscribe(t.c1, t.id(5));
    await t.subscribe(t.c2, t.id(5));
    const got = await t.deliveries(...Array.from({ length: 20 }, () => hello(t.id(5), 1)));
    expect(got).toEqual({ ...nobody, c2: Array<string>(20).fill('hello') });
  });

  test('row 19: an unsubscribe takes one id away and leaves the other', async () => {
    await t.subscribe(t.c2, t.id(5));
    await t.subscribe(t.c2, t.id(6));
    await t.unsubscribe(t.c2, t.id(5));
    expect(await t.deliveries(hello(t.n, 256))).toEqual(onlyC2);
    expect(await t.deliveries(hello(t.id(5), 256))).toEqual(nobody);
  });

  test('row 20: the same subscription twice is one', async () => {
    await t.subscribe(t.c2, t.id(5));
    await t.subscribe(t.c2, t.id(5));
    await t.unsubscribe(t.c2, t.id(5));
    expect(await t.deliveries(hello(t.id(5), 256))).toEqual(countsSubscriptions ? onlyC2 : nobody);
  });

  test.runIf(hasAcks)('row 21: subscription ids are taken back one by one', async () => {
    await t.subscribe(t.c2, t.id(5), 10n);
    await t.subscribe(t.c2, t.id(5), 11n);
    await t.unsubscribe(t.c2, t.id(5), 10n);
    expect(await t.deliveries(hello(t.id(5), 1))).toEqual(onlyC2);
    await t.unsubscribe(t.c2, t.id(5), 11n);
    expect(await t.deliveries(hello(t.id(5), 1))).toEqual(nobody);
  });

  test.runIf(hasAcks)('row 22: an unknown subscription id is refused, and the entry stays', async () => {
    await t.subscribe(t.c2, t.id(5), 10n);
    await t.unsubscribe(t.c2, t.id(5), 99n);
    const acks = t.c2.raw.messages.filter((message) => message.kind === 'subscriptionAck');
    expect(acks).toMatchObject([
      { subscriptionId: 10n, success: true },
      { subscriptionId: 99n, success: false },
    ]);
    expect(await t.deliveries(hello(t.id(5), 1))).toEqual(onlyC2);
  });

  test('row 23: an unsubscribe of what was never subscribed harms nobody', async () => {
    await t.subscribe(t.c3, t.id(5));
    const before = t.c2.raw.messages.length;
    await t.unsubscribe(t.c2, t.id(5));
    expect(t.c2.raw.messages.length).toBe(before);
    expect(await t.deliveries(hello(t.id(5), 1))).toEqual(onlyC3);
  });

  test.skipIf(version.startsWith('0.7'))('row 24: nor does it disturb other ids of the same name', async () => {
    await t.subscribe(t.c2, t.id(6));
    await t.subscribe(t.c3, t.id(5));
    await t.unsubscribe(t.c2, t.id(5));
    expect(await t.deliveries(hello(t.n, 256))).toEqual(c2AndC3);
  });

  test.runIf(isOurs)('row 26: forward_to of a client is ignored', async () => {
    await t.subscribe(t.c3, t.n);
    await t.c1.settle(t.c3);
    const c3Index = t.indexOf(t.c3, t.c1);
    expect(await t.deliveries(hello(t.id(5), 1, { forwardTo: await c3Index }))).toEqual(nobody);
  });

  test.runIf(isOurs)('row 27: recv_from of a client is ignored', async () => {
    const c3Index = await t.indexOf(t.c3, t.c1);
    t.c1.raw.send(subscription('subscribe', t.id(5), 0n, c3Index));
    await t.c1.settle(t.c2);
    const before = { c1: t.c1.raw.texts.length, c3: t.c3.raw.texts.length };
    t.c2.raw.send(hello(t.id(5), 1));
    await t.c2.mark(t.c1);
    await t.c2.mark(t.c3);
    expect(t.c1.raw.texts.slice(before.c1)).toEqual(['hello']);
    expect(t.c3.raw.texts.slice(before.c3)).toEqual([]);
  });

  test('row 34: messages between two connections keep their order', async () => {
    await t.subscribe(t.c2, t.n);
    await t.subscribe(t.c3, t.n);
    const texts = Array.from({ length: 100 }, (_, i) => String(i + 1));
    const got = await t.deliveries(...texts.map((text) => publish(t.n, text, { fanout: 256 })));
    expect(got).toEqual({ c1: [], c2: texts, c3: texts });
  });

  test('row 35: names are their numbers; strings do not count', async () => {
    const strings = ['org', 'ns', 'same'] as const;
    const salt = BigInt(Math.floor(Math.random() * 2 ** 32));
    const a = Name.fromWire(strings, [1n, 2n, salt], NULL_ID);
    const b = Name.fromWire(strings, [1n, 2n, salt + 1n], NULL_ID);
    await t.subscribe(t.c2, a);
    await t.subscribe(t.c3, b);
    expect(await t.deliveries(hello(a, 256))).toEqual(onlyC2);
    expect(await t.deliveries(hello(b, 256))).toEqual(onlyC3);
  });

  test.runIf(hasAcks)('row 36: a subscription id is acknowledged to its sender only', async () => {
    await t.subscribe(t.c1, t.id(5), 42n);
    const acks = [t.c1, t.c2, t.c3].map((member) =>
      member.raw.messages.filter(({ kind }) => kind === 'subscriptionAck'),
    );
    expect(acks).toMatchObject([[{ subscriptionId: 42n, success: true }], [], []]);
  });

  test.runIf(hasAcks)('row 37: the first sound link request is answered, nothing else', async () => {
    const link = { kind: 'link', linkId: LINK_ID, slimVersion: '1.4.0', isReply: false } as const;
    t.c1.raw.send(
      encodeMessage({ ...link, isReply: true }),
      encodeMessage({ ...link, linkId: 'x' }),
      encodeMessage({ ...link, slimVersion: 'v1' }),
      encodeMessage(link),
      encodeMessage(link),
    );
    await t.c1.settle(t.c2);
    await t.c2.mark(t.c1);
    const links = t.c1.raw.messages.filter(({ kind }) => kind === 'link');
    expect(links).toMatchObject([
      { linkId: LINK_ID, isReply: true, slimVersion: expect.stringMatching(/^\d+\.\d+\.\d+/) as string },
    ]);
  });
}
