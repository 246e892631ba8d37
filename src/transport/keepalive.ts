import type { ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';

import { startInterval, startTimer, type Timer } from '../util/index.js';

import type { KeepaliveConfig } from './client-config.js';

/** Nothing may have come for this long after something was sent, in milliseconds, or for an eighth of what its sender has. */
const MAX_SILENCE_MS = 1000;
const MIN_SILENCE_MS = 100;

/**
 * How long the answer to the ping then may take, in milliseconds, or half of what its sender has. A node that is only busy takes
 * less than the shortest of these.
 */
const MAX_PATIENCE_MS = 3000;
const MIN_PATIENCE_MS = 2000;

/** Whoever has just sent more than this many bytes may do so over a slow line, on which the ping comes after all of them. */
const MUCH_BYTES = 64 * 1024;

/**
 * Finds out whether the other side of an HTTP/2 connection is still there: by pings now and then, and by one as soon as something
 * was sent and nothing at all has come back. Any byte that comes is a sign of life.
 *
 * @internal
 */
export class Keepalive {
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  readonly #config: KeepaliveConfig;
  readonly #onDead: (waitedMs: number) => void;
  readonly #interval: Timer | undefined;
  /** Something was sent not long ago. */
  #silence: Timer | undefined;
  /** A ping is under way. */
  #overdue: Timer | undefined;
  #overdueAtMs = Infinity;
  #isStopped = false;

  /**
   * @param socket - what the session is on
   * @param onDead - called once, with the time that an answer was waited for
   */
  constructor(
    session: ClientHttp2Session,
    socket: Socket,
    config: KeepaliveConfig,
    onDead: (waitedMs: number) => void,
  ) {
    this.#session = session;
    this.#socket = socket;
    this.#config = config;
    this.#onDead = onDead;
    if (config.intervalMs === 0) return;
    this.#interval = startInterval(config.intervalMs, () => this.#ping(config.timeoutMs));
  }

  /** Something was sent, which fails for its sender unless an answer comes in time; a dead connection is found before that. */
  expectAnswer(withinMs: number): void {
    if (this.#silence !== undefined || this.#isStopped || this.#config.intervalMs === 0) return;
    const { bytesRead, bytesWritten } = this.#socket;
    const silenceMs = Math.max(MIN_SILENCE_MS, Math.min(MAX_SILENCE_MS, withinMs / 8));
    this.#silence = startTimer(silenceMs, () => {
      this.#silence = undefined;
      if (this.#socket.bytesRead !== bytesRead) return;
      const isMuch = this.#socket.bytesWritten - bytesWritten > MUCH_BYTES;
      const patienceMs = isMuch ? (withinMs * 3) / 4 : Math.min(MAX_PATIENCE_MS, withinMs / 2);
      this.#ping(Math.max(MIN_PATIENCE_MS, patienceMs));
    });
  }

  /** The connection is over. */
  stop(): void {
    this.#isStopped = true;
    this.#interval?.cancel();
    this.#silence?.cancel();
    this.#overdue?.cancel();
  }

  #ping(patienceMs: number): void {
    if (this.#isStopped || this.#session.destroyed) return;
    const isUnderWay = this.#overdue !== undefined;
    this.#awaitSign(patienceMs);
    // An error means that the connection is gone already, and that is seen elsewhere.
    if (!isUnderWay) this.#session.ping(() => this.#onSign());
  }

  /** Waits for a sign of life. Whoever has less patience than another shortens its wait. */
  #awaitSign(patienceMs: number): void {
    const atMs = performance.now() + patienceMs;
    if (atMs >= this.#overdueAtMs) return;
    this.#overdue?.cancel();
    this.#overdueAtMs = atMs;
    const { bytesRead } = this.#socket;
    this.#overdue = startTimer(patienceMs, () => {
      this.#overdueAtMs = Infinity;
      if (this.#socket.bytesRead !== bytesRead) {
        this.#awaitSign(patienceMs);
        return;
      }
      this.stop();
      this.#onDead(Math.round(patienceMs));
    });
  }

  #onSign(): void {
    this.#overdue?.cancel();
    this.#overdue = undefined;
    this.#overdueAtMs = Infinity;
  }
}
