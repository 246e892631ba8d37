/**
 * 1: X25519, AES-128-GCM, Ed25519, with public keys of 32 bytes; all peers of generation 1. 2: P-256, with public keys of 65
 * bytes (uncompressed point) and signatures in DER.
 */
export type MlsSuite = 1 | 2;

/** A credential and the signature key it should be about. MLS itself does not compare them: `leaf-check.ts` does. */
export interface LeafIdentity {
  /** The identity token as UTF-8. Chosen by the member. */
  readonly credential: Uint8Array;
  /** Raw public key. */
  readonly signatureKey: Uint8Array;
}

/** A member. */
export interface Leaf extends LeafIdentity {
  /** Position in the tree: stable while the member is in the group, given to somebody else later. */
  readonly index: number;
}

/** What a key package says; its signatures hold and it is valid now. */
export interface KeyPackageInfo extends LeafIdentity {
  readonly suite: MlsSuite;
  /** Unix time in seconds, both bounds. */
  readonly notBefore: bigint;
  readonly notAfter: bigint;
}

/** Options of a commit. */
export interface CommitOptions {
  /** A new credential (token) for the own leaf, for the same key. The commit then has a path. */
  readonly refresh?: Uint8Array;
}

/** A payload that was opened. */
export interface Decrypted {
  readonly plaintext: Uint8Array;
  /** Leaf of the sender, who is a member of the group now as well. */
  readonly senderIndex: number;
  /** What travelled beside it in clear; empty in generation 1. */
  readonly aad: Uint8Array;
  readonly epoch: bigint;
}

/** Makes clients. */
export interface MlsEngine {
  /** A client with a new signature key pair. */
  createClient(suite: MlsSuite): MlsClient;
  /**
   * A client with keys made elsewhere.
   *
   * @param privateKey - 32 bytes: the seed of Ed25519, or the scalar of P-256
   * @param publicKey - 32 or 65 bytes
   * @throws MlsError `mls-malformed`, `mls-bad-signature` when the keys do not belong together
   */
  clientFromKey(suite: MlsSuite, privateKey: Uint8Array, publicKey: Uint8Array): MlsClient;
}

/**
 * One signature key, its credential, its key packages and groups. SLIM makes one for each session. Everything is synchronous
 * and in memory; calls do no I/O.
 *
 * All calls throw MlsError: `mls-freed` after {@link free}, `mls-internal` after the engine crashed in this client.
 */
export interface MlsClient {
  readonly suite: MlsSuite;
  /** Raw; it goes into the token before the token goes into {@link setCredential}. */
  readonly publicKey: Uint8Array;
  /** The token of key packages and groups made from now on. Groups that exist change theirs with a commit that refreshes. */
  setCredential(credential: Uint8Array): void;
  /** A signature with the key of this client. */
  sign(data: Uint8Array): Uint8Array;
  /**
   * A key package (MLSMessage) for one join; the private half stays here.
   *
   * @throws MlsError `mls-no-credential`
   */
  createKeyPackage(): Uint8Array;
  /**
   * Reads a key package of either suite and checks its signatures.
   *
   * @throws MlsError `mls-malformed`, `mls-wrong-type`, `mls-unsupported-suite`, `mls-bad-signature`; `mls-lifetime-not-yet` with
   * `details.notBefore` and `mls-lifetime-expired` with `details.notAfter`, numbers of seconds since 1970. The key packages of
   * mls-rs begin "now", so a clock that is a second behind makes the former: wait and try again
   */
  inspectKeyPackage(keyPackage: Uint8Array): KeyPackageInfo;
  /**
   * A new group with this client alone.
   *
   * @throws MlsError `mls-no-credential`
   */
  createGroup(): MlsGroup;
  /**
   * Opens a welcome (MLSMessage) without joining. Uses the key package up, unless it throws.
   *
   * @throws MlsError `mls-no-key-package`, `mls-malformed`, `mls-wrong-type`, `mls-unsupported-suite`, `mls-aead`,
   * `mls-bad-signature`, `mls-tree-mismatch`, `mls-unknown-sender`
   */
  stageWelcome(welcome: Uint8Array): StagedJoin;
  /** Frees it with all its groups, staged joins and staged commits, and wipes their keys. May be called again. */
  free(): void;
}

/** A group to join once its members are checked. */
export interface StagedJoin {
  /** All members, ourselves included. */
  readonly members: readonly Leaf[];
  /** Leaf of who made the welcome. */
  readonly senderIndex: number;
  readonly ownIndex: number;
  /**
   * Joins. The staged join is freed.
   *
   * @throws MlsError `mls-freed` when it was accepted or freed before
   */
  accept(): MlsGroup;
  /** Drops it. May be called again. */
  free(): void;
}

/** A verified commit of another member, to be merged once its leaves are checked. */
export interface StagedCommit {
  /** Leaf of who made it. */
  readonly committerIndex: number;
  readonly added: readonly LeafIdentity[];
  /** Leaves. */
  readonly removed: readonly number[];
  /** The new leaf of the committer. */
  readonly path: LeafIdentity | undefined;
  /** Whether we are among the removed. */
  readonly selfRemoved: boolean;
  /**
   * Enters the next epoch; an own pending commit is dropped. The staged commit is freed.
   *
   * @throws MlsError `mls-freed`, `mls-inactive`, `mls-wrong-epoch-past` when another commit was merged in between
   */
  merge(): void;
  /** Drops it. May be called again. */
  free(): void;
}

/** What an add gives: for the members, and for the new one. Both MLSMessages. */
export interface MlsAddition {
  readonly commit: Uint8Array;
  readonly welcome: Uint8Array;
}

/**
 * One group as this member sees it.
 *
 * All calls throw MlsError: `mls-freed` after {@link free}, `mls-internal` after the engine crashed in this group. All but the
 * getters, `members`, `clearPending` and `free` throw `mls-inactive` once this member was removed.
 */
export interface MlsGroup {
  /** 32 bytes when made by us or by mls-rs. */
  readonly groupId: Uint8Array;
  /** Number of commits so far. */
  readonly epoch: bigint;
  readonly ownIndex: number;
  /** False once this member was removed. */
  readonly active: boolean;
  /** By ascending index. */
  members(): Leaf[];
  /**
   * A commit that adds a member; pending until {@link mergePending}. Check the credential before.
   *
   * @throws MlsError as `inspectKeyPackage`; `mls-unsupported-suite` for another suite than that of the group;
   * `mls-duplicate-member`, `mls-pending-commit`
   */
  add(keyPackage: Uint8Array, options?: CommitOptions): MlsAddition;
  /**
   * A commit that removes a member; pending until {@link mergePending}.
   *
   * @throws MlsError `mls-unknown-member`, also for the own leaf; `mls-pending-commit`
   */
  remove(index: number, options?: CommitOptions): Uint8Array;
  /**
   * Enters the epoch of the own commit.
   *
   * @throws MlsError `mls-no-pending-commit`
   */
  mergePending(): void;
  /** Forgets the own commit, if there is one: it was not sent. */
  clearPending(): void;
  /**
   * Verifies a commit of another member without merging it.
   *
   * @throws MlsError `mls-malformed`, `mls-wrong-type` (also for a commit that does more than add and remove),
   * `mls-wrong-group`, `mls-wrong-epoch-past`, `mls-wrong-epoch-future`, `mls-own-message`, `mls-bad-signature`,
   * `mls-tree-mismatch`, `mls-duplicate-member`, `mls-unknown-sender`, `mls-unknown-member`; `mls-lifetime-*` for an added
   * member, as `inspectKeyPackage`
   */
  stageCommit(commit: Uint8Array): StagedCommit;
  /**
   * A payload (MLSMessage) for all members; works while a commit is pending.
   *
   * @param aad - goes along in clear, but cannot be changed
   */
  encrypt(plaintext: Uint8Array, aad?: Uint8Array): Uint8Array;
  /**
   * Opens a payload of another member, once. A message that was changed leaves the genuine one readable.
   *
   * Three past epochs stay readable, for members that still are.
   *
   * @throws MlsError `mls-malformed`, `mls-wrong-type`, `mls-wrong-group`, `mls-wrong-epoch-past`, `mls-wrong-epoch-future`,
   * `mls-aead`, `mls-replay`, `mls-too-far-ahead`, `mls-too-far-behind`, `mls-own-message`, `mls-unknown-sender`,
   * `mls-bad-signature`
   */
  decrypt(message: Uint8Array): Decrypted;
  /**
   * A secret that all members of this epoch can derive.
   *
   * @param length - bytes, at most 65535
   * @throws MlsError `mls-malformed` for a longer one
   */
  exportSecret(label: string, context: Uint8Array, length: number): Uint8Array;
  /** Frees it, and wipes its keys. May be called again. */
  free(): void;
}
