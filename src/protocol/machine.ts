import type { Name } from '../name/index.js';
import type { MlsError, SlimError } from '../util/index.js';
import type { Content, Metadata, PublishMessage } from '../wire/index.js';
import type { Answer } from './given-answers.js';

/** Number of a command, unique in its session. Given by whoever posts it. */
export type CommandId = number;

/** Number of an MLS operation, unique in its session. Given by the machine. */
export type MlsRequestId = number;

/** A message that failed for some and is sent once more: under the number it had, by name, to those of them that are members still. */
export interface RetryOf {
  readonly messageId: number;
  /** Full names. */
  readonly missing: readonly Name[];
}

/** What the application asks of a session. */
export type SessionCommand =
  /** `ref` comes back in the notices about it. */
  | { readonly kind: 'invite' | 'remove'; readonly name: Name; readonly ref?: string }
  | {
      readonly kind: 'publish';
      readonly payload: Uint8Array;
      readonly payloadType: string;
      readonly metadata: Metadata;
      /** One member's full name; everybody if absent. */
      readonly to?: Name;
      readonly again?: RetryOf;
    }
  /** Takes back what that `publish` command has not sent yet; settles nothing of its own. */
  | { readonly kind: 'cancel'; readonly publish: CommandId }
  /** Leave the group, or close it as its moderator. */
  | { readonly kind: 'close' }
  /** End at once, whoever has not answered yet. */
  | { readonly kind: 'abandon' };

/** Timers of a session; one of each key at a time. Most move many entries at once, so that 10 000 messages need one timer. */
export type TimerKey =
  /** Next retransmission of own messages. */
  | 'acks'
  /** Next retransmission of RTX requests. */
  | 'rtx'
  /** When streams that may have begun earlier begin with what has come of them. */
  | 'starts'
  /** Next retransmission of control requests. */
  | 'control'
  /** The moderator's next ping round. */
  | 'ping'
  /** The end of a round in which the participant's moderator must have given a sign of life. */
  | 'liveness'
  /** Next question to those who have been silent in a round. */
  | 'ask'
  /** When the leaf of a member in the moderator's MLS group is old. */
  | 'leaves'
  /** The pause between two renewals of such leaves. */
  | 'renewal'
  /** The participant's patience with an invitation or a removal that is not completed. */
  | 'limbo';

/** Everything that can happen to a session. */
export type Input =
  | {
      readonly kind: 'message';
      readonly message: PublishMessage;
      /** Subject of the sender's verified token. */
      readonly subject: string;
      /** Whether that token vouches for a key, as those of 1.3 and later do. */
      readonly vouchesForKey?: boolean;
    }
  | { readonly kind: 'timer'; readonly timer: TimerKey }
  | { readonly kind: 'command'; readonly id: CommandId; readonly command: SessionCommand }
  /** The stream to the node is gone; nothing that is sent now arrives. */
  | { readonly kind: 'linkDown' }
  /** A new stream is open and every name is subscribed again. */
  | { readonly kind: 'linkUp' }
  /** The answer to the `mls` effect of that id; answers come in order, and between an effect and its answer no input but `cancel`. */
  | { readonly kind: 'mlsResult'; readonly id: MlsRequestId; readonly result: MlsResult };

/**
 * What payloads of a session with MLS look like: `auto` encrypts unless no other member can decrypt, and gives those who cannot
 * nothing beside others who can; `require` always encrypts, and shows nothing that came in clear; `mixed` is as `auto`, but those who
 * cannot decrypt get copies in clear; `clear` never encrypts.
 */
export type MlsPolicy = 'auto' | 'require' | 'mixed' | 'clear';

/** What a machine asks of the MLS group of its session. */
export type MlsRequest =
  /** A group with this app alone. */
  | { readonly op: 'createGroup' }
  /** A key package for one join request. */
  | { readonly op: 'keyPackage' }
  | { readonly op: 'join'; readonly welcome: Uint8Array }
  /** A commit that adds a member, applied here at once, and its welcome. */
  | { readonly op: 'add'; readonly member: Name; readonly keyPackage: Uint8Array }
  /** A commit that removes a member, applied here at once. */
  | { readonly op: 'remove'; readonly member: Name }
  /** A commit of the moderator, which must be about one change. */
  | { readonly op: 'commit'; readonly commit: Uint8Array; readonly change: 'add' | 'remove' }
  | { readonly op: 'encrypt'; readonly payload: Uint8Array }
  /** `subject`: of the token the message came with, which must be that of the member who encrypted it. */
  | { readonly op: 'decrypt'; readonly ciphertext: Uint8Array; readonly subject: string };

/**
 * The answer: key package, commit, ciphertext or plaintext in `bytes`; `epoch` is that of the group afterwards, and `subjects` are
 * whom the tokens of its members name, where they may have changed. `leafEndsAtMs`, of an addition, is when the new member's token or ours ends, in milliseconds since 1970, if tokens do not all live an hour.
 */
export type MlsResult =
  | {
      readonly ok: true;
      readonly bytes: Uint8Array;
      readonly welcome?: Uint8Array;
      readonly epoch: number;
      readonly subjects?: readonly string[];
      readonly leafEndsAtMs?: number;
    }
  | { readonly ok: false; readonly error: MlsError };

/** A session message without what the driver adds when it leaves (the identity token). */
export interface OutboundMessage {
  readonly source: Name;
  readonly destination: Name;
  readonly fanout: number;
  readonly sessionType: number;
  readonly messageType: number;
  readonly sessionId: number;
  readonly messageId: number;
  readonly content: Content;
  readonly metadata: Metadata;
  /** Only ever true, on a negative RTX reply: peers test for presence. */
  readonly error?: true;
}

/** What this app is in a session: who made it, or somebody who was invited or called. */
export type Role = 'moderator' | 'participant';

/** Why a member is no longer in a group. */
export type LeftReason = 'removed' | 'left' | 'offline';

/** Progress of one own message. */
export type DeliveryState = 'queued' | 'sent' | 'acked' | 'failed';

/** How payloads of a session with MLS are protected: not yet, encrypted, or in clear although there are keys. */
export type ProtectionState = 'joining' | 'on' | 'keys-only';

/** Who has acknowledged an own message and who has not, at one moment: it never changes afterwards. */
export interface DeliveryProgress {
  /** Number of the message; undefined while it is queued. */
  readonly messageId: number | undefined;
  readonly acked: readonly Name[];
  readonly missing: readonly Name[];
}

/** A payload of a peer, ready for the application. */
export interface Delivered {
  readonly message: PublishMessage;
  readonly subject: string;
  /** Readable, also if it came encrypted. */
  readonly payload: Uint8Array;
  /** Whether it arrived as MLS ciphertext. */
  readonly isEncrypted: boolean;
}

/** Who wanted an invitation or removal that a notice is about. `ref`: what the application gave with its command. */
export interface RequestOrigin {
  readonly by: 'app' | 'controller';
  readonly ref?: string;
}

/** How an invitation goes on. `name` is as it was asked for, `member` the full name of who is in. */
export type InviteProgress = RequestOrigin & { readonly kind: 'invite'; readonly name: Name } & (
    | { readonly state: 'started' }
    | { readonly state: 'joined'; readonly member: Name }
    | { readonly state: 'failed'; readonly error: SlimError }
  );

/** How a removal goes on. `name` is as it was asked for. */
export type RemoveProgress = RequestOrigin & { readonly kind: 'remove'; readonly name: Name } & (
    { readonly state: 'started' | 'removed' } | { readonly state: 'failed'; readonly error: SlimError }
  );

/** What a session tells the application. */
export type SessionNotice =
  | { readonly kind: 'message'; readonly delivered: Delivered }
  /** A participant may use the session: the welcome is applied. */
  | { readonly kind: 'established'; readonly members: readonly Name[] }
  | { readonly kind: 'joined'; readonly member: Name; readonly members: readonly Name[] }
  | {
      readonly kind: 'left';
      readonly member: Name;
      readonly reason: LeftReason;
      readonly members: readonly Name[];
    }
  | { readonly kind: 'lost'; readonly from: Name; readonly messageId: number }
  /** Each request has its start and its one end, also if it was refused; only after the end of the session nothing is told. */
  | InviteProgress
  | RemoveProgress
  /**
   * The protection of payloads changed; `clearPeers` are members that send and read clear text only, `clearCopies` whether they get
   * copies in clear of what is encrypted for the others.
   */
  | {
      readonly kind: 'mls';
      readonly state: ProtectionState;
      readonly epoch?: number;
      readonly clearPeers: readonly Name[];
      readonly clearCopies?: boolean;
    }
  | {
      readonly kind: 'warning';
      readonly code:
        'protocol-violation' | 'mls-failed' | 'mls-clear-refused' | 'mls-decrypt-failed' | 'mls-leaf-ageing';
      readonly text: string;
    };

/** Why a session is over. `abandoned`: it never became usable. */
export type EndReason = 'left' | 'closed' | 'removed' | 'moderator-gone' | 'abandoned';

/** What a machine wants done. The driver does it in order. */
export type Effect =
  | { readonly kind: 'send'; readonly message: OutboundMessage }
  /** Take or give up the subscription of the channel at the node; on the same stream, in order with `send`. */
  | { readonly kind: 'subscribe'; readonly name: Name }
  | { readonly kind: 'unsubscribe'; readonly name: Name }
  | { readonly kind: 'setTimer'; readonly timer: TimerKey; readonly afterMs: number }
  | { readonly kind: 'clearTimer'; readonly timer: TimerKey }
  | { readonly kind: 'notify'; readonly notice: SessionNotice }
  /** Do this with the MLS group; the answer is the next input. */
  | { readonly kind: 'mls'; readonly id: MlsRequestId; readonly request: MlsRequest }
  /** A change of an own message; `acked` and `failed` settle its command. */
  | {
      readonly kind: 'delivery';
      readonly id: CommandId;
      readonly state: DeliveryState;
      readonly progress: DeliveryProgress;
      readonly error?: SlimError;
    }
  /** A command other than `publish` is done. `member`: who joined. */
  | { readonly kind: 'settle'; readonly id: CommandId; readonly error?: SlimError; readonly member?: Name }
  /** The session is over; the last effect of a machine. `answer`: to the request that ended it; who asks again gets it again. */
  | { readonly kind: 'end'; readonly reason: EndReason; readonly answer?: Answer };

/** Everything impure that a machine may ask for. */
export interface Env {
  /** Milliseconds of a clock that never runs backwards. It may stand still while the machine sleeps. */
  readonly nowMs: number;
  /** Milliseconds since 1970, by which tokens live: jumps when the machine wakes up, or its clock is set. */
  readonly wallMs: number;
  /** True while the application reads too slowly: new payloads are then neither taken nor acknowledged, so their sender repeats them. */
  readonly isReceiveQueueFull: boolean;
  /** Uniform in 0 … 2^32-1. */
  randomU32(): number;
}

/** One session, as a function from inputs to effects. */
export interface SessionMachine {
  /** Never throws on what a peer sent. Same inputs and same env give the same effects. */
  handle(input: Input, env: Env): Effect[];
  /** Full names, own included; empty before the session is usable. */
  readonly members: readonly Name[];
  /** Number of the newest own message; a later session of the same id goes on from here. */
  readonly lastPublishedId: number;
  /** Own messages that wait for their first transmission, those that are being encrypted included. */
  readonly queued: QueuedMessages;
}

/** How much waits. */
export interface QueuedMessages {
  readonly count: number;
  /** Of their payloads. */
  readonly bytes: number;
}

/** What a session is, fixed for its life. */
export interface SessionConfig {
  /** u32. */
  readonly sessionId: number;
  readonly type: 'group' | 'pointToPoint';
  /** Own full name in this session. */
  readonly local: Name;
  /** The group's channel; in a point-to-point session the name that was called. */
  readonly channel: Name;
  /** The moderator's full name. */
  readonly moderator: Name;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  /** False only where a peer called point-to-point without timer settings: then nothing is acknowledged or ordered. */
  readonly isReliable: boolean;
  /** Absent without MLS. */
  readonly mls?: { readonly policy: MlsPolicy };
  /** Whether the moderator of a group with MLS removes and invites members again before their leaves end. */
  readonly keepsAlive?: boolean;
  readonly metadata: Metadata;
  /** How long the moderator took to ask this participant in after it had found it. */
  readonly roundTripMs?: number;
  /** Number of the last message this app sent in an earlier session of the same id, 0 if none. */
  readonly resumeAfter: number;
}
