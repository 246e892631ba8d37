import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Name } from '../../src/name/index.js';
import type { Effect, MlsResult, RetryOf, SessionCommand, SessionConfig } from '../../src/protocol/index.js';
import { MessageBuilder } from '../../src/protocol/message-builder.js';
import { MlsOperations } from '../../src/protocol/mls-operations.js';
import { PayloadProtection } from '../../src/protocol/payload-protection.js';
import { SEND_QUEUE_MESSAGES } from '../../src/protocol/send-queue.js';
import { SEND_WINDOW, SessionSender } from '../../src/protocol/session-sender.js';
import { DeliveryError, MlsError, SessionError } from '../../src/util/index.js';
import { MessageType } from '../../src/wire/index.js';
import {
  A,
  B,
  C,
  callConfig,
  groupConfig,
  M,
  message,
  type MessageOptions,
  publish,
  R,
  sent,
  sentKinds,
  T,
  TestEnv,
  textOf,
  trace,
} from './support.js';

type MlsQuestion = Extract<Effect, { kind: 'mls' }>;
type Publish = Extract<SessionCommand, { kind: 'publish' }>;

const STRANGER = A.withId(0x99n);

/** A sender of M, and short words for what happens to it. */
function senderWith(endpoints: readonly Name[], config: SessionConfig = groupConfig(M)) {
  const env = new TestEnv();
  const sender = new SessionSender(config, new MessageBuilder(config));
  let commands = 0;
  sender.addEndpoints(endpoints, env);
  return {
    env,
    sender,
    publish: (text: string, to?: Name, again?: RetryOf): Effect[] => {
      commands += 1;
      return sender.onPublish(commands, { ...(publish(text, to) as Publish), ...(again && { again }) }, env);
    },
    ack: (from: Name, id: number): Effect[] => sender.onMsgAck(message('msgAck', from, { id }), env),
    rtx: (from: Name, id: number, options: MessageOptions = {}): Effect[] =>
      sender.onRtxRequest(message('rtxRequest', from, { id, ...options }), env),
    pass: (ms: number): Effect[] => {
      env.nowMs += ms;
      return sender.onTimer(env);
    },
  };
}

describe('scenarios of the upstream tests', () => {
  test('numbers are 1, 2, 3', () => {
    const { sender, publish } = senderWith([A]);
    expect(trace(publish('x'))).toEqual(['msg > chat #1 all "x"', 'delivery 1 sent 0/1']);
    expect(trace(publish('y'))).toEqual(['msg > chat #2 all "y"', 'delivery 2 sent 0/1']);
    expect(trace(publish('z'))).toEqual(['msg > chat #3 all "z"', 'delivery 3 sent 0/1']);
    expect(sender.lastPublishedId).toBe(3);
  });

  test('nobody acknowledges: two retransmissions, then the failure is reported', () => {
    const { publish, pass, sender, env } = senderWith([A]);
    publish('x');
    expect(sender.dueInMs(env.nowMs)).toBe(T);
    expect(trace(pass(T))).toEqual(['msg > a #1 all "x"']);
    expect(trace(pass(T))).toEqual(['msg > a #1 all "x"']);
    const failure = pass(T);
    expect(trace(failure)).toEqual(['delivery 1 failed 0/1 not-acked']);
    expect(failure[0]).toMatchObject({ error: expect.any(DeliveryError) as unknown });
    expect(failure[0]).toMatchObject({ error: { details: { messageId: 1, missing: [A] } } });
    expect(sender.dueInMs(env.nowMs)).toBeUndefined();
    expect(pass(10 * T)).toEqual([]);
  });

  test('an acknowledgement stops the retransmission', () => {
    const { publish, ack, pass, sender, env } = senderWith([A]);
    publish('x');
    expect(trace(ack(A, 1))).toEqual(['delivery 1 acked 1/0']);
    expect(sender.dueInMs(env.nowMs)).toBeUndefined();
    expect(pass(T)).toEqual([]);
  });

  test('three members, all acknowledge', () => {
    const { publish, ack } = senderWith([A, B, C]);
    publish('x');
    expect(trace(ack(A, 1))).toEqual(['delivery 1 sent 1/2']);
    expect(trace(ack(B, 1))).toEqual(['delivery 1 sent 2/1']);
    expect(trace(ack(C, 1))).toEqual(['delivery 1 acked 3/0']);
  });

  test('three members, one does not acknowledge: repeated to that one only', () => {
    const { publish, ack, pass } = senderWith([A, B, C]);
    publish('x');
    ack(A, 1);
    ack(C, 1);
    expect(trace(pass(T))).toEqual(['msg > b #1 all "x"']);
    expect(trace(ack(B, 1))).toEqual(['delivery 1 acked 3/0']);
  });

  test('three members, the one that has not acknowledged is removed: done', () => {
    const { publish, ack, pass, sender, env } = senderWith([A, B, C]);
    publish('x');
    ack(A, 1);
    ack(C, 1);
    expect(trace(sender.removeEndpoint(B, env))).toEqual(['delivery 1 acked 2/0']);
    expect(pass(T)).toEqual([]);
  });

  test('asking for the message counts as acknowledging it', () => {
    const { publish, ack, rtx, pass } = senderWith([A, B]);
    publish('x');
    ack(A, 1);
    expect(trace(rtx(B, 1))).toEqual(['rtxReply > b #1 all "x"', 'delivery 1 acked 2/0']);
    expect(pass(T)).toEqual([]);
  });

  test('timer, then RTX, then acknowledgement', () => {
    const { publish, ack, rtx, pass } = senderWith([A]);
    publish('x');
    expect(sentKinds(pass(T))).toEqual(['msg']);
    expect(trace(rtx(A, 1))).toEqual(['rtxReply > a #1 all "x"', 'delivery 1 acked 1/0']);
    expect(ack(A, 1)).toEqual([]);
  });

  test('no member yet: queued, and sent when the first one is there', () => {
    const { publish, sender, env, ack } = senderWith([]);
    expect(trace(publish('x'))).toEqual(['delivery 1 queued 0/0']);
    expect(trace(publish('y'))).toEqual(['delivery 2 queued 0/0']);
    expect(sender.queued.count).toBe(2);
    expect(trace(sender.addEndpoints([A], env))).toEqual([
      'msg > chat #1 all "x"',
      'delivery 1 sent 0/1',
      'msg > chat #2 all "y"',
      'delivery 2 sent 0/1',
    ]);
    expect(sender.queued.count).toBe(0);
    expect(trace(ack(A, 1))).toEqual(['delivery 1 acked 1/0']);
  });
});

describe('acknowledgements', () => {
  test('the same one twice counts once', () => {
    const { publish, ack } = senderWith([A, B]);
    publish('x');
    ack(A, 1);
    expect(ack(A, 1)).toEqual([]);
    expect(trace(ack(B, 1))).toEqual(['delivery 1 acked 2/0']);
  });

  test('from no member, from another instance of a member, and for another number are ignored', () => {
    const { publish, ack } = senderWith([A]);
    publish('x');
    expect(ack(C, 1)).toEqual([]);
    expect(ack(A.withId(5n), 1)).toEqual([]);
    expect(ack(A.withoutId(), 1)).toEqual([]);
    expect(ack(A, 2)).toEqual([]);
    expect(trace(ack(A, 1))).toEqual(['delivery 1 acked 1/0']);
  });

  test('who joins after the message was sent is not expected to acknowledge it', () => {
    const { publish, sender, env, ack } = senderWith([A]);
    publish('x');
    sender.addEndpoints([B], env);
    expect(trace(ack(A, 1))).toEqual(['delivery 1 acked 1/0']);
    expect(trace(publish('y'))).toEqual(['msg > chat #2 all "y"', 'delivery 2 sent 0/2']);
  });

  test('the only member is removed before it acknowledged: nobody has it, so it failed', () => {
    const { publish, sender, env } = senderWith([A]);
    publish('x');
    expect(trace(sender.removeEndpoint(A, env))).toEqual(['delivery 1 failed 0/1 not-acked']);
    expect(sender.removeEndpoint(A, env)).toEqual([]);
  });

  test('a member that is removed while others are missing too is only taken off the list', () => {
    const { publish, sender, env } = senderWith([A, B, C]);
    publish('x');
    expect(trace(sender.removeEndpoint(B, env))).toEqual(['delivery 1 sent 0/2']);
  });

  test('what a report says does not change afterwards', () => {
    const { publish, ack, sender, env } = senderWith([A, B, C]);
    const effects = [...publish('x'), ...ack(B, 1), ...sender.removeEndpoint(C, env)];
    ack(A, 1);
    const reports = effects.flatMap((effect) => (effect.kind === 'delivery' ? [effect.progress] : []));
    expect(reports).toEqual([
      { messageId: 1, acked: [], missing: [A, B, C] },
      { messageId: 1, acked: [B], missing: [A, C] },
      { messageId: 1, acked: [B], missing: [A] },
    ]);
  });
});

describe('RTX', () => {
  test('an acknowledged message is still to be had, with its payload type and metadata', () => {
    const { sender, env, ack, rtx } = senderWith([A]);
    const command: SessionCommand = {
      kind: 'publish',
      payload: Uint8Array.of(1, 2),
      payloadType: 'bytes',
      metadata: { k: 'v' },
    };
    sender.onPublish(1, command, env);
    ack(A, 1);
    const [reply] = sent(rtx(A, 1));
    expect(reply).toMatchObject({
      messageType: MessageType.rtxReply,
      destination: A,
      source: M,
      messageId: 1,
      fanout: 256,
      metadata: { k: 'v' },
      content: { kind: 'app', payloadType: 'bytes', blob: Uint8Array.of(1, 2) },
    });
    expect(reply).not.toHaveProperty('error');
  });

  test('traps 14 and 15: a message that is gone is answered with error = true, never with silence or error = false', () => {
    const { publish, ack, rtx } = senderWith([A]);
    for (let id = 1; id <= 513; id += 1) {
      publish(String(id));
      ack(A, id);
    }
    expect(trace(rtx(A, 1))).toEqual(['rtxReply > a #1 error']);
    expect(sent(rtx(A, 1))[0]).toMatchObject({ error: true, fanout: 1 });
    expect(trace(rtx(A, 2))).toEqual(['rtxReply > a #2 all "2"']);
    expect(trace(rtx(A, 9999))).toEqual(['rtxReply > a #9999 error']);
  });

  test('whoever asks is answered', () => {
    const { publish, rtx } = senderWith([A]);
    publish('x');
    expect(trace(rtx(C, 1))).toEqual(['rtxReply > c #1 all "x"']);
  });
});

describe('a fast sender', () => {
  test('a window bounds what is unacknowledged; the rest waits in order', () => {
    const { publish, ack, sender } = senderWith([A]);
    for (let id = 1; id <= SEND_WINDOW; id += 1) expect(sentKinds(publish('x'))).toEqual(['msg']);
    expect(trace(publish('over'))).toEqual([`delivery ${String(SEND_WINDOW + 1)} queued 0/0`]);
    expect(sender.queued.count).toBe(1);
    expect(sentKinds(ack(A, 100))).toEqual(['msg']);
    expect(sender.queued.count).toBe(0);
  });

  test('nothing is sent that a member missing an old message could not ask for any more', () => {
    const { publish, ack } = senderWith([A]);
    publish('old');
    let id = 1;
    // Everything but number 1 is acknowledged at once, so the window never fills.
    for (;;) {
      const effects = publish('new');
      if (sentKinds(effects).length === 0) break;
      id += 1;
      ack(A, id);
    }
    expect(id).toBe(512);
    const released = ack(A, 1);
    expect(trace(released)).toEqual(['delivery 1 acked 1/0', 'msg > chat #513 all "new"', 'delivery 513 sent 0/1']);
  });

  test('a full queue refuses, and the message has no number', () => {
    const { publish, sender } = senderWith([]);
    for (let count = 0; count < SEND_QUEUE_MESSAGES; count += 1) publish('x');
    expect(trace(publish('over'))).toEqual([`delivery ${String(SEND_QUEUE_MESSAGES + 1)} failed 0/0 queue-full`]);
    expect(sender.queued.count).toBe(SEND_QUEUE_MESSAGES);
    expect(sender.lastPublishedId).toBe(0);
  });

  test('one large message may always go, the next waits until it is acknowledged', () => {
    const { sender, env, ack } = senderWith([A]);
    const large = (id: number): Effect[] =>
      sender.onPublish(
        id,
        { kind: 'publish', payload: new Uint8Array(20 * 1024 * 1024), payloadType: '', metadata: {} },
        env,
      );
    expect(sentKinds(large(1))).toEqual(['msg']);
    expect(sentKinds(large(2))).toEqual([]);
    expect(sentKinds(ack(A, 1))).toEqual(['msg']);
  });

  test('a window bounds the bytes that are unacknowledged, too', () => {
    const { sender, env, ack } = senderWith([A]);
    const payload = new Uint8Array(6 * 1024 * 1024);
    const publishes = [1, 2, 3, 4].map((id) =>
      sentKinds(sender.onPublish(id, { kind: 'publish', payload, payloadType: '', metadata: {} }, env)),
    );
    expect(publishes).toEqual([['msg'], ['msg'], [], []]);
    expect(sentKinds(ack(A, 1))).toEqual(['msg']);
    expect(sentKinds(sender.removeEndpoint(A, env))).toEqual([]);
    expect(sentKinds(sender.addEndpoints([A], env))).toEqual(['msg']);
  });

  test('a member that is removed makes room when only it was missing', () => {
    const { publish, sender, env, ack } = senderWith([A, B]);
    for (let id = 1; id <= SEND_WINDOW + 2; id += 1) publish('x');
    for (let id = 1; id <= SEND_WINDOW; id += 1) expect(sentKinds(ack(A, id))).toEqual([]);
    expect(sentKinds(sender.removeEndpoint(B, env))).toEqual(['msg', 'msg']);
  });

  test('a message that fails makes room for what waits', () => {
    const { publish, pass, sender } = senderWith([A]);
    for (let id = 1; id <= SEND_WINDOW + 3; id += 1) publish('x');
    for (let tries = 0; tries < R; tries += 1) pass(T);
    const effects = pass(T);
    expect(effects.filter((effect) => effect.kind === 'delivery' && effect.state === 'failed')).toHaveLength(
      SEND_WINDOW,
    );
    expect(sentKinds(effects)).toEqual(['msg', 'msg', 'msg']);
    expect(sender.queued.count).toBe(0);
  });
});

describe('a message that is taken back', () => {
  test('fails with `cancelled`, is never sent, and the others keep their order', () => {
    const { publish, sender, env } = senderWith([]);
    for (const text of ['x', 'y', 'z']) publish(text);
    expect(trace(sender.onCancel(2))).toEqual(['delivery 2 failed 0/0 cancelled']);
    expect(sender.queued).toEqual({ count: 2, bytes: 2 });
    expect(sender.onCancel(2)).toEqual([]);
    expect(sent(sender.addEndpoints([A], env)).map(({ messageId, content }) => [messageId, textOf(content)])).toEqual([
      [1, 'x'],
      [2, 'z'],
    ]);
  });

  test('once it was sent, or is settled, or never was: nothing happens', () => {
    const { publish, ack, sender } = senderWith([A]);
    publish('x');
    publish('y');
    ack(A, 1);
    for (const id of [1, 2, 3]) expect(sender.onCancel(id)).toEqual([]);
    expect(trace(ack(A, 2))).toEqual(['delivery 2 acked 1/0']);
  });
});

describe('a message that is sent again', () => {
  const again = (messageId: number, missing: readonly Name[], to?: Name): Publish => ({
    ...(publish('x', to) as Publish),
    again: { messageId, missing },
  });

  /** Number 1 is missing at C for good, the numbers up to `last` are acknowledged. */
  function withFailure(last = 1) {
    const rig = senderWith([A, B, C]);
    rig.publish('x');
    rig.ack(A, 1);
    rig.ack(B, 1);
    for (let tries = 0; tries <= R; tries += 1) rig.pass(T);
    for (let id = 2; id <= last; id += 1) {
      rig.publish('y');
      for (const name of [A, B, C]) rig.ack(name, id);
    }
    return rig;
  }

  test('goes by name and under its number to those who miss it, and no number is used up', () => {
    const { sender, env, ack, publish, pass } = withFailure();
    expect(trace(sender.onPublish(50, again(1, [C]), env))).toEqual(['msg > c #1 all "x"', 'delivery 50 sent 0/1']);
    expect(trace(pass(T))).toEqual(['msg > c #1 all "x"']);
    expect(ack(B, 1)).toEqual([]);
    expect(trace(ack(C, 1))).toEqual(['delivery 50 acked 1/0']);
    expect(trace(publish('y'))[0]).toBe('msg > chat #2 all "y"');
  });

  test('only to those who are members still; with none of them left it fails', () => {
    const { sender, env } = withFailure();
    expect(trace(sender.onPublish(50, again(1, [C, STRANGER]), env))).toEqual([
      'msg > c #1 all "x"',
      'delivery 50 sent 0/1',
    ]);
    expect(trace(sender.removeEndpoint(C, env))).toEqual(['delivery 50 failed 0/1 not-acked']);
    expect(trace(sender.onPublish(51, again(1, [C, STRANGER]), env))).toEqual([
      'delivery 51 failed 0/0 participant-not-found',
    ]);
    expect(trace(sender.onPublish(52, again(1, []), env))).toEqual(['delivery 52 failed 0/0 participant-not-found']);
  });

  test('while it is under way, new messages are not held up by its old number', () => {
    const { sender, env, publish, ack } = withFailure(2000);
    sender.onPublish(5000, again(1, [C]), env);
    for (let id = 2001; id <= 3000; id += 1) {
      expect(sentKinds(publish('y'))).toEqual(['msg']);
      for (const name of [A, B, C]) ack(name, id);
    }
  });

  test('it waits for the window like any other, and can be taken back meanwhile', () => {
    const { sender, env, publish, ack } = withFailure();
    for (let count = 0; count < SEND_WINDOW; count += 1) publish('y');
    expect(trace(sender.onPublish(5000, again(1, [C]), env))).toEqual(['delivery 5000 queued 0/0']);
    expect(trace(sender.onPublish(5001, again(1, [C]), env))).toEqual(['delivery 5001 queued 0/0']);
    expect(trace(sender.onCancel(5000))).toEqual(['delivery 5000 failed 0/0 cancelled']);
    for (const name of [A, B]) ack(name, 2);
    expect(trace(ack(C, 2)).slice(1)).toEqual(['msg > c #1 all "x"', 'delivery 5001 sent 0/1']);
  });

  test('twice at once, or under a number that was never used: refused', () => {
    const { sender, env } = withFailure();
    sender.onPublish(50, again(1, [C]), env);
    expect(trace(sender.onPublish(51, again(1, [C]), env))).toEqual(['delivery 51 failed 0/0 invalid-option']);
    for (const id of [2, -1, 1.5, NaN, 2 ** 32]) {
      expect(trace(sender.onPublish(52, again(id, [C]), env))).toEqual(['delivery 52 failed 0/0 invalid-option']);
    }
  });

  test('one that was for one member only keeps its mark and its number', () => {
    const { publish, pass, sender, env, ack } = senderWith([A, B]);
    const { messageId } = sent(publish('psst', A))[0]!;
    for (let tries = 0; tries <= R; tries += 1) pass(T);
    const effects = sender.onPublish(50, again(messageId, [A], A), env);
    expect(sent(effects)).toMatchObject([{ destination: A, fanout: 1, messageId, metadata: { PUBLISH_TO: 'TRUE' } }]);
    expect(trace(ack(A, messageId))).toEqual(['delivery 50 acked 1/0']);
  });

  test('asked for meanwhile, it is answered with what it is now: with MLS that is encrypted anew', () => {
    const { sender, env, rtx } = withFailure();
    sender.onPublish(50, { ...again(1, [C]), payload: new TextEncoder().encode('anew') }, env);
    expect(trace(rtx(C, 1))).toEqual(['rtxReply > c #1 all "anew"', 'delivery 50 acked 1/0']);
    expect(trace(rtx(C, 1))).toEqual(['rtxReply > c #1 all "x"']);
  });
});

describe('with MLS', () => {
  /** A sender of M whose payloads are encrypted when the test says. */
  function sealing(endpoints: readonly Name[] = [A]) {
    const config = groupConfig(M);
    const env = new TestEnv();
    const mls = new MlsOperations();
    const protection = new PayloadProtection('require', mls, { others: endpoints, isMember: () => true });
    const sender = new SessionSender(config, new MessageBuilder(config), protection);
    const asked: MlsQuestion[] = [];
    const run = (effects: readonly Effect[]): string[] => {
      asked.push(...effects.filter((effect) => effect.kind === 'mls'));
      return trace(effects.filter(({ kind }) => kind !== 'mls'));
    };
    run(sender.addEndpoints(endpoints, env));
    let commands = 0;
    return {
      env,
      sender,
      asked,
      run,
      publish: (text: string) => {
        commands += 1;
        return run(sender.onPublish(commands, publish(text) as Publish, env));
      },
      /** Answers the oldest question: the payload in brackets, or a failure. */
      answer: (fails = false): string[] => {
        const question = asked.shift();
        if (question?.request.op !== 'encrypt') throw new Error('nothing is to be encrypted');
        const bytes = new TextEncoder().encode(`[${new TextDecoder().decode(question.request.payload)}]`);
        const result: MlsResult = fails
          ? { ok: false, error: new MlsError('mls-internal', 'no') }
          : { ok: true, bytes, epoch: 1 };
        return run(mls.onResult(question.id, result, env));
      },
    };
  }

  test('one message is encrypted at a time, and all are counted until they leave', () => {
    const { sender, publish, asked, answer } = sealing();
    for (const text of ['x', 'y', 'z']) publish(text);
    expect(asked).toHaveLength(1);
    expect(sender.queued).toEqual({ count: 3, bytes: 3 });
    expect(answer()).toEqual(['msg > chat #1 all "[x]"', 'delivery 1 sent 0/1']);
    expect(asked).toHaveLength(1);
    expect(sender.queued).toEqual({ count: 2, bytes: 2 });
  });

  test('a message that is taken back while it is encrypted is not sent, and no number is missing', () => {
    const { sender, publish, run, answer } = sealing();
    publish('x');
    publish('y');
    expect(run(sender.onCancel(1))).toEqual(['delivery 1 failed 0/0 cancelled']);
    expect(run(sender.onCancel(1))).toEqual([]);
    expect(answer()).toEqual([]);
    expect(answer()).toEqual(['msg > chat #1 all "[y]"', 'delivery 2 sent 0/1']);
  });

  test('a message that cannot be encrypted fails, and the next one goes', () => {
    const { publish, answer } = sealing();
    publish('x');
    publish('y');
    expect(answer(true)).toEqual(['delivery 1 failed 0/0 mls-internal']);
    expect(answer()).toEqual(['msg > chat #1 all "[y]"', 'delivery 2 sent 0/1']);
  });

  test('the end fails also what is being encrypted', () => {
    const { sender, publish, run } = sealing();
    publish('x');
    publish('y');
    expect(run(sender.end(new SessionError('closed', 'over')))).toEqual([
      'delivery 1 failed 0/0 closed',
      'delivery 2 failed 0/0 closed',
    ]);
    expect(sender.queued).toEqual({ count: 0, bytes: 0 });
  });

  test('a message that is sent again is encrypted again, and asked for it is the new one', () => {
    const { sender, env, publish: say, run, answer } = sealing();
    say('x');
    answer();
    for (let tries = 0; tries <= R; tries += 1) {
      env.nowMs += T;
      sender.onTimer(env);
    }
    const again = { messageId: 1, missing: [A] };
    run(sender.onPublish(9, { ...(publish('anew') as Publish), again }, env));
    expect(answer()).toEqual(['msg > a #1 all "[anew]"', 'delivery 9 sent 0/1']);
    const asking = message('rtxRequest', A, { id: 1 });
    expect(trace(sender.onRtxRequest(asking, env))[0]).toBe('msg > a #1 all "[anew]"');
  });
});

describe('messages to one member (0.7.1 and later)', () => {
  test('a number above the sequence, the mark, fanout 1; only that member acknowledges', () => {
    const { publish, ack, sender } = senderWith([A, B]);
    const effects = publish('psst', A);
    const [direct] = sent(effects);
    expect(direct).toMatchObject({ destination: A, fanout: 1, metadata: { PUBLISH_TO: 'TRUE' } });
    expect(direct!.messageId).toBeGreaterThanOrEqual(2 ** 31);
    expect(direct!.messageId).toBeLessThanOrEqual(2 ** 32 - 2);
    expect(trace(effects).at(-1)).toBe('delivery 1 sent 0/1');
    expect(ack(B, direct!.messageId)).toEqual([]);
    expect(trace(ack(A, direct!.messageId))).toEqual(['delivery 1 acked 1/0']);
    expect(sender.lastPublishedId).toBe(0);
    expect(trace(publish('all'))).toEqual(['msg > chat #1 all "all"', 'delivery 2 sent 0/2']);
  });

  test('is repeated to that member with its mark, and is to be had by RTX only while it is unacknowledged', () => {
    const { publish, ack, pass, rtx } = senderWith([A, B]);
    const { messageId } = sent(publish('psst', A))[0]!;
    expect(sent(pass(T))[0]).toMatchObject({ destination: A, fanout: 1, messageId, metadata: { PUBLISH_TO: 'TRUE' } });
    ack(A, messageId);
    expect(sent(rtx(A, messageId))[0]).toMatchObject({ error: true });
  });

  test('to somebody who is no member fails at once', () => {
    const { publish } = senderWith([A]);
    const effects = publish('psst', C);
    expect(trace(effects)).toEqual(['delivery 1 failed 0/0 participant-not-found']);
    expect(effects[0]).toMatchObject({ error: expect.any(SessionError) as unknown });
  });

  test('to a member that is removed while it waits fails', () => {
    const { publish, sender, env } = senderWith([A, B]);
    for (let id = 1; id <= SEND_WINDOW; id += 1) publish('x');
    expect(trace(publish('psst', B))).toEqual([`delivery ${String(SEND_WINDOW + 1)} queued 0/0`]);
    sender.removeEndpoint(B, env);
    for (let id = 1; id <= SEND_WINDOW; id += 1) {
      const effects = sender.onMsgAck(message('msgAck', A, { id }), env);
      if (id === 1) {
        expect(trace(effects)).toEqual([
          'delivery 1 acked 1/0',
          `delivery ${String(SEND_WINDOW + 1)} failed 0/0 participant-not-found`,
        ]);
      }
    }
  });
});

describe('the link', () => {
  test('while it is down nothing is sent, repeated, or given up', () => {
    const { publish, pass, sender, env } = senderWith([A]);
    publish('x');
    sender.onLinkDown();
    expect(sender.dueInMs(env.nowMs)).toBeUndefined();
    expect(trace(publish('y'))).toEqual(['delivery 2 queued 0/0']);
    expect(pass(100 * T)).toEqual([]);
    expect(trace(sender.onLinkUp(env))).toEqual(['msg > chat #2 all "y"', 'delivery 2 sent 0/1']);
    expect(trace(pass(T))).toEqual(['msg > a #1 all "x"', 'msg > a #2 all "y"']);
  });

  test('when it is up again every message has all its tries again', () => {
    const { publish, pass, sender, env } = senderWith([A]);
    publish('x');
    for (let tries = 0; tries < R; tries += 1) pass(T);
    sender.onLinkDown();
    sender.onLinkUp(env);
    for (let tries = 0; tries < R; tries += 1) expect(sentKinds(pass(T))).toEqual(['msg']);
    expect(trace(pass(T))).toEqual(['delivery 1 failed 0/1 not-acked']);
  });
});

describe('the end, and other kinds of sessions', () => {
  test('everything that is not acknowledged fails with the reason of the end, queued messages too', () => {
    const { publish, sender, ack } = senderWith([A]);
    for (let id = 1; id <= SEND_WINDOW + 1; id += 1) publish('x');
    ack(A, 1);
    const effects = sender.end(new SessionError('removed', 'removed'));
    expect(effects).toHaveLength(SEND_WINDOW);
    expect(new Set(trace(effects).map((line) => line.split(' ').slice(2).join(' ')))).toEqual(
      new Set(['failed 0/1 removed']),
    );
    expect(sender.end(new SessionError('closed', 'closed'))).toEqual([]);
  });

  test('trap 12: a later session of the same name goes on with its numbers', () => {
    const { publish } = senderWith([A], groupConfig(M, { resumeAfter: 41 }));
    expect(trace(publish('x'))[0]).toBe('msg > chat #42 all "x"');
  });

  test('point-to-point: to the peer, fanout 1', () => {
    const { sender, publish, env, pass } = senderWith([], callConfig(M));
    publish('x');
    sender.setDestination(A);
    expect(trace(sender.addEndpoints([A], env))).toEqual(['msg > a #1 "x"', 'delivery 1 sent 0/1']);
    expect(trace(pass(T))).toEqual(['msg > a #1 "x"']);
  });

  test('best effort: sent once, done at once', () => {
    const { publish, sender, env } = senderWith([A], callConfig(M, { isReliable: false }));
    expect(trace(publish('x')).at(-1)).toMatch(/^delivery 1 acked/);
    expect(sender.dueInMs(env.nowMs)).toBeUndefined();
  });
});

describe('any course of events', () => {
  const member = fc.constantFrom(A, B, C);
  const id = fc.integer({ min: 1, max: 12 });
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), to: fc.option(member, { freq: 4 }) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('ack' as const), member, id }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('rtx' as const), member, id }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('add' as const), member }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), member }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 2 * T }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('linkDown' as const, 'linkUp' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), id }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), id, member }) },
  );

  test('each message is settled once, acknowledged and missing never overlap, and numbers have no gap', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { sender, env, publish, ack, rtx, pass } = senderWith([A]);
        const settled = new Map<number, string>();
        const numbers: number[] = [];
        let published = 0;
        const check = (effects: readonly Effect[]): void => {
          for (const { messageType, destination, messageId } of sent(effects)) {
            const isFirst = messageType === MessageType.msg && destination.equals(groupConfig(M).channel);
            if (isFirst) numbers.push(messageId);
          }
          for (const effect of effects) {
            if (effect.kind !== 'delivery') continue;
            expect(settled.get(effect.id), `message ${String(effect.id)} changes after its end`).toBeUndefined();
            const { acked, missing } = effect.progress;
            const both = [...acked, ...missing].map((name) => name.key);
            expect(new Set(both).size).toBe(both.length);
            if (effect.state === 'acked') expect(missing).toEqual([]);
            if (effect.state === 'acked' || effect.state === 'failed') settled.set(effect.id, effect.state);
          }
        };
        for (const step of steps) {
          if (step.kind === 'publish') {
            published += 1;
            check(publish(`m${String(published)}`, step.to ?? undefined));
          } else if (step.kind === 'ack') check(ack(step.member, step.id));
          else if (step.kind === 'rtx') check(rtx(step.member, step.id));
          else if (step.kind === 'add') check(sender.addEndpoints([step.member], env));
          else if (step.kind === 'remove') check(sender.removeEndpoint(step.member, env));
          else if (step.kind === 'pass') check(pass(step.ms));
          else if (step.kind === 'cancel') check(sender.onCancel(step.id));
          else if (step.kind === 'again') {
            published += 1;
            check(publish('again', undefined, { messageId: step.id, missing: [step.member] }));
          } else if (step.kind === 'linkUp') check(sender.onLinkUp(env));
          else sender.onLinkDown();
        }
        check(sender.end(new SessionError('closed', 'over')));
        expect(settled.size).toBe(published);
        expect(numbers).toEqual(numbers.map((_, index) => index + 1));
        expect(sender.lastPublishedId).toBe(numbers.length);
      }),
    );
  });
});
