import { readFile } from 'node:fs/promises';

import { mlsError } from './mls-error.js';
import type {
  CommitOptions,
  Decrypted,
  KeyPackageInfo,
  Leaf,
  LeafIdentity,
  MlsAddition,
  MlsClient,
  MlsEngine,
  MlsGroup,
  MlsSuite,
  StagedCommit,
  StagedJoin,
} from './mls-port.js';
import type {
  Binding,
  RawClient,
  RawGroup,
  RawIdentity,
  RawLeaf,
  RawStagedCommit,
  RawStagedJoin,
} from './openmls-binding.js';
import { type Freeable, guarded, Owned, Owner } from './owned.js';

/** Known to the types of browsers only. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

const NO_BYTES = new Uint8Array();

let engine: Promise<MlsEngine> | undefined;

/**
 * OpenMLS, compiled to WebAssembly. Reads and compiles the module (a megabyte, about 10 ms, most of it not on this thread) on the
 * first call; without a call nothing is loaded. All callers share one module and so one memory, but no keys. Whoever knows that a
 * session with MLS is to come may call this early and drop the promise.
 *
 * @throws MlsError `mls-internal` when the module cannot be read; the next call tries again
 */
export function loadOpenMls(): Promise<MlsEngine> {
  engine ??= load().catch((error: unknown) => {
    engine = undefined;
    throw mlsError('mls-internal', { cause: error });
  });
  return engine;
}

async function load(): Promise<MlsEngine> {
  const [bytes, glue] = await Promise.all([
    readFile(new URL('./generated/openmls-wasm_bg.wasm', import.meta.url)),
    import('./generated/openmls-wasm.js'),
  ]);
  const compiled = WebAssembly.compile(bytes);
  // Node readies this at its first use, which takes 3 ms: as long as the compiler's thread is busy, they cost nothing.
  crypto.getRandomValues(new Uint8Array(1));
  // Not the asynchronous start of the glue: it looks for `Request`, and Node then loads all of fetch.
  glue.initSync({ module: await compiled });
  return new OpenMlsEngine(glue);
}

/**
 * Makes clients of a loaded module.
 *
 * @internal
 */
export class OpenMlsEngine implements MlsEngine {
  readonly #binding: Binding;

  constructor(binding: Binding) {
    this.#binding = binding;
  }

  createClient(suite: MlsSuite): MlsClient {
    return new OpenMlsClient(
      suite,
      guarded(() => new this.#binding.Client(suite)),
    );
  }

  clientFromKey(suite: MlsSuite, privateKey: Uint8Array, publicKey: Uint8Array): MlsClient {
    return new OpenMlsClient(
      suite,
      guarded(() => this.#binding.Client.fromKey(suite, privateKey, publicKey)),
    );
  }
}

class OpenMlsClient implements MlsClient {
  readonly suite: MlsSuite;
  readonly #raw: Owned<RawClient>;
  readonly #children = new Owner();

  constructor(suite: MlsSuite, raw: RawClient) {
    this.suite = suite;
    this.#raw = new Owned(raw);
  }

  get publicKey(): Uint8Array {
    return this.#raw.use((raw) => raw.publicKey);
  }

  setCredential(credential: Uint8Array): void {
    this.#raw.use((raw) => raw.setCredential(credential));
  }

  sign(data: Uint8Array): Uint8Array {
    return this.#raw.use((raw) => raw.sign(data));
  }

  createKeyPackage(): Uint8Array {
    return this.#raw.use((raw) => raw.createKeyPackage());
  }

  inspectKeyPackage(keyPackage: Uint8Array): KeyPackageInfo {
    return this.#raw.use((raw) =>
      copied(raw.inspectKeyPackage(keyPackage), (info) => {
        // The crate knows two and refuses the others.
        const suite = info.suite === 2 ? 2 : 1;
        return { ...identity(info), suite, notBefore: info.notBefore, notAfter: info.notAfter };
      }),
    );
  }

  createGroup(): MlsGroup {
    const raw = this.#raw.use((client) => client.createGroup());
    return new OpenMlsGroup(raw, this.#children);
  }

  stageWelcome(welcome: Uint8Array): StagedJoin {
    const raw = this.#raw.use((client) => client.stageWelcome(welcome));
    return new OpenMlsStagedJoin(raw, this.#children);
  }

  free(): void {
    this.#children.freeAll();
    this.#raw.free();
  }
}

class OpenMlsStagedJoin implements StagedJoin {
  readonly members: readonly Leaf[];
  readonly senderIndex: number;
  readonly ownIndex: number;
  readonly #raw: Owned<RawStagedJoin>;
  readonly #siblings: Owner;

  constructor(raw: RawStagedJoin, siblings: Owner) {
    this.#raw = new Owned(raw, siblings);
    this.#siblings = siblings;
    this.members = this.#raw.use((join) => leaves(join.members()));
    this.senderIndex = this.#raw.use((join) => join.sender);
    this.ownIndex = this.#raw.use((join) => join.ownIndex);
  }

  accept(): MlsGroup {
    try {
      const group = this.#raw.use((join) => join.accept());
      return new OpenMlsGroup(group, this.#siblings);
    } finally {
      this.free();
    }
  }

  free(): void {
    this.#raw.free();
  }
}

class OpenMlsStagedCommit implements StagedCommit {
  readonly committerIndex: number;
  readonly added: readonly LeafIdentity[];
  readonly removed: readonly number[];
  readonly path: LeafIdentity | undefined;
  readonly selfRemoved: boolean;
  readonly #raw: Owned<RawStagedCommit>;
  readonly #group: Owned<RawGroup>;

  constructor(raw: RawStagedCommit, group: Owned<RawGroup>, siblings: Owner) {
    this.#raw = new Owned(raw, siblings);
    this.#group = group;
    this.committerIndex = this.#raw.use((commit) => commit.committer);
    this.added = this.#raw.use((commit) => commit.added().map((leaf) => copied(leaf, identity)));
    this.removed = this.#raw.use((commit) => [...commit.removed()]);
    this.path = this.#raw.use((commit) => {
      const path = commit.path();
      return path && copied(path, identity);
    });
    this.selfRemoved = this.#raw.use((commit) => commit.selfRemoved);
  }

  merge(): void {
    try {
      this.#group.use((group) => this.#raw.use((commit) => group.mergeStaged(commit)));
    } finally {
      this.free();
    }
  }

  free(): void {
    this.#raw.free();
  }
}

class OpenMlsGroup implements MlsGroup {
  readonly #raw: Owned<RawGroup>;
  readonly #siblings: Owner;

  constructor(raw: RawGroup, siblings: Owner) {
    this.#raw = new Owned(raw, siblings);
    this.#siblings = siblings;
  }

  get groupId(): Uint8Array {
    return this.#raw.use((group) => group.groupId);
  }

  get epoch(): bigint {
    return this.#raw.use((group) => group.epoch);
  }

  get ownIndex(): number {
    return this.#raw.use((group) => group.ownIndex);
  }

  get active(): boolean {
    return this.#raw.use((group) => group.active);
  }

  members(): Leaf[] {
    return this.#raw.use((group) => leaves(group.members()));
  }

  add(keyPackage: Uint8Array, { refresh }: CommitOptions = {}): MlsAddition {
    return this.#raw.use((group) =>
      copied(group.add(keyPackage, refresh), ({ commit, welcome }) => ({ commit, welcome })),
    );
  }

  remove(index: number, { refresh }: CommitOptions = {}): Uint8Array {
    return this.#raw.use((group) => group.remove(index, refresh));
  }

  mergePending(): void {
    this.#raw.use((group) => group.mergePending());
  }

  clearPending(): void {
    this.#raw.use((group) => group.clearPending());
  }

  stageCommit(commit: Uint8Array): StagedCommit {
    const raw = this.#raw.use((group) => group.stageCommit(commit));
    return new OpenMlsStagedCommit(raw, this.#raw, this.#siblings);
  }

  encrypt(plaintext: Uint8Array, aad: Uint8Array = NO_BYTES): Uint8Array {
    return this.#raw.use((group) => group.encrypt(plaintext, aad));
  }

  decrypt(message: Uint8Array): Decrypted {
    return this.#raw.use((group) =>
      copied(group.decrypt(message), ({ plaintext, sender, aad, epoch }) => ({
        plaintext,
        senderIndex: sender,
        aad,
        epoch,
      })),
    );
  }

  exportSecret(label: string, context: Uint8Array, length: number): Uint8Array {
    return this.#raw.use((group) => group.exportSecret(label, context, length));
  }

  free(): void {
    this.#raw.free();
  }
}

/** Reads a result out of wasm memory and frees it. */
function copied<Raw extends Freeable, Result>(raw: Raw, read: (raw: Raw) => Result): Result {
  try {
    return read(raw);
  } finally {
    raw.free();
  }
}

function identity({ credential, signatureKey }: RawIdentity): LeafIdentity {
  return { credential, signatureKey };
}

function leaves(raw: readonly RawLeaf[]): Leaf[] {
  return raw.map((leaf) =>
    copied(leaf, ({ index, credential, signatureKey }) => ({ index, credential, signatureKey })),
  );
}
