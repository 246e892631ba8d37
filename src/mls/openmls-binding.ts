import type { Freeable } from './owned.js';

/** What the adapter uses of the generated classes; tests put others in their place. */

/** A credential with its key, copied out of wasm memory at each access. */
export interface RawIdentity extends Freeable {
  readonly credential: Uint8Array;
  readonly signatureKey: Uint8Array;
}

/** A member. */
export interface RawLeaf extends RawIdentity {
  readonly index: number;
}

/** An opened welcome. */
export interface RawStagedJoin extends Freeable {
  members(): RawLeaf[];
  readonly sender: number;
  readonly ownIndex: number;
  accept(): RawGroup;
}

/** A verified commit. */
export interface RawStagedCommit extends Freeable {
  readonly committer: number;
  added(): RawIdentity[];
  removed(): Uint32Array;
  path(): RawIdentity | undefined;
  readonly selfRemoved: boolean;
}

/** A group. */
export interface RawGroup extends Freeable {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly ownIndex: number;
  readonly active: boolean;
  members(): RawLeaf[];
  add(
    keyPackage: Uint8Array,
    refresh?: Uint8Array,
  ): Freeable & { readonly commit: Uint8Array; readonly welcome: Uint8Array };
  remove(index: number, refresh?: Uint8Array): Uint8Array;
  mergePending(): void;
  clearPending(): void;
  stageCommit(commit: Uint8Array): RawStagedCommit;
  mergeStaged(commit: RawStagedCommit): void;
  encrypt(plaintext: Uint8Array, aad: Uint8Array): Uint8Array;
  decrypt(message: Uint8Array): Freeable & {
    readonly plaintext: Uint8Array;
    readonly sender: number;
    readonly aad: Uint8Array;
    readonly epoch: bigint;
  };
  exportSecret(label: string, context: Uint8Array, length: number): Uint8Array;
}

/** A client. */
export interface RawClient extends Freeable {
  readonly publicKey: Uint8Array;
  setCredential(credential: Uint8Array): void;
  sign(data: Uint8Array): Uint8Array;
  createKeyPackage(): Uint8Array;
  inspectKeyPackage(keyPackage: Uint8Array): RawIdentity & {
    readonly suite: number;
    readonly notBefore: bigint;
    readonly notAfter: bigint;
  };
  createGroup(): RawGroup;
  stageWelcome(welcome: Uint8Array): RawStagedJoin;
}

/** The module. */
export interface Binding {
  readonly Client: {
    new (suite: number): RawClient;
    fromKey(suite: number, privateKey: Uint8Array, publicKey: Uint8Array): RawClient;
  };
}
