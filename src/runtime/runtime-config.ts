import type { Name } from '../name/index.js';
import type { AcceptPolicy } from './invitation-desk.js';

/** What a `ChatRuntime` is to do. */
export interface RuntimeConfig {
  readonly version: string;
  /** Group to moderate; `undefined` for a participant. */
  readonly channel: Name | undefined;
  readonly invites: readonly Name[];
  /** T and R of the group; `undefined` leaves them to the client. */
  readonly timeoutMs: number | undefined;
  readonly maxRetries: number | undefined;
  /** Whether the group is encrypted end to end. */
  readonly mls: boolean;
  readonly keepAliveGroup: boolean;
  /** Whether members that cannot decrypt get copies in clear of what is encrypted for the others. */
  readonly givesClearCopies: boolean;
  readonly waitInvites: boolean;
  /** Which invitations of others are accepted. */
  readonly accept: AcceptPolicy;
  /** Longest wait for deliveries when the input has ended. */
  readonly lingerMs: number | undefined;
  readonly isNodeEmbedded: boolean;
  readonly logFile: string | undefined;
  /** Whether undelivered messages make exit code 6. */
  readonly isStrict: boolean;
  /** Whether messages for a group that is not there yet wait for it instead of being refused. */
  readonly holdsMessages: boolean;
}
