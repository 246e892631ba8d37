import type { Name } from '../name/index.js';
import type { MlsPayload } from '../wire/index.js';
import type { SessionConfig } from './machine.js';
import { FANOUT_ALL, FANOUT_ONE, flagged, NO_METADATA } from './message-builder.js';
import type { StepRequest } from './moderator-steps.js';
import type { Removal } from './moderator-task.js';
import type { SessionCore } from './session-core.js';

/** Asks who was discovered to join. */
export function joinRequest(config: SessionConfig, member: Name, enableMls: boolean): StepRequest {
  const { timeoutMs, maxRetries, metadata } = config;
  const content = {
    kind: 'joinRequest',
    enableMls,
    timerSettings: { timeoutMs, maxRetries },
    ...(config.type === 'group' && { channel: config.channel }),
  } as const;
  return { destination: member, fanout: FANOUT_ONE, content, expected: [member], metadata };
}

/** Tells those who were there before of a new member, who is in the list already. */
export function addRequest(
  { config, members }: SessionCore,
  newParticipant: Name,
  expected: readonly Name[],
  mls: MlsPayload | undefined,
): StepRequest {
  const content = { kind: 'groupAdd', newParticipant, participants: members, ...(mls && { mls }) } as const;
  return { destination: config.channel, fanout: FANOUT_ALL, content, expected };
}

/** Tells a new member who is in the group. */
export function welcomeRequest({ members }: SessionCore, member: Name, mls: MlsPayload | undefined): StepRequest {
  const content = { kind: 'groupWelcome', participants: members, ...(mls && { mls }) } as const;
  return { destination: member, fanout: FANOUT_ONE, content, expected: [member] };
}

/** Tells those who are left of a removal. Upstream also waits for the removed one; a 0.7 member may be unable to answer. */
export function removeRequest(
  { config, members, others }: SessionCore,
  { member, reason }: Removal,
  mls: MlsPayload | undefined,
): StepRequest {
  const flag = reason === 'left' ? 'leavingSession' : 'disconnectionDetected';
  const metadata = reason === 'removed' ? NO_METADATA : flagged(flag);
  const content = {
    kind: 'groupRemove',
    removedParticipant: member,
    participants: members,
    ...(mls && { mls }),
  } as const;
  return { destination: config.channel, fanout: FANOUT_ALL, content, expected: others, metadata };
}
