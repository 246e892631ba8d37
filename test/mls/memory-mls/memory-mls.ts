import type {
  KeyPackageInfo,
  Leaf,
  MlsClient,
  MlsEngine,
  MlsGroup,
  MlsSuite,
  StagedJoin,
} from '../../../src/mls/index.js';
import { mlsError } from '../../../src/mls/mls-error.js';
import { MemoryGroup } from './memory-group.js';
import { checkLifetime, type MemoryEpoch, membersOf, SECRET_BYTES } from './memory-epoch.js';
import {
  from64,
  joined,
  knownSuite,
  leafFromJson,
  masked,
  PUBLIC_KEY,
  seal,
  spread,
  to64,
  unseal,
} from './memory-message.js';

const GROUP_ID_BYTES = 32;
/** As OpenMLS makes them, in seconds. */
const LIFETIME_BEFORE_S = 3600;
const LIFETIME_AFTER_S = 84 * 24 * 3600;

/** Options of {@link MemoryMls}. */
export interface MemoryMlsOptions {
  /** Engines with different seeds make different keys; with the same seed, the same. */
  readonly seed?: string;
  /** Milliseconds since 1970; for lifetimes. Default: the clock. */
  readonly nowMs?: () => number;
}

/**
 * MLS without cryptography, for tests: the rules and errors of the real engine, the same results in each run, readable messages,
 * no wasm. Anybody can read and forge everything. Never offer it as an option of a program.
 */
export class MemoryMls implements MlsEngine {
  readonly #seed: string;
  readonly #nowMs: () => number;
  #count = 0;

  constructor({ seed = 'memory', nowMs = () => Date.now() }: MemoryMlsOptions = {}) {
    this.#seed = seed;
    this.#nowMs = nowMs;
  }

  createClient(suite: MlsSuite): MlsClient {
    const privateKey = this.#fresh(32);
    const point = spread(joined('public', privateKey), suite === 1 ? 32 : 64);
    return this.clientFromKey(suite, privateKey, suite === 1 ? point : joined(Uint8Array.of(4), point));
  }

  clientFromKey(suite: MlsSuite, privateKey: Uint8Array, publicKey: Uint8Array): MlsClient {
    const known = knownSuite(suite);
    if (privateKey.length !== 32) throw mlsError('mls-malformed');
    if (publicKey.length !== (known === 1 ? 32 : 65)) throw mlsError('mls-bad-signature');
    const now = () => Math.floor(this.#nowMs() / 1000);
    return new MemoryClient(known, privateKey.slice(), publicKey.slice(), now, (length) => this.#fresh(length));
  }

  #fresh(length: number): Uint8Array {
    this.#count += 1;
    return spread(joined(`${this.#seed}/${String(this.#count)}`), length);
  }
}

class MemoryClient implements MlsClient {
  readonly suite: MlsSuite;
  readonly now: () => number;
  readonly fresh: (length: number) => Uint8Array;
  readonly #privateKey: Uint8Array;
  readonly #publicKey: Uint8Array;
  readonly #keyPackages = new Set<string>();
  readonly #children = new Set<{ free(): void }>();
  #credential: Uint8Array | undefined;
  #isFreed = false;

  constructor(
    suite: MlsSuite,
    privateKey: Uint8Array,
    publicKey: Uint8Array,
    now: () => number,
    fresh: (length: number) => Uint8Array,
  ) {
    this.suite = suite;
    this.#privateKey = privateKey;
    this.#publicKey = publicKey;
    this.now = now;
    this.fresh = fresh;
  }

  get publicKey(): Uint8Array {
    this.#assertAlive();
    return this.#publicKey.slice();
  }

  setCredential(credential: Uint8Array): void {
    this.#assertAlive();
    this.#credential = credential.slice();
  }

  sign(data: Uint8Array): Uint8Array {
    this.#assertAlive();
    return spread(joined(this.#privateKey, data), 64);
  }

  createKeyPackage(): Uint8Array {
    const credential = to64(this.#ownCredential());
    const [notBefore, notAfter] = [this.now() - LIFETIME_BEFORE_S, this.now() + LIFETIME_AFTER_S];
    const ref = to64(this.fresh(16));
    this.#keyPackages.add(ref);
    const signatureKey = to64(this.#publicKey);
    return seal(5, { suite: this.suite, ref, credential, signatureKey, notBefore, notAfter }, PUBLIC_KEY);
  }

  inspectKeyPackage(keyPackage: Uint8Array): KeyPackageInfo {
    this.#assertAlive();
    const { content, verify } = unseal(5, keyPackage);
    const suite = knownSuite(content.suite);
    verify(PUBLIC_KEY, 'mls-bad-signature');
    checkLifetime(content, this.now());
    return {
      ...leafFromJson(content),
      suite,
      notBefore: BigInt(content.notBefore),
      notAfter: BigInt(content.notAfter),
    };
  }

  createGroup(): MlsGroup {
    const leaf = { credential: this.#ownCredential(), signatureKey: this.#publicKey };
    return this.#join(this.fresh(GROUP_ID_BYTES), 0, { number: 0n, secret: this.fresh(SECRET_BYTES), leaves: [leaf] });
  }

  stageWelcome(welcome: Uint8Array): StagedJoin {
    this.#assertAlive();
    const { content, verify } = unseal(3, welcome);
    if (knownSuite(content.suite) !== this.suite) throw mlsError('mls-unsupported-suite');
    if (!this.#keyPackages.has(content.ref)) throw mlsError('mls-no-key-package');
    const key = joined('welcome', content.ref);
    verify(key, 'mls-aead');
    this.#keyPackages.delete(content.ref);
    const leaves = content.leaves.map((leaf) => (leaf === null ? undefined : leafFromJson(leaf)));
    const epoch = { number: BigInt(content.epoch), secret: masked(from64(content.secret), key), leaves };
    return this.#adopted(
      new MemoryStagedJoin(membersOf(leaves), content.sender, content.own, () => {
        this.#assertAlive();
        return this.#join(from64(content.group), content.own, epoch);
      }),
    );
  }

  free(): void {
    this.#isFreed = true;
    for (const child of this.#children) child.free();
    this.#children.clear();
    this.#keyPackages.clear();
    this.#privateKey.fill(0);
  }

  #join(id: Uint8Array, ownIndex: number, epoch: MemoryEpoch): MlsGroup {
    const { suite, now, fresh } = this;
    const group = new MemoryGroup({ suite, publicKey: this.#publicKey, now, fresh }, id, ownIndex, epoch);
    return this.#adopted(group);
  }

  #adopted<Child extends { free(): void }>(child: Child): Child {
    this.#children.add(child);
    return child;
  }

  #ownCredential(): Uint8Array {
    this.#assertAlive();
    if (this.#credential === undefined) throw mlsError('mls-no-credential');
    return this.#credential;
  }

  #assertAlive(): void {
    if (this.#isFreed) throw mlsError('mls-freed');
  }
}

class MemoryStagedJoin implements StagedJoin {
  readonly members: readonly Leaf[];
  readonly senderIndex: number;
  readonly ownIndex: number;
  #join: (() => MlsGroup) | undefined;

  constructor(members: readonly Leaf[], senderIndex: number, ownIndex: number, join: () => MlsGroup) {
    this.members = members;
    this.senderIndex = senderIndex;
    this.ownIndex = ownIndex;
    this.#join = join;
  }

  accept(): MlsGroup {
    const join = this.#join;
    this.free();
    if (join === undefined) throw mlsError('mls-freed');
    return join();
  }

  free(): void {
    this.#join = undefined;
  }
}
