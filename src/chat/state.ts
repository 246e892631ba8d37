import type { Role } from '../client/index.js';
import type { ChatEvent, FailureReason, LinkState, MlsStatus } from './events.js';
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
  /** Whether finished lines are made at all: not where nobody reads them. */
  readonly keepsLines: boolean;
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
  /** What this app is in it. */
  readonly role: Role;
  readonly members: readonly MemberView[];
  readonly mls: MlsStatus;
  /** Printed full names of the members that send and read clear text only although there is MLS. */
  readonly clearPeers: readonly string[];
  /** Whether they get copies in clear of what is encrypted for the others. */
  readonly clearCopies: boolean;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  /** Messages that came while another session was the active one. */
  readonly unread: number;
}

/** What an own message says, and how, for another try. */
export interface OwnContent {
  readonly payload: Uint8Array | string;
  readonly payloadType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** One member's printed full name instead of everybody. */
  readonly to?: string;
}

/** An own message that is not settled, or that failed. */
export interface OwnMessage {
  /** Unique in this program. */
  readonly key: number;
  /** As the command gave it. */
  readonly ref: string | undefined;
  readonly content: OwnContent;
  /** Safe for a terminal. */
  readonly text: string;
  readonly at: string;
  readonly atMs: number;
  /** The session that it was written for; null while it waits for the first one. */
  readonly session: number | null;
  /** Its number in the session; null if it was never sent. */
  readonly id: number | null;
  readonly state: 'queued' | 'sent' | 'failed';
  /** When it was sent first; null before. */
  readonly sentMs: number | null;
  readonly acked: number;
  readonly missing: readonly string[];
  /** Why it failed. */
  readonly reason: FailureReason | undefined;
  /** Whether it has become a finished line. */
  readonly isPrinted: boolean;
  /** Whether it repeats a message that had failed. */
  readonly isRetry: boolean;
}

/** An invitation of somebody else that waits for an answer of the user. */
export interface AskedInvitation {
  readonly session: number;
  /** Printed full name of the moderator; not safe for a terminal. */
  readonly from: string;
  /** Safe for a terminal. */
  readonly label: string;
  /** As it arrived; not safe for a terminal. */
  readonly channel: string;
  readonly mls: boolean;
  /** When an answer comes too late. */
  readonly deadlineMs: number;
}

/** An own invitation that is under way. */
export interface InvitationView {
  /** The session that it is into. */
  readonly session: number;
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
  /** Whether a line has told that an attempt had no answer. */
  readonly isFailureTold: boolean;
}

/** Everything a person sees of the chat. Immutable. */
export interface ChatState {
  readonly version: string;
  /** Own printed full name; empty until the app is connected. */
  readonly local: string;
  /** What the program was started for: to moderate a group of its own, or to be invited. */
  readonly intent: Role;
  readonly node: { readonly endpoint: string; readonly embedded: boolean } | null;
  readonly connection: {
    readonly state: LinkState;
    readonly attempt: number;
    /** When the next attempt starts; 0 if none is planned. */
    readonly nextMs: number;
  };
  /** Oldest first. */
  readonly sessions: readonly SessionView[];
  /**
   * The session that is on the screen, and that what is typed goes to; null if there is none. The first one when there was none,
   * and what the user has switched to or accepted; when it ends, none. An invitation never changes it while the user is in a group.
   */
  readonly activeSession: number | null;
  /** The last group, if it ended without this program's wish and no other has come since; names as they arrived. */
  readonly lostGroup: Pick<SessionView, 'channel' | 'moderator'> | null;
  /** Since when a participant waits for an invitation. */
  readonly waitingSinceMs: number | null;
  /** Invitations of others that wait for an answer, oldest first. */
  readonly asked: readonly AskedInvitation[];
  readonly invitations: readonly InvitationView[];
  /** Own messages that are under way, oldest first. */
  readonly own: readonly OwnMessage[];
  /** Own messages that not everybody got, oldest first; as many as are kept. */
  readonly failed: readonly OwnMessage[];
  /** What was not sent or delivered beyond `failed`: lines that were refused, and failed messages that are kept no more. */
  readonly refused: number;
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

/** What changes the chat besides its events. */
export type LocalAction =
  /** An own message begins. */
  | {
      readonly type: 'own';
      readonly at: string;
      readonly key: number;
      readonly ref?: string;
      readonly content: OwnContent;
      readonly session: number | null;
      /** It repeats a message that had failed and is on the screen already: its number, and who misses it. */
      readonly again?: Pick<OwnMessage, 'id' | 'missing'>;
    }
  /** Failed messages are sent again, under new keys. */
  | { readonly type: 'retried'; readonly keys: readonly number[] }
  /** The user wants another group on the screen, or has just been let into one by his own wish. */
  | { readonly type: 'switch'; readonly at: string; readonly session: number }
  /** Bare lines: the start of the program, help. Must be the program's own words or sanitised. */
  | { readonly type: 'note'; readonly lines: readonly string[] }
  /** An answer to something that was typed and did not work. `isRefusal`: it was, or may have been, a message. */
  | { readonly type: 'hint'; readonly at: string; readonly text: string; readonly isRefusal?: boolean }
  /** Time passes. Needed as long as `needsTick` says so. */
  | { readonly type: 'tick'; readonly nowMs: number }
  /** Leaving has begun. */
  | { readonly type: 'leaving'; readonly at: string; readonly budgetMs: number }
  /** The lines before this key are printed and not needed again. */
  | { readonly type: 'forget'; readonly before: number };

/** Everything that changes a {@link ChatState}. */
export type ChatAction = ChatEvent | LocalAction;

/** The state before anything has happened. */
export function initialState(): ChatState {
  return {
    version: '',
    local: '',
    intent: 'participant',
    node: null,
    connection: { state: 'connecting', attempt: 0, nextMs: 0 },
    sessions: [],
    activeSession: null,
    lostGroup: null,
    waitingSinceMs: null,
    asked: [],
    invitations: [],
    own: [],
    failed: [],
    refused: 0,
    lines: LineLog.empty(),
    nameWidth: 0,
    day: '',
    confirming: [],
    leaving: null,
    ended: null,
  };
}
