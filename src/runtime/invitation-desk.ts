import { type ChatEventBody, type ChatState, sessionOf } from '../chat/index.js';
import type { Name } from '../name/index.js';
import { RecentMap, UsageError } from '../util/index.js';
import type { InvitationPort } from './ports.js';

/** How long the answer to an invitation holds at least, although its inviter has given up meanwhile, milliseconds. */
const MIN_DECLINE_MS = 60_000;

/**
 * How long after a removal the same moderator may invite into the same session again without being asked about, milliseconds. That is
 * how a moderator renews the keys of a member.
 */
const RENEWAL_MS = 60_000;

/**
 * Which invitations are accepted: `auto` those that come while there is no group; `ask` none without the user; `never` none;
 * `from` those of the moderators named. What is neither accepted nor ruled out is asked about.
 */
export type AcceptPolicy =
  { readonly kind: 'auto' | 'ask' | 'never' } | { readonly kind: 'from'; readonly names: readonly Name[] };

/** What an {@link InvitationDesk} needs. */
export interface InvitationDeskDeps {
  readonly policy: AcceptPolicy;
  /** Whether there is no group, and none to come, and nothing else that speaks against this moderator. */
  readonly isIdle: (from: Name) => boolean;
  readonly emit: (event: Extract<ChatEventBody, { type: 'invitation' }>) => void;
}

interface Joining {
  readonly from: Name;
  /** Milliseconds since 1970; after that its moderator does not wait any more. */
  readonly untilMs: number;
}

interface Removed {
  /** Printed full name. */
  readonly moderator: string;
  readonly untilMs: number;
  readonly wasActive: boolean;
}

interface Asked {
  readonly invitation: InvitationPort;
  readonly attempt: number;
  readonly answer: (isAccepted: boolean) => void;
}

/** Decides on invitations by others, or has the user decide. */
export class InvitationDesk {
  readonly #deps: InvitationDeskDeps;
  /** By session id, oldest first. */
  readonly #asked = new Map<number, Asked>();
  /** How often each was asked about, by session and moderator. */
  readonly #attempts = new RecentMap<string, number>(256);
  /** Until when (milliseconds since 1970) an invitation is not asked about any more, by session and moderator. */
  readonly #declined = new RecentMap<string, number>(256);
  /** Sessions that were accepted and may still come. */
  readonly #joining = new Map<number, Joining>();
  /** Of sessions that this app was removed from: the moderator, and until when it may come back to it unasked. */
  readonly #removed = new RecentMap<number, Removed>(64);
  /** Sessions that the user himself has accepted. */
  readonly #wished = new Set<number>();
  #isClosed = false;

  constructor(deps: InvitationDeskDeps) {
    this.#deps = deps;
  }

  /** Fits `acceptInvitation` of the client library. */
  readonly decide = (invitation: InvitationPort): boolean | Promise<boolean> => {
    const { policy, isIdle } = this.#deps;
    const { from } = invitation;
    if (this.#isClosed) return false;
    if (this.#isRenewal(invitation)) {
      this.#expect(invitation);
      return true;
    }
    if (policy.kind === 'never') {
      const isFirst = this.#attempts.get(keyOf(invitation)) === undefined;
      this.#attempts.set(keyOf(invitation), 1);
      if (isFirst) this.#tell(invitation, 'declined', 1);
      return false;
    }
    const isNamed = policy.kind === 'from' && policy.names.some(({ prefixKey }) => prefixKey === from.prefixKey);
    if (isNamed || (policy.kind === 'auto' && isIdle(from) && !this.#isJoiningOther(from))) {
      this.#expect(invitation);
      return true;
    }
    return this.#ask(invitation);
  };

  /**
   * The user accepts the invitation of a session, or the only one.
   *
   * @throws UsageError `no-invitation`
   */
  accept(session: number | undefined): void {
    const { invitation, attempt, answer } = this.#take(session);
    this.#expect(invitation);
    this.#wished.add(invitation.sessionId);
    this.#tell(invitation, 'accepted', attempt);
    answer(true);
  }

  /**
   * The user declines. Repetitions of the invitation are not asked about.
   *
   * @throws UsageError `no-invitation`
   */
  decline(session: number | undefined): void {
    const { invitation, attempt, answer } = this.#take(session);
    this.#declined.set(keyOf(invitation), Date.now() + 2 * lifeMs(invitation) + MIN_DECLINE_MS);
    this.#tell(invitation, 'declined', attempt);
    answer(false);
  }

  /** This app is being removed from a session; `state` is that before it. */
  onRemoved(state: ChatState, id: number): void {
    const moderator = sessionOf(state, id)?.moderator;
    if (moderator === undefined) return;
    const wasActive = state.activeSession === id;
    this.#removed.set(id, { moderator, untilMs: Date.now() + RENEWAL_MS, wasActive });
  }

  /**
   * A session has come. Whether it is to be the active one: the user himself has accepted it; or it is back after a removal, and he
   * was in it and has gone to no other since.
   */
  onSession(session: number, activeSession: number | null): boolean {
    const wasActive = this.#removed.get(session)?.wasActive === true;
    this.#joining.delete(session);
    this.#removed.delete(session);
    return this.#wished.delete(session) || (wasActive && activeSession === null);
  }

  /** Accepts nothing any more. */
  close(): void {
    this.#isClosed = true;
    for (const { answer } of this.#asked.values()) answer(false);
    this.#asked.clear();
  }

  async #ask(invitation: InvitationPort): Promise<boolean> {
    const { sessionId, lapsed } = invitation;
    const key = keyOf(invitation);
    // Answers name the session, so nobody may slip in under the number of another's invitation.
    if (this.#asked.has(sessionId)) return false;
    const declinedUntilMs = this.#declined.get(key);
    if (declinedUntilMs !== undefined && declinedUntilMs > Date.now()) {
      // The inviter tries again and again: as long as it does, it has its answer.
      this.#declined.set(key, Date.now() + 2 * lifeMs(invitation) + MIN_DECLINE_MS);
      return false;
    }
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempt);
    return new Promise((resolve) => {
      const onLapsed = (): void => {
        if (this.#asked.delete(sessionId)) this.#tell(invitation, 'lapsed', attempt);
        resolve(false);
      };
      const answer = (isAccepted: boolean): void => {
        lapsed.removeEventListener('abort', onLapsed);
        resolve(isAccepted);
      };
      lapsed.addEventListener('abort', onLapsed, { once: true });
      this.#asked.set(sessionId, { invitation, attempt, answer });
      this.#tell(invitation, 'asked', attempt);
    });
  }

  #isRenewal({ sessionId, from }: InvitationPort): boolean {
    const removed = this.#removed.get(sessionId);
    return removed?.moderator === from.toString() && removed.untilMs > Date.now();
  }

  #take(session: number | undefined): Asked {
    const all = [...this.#asked.values()];
    const asked = session === undefined ? (all.length === 1 ? all[0] : undefined) : this.#asked.get(session);
    if (asked === undefined) {
      const text =
        all.length > 1 ? `${all.length} invitations wait, so say which (session)` : 'no invitation waits for an answer';
      throw new UsageError(
        'no-invitation',
        session === undefined ? text : `there is no invitation to session ${session}`,
      );
    }
    this.#asked.delete(asked.invitation.sessionId);
    return asked;
  }

  #expect(invitation: InvitationPort): void {
    this.#joining.set(invitation.sessionId, { from: invitation.from, untilMs: Date.now() + lifeMs(invitation) });
  }

  /** A moderator that has started anew, and invites anew, is the same one. */
  #isJoiningOther({ prefixKey }: Name): boolean {
    const nowMs = Date.now();
    for (const [session, { untilMs }] of this.#joining) if (untilMs <= nowMs) this.#joining.delete(session);
    return [...this.#joining.values()].some(({ from }) => from.prefixKey !== prefixKey);
  }

  #tell(invitation: InvitationPort, state: 'asked' | 'accepted' | 'declined' | 'lapsed', attempt: number): void {
    const { sessionId, from, channel, mls } = invitation;
    this.#deps.emit({
      type: 'invitation',
      session: sessionId,
      from: from.toString(),
      channel: channel.withoutId().toString(),
      mls,
      state,
      attempt,
      ...(state === 'asked' && { expiresInMs: lifeMs(invitation) }),
    });
  }
}

function keyOf({ sessionId, from }: InvitationPort): string {
  return `${sessionId} ${from.key}`;
}

/** How long an inviter waits for an answer. */
function lifeMs({ timeoutMs, maxRetries }: InvitationPort): number {
  return timeoutMs * (maxRetries + 1);
}
