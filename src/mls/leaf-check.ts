import { Buffer } from 'node:buffer';

import { assertNever, type MlsErrorCode } from '../util/index.js';
import { mlsError } from './mls-error.js';
import type { Leaf, LeafIdentity, StagedCommit } from './mls-port.js';

/** What a verifier finds in the token of a leaf. */
export type LeafToken =
  | {
      readonly ok: true;
      /** Whom the token names: the identity of the member in the group. */
      readonly subject: string;
      /** The key the token vouches for, raw. */
      readonly publicKey?: Uint8Array;
      /** When the token ends, in milliseconds since 1970; absent when all live equally long. */
      readonly expiresAtMs?: number;
    }
  | { readonly ok: false; readonly reason: LeafTokenProblem };

/** Why a token does not hold. */
type LeafTokenProblem = 'malformed' | 'bad-mac' | 'wrong-issuer' | 'wrong-audience' | 'expired' | 'future';

/** Checks the tokens in leaves. The verifier of `auth/` is one. */
export interface LeafTokenVerifier {
  /**
   * @param nowMs - milliseconds since 1970
   * @param checkTime - false: an expired token passes, one from the future does not
   */
  verify(token: string, nowMs: number, checkTime: boolean): LeafToken;
}

/** Who checks, and when. */
export interface LeafChecks {
  readonly verifier: LeafTokenVerifier;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** Whose a leaf is. */
export interface LeafHolder {
  /** Whom its token names. */
  readonly subject: string;
  /** See {@link LeafToken}. */
  readonly expiresAtMs?: number;
}

/** Who comes and who goes with a commit, by token subject. */
export interface CommitSubjects {
  readonly committer: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Longer credentials are no tokens; upstream's have a few hundred bytes. */
const MAX_CREDENTIAL_BYTES = 8192;

/**
 * Checks that a leaf is who it says: its token holds and is about its key (`identity_provider.rs:validate_member`). OpenMLS
 * authenticates keys only, so without this anybody could join as anybody.
 *
 * @param checkTime - true when the leaf enters (key package, welcome, path of a commit). False when it is in the group already:
 * tokens live an hour, groups longer, and upstream's check of the time at each look freezes its groups after that hour
 * @returns the subject of the token
 * @throws MlsError `mls-token-malformed`, `mls-token-mac`, `mls-token-expired`, `mls-token-future`, `mls-pubkey-missing`,
 * `mls-pubkey-mismatch`. `details.index` is the leaf of a member; once the token holds, `details.subject` says whose it is
 */
export function checkLeaf(leaf: LeafIdentity | Leaf, checks: LeafChecks, checkTime: boolean): string {
  return holderOf(leaf, checks, checkTime).subject;
}

function holderOf(leaf: LeafIdentity | Leaf, { verifier, nowMs }: LeafChecks, checkTime: boolean): LeafHolder {
  const where = 'index' in leaf ? { index: leaf.index } : {};
  const text = leaf.credential.length <= MAX_CREDENTIAL_BYTES ? decodeUtf8(leaf.credential) : undefined;
  if (text === undefined) throw mlsError('mls-token-malformed', { details: where });
  const token = verifier.verify(text, nowMs, checkTime);
  if (!token.ok) throw mlsError(codeOf(token.reason), { details: where });
  const { subject, publicKey, expiresAtMs } = token;
  const details = { ...where, subject };
  if (publicKey === undefined) throw mlsError('mls-pubkey-missing', { details });
  if (!Buffer.from(publicKey).equals(leaf.signatureKey)) throw mlsError('mls-pubkey-mismatch', { details });
  return { subject, ...(expiresAtMs !== undefined && { expiresAtMs }) };
}

/**
 * Checks the leaf of a key package before it is added to a group.
 *
 * @param members - of the group
 * @param checkMemberTime - true: refuse as well when the token of a member has expired. With peers that run mls-rs in the group
 * or joining it that is the answer, because they would refuse to join, and nothing would tell us
 * @throws MlsError as {@link checkLeaf}; `mls-subject-duplicate` when a member has that subject: mls-rs refuses a second one
 * (`tree_index.rs:insert`), so such an add would leave its members behind
 */
export function checkKeyPackage(
  leaf: LeafIdentity,
  members: readonly Leaf[],
  checks: LeafChecks,
  checkMemberTime: boolean,
): LeafHolder {
  const subjects = subjectsOf(members, checks, checkMemberTime);
  const holder = holderOf(leaf, checks, true);
  const { subject } = holder;
  if ([...subjects.values()].includes(subject)) throw mlsError('mls-subject-duplicate', { details: { subject } });
  return holder;
}

/**
 * Checks all members of a group.
 *
 * @param checkTime - true on joining, as strict as upstream's members; false later
 * @returns subjects by leaf index
 * @throws MlsError as {@link checkLeaf} with `details.index`; `mls-subject-duplicate`
 */
export function checkMembers(
  members: readonly Leaf[],
  checks: LeafChecks,
  checkTime: boolean,
): ReadonlyMap<number, string> {
  const subjects = subjectsOf(members, checks, checkTime);
  assertUnique(subjects.values());
  return subjects;
}

/**
 * Checks the leaves that a commit brings, before it is merged: each added one, the new leaf of the committer, and that all
 * members will have different subjects.
 *
 * @param members - before the commit
 * @throws MlsError as {@link checkLeaf}; `mls-subject-duplicate`; `mls-successor-mismatch` when the committer would become
 * somebody else; `mls-unknown-sender` when it is no member
 */
export function checkCommit(commit: StagedCommit, members: readonly Leaf[], checks: LeafChecks): CommitSubjects {
  const subjects = new Map(subjectsOf(members, checks, false));
  const committer = subjects.get(commit.committerIndex);
  if (committer === undefined) throw mlsError('mls-unknown-sender', { details: { index: commit.committerIndex } });
  if (commit.path !== undefined && checkLeaf(commit.path, checks, true) !== committer) {
    throw mlsError('mls-successor-mismatch', { details: { subject: committer } });
  }
  const removed = commit.removed.map((index) => {
    const subject = subjects.get(index);
    if (subject === undefined) throw mlsError('mls-unknown-member', { details: { index } });
    return subject;
  });
  const added = commit.added.map((leaf) => checkLeaf(leaf, checks, true));
  for (const index of commit.removed) subjects.delete(index);
  assertUnique([...subjects.values(), ...added]);
  return { committer, added, removed };
}

/**
 * Checks that a commit does what the message around it announces, and that it comes from the moderator: in SLIM nobody else
 * changes the group. Peers do not check this.
 *
 * @param moderatorIndex - leaf of the member whose welcome we joined by
 * @throws MlsError `mls-unexpected-commit`
 */
export function checkCommitShape(commit: StagedCommit, change: 'add' | 'remove', moderatorIndex: number): void {
  const { committerIndex, added, removed } = commit;
  const isAdd = change === 'add';
  if (committerIndex === moderatorIndex && added.length === (isAdd ? 1 : 0) && removed.length === (isAdd ? 0 : 1)) {
    return;
  }
  throw mlsError('mls-unexpected-commit', {
    details: { change, committerIndex, moderatorIndex, added: added.length, removed: removed.length },
  });
}

function subjectsOf(members: readonly Leaf[], checks: LeafChecks, checkTime: boolean): Map<number, string> {
  return new Map(members.map((leaf) => [leaf.index, checkLeaf(leaf, checks, checkTime)]));
}

function assertUnique(subjects: Iterable<string>): void {
  const seen = new Set<string>();
  for (const subject of subjects) {
    if (seen.has(subject)) throw mlsError('mls-subject-duplicate', { details: { subject } });
    seen.add(subject);
  }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    // Not UTF-8 is an expected answer: the caller refuses the leaf.
    return undefined;
  }
}

function codeOf(reason: LeafTokenProblem): MlsErrorCode {
  switch (reason) {
    case 'malformed':
      return 'mls-token-malformed';
    case 'bad-mac':
    case 'wrong-issuer':
    case 'wrong-audience':
      return 'mls-token-mac';
    case 'expired':
      return 'mls-token-expired';
    case 'future':
      return 'mls-token-future';
    default:
      return assertNever(reason);
  }
}
