import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';

import { Name } from '../../src/name/index.js';
import { MAX_MESSAGE_BYTES } from '../../src/transport/index.js';
import { FRAME_PREFIX_BYTES } from '../../src/transport/index.js';
import type { NodeLogEvent } from '../../src/node/log-event.js';
import { LINK_VERSION, MessageProcessor, type Outlet } from '../../src/node/message-processor.js';
import { type DecodedMessage, decodeMessage, encodeGenerationQuestion, encodeMessage } from '../../src/wire/index.js';
import { generation2Frames } from '../harness/generation-2-node.js';
import { message } from '../wire/arbitraries.js';
import { field, HEADER, join, NAME, SESSION } from '../wire/raw.js';
import { publish, subscription, textOf } from './raw-client.js';

class FakeOutlet implements Outlet {
  readonly framed: Buffer[] = [];
  isFull = false;
  /** How it was ended. */
  ends: Parameters<Outlet['end']>[] = [];

  end(...how: Parameters<Outlet['end']>): void {
    this.ends.push(how);
  }

  send(framed: Buffer): boolean {
    this.framed.push(framed);
    return !this.isFull;
  }

  get messages(): DecodedMessage[] {
    return this.framed.map((framed) => decodeMessage(framed.subarray(FRAME_PREFIX_BYTES)));
  }

  get texts(): string[] {
    return this.messages.map((arrived) => (arrived.kind === 'publish' ? textOf(arrived) : arrived.kind));
  }
}

const LINK_ID = '6ba7b810-9dad-4d11-80b4-00c04fd430c8';
const name = Name.of('org', 'ns', 'n');

describe('MessageProcessor', () => {
  let log: NodeLogEvent[];
  let processor: MessageProcessor<FakeOutlet>;
  let outlets: [FakeOutlet, FakeOutlet, FakeOutlet];
  let connections: [number, number, number];
  beforeEach(() => {
    log = [];
    processor = new MessageProcessor(
      (event) => log.push(event),
      () => 0,
    );
    outlets = [new FakeOutlet(), new FakeOutlet(), new FakeOutlet()];
    connections = [processor.open(outlets[0]), processor.open(outlets[1]), processor.open(outlets[2])];
  });

  const handle = (from: 0 | 1 | 2, bytes: Uint8Array): readonly FakeOutlet[] =>
    processor.handle(connections[from], Buffer.from(bytes));
  const drops = (): string[] => log.flatMap((event) => (event.kind === 'dropped' ? [event.reason] : []));

  test('all targets of a publish get the same buffer, framed for gRPC', () => {
    handle(1, subscription('subscribe', name));
    handle(2, subscription('subscribe', name));
    handle(0, publish(name, 'hello', { fanout: 256 }));
    const [framed] = outlets[1].framed;
    expect(outlets[2].framed).toEqual([framed]);
    expect(outlets[2].framed[0]).toBe(framed);
    expect(framed?.[0]).toBe(0);
    expect(framed?.readUInt32BE(1)).toBe((framed?.length ?? 0) - FRAME_PREFIX_BYTES);
    expect(outlets[1].messages).toMatchObject([{ header: { incomingConn: BigInt(connections[0]) } }]);
    expect(processor.counts).toEqual({ received: 3, forwarded: 2, dropped: 0 });
  });

  test('names the outlets that want a pause, and sends to the others all the same', () => {
    handle(1, subscription('subscribe', name));
    handle(2, subscription('subscribe', name));
    outlets[1].isFull = true;
    expect(handle(0, publish(name, 'hello', { fanout: 256 }))).toEqual([outlets[1]]);
    expect(outlets[2].texts).toEqual(['hello']);
    outlets[1].isFull = false;
    expect(handle(0, publish(name, 'hello', { fanout: 256 }))).toEqual([]);
  });

  test('someone who does not read its acknowledgements is asked to pause itself', () => {
    outlets[0].isFull = true;
    expect(handle(0, subscription('subscribe', name, 7n))).toEqual([outlets[0]]);
    expect(handle(0, subscription('subscribe', name))).toEqual([]);
  });

  test('acknowledges subscriptions that have an id, after the table has changed', () => {
    handle(1, subscription('subscribe', name, 42n));
    handle(1, subscription('unsubscribe', name, 41n));
    handle(1, subscription('unsubscribe', name, 42n));
    handle(1, subscription('unsubscribe', name, 42n));
    handle(1, subscription('subscribe', name));
    expect(outlets[1].messages).toEqual([
      { kind: 'subscriptionAck', subscriptionId: 42n, success: true, error: '' },
      { kind: 'subscriptionAck', subscriptionId: 41n, success: false, error: 'no such subscription' },
      { kind: 'subscriptionAck', subscriptionId: 42n, success: true, error: '' },
      { kind: 'subscriptionAck', subscriptionId: 42n, success: false, error: 'no such subscription' },
    ]);
    expect(processor.subscriptionCount).toBe(1);
  });

  test.each(['3.4.6', '2.0.0'] as const)(
    'an app of generation 2 (core %s) is turned away with words for its user, and named in the log',
    (version) => {
      handle(0, generation2Frames(version).linkRequest);
      expect(outlets[0].framed).toEqual([]);
      expect(outlets[0].ends).toEqual([
        [
          'other-generation',
          9,
          `this node speaks generation 1 (SLIM 0.7 to 1.4), and this app is of SLIM ${version}: ` +
            `use a node of SLIM ${String(Number.parseInt(version, 10))}.x, or an app of 0.7 to 1.4`,
        ],
      ]);
      expect(log).toEqual([{ kind: 'turned-away', connection: connections[0], version }]);
    },
  );

  test.each(['2.0.0-alpha.8', '10.0.0'])(
    'so is one of %s without a key, and with an id that is no UUID',
    (slimVersion) => {
      handle(0, encodeMessage({ kind: 'link', linkId: 'x', slimVersion, isReply: false }));
      expect(outlets[0].ends).toHaveLength(1);
      expect(outlets[0].ends[0]?.[2]).toMatch(/^[ -~]+$/);
    },
  );

  test('our own question for the generation has an answer', () => {
    handle(0, encodeGenerationQuestion(LINK_ID, '1.3.0', new Uint8Array(32)));
    expect(outlets[0].messages).toEqual([{ kind: 'link', linkId: LINK_ID, slimVersion: LINK_VERSION, isReply: true }]);
    expect(outlets[0].ends).toEqual([]);
  });

  test('what generation 2 sends beside the link is dropped as undecodable', () => {
    for (const version of ['3.4.6', '2.0.0'] as const) {
      const { subscribe, discoveryRequest } = generation2Frames(version);
      handle(0, subscribe);
      handle(0, discoveryRequest);
    }
    expect(drops()).toEqual(Array(4).fill('undecodable'));
  });

  test('answers the first sound link request only', () => {
    const link = { kind: 'link', linkId: LINK_ID, slimVersion: '1.4.0', isReply: false } as const;
    for (const bad of [
      { isReply: true },
      { linkId: 'x' },
      { linkId: LINK_ID.replace('4d11', '1d11') },
      { slimVersion: 'v1' },
      { slimVersion: '1.4' },
      { slimVersion: '01.4.0' },
      { slimVersion: `1.0.0-${'1.'.repeat(50_000)}` },
    ]) {
      handle(0, encodeMessage({ ...link, ...bad }));
    }
    expect(outlets[0].framed).toEqual([]);
    handle(0, encodeMessage({ ...link, slimVersion: '1.4.0-rc.1+build.5' }));
    handle(0, encodeMessage(link));
    expect(outlets[0].messages).toEqual([{ kind: 'link', linkId: LINK_ID, slimVersion: LINK_VERSION, isReply: true }]);
    handle(1, encodeMessage(link));
    expect(outlets[1].framed).toHaveLength(1);
    expect(drops()).toEqual(Array(8).fill('bad-link'));
  });

  test('drops what makes no sense, says why, and goes on', () => {
    handle(0, publish(name, 'nobody'));
    handle(0, Buffer.from('ff', 'hex'));
    handle(0, Buffer.alloc(0));
    handle(0, field(1, ''));
    handle(0, field(3, HEADER));
    handle(0, encodeMessage({ kind: 'subscriptionAck', subscriptionId: 1n, success: true, error: '' }));
    handle(0, subscription('unsubscribe', name));
    expect(drops()).toEqual([
      'no-match',
      'undecodable',
      'unknown-type',
      'incomplete',
      'incomplete',
      'unexpected',
      'not-subscribed',
    ]);
    expect(processor.counts).toEqual({ received: 7, forwarded: 0, dropped: 7 });
    handle(0, subscription('subscribe', name));
    handle(1, publish(name, 'hello'));
    expect(outlets[0].texts).toEqual(['hello']);
  });

  test('drops a message that has grown beyond 4 MiB instead of killing its receivers', () => {
    handle(1, subscription('subscribe', NAME));
    const frame = (size: number): Buffer =>
      field(3, join(HEADER, SESSION, field(3, field(1, field(2, Buffer.alloc(size))))));
    const overhead = frame(4_000_000).length - 4_000_000;
    const largest = frame(MAX_MESSAGE_BYTES - overhead);
    expect(largest.length).toBe(MAX_MESSAGE_BYTES);
    handle(0, largest);
    expect(drops()).toEqual(['too-large']);
    // incoming_conn takes two bytes here, and no length gets longer by it.
    handle(0, frame(MAX_MESSAGE_BYTES - overhead - 2));
    expect(outlets[1].framed.map((framed) => framed.length - FRAME_PREFIX_BYTES)).toEqual([MAX_MESSAGE_BYTES]);
  });

  test('a closed connection is out at once, and its number is not used again', () => {
    handle(1, subscription('subscribe', name));
    processor.close(connections[1]);
    processor.close(connections[1]);
    handle(0, publish(name, 'hello'));
    expect(outlets[1].framed).toEqual([]);
    expect(processor.handle(connections[1], Buffer.from(subscription('subscribe', name)))).toEqual([]);
    expect(processor.subscriptionCount).toBe(0);
    expect(connections).not.toContain(processor.open(new FakeOutlet()));
  });

  test('names in the log control no terminal', () => {
    handle(0, subscription('subscribe', Name.of('a\u001b[2J', 'b\u202e', 'c d\n')));
    expect(log).toContainEqual({ kind: 'subscribed', connection: connections[0], name: 'a?[2J/b?/c?d?' });
  });

  test('nothing makes it throw', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      message.map((sound) => encodeMessage(sound)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 2 }), bytes), { maxLength: 20 }), (steps) => {
        for (const [from, step] of steps) handle(from as 0 | 1 | 2, step);
      }),
    );
  });
});
