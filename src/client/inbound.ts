import type { TokenVerifier, VerifiedToken } from '../auth/index.js';
import type { Name } from '../name/index.js';
import {
  type Answer,
  AppAnswers,
  type MlsPolicy,
  type OutboundMessage,
  type Route,
  routeInbound,
} from '../protocol/index.js';
import { printable, RecentSet } from '../util/index.js';
import type { PublishMessage } from '../wire/index.js';
import { ClockWatch } from './clock-watch.js';
import type { WarningCode } from './events.js';
import type { SessionDriver } from './session-driver.js';

/** Somebody wants this app in a new session. */
export interface JoinRequest {
  readonly config: Extract<Route, { kind: 'join' }>['config'];
  /** What the session begins with. */
  readonly message: PublishMessage;
  /** Of the verified token. */
  readonly subject: string;
}

/** What {@link Inbound} needs, and where messages go. */
export interface InboundHost {
  /** Full name of the app. */
  readonly local: Name;
  readonly verifier: TokenVerifier;
  readonly mlsPolicy: MlsPolicy;
  /** What runs the session of this id, if there is one. */
  driver(sessionId: number): Pick<SessionDriver, 'post'> | undefined;
  /** To be sent at once. */
  onReply(message: OutboundMessage): void;
  onJoinRequest(request: JoinRequest): void;
  /** A message for a session that does not exist. Never answered. */
  onStray(message: PublishMessage): void;
  /** Worth one warning for each `key`. */
  onWarning(key: string, code: WarningCode, text: string): void;
  /** Clocks differ too much; `seconds` is how much the other one is ahead. */
  onClockOff(text: string, seconds: number): void;
}

/** Strangers that are remembered, and how long after one nothing is said of the next, in milliseconds. */
const MAX_STRANGERS = 256;
const STRANGER_PAUSE_MS = 60_000;

type RefusedToken = Extract<VerifiedToken, { ok: false }>;

/** What comes from the node for one app: checked for its identity first, then handed to whom it concerns. */
export class Inbound {
  readonly #host: InboundHost;
  readonly #answers: AppAnswers;
  readonly #clocks: ClockWatch;
  readonly #strangers = new RecentSet<string>(MAX_STRANGERS);
  #strangerAtMs = -Infinity;

  constructor(host: InboundHost) {
    this.#host = host;
    this.#answers = new AppAnswers(host.local);
    this.#clocks = new ClockWatch({
      local: host.local,
      onClockOff: (text, seconds) => host.onClockOff(text, seconds),
      onSend: (message) => host.onReply(message),
    });
  }

  /** Never throws on what a peer sent. */
  onMessage(message: PublishMessage): void {
    const { local, verifier, mlsPolicy } = this.#host;
    const nowMs = Date.now();
    const verified = verifier.verify(message.header.identity, nowMs);
    if (!verified.ok) {
      if (verified.clockOffS === undefined) this.#onStranger(message, verified);
      else this.#clocks.onDropped(message, verified.clockOffS);
      return;
    }
    const { subject, issuedAtMs } = verified;
    const vouchesForKey = verified.publicKey !== undefined;
    // Payloads may wait somewhere while there are many; requests and their answers do not.
    if (issuedAtMs !== undefined && message.content.kind !== 'app') this.#clocks.onTaken(message, issuedAtMs, nowMs);
    const route = routeInbound(message, local, (id) => this.#host.driver(id) !== undefined, mlsPolicy);
    switch (route.kind) {
      case 'session':
        this.#host.driver(route.sessionId)?.post({ kind: 'message', message, subject, vouchesForKey });
        return;
      case 'reply':
        this.#reply(this.#answers.onDiscovery(message, route.message, performance.now()));
        return;
      case 'join':
        this.#onJoin(route.config, message, subject);
        return;
      case 'refuse':
        this.#host.onWarning(route.text, route.code, route.text);
        return;
      case 'ignore':
        this.#reply(this.#answers.again(message, performance.now()));
        this.#host.onStray(message);
        return;
    }
  }

  /** Keeps an answer that ended a session for who asks again because it got lost. */
  keep(answer: Answer): void {
    this.#answers.keep(answer, performance.now());
  }

  /** The stream is gone, and answers with it. */
  onLinkDown(): void {
    this.#answers.mayBeLost();
  }

  #onJoin(config: JoinRequest['config'], message: PublishMessage, subject: string): void {
    const roundTripMs = this.#answers.roundTripMs(message, subject, performance.now());
    this.#host.onJoinRequest({
      config: { ...config, ...(roundTripMs !== undefined && { roundTripMs }) },
      message,
      subject,
    });
  }

  #reply(message: OutboundMessage | undefined): void {
    if (message !== undefined) this.#host.onReply(message);
  }

  /** Whoever it is chooses the name he goes by; however many he takes, they are told one by one, and slowly. */
  #onStranger({ header }: PublishMessage, { reason, endedS }: RefusedToken): void {
    const from = printable(header.source.withoutId().toString());
    const nowMs = performance.now();
    if (this.#strangers.has(from) || nowMs - this.#strangerAtMs < STRANGER_PAUSE_MS) return;
    this.#strangers.add(from);
    this.#strangerAtMs = nowMs;
    const why = endedS === undefined ? reason : `its token ended ${endedS} s ago by this computer's clock`;
    this.#host.onWarning(from, 'identity-rejected', `dropped messages from ${from}: ${why}`);
  }
}
