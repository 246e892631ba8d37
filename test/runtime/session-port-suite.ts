import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { CloseReason } from '../../src/client/index.js';
import { Name } from '../../src/name/index.js';
import type { SessionPort, SessionPortEvent } from '../../src/runtime/ports.js';
import { outcomeOf, pass, settle } from '../client/support.js';

/** T and R of the sessions under test. */
export const TIMEOUT_MS = 1000;
export const MAX_RETRIES = 3;

/** A session, and what happens around it. */
export interface SessionSetup {
  readonly session: SessionPort;
  /** An app of this name is there from now on, and joins if it is invited. Resolves to its full name when it has joined. */
  joins(name: Name): Promise<Name>;
  /** The member leaves by itself. */
  leaves(member: Name): Promise<void>;
  /** The member answers a removal. */
  obeys(member: Name): Promise<void>;
  /** The member gets, and acknowledges, what has been sent so far. Before that it gets nothing. */
  acknowledges(member: Name): Promise<void>;
  /** All tries of what was sent, or asked for, pass without an answer. */
  timesOut(name: Name): Promise<void>;
  says(member: Name, text: string): Promise<void>;
  cutLink(): Promise<void>;
  mendLink(): Promise<void>;
  /** The session ends: of a moderator `closed` by itself, of a participant as told. */
  ends(reason: CloseReason): Promise<void>;
}

/** How a session is made: of a moderator who is alone in its group, or of a participant with its moderator. */
export type MakeSession = (role: 'moderator' | 'participant') => Promise<SessionSetup>;

const BOB = Name.parse('agntcy/ns/bob');
const CAROL = Name.parse('agntcy/ns/carol');

/** What `runtime/` counts on, whatever is behind a {@link SessionPort}. */
export function sessionPortSuite(what: string, make: MakeSession): void {
  describe(`the session that the chat is given: ${what}`, () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    /** The session and what it has told since. */
    async function started(role: 'moderator' | 'participant' = 'moderator') {
      const setup = await make(role);
      const told: string[] = [];
      setup.session.onEvent((event) => told.push(describeEvent(event)));
      /** What it has told since this was asked last. */
      const news = (): string[] => told.splice(0);
      return { ...setup, session: setup.session, news };
    }

    /** A moderator with members of these names. */
    async function group(...names: readonly Name[]) {
      const chat = await started();
      const members: Name[] = [];
      for (const name of names) {
        const joined = chat.session.invite(name);
        members.push(await chat.joins(name));
        await joined;
      }
      chat.news();
      return { ...chat, members };
    }

    describe('who is in it', () => {
      test('a moderator begins alone, a participant with its moderator', async () => {
        const { session } = await started();
        expect([session.role, session.members]).toEqual(['moderator', [session.local]]);
        expect(session.moderator).toEqual(session.local);
        const { session: other } = await started('participant');
        expect(other.role).toBe('participant');
        expect(other.members.map(String)).toEqual([String(other.moderator), String(other.local)]);
      });

      test('an invited app is a member first, then gets what waited, then the invitation has its end', async () => {
        const { session, joins, news } = await started();
        session.publish('early', { ref: 'a' });
        const invited = outcomeOf(session.invite(BOB, { ref: 'i' }));
        expect(news()).toEqual(['a queued 0/0', 'invite bob started i']);
        const bob = await joins(BOB);
        expect(news()).toEqual(['joined bob of 2', 'a sent 0/1', 'invite bob joined i']);
        expect(session.members.map(String)).toEqual([String(session.local), String(bob)]);
        expect(invited.value).toEqual(bob);
      });

      test('a second invitation of a name under way shares its outcome, each under its own ref', async () => {
        const { session, joins, news } = await started();
        const both = [session.invite(BOB, { ref: 'i' }), session.invite(BOB, { ref: 'j' })];
        const bob = await joins(BOB);
        expect(await Promise.all(both)).toEqual([bob, bob]);
        expect(news()).toEqual([
          'invite bob started i',
          'invite bob started j',
          'joined bob of 2',
          'invite bob joined i',
          'invite bob joined j',
        ]);
      });

      test('an invitation that nobody answers fails', async () => {
        const { session, timesOut, news } = await started();
        const invited = outcomeOf(session.invite(BOB, { ref: 'i' }));
        await timesOut(BOB);
        expect(news()).toEqual(['invite bob started i', 'invite bob failed i invite-timeout']);
        expect(invited.error).toMatchObject({ code: 'invite-timeout' });
      });

      test('who is removed while it is being invited does not come in after all', async () => {
        const { session, news } = await started();
        const invited = outcomeOf(session.invite(BOB, { ref: 'i' }));
        await session.remove(BOB, { ref: 'r' });
        expect(news()).toEqual([
          'invite bob started i',
          'remove bob started r',
          'invite bob failed i aborted',
          'remove bob removed r',
        ]);
        expect(invited.error).toMatchObject({ code: 'aborted' });
      });

      test('who is there already cannot be invited, and who is not cannot be removed', async () => {
        const { session, news } = await group(BOB);
        await expect(session.invite(BOB, { ref: 'i' })).rejects.toMatchObject({ code: 'already-in-group' });
        await expect(session.remove(CAROL, { ref: 'r' })).rejects.toMatchObject({ code: 'participant-not-found' });
        expect(news()).toEqual([
          'invite bob started i',
          'invite bob failed i already-in-group',
          'remove carol started r',
          'remove carol failed r participant-not-found',
        ]);
      });

      test('a removed member is off the list first, then the removal has its end', async () => {
        const { session, obeys, news, members } = await group(BOB);
        const removed = outcomeOf(session.remove(BOB, { ref: 'r' }));
        await obeys(members[0]!);
        expect(news()).toEqual(['remove bob started r', 'left bob removed of 1', 'remove bob removed r']);
        expect(session.members).toEqual([session.local]);
        expect(removed).toMatchObject({ isSettled: true });
      });

      test('only the moderator can invite and remove', async () => {
        const { session, news } = await started('participant');
        await expect(session.invite(CAROL, { ref: 'i' })).rejects.toMatchObject({ code: 'not-moderator' });
        await expect(session.remove(CAROL)).rejects.toMatchObject({ code: 'not-moderator' });
        expect(news()).toEqual([
          'invite carol started i',
          'invite carol failed i not-moderator',
          'remove carol started',
          'remove carol failed not-moderator',
        ]);
      });
    });

    describe('an own message', () => {
      test('waits while nobody is there, which is told before publish has returned', async () => {
        const { session, news } = await started();
        expect(session.publish('x', { ref: 'a' }).messageId).toBeUndefined();
        expect(news()).toEqual(['a queued 0/0']);
      });

      test('is sent before publish has returned where somebody is there; each has the next number', async () => {
        const { session, news } = await group(BOB);
        expect(session.publish('x', { ref: 'a' }).messageId).toBe(1);
        expect(session.publish('y').messageId).toBe(2);
        expect(news()).toEqual(['a sent 0/1', '- sent 0/1']);
      });

      test('tells who has acknowledged, in the order in which they have', async () => {
        const { session, acknowledges, members } = await group(BOB, CAROL);
        const acked: string[] = [];
        session.onEvent((event) => {
          if (event.kind === 'delivery') acked.push(`${event.state} ${event.acked.map(String).join()}`);
        });
        session.publish('x');
        const [bob, carol] = members;
        await acknowledges(carol!);
        await acknowledges(bob!);
        expect(acked).toEqual(['sent ', `sent ${String(carol)}`, `acked ${String(carol)},${String(bob)}`]);
      });

      test('fails when somebody is silent, and goes again under its number to those who miss it', async () => {
        const { session, acknowledges, timesOut, news, members } = await group(BOB, CAROL);
        const [bob, carol] = members;
        session.publish('x', { ref: 'a' });
        await acknowledges(bob!);
        await timesOut(carol!);
        expect(news()).toEqual(['a sent 0/2', 'a sent 1/1', 'a failed 1/1 not-acked']);
        expect(session.publish('x', { ref: 'b', again: { messageId: 1, missing: [carol!] } }).messageId).toBe(1);
        expect(session.publish('y', { ref: 'c' }).messageId).toBe(2);
        expect(news()).toEqual(['b sent 0/1', 'c sent 0/2']);
      });

      test('does not go again while it is under way, if it was never sent, or if nobody misses it any more', async () => {
        const { session, acknowledges, leaves, news, members } = await group(BOB, CAROL);
        const [bob, carol] = members;
        session.publish('x', { ref: 'a' });
        session.publish('x', { ref: 'b', again: { messageId: 1, missing: [carol!] } });
        session.publish('x', { ref: 'c', again: { messageId: 2, missing: [carol!] } });
        await acknowledges(bob!);
        await leaves(carol!);
        session.publish('x', { ref: 'd', again: { messageId: 1, missing: [carol!] } });
        expect(news()).toEqual([
          'a sent 0/2',
          'b failed 0/0 invalid-option',
          'c failed 0/0 invalid-option',
          'a sent 1/1',
          'left carol left of 2',
          'a acked 1/0',
          'd failed 0/0 participant-not-found',
        ]);
      });

      test('to one member is for that member; to nobody who is there it fails, and does not throw', async () => {
        const { session, news, acknowledges, members } = await group(BOB, CAROL);
        session.publishTo(members[0]!, 'x', { ref: 'a' });
        session.publishTo(Name.parse('agntcy/ns/nobody/1'), 'x', { ref: 'b' });
        await acknowledges(members[0]!);
        expect(news()).toEqual(['a sent 0/1', 'b failed 0/0 participant-not-found', 'a acked 1/0']);
      });

      test('fails when the only one it was for leaves', async () => {
        const { session, leaves, news, members } = await group(BOB);
        session.publish('x', { ref: 'a' });
        await leaves(members[0]!);
        expect(news()).toEqual(['a sent 0/1', 'left bob left of 1', 'a failed 0/1 not-acked']);
      });

      test('that is too large is refused by a throw, and nothing is told', async () => {
        const { session, news } = await started();
        expect(() => session.publish(new Uint8Array(5_000_000))).toThrow(
          expect.objectContaining({ code: 'invalid-payload' }) as Error,
        );
        expect(news()).toEqual([]);
      });

      test('waits while the link is down, and goes out when it is back', async () => {
        const { session, cutLink, mendLink, news } = await group(BOB);
        await cutLink();
        const handle = session.publish('x', { ref: 'a' });
        expect(news()).toEqual(['a queued 0/0']);
        await mendLink();
        expect(news()).toEqual(['a sent 0/1']);
        expect(handle.messageId).toBe(1);
      });

      test('that waits can be taken back, once; one that was sent cannot', async () => {
        const { session, joins, news } = await started();
        const [first, second] = [session.publish('x', { ref: 'a' }), session.publish('y', { ref: 'b' })];
        session.cancel(first);
        session.cancel(first);
        expect(news()).toEqual(['a queued 0/0', 'b queued 0/0', 'a failed 0/0 cancelled']);
        void session.invite(BOB);
        await joins(BOB);
        news();
        expect(second.messageId).toBe(1);
        session.cancel(second);
        await settle();
        expect(news()).toEqual([]);
      });
    });

    describe('who makes messages faster than they leave', () => {
      test('is asked to wait from the 256th on, and can go on when they have left', async () => {
        const { session, joins } = await started();
        for (let count = 0; count < 256; count += 1) {
          expect(session.isWritable).toBe(true);
          session.publish('x');
        }
        expect(session.isWritable).toBe(false);
        const writable = outcomeOf(session.writable());
        void session.invite(BOB);
        await settle();
        expect(writable.isSettled).toBe(false);
        await joins(BOB);
        expect([session.isWritable, writable.isSettled, writable.error]).toEqual([true, true, undefined]);
      });

      test('can go on when some are taken back', async () => {
        const { session } = await started();
        const handles = Array.from({ length: 256 }, () => session.publish('x'));
        session.cancel(handles[7]!);
        expect(session.isWritable).toBe(true);
      });

      test('hears when the session ends', async () => {
        const { session, ends } = await started();
        for (let count = 0; count < 256; count += 1) session.publish('x');
        const writable = outcomeOf(session.writable());
        await ends('closed');
        expect(writable.error).toMatchObject({ code: 'closed' });
        expect(session.isWritable).toBe(false);
      });
    });

    describe('messages of members', () => {
      test('come as events, until nobody listens any more', async () => {
        const { session, says } = await started('participant');
        const texts: (string | undefined)[] = [];
        const stop = session.onEvent((event) => {
          if (event.kind === 'message') texts.push(event.message.text);
        });
        await says(session.moderator, 'one');
        await says(session.moderator, 'two');
        stop();
        await says(session.moderator, 'three');
        expect(texts).toEqual(['one', 'two']);
      });

      test('do not come while receiving is paused, and come after it', async () => {
        const { session, says, news } = await started('participant');
        session.pauseReceiving();
        await says(session.moderator, 'hello');
        expect(news()).toEqual([]);
        session.resumeReceiving();
        await pass(TIMEOUT_MS);
        expect(news()).toEqual(['message hello']);
      });
    });

    describe('the end', () => {
      test('ends invitations first, then messages, and is the last that is told', async () => {
        const { session, ends, news, members } = await group(BOB);
        expect(members).toHaveLength(1);
        session.publish('x', { ref: 'a' });
        const invited = outcomeOf(session.invite(CAROL, { ref: 'i' }));
        await ends('closed');
        expect(news()).toEqual([
          'a sent 0/1',
          'invite carol started i',
          'invite carol failed i closed',
          'a failed 0/1 closed',
          'closed closed',
        ]);
        expect(invited.error).toMatchObject({ code: 'closed' });
      });

      test('fails what waits', async () => {
        const { session, ends, news } = await started();
        session.publish('x', { ref: 'a' });
        await ends('closed');
        expect(news()).toEqual(['a queued 0/0', 'a failed 0/0 closed', 'closed closed']);
      });

      test.each(['removed', 'closed', 'left'] as const)('of a participant is told as %s', async (reason) => {
        const { session, ends, news } = await started('participant');
        session.publish('x', { ref: 'a' });
        await ends(reason);
        const code = reason === 'removed' ? 'removed' : 'closed';
        expect(news()).toEqual(['a sent 0/1', `a failed 0/1 ${code}`, `closed ${reason}`]);
      });

      test('is the end: what is asked for afterwards fails, and nothing is told about it', async () => {
        const { session, ends, news } = await group(BOB);
        await ends('closed');
        news();
        const handle = session.publish('x', { ref: 'a' });
        session.cancel(handle);
        await expect(session.invite(CAROL)).rejects.toMatchObject({ code: 'closed' });
        await expect(session.remove(BOB)).rejects.toMatchObject({ code: 'closed' });
        await expect(session.writable()).rejects.toMatchObject({ code: 'closed' });
        await pass(10 * TIMEOUT_MS);
        expect([handle.messageId, news()]).toEqual([undefined, []]);
      });
    });
  });
}

/** An event in a few words; a delivery with how many have acknowledged it and how many have not. */
function describeEvent(event: SessionPortEvent): string {
  switch (event.kind) {
    case 'message':
      return `message ${String(event.message.text)}`;
    case 'joined':
      return `joined ${appOf(event.member)} of ${String(event.members.length)}`;
    case 'left':
      return `left ${appOf(event.member)} ${event.reason} of ${String(event.members.length)}`;
    case 'invite':
    case 'remove':
      return words(
        event.kind,
        appOf(event.name),
        event.state,
        event.ref,
        'error' in event ? event.error.code : undefined,
      );
    case 'delivery': {
      const { ref = '-', state, acked, missing, error } = event;
      return words(ref, state, `${String(acked.length)}/${String(missing.length)}`, error?.code);
    }
    case 'closed':
      return `closed ${event.reason}`;
    case 'mls':
    case 'lost':
    case 'warning':
      return event.kind;
  }
}

function words(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(' ');
}

function appOf(name: Name): string {
  return name.withoutId().toString().replace(/^.*\//, '');
}
