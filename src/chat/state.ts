import type { ChatEvent, MlsStatus } from './events.js';
import { LineLog } from './line-log.js';

/** Reads the times of events; passed in, because this folder has no clock. */
export interface ChatClock {
  /** Milliseconds since 1970 of an RFC 3339 time. */
  ms(at: string): number;
  /** `HH:MM` for people. */
  time(at: string): string;
  /** The day for people, e.g. `2026-11-23`; equal for times of one day. */
  day(at: string): string;
}

/** How a face shows the chat. */
export interface ChatOptions {
  readonly clock: ChatClock;
  /**
   * Own messages: `live` shows them in the live region until they are acknowledged or 1.5 s old, `print` makes lines of them at
   * once, `none` shows none, because the terminal has echoed what was typed.
   */
  readonly echo: 'live' | 'print' | 'none';
  /** Whether there is a live region for countdowns; without one the start of an invitation is a line. */
  readonly isLive: boolean;
}

/** A member on the screen. */
export interface MemberView {
  /** Printed full name as it arrived; not safe for a terminal. */
  readonly name: string;
  /** Short and unique in its group, safe for a terminal. */
  readonly label: string;
  readonly presence: 'you' | 'online' | 'silent';
}

/** A session on the screen. */
export interface SessionView {
  readonly id: number;
  /** As it arrived; not safe for a terminal. */
  readonly channel: string;
  /** Printed full name. */
  readonly moderator: string;
  readonly members: readonly MemberView[];
  readonly mls: MlsStatus;
  /** Printed full names of the members that send in clear although there is MLS. */
  readonly clearPeers: readonly string[];
  readonly timeoutMs: number;
  readonly maxRetries: number;
}

/** An own message that is not settled, or that failed. */
export interface OwnMessage {
  readonly ref: string;
  /** Safe for a terminal. */
  readonly text: string;
  /** The text as it was typed, for another try. */
  readonly rawText: string;
  readonly at: string;
  readonly atMs: number;
  readonly session: number | null;
  readonly state: 'queued' | 'sent' | 'failed';
  readonly acked: number;
  readonly missing: readonly string[];
  /** Whether it has become a finished line. */
  readonly isPrinted: boolean;
  /** Whether it repeats a message that had failed. */
  readonly isRetry: boolean;
}

/** An invitation that is under way. */
export interface InvitationView {
  /** As it was asked for; not safe for a terminal. */
  readonly name: string;
  readonly label: string;
  readonly startedMs: number;
  /** When this attempt gives up. */
  readonly deadlineMs: number;
  /** Attempts so far, this one included. */
  readonly attempt: number;
  /** Whether this attempt has ended without an answer. */
  readonly hasTimedOut: boolean;
}

/** Everything a person sees of the chat. Immutable. */
export interface ChatState {
  readonly version: string;
  /** Own printed full name; empty until the app is connected. */
  readonly local: string;
  readonly role: 'moderator' | 'participant';
  readonly node: { readonly endpoint: string; readonly embedded: boolean } | null;
  readonly connection: {
    readonly state: 'connecting' | 'up' | 'lost' | 'retrying';
    readonly attempt: number;
    /** When the next attempt starts; 0 if none is planned. */
    readonly nextMs: number;
  };
  /** Oldest first; the last one is the one the screen is about. */
  readonly sessions: readonly SessionView[];
  /** Since when a participant waits for an invitation. */
  readonly waitingSinceMs: number | null;
  readonly invitations: readonly InvitationView[];
  /** Own messages that are under way, oldest first. */
  readonly own: readonly OwnMessage[];
  /** Own messages that not everybody got, oldest first. */
  readonly failed: readonly OwnMessage[];
  /** Finished lines. */
  readonly lines: LineLog;
  /** Columns for names: the longest label so far, at most 12. */
  readonly nameWidth: number;
  /** The day of the newest line with a time. */
  readonly day: string;
  /** Members that were seen to confirm messages with a message. */
  readonly confirming: readonly string[];
  readonly leaving: { readonly startedMs: number; readonly deadlineMs: number } | null;
  readonly ended: { readonly exitCode: number } | null;
}

/** What a face itself reports, besides the events of the chat. */
export type LocalAction =
  /** An own message was handed to the runtime under this `ref`. */
  | {
      readonly type: 'own';
      readonly at: string;
      readonly ref: string;
      readonly text: string;
      /** It repeats a message that had failed and is on the screen already. */
      readonly isRetry?: boolean;
    }
  /** Bare lines: the start of the program, help. Must be the program's own words or sanitised. */
  | { readonly type: 'note'; readonly lines: readonly string[] }
  /** An answer to something that was typed and did not work. */
  | { readonly type: 'hint'; readonly at: string; readonly text: string }
  /** Time passes. Needed as long as `needsTick` says so. */
  | { readonly type: 'tick'; readonly nowMs: number }
  /** Leaving has begun. */
  | { readonly type: 'leaving'; readonly at: string; readonly budgetMs: number }
  /** Failed messages are sent again, under new refs. */
  | { readonly type: 'retried'; readonly refs: readonly string[] }
  /** The lines before this key are printed and not needed again. */
  | { readonly type: 'forget'; readonly before: number };

/** Everything that changes a {@link ChatState}. */
export type ChatAction = ChatEvent | LocalAction;

/** The state before anything has happened. */
export function initialState(): ChatState {
  return {
    version: '',
    local: '',
    role: 'participant',
    node: null,
    connection: { state: 'connecting', attempt: 0, nextMs: 0 },
    sessions: [],
    waitingSinceMs: null,
    invitations: [],
    own: [],
    failed: [],
    lines: LineLog.empty(),
    nameWidth: 0,
    day: '',
    confirming: [],
    leaving: null,
    ended: null,
  };
}
