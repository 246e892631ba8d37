import type { CloseReason, ConnectionState, DeliveryState, LeftReason, Protection, Role } from '../client/index.js';

/** Everything a face (TUI, plain, JSON) may learn, in the shapes of the JSON contract without `v`. Names are printed full names. */
export type ChatEvent = { readonly at: string } & ChatEventBody;

/** State of the link to the node, as long as the chat goes on. */
export type LinkState = Exclude<ConnectionState['kind'], 'closed'>;

/** Protection of payloads by MLS. */
export interface MlsStatus {
  readonly state: Protection['state'];
  readonly epoch?: number;
  readonly suite?: string;
}

/**
 * Why an own message failed: somebody did not acknowledge it in time; it was given up by the user before it was sent; its session
 * ended; or it could not be sent at all.
 */
export type FailureReason = 'unacked' | 'dropped' | 'closed' | 'refused';

/** A member as `/who` shows it. */
export interface MemberInfo {
  readonly name: string;
  readonly role: Role;
  readonly presence: 'you' | 'online' | 'silent' | 'offline';
  /** Own messages this member has not acknowledged yet or ever. */
  readonly unacked: number;
  /** When a message or an acknowledgement of this member arrived last. */
  readonly lastHeardAt?: string;
}

/** {@link ChatEvent} without its time. */
export type ChatEventBody =
  | {
      readonly type: 'ready';
      readonly local: string;
      readonly node: { readonly endpoint: string; readonly embedded: boolean };
      readonly role: Role;
      readonly channel: string | null;
      readonly version: string;
    }
  | {
      readonly type: 'session';
      readonly session: number;
      readonly channel: string;
      readonly moderator: string;
      readonly members: readonly string[];
      /** What this app is in this session. */
      readonly role: Role;
      readonly mls: MlsStatus;
      readonly timeoutMs: number;
      readonly maxRetries: number;
      readonly metadata: Readonly<Record<string, string>>;
    }
  /** Which session commands without a `session` are for now; null: none. */
  | { readonly type: 'active'; readonly session: number | null; readonly channel: string | null }
  /** Somebody invites this app. `asked`: it waits for `accept` or `decline`. */
  | {
      readonly type: 'invitation';
      readonly session: number;
      readonly from: string;
      readonly channel: string;
      readonly mls: boolean;
      readonly state: 'asked' | 'accepted' | 'declined' | 'lapsed';
      /** How often the user was asked about this session, this time included. */
      readonly attempt: number;
      /** With `asked`: how long an answer is of use. */
      readonly expiresInMs?: number;
    }
  | { readonly type: 'joined'; readonly session: number; readonly member: string; readonly members: number }
  | {
      readonly type: 'left';
      readonly session: number;
      readonly member: string;
      readonly members: number;
      readonly reason: LeftReason;
    }
  | {
      readonly type: 'invite';
      readonly session: number;
      readonly ref?: string;
      readonly name: string;
      readonly state: 'started' | 'joined' | 'failed';
      readonly code?: string;
      /** After `failed`: when the next attempt starts by itself. Absent if none does. */
      readonly retryInMs?: number;
    }
  | {
      readonly type: 'remove';
      readonly session: number;
      readonly ref?: string;
      readonly name: string;
      readonly state: 'started' | 'removed' | 'failed';
      readonly code?: string;
    }
  | {
      readonly type: 'message';
      readonly session: number;
      readonly id: number;
      readonly from: string;
      readonly text?: string;
      readonly textBase64?: string;
      readonly payloadType: string;
      readonly metadata: Readonly<Record<string, string>>;
      readonly encrypted: boolean;
    }
  | {
      readonly type: 'delivery';
      /** Number of the message in this program. Not part of the JSON contract: there it is `ref` that tells messages apart. */
      readonly key: number;
      /** Null while the message waits for the first group. */
      readonly session: number | null;
      readonly ref?: string;
      /** Number of the message in its session; null while it is queued and has none yet. */
      readonly id: number | null;
      readonly state: DeliveryState;
      readonly acked: readonly string[];
      readonly missing: readonly string[];
      /** With `failed`: why. */
      readonly reason?: FailureReason;
      /** With `failed`: the code of the error behind it. */
      readonly code?: string;
    }
  | { readonly type: 'lost'; readonly session: number; readonly from: string; readonly id: number }
  | ({
      readonly type: 'mls';
      readonly session: number;
      /** Members that send and read clear text only. */
      readonly clearPeers: readonly string[];
      /** Whether they get copies in clear of what is encrypted for the others. */
      readonly clearCopies?: boolean;
    } & MlsStatus)
  | {
      readonly type: 'connection';
      readonly state: LinkState;
      readonly attempt?: number;
      readonly inMs?: number;
      /** With `lost` and `retrying`: the code of the error behind it. */
      readonly code?: string;
      /** With `lost` and `retrying`: what was seen. */
      readonly reason?: string;
    }
  | {
      readonly type: 'warning';
      readonly code: string;
      readonly message: string;
      readonly session?: number;
      /** With `clock-off`: by how much the clock of the other is ahead of ours; negative when it is behind. */
      readonly seconds?: number;
    }
  | {
      readonly type: 'error';
      readonly code: string;
      readonly message: string;
      readonly session?: number;
      readonly ref?: string;
      /** The own message it is about, as in `delivery`; not part of the JSON contract. */
      readonly key?: number;
      /** The input line a `bad-command` is about, counted from 1. */
      readonly line?: number;
    }
  /** A member stopped answering, or answers again. */
  | {
      readonly type: 'presence';
      readonly session: number;
      readonly member: string;
      readonly presence: 'online' | 'silent';
      readonly lastHeardAt?: string;
    }
  | {
      readonly type: 'closed';
      readonly session: number;
      readonly reason: CloseReason;
    }
  | {
      readonly type: 'who';
      readonly session: number | null;
      readonly ref?: string;
      readonly members: readonly MemberInfo[];
    }
  | { readonly type: 'status'; readonly ref?: string; readonly status: ChatStatus }
  | { readonly type: 'bye'; readonly exitCode: number };

/** What `/status` shows. */
export interface ChatStatus {
  readonly version: string;
  readonly local: string;
  readonly node: { readonly endpoint: string; readonly embedded: boolean };
  readonly connection: LinkState;
  readonly role: Role;
  readonly session: number | null;
  readonly channel: string | null;
  readonly members: number;
  readonly timeoutMs: number | null;
  readonly maxRetries: number | null;
  readonly mls: MlsStatus;
  /** Channels of the other groups. */
  readonly others: readonly string[];
  /** Messages and lines that were not delivered or not sent. */
  readonly undelivered: number;
  readonly logFile: string | null;
}

/**
 * What a face may ask for. `ref` comes back in the answers; `session` says which group it was typed for. A program that leaves it
 * out means the active one.
 */
export type ChatCommand =
  | {
      readonly type: 'publish';
      /** Exactly one of `text` and `bytes`. */
      readonly text?: string;
      readonly bytes?: Uint8Array;
      readonly ref?: string;
      readonly payloadType?: string;
      readonly metadata?: Readonly<Record<string, string>>;
      /** One member's full name instead of everybody. */
      readonly to?: string;
      readonly session?: number;
    }
  | { readonly type: 'invite' | 'remove'; readonly name: string; readonly ref?: string; readonly session?: number }
  | { readonly type: 'who' | 'status'; readonly ref?: string; readonly session?: number }
  | { readonly type: 'leave'; readonly session?: number }
  /** Sends failed messages of the session again, to those who miss them. */
  | { readonly type: 'retry'; readonly session?: number }
  /** Gives up the messages of the session that have not been sent yet. */
  | { readonly type: 'drop'; readonly session?: number }
  /** Makes this the session that commands without one are for. */
  | { readonly type: 'switch'; readonly session: number }
  /** Answers an invitation: that of this session, or the only one there is. */
  | { readonly type: 'accept' | 'decline'; readonly session?: number }
  /** Leaves properly and ends. `drain`: wait for pending acks first (end of input). */
  | { readonly type: 'exit'; readonly drain?: boolean };
