/**
 * Processes for tests: JSON-line children, real and own SLIM members behind one interface, and nodes of every kind.
 *
 * Invariants: every child ends with the test process, also when that is killed; waits end on events or at a deadline and never
 * sleep; nothing here knows what a test expects.
 *
 * @packageDocumentation
 */
export { type FaultCounts, FaultyPipe, type FaultRates } from './faulty-pipe.js';
export { freePort } from './free-port.js';
export {
  type ExitStatus,
  JsonProcess,
  type JsonObject,
  type JsonProcessOptions,
  type LogEntry,
} from './json-process.js';
export { LivingGroup } from './living-group.js';
export {
  type CommandOutcome,
  type GroupOptions,
  Member,
  type MemberDialect,
  type MemberEvent,
  type MemberOptions,
  type TimedEvent,
} from './member.js';
export { type NodeKind, type NodeProcess, startNode } from './node-process.js';
export { programPath, repoRoot } from './paths.js';
export { installedParts, kitFolder, pythonOf, scriptOf } from './peers-kit.js';
export { type ProxyProcess, startProxy } from './proxy-process.js';
export { realMember, strictMember } from './real-member.js';
export { slimChatMember } from './slim-chat-member.js';
export { buildWallClock, WallClock } from './wall-clock.js';
