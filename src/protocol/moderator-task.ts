import type { Name } from '../name/index.js';
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
