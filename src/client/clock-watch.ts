import { LIFETIME_S, MAX_AHEAD_S } from '../auth/index.js';
import type { Name } from '../name/index.js';
import type { OutboundMessage } from '../protocol/index.js';
import { printable, RecentMap, startTimer } from '../util/index.js';
import { MessageType, type PublishMessage } from '../wire/index.js';
import { randomU32 } from './random.js';

/** How long nothing more is said of the clock of the same member, in milliseconds. */
const PAUSE_MS = 60_000;
/** How often in that time anything is said of clocks, whoever names himself how. */
const MAX_PER_PAUSE = 10;
/** Members that are remembered. */
const MAX_MEMBERS = 64;

/** Two messages of a member tell its clock from a slow way only if they were made so far apart, in milliseconds. */
const MIN_APART_MS = 2000;
/** And if both took the same time but for this much. */
const MAX_DRIFT_MS = 1500;
/** Tokens are stamped in whole seconds, and a way takes a moment: what is so much older than a peer of ours could be in the future. */
const MIN_AGE_MS = (MAX_AHEAD_S + 1) * 1000;

/** When a message was made by the clock of its sender, and when it arrived by ours. */
interface Sample {
  readonly issuedAtMs: number;
  readonly arrivedAtMs: number;
}

/** What a {@link ClockWatch} tells and sends. */
export interface ClockWatchHost {
  /** Full name of the app. */
  readonly local: Name;
  /** @param seconds - by how much the other clock is ahead; negative when it is behind */
  onClockOff(text: string, seconds: number): void;
  onSend(message: OutboundMessage): void;
}

/**
 * Finds out whose clock differs so much from ours that one of the two drops what the other sends, and says so. Only genuine tokens
 * tell anything here.
 *
 * The one who drops knows at once. The other hears nothing at all, and cannot know why: so a member that drops an invitation asks the
 * inviter for its name, as inviters do. Any peer answers that and forgets it; one of ours sees from the question how the clocks differ.
 */
export class ClockWatch {
  readonly #host: ClockWatchHost;
  readonly #toldMs = new RecentMap<string, number>(MAX_MEMBERS);
  /** When anything was told. */
  #recentMs: number[] = [];
  readonly #old = new RecentMap<string, Sample>(MAX_MEMBERS);

  constructor(host: ClockWatchHost) {
    this.#host = host;
  }

  /** A genuine message outside of its time was dropped. */
  onDropped({ header, session }: PublishMessage, clockOffS: number): void {
    const who = nameOf(header.source);
    const off = `its clock is ${offWords(clockOffS)} this computer's`;
    const limit = clockOffS > 0 ? `${MAX_AHEAD_S} s ahead` : `${LIFETIME_S} s behind`;
    if (!this.#tell(header.source, `dropped messages from ${who}: ${off}, and at most ${limit} are allowed`, clockOffS))
      return;
    if (session.messageType === MessageType.discoveryRequest && header.source.hasId)
      this.#ask(header.source, session.sessionType);
  }

  /** A message was taken. When it is old by our clock, and not because it was long on its way, its sender drops what we send. */
  onTaken({ header }: PublishMessage, issuedAtMs: number, arrivedAtMs: number): void {
    const { key } = header.source;
    if (arrivedAtMs - issuedAtMs < MIN_AGE_MS) {
      this.#old.delete(key);
      return;
    }
    const first = this.#old.get(key);
    const drift = first === undefined ? 0 : arrivedAtMs - first.arrivedAtMs - (issuedAtMs - first.issuedAtMs);
    if (first === undefined || Math.abs(drift) > MAX_DRIFT_MS) {
      this.#old.set(key, { issuedAtMs, arrivedAtMs });
      return;
    }
    if (issuedAtMs - first.issuedAtMs < MIN_APART_MS) return;
    const clockOffS = -Math.floor((arrivedAtMs - issuedAtMs) / 1000);
    const who = nameOf(header.source);
    const off = `its clock is ${offWords(clockOffS)} this computer's`;
    this.#tell(header.source, `${who} drops what comes from here: ${off}, and it allows ${MAX_AHEAD_S} s`, clockOffS);
  }

  /** Twice, so far apart that the other can tell a clock from a slow way. */
  #ask(inviter: Name, sessionType: OutboundMessage['sessionType']): void {
    const ask = (): void => {
      this.#host.onSend({
        source: this.#host.local,
        destination: inviter,
        fanout: 1,
        sessionType,
        messageType: MessageType.discoveryRequest,
        sessionId: randomU32(),
        messageId: randomU32(),
        content: { kind: 'discoveryRequest' },
        metadata: {},
      });
    };
    ask();
    startTimer(MIN_APART_MS + 1000, ask, { keepsAlive: false });
  }

  #tell(source: Name, text: string, seconds: number): boolean {
    const nowMs = performance.now();
    const lastMs = this.#toldMs.get(source.prefixKey);
    this.#recentMs = this.#recentMs.filter((atMs) => nowMs - atMs < PAUSE_MS);
    if (lastMs !== undefined && nowMs - lastMs < PAUSE_MS) return false;
    if (this.#recentMs.length >= MAX_PER_PAUSE) return false;
    this.#toldMs.set(source.prefixKey, nowMs);
    this.#recentMs.push(nowMs);
    this.#host.onClockOff(`${text}. Set both clocks right`, seconds);
    return true;
  }
}

function offWords(clockOffS: number): string {
  return clockOffS > 0 ? `${clockOffS} s ahead of` : `${-clockOffS} s behind`;
}

function nameOf(source: Name): string {
  return printable(source.withoutId().toString());
}
