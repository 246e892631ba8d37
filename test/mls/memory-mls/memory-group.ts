import type {
  CommitOptions,
  Decrypted,
  Leaf,
  MlsAddition,
  MlsGroup,
  MlsSuite,
  StagedCommit,
} from '../../../src/mls/index.js';
import { mlsError } from '../../../src/mls/mls-error.js';
import { checkLifetime, MemoryStagedCommit, type MemoryEpoch, membersOf, nextEpoch } from './memory-epoch.js';
import {
  from64,
  joined,
  knownSuite,
  leafToJson,
  masked,
  type MemoryMessages,
  PUBLIC_KEY,
  seal,
  spread,
  to64,
  unseal,
} from './memory-message.js';

/** As in `openmls-wasm/src/group.rs`. */
const PAST_EPOCHS = 3n;
const MAX_GAP = 1024;
const MAX_EXPORT_BYTES = 65_535;

/** What a group has of its client. */
export interface MemoryCore {
  readonly suite: MlsSuite;
  readonly publicKey: Uint8Array;
  /** Seconds since 1970. */
  now(): number;
  /** Bytes that were not there before. */
  fresh(length: number): Uint8Array;
}

/** Which messages of one sender in one epoch were opened. */
interface Opened {
  /** The generation after the newest. */
  head: number;
  readonly used: Set<number>;
}

/** A group of the fake. */
export class MemoryGroup implements MlsGroup {
  readonly #core: MemoryCore;
  readonly #id: Uint8Array;
  readonly #ownIndex: number;
  readonly #firstEpoch: bigint;
  readonly #past = new Map<bigint, MemoryEpoch>();
  readonly #since = new Map<number, bigint>();
  readonly #opened = new Map<string, Opened>();
  #epoch: MemoryEpoch;
  #pending: MemoryEpoch | undefined;
  #generation = 0;
  #isActive = true;
  #isFreed = false;

  constructor(core: MemoryCore, id: Uint8Array, ownIndex: number, epoch: MemoryEpoch) {
    this.#core = core;
    this.#id = id;
    this.#ownIndex = ownIndex;
    this.#epoch = epoch;
    this.#firstEpoch = epoch.number;
  }

  get groupId(): Uint8Array {
    this.#assertAlive();
    return this.#id.slice();
  }

  get epoch(): bigint {
    this.#assertAlive();
    return this.#epoch.number;
  }

  get ownIndex(): number {
    this.#assertAlive();
    return this.#ownIndex;
  }

  get active(): boolean {
    this.#assertAlive();
    return this.#isActive;
  }

  members(): Leaf[] {
    this.#assertAlive();
    return membersOf(this.#epoch.leaves);
  }

  add(keyPackage: Uint8Array, options: CommitOptions = {}): MlsAddition {
    this.#assertReady();
    const { content, verify } = unseal(5, keyPackage);
    const suite = knownSuite(content.suite);
    verify(PUBLIC_KEY, 'mls-bad-signature');
    checkLifetime(content, this.#core.now());
    if (suite !== this.#core.suite) throw mlsError('mls-unsupported-suite');
    if (this.#hasKey(content.signatureKey)) throw mlsError('mls-duplicate-member');
    const [commit, next] = this.#commit({ added: [content], removed: [] }, options);
    const own = next.leaves.findIndex((leaf) => leaf !== undefined && to64(leaf.signatureKey) === content.signatureKey);
    const welcomeKey = joined('welcome', content.ref);
    const welcome = seal(
      3,
      {
        suite,
        ref: content.ref,
        group: to64(this.#id),
        epoch: String(next.number),
        secret: to64(masked(next.secret, welcomeKey)),
        leaves: next.leaves.map((leaf) => (leaf === undefined ? null : leafToJson(leaf))),
        sender: this.#ownIndex,
        own,
      },
      welcomeKey,
    );
    return { commit, welcome };
  }

  remove(index: number, options: CommitOptions = {}): Uint8Array {
    this.#assertReady();
    if (index === this.#ownIndex || this.#epoch.leaves[index] === undefined) throw mlsError('mls-unknown-member');
    const [commit] = this.#commit({ added: [], removed: [index] }, options);
    return commit;
  }

  #commit(
    change: Pick<MemoryMessages[1], 'added' | 'removed'>,
    { refresh }: CommitOptions,
  ): [bytes: Uint8Array, next: MemoryEpoch] {
    const own = this.#epoch.leaves[this.#ownIndex];
    const credential = refresh ?? own?.credential ?? new Uint8Array();
    const hasPath = refresh !== undefined || change.removed.length > 0;
    const content: MemoryMessages[1] = {
      group: to64(this.#id),
      epoch: String(this.#epoch.number),
      committer: this.#ownIndex,
      ...change,
      ...(hasPath && { path: leafToJson({ credential, signatureKey: this.#core.publicKey }) }),
      salt: to64(this.#core.fresh(8)),
    };
    const bytes = seal(1, content, this.#epoch.secret);
    this.#pending = nextEpoch(this.#epoch, content, bytes);
    return [bytes, this.#pending];
  }

  mergePending(): void {
    this.#assertActive();
    if (this.#pending === undefined) throw mlsError('mls-no-pending-commit');
    this.#enter(this.#pending);
  }

  clearPending(): void {
    this.#assertAlive();
    this.#pending = undefined;
  }

  stageCommit(commit: Uint8Array): StagedCommit {
    this.#assertAlive();
    const { content, verify } = unseal(1, commit);
    const epoch = this.#checkFrame(content.group, content.epoch);
    if (epoch < this.#epoch.number) throw mlsError('mls-wrong-epoch-past');
    verify(this.#epoch.secret, 'mls-bad-signature');
    if (content.committer === this.#ownIndex) throw mlsError('mls-own-message');
    for (const added of content.added) checkLifetime(added, this.#core.now());
    const next = nextEpoch(this.#epoch, content, commit);
    return new MemoryStagedCommit(content, this.#ownIndex, () => {
      this.#assertActive();
      if (this.#epoch.number !== epoch) throw mlsError('mls-wrong-epoch-past');
      this.#enter(next);
    });
  }

  encrypt(plaintext: Uint8Array, aad: Uint8Array = new Uint8Array()): Uint8Array {
    this.#assertActive();
    const generation = this.#generation++;
    const [sender, { secret, number }] = [this.#ownIndex, this.#epoch];
    const text = to64(masked(plaintext, payloadKey(secret, sender, generation)));
    const group = to64(this.#id);
    return seal(2, { group, epoch: String(number), sender, generation, aad: to64(aad), text }, secret);
  }

  decrypt(message: Uint8Array): Decrypted {
    this.#assertAlive();
    const { content, verify } = unseal(2, message);
    const number = this.#checkFrame(content.group, content.epoch);
    const epoch = number === this.#epoch.number ? this.#epoch : this.#past.get(number);
    if (epoch === undefined) throw mlsError('mls-wrong-epoch-past');
    verify(epoch.secret, 'mls-aead');
    const { sender, generation, aad, text } = content;
    if (sender === this.#ownIndex) throw mlsError('mls-own-message');
    this.#open(`${String(number)}/${String(sender)}`, generation);
    const since = this.#since.get(sender) ?? this.#firstEpoch;
    if (this.#epoch.leaves[sender] === undefined || number < since) throw mlsError('mls-wrong-epoch-past');
    const plaintext = masked(from64(text), payloadKey(epoch.secret, sender, generation));
    return { plaintext, senderIndex: sender, aad: from64(aad), epoch: number };
  }

  /** Marks a generation as opened, if it may be. */
  #open(stream: string, generation: number): void {
    const opened = this.#opened.get(stream) ?? { head: 0, used: new Set() };
    if (generation > opened.head + MAX_GAP) throw mlsError('mls-too-far-ahead');
    if (generation < opened.head - MAX_GAP) throw mlsError('mls-too-far-behind');
    if (opened.used.has(generation)) throw mlsError('mls-replay');
    opened.used.add(generation);
    opened.head = Math.max(opened.head, generation + 1);
    this.#opened.set(stream, opened);
  }

  exportSecret(label: string, context: Uint8Array, length: number): Uint8Array {
    this.#assertActive();
    if (length > MAX_EXPORT_BYTES) throw mlsError('mls-malformed');
    return spread(joined(this.#epoch.secret, label, '\0', context), length);
  }

  free(): void {
    this.#isFreed = true;
    this.#pending = undefined;
    this.#past.clear();
  }

  #enter(next: MemoryEpoch): void {
    const old = this.#epoch;
    this.#past.set(old.number, old);
    this.#past.delete(old.number - PAST_EPOCHS);
    for (const [index, leaf] of next.leaves.entries()) {
      const before = old.leaves[index];
      const isSame = leaf && before && to64(leaf.signatureKey) === to64(before.signatureKey);
      if (leaf !== undefined && isSame !== true) this.#since.set(index, next.number);
    }
    this.#epoch = next;
    this.#pending = undefined;
    this.#generation = 0;
    this.#isActive = next.leaves[this.#ownIndex] !== undefined;
  }

  #checkFrame(group: string, epoch: string): bigint {
    this.#assertActive();
    if (group !== to64(this.#id)) throw mlsError('mls-wrong-group');
    const number = /^\d{1,20}$/.test(epoch) ? BigInt(epoch) : undefined;
    if (number === undefined) throw mlsError('mls-malformed');
    if (number > this.#epoch.number) throw mlsError('mls-wrong-epoch-future');
    return number;
  }

  #hasKey(key: string): boolean {
    return this.#epoch.leaves.some((leaf) => leaf !== undefined && to64(leaf.signatureKey) === key);
  }

  #assertAlive(): void {
    if (this.#isFreed) throw mlsError('mls-freed');
  }

  #assertActive(): void {
    this.#assertAlive();
    if (!this.#isActive) throw mlsError('mls-inactive');
  }

  #assertReady(): void {
    this.#assertActive();
    if (this.#pending !== undefined) throw mlsError('mls-pending-commit');
  }
}

function payloadKey(secret: Uint8Array, sender: number, generation: number): Uint8Array {
  return joined(secret, `${String(sender)}/${String(generation)}`);
}
