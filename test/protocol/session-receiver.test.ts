import { describe, expect, test } from 'vitest';

import type { Name } from '../../src/name/index.js';
import type { Effect, SessionConfig } from '../../src/protocol/index.js';
import { MessageBuilder } from '../../src/protocol/message-builder.js';
import { SessionReceiver } from '../../src/protocol/session-receiver.js';
import type { PublishMessage } from '../../src/wire/index.js';
import {
  A,
  B,
  callConfig,
  delivered,
  groupConfig,
  M,
  message,
  msg,
  R,
  rtxReply,
  sent,
  sentKinds,
  T,
  TestEnv,
  trace,
} from './support.js';

/** A receiver of M, and short words for what happens to it. */
function receiverOf(config: SessionConfig = groupConfig(M)) {
  const env = new TestEnv();
  const receiver = new SessionReceiver(config, new MessageBuilder(config));
  return {
    env,
    receiver,
    get: (message: PublishMessage): Effect[] => receiver.onMsg(delivered(message), env),
    reply: (message: PublishMessage): Effect[] => receiver.onRtxReply(delivered(message), env),
    pass: (ms: number): Effect[] => {
      env.nowMs += ms;
      return receiver.onTimer(env);
    },
  };
}

describe('scenarios of the upstream tests', () => {
  test('1, 2 in order: delivered and acknowledged', () => {
    const { get } = receiverOf();
    expect(trace(get(msg(A, 1)))).toEqual(['msgAck > a #1', 'got a "a1"']);
    expect(trace(get(msg(A, 2)))).toEqual(['msgAck > a #2', 'got a "a2"']);
  });

  test('1, 3: 2 is asked for, again, again, then lost; the rest goes on (upstream 0.7.0 stays blocked)', () => {
    const { get, pass, receiver, env } = receiverOf();
    get(msg(A, 1));
    expect(trace(get(msg(A, 3)))).toEqual(['msgAck > a #3', 'rtxRequest > a #2']);
    expect(receiver.dueInMs(env.nowMs)).toBe(T);
    for (let tries = 0; tries < R; tries += 1) expect(trace(pass(T))).toEqual(['rtxRequest > a #2']);
    expect(trace(pass(T))).toEqual(['lost a 2', 'got a "a3"']);
    expect(receiver.dueInMs(env.nowMs)).toBeUndefined();
    expect(trace(get(msg(A, 4)))).toEqual(['msgAck > a #4', 'got a "a4"']);
  });

  test('1, 3, and 2 is lost: when it comes after all it is delivered late, once, and acknowledged', () => {
    const { get, pass } = receiverOf();
    get(msg(A, 1));
    get(msg(A, 3));
    for (let tries = 0; tries <= R; tries += 1) pass(T);
    expect(trace(get(msg(A, 2)))).toEqual(['msgAck > a #2', 'got a "a2"']);
    expect(trace(get(msg(A, 2)))).toEqual(['msgAck > a #2']);
    expect(trace(get(msg(A, 4)))).toEqual(['msgAck > a #4', 'got a "a4"']);
  });

  test('1, 3 and the answer: 1, 2, 3', () => {
    const { get, reply, pass } = receiverOf();
    get(msg(A, 1));
    get(msg(A, 3));
    expect(trace(reply(rtxReply(A, 2)))).toEqual(['got a "a2"', 'got a "a3"']);
    expect(pass(T)).toEqual([]);
  });

  test('1, 3 and a negative answer: 1, lost, 3', () => {
    const { get, reply, pass } = receiverOf();
    get(msg(A, 1));
    get(msg(A, 3));
    expect(trace(reply(message('rtxReply', A, { id: 2, error: true })))).toEqual(['lost a 2', 'got a "a3"']);
    expect(pass(T)).toEqual([]);
  });

  test('two senders are independent', () => {
    const { get } = receiverOf();
    expect(trace(get(msg(A, 1)))).toEqual(['msgAck > a #1', 'got a "a1"']);
    expect(trace(get(msg(B, 1)))).toEqual(['msgAck > b #1', 'got b "b1"']);
    expect(trace(get(msg(B, 2)))).toEqual(['msgAck > b #2', 'got b "b2"']);
  });

  test('two senders, a gap of one is recovered and does not hold the other up', () => {
    const { get, reply } = receiverOf();
    get(msg(A, 1));
    get(msg(B, 1));
    expect(trace(get(msg(A, 3)))).toEqual(['msgAck > a #3', 'rtxRequest > a #2']);
    expect(trace(get(msg(B, 2)))).toEqual(['msgAck > b #2', 'got b "b2"']);
    expect(trace(reply(rtxReply(A, 2)))).toEqual(['got a "a2"', 'got a "a3"']);
  });
});

describe('acknowledgements', () => {
  test('each copy is acknowledged, duplicates too, but delivered once', () => {
    const { get } = receiverOf();
    get(msg(A, 1));
    expect(trace(get(msg(A, 1)))).toEqual(['msgAck > a #1']);
    get(msg(A, 3));
    expect(trace(get(msg(A, 3)))).toEqual(['msgAck > a #3']);
  });

  test('an answer to an RTX request is not acknowledged', () => {
    const { get, reply } = receiverOf();
    get(msg(A, 1));
    get(msg(A, 3));
    expect(sentKinds(reply(rtxReply(A, 2)))).toEqual([]);
  });

  test('trap 16: the source of an acknowledgement is the own name in this session', () => {
    const local = M.withId(77n);
    const { get } = receiverOf(groupConfig(local));
    expect(sent(get(msg(A, 1)))[0]!.source).toBe(local);
  });

  test('the retransmission of what was asked for ends the asking', () => {
    const { get, pass, reply } = receiverOf();
    get(msg(A, 1));
    get(msg(A, 3));
    expect(trace(get(msg(A, 2)))).toEqual(['msgAck > a #2', 'got a "a2"', 'got a "a3"']);
    expect(pass(T)).toEqual([]);
    expect(reply(rtxReply(A, 2))).toEqual([]);
  });

  test('an answer that nobody asked for is dropped', () => {
    const { get, reply } = receiverOf();
    get(msg(A, 1));
    expect(reply(rtxReply(A, 2))).toEqual([]);
    expect(trace(get(msg(A, 2)))).toEqual(['msgAck > a #2', 'got a "a2"']);
  });
});

describe('messages to one member', () => {
  const direct = (id: number) => msg(A, id, 'psst', { to: M, fanout: 1, metadata: { PUBLISH_TO: 'TRUE' } });

  test('are delivered without order, acknowledged with their mark, and once', () => {
    const { get } = receiverOf();
    for (const id of [2 ** 31, 2 ** 31 + 12345, 2 ** 32 - 2]) {
      expect(trace(get(direct(id)))).toEqual([`msgAck > a #${String(id)} PUBLISH_TO`, 'got a "psst"']);
      expect(trace(get(direct(id)))).toEqual([`msgAck > a #${String(id)} PUBLISH_TO`]);
    }
    expect(trace(get(msg(A, 1)))).toEqual(['msgAck > a #1', 'got a "a1"']);
  });

  test('a repetition of the newest is not delivered again, however many came before it', () => {
    const { get } = receiverOf();
    let twice = 0;
    for (let id = 2 ** 31; id < 2 ** 31 + 5000; id += 1) {
      get(direct(id));
      if (id > 2 ** 31 && get(direct(id - 1)).length > 1) twice += 1;
    }
    expect(twice).toBe(0);
  });

  test('a repetition is not delivered again because another member sent thousands in between', () => {
    const { get } = receiverOf();
    get(direct(2 ** 31));
    const ofB = (id: number) => msg(B, id, 'psst', { to: M, fanout: 1, metadata: { PUBLISH_TO: 'TRUE' } });
    for (let id = 2 ** 31; id < 2 ** 31 + 5000; id += 1) get(ofB(id));
    expect(trace(get(direct(2 ** 31)))).toEqual([`msgAck > a #${String(2 ** 31)} PUBLISH_TO`]);
  });

  test('a number of that range without the mark is dropped: it fits nowhere', () => {
    const { get } = receiverOf();
    expect(get(msg(A, 2 ** 31 + 1))).toEqual([]);
  });

  test('a number of the sequence that carries the mark is a message like any other', () => {
    const { get } = receiverOf();
    get(msg(A, 1));
    expect(trace(get(direct(2)))).toEqual(['msgAck > a #2 PUBLISH_TO', 'got a "psst"']);
  });
});

describe('while the application reads too slowly', () => {
  test('a new message is neither acknowledged nor taken, and comes with its retransmission', () => {
    const { get, env } = receiverOf();
    get(msg(A, 1));
    env.isReceiveQueueFull = true;
    expect(get(msg(A, 2))).toEqual([]);
    expect(get(msg(A, 2 ** 31 + 5, 'psst', { metadata: { PUBLISH_TO: 'TRUE' } }))).toEqual([]);
    env.isReceiveQueueFull = false;
    expect(trace(get(msg(A, 2)))).toEqual(['msgAck > a #2', 'got a "a2"']);
  });

  test('a duplicate of what was taken is still acknowledged', () => {
    const { get, env } = receiverOf();
    get(msg(A, 1));
    env.isReceiveQueueFull = true;
    expect(trace(get(msg(A, 1)))).toEqual(['msgAck > a #1']);
  });

  test('an answer to an RTX request is not taken either; it is asked for again', () => {
    const { get, reply, pass, env } = receiverOf();
    get(msg(A, 1));
    get(msg(A, 3));
    env.isReceiveQueueFull = true;
    expect(reply(rtxReply(A, 2))).toEqual([]);
    env.isReceiveQueueFull = false;
    expect(trace(pass(T))).toEqual(['rtxRequest > a #2']);
    expect(trace(reply(rtxReply(A, 2)))).toEqual(['got a "a2"', 'got a "a3"']);
  });

  test('nothing that was asked for is given up, however long that lasts', () => {
    const { get, reply, pass, env } = receiverOf();
    get(msg(A, 1));
    get(msg(A, 3));
    env.isReceiveQueueFull = true;
    for (let tries = 0; tries < 10 * R; tries += 1) expect(pass(T)).toEqual([]);
    env.isReceiveQueueFull = false;
    expect(trace(pass(T))).toEqual(['rtxRequest > a #2']);
    expect(trace(reply(rtxReply(A, 2)))).toEqual(['got a "a2"', 'got a "a3"']);
  });
});

describe('large messages ahead of one that is missing', () => {
  const large = (from: Name, id: number) => msg(from, id, 'x'.repeat(4_000_000));

  test('beyond 64 MiB they are left to their sender, the missing one is always taken, and then the rest is', () => {
    const { get } = receiverOf();
    get(msg(A, 1));
    const acks = Array.from({ length: 30 }, (_, index) => index + 3).filter((id) =>
      sentKinds(get(large(A, id))).includes('msgAck'),
    );
    expect(acks).toEqual(Array.from({ length: 16 }, (_, index) => index + 3));
    expect(get(large(A, 19))).toEqual([]);
    expect(get(large(A, 2)).filter(({ kind }) => kind === 'notify')).toHaveLength(17);
    expect(sentKinds(get(large(A, 19)))).toEqual(['msgAck']);
    // And there is room for what waits next.
    for (let id = 21; id < 37; id += 1) expect(sentKinds(get(large(A, id)))).toContain('msgAck');
    expect(get(large(A, 37))).toEqual([]);
  });

  test('those of all senders count together; another sender without a gap goes on', () => {
    const { get } = receiverOf();
    get(msg(A, 1));
    get(msg(B, 1));
    for (let id = 3; id < 19; id += 1) get(large(A, id));
    expect(get(large(B, 3))).toEqual([]);
    expect(get(large(B, 2)).map(({ kind }) => kind)).toEqual(['send', 'notify']);
    expect(get(large(B, 3)).map(({ kind }) => kind)).toEqual(['send', 'notify']);
  });

  test('so do answers to what was asked for: it is asked for again until there is room', () => {
    const { get, reply, pass } = receiverOf();
    get(msg(A, 1));
    for (let id = 4; id < 20; id += 1) get(large(A, id));
    const blob = new Uint8Array(4_000_000);
    const answer = (id: number) =>
      message('rtxReply', A, { id, content: { kind: 'app', payloadType: 'msg', blob }, fanout: 256 });
    expect(reply(answer(3))).toEqual([]);
    expect(reply(answer(2)).filter(({ kind }) => kind === 'notify')).toHaveLength(1);
    expect(trace(pass(T))).toEqual(['rtxRequest > a #3']);
    expect(reply(answer(3)).filter(({ kind }) => kind === 'notify')).toHaveLength(17);
  });
});

describe('members that come and go', () => {
  test('a sender that joins now starts at 1: an overtaken first message is asked for', () => {
    const { get, receiver } = receiverOf();
    receiver.addSource(A);
    expect(trace(get(msg(A, 2)))).toEqual(['msgAck > a #2', 'rtxRequest > a #1']);
    expect(trace(get(msg(A, 1)))).toEqual(['msgAck > a #1', 'got a "a1"', 'got a "a2"']);
  });

  test('a sender that was removed and joins again starts at 1 again', () => {
    const { get, receiver } = receiverOf();
    receiver.addSource(A);
    get(msg(A, 1, 'old'));
    receiver.forgetSource(A);
    receiver.addSource(A);
    expect(trace(get(msg(A, 1, 'new')))).toEqual(['msgAck > a #1', 'got a "new"']);
  });

  test('what of a sender that is gone waits for a hole is given out: it was acknowledged', () => {
    const { get, receiver } = receiverOf();
    get(msg(A, 1));
    get(msg(A, 3));
    expect(trace(receiver.forgetSource(A))).toEqual(['lost a 2', 'got a "a3"']);
    expect(receiver.forgetSource(A)).toEqual([]);
  });

  test('nobody is asked for messages any more once it is gone', () => {
    const { get, receiver, pass } = receiverOf();
    get(msg(A, 1));
    get(msg(A, 3));
    get(msg(B, 1));
    get(msg(B, 3));
    receiver.forgetSource(A);
    expect(trace(pass(T))).toEqual(['rtxRequest > b #2']);
  });
});

describe('the link', () => {
  test('while it is down nothing is asked for or given up; then all tries count again', () => {
    const { get, pass, receiver, env } = receiverOf();
    get(msg(A, 1));
    get(msg(A, 3));
    for (let tries = 0; tries < R; tries += 1) pass(T);
    receiver.onLinkDown();
    expect(receiver.dueInMs(env.nowMs)).toBeUndefined();
    expect(pass(100 * T)).toEqual([]);
    receiver.onLinkUp(env);
    for (let tries = 0; tries < R; tries += 1) expect(trace(pass(T))).toEqual(['rtxRequest > a #2']);
    expect(trace(pass(T))).toEqual(['lost a 2', 'got a "a3"']);
  });
});

test('best effort: everything goes straight to the application, nothing is acknowledged', () => {
  const { get } = receiverOf(callConfig(A, { isReliable: false }));
  expect(trace(get(msg(M, 3)))).toEqual(['got m "m3"']);
  expect(trace(get(msg(M, 1)))).toEqual(['got m "m1"']);
  expect(trace(get(msg(M, 1)))).toEqual(['got m "m1"']);
});
