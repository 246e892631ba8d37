/* tslint:disable */
/* eslint-disable */

export class Addition {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    readonly commit: Uint8Array;
    readonly welcome: Uint8Array;
}

export class Client {
    free(): void;
    [Symbol.dispose](): void;
    createGroup(): Group;
    createKeyPackage(): Uint8Array;
    static fromKey(suite: number, private_key: Uint8Array, public_key: Uint8Array): Client;
    inspectKeyPackage(bytes: Uint8Array): KeyPackageInfo;
    constructor(suite: number);
    setCredential(credential: Uint8Array): void;
    sign(data: Uint8Array): Uint8Array;
    stageWelcome(bytes: Uint8Array): StagedJoin;
    readonly publicKey: Uint8Array;
}

export class Group {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    add(key_package: Uint8Array, refresh?: Uint8Array | null): Addition;
    clearPending(): void;
    decrypt(bytes: Uint8Array): Opened;
    encrypt(plaintext: Uint8Array, aad: Uint8Array): Uint8Array;
    exportSecret(label: string, context: Uint8Array, length: number): Uint8Array;
    members(): Leaf[];
    mergePending(): void;
    mergeStaged(commit: StagedCommit): void;
    remove(index: number, refresh?: Uint8Array | null): Uint8Array;
    stageCommit(bytes: Uint8Array): StagedCommit;
    readonly active: boolean;
    readonly epoch: bigint;
    readonly groupId: Uint8Array;
    readonly ownIndex: number;
}

export class Identity {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    readonly credential: Uint8Array;
    readonly signatureKey: Uint8Array;
}

export class KeyPackageInfo {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    readonly credential: Uint8Array;
    readonly notAfter: bigint;
    readonly notBefore: bigint;
    readonly signatureKey: Uint8Array;
    readonly suite: number;
}

export class Leaf {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    readonly credential: Uint8Array;
    readonly index: number;
    readonly signatureKey: Uint8Array;
}

export class Opened {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    readonly aad: Uint8Array;
    readonly epoch: bigint;
    readonly plaintext: Uint8Array;
    readonly sender: number;
}

/**
 * Empty once it was merged.
 */
export class StagedCommit {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    added(): Identity[];
    path(): Identity | undefined;
    removed(): Uint32Array;
    readonly committer: number;
    readonly selfRemoved: boolean;
}

/**
 * Empty once it was accepted.
 */
export class StagedJoin {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    accept(): Group;
    members(): Leaf[];
    readonly ownIndex: number;
    readonly sender: number;
}

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_addition_free: (a: number, b: number) => void;
    readonly __wbg_client_free: (a: number, b: number) => void;
    readonly __wbg_get_addition_commit: (a: number, b: number) => void;
    readonly __wbg_get_addition_welcome: (a: number, b: number) => void;
    readonly __wbg_get_identity_credential: (a: number, b: number) => void;
    readonly __wbg_get_identity_signatureKey: (a: number, b: number) => void;
    readonly __wbg_get_keypackageinfo_credential: (a: number, b: number) => void;
    readonly __wbg_get_keypackageinfo_notAfter: (a: number) => bigint;
    readonly __wbg_get_keypackageinfo_notBefore: (a: number) => bigint;
    readonly __wbg_get_keypackageinfo_signatureKey: (a: number, b: number) => void;
    readonly __wbg_get_keypackageinfo_suite: (a: number) => number;
    readonly __wbg_get_leaf_credential: (a: number, b: number) => void;
    readonly __wbg_get_leaf_index: (a: number) => number;
    readonly __wbg_get_leaf_signatureKey: (a: number, b: number) => void;
    readonly __wbg_get_opened_aad: (a: number, b: number) => void;
    readonly __wbg_get_opened_epoch: (a: number) => bigint;
    readonly __wbg_get_opened_plaintext: (a: number, b: number) => void;
    readonly __wbg_get_opened_sender: (a: number) => number;
    readonly __wbg_group_free: (a: number, b: number) => void;
    readonly __wbg_identity_free: (a: number, b: number) => void;
    readonly __wbg_keypackageinfo_free: (a: number, b: number) => void;
    readonly __wbg_leaf_free: (a: number, b: number) => void;
    readonly __wbg_opened_free: (a: number, b: number) => void;
    readonly __wbg_stagedcommit_free: (a: number, b: number) => void;
    readonly __wbg_stagedjoin_free: (a: number, b: number) => void;
    readonly client_createGroup: (a: number, b: number) => void;
    readonly client_createKeyPackage: (a: number, b: number) => void;
    readonly client_fromKey: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
    readonly client_inspectKeyPackage: (a: number, b: number, c: number, d: number) => void;
    readonly client_new: (a: number, b: number) => void;
    readonly client_publicKey: (a: number, b: number) => void;
    readonly client_setCredential: (a: number, b: number, c: number) => void;
    readonly client_sign: (a: number, b: number, c: number, d: number) => void;
    readonly client_stageWelcome: (a: number, b: number, c: number, d: number) => void;
    readonly group_active: (a: number) => number;
    readonly group_add: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
    readonly group_clearPending: (a: number, b: number) => void;
    readonly group_decrypt: (a: number, b: number, c: number, d: number) => void;
    readonly group_encrypt: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
    readonly group_epoch: (a: number) => bigint;
    readonly group_exportSecret: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => void;
    readonly group_groupId: (a: number, b: number) => void;
    readonly group_members: (a: number, b: number) => void;
    readonly group_mergePending: (a: number, b: number) => void;
    readonly group_mergeStaged: (a: number, b: number, c: number) => void;
    readonly group_ownIndex: (a: number) => number;
    readonly group_remove: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly group_stageCommit: (a: number, b: number, c: number, d: number) => void;
    readonly stagedcommit_added: (a: number, b: number) => void;
    readonly stagedcommit_committer: (a: number, b: number) => void;
    readonly stagedcommit_path: (a: number, b: number) => void;
    readonly stagedcommit_removed: (a: number, b: number) => void;
    readonly stagedcommit_selfRemoved: (a: number, b: number) => void;
    readonly stagedjoin_accept: (a: number, b: number) => void;
    readonly stagedjoin_members: (a: number, b: number) => void;
    readonly stagedjoin_ownIndex: (a: number, b: number) => void;
    readonly stagedjoin_sender: (a: number, b: number) => void;
    readonly __wbindgen_export: (a: number) => void;
    readonly __wbindgen_add_to_stack_pointer: (a: number) => number;
    readonly __wbindgen_export2: (a: number, b: number, c: number) => void;
    readonly __wbindgen_export3: (a: number, b: number) => number;
    readonly __wbindgen_export4: (a: number, b: number, c: number, d: number) => number;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path?: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
