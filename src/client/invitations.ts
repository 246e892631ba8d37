import type { Name } from '../name/index.js';
import { RecentMap, RecentSet, SessionError, startTimer, type Timer } from '../util/index.js';
import { type Metadata, MessageType, type PublishMessage } from '../wire/index.js';
import type { WarningCode } from './events.js';
import type { JoinRequest } from './inbound.js';

/** An invitation to a session that somebody else moderates, as it is shown to the application before it is answered. */
export interface Invitation {
  /** The number the session will have. */
  readonly sessionId: number;
  readonly type: 'group' | 'pointToPoint';
  /** Full name of the moderator. */
  readonly from: Name;
  /** The group's channel; in a point-to-point session the caller. */
  readonly channel: Name;
  /** Whether the session has end-to-end encryption. */
  readonly mls: boolean;
  /** What the moderator gave the session at its creation. */
  readonly metadata: Metadata;
  /** T of the session. */
  readonly timeoutMs: number;
  /** R of the session. */
  readonly maxRetries: number;
  /** Subject of the moderator's verified token. */
  readonly identity: string;
  /**
   * Fires when an answer has become useless: with SessionError `timeout` when the inviter has given up ((R+1) × T after its
   * request was first seen), `removed` when it has taken the invitation back, `closed` with the app. Not after an answer.
   */
  readonly lapsed: AbortSignal;
}

/**
 * Says whether an invitation is accepted. It may take its time: repetitions of the invitation are not asked about meanwhile, and
 * those of a declined one are ignored. One that throws or rejects counts as `false`, with a warning `accept-failed`.
 *
 * A moderator that renews keys (`keepAliveGroup`) removes each member and invites it again into the session of the same number;
 * that is asked about too.
 */
export type AcceptInvitation = (invitation: Invitation) => boolean | Promise<boolean>;

/** What becomes of invitations. */
export interface InvitationHandlers {
  onAccepted(request: JoinRequest): void;
  onWarning(code: WarningCode, text: string): void;
}

/** Invitations that may wait for an answer at the same time. */
const MAX_UNDECIDED = 64;
/** Moderators and sessions whose last invitation is remembered. */
const MAX_REMEMBERED = 1024;
/** Requests that are remembered of one invitation: a moderator has a new number for it after each loss of its connection. */
const MAX_REQUESTS = 64;

interface Undecided {
  /** The newest: what an acceptance answers. */
  request: JoinRequest;
  /** Message ids of all requests. */
  readonly requests: RecentSet<number>;
  readonly lapse: AbortController;
  timer: Timer;
  /** By `performance.now()`. */
  untilMs: number;
  hasWarned: boolean;
}

interface Decided {
  readonly requests: RecentSet<number>;
  /** Until then everything of this invitation is ignored; afterwards only these requests. */
  readonly untilMs: number;
}

/** The invitations that an app has not accepted: asks about each once, and forgets those whose inviter has given up. */
export class Invitations {
  readonly #accept: AcceptInvitation;
  readonly #handlers: InvitationHandlers;
  /** By session and moderator: two moderators may draw the same number. */
  readonly #undecided = new Map<string, Undecided>();
  readonly #decided = new RecentMap<string, Decided>(MAX_REMEMBERED);
  #hasWarnedOfMany = false;

  constructor(accept: AcceptInvitation, handlers: InvitationHandlers) {
    this.#accept = accept;
    this.#handlers = handlers;
  }

  /** Handles a join request for a session that does not exist. */
  ask(request: JoinRequest): void {
    const key = keyOf(request.config.sessionId, request.config.moderator);
    const undecided = this.#undecided.get(key);
    if (undecided !== undefined) {
      this.#repeat(key, undecided, request);
      return;
    }
    const decided = this.#decided.get(key);
    const { messageId } = request.message.session;
    if (decided !== undefined && (decided.requests.has(messageId) || performance.now() < decided.untilMs)) return;
    if (this.#undecided.size < MAX_UNDECIDED) {
      this.#open(key, request);
      return;
    }
    if (!this.#hasWarnedOfMany) {
      const text = `${MAX_UNDECIDED} invitations wait for an answer; more are ignored`;
      this.#handlers.onWarning('queue-full', text);
    }
    this.#hasWarnedOfMany = true;
  }

  /** Handles another message for a session that does not exist: its moderator may have taken an invitation back. */
  onStray({ header, session }: PublishMessage): void {
    const { messageType, sessionId } = session;
    if (messageType !== MessageType.leaveRequest && messageType !== MessageType.groupClose) return;
    this.#lapse(keyOf(sessionId, header.source), new SessionError('removed', 'the invitation was taken back'));
  }

  /** The app is closed; nothing is asked or accepted any more. */
  close(): void {
    for (const key of [...this.#undecided.keys()]) this.#lapse(key, new SessionError('closed', 'the app is closed'));
  }

  #open(key: string, request: JoinRequest): void {
    const requests = new RecentSet<number>(MAX_REQUESTS);
    requests.add(request.message.session.messageId);
    const lapse = new AbortController();
    const undecided: Undecided = { request, requests, lapse, ...this.#clockOf(key, request), hasWarned: false };
    this.#undecided.set(key, undecided);
    let answer: boolean | Promise<boolean>;
    try {
      answer = this.#accept(toInvitation(request, lapse.signal));
    } catch (error) {
      this.#fail(key, undecided, error);
      return;
    }
    if (typeof answer === 'boolean') {
      this.#decide(key, undecided, answer);
      return;
    }
    // Plain JavaScript may return what it likes.
    Promise.resolve(answer).then(
      (isAccepted: unknown) => {
        this.#decide(key, undecided, isAccepted === true);
      },
      (error: unknown) => {
        this.#fail(key, undecided, error);
      },
    );
  }

  #repeat(key: string, undecided: Undecided, request: JoinRequest): void {
    if (fingerprint(undecided.request) !== fingerprint(request)) {
      // Who knows the secret and another's name must not change what a person is about to say yes to.
      this.#warnOfChange(undecided);
      return;
    }
    undecided.request = request;
    if (!undecided.requests.add(request.message.session.messageId)) return;
    // The moderator begins anew, as it does after a loss of its connection.
    undecided.timer.cancel();
    Object.assign(undecided, this.#clockOf(key, request));
  }

  #warnOfChange(undecided: Undecided): void {
    if (undecided.hasWarned) return;
    undecided.hasWarned = true;
    const from = undecided.request.config.moderator.toString();
    this.#handlers.onWarning(
      'protocol-violation',
      `${from} changed its invitation while it waited for an answer; the change is ignored`,
    );
  }

  #clockOf(key: string, { config }: JoinRequest): Pick<Undecided, 'timer' | 'untilMs'> {
    const patienceMs = (config.maxRetries + 1) * config.timeoutMs;
    const giveUp = (): void => {
      this.#lapse(key, new SessionError('timeout', 'the inviter has given up'));
    };
    return { timer: startTimer(patienceMs, giveUp), untilMs: performance.now() + patienceMs };
  }

  #lapse(key: string, reason: SessionError): void {
    const undecided = this.#undecided.get(key);
    if (undecided === undefined) return;
    this.#close(key, undecided, 0);
    undecided.lapse.abort(reason);
  }

  #fail(key: string, undecided: Undecided, error: unknown): void {
    const cause = error instanceof Error ? error.message : String(error);
    const from = undecided.request.config.moderator.toString();
    this.#handlers.onWarning('accept-failed', `an invitation by ${from} is declined, the answer failed: ${cause}`);
    this.#decide(key, undecided, false);
  }

  #decide(key: string, undecided: Undecided, isAccepted: boolean): void {
    // Too late: it has lapsed, and perhaps another one of the same moderator waits now.
    if (this.#undecided.get(key) !== undecided) return;
    this.#close(key, undecided, isAccepted ? 0 : undecided.untilMs);
    if (isAccepted) this.#handlers.onAccepted(undecided.request);
  }

  #close(key: string, { timer, requests }: Undecided, untilMs: number): void {
    timer.cancel();
    this.#undecided.delete(key);
    this.#decided.set(key, { requests, untilMs });
    if (this.#undecided.size === 0) this.#hasWarnedOfMany = false;
  }
}

function keyOf(sessionId: number, moderator: Name): string {
  return `${sessionId}:${moderator.key}`;
}

function toInvitation({ config, subject }: JoinRequest, lapsed: AbortSignal): Invitation {
  const { sessionId, type, moderator, channel, mls, metadata, timeoutMs, maxRetries } = config;
  return {
    sessionId,
    type,
    from: moderator,
    channel,
    mls: mls !== undefined,
    metadata,
    timeoutMs,
    maxRetries,
    identity: subject,
    lapsed,
  };
}

/** What a person decides about, to tell whether two requests ask the same. */
function fingerprint({ config, subject }: JoinRequest): string {
  const { type, channel, mls, metadata, timeoutMs, maxRetries } = config;
  const sorted = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    type,
    channel.key,
    channel.toString(),
    mls !== undefined,
    sorted,
    timeoutMs,
    maxRetries,
    subject,
  ]);
}
