import { activeSession, type ChatEvent, type ChatEventBody, type ChatStore } from '../chat/index.js';
import { Presence } from './presence.js';
import { WarningFilter } from './warning-filter.js';

/** Where an {@link Announcer} puts what happens. */
export interface AnnouncerDeps {
  readonly store: ChatStore;
  /** Gets everything, in order, after it is in the state. */
  readonly emit: (event: ChatEvent) => void;
}

/** The one door through which everything that happens goes: into the state of the chat first, then to who listens. */
export class Announcer {
  readonly presence: Presence;
  readonly #deps: AnnouncerDeps;
  readonly #warnings = new WarningFilter();
  #hasEnded = false;

  constructor(deps: AnnouncerDeps) {
    this.#deps = deps;
    this.presence = new Presence({ getState: deps.store.getState, emit: this.emit });
  }

  /** Something has happened. */
  readonly emit = (body: ChatEventBody): void => {
    if (this.#hasEnded) return;
    if (body.type === 'warning' && !this.#warnings.admits(body.code, body.message)) return;
    const event = { at: new Date().toISOString(), ...body };
    this.watchActive(() => {
      this.#deps.store.dispatch(event);
      this.#deps.emit(event);
    });
    this.#watchMembers(event);
    this.#hasEnded = event.type === 'bye';
  };

  /** Tells when another session becomes the active one by what is done. */
  watchActive(act: () => void): void {
    const before = this.#deps.store.getState().activeSession;
    act();
    const state = this.#deps.store.getState();
    if (state.activeSession === before) return;
    const channel = activeSession(state)?.channel ?? null;
    this.#deps.emit({ at: new Date().toISOString(), type: 'active', session: state.activeSession, channel });
  }

  /** What an event means for who answers. */
  #watchMembers(event: ChatEvent): void {
    if (event.type === 'left') this.presence.forget(event.session, event.member);
    if (event.type === 'closed') this.presence.forget(event.session);
    if (event.type !== 'delivery' || event.session === null) return;
    if (event.state === 'sent') this.presence.watch();
    if (event.state === 'acked' || event.state === 'failed') this.presence.settled();
    if (event.reason !== 'unacked') return;
    const failed = this.#deps.store.getState().failed.find(({ key }) => key === event.key);
    if (typeof failed?.sentMs === 'number') this.presence.missed(event.session, event.missing, failed.sentMs);
  }
}
