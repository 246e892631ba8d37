import type { Name } from '../name/index.js';
import { SessionError, UsageError } from '../util/index.js';
import type { Moment } from './leaf-ages.js';
import type { CommandId } from './machine.js';

/** An invitation from `invite` to the last acknowledgement. Discovery and join of several run side by side. */
export interface Invitation {
  readonly kind: 'invitation';
  /** Undefined once the command is settled. */
  command: CommandId | undefined;
  /** As the application gave it. */
  readonly name: Name;
  /** Who answered the discovery. */
  member: Name | undefined;
  /** With MLS: what its join reply brought. */
  keyPackage: Uint8Array | undefined;
  /** When it was asked to join. */
  askedAt: Moment;
  /** See `MlsAddition`. */
  leafEndsAtMs: number | undefined;
  /** The new member has not acknowledged its welcome yet. */
  awaitsWelcomeAck: boolean;
  /** The others have not all acknowledged the addition yet. */
  awaitsAddAcks: boolean;
}

/** A member on its way out. */
export interface Removal {
  readonly kind: 'removal';
  command: CommandId | undefined;
  readonly member: Name;
  readonly reason: 'removed' | 'left' | 'offline';
  /** Whether the application ever heard of this member. */
  readonly wasAnnounced: boolean;
  /**
   * Whether the member is asked to leave before the others are told, and has been. Nothing that it said is under way then when
   * they forget it: what comes later, upstream's members take for the first message of a new stream, and those that it sends
   * when it is back for repetitions (`session_receiver.rs:on_publish_message`).
   */
  departure?: 'asked-first' | 'has-left';
}

/** What an outstanding control request belongs to. The kind says which reply settles it. */
export type Step =
  | { readonly kind: 'discovery'; readonly invitation: Invitation }
  | { readonly kind: 'join'; readonly invitation: Invitation }
  | { readonly kind: 'welcome'; readonly invitation: Invitation }
  | { readonly kind: 'add'; readonly invitation: Invitation }
  | { readonly kind: 'remove'; readonly removal: Removal }
  | { readonly kind: 'leave'; readonly removal: Removal }
  | { readonly kind: 'close' };

/** A change of the member list. One at a time: the next starts when the new member is in, or the others know who is out. */
export type MembershipChange = Invitation | Removal;

/** What an invitation fails with that nobody answers. */
export function inviteTimeout(invitation: Invitation): SessionError {
  const name = invitation.name.toString();
  return new SessionError('invite-timeout', `no answer from ${name}: not running, other name, or different secret`);
}

/** What an invitation or removal fails with where there is no group. */
export function noGroupError(what: 'invite' | 'remove'): UsageError {
  return new UsageError('invalid-option', `cannot ${what} a participant in a point-to-point session`);
}

/** What an invitation into an MLS group fails with when the invited app has no MLS. */
export function noKeyPackageError(member: Name): SessionError {
  const text = `${member.toString()} joined without a key package, so it cannot take part in a group with MLS`;
  return new SessionError('mls-unsupported', text);
}
