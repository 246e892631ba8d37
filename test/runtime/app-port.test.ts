import { Name } from '../../src/name/index.js';
import { connect, MemoryNode, pass, settle, within } from '../client/support.js';
import { appPortSuite } from './app-port-suite.js';
import { ALICE, BOB, CAROL, CHANNEL, FakeApp, FakeInvitation, FakeSession } from './fake-app.js';
import { MAX_RETRIES, TIMEOUT_MS } from './session-port-suite.js';

appPortSuite('SlimApp, over a node in memory', async (handlers) => {
  const node = new MemoryNode();
  const { app } = await connect(node, 'agntcy/ns/bob', { messageDelivery: 'events', ...handlers });
  return {
    app,
    isInvited: async () => {
      const alice = await connect(node, 'agntcy/ns/alice');
      const group = { channel: CHANNEL, timeoutMs: TIMEOUT_MS, maxRetries: MAX_RETRIES };
      const session = await alice.app.createSession(group);
      session.invite('agntcy/ns/bob').catch(() => undefined);
      await settle();
    },
    inviterGivesUp: () => pass(TIMEOUT_MS * (MAX_RETRIES + 1)),
    joinsAndFallsSilent: async (session) => {
      const { stream } = await connect(node, 'agntcy/ns/carol');
      await within(TIMEOUT_MS, session.invite(Name.parse('agntcy/ns/carol')));
      stream.isDeaf = true;
    },
  };
});

appPortSuite('the fake in its place', async (handlers) => {
  const fake = new FakeApp(BOB);
  const app = await fake.connect(handlers);
  const invitation = new FakeInvitation(9, ALICE, CHANNEL);
  return {
    app,
    isInvited: async () => {
      void fake.invite(invitation);
      await settle();
    },
    inviterGivesUp: async () => {
      invitation.lapse();
      await settle();
    },
    joinsAndFallsSilent: async (session) => {
      if (!(session instanceof FakeSession)) throw new TypeError('not a session of this app');
      session.join(CAROL);
      fake.peersAnswer = false;
      await settle();
    },
  };
});
