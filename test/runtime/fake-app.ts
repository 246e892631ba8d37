import type { Protection } from '../../src/client/index.js';
import type { Name } from '../../src/name/index.js';
import type {
  AppPort,
  AppPortEvent,
  ConnectHandlers,
  GroupOptions,
  InvitationPort,
  SessionPort,
} from '../../src/runtime/ports.js';
import { pause } from '../../src/util/index.js';
import { CHANNEL, FakeSession } from './fake-session.js';

export { ALICE, BOB, CAROL, CHANNEL, FakeSession } from './fake-session.js';

/** An app under the control of a test; `appPortSuite` holds it to what `SlimApp` does. */
export class FakeApp implements AppPort {
  readonly name: Name;
  readonly endpoint = 'http://127.0.0.1:46357';
  readonly sessions: FakeSession[] = [];
  isClosed = false;
  /** Whether peers answer when this app leaves; otherwise leaving takes as long as it may. */
  peersAnswer = true;
  #handlers: ConnectHandlers = { onEvent: () => undefined, acceptInvitation: () => true };

  constructor(name: Name) {
    this.name = name;
  }

  /** Fits `Connect`. */
  readonly connect = (handlers: ConnectHandlers): Promise<AppPort> => {
    this.#handlers = handlers;
    this.emit({ kind: 'connection', state: { kind: 'connecting', attempt: 1 } });
    this.emit({ kind: 'connection', state: { kind: 'up' } });
    return Promise.resolve(this);
  };

  emit(event: AppPortEvent): void {
    this.#handlers.onEvent(event);
  }

  createSession(options: GroupOptions): Promise<SessionPort> {
    return Promise.resolve(this.#add(new FakeSession(7, this.name, [this.name], options)));
  }

  /** Somebody invites this app, and it has joined, whatever it would have decided. */
  invited(members: readonly Name[], id = 7, channel = CHANNEL, protection?: Protection): FakeSession {
    const session = this.#add(new FakeSession(id, this.name, members, { channel }));
    if (protection !== undefined) session.protection = protection;
    this.emit({ kind: 'session', session });
    return session;
  }

  /** Somebody invites this app, which decides. Resolves to the session if it joins. */
  async invite(invitation: FakeInvitation): Promise<FakeSession | undefined> {
    const isAccepted = await this.#handlers.acceptInvitation(invitation);
    return isAccepted
      ? this.invited([invitation.from, this.name], invitation.sessionId, invitation.channel)
      : undefined;
  }

  /** What this app decides, without a session. `at once`: what it has decided by now. */
  async accepts(invitation: FakeInvitation, when?: 'at once'): Promise<boolean | 'waits'> {
    const decision = Promise.resolve(this.#handlers.acceptInvitation(invitation));
    return when === undefined ? decision : Promise.race([decision, Promise.resolve('waits' as const)]);
  }

  async deleteSession(session: SessionPort, { timeoutMs }: { readonly timeoutMs: number }): Promise<void> {
    if (!(session instanceof FakeSession) || session.hasEnded) return;
    // Yields in any case, as everything that talks to peers does.
    if (this.peersAnswer) await Promise.resolve();
    else await pause(timeoutMs);
    session.end(session.role === 'moderator' ? 'closed' : 'left');
  }

  async close(options: { readonly timeoutMs: number }): Promise<void> {
    await Promise.all(this.sessions.map((session) => this.deleteSession(session, options)));
    this.isClosed = true;
    this.emit({ kind: 'connection', state: { kind: 'closed' } });
  }

  #add(session: FakeSession): FakeSession {
    this.sessions.push(session);
    return session;
  }
}

/** An invitation that a test makes. */
export class FakeInvitation implements InvitationPort {
  readonly sessionId: number;
  readonly from: Name;
  readonly channel: Name;
  readonly mls = false;
  readonly timeoutMs = 1000;
  readonly maxRetries = 29;
  readonly #ended = new AbortController();

  constructor(sessionId: number, from: Name, channel: Name) {
    this.sessionId = sessionId;
    this.from = from;
    this.channel = channel;
  }

  get lapsed(): AbortSignal {
    return this.#ended.signal;
  }

  /** The inviter has given up. */
  lapse(): void {
    this.#ended.abort();
  }
}
