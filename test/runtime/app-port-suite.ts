import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { Name } from '../../src/name/index.js';
import type { AppPort, AppPortEvent, ConnectHandlers, InvitationPort, SessionPort } from '../../src/runtime/ports.js';
import { outcomeOf, pass, settle, within } from '../client/support.js';
import { MAX_RETRIES, TIMEOUT_MS } from './session-port-suite.js';

/** An app, and what happens around it. */
export interface AppSetup {
  readonly app: AppPort;
  /** Somebody invites this app, again and again until the tries are over. */
  isInvited(): Promise<void>;
  /** The tries are over. */
  inviterGivesUp(): Promise<void>;
  /** A member joins a session of this app's own, and does not answer any more. */
  joinsAndFallsSilent(session: SessionPort): Promise<void>;
}

/** Connects an app called `agntcy/ns/bob`. */
export type MakeApp = (handlers: ConnectHandlers) => Promise<AppSetup>;

const CHANNEL = Name.parse('agntcy/ns/chat');

/** What `runtime/` counts on, whatever is behind an {@link AppPort}. */
export function appPortSuite(what: string, make: MakeApp): void {
  describe(`the app that the chat is given: ${what}`, () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    async function started(decide: ConnectHandlers['acceptInvitation'] = () => true) {
      const told: string[] = [];
      const sessions: SessionPort[] = [];
      const invitations: InvitationPort[] = [];
      /** Also notes how the session ends. */
      const watch = (session: SessionPort): SessionPort => {
        session.onEvent((event) => {
          if (event.kind === 'closed') told.push(`closed ${event.reason}`);
        });
        return session;
      };
      const setup = await make({
        onEvent: (event) => {
          told.push(describeEvent(event));
          if (event.kind === 'session') sessions.push(watch(event.session));
        },
        acceptInvitation: (invitation) => {
          invitations.push(invitation);
          return decide(invitation);
        },
      });
      const news = (): string[] => told.splice(0);
      const group = async (): Promise<SessionPort> => {
        return watch(
          await setup.app.createSession({ channel: CHANNEL, timeoutMs: TIMEOUT_MS, maxRetries: MAX_RETRIES }),
        );
      };
      return { ...setup, app: setup.app, sessions, invitations, news, group };
    }

    test('tells of its connection before it is there', async () => {
      const { app, news } = await started();
      expect(news()).toEqual(['connection connecting', 'connection up']);
      expect(app.name.withoutId().toString()).toBe('agntcy/ns/bob');
      expect(app.name.hasId).toBe(true);
    });

    test('gives a group that it creates to who asked, without an event', async () => {
      const { app, news, group } = await started();
      news();
      const session = await group();
      expect(session).toMatchObject({ role: 'moderator', timeoutMs: TIMEOUT_MS, maxRetries: MAX_RETRIES });
      expect(session.channel.equals(CHANNEL)).toBe(true);
      expect(session.members).toEqual([app.name]);
      const usual = await app.createSession({ channel: CHANNEL });
      expect(usual).toMatchObject({ timeoutMs: 1000, maxRetries: 29 });
      expect(news()).toEqual([]);
    });

    test('asks about an invitation once, and has no session before the answer', async () => {
      let answer: (isAccepted: boolean) => void = () => undefined;
      const { isInvited, invitations, sessions, news } = await started(
        () =>
          new Promise((resolve) => {
            answer = resolve;
          }),
      );
      news();
      await isInvited();
      await pass(TIMEOUT_MS);
      expect([invitations.length, news()]).toEqual([1, []]);
      answer(true);
      await settle();
      expect(news()).toEqual(['session']);
      const [session] = sessions;
      const [invitation] = invitations;
      expect(session).toMatchObject({ id: invitation?.sessionId, role: 'participant', channel: invitation?.channel });
      expect(session?.moderator).toEqual(invitation?.from);
      expect(session?.members).toHaveLength(2);
    });

    test('has no session after a refusal', async () => {
      const { isInvited, news } = await started(() => false);
      news();
      await isInvited();
      expect(news()).toEqual([]);
    });

    test('says when an answer has become useless', async () => {
      const { isInvited, inviterGivesUp, invitations } = await started(() => new Promise(() => undefined));
      await isInvited();
      expect(invitations[0]?.lapsed.aborted).toBe(false);
      await inviterGivesUp();
      expect(invitations[0]?.lapsed.aborted).toBe(true);
    });

    test('tells of the end of a session before leaving it is done', async () => {
      const { app, isInvited, sessions, news, group } = await started();
      await isInvited();
      news();
      await within(TIMEOUT_MS, app.deleteSession(sessions[0]!, { timeoutMs: 5000 }));
      expect(news()).toEqual(['closed left']);
      await within(TIMEOUT_MS, app.deleteSession(await group(), { timeoutMs: 5000 }));
      expect(news()).toEqual(['closed closed']);
    });

    test('leaves a session of members who do not answer when the time for it is over', async () => {
      const { app, news, group, joinsAndFallsSilent } = await started();
      const session = await group();
      await joinsAndFallsSilent(session);
      news();
      const left = outcomeOf(app.deleteSession(session, { timeoutMs: 2500 }));
      await pass(2400);
      expect([left.isSettled, news()]).toEqual([false, []]);
      await pass(100);
      expect([left.isSettled, news()]).toEqual([true, ['closed closed']]);
    });

    test('ends its sessions first when it is closed, then its connection', async () => {
      const { app, news, group } = await started();
      await group();
      news();
      await within(TIMEOUT_MS, app.close({ timeoutMs: 5000 }));
      expect(news()).toEqual(['closed closed', 'connection closed']);
    });
  });
}

function describeEvent(event: AppPortEvent): string {
  return event.kind === 'connection' ? `connection ${event.state.kind}` : event.kind;
}
