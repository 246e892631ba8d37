import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { SharedSecret } from '../../src/auth/index.js';
import { type AppEvent, ConnectionError, type Invitation, Name, type SlimAppOptions } from '../../src/client/index.js';
import { MessageType, type PublishMessage, SessionType } from '../../src/wire/index.js';
import {
  CHANNEL,
  connect,
  MemoryNode,
  type NodeStream,
  outcomeOf,
  pass,
  SECRET,
  settle,
  watchRejections,
  within,
} from './support.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MALLORY = new SharedSecret({ secret: SECRET, identity: 'agntcy/ns/mallory' });

/** What an app was asked, and the answer it gives when the test says so. */
class Person {
  readonly asked: { readonly invitation: Invitation; readonly answer: (accepts: boolean) => void }[] = [];

  readonly accept = (invitation: Invitation): Promise<boolean> =>
    new Promise((resolve) => {
      this.asked.push({ invitation, answer: resolve });
    });

  /** Answers the newest question. */
  async says(accepts: boolean): Promise<void> {
    this.asked.at(-1)?.answer(accepts);
    await settle();
  }
}

async function asking(node: MemoryNode, options: Partial<SlimAppOptions> = {}) {
  const person = new Person();
  const bob = await connect(node, 'agntcy/ns/bob', { acceptInvitation: person.accept, ...options });
  return { person, bob };
}

/** A join request of a moderator that no app of this package is. T is 100 ms and R is 2, so it is over after 300 ms. */
function joinRequest(
  to: Name,
  messageId: number,
  options: {
    readonly sessionId?: number;
    readonly channel?: string;
    readonly subject?: SharedSecret;
    readonly maxRetries?: number;
    readonly takesBack?: boolean;
  } = {},
): PublishMessage {
  const { sessionId = 4711, channel = CHANNEL, subject = MALLORY, maxRetries = 2, takesBack = false } = options;
  const source = Name.of('agntcy', 'ns', 'mallory', 66n);
  const timerSettings = { timeoutMs: 100, maxRetries };
  return {
    kind: 'publish',
    header: { source, destination: to, fanout: 1, identity: subject.mint(Date.now()) },
    session: {
      sessionType: SessionType.multicast,
      messageType: takesBack ? MessageType.leaveRequest : MessageType.joinRequest,
      sessionId,
      messageId,
    },
    content: takesBack
      ? { kind: 'leaveRequest' }
      : { kind: 'joinRequest', enableMls: false, timerSettings, channel: Name.parse(channel) },
    metadata: {},
  };
}

function replies(stream: NodeStream): number[] {
  return stream.messages('joinReply').map(({ session }) => session.messageId);
}

function warnings(events: readonly AppEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'warning' ? [`${event.code}: ${event.text}`] : []));
}

describe('an app that is asked before it joins', () => {
  test('says nothing and has no session until the answer is yes', async () => {
    const node = new MemoryNode();
    const alice = await connect(node, 'agntcy/ns/alice');
    const { person, bob } = await asking(node);
    const session = await alice.app.createSession({
      channel: CHANNEL,
      timeoutMs: 700,
      maxRetries: 3,
      metadata: { topic: 'x' },
    });
    const invited = outcomeOf(session.invite('agntcy/ns/bob'));
    await pass(1500);
    expect(bob.stream.trace).toEqual(['subscribe agntcy/ns/bob', 'discoveryReply']);
    expect(bob.app.sessions).toEqual([]);
    expect(person.asked).toHaveLength(1);
    const { lapsed, ...rest } = person.asked[0]!.invitation;
    expect(rest).toEqual({
      sessionId: session.id,
      type: 'group',
      from: alice.app.name,
      channel: Name.parse(CHANNEL),
      mls: false,
      metadata: { topic: 'x' },
      timeoutMs: 700,
      maxRetries: 3,
      identity: expect.stringMatching(/^agntcy\/ns\/alice\/[0-9a-f]+_/) as string,
    });
    await person.says(true);
    await pass(1000);
    expect(invited).toMatchObject({ isSettled: true, value: bob.app.name });
    expect(bob.app.sessions).toHaveLength(1);
    await pass(10_000);
    expect(lapsed.aborted).toBe(false);
    await within(1000, Promise.resolve(session.publish('hello')));
    expect((await within(1000, bob.app.sessions[0]!.getMessage())).text).toBe('hello');
  });

  test('that says yes at once joins as quickly as one that is not asked', async () => {
    const node = new MemoryNode();
    const alice = await connect(node, 'agntcy/ns/alice');
    const bob = await connect(node, 'agntcy/ns/bob', { acceptInvitation: () => true });
    const session = await alice.app.createSession({ channel: CHANNEL });
    await within(100, session.invite('agntcy/ns/bob'));
    expect(bob.app.sessions).toHaveLength(1);
  });

  test('that says no costs the inviter what a silent app costs', async () => {
    const node = new MemoryNode();
    const alice = await connect(node, 'agntcy/ns/alice');
    const { person, bob } = await asking(node);
    const session = await alice.app.createSession({ channel: CHANNEL, timeoutMs: 100, maxRetries: 2 });
    const invited = outcomeOf(session.invite('agntcy/ns/bob'));
    await settle();
    await person.says(false);
    await pass(299);
    expect(invited.isSettled).toBe(false);
    await pass(2);
    expect(invited.error).toMatchObject({ code: 'invite-timeout' });
    expect(replies(bob.stream)).toEqual([]);
    expect(person.asked).toHaveLength(1);
  });

  test('is called in a point-to-point session as it is invited to a group', async () => {
    const node = new MemoryNode();
    const alice = await connect(node, 'agntcy/ns/alice');
    const { person, bob } = await asking(node);
    const call = outcomeOf(alice.app.createSession({ channel: 'agntcy/ns/bob', type: 'pointToPoint' }));
    await pass(2500);
    expect(person.asked.map(({ invitation }) => invitation.type)).toEqual(['pointToPoint']);
    expect(call.isSettled).toBe(false);
    await person.says(true);
    await pass(1000);
    expect(call.isSettled).toBe(true);
    expect(bob.app.sessions.map(({ type }) => type)).toEqual(['pointToPoint']);
  });
});

test('an invitation that is accepted while the node is out of reach is answered when it is back', async () => {
  const node = new MemoryNode();
  const alice = await connect(node, 'agntcy/ns/alice');
  const { person, bob } = await asking(node);
  const session = await alice.app.createSession({ channel: CHANNEL });
  const invited = outcomeOf(session.invite('agntcy/ns/bob'));
  await settle();
  node.refusal = new ConnectionError('refused', 'nobody listens');
  bob.stream.connection.cut();
  await settle();
  await person.says(true);
  await pass(2000);
  expect(invited.isSettled).toBe(false);
  node.refusal = undefined;
  await pass(5000);
  expect(invited).toMatchObject({ isSettled: true, value: bob.app.name });
  await within(2000, Promise.resolve(session.publish('hello')));
  expect((await within(1000, bob.app.sessions[0]!.getMessage())).text).toBe('hello');
});

describe('repetitions of an invitation', () => {
  test('are not asked about, and the newest of them is answered', async () => {
    const node = new MemoryNode();
    const { person, bob } = await asking(node);
    for (const messageId of [1, 1, 7, 7]) {
      node.send(bob.stream, joinRequest(bob.app.name, messageId));
      await pass(50);
    }
    expect(person.asked).toHaveLength(1);
    await person.says(true);
    expect(replies(bob.stream)).toEqual([7]);
  });

  test('are ignored after a no, and a new attempt after the inviter has given up is asked about again', async () => {
    const node = new MemoryNode();
    const { person, bob } = await asking(node);
    const send = (messageId: number) => {
      node.send(bob.stream, joinRequest(bob.app.name, messageId));
    };
    send(1);
    await settle();
    await person.says(false);
    send(1);
    send(2);
    await pass(299);
    send(2);
    await settle();
    expect(person.asked).toHaveLength(1);
    await pass(2);
    send(1);
    await settle();
    expect(person.asked).toHaveLength(1);
    send(3);
    await settle();
    expect(person.asked).toHaveLength(2);
    await person.says(true);
    expect(replies(bob.stream)).toEqual([3]);
  });

  test('that say something else than what was asked about are not what is answered', async () => {
    const node = new MemoryNode();
    const { person, bob } = await asking(node);
    node.send(bob.stream, joinRequest(bob.app.name, 1));
    for (const messageId of [2, 3]) {
      node.send(bob.stream, joinRequest(bob.app.name, messageId, { channel: 'agntcy/ns/elsewhere' }));
    }
    const other = new SharedSecret({ secret: SECRET, identity: 'agntcy/ns/eve' });
    node.send(bob.stream, joinRequest(bob.app.name, 4, { subject: other }));
    await settle();
    expect(person.asked).toHaveLength(1);
    await person.says(true);
    expect(replies(bob.stream)).toEqual([1]);
    expect(warnings(bob.events)).toEqual([
      expect.stringMatching(/^protocol-violation: agntcy\/ns\/mallory.* changed /),
    ]);
  });

  test('of one that was accepted do not ask again when its session is over', async () => {
    const node = new MemoryNode();
    const { person, bob } = await asking(node);
    node.send(bob.stream, joinRequest(bob.app.name, 1));
    await settle();
    await person.says(true);
    // No welcome comes, so it ends.
    await pass(60_000);
    node.send(bob.stream, joinRequest(bob.app.name, 1));
    await settle();
    expect(person.asked).toHaveLength(1);
    node.send(bob.stream, joinRequest(bob.app.name, 2));
    await settle();
    expect(person.asked).toHaveLength(2);
  });
});

describe('an invitation lapses', () => {
  test('when its inviter has given up; a yes after that joins nothing, and a new attempt is asked about', async () => {
    const node = new MemoryNode();
    const { person, bob } = await asking(node);
    node.send(bob.stream, joinRequest(bob.app.name, 1));
    await pass(299);
    expect(person.asked[0]?.invitation.lapsed.aborted).toBe(false);
    await pass(2);
    expect(person.asked[0]?.invitation.lapsed.reason).toMatchObject({ code: 'timeout' });
    await person.says(true);
    expect(replies(bob.stream)).toEqual([]);
    expect(bob.app.sessions).toEqual([]);
    node.send(bob.stream, joinRequest(bob.app.name, 2));
    await settle();
    await person.says(true);
    expect(replies(bob.stream)).toEqual([2]);
  });

  test('later, when the inviter begins anew while it waits', async () => {
    const node = new MemoryNode();
    const { person, bob } = await asking(node);
    node.send(bob.stream, joinRequest(bob.app.name, 1));
    await pass(200);
    node.send(bob.stream, joinRequest(bob.app.name, 2));
    await pass(299);
    expect(person.asked[0]?.invitation.lapsed.aborted).toBe(false);
    await pass(2);
    expect(person.asked[0]?.invitation.lapsed.aborted).toBe(true);
  });

  test('when the inviter takes it back; others cannot', async () => {
    const node = new MemoryNode();
    const { person, bob } = await asking(node);
    node.send(bob.stream, joinRequest(bob.app.name, 1));
    const leave = joinRequest(bob.app.name, 2, { takesBack: true });
    node.send(bob.stream, { ...leave, header: { ...leave.header, source: Name.of('agntcy', 'ns', 'eve', 67n) } });
    await settle();
    expect(person.asked[0]?.invitation.lapsed.aborted).toBe(false);
    node.send(bob.stream, leave);
    await settle();
    expect(person.asked[0]?.invitation.lapsed.reason).toMatchObject({ code: 'removed' });
    await person.says(true);
    expect(bob.stream.trace).toEqual(['subscribe agntcy/ns/bob']);
  });

  test('when the app closes; no timer is left', async () => {
    const node = new MemoryNode();
    const { person, bob } = await asking(node);
    node.send(bob.stream, joinRequest(bob.app.name, 1));
    await settle();
    await within(1000, bob.app.close());
    expect(person.asked[0]?.invitation.lapsed.reason).toMatchObject({ code: 'closed' });
    await person.says(true);
    expect(replies(bob.stream)).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('not at once when it would take more milliseconds than a timer of Node can count', async () => {
    const node = new MemoryNode();
    const { person, bob } = await asking(node);
    node.send(bob.stream, joinRequest(bob.app.name, 1, { maxRetries: 2 ** 32 - 1 }));
    await pass(60_000);
    expect(person.asked[0]?.invitation.lapsed.aborted).toBe(false);
  });
});

describe('two moderators at once', () => {
  test.each([
    ['first', [0, 1]],
    ['second', [1, 0]],
  ])('are two questions, and the %s may be answered before the other', async (_, order) => {
    const node = new MemoryNode();
    const { person, bob } = await asking(node);
    const moderators = [await connect(node, 'agntcy/ns/alice'), await connect(node, 'agntcy/ns/carol')];
    const invited = [];
    for (const [index, { app }] of moderators.entries()) {
      const session = await app.createSession({ channel: `agntcy/ns/chat-${String(index)}` });
      invited.push(outcomeOf(session.invite('agntcy/ns/bob')));
    }
    await pass(500);
    expect(person.asked.map(({ invitation }) => invitation.from)).toEqual(moderators.map(({ app }) => app.name));
    for (const [count, index] of order.entries()) {
      person.asked[index]?.answer(true);
      await pass(1000);
      expect(invited.filter(({ isSettled }) => isSettled)).toHaveLength(count + 1);
      expect(invited[index]?.isSettled).toBe(true);
    }
    expect(bob.app.sessions.map(({ channel }) => channel.app)).toEqual(order.map((index) => `chat-${String(index)}`));
  });

  test('with one session id: the first that is accepted has it', async () => {
    const node = new MemoryNode();
    const { person, bob } = await asking(node);
    const first = joinRequest(bob.app.name, 1);
    const source = Name.of('agntcy', 'ns', 'eve', 67n);
    const second = joinRequest(bob.app.name, 2);
    node.send(bob.stream, first);
    node.send(bob.stream, { ...second, header: { ...second.header, source } });
    await settle();
    expect(person.asked).toHaveLength(2);
    person.asked[1]?.answer(true);
    await settle();
    person.asked[0]?.answer(true);
    await settle();
    expect(replies(bob.stream)).toEqual([2]);
    expect(warnings(bob.events)).toEqual([expect.stringMatching(/mallory.* number of another session/)]);
  });
});

describe('bounds', () => {
  test('64 invitations may wait for an answer, more are ignored with one warning', async () => {
    const node = new MemoryNode();
    const { person, bob } = await asking(node);
    for (let sessionId = 1; sessionId <= 70; sessionId += 1) {
      node.send(bob.stream, joinRequest(bob.app.name, 1, { sessionId }));
    }
    await settle();
    expect(person.asked).toHaveLength(64);
    expect(warnings(bob.events)).toEqual([expect.stringContaining('queue-full: 64 invitations')]);
    await person.says(false);
    node.send(bob.stream, joinRequest(bob.app.name, 1, { sessionId: 71 }));
    await settle();
    expect(person.asked).toHaveLength(65);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no screen');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no screen'))],
  ])('a callback that %s is a no with a warning', async (_, acceptInvitation) => {
    const unhandled = watchRejections();
    const node = new MemoryNode();
    const bob = await connect(node, 'agntcy/ns/bob', { acceptInvitation });
    node.send(bob.stream, joinRequest(bob.app.name, 1));
    node.send(bob.stream, joinRequest(bob.app.name, 1));
    await settle();
    expect(warnings(bob.events)).toEqual([expect.stringMatching(/^accept-failed: .*mallory.*no screen/)]);
    await pass(1000);
    expect(replies(bob.stream)).toEqual([]);
    expect(unhandled).toEqual([]);
  });
});
