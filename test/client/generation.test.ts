import { randomBytes } from 'node:crypto';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { type AppEvent, ConnectionError, SlimApp, type SlimAppOptions } from '../../src/client/index.js';
import {
  type MemoryAcceptor,
  type MemoryConnection,
  MemoryTransport,
  type MemoryTransportOptions,
} from '../../src/transport/index.js';
import { type DecodedMessage, decodeMessage, encodeMessage } from '../../src/wire/index.js';
import { type FirstAnswer, generation2Answer, generation2Frames } from '../harness/generation-2-node.js';
import { connect, MemoryNode, outcomeOf, pass, SECRET, settle, within } from './support.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const SENTENCE =
  'the node at memory speaks SLIM 3.x (core 3.4.6); slim-chat speaks generation 1, SLIM 0.7 to 1.4. ' +
  'Give the endpoint of a node of SLIM 0.7 to 1.4';

/** A node that does what it is told with the first message of each stream, and nothing with others; says what it got. */
class ScriptedNode {
  readonly firsts: DecodedMessage['kind'][] = [];
  /** Its end of the newest stream. */
  latest: MemoryConnection | undefined;
  answer: (first: Uint8Array) => FirstAnswer | 'nothing';

  constructor(answer: (first: Uint8Array) => FirstAnswer | 'nothing') {
    this.answer = answer;
  }

  readonly accept: MemoryAcceptor = (connection) => {
    let hasAnswered = false;
    this.latest = connection;
    return {
      onFrame: (frame) => {
        if (hasAnswered) return;
        hasAnswered = true;
        this.firsts.push(decodeMessage(frame).kind);
        const what = this.answer(frame);
        if (what === 'end') void connection.close();
        else if (what !== 'nothing') connection.send(what);
      },
      onDrain: () => undefined,
      onEnd: () => undefined,
    };
  };

  transport(options: MemoryTransportOptions = {}): MemoryTransport {
    return new MemoryTransport(this.accept, options);
  }
}

const generation2 = (first: Uint8Array): FirstAnswer => generation2Answer('3.4.6', first);

function started(slim: MemoryTransport, options: Partial<SlimAppOptions> = {}) {
  const events: AppEvent[] = [];
  const outcome = outcomeOf(
    SlimApp.connect({
      local: 'agntcy/ns/alice',
      slim,
      sharedSecret: SECRET,
      onEvent: (event) => events.push(event),
      ...options,
    }),
  );
  return { events, outcome };
}

function states(events: readonly AppEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'connection' ? [event.state.kind] : []));
}

function warnings(events: readonly AppEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'warning' ? [`${event.code}: ${event.text}`] : []));
}

/** A link reply as a node of some version would give it. */
function replyOf(slimVersion: string): (first: Uint8Array) => FirstAnswer {
  return (first) => {
    const request = decodeMessage(first);
    if (request.kind !== 'link') return 'end';
    return encodeMessage({ kind: 'link', linkId: request.linkId, slimVersion, isReply: true });
  };
}

/** An app at a good node, in whose place another one is started then. */
async function replaced(scripted: ScriptedNode) {
  const good = new MemoryNode();
  let { accept } = good;
  const { events, outcome } = started(new MemoryTransport((connection) => accept(connection)));
  await pass(1000);
  expect(states(events)).toEqual(['connecting', 'up']);
  accept = scripted.accept;
  good.stream.connection.cut();
  const putBack = (): void => {
    ({ accept } = good);
  };
  return { app: outcome.value!, events, scripted, putBack };
}

describe('a node of generation 2 at the first connection', () => {
  test('is named with its version, once, and nothing says that there was a connection', async () => {
    const node = new ScriptedNode(generation2);
    const { events, outcome } = started(node.transport());
    await settle();
    expect(outcome.error).toMatchObject({
      code: 'unsupported-generation',
      exitCode: 3,
      message: SENTENCE,
      details: { endpoint: 'memory', nodeVersion: '3.4.6' },
    });
    expect(states(events)).toEqual(['connecting', 'closed']);
    expect(node.firsts).toEqual(['subscribe', 'link']);
    await pass(60_000);
    expect(node.firsts).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is named with the version of the first release, too', async () => {
    const node = new ScriptedNode((first) => generation2Answer('2.0.0', first));
    const { outcome } = started(node.transport());
    await settle();
    expect(outcome.error).toMatchObject({ details: { nodeVersion: '2.0.0' } });
    expect((outcome.error as Error).message).toContain('SLIM 2.x (core 2.0.0)');
  });

  test('far away, where the end of the stream comes late: it is asked at the second try', async () => {
    const node = new ScriptedNode(generation2);
    const { outcome, events } = started(node.transport({ latencyMs: 300 }));
    await pass(5000);
    expect(outcome.isSettled).toBe(true);
    expect(warnings(events)).toEqual([`unsupported-generation: ${SENTENCE}`]);
    expect(node.firsts.slice(0, 2)).toEqual(['subscribe', 'link']);
    await pass(20_000);
    expect(states(events).filter((state) => state === 'up')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({
      state: { kind: 'closed', error: { code: 'unsupported-generation', exitCode: 3 } },
    });
  });

  test.each(['2.0', 'v3.0.0', '3.0.0\u001B[31m', `3.0.0-${'x'.repeat(60)}`, ''])(
    'a version that is none is not repeated to anybody: %j',
    async (version) => {
      const node = new ScriptedNode(replyOf(version));
      const { events, outcome } = started(node.transport(), { connectAttempts: 2 });
      await pass(10_000);
      expect(outcome.error).toMatchObject({ code: 'stream-lost' });
      if (version !== '') expect(JSON.stringify(events)).not.toContain(JSON.stringify(version).slice(1, -1));
    },
  );

  test('an answer to somebody else is none', async () => {
    const { linkReply } = generation2Frames('3.4.6');
    const node = new ScriptedNode((first) => (decodeMessage(first).kind === 'link' ? linkReply : 'end'));
    const { outcome } = started(node.transport(), { connectAttempts: 1 });
    await pass(10_000);
    expect(outcome.error).toMatchObject({ code: 'stream-lost' });
  });
});

describe('a node of generation 1', () => {
  test.each(['1.3.0', '1.4.0', '0.7.0'])(
    'that says %s and ends the first stream is no other generation',
    async (own) => {
      let streams = 0;
      const node = new ScriptedNode((first) => {
        streams += 1;
        return decodeMessage(first).kind === 'link' ? replyOf(own)(first) : streams === 1 ? 'end' : 'nothing';
      });
      const { events, outcome } = started(node.transport());
      await pass(5000);
      expect(node.firsts).toEqual(['subscribe', 'link', 'subscribe']);
      expect(outcome.isSettled).toBe(true);
      expect(outcome.error).toBeUndefined();
      expect(warnings(events)).toEqual([]);
      await within(5000, outcome.value!.close());
    },
  );

  test('that is silent when it is asked (before 1.3) is tried on, a little later', async () => {
    let streams = 0;
    const node = new ScriptedNode(() => (++streams === 1 ? 'end' : 'nothing'));
    const { outcome } = started(node.transport());
    await pass(1499);
    expect(node.firsts).toEqual(['subscribe', 'link']);
    await pass(1 + 1000 + 200);
    expect(node.firsts).toEqual(['subscribe', 'link', 'subscribe']);
    expect(outcome.isSettled).toBe(true);
    await within(5000, outcome.value!.close());
  });

  test('that is connected to is asked for nothing: one stream, as ever', async () => {
    const node = new MemoryNode();
    const { stream } = await connect(node, 'agntcy/ns/alice');
    await pass(60_000);
    expect(node.attempts).toBe(1);
    expect(stream.trace).toEqual(['subscribe agntcy/ns/alice']);
  });

  test('that served a while and then shuts down is not asked: an old one is connected to again without a pause', async () => {
    const node = new ScriptedNode(() => 'nothing');
    const { outcome, events } = started(node.transport());
    await pass(11_000);
    expect(outcome.isSettled).toBe(true);
    void node.latest?.close();
    await pass(600);
    expect(node.firsts).toEqual(['subscribe', 'subscribe']);
    expect(states(events)).toEqual(['connecting', 'up', 'lost', 'retrying', 'up']);
    await within(5000, outcome.value!.close());
  });
});

describe('a node that is upgraded to generation 2 while an app is connected', () => {
  const upgraded = () => replaced(new ScriptedNode(generation2));

  test('is told once, with the sentence, and nobody is told that all is well again', async () => {
    const { events } = await upgraded();
    await pass(2000);
    expect(warnings(events)).toEqual([`unsupported-generation: ${SENTENCE}`]);
    expect(states(events).filter((state) => state === 'up')).toHaveLength(1);
  });

  test('if it stays so, the app is over, with the same sentence', async () => {
    const { events, scripted } = await upgraded();
    await pass(20_000);
    expect(events.at(-1)).toMatchObject({
      kind: 'connection',
      state: { kind: 'closed', error: { code: 'unsupported-generation', exitCode: 3, message: SENTENCE } },
    });
    expect(warnings(events)).toHaveLength(1);
    const streams = scripted.firsts.length;
    await pass(60_000);
    expect(scripted.firsts).toHaveLength(streams);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('if the old one comes back in time, the app goes on', async () => {
    const { app, events, putBack } = await upgraded();
    await pass(2000);
    putBack();
    await pass(10_000);
    expect(states(events).at(-1)).toBe('up');
    await within(5000, app.close());
  });
});

describe('a server that accepts each stream and ends it', () => {
  test('is not taken for a connection: the tries are counted, and the last one is the error', async () => {
    const node = new ScriptedNode(() => 'end');
    const { events, outcome } = started(node.transport(), { connectAttempts: 3 });
    await pass(2000);
    expect(outcome.error).toMatchObject({ code: 'stream-lost', exitCode: 3 });
    expect((outcome.error as Error).message).toContain('the node at memory ends each stream at once');
    expect(states(events)).toEqual(['connecting', 'retrying', 'connecting', 'retrying', 'connecting', 'closed']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('in the middle of a chat: no more tries than at one that refuses, and no word of being back', async () => {
    const { app, events, scripted } = await replaced(new ScriptedNode(() => 'end'));
    await pass(60_000);
    expect(states(events).filter((state) => state === 'up' || state === 'lost')).toEqual(['up', 'lost']);
    const pauses = events.flatMap((event) =>
      event.kind === 'connection' && event.state.kind === 'retrying' ? [event.state.inMs] : [],
    );
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(7500);
    // A try is a stream to use and one to ask.
    expect(scripted.firsts.length).toBeLessThanOrEqual(2 * pauses.length);
    await within(5000, app.close());
  });

  test('and says why is believed: nothing is asked, and what it says is the error', async () => {
    const why = new ConnectionError('stream-lost', 'gRPC status 14: in repair', { details: { grpcStatus: 14 } });
    const node = new ScriptedNode(() => {
      node.latest?.cut(why);
      return 'nothing';
    });
    const { outcome } = started(node.transport(), { connectAttempts: 3 });
    await pass(2000);
    expect(outcome.error).toBe(why);
    expect(node.firsts).toEqual(['subscribe', 'subscribe', 'subscribe']);
  });
});

test('a session that begins while it is not clear whether the connection is of use waits for one that is', async () => {
  const node = new MemoryNode();
  const { events, app, stream } = await connect(node, 'agntcy/ns/alice');
  await connect(node, 'agntcy/ns/bob');
  node.acknowledgesSubscriptions = false;
  stream.connection.cut();
  await pass(300);
  expect(states(events).at(-1)).toBe('retrying');
  const session = await app.createSession({ channel: 'agntcy/ns/chat', timeoutMs: 20, maxRetries: 1 });
  node.stream.connection.cut();
  const refusal = new ConnectionError('refused', 'nobody listens');
  node.refusal = refusal;
  const inviting = outcomeOf(session.invite('agntcy/ns/bob'));
  await pass(2000);
  expect(inviting.isSettled).toBe(false);
  node.refusal = undefined;
  node.acknowledgesSubscriptions = true;
  await pass(10_000);
  expect(inviting.error).toBeUndefined();
  expect(inviting.isSettled).toBe(true);
});

test('a member that gets messages of generation 2 warns of them with one text, whatever they hold', async () => {
  const node = new MemoryNode();
  const { events, stream } = await connect(node, 'agntcy/ns/alice');
  for (let count = 0; count < 20; count += 1) {
    const frame = Buffer.from(generation2Frames('3.4.6').discoveryRequest);
    // Another end, as another message has.
    randomBytes(16).copy(frame, frame.length - 16);
    stream.connection.send(frame);
  }
  await settle();
  expect(new Set(warnings(events))).toEqual(new Set(['protocol-violation: dropped a malformed message: protobuf']));
  expect(stream.isOpen).toBe(true);
});
