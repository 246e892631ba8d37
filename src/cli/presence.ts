import type { Name } from '../name/index.js';
import { startInterval, type Timer } from '../util/index.js';

/** A message counts against a member that has not acknowledged it for this long, or for three tries if those take longer. */
const SILENT_AFTER_MS = 5000;
const SILENT_AFTER_TRIES = 3;
const CHECK_EVERY_MS = 1000;

interface MemberRecord {
  readonly name: Name;
  lastHeardMs: number | undefined;
  isSilent: boolean;
  failed: number;
}

/** An own message that waits for acknowledgements. */
export interface Waiting {
  readonly sentMs: number;
  missing: readonly Name[];
}

/** What is known of a member. */
export interface MemberPresence {
  readonly isSilent: boolean;
  readonly lastHeardMs: number | undefined;
  readonly unacked: number;
}

/**
 * Who of the members of one session answers. SLIM 0.7 has no presence of its own, so it is read from acknowledgements and
 * messages: silent is who has not acknowledged a message for a while and has not been heard since it was sent.
 */
export class Presence {
  readonly #members = new Map<string, MemberRecord>();
  readonly #waiting = new Set<Waiting>();
  readonly #onChange: (member: Name, isSilent: boolean, lastHeardMs: number | undefined) => void;
  readonly #silentAfterMs: number;
  #timer: Timer | undefined;

  /** @param timeoutMs - T of the session */
  constructor(timeoutMs: number, onChange: (member: Name, isSilent: boolean, lastHeardMs: number | undefined) => void) {
    this.#silentAfterMs = Math.max(SILENT_AFTER_MS, SILENT_AFTER_TRIES * timeoutMs);
    this.#onChange = onChange;
  }

  /** The member did something. */
  heard(name: Name): void {
    const record = this.#record(name);
    record.lastHeardMs = Date.now();
    if (!record.isSilent) return;
    record.isSilent = false;
    this.#onChange(name, false, record.lastHeardMs);
  }

  /** An own message is on its way; its `missing` is kept up to date by the caller. */
  watch(waiting: Waiting): void {
    this.#waiting.add(waiting);
    this.#timer ??= startInterval(CHECK_EVERY_MS, () => {
      this.#check();
    });
  }

  /** An own message is settled. Those still missing did not get it. */
  settled(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    for (const name of waiting.missing) {
      this.#record(name).failed += 1;
      this.#markSilent(name, waiting.sentMs);
    }
    if (this.#waiting.size === 0) this.stop();
  }

  /** Forgets a member that has left. */
  forget(name: Name): void {
    this.#members.delete(name.key);
  }

  /** What is known of a member. */
  of(name: Name): MemberPresence {
    const record = this.#members.get(name.key);
    let unacked = record?.failed ?? 0;
    for (const { missing } of this.#waiting) if (missing.some((other) => other.equals(name))) unacked += 1;
    return { isSilent: record?.isSilent === true, lastHeardMs: record?.lastHeardMs, unacked };
  }

  /** Stops the clock. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #check(): void {
    const before = Date.now() - this.#silentAfterMs;
    for (const { sentMs, missing } of this.#waiting) {
      if (sentMs > before) continue;
      for (const name of missing) this.#markSilent(name, sentMs);
    }
  }

  #markSilent(name: Name, sinceMs: number): void {
    const record = this.#record(name);
    if (record.isSilent || (record.lastHeardMs !== undefined && record.lastHeardMs > sinceMs)) return;
    record.isSilent = true;
    this.#onChange(name, true, record.lastHeardMs);
  }

  #record(name: Name): MemberRecord {
    const known = this.#members.get(name.key);
    if (known !== undefined) return known;
    const record: MemberRecord = { name, lastHeardMs: undefined, isSilent: false, failed: 0 };
    this.#members.set(name.key, record);
    return record;
  }
}
