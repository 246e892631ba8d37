import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';

import { describe, expect, onTestFinished, test } from 'vitest';

import { SharedSecret } from '../../src/auth/index.js';
import { MAX_PAYLOAD_BYTES, SlimApp } from '../../src/client/index.js';
import { Name } from '../../src/name/index.js';
import { GrpcTransport } from '../../src/transport/index.js';
import { type Content, encodeMessage, MessageType } from '../../src/wire/index.js';
import { connect, group, isWarning, SECRET, startNode, texts } from './support.js';

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('faults', () => {
  test('the node is killed and restarted mid-chat: nothing is lost, doubled or out of order', async () => {
    const first = await startNode();
    const apps = await Promise.all(['org/ns/m', 'org/ns/a', 'org/ns/b'].map((name) => connect(first, name)));
    const sessions = await group(apps);
    const heard = sessions.map(({ session }) => texts(session, 20));
    const publish = (from: number, to: number) =>
      sessions.flatMap(({ session }) =>
        Array.from({ length: to - from }, (_, i) => session.publish(`${session.local.app} ${String(from + i)}`)),
      );
    await Promise.all(publish(0, 5));
    const { port } = first;
    await first.close();
    for (const { events } of apps) {
      await events.next((event) => event.kind === 'connection' && event.state.kind === 'lost');
    }
    const meanwhile = publish(5, 10);
    await startNode(port);
    await Promise.all(meanwhile);
    for (const [index, own] of ['m', 'a', 'b'].entries()) {
      const all = await heard[index];
      for (const name of ['m', 'a', 'b'].filter((other) => other !== own)) {
        expect(all?.filter((text) => text?.startsWith(`${name} `))).toEqual(
          Array.from({ length: 10 }, (_, i) => `${name} ${String(i)}`),
        );
      }
    }
  });

  test('an invitee that does not exist fails in time and holds up nobody', async () => {
    const node = await startNode();
    const m = await connect(node, 'org/ns/m');
    await connect(node, 'org/ns/a');
    const session = await m.app.createSession({ channel: 'org/ns/chat', timeoutMs: 100, maxRetries: 3 });
    const ghost = session.invite('org/ns/ghost');
    await session.invite('org/ns/a');
    await session.publish('hello');
    await expect(ghost).rejects.toMatchObject({ code: 'invite-timeout' });
  });

  test('a peer with another secret is neither heard nor answered, and a warning says so once', async () => {
    const node = await startNode();
    const m = await connect(node, 'org/ns/m');
    const stranger = await connect(node, 'org/ns/stranger', { sharedSecret: `${SECRET}-another` });
    const session = await m.app.createSession({ channel: 'org/ns/chat', timeoutMs: 50, maxRetries: 3 });
    await expect(session.invite('org/ns/stranger')).rejects.toMatchObject({ code: 'invite-timeout' });
    await stranger.events.next(isWarning('identity-rejected'));
    expect(stranger.events.events.filter(isWarning('identity-rejected'))).toHaveLength(1);
    expect(JSON.stringify(stranger.events.events)).not.toContain(SECRET);
  });

  test('garbage on the port is not a SLIM node', async () => {
    const port = await listening(
      createTcpServer((socket) => {
        socket.on('error', () => undefined);
        socket.write('\u0000\u00ff what is this');
      }),
    );
    await expect(
      SlimApp.connect({
        local: 'org/ns/a',
        slim: `http://127.0.0.1:${String(port)}`,
        sharedSecret: SECRET,
        connectAttempts: 1,
      }),
    ).rejects.toMatchObject({ code: 'not-a-slim-node' });
  });

  test('an HTTP server on the port is not a SLIM node', async () => {
    const port = await listening(createServer((_request, response) => response.end('hello')));
    await expect(
      SlimApp.connect({
        local: 'org/ns/a',
        slim: `http://127.0.0.1:${String(port)}`,
        sharedSecret: SECRET,
        connectAttempts: 1,
      }),
    ).rejects.toMatchObject({ code: 'not-a-slim-node' });
  });

  test('a message that is too large is refused where it is published, the largest one arrives', async () => {
    const node = await startNode();
    const apps = await Promise.all(['org/ns/m', 'org/ns/a'].map((name) => connect(node, name)));
    const [m, a] = await group(apps);
    expect(() => m?.session.publish(new Uint8Array(5 * 1024 * 1024))).toThrow(/bytes/);
    await m?.session.publish(new Uint8Array(MAX_PAYLOAD_BYTES - 64).fill(7));
    expect((await a?.session.getMessage())?.payload.length).toBe(MAX_PAYLOAD_BYTES - 64);
  });

  test('names, payloads and metadata full of escape codes arrive as they were sent', async () => {
    const hostile = '\u001b]52;c;aGk=\u0007\u001b[2J\r\b\u202e\u0000';
    const node = await startNode();
    const apps = await Promise.all([
      connect(node, 'org/ns/m'),
      connect(node, 'org/ns/a', { local: Name.of('org', hostile, 'app') }),
    ]);
    const [m, a] = await group(apps);
    await a?.session.publish(hostile, { payloadType: hostile, metadata: { [hostile]: hostile } });
    const message = await m?.session.getMessage();
    expect(message?.text).toBe(hostile);
    expect(message?.payloadType).toBe(hostile);
    expect(message?.metadata[hostile]).toBe(hostile);
    expect(message?.source.strings[1]).toBe(hostile);
  });

  test(
    '10 000 messages as fast as possible between 3 members: nothing lost, memory flat',
    { timeout: 60_000 },
    async () => {
      const node = await startNode();
      const apps = await Promise.all(['org/ns/m', 'org/ns/a', 'org/ns/b'].map((name) => connect(node, name)));
      const [m, a, b] = await group(apps);
      if (m === undefined || a === undefined || b === undefined) throw new Error('no group');
      const count = 10_000;
      const inOrder = [a, b].map(async ({ session }) => {
        for (let i = 0; i < count; i += 1) {
          if ((await session.getMessage()).text !== `number ${String(i)}`) return `broken at ${String(i)}`;
        }
        return 'complete';
      });
      const before = process.memoryUsage().rss;
      let peak = before;
      const handles = [];
      for (let i = 0; i < count; i += 1) {
        await m.session.writable();
        handles.push(m.session.publish(`number ${String(i)}`));
        if (i % 500 === 0) peak = Math.max(peak, process.memoryUsage().rss);
      }
      await Promise.all(handles);
      expect(await Promise.all(inOrder)).toEqual(['complete', 'complete']);
      expect(peak - before).toBeLessThan(150 * 1024 * 1024);
    },
  );

  test(
    'a sender that does not wait learns that its queue is full, and what was taken arrives',
    { timeout: 60_000 },
    async () => {
      const node = await startNode();
      const apps = await Promise.all(['org/ns/m', 'org/ns/a'].map((name) => connect(node, name)));
      const [m, a] = await group(apps);
      if (m === undefined || a === undefined) throw new Error('no group');
      const handles = Array.from({ length: 20_000 }, (_, i) => m.session.publish(String(i)));
      const refused = handles.filter(({ state }) => state === 'failed');
      expect(refused.length).toBeGreaterThan(0);
      for (const { error } of refused) expect(error).toMatchObject({ code: 'queue-full' });
      const taken = handles.length - refused.length;
      const received = texts(a.session, taken);
      await Promise.all(handles.slice(0, taken));
      expect(await received).toEqual(Array.from({ length: taken }, (_, i) => String(i)));
    },
  );

  test('messages with every type and every content, missing and mismatched: the group goes on', async () => {
    const node = await startNode();
    const apps = await Promise.all(['org/ns/m', 'org/ns/a'].map((name) => connect(node, name)));
    const [m, a] = await group(apps);
    if (m === undefined || a === undefined) throw new Error('no group');
    const secret = new SharedSecret({ secret: SECRET, identity: 'org/ns/evil' });
    const raw = new GrpcTransport(node.endpoint);
    onTestFinished(() => {
      raw.close();
    });
    const stream = await raw.open({ onFrame: () => undefined, onDrain: () => undefined, onEnd: () => undefined });
    const channel = m.session.channel;
    const contents: Content[] = [
      { kind: 'unknown' },
      { kind: 'app', payloadType: '', blob: new Uint8Array(0) },
      { kind: 'discoveryRequest' },
      { kind: 'discoveryReply' },
      { kind: 'joinRequest', enableMls: true },
      { kind: 'joinRequest', enableMls: false },
      { kind: 'joinRequest', enableMls: false, channel },
      { kind: 'joinRequest', enableMls: false, timerSettings: { timeoutMs: 0, maxRetries: 0 }, channel },
      { kind: 'joinReply' },
      { kind: 'leaveReply' },
      { kind: 'groupAdd', newParticipant: Name.of('org', 'ns', 'x', 5n), participants: [] },
      { kind: 'groupRemove', removedParticipant: Name.of('org', 'ns', 'x', 5n), participants: [] },
      { kind: 'groupWelcome', participants: [] },
      { kind: 'groupProposal', mlsProposal: new Uint8Array(3) },
      { kind: 'groupAck' },
      { kind: 'groupNack' },
      { kind: 'ping' },
    ];
    let messageId = 1_000_000;
    const strangers = [Name.of('org', 'ns', 'evil', 9n), Name.of('org', 'ns', 'evil'), a.session.local];
    for (let messageType = 0; messageType <= 20; messageType += 1) {
      for (const content of contents) {
        for (const source of strangers) {
          for (const sessionId of [m.session.id, 0, 0xffff_ffff]) {
            for (const sessionType of [0, 1, 2, 7]) {
              messageId += 1;
              stream.send(
                encodeMessage({
                  kind: 'publish',
                  header: { source, destination: m.session.local, fanout: 1, identity: secret.mint(Date.now()) },
                  session: { sessionType, messageType, sessionId, messageId },
                  content,
                  metadata: {},
                }),
              );
            }
          }
        }
      }
    }
    // The same to the participant, also as if from its moderator; all but what rightly ends a session.
    const ending: number[] = [MessageType.leaveRequest, MessageType.groupClose];
    for (let messageType = 0; messageType <= 20; messageType += 1) {
      if (ending.includes(messageType)) continue;
      for (const content of contents.filter(({ kind }) => kind !== 'groupWelcome')) {
        for (const source of [...strangers, m.session.local]) {
          messageId += 1;
          stream.send(
            encodeMessage({
              kind: 'publish',
              header: { source, destination: a.session.local, fanout: 1, identity: secret.mint(Date.now()) },
              session: { sessionType: 2, messageType, sessionId: a.session.id, messageId },
              content,
              metadata: {},
            }),
          );
        }
      }
    }
    await stream.close();
    await m.session.publish('still alive');
    let text: string | undefined;
    while (text !== 'still alive') text = (await a.session.getMessage()).text;
    await a.session.publish('me too');
    while (text !== 'me too') text = (await m.session.getMessage()).text;
  });
});
