import type { TokenVerifier } from '../auth/index.js';
import type { Name } from '../name/index.js';
import { type MlsPolicy, type OutboundMessage, type Route, routeInbound } from '../protocol/index.js';
import { RecentSet } from '../util/index.js';
import type { PublishMessage } from '../wire/index.js';
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
}

/** What comes from the node for one app: checked for its identity first, then handed to whom it concerns. */
export class Inbound {
  readonly #host: InboundHost;
  /** Discovery requests that have their answer: a second one upsets a moderator (session.md 10.3). */
  readonly #answered = new RecentSet<string>(1024);

  constructor(host: InboundHost) {
    this.#host = host;
  }

  /** Never throws on what a peer sent. */
  onMessage(message: PublishMessage): void {
    const { local, verifier, mlsPolicy } = this.#host;
    const verified = verifier.verify(message.header.identity, Date.now());
    if (!verified.ok) {
      const from = message.header.source.withoutId().toString();
      this.#host.onWarning(from, 'identity-rejected', `dropped messages from ${from}: ${verified.reason}`);
      return;
    }
    const { subject } = verified;
    const vouchesForKey = verified.publicKey !== undefined;
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

  /** The answers went down a stream that is gone: whoever asks again has not got them. */
  forgetAnswers(): void {
    this.#answered.clear();
  }
}
