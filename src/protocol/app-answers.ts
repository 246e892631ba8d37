import type { Name } from '../name/index.js';
import { RecentMap } from '../util/index.js';
import type { PublishMessage } from '../wire/index.js';
import { type Answer, GivenAnswers } from './given-answers.js';
import type { OutboundMessage } from './machine.js';

/** How many answers, and discoveries, are remembered. */
const CAPACITY = 1024;

/**
 * A discovery is answered once more after this long. Who asks does so every T, which is not known here; a copy of its request that the
 * line made comes sooner.
 */
const AGAIN_AFTER_MS = 250;

/** A session whose moderator has found this app. */
interface Discovery {
  readonly answeredMs: number;
  roundTripMs?: number;
}

/** What an app answers outside of its sessions: discoveries, and requests that have ended a session and come again. */
export class AppAnswers {
  readonly #local: Name;
  readonly #given = new GivenAnswers<string>(CAPACITY);
  /** By moderator and session. */
  readonly #discoveries = new RecentMap<string, Discovery>(CAPACITY);

  /** @param local - full name of the app */
  constructor(local: Name) {
    this.#local = local;
  }

  /** The reply to a discovery, unless the request is a copy of one that has it. */
  onDiscovery(request: PublishMessage, reply: OutboundMessage, nowMs: number): OutboundMessage | undefined {
    if (this.#given.has(requestKey(request))) return this.again(request, nowMs);
    this.keep({ message: reply, pauseMs: AGAIN_AFTER_MS }, nowMs);
    const session = sessionKey(request);
    if (!this.#discoveries.has(session)) this.#discoveries.set(session, { answeredMs: nowMs });
    return reply;
  }

  /**
   * How long the moderator of a join request took from the discovery to it; `undefined` if it did not ask who is there, and for a
   * moderator that takes any answer: ours do, and name their own instance in their tokens, which upstream's bindings never do.
   *
   * @param subject - whom the token of the request names
   */
  roundTripMs(request: PublishMessage, subject: string, nowMs: number): number | undefined {
    if (subject.startsWith(`${request.header.source.toString()}_`)) return undefined;
    const discovery = this.#discoveries.get(sessionKey(request));
    if (discovery === undefined) return undefined;
    discovery.roundTripMs ??= nowMs - discovery.answeredMs;
    return discovery.roundTripMs;
  }

  /** Keeps the answer to a request that ended a session. */
  keep(answer: Answer, nowMs: number): void {
    this.#given.add(keyOf(answer.message.destination, answer.message), answer, nowMs);
  }

  /** The answer to a request that came again, if it got lost. */
  again(request: PublishMessage, nowMs: number): OutboundMessage | undefined {
    const isByName = request.header.destination.prefixKey === this.#local.prefixKey;
    return this.#given.again(requestKey(request), isByName, nowMs);
  }

  /** The answers may have gone down a stream that is gone. */
  mayBeLost(): void {
    this.#given.mayBeLost();
  }
}

/** Numbers are drawn by who asks. */
function keyOf(
  asker: Name,
  { messageId, sessionId }: { readonly messageId: number; readonly sessionId: number },
): string {
  return `${asker.key}:${String(sessionId)}:${String(messageId)}`;
}

function requestKey({ header, session }: PublishMessage): string {
  return keyOf(header.source, session);
}

function sessionKey({ header, session }: PublishMessage): string {
  return `${header.source.key}:${String(session.sessionId)}`;
}
