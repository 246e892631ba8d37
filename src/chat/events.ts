/** Everything a face (TUI, plain, JSON) may learn, in the shapes of the JSON contract without `v`. Names are printed full names. */
export type ChatEvent = { readonly at: string } & ChatEventBody;

/** Protection of payloads by MLS. */
export interface MlsStatus {
  readonly state: 'off' | 'joining' | 'on' | 'keys-only';
  readonly epoch?: number;
  readonly suite?: string;
}

/** A member as `/who` shows it. */
export interface MemberInfo {
  readonly name: string;
  readonly role: 'moderator' | 'participant';
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
      readonly role: 'moderator' | 'participant';
      readonly channel: string | null;
      readonly version: string;
    }
  | {
      readonly type: 'session';
      readonly session: number;
      readonly channel: string;
      readonly moderator: string;
      readonly members: readonly string[];
      readonly mls: MlsStatus;
      readonly timeoutMs: number;
      readonly maxRetries: number;
      readonly metadata: Readonly<Record<string, string>>;
    }
  | { readonly type: 'joined'; readonly session: number; readonly member: string; readonly members: number }
  | {
      readonly type: 'left';
      readonly session: number;
      readonly member: string;
      readonly members: number;
      readonly reason: 'removed' | 'left' | 'offline';
    }
  | {
      readonly type: 'invite';
      readonly ref?: string;
      readonly name: string;
      readonly state: 'started' | 'joined' | 'failed';
      readonly code?: string;
      /** After `failed`: when the next attempt starts by itself. Absent if none does. */
      readonly retryInMs?: number;
    }
  | {
      readonly type: 'remove';
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
      readonly ref?: string;
      /** Number of the message; null while it is queued and has none yet. */
      readonly id: number | null;
      readonly state: 'queued' | 'sent' | 'acked' | 'failed';
      readonly acked: readonly string[];
      readonly missing: readonly string[];
    }
  | { readonly type: 'lost'; readonly session: number; readonly from: string; readonly id: number }
  | ({ readonly type: 'mls'; readonly session: number; readonly clearPeers: readonly string[] } & MlsStatus)
  | {
      readonly type: 'connection';
      readonly state: 'connecting' | 'up' | 'lost' | 'retrying';
      readonly attempt?: number;
      readonly inMs?: number;
    }
  | { readonly type: 'warning'; readonly code: string; readonly message: string }
  | {
      readonly type: 'error';
      readonly code: string;
      readonly message: string;
      readonly ref?: string;
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
      readonly reason: 'left' | 'closed' | 'removed' | 'moderator-gone';
    }
  | { readonly type: 'who'; readonly ref?: string; readonly members: readonly MemberInfo[] }
  | { readonly type: 'status'; readonly ref?: string; readonly status: ChatStatus }
  | { readonly type: 'bye'; readonly exitCode: number };

/** What `/status` shows. */
export interface ChatStatus {
  readonly version: string;
  readonly local: string;
  readonly node: { readonly endpoint: string; readonly embedded: boolean };
  readonly connection: 'connecting' | 'up' | 'lost' | 'retrying';
  readonly role: 'moderator' | 'participant';
  readonly session: number | null;
  readonly channel: string | null;
  readonly members: number;
  readonly timeoutMs: number | null;
  readonly maxRetries: number | null;
  readonly mls: MlsStatus;
  readonly undelivered: number;
  readonly logFile: string | null;
}

/** What a face may ask for. `ref` comes back in the answers; `session` is the newest one unless given. */
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
      /** `ref` of a message that failed and that this one repeats: it does not count as undelivered any more. */
      readonly retryOf?: string;
      readonly session?: number;
    }
  | { readonly type: 'invite' | 'remove'; readonly name: string; readonly ref?: string; readonly session?: number }
  | { readonly type: 'who' | 'status'; readonly ref?: string; readonly session?: number }
  | { readonly type: 'leave'; readonly session?: number }
  /** Gives up the messages that are held because nobody is there to read them. */
  | { readonly type: 'drop' }
  /** Leaves properly and ends. `drain`: wait for pending acks first (end of input). */
  | { readonly type: 'exit'; readonly drain?: boolean };
