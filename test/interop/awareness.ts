import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

import type { Member } from '../harness/index.js';

/** How long a member may take to learn of something that its moderator has finished. */
export const NEWS_MS = 3_000;
/** The same for a real member, which cannot say that it was told; under a 0.7.0 moderator it may never be. */
const LIST_MS = 1_000;
/** Between two questions to a member that has no events to wait for. */
const POLL_MS = 10;

/** Whether a member of ours reports, after `mark` of its log, that `name` joined or left. */
export async function reports(member: Member, change: 'joined' | 'left', name: string, mark: number): Promise<boolean> {
  const seen = await member.waitFor((event) => event.kind === change && event.member === name, NEWS_MS, mark);
  return seen !== undefined;
}

/** Whether a member of ours knows of `name` from its session or from a later join. */
export async function knows(member: Member, name: string, mark: number): Promise<boolean> {
  const seen = await member.waitFor(
    (event) =>
      (event.kind === 'session' && event.members?.includes(name) === true) ||
      (event.kind === 'joined' && event.member === name),
    NEWS_MS,
    mark,
  );
  return seen !== undefined;
}

/**
 * Waits until a real member lists `name`, or lists it no more. Real members have no events about others, but 1.x can be asked.
 *
 * It matters: a 1.4.0 member that publishes while it is being told of a departure may never learn how that ended (seen among
 * real members alone, once in 80 departures).
 */
export async function untilListed(member: Member, name: string, isIn: boolean): Promise<void> {
  const deadlineMs = performance.now() + LIST_MS;
  while (performance.now() < deadlineMs) {
    const names = await member.participants(LIST_MS);
    if (names === undefined || names.includes(name) === isIn) return;
    await pause(POLL_MS);
  }
}
