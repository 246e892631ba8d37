import type { LeafAges } from './leaf-ages.js';
import type { ModeratorChanges } from './moderator-changes.js';
import type { ModeratorMls } from './moderator-mls.js';
import type { ModeratorSteps } from './moderator-steps.js';
import type { ModeratorPings } from './moderator-pings.js';
import type { SessionCore } from './session-core.js';

/** What invitations and removals of one session work with. */
export interface ModeratorParts {
  readonly core: SessionCore;
  readonly steps: ModeratorSteps;
  readonly pings: ModeratorPings;
  readonly changes: ModeratorChanges;
  /** Undefined without MLS. */
  readonly mls: ModeratorMls | undefined;
  readonly leafAges: LeafAges;
}
