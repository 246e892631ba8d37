import type { TokenVerifier, VerifiedToken } from '../auth/index.js';
import type { Name } from '../name/index.js';
import { type MlsPolicy, type OutboundMessage, type Route, routeInbound } from '../protocol/index.js';
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
  /** Discovery requests that have their answer: a second one upsets a moderator (session.md 10.3). */
  readonly #answered = new RecentSet<string>(1024);

  readonly #clocks: ClockWatch;
  readonly #strangers = new RecentSet<string>(MAX_STRANGERS);
  #strangerAtMs = -Infinity;

  constructor(host: InboundHost) {
    this.#host = host;
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
      case 'reply': {
        const { destination, messageId } = route.message;
        if (this.#answered.add(`${destination.key}:${messageId}`)) this.#host.onReply(route.message);
        return;
      }
      case 'join':
        this.#host.onJoinRequest({ config: route.config, message, subject });
        return;
      case 'refuse':
        this.#host.onWarning(route.text, route.code, route.text);
        return;
      case 'ignore':
        this.#host.onStray(message);
        return;
    }
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

  /** The answers went down a stream that is gone: whoever asks again has not got them. */
  forgetAnswers(): void {
    this.#answered.clear();
  }
}
