import type { Leaf, LeafIdentity, StagedCommit } from '../../../src/mls/index.js';
import { mlsError } from '../../../src/mls/mls-error.js';
import { joined, leafFromJson, type MemoryMessages, spread } from './memory-message.js';

/** Length of the secret of an epoch. */
export const SECRET_BYTES = 16;

/** One epoch of a group of the fake. */
export interface MemoryEpoch {
  readonly number: bigint;
  readonly secret: Uint8Array;
  /** By index; undefined where nobody is. */
  readonly leaves: readonly (LeafIdentity | undefined)[];
}

/** The epoch after a commit. New members take the leftmost free leaves, as in MLS. */
export function nextEpoch(
  { number, secret, leaves }: MemoryEpoch,
  commit: MemoryMessages[1],
  bytes: Uint8Array,
): MemoryEpoch {
  if (leaves[commit.committer] === undefined) throw mlsError('mls-unknown-sender');
  const next = [...leaves];
  for (const index of commit.removed) next[index] = undefined;
  for (const added of commit.added) {
    const free = next.indexOf(undefined);
    next[free === -1 ? next.length : free] = leafFromJson(added);
  }
  if (commit.path !== undefined) next[commit.committer] = leafFromJson(commit.path);
  return { number: number + 1n, secret: spread(joined(secret, bytes), SECRET_BYTES), leaves: next };
}

/** The leaves that are taken. */
export function membersOf(leaves: MemoryEpoch['leaves']): Leaf[] {
  return leaves.flatMap((leaf, index) => (leaf === undefined ? [] : [{ index, ...leaf }]));
}

/**
 * Makes sure that a key package is valid now.
 *
 * @param now - seconds since 1970, as the bounds
 * @throws MlsError `mls-lifetime-not-yet`, `mls-lifetime-expired`
 */
export function checkLifetime({ notBefore, notAfter }: { notBefore: number; notAfter: number }, now: number): void {
  if (now < notBefore) throw mlsError('mls-lifetime-not-yet', { details: { notBefore } });
  if (now > notAfter) throw mlsError('mls-lifetime-expired', { details: { notAfter } });
}

/** A commit that a group of the fake has read. */
export class MemoryStagedCommit implements StagedCommit {
  readonly committerIndex: number;
  readonly added: readonly LeafIdentity[];
  readonly removed: readonly number[];
  readonly path: LeafIdentity | undefined;
  readonly selfRemoved: boolean;
  #apply: (() => void) | undefined;

  /** @param apply - enters the epoch of the commit */
  constructor(commit: MemoryMessages[1], ownIndex: number, apply: () => void) {
    this.committerIndex = commit.committer;
    this.added = commit.added.map(leafFromJson);
    this.removed = commit.removed;
    this.path = commit.path && leafFromJson(commit.path);
    this.selfRemoved = commit.removed.includes(ownIndex);
    this.#apply = apply;
  }

  merge(): void {
    const apply = this.#apply;
    this.free();
    if (apply === undefined) throw mlsError('mls-freed');
    apply();
  }

  free(): void {
    this.#apply = undefined;
  }
}
