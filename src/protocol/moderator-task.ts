import type { Name } from '../name/index.js';
import { SessionError, UsageError } from '../util/index.js';
import type { Moment } from './leaf-ages.js';
import type { LeftReason } from './machine.js';
import type { MembershipRequest } from './requester.js';

/** An invitation from `invite` to the last acknowledgement. Discovery and join of several run side by side. */
export interface Invitation {
  readonly kind: 'invitation';
  /** Who waits for it; empty once they have their answer. */
  readonly requests: MembershipRequest[];
  /** As the first of them gave it. */
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
  /** Who waits for it; nobody if the member went by itself. */
  readonly requests: MembershipRequest[];
  /** Invitations of the same name that wait for its end. */
  readonly wantedBack: MembershipRequest[];
  readonly member: Name;
  readonly reason: LeftReason;
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

/** A step of an invitation or a removal; the end of the session is none. */
export type MemberStep = Exclude<Step, { kind: 'close' }>;

/** A change of the member list. One at a time: the next starts when the new member is in, or the others know who is out. */
export type MembershipChange = Invitation | Removal;

/** What an invitation fails with that nobody answers. */
export function inviteTimeout(invitation: Invitation): SessionError {
  const name = invitation.name.toString();
  return new SessionError(
    'invite-timeout',
    `no answer from ${name}: not running, other name, different secret, or clocks that differ`,
  );
}

/** What an invitation fails with whose name has an instance in the group. */
export function alreadyInGroupError(name: Name): SessionError {
  return new SessionError('already-in-group', `participant already in group: ${name.toString()}`);
}

/** What an invitation fails with that a removal of the same name has ended. */
export function withdrawnError(name: Name): SessionError {
  return new SessionError('aborted', `the invitation of ${name.toString()} was taken back by a removal`);
}

/** What a removal fails with that means nobody in the group. */
export function notFoundError(name: Name): SessionError {
  return new SessionError('participant-not-found', `participant not found: ${name.toString()}`);
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
