import { onTestFinished } from 'vitest';

import type { Session, SlimApp } from '../../src/client/index.js';
import type { Name } from '../../src/name/index.js';
import { SessionError } from '../../src/util/index.js';
import { MessageType } from '../../src/wire/index.js';
import { CHANNEL, connect, MemoryNode, pass, settle, within } from '../client/support.js';
import { ALICE, BOB, FakeSession } from './fake-session.js';
import {
  MAX_RETRIES,
  type MakeSession,
  sessionPortSuite,
  type SessionSetup,
  TIMEOUT_MS,
} from './session-port-suite.js';

/** Longer than any way to give up. */
const ALL_TRIES_MS = TIMEOUT_MS * (MAX_RETRIES + 1);

sessionPortSuite('Session, over a node in memory', async (role) => {
  const node = new MemoryNode();
  const alice = await connect(node, 'agntcy/ns/alice', role === 'moderator' ? { messageDelivery: 'events' } : {});
  const aliceSession = await alice.app.createSession({
    channel: CHANNEL,
    timeoutMs: TIMEOUT_MS,
    maxRetries: MAX_RETRIES,
  });
  if (role === 'moderator') return realSetup(node, alice, aliceSession, new Map());
  const bob = await connect(node, 'agntcy/ns/bob', { messageDelivery: 'events' });
  const joined = bob.app.listenForSession();
  await within(1000, aliceSession.invite('agntcy/ns/bob'));
  const others = new Map([[alice.app.name.key, { app: alice.app, session: aliceSession }]]);
  return realSetup(node, bob, await within(1000, joined), others);
});

sessionPortSuite('the fake in its place', (role) => Promise.resolve(fakeSetup(role)));

interface Other {
  readonly app: SlimApp;
  readonly session: Session;
}

function realSetup(
  node: MemoryNode,
  { app, stream }: Awaited<ReturnType<typeof connect>>,
  session: Session,
  others: Map<string, Other>,
): SessionSetup {
  /** Who gets own messages now. */
  let hearer: Name | undefined;
  node.drops = ({ session: { messageType }, header: { source, destination } }) =>
    messageType === MessageType.msg && source.equals(app.name) && hearer?.equals(destination) !== true;
  const other = (name: Name): Other => {
    const found = others.get(name.key);
    if (found === undefined) throw new Error(`${String(name)} is no member`);
    return found;
  };
  return {
    session,
    joins: async (name) => {
      const member = await connect(node, name.toString());
      // Whoever invites it may have to ask again.
      const joined = await within(2 * TIMEOUT_MS, member.app.listenForSession());
      others.set(member.app.name.key, { app: member.app, session: joined });
      await settle();
      return member.app.name;
    },
    leaves: async (member) => {
      const { app: leaver, session: left } = other(member);
      await within(TIMEOUT_MS, leaver.deleteSession(left));
    },
    obeys: settle,
    acknowledges: async (member) => {
      hearer = member;
      await pass(TIMEOUT_MS);
      hearer = undefined;
    },
    timesOut: () => pass(ALL_TRIES_MS),
    says: async (member, text) => {
      other(member).session.publish(text);
      await settle();
    },
    cutLink: async () => {
      node.refusal = new Error('not now');
      stream.connection.cut();
      await settle();
    },
    mendLink: async () => {
      const isUp = new Promise<void>((resolve) => {
        onTestFinished(
          app.onEvent((event) => {
            if (event.kind === 'connection' && event.state.kind === 'up') resolve();
          }),
        );
      });
      node.refusal = undefined;
      await within(20_000, isUp);
    },
    ends: async (reason) => {
      const moderator = others.get(session.moderator.key);
      if (moderator === undefined || reason === 'left') await within(10_000, app.deleteSession(session));
      else if (reason === 'removed') await within(10_000, moderator.session.remove(app.name));
      else await within(10_000, moderator.app.deleteSession(moderator.session));
    },
  };
}

function fakeSetup(role: Parameters<MakeSession>[0]): SessionSetup {
  const [local, members] = role === 'moderator' ? [ALICE, [ALICE]] : [BOB, [ALICE, BOB]];
  const session = new FakeSession(7, local, members, { timeoutMs: TIMEOUT_MS, maxRetries: MAX_RETRIES });
  let lastId = 0;
  return {
    session,
    joins: async (name) => {
      lastId += 1;
      const member = name.withId(BigInt(lastId));
      session.join(member);
      await settle();
      return member;
    },
    leaves: (member) =>
      done(() => {
        session.leave(member, 'left');
      }),
    obeys: (member) =>
      done(() => {
        session.leave(member, 'removed');
      }),
    acknowledges: (member) =>
      done(() => {
        session.ack(member);
      }),
    timesOut: (name) =>
      done(() => {
        session.refuse(name, new SessionError('invite-timeout', 'nobody has answered'));
        session.giveUp();
      }),
    says: (member, text) =>
      done(() => {
        session.say(member, text);
      }),
    cutLink: () =>
      done(() => {
        session.block();
      }),
    mendLink: () =>
      done(() => {
        session.unblock();
      }),
    ends: (reason) =>
      done(() => {
        session.end(reason);
      }),
  };
}

async function done(act: () => void): Promise<void> {
  act();
  await settle();
}
