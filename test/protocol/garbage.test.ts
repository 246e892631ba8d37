import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { NULL_ID } from '../../src/name/index.js';
import {
  type Effect,
  type Input,
  routeInbound,
  type SessionCommand,
  type SessionMachine,
  SessionModerator,
  SessionParticipant,
  type TimerKey,
} from '../../src/protocol/index.js';
import { type Content, MessageType, type PublishMessage, SessionType } from '../../src/wire/index.js';
import { contents, name as anyName } from '../wire/arbitraries.js';
import { checkOutbound } from './simulated-network.js';
import { A, B, C, CHANNEL, callConfig, groupConfig, M, SESSION_ID, TestEnv, trace } from './support.js';

const RUNS = Number(process.env['FC_RUNS'] ?? 200);

const known = fc.constantFrom(M, A, B, C, CHANNEL, A.withoutId(), M.withId(9n), B.withId(NULL_ID), C.withId(0n));
const someName = fc.oneof({ weight: 9, arbitrary: known }, { weight: 1, arbitrary: anyName });
/** Also the ids of requests: the random numbers of these tests count up from 1000. */
const someId = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1000, max: 1012 }) },
  { weight: 3, arbitrary: fc.nat({ max: 6 }) },
  { weight: 1, arbitrary: fc.constantFrom(511, 512, 513, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1) },
  { weight: 1, arbitrary: fc.nat({ max: 0xffff_ffff }) },
);

/** Contents whose names are mostly those that matter. */
const groupContent: fc.Arbitrary<Content> = fc.oneof(
  fc.record({ kind: fc.constant('groupAdd' as const), newParticipant: someName, participants: fc.array(someName) }),
  fc.record({
    kind: fc.constant('groupRemove' as const),
    removedParticipant: someName,
    participants: fc.array(someName),
  }),
  fc.record({ kind: fc.constant('groupWelcome' as const), participants: fc.array(someName) }),
  fc.record({ kind: fc.constant('groupClose' as const), participants: fc.array(someName) }),
);
const anyContent = fc.oneof(groupContent, ...Object.values(contents));

const TYPES_OF_CONTENT: { readonly [K in Content['kind']]: readonly number[] } = {
  app: [MessageType.msg, MessageType.msgAck, MessageType.rtxRequest, MessageType.rtxReply],
  discoveryRequest: [MessageType.discoveryRequest],
  discoveryReply: [MessageType.discoveryReply],
  joinRequest: [MessageType.joinRequest],
  joinReply: [MessageType.joinReply],
  leaveRequest: [MessageType.leaveRequest],
  leaveReply: [MessageType.leaveReply],
  groupAdd: [MessageType.groupAdd],
  groupRemove: [MessageType.groupRemove],
  groupWelcome: [MessageType.groupWelcome],
  groupClose: [MessageType.groupClose],
  groupProposal: [MessageType.groupProposal],
  groupAck: [MessageType.groupAck],
  groupNack: [MessageType.groupNack],
  ping: [MessageType.ping],
  unknown: [MessageType.unspecified, 19],
};

const RESERVED = ['IS_MODERATOR', 'DELETE_GROUP', 'PUBLISH_TO', 'DISCONNECTION_DETECTED', 'LEAVING_SESSION'];
const metadata = fc.oneof(
  { weight: 5, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.dictionary(fc.constantFrom(...RESERVED, '__proto__', 'k'), fc.constantFrom('TRUE', 'no', '')),
  },
);

/** Mostly messages whose type and content belong together. */
const anyMessage: fc.Arbitrary<PublishMessage> = anyContent.chain((content) =>
  fc.record({
    kind: fc.constant('publish' as const),
    header: fc.record(
      {
        source: someName,
        destination: someName,
        fanout: fc.constantFrom(0, 1, 256, 0xffff_ffff),
        identity: fc.constant('token'),
        error: fc.boolean(),
      },
      { requiredKeys: ['source', 'destination', 'fanout', 'identity'] },
    ),
    session: fc.record({
      sessionType: fc.constantFrom(SessionType.multicast, SessionType.pointToPoint, 0, 77),
      messageType: fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(...TYPES_OF_CONTENT[content.kind]) },
        { weight: 1, arbitrary: fc.integer({ min: -1, max: 25 }) },
      ),
      sessionId: fc.constantFrom(SESSION_ID, 0, 0xffff_ffff),
      messageId: someId,
    }),
    content: fc.constant(content),
    metadata,
  }),
);

const TIMERS: readonly TimerKey[] = ['acks', 'rtx', 'starts', 'control', 'ping', 'ask', 'liveness', 'limbo'];
const command: fc.Arbitrary<SessionCommand> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('invite' as const, 'remove' as const), name: someName }) },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        kind: fc.constant('publish' as const),
        payload: fc.uint8Array({ maxLength: 4 }),
        payloadType: fc.constant('msg'),
        metadata: fc.constant({}),
        to: someName,
      },
      { requiredKeys: ['kind', 'payload', 'payloadType', 'metadata'] },
    ),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'close' as const }) },
);

interface Moment {
  /** Time since the one before. */
  readonly afterMs: number;
  readonly isReceiveQueueFull: boolean;
  readonly input: Input;
}

const moment: fc.Arbitrary<Moment> = fc.record({
  afterMs: fc.oneof(fc.constant(0), fc.nat({ max: 2000 })),
  isReceiveQueueFull: fc.oneof(
    { weight: 5, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  input: fc.oneof(
    { weight: 10, arbitrary: anyMessage.map((message): Input => ({ kind: 'message', message, subject: 'subject' })) },
    { weight: 3, arbitrary: fc.constantFrom(...TIMERS).map((timer): Input => ({ kind: 'timer', timer })) },
    { weight: 3, arbitrary: command.map((command): Input => ({ kind: 'command', id: 0, command })) },
    { weight: 1, arbitrary: fc.constantFrom<Input>({ kind: 'linkDown' }, { kind: 'linkUp' }) },
  ),
});

/** Runs inputs through a machine and checks what no input may make it do. */
function run(machine: SessionMachine, moments: readonly Moment[]): void {
  const env = new TestEnv();
  const open = new Set<number>();
  let commands = 0;
  let hasEnded = false;
  const check = (effects: readonly Effect[]): void => {
    for (const effect of effects) {
      const isAnswer = effect.kind === 'settle' || effect.kind === 'delivery';
      if (hasEnded && !isAnswer) throw new Error(`after the end: ${trace([effect]).join()}`);
      if (effect.kind === 'send') checkOutbound(effect.message);
      if (effect.kind === 'setTimer') expect(effect.afterMs >= 1 && effect.afterMs < 2 ** 31).toBe(true);
      const settles = effect.kind === 'settle' || (effect.kind === 'delivery' && /acked|failed/.test(effect.state));
      if (settles && !open.delete(effect.id)) throw new Error(`settled twice: ${trace([effect]).join()}`);
      if (effect.kind === 'end') hasEnded = true;
    }
  };
  const post = (input: Input): void => {
    if (input.kind === 'command') {
      commands += 1;
      open.add(commands);
      check(machine.handle({ ...input, id: commands }, env));
    } else {
      check(machine.handle(input, env));
    }
  };
  for (const { afterMs, isReceiveQueueFull, input } of moments) {
    env.nowMs += afterMs;
    env.isReceiveQueueFull = isReceiveQueueFull;
    post(input);
  }
  post({ kind: 'command', id: 0, command: { kind: 'abandon' } });
  expect(hasEnded).toBe(true);
  expect([...open]).toEqual([]);
}

/** What a session of A begins with: it is invited and welcomed. */
const WELCOMED: readonly Moment[] = [
  { kind: 'joinRequest', enableMls: false } as const,
  { kind: 'groupWelcome', participants: [M, A, B, C] } as const,
].map((content, index) => ({
  afterMs: 0,
  isReceiveQueueFull: false,
  input: {
    kind: 'message',
    subject: 'subject',
    message: {
      kind: 'publish',
      header: { source: M, destination: A, fanout: 1, identity: 'token' },
      session: {
        sessionType: SessionType.multicast,
        messageType: TYPES_OF_CONTENT[content.kind][0]!,
        sessionId: SESSION_ID,
        messageId: 90 + index,
      },
      content,
      metadata: {},
    },
  },
}));

describe('whatever comes, in whatever order', () => {
  test.each([
    ['a moderator', () => new SessionModerator(groupConfig(M)), []],
    ['a moderator with R = 0', () => new SessionModerator(groupConfig(M, { maxRetries: 0 })), []],
    ['a participant', () => new SessionParticipant(groupConfig(A)), []],
    ['a participant that is in a group', () => new SessionParticipant(groupConfig(A)), WELCOMED],
    ['a caller', () => new SessionModerator(callConfig(M)), []],
    ['a callee', () => new SessionParticipant(callConfig(A)), []],
    ['a callee without timer settings', () => new SessionParticipant(callConfig(A, { isReliable: false })), []],
  ])('%s does not throw, settles each command once, and is silent after its end', (_, make, begin) => {
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 60 }), (moments) => {
        run(make(), [...begin, ...moments]);
      }),
      { numRuns: RUNS },
    );
  });

  test('the way in neither throws nor answers what is no request', () => {
    fc.assert(
      fc.property(anyMessage, fc.boolean(), (message, hasSession) => {
        const route = routeInbound(message, A, () => hasSession);
        if (route.kind !== 'reply') return;
        expect(message.session.messageType).toBe(MessageType.discoveryRequest);
        checkOutbound(route.message);
      }),
      { numRuns: 5 * RUNS },
    );
  });
});
