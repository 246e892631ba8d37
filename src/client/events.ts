import type { Name } from '../name/index.js';
import type { DeliveryState, InviteProgress, LeftReason, ProtectionState, RemoveProgress } from '../protocol/index.js';
import type { SlimError } from '../util/index.js';
import type { Metadata } from '../wire/index.js';
import type { CompletionHandle } from './completion-handle.js';
import type { Session } from './session.js';

/** State of the link between an app and its node. */
export type ConnectionState =
  | { readonly kind: 'connecting'; readonly attempt: number }
  | { readonly kind: 'up' }
  | { readonly kind: 'lost'; readonly error: SlimError }
  | { readonly kind: 'retrying'; readonly attempt: number; readonly inMs: number; readonly error: SlimError }
  /** With an error: the node could not be reached again for as long as the configuration says. The app is then over. */
  | { readonly kind: 'closed'; readonly error?: SlimError };

/** What happens to an app outside its sessions. */
export type AppEvent =
  | { readonly kind: 'connection'; readonly state: ConnectionState }
  /** A session that somebody else made is usable; the same that `listenForSession` gives. */
  | { readonly kind: 'session'; readonly session: Session }
  /** `seconds`, with `clock-off`: by how much the other clock is ahead of ours; negative when it is behind. */
  | { readonly kind: 'warning'; readonly code: WarningCode; readonly text: string; readonly seconds?: number };

/** Things worth a human's look after which life goes on. */
export type WarningCode =
  | 'identity-rejected'
  | 'clock-off'
  | 'protocol-violation'
  | 'accept-failed'
  | 'mls-unsupported'
  | 'mls-failed'
  | 'mls-clear-refused'
  | 'mls-decrypt-failed'
  | 'mls-leaf-ageing'
  | 'subscription-refused'
  // why the connection to the node does not come back; it is tried on
  | 'unsupported-generation'
  | 'not-a-slim-node'
  | 'tls'
  | 'credentials-rejected'
  | 'queue-full'
  | 'message-too-large';

/**
 * How payloads of a session are protected: not at all; not yet; encrypted end to end; or keys are agreed and text is sent in
 * clear all the same, because everybody else does (SLIM before 1.0.1) or the app asked for it.
 */
export interface Protection {
  readonly state: 'off' | ProtectionState;
  /** Epoch of the MLS group. */
  readonly epoch?: number;
  /**
   * Full names of members that send and read clear text only, by what they have sent or by the identity of their version of SLIM.
   * While the state is `on` they cannot read what is sent, unless they get copies in clear.
   */
  readonly clearPeers: readonly Name[];
  /** Whether they get copies in clear of what is encrypted for the others, as `mlsPayload: 'mixed'` asks for. */
  readonly clearCopies?: boolean;
}

/** Why a session ended. */
export type CloseReason = 'left' | 'closed' | 'removed' | 'moderator-gone';

/** A payload that somebody published. */
export interface ReceivedMessage {
  /** Full name of the sender as the message says; authenticated only as far as the secret is shared. */
  readonly source: Name;
  /** The channel, or this app's own name when it was sent to this member only. */
  readonly destination: Name;
  /** The sender's number of it; random for a message to one member. */
  readonly messageId: number;
  /** `msg` if the sender set none. */
  readonly payloadType: string;
  readonly payload: Uint8Array;
  /** The payload as text; `undefined` if it is not UTF-8. */
  readonly text: string | undefined;
  readonly metadata: Metadata;
  /** The sender's token subject. */
  readonly identity: string;
  /** Whether it arrived as MLS ciphertext. */
  readonly encrypted: boolean;
}

/** What happens in a session, in order. */
export type SessionEvent =
  | { readonly kind: 'message'; readonly message: ReceivedMessage }
  /** `members` is the list after the change, own name included, full names. */
  | { readonly kind: 'joined'; readonly member: Name; readonly members: readonly Name[] }
  | {
      readonly kind: 'left';
      readonly member: Name;
      readonly reason: LeftReason;
      readonly members: readonly Name[];
    }
  /** Invitations and removals, whoever asked for them: each has its start and its one end, a failed one too. */
  | InviteProgress
  | RemoveProgress
  /** Each change of an own message; `acked` and `missing` are full names, `ref` is what `publish` was given. */
  | {
      readonly kind: 'delivery';
      readonly handle: CompletionHandle;
      readonly ref?: string;
      readonly state: DeliveryState;
      readonly acked: readonly Name[];
      readonly missing: readonly Name[];
      readonly error?: SlimError;
    }
  /** The protection of payloads changed. It is told before the first message that it is about. */
  | { readonly kind: 'mls'; readonly protection: Protection }
  /** A message of a member is missing. Should it come after all, because its sender tries once more, it is given out late. */
  | { readonly kind: 'lost'; readonly from: Name; readonly messageId: number }
  | { readonly kind: 'warning'; readonly code: WarningCode; readonly text: string }
  /** The last event of a session. */
  | { readonly kind: 'closed'; readonly reason: CloseReason };
