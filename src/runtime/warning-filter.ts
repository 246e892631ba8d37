import { RecentMap } from '../util/index.js';

/** How long the same warning is not repeated, milliseconds. */
const PAUSE_MS = 10_000;

/** Texts of warnings hold names that others choose, so the memory of them must be bounded. */
const MAX_REMEMBERED = 1000;

/** Keeps a warning that comes again and again from filling the screen. */
export class WarningFilter {
  readonly #lastMs = new RecentMap<string, number>(MAX_REMEMBERED);

  /** Whether to show it now. */
  admits(code: string, message: string): boolean {
    const key = `${code} ${message}`;
    const nowMs = Date.now();
    const lastMs = this.#lastMs.get(key);
    if (lastMs !== undefined && nowMs - lastMs < PAUSE_MS) return false;
    this.#lastMs.set(key, nowMs);
    return true;
  }
}
