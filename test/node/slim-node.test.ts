import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';

import { afterEach, describe, expect, onTestFinished, test } from 'vitest';

import { Name } from '../../src/name/index.js';
import { type NodeLogEvent, SlimNode, type SlimNodeOptions } from '../../src/node/index.js';
import { ConfigError } from '../../src/util/index.js';
import { generation2Frames } from '../harness/generation-2-node.js';
import { Condition, publish, RawClient, subscription, TestMember } from './raw-client.js';

const PATH = '/dataplane.proto.v1.DataPlaneService/OpenChannel';

/** A node with its log, closed after the test. */
class TestNode {
  readonly log: NodeLogEvent[] = [];
  readonly #changed = new Condition();
  #node: SlimNode | undefined;

  static async start(options: SlimNodeOptions = {}): Promise<TestNode> {
    const test = new TestNode();
    test.#node = await SlimNode.start({
      port: 0,
      log: (event) => {
        test.log.push(event);
        test.#changed.notify();
      },
      ...options,
    });
    onTestFinished(() => test.node.close());
    return test;
  }

  get node(): SlimNode {
    if (this.#node === undefined) throw new Error('not started');
    return this.#node;
  }

  until(test: () => boolean, what: string): Promise<void> {
    return this.#changed.until(test, () => `${what}; log: ${JSON.stringify(this.log.slice(-5))}`);
  }

  logged(kind: NodeLogEvent['kind']): NodeLogEvent[] {
    return this.log.filter((event) => event.kind === kind);
  }
}

const clients: RawClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function join(url: string, witness?: TestMember): Promise<TestMember> {
  const member = await TestMember.join(url, witness);
  clients.push(member.raw);
  return member;
}

/** Fails when the node does not serve two members any more. */
async function expectService(url: string): Promise<void> {
  const a = await join(url);
  const b = await join(url, a);
  await a.mark(b);
  await b.mark(a);
  a.raw.close();
  b.raw.close();
}

async function tcp(port: number): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return socket;
}

describe('SlimNode', () => {
  test('an app of generation 2 gets the reason as the status of its stream; others are served on', async () => {
    const { log, node } = await TestNode.start();
    const { linkRequest, subscribe } = generation2Frames('3.4.6');
    const stranger = await RawClient.connect(node.endpoint);
    clients.push(stranger);
    // A member waits for the answer to its link; one that does not gets the same.
    stranger.send(linkRequest, subscribe);
    const { code, details } = await stranger.ended();
    expect(code).toBe(9);
    expect(details).toBe(
      'this node speaks generation 1 (SLIM 0.7 to 1.4), and this app is of SLIM 3.4.6: ' +
        'use a node of SLIM 3.x, or an app of 0.7 to 1.4',
    );
    expect(stranger.messages).toEqual([]);
    expect(log.slice(1)).toEqual([
      { kind: 'connected', connection: 0, remote: expect.stringContaining('127.0.0.1 port ') as string },
      { kind: 'turned-away', connection: 0, version: '3.4.6' },
      { kind: 'disconnected', connection: 0, reason: 'other-generation' },
    ]);
    expect(node.stats()).toMatchObject({ connections: 0, subscriptions: 0 });
    await expectService(node.endpoint);
  });

  test('tells its endpoint, and ends its streams with OK when it closes', async () => {
    const { node, log } = await TestNode.start();
    expect(node.port).toBeGreaterThan(0);
    expect(node.endpoint).toBe(`http://127.0.0.1:${node.port}`);
    const witness = await join(node.endpoint);
    const member = await join(node.endpoint, witness);
    await Promise.all([node.close(), node.close()]);
    expect(await member.raw.ended()).toMatchObject({ code: 0 });
    expect(log.map((event) => event.kind).sort()).toEqual([
      'closed',
      'connected',
      'connected',
      'disconnected',
      'disconnected',
      'listening',
      'subscribed',
      'subscribed',
    ]);
    expect(log.at(-1)).toEqual({ kind: 'closed' });
    expect(log).toContainEqual({ kind: 'disconnected', connection: 1, reason: 'shutdown' });
    await expect(RawClient.connect(node.endpoint)).rejects.toThrow(/"code":14/);
  });

  test('a port that is taken is a configuration error that says so', async () => {
    const { node } = await TestNode.start();
    const error: unknown = await SlimNode.start({ port: node.port }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'port-in-use', message: expect.stringContaining(String(node.port)) as string });
  });

  test('an address of somebody else is a configuration error', async () => {
    await expect(SlimNode.start({ host: '192.0.2.1', port: 0 })).rejects.toMatchObject({ code: 'bad-config' });
  });

  test('an endpoint can be dialled, whatever it listens at', async () => {
    const { node: everywhere } = await TestNode.start({ host: '0.0.0.0' });
    expect(everywhere.endpoint).toBe(`http://127.0.0.1:${everywhere.port}`);
    const { node: six } = await TestNode.start({ host: '::1' });
    expect(six.endpoint).toBe(`http://[::1]:${six.port}`);
    await expectService(everywhere.endpoint);
    await expectService(six.endpoint);
  });

  test('a log that throws stops nothing', async () => {
    const { node } = await TestNode.start({
      log: () => {
        throw new Error('log');
      },
    });
    await expectService(node.endpoint);
  });

  test('closes in about a second even if a client never answers', async () => {
    const { node } = await TestNode.start();
    const silent = await tcp(node.port);
    silent.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    silent.pause();
    const stuck = await join(node.endpoint);
    stuck.raw.pause();
    const start = performance.now();
    await node.close();
    expect(performance.now() - start).toBeLessThan(3_000);
  });

  test('several streams on one TCP connection are several connections', async () => {
    const { node, log } = await TestNode.start();
    const session = connectHttp2(node.endpoint);
    onTestFinished(() => {
      session.destroy();
    });
    const open = async (): Promise<void> => {
      const stream = session.request(
        { ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc' },
        { endStream: false },
      );
      stream.on('error', () => undefined);
      await once(stream, 'response');
    };
    await open();
    await open();
    expect(node.stats().connections).toBe(2);
    expect(log.filter((event) => event.kind === 'connected')).toHaveLength(2);
  });
});

describe('what is no SLIM client', () => {
  test.each([
    ['garbage', Buffer.from('8f3c00ff'.repeat(100), 'hex')],
    ['an HTTP/1.1 request', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['a TLS handshake', Buffer.from('16030100f8010000f40303', 'hex')],
  ])('%s is refused, others go on', async (_, bytes) => {
    const test = await TestNode.start();
    const socket = await tcp(test.node.port);
    const closed = once(socket, 'close');
    socket.resume();
    socket.end(bytes);
    await closed;
    await test.until(() => test.logged('refused').length > 0, 'the refusal');
    expect(test.logged('refused')).toMatchObject([{ reason: 'not-http2' }]);
    await expectService(test.node.endpoint);
  });

  test('a connection that says nothing disturbs nobody', async () => {
    const { node, log } = await TestNode.start();
    await tcp(node.port);
    const half = await tcp(node.port);
    half.write('PRI * HT');
    await expectService(node.endpoint);
    // The two of the check, and no other.
    expect(log.filter((event) => event.kind === 'connected')).toHaveLength(2);
  });

  const grpcHeaders = { ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc' };
  test.each([
    [
      'another method',
      { ...grpcHeaders, ':path': '/dataplane.proto.v1.DataPlaneService/Other' },
      { ':status': 200, 'grpc-status': '12' },
    ],
    [
      'another service',
      { ...grpcHeaders, ':path': '/grpc.health.v1.Health/Check' },
      { ':status': 200, 'grpc-status': '12' },
    ],
    ['a GET', { ':method': 'GET', ':path': PATH }, { ':status': 415 }],
    ['another content type', { ...grpcHeaders, 'content-type': 'application/json' }, { ':status': 415 }],
  ])('%s is refused with a proper answer', async (_, headers, answer) => {
    const test = await TestNode.start();
    const session = connectHttp2(test.node.endpoint);
    onTestFinished(() => {
      session.destroy();
    });
    const stream = session.request(headers);
    const [response] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(response).toMatchObject(answer);
    expect(test.node.stats().connections).toBe(0);
    expect(test.logged('refused')).toHaveLength(1);
  });

  test.each([
    ['a compressed message', Buffer.from('010000000100', 'hex'), '12'],
    ['a frame that is none', Buffer.from('470000000100', 'hex'), '13'],
  ])('%s ends its stream with a status', async (_, bytes, status) => {
    const test = await TestNode.start();
    const session = connectHttp2(test.node.endpoint);
    onTestFinished(() => {
      session.destroy();
    });
    const stream = session.request(grpcHeaders, { endStream: false });
    stream.resume();
    stream.write(bytes);
    const [trailers] = (await once(stream, 'trailers')) as [Record<string, unknown>];
    expect(trailers).toMatchObject({ 'grpc-status': status });
    expect(test.node.stats().connections).toBe(0);
  });

  test('a client that resets its stream in the middle of a message leaves nothing behind', async () => {
    const test = await TestNode.start();
    const session = connectHttp2(test.node.endpoint);
    onTestFinished(() => {
      session.destroy();
    });
    const stream = session.request(grpcHeaders, { endStream: false });
    stream.on('error', () => undefined);
    await once(stream, 'response');
    stream.write(Buffer.from('0000001000aabb', 'hex'));
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    await test.until(() => test.logged('disconnected').length > 0, 'the end');
    expect(test.node.stats()).toMatchObject({ connections: 0, received: 0 });
  });
});

describe('many and much', () => {
  test('5000 subscriptions of one connection work, and go with it', async () => {
    const test = await TestNode.start();
    const a = await join(test.node.endpoint);
    const b = await join(test.node.endpoint, a);
    const names = Array.from({ length: 5_000 }, (_, i) => Name.of('org', 'ns', `app-${i}`, BigInt(i)));
    b.raw.send(...names.map((name, i) => subscription('subscribe', name, BigInt(i + 1))));
    await b.settle(a);
    expect(b.raw.messages.filter((message) => message.kind === 'subscriptionAck' && message.success)).toHaveLength(
      5_000,
    );
    expect(test.node.stats()).toMatchObject({ connections: 2, subscriptions: 5_002 });
    a.raw.send(...names.map((name, i) => publish(name, String(i))));
    await a.mark(b);
    expect(b.raw.texts).toEqual(names.map((_, i) => String(i)));
    b.raw.cancel();
    await test.until(() => test.logged('disconnected').length > 0, 'the end of b');
    expect(test.node.stats()).toMatchObject({ connections: 1, subscriptions: 1 });
  });

  test('connecting and leaving in masses and in every way leaves nothing behind', async () => {
    const test = await TestNode.start();
    let sockets: Socket[] = [];
    for (let round = 0; round < 5; round++) {
      const members = await Promise.all(Array.from({ length: 40 }, () => join(test.node.endpoint)));
      sockets = await Promise.all(Array.from({ length: 20 }, () => tcp(test.node.port)));
      const [first, ...rest] = members;
      if (first === undefined) throw new Error('nobody');
      for (const member of rest) member.raw.send(publish(first.name, 'hello'));
      members.forEach(({ raw }, i) => {
        if (i % 3 === 0) raw.halfClose();
        else if (i % 3 === 1) raw.cancel();
        else raw.close();
      });
      for (const socket of sockets) socket.resetAndDestroy();
    }
    await test.until(() => test.logged('disconnected').length === 200, 'the end of all');
    expect(test.logged('connected')).toHaveLength(200);
    expect(test.node.stats()).toMatchObject({ connections: 0, subscriptions: 0 });
    await expectService(test.node.endpoint);
  }, 30_000);
});
