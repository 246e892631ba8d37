import type { Effect } from './machine.js';
import { payloadBytes } from './payload-size.js';

/** How much may come before the welcome. */
const MAX_EARLY = 512;
const MAX_EARLY_BYTES = 16 * 1024 * 1024;

/** What the application hears as soon as a session is usable; before, it does not know of the session. */
export class EarlyNotices {
  #effects: Effect[] = [];
  #bytes = 0;

  /** Whether no more payloads should be taken; they come again. */
  get isFull(): boolean {
    return this.#effects.length >= MAX_EARLY || this.#bytes >= MAX_EARLY_BYTES;
  }

  /** Keeps all that waits for the welcome, which is everything the application hears but warnings; returns the rest. */
  holdBack(effects: readonly Effect[]): Effect[] {
    const rest: Effect[] = [];
    for (const effect of effects) {
      if (effect.kind !== 'notify' || effect.notice.kind === 'warning') {
        rest.push(effect);
        continue;
      }
      this.#effects.push(effect);
      if (effect.notice.kind !== 'message') continue;
      const { message, payload } = effect.notice.delivered;
      this.#bytes += payloadBytes(payload, message.metadata);
    }
    return rest;
  }

  /** Takes everything, in order. */
  takeAll(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    this.#bytes = 0;
    return effects;
  }
}
