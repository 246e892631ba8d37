import { createHash } from 'node:crypto';

import type { TokenProvider, TokenVerifier } from '../auth/index.js';
import {
  checkCommit,
  checkCommitShape,
  checkKeyPackage,
  checkLeaf,
  checkMembers,
  type Leaf,
  type LeafChecks,
  type LeafToken,
  loadOpenMls,
  type MlsClient,
  type MlsGroup,
} from '../mls/index.js';
import type { MlsRequest, MlsResult } from '../protocol/index.js';
import { assertNever, MlsError, RecentMap, startTimer } from '../util/index.js';

/** Generation 1 knows this suite only: X25519, AES-128-GCM, Ed25519. */
const SUITE = 1;

/**
 * After this time a commit of ours brings a fresh token for our leaf; tokens live an hour (identity-and-mls.md 4.3 b). Short,
 * so that it is always the leaf of a member that is the oldest one, and nothing ends before it was announced. With tokens that
 * live shorter it is the same part of their life.
 */
const REFRESH_AFTER_MS = 60 * 1000;
const REFRESHES_IN_A_LIFE = 60;

/** Payloads under a wrong name that are kept for the right one. */
const MAX_MISATTRIBUTED = 16;

/** How far a peer's clock may be ahead before its key package counts as not valid yet. */
const MAX_CLOCK_SKEW_MS = 10_000;

const NO_BYTES = new Uint8Array(0);

/** Answers the MLS requests of one session. */
export interface MlsRunner {
  run(request: MlsRequest): Promise<MlsResult> | MlsResult;
  /** Wipes the keys. */
  free(): void;
}

/** A new token for our leaf, if it is time. */
interface Refresh {
  readonly refresh?: Uint8Array;
}

/** A payload, and whose it is. */
interface Opened {
  readonly plaintext: Uint8Array;
  readonly subject: string | undefined;
}

/**
 * The MLS side of one session: one client with a key of its own, its group, and the checks of the tokens in leaves. A key
 * package is made for each join request, and all stay usable until the welcome.
 */
export class MlsSession implements MlsRunner {
  readonly #provider: TokenProvider;
  readonly #verifier: TokenVerifier;
  #client: MlsClient | undefined;
  #group: MlsGroup | undefined;
  #moderatorIndex = -1;
  #leafMintedAtMs = 0;
  /** How long tokens of ours live; infinite until one of them says it. */
  #lifeMs = Infinity;
  /** The members that we added, by name: token subject, and how to call it. */
  readonly #added = new Map<string, { readonly subject: string; readonly name: string }>();
  /** Token subjects by leaf in the current epoch. */
  #subjectsByIndex: ReadonlyMap<number, string> = new Map();
  /** Tokens of leaves; enough for a large group and what it was before. */
  readonly #verified = new RecentMap<string, LeafToken>(1024);
  /** What was opened under another name than its member's, by ciphertext: it opens only once, and the genuine one may follow. */
  readonly #misattributed = new RecentMap<string, Opened>(MAX_MISATTRIBUTED);
  #isFreed = false;

  constructor(provider: TokenProvider, verifier: TokenVerifier) {
    this.#provider = provider;
    this.#verifier = verifier;
  }

  run(request: MlsRequest): Promise<MlsResult> | MlsResult {
    if (this.#client === undefined) return this.#start(request);
    return this.#answer(this.#client, request);
  }

  free(): void {
    this.#isFreed = true;
    this.#client?.free();
    this.#client = undefined;
    this.#group = undefined;
  }

  async #start(request: MlsRequest): Promise<MlsResult> {
    try {
      const engine = await loadOpenMls();
      if (this.#isFreed) throw new MlsError('mls-freed', 'the session is over');
      // The key must exist before the token that vouches for it.
      const client = engine.createClient(SUITE);
      this.#client = client;
      return await this.#answer(client, request);
    } catch (error) {
      return this.#failure(error);
    }
  }

  #answer(client: MlsClient, request: MlsRequest): Promise<MlsResult> | MlsResult {
    try {
      return this.#perform(client, request);
    } catch (error) {
      const waitMs = untilValidMs(error);
      if (waitMs === undefined) return this.#failure(error);
      return new Promise((resolve) => {
        startTimer(waitMs, () => {
          try {
            resolve(this.#perform(client, request));
          } catch (again) {
            resolve(this.#failure(again));
          }
        });
      });
    }
  }

  #perform(client: MlsClient, request: MlsRequest): MlsResult {
    switch (request.op) {
      case 'createGroup':
        client.setCredential(this.#mint(client));
        this.#group = client.createGroup();
        this.#leafMintedAtMs = Date.now();
        this.#noteMembers();
        return this.#done(NO_BYTES);
      case 'keyPackage':
        // The age of a leaf counts from here; a group that we join has our newest token.
        client.setCredential(this.#mint(client));
        return this.#done(client.createKeyPackage());
      case 'add': {
        const group = this.#requireGroup();
        const info = client.inspectKeyPackage(request.keyPackage);
        const members = group.members();
        // Alone in the group, an own leaf that has expired does no harm: this very commit renews it.
        const { subject, expiresAtMs } = checkKeyPackage(info, members.length > 1 ? members : [], this.#checks(), true);
        if (subject === this.#provider.subject) {
          throw new MlsError('mls-subject-duplicate', `${request.member.toString()} has the identity of this app`);
        }
        const refresh = this.#refresh(client);
        const { commit, welcome } = group.add(request.keyPackage, refresh);
        this.#mergePending(group, refresh);
        this.#added.set(request.member.key, { subject, name: request.member.toString() });
        const leafEndsAtMs = Math.min(expiresAtMs ?? Infinity, this.#leafMintedAtMs + this.#lifeMs);
        return { ...this.#moved(commit, welcome), ...(Number.isFinite(leafEndsAtMs) && { leafEndsAtMs }) };
      }
      case 'remove': {
        const group = this.#requireGroup();
        const subject = this.#added.get(request.member.key)?.subject;
        const index = [...this.#subjectsByIndex].find(([, member]) => member === subject)?.[0];
        if (subject === undefined || index === undefined) {
          throw new MlsError('mls-unknown-member', `${request.member.toString()} is not in the MLS group`);
        }
        this.#checkRemovable(group, index);
        const refresh = this.#refresh(client);
        const commit = group.remove(index, refresh);
        this.#mergePending(group, refresh);
        this.#added.delete(request.member.key);
        return this.#moved(commit);
      }
      case 'join': {
        const staged = client.stageWelcome(request.welcome);
        try {
          checkMembers(staged.members, this.#checks(), true);
        } catch (error) {
          staged.free();
          throw error;
        }
        this.#moderatorIndex = staged.senderIndex;
        this.#group?.free();
        this.#group = staged.accept();
        this.#noteMembers();
        return this.#moved(NO_BYTES);
      }
      case 'commit': {
        const group = this.#requireGroup();
        const staged = group.stageCommit(request.commit);
        try {
          checkCommitShape(staged, request.change, this.#moderatorIndex);
          checkCommit(staged, group.members(), this.#checks());
        } catch (error) {
          staged.free();
          throw error;
        }
        staged.merge();
        this.#noteMembers();
        return this.#moved(NO_BYTES);
      }
      case 'encrypt':
        return this.#done(this.#requireGroup().encrypt(request.payload));
      case 'decrypt':
        return this.#done(this.#decrypt(this.#requireGroup(), request.ciphertext, request.subject));
      default:
        return assertNever(request);
    }
  }

  /** Opens a payload if the member who encrypted it is the one whose token came with it. */
  #decrypt(group: MlsGroup, ciphertext: Uint8Array, subject: string): Uint8Array {
    const opened = this.#takeMisattributed(ciphertext) ?? this.#open(group, ciphertext);
    if (opened.subject === subject) return opened.plaintext;
    this.#misattributed.set(keyOf(ciphertext), opened);
    throw new MlsError('mls-unknown-sender', 'the token of the message is not that of the member who encrypted it');
  }

  #takeMisattributed(ciphertext: Uint8Array): Opened | undefined {
    // Almost always, and then no message needs a hash.
    if (this.#misattributed.isEmpty) return undefined;
    const key = keyOf(ciphertext);
    const opened = this.#misattributed.get(key);
    this.#misattributed.delete(key);
    return opened;
  }

  #open(group: MlsGroup, ciphertext: Uint8Array): Opened {
    const { plaintext, senderIndex } = group.decrypt(ciphertext);
    return { plaintext, subject: this.#subjectsByIndex.get(senderIndex) };
  }

  /** Enters the epoch of a commit of ours. */
  #mergePending(group: MlsGroup, { refresh }: Refresh): void {
    group.mergePending();
    if (refresh !== undefined) this.#leafMintedAtMs = Date.now();
    this.#noteMembers();
  }

  /**
   * Members of upstream refuse a removal when the leaf of the removed one or of the moderator has expired; whoever commits it
   * all the same is one epoch ahead of them for ever (identity-and-mls.md 4.3). Without other members nobody is left behind.
   */
  #checkRemovable(group: MlsGroup, index: number): void {
    const members = group.members();
    if (members.length <= 2) return;
    const concerned = (leaf: Leaf): boolean => leaf.index === index || leaf.index === group.ownIndex;
    for (const leaf of members.filter(concerned)) {
      try {
        checkLeaf(leaf, this.#checks(), true);
      } catch (error) {
        // All else was checked when it entered; "from the future" only says that our clock was set back since.
        if (!(error instanceof MlsError) || error.code !== 'mls-token-future') throw error;
      }
    }
  }

  #requireGroup(): MlsGroup {
    if (this.#group === undefined) throw new MlsError('mls-inactive', 'this app is in no MLS group yet');
    return this.#group;
  }

  #checks(): LeafChecks {
    return { verifier: { verify: (...args) => this.#verifyLeaf(...args) }, nowMs: Date.now() };
  }

  /** A token that held when its leaf came holds as long as the leaf stays, whatever becomes of the clock. */
  #verifyLeaf(token: string, nowMs: number, checkTime: boolean): LeafToken {
    const known = checkTime ? undefined : this.#verified.get(token);
    const verified = known ?? this.#verifier.verify(token, nowMs, checkTime);
    if (verified.ok) this.#verified.set(token, verified);
    return verified;
  }

  #noteMembers(): void {
    const group = this.#requireGroup();
    this.#subjectsByIndex = group.active ? checkMembers(group.members(), this.#checks(), false) : new Map();
  }

  #mint(client: MlsClient): Uint8Array {
    const nowMs = Date.now();
    const token = this.#provider.mint(nowMs, client.publicKey);
    const own = this.#verifyLeaf(token, nowMs, true);
    if (own.ok && own.expiresAtMs !== undefined) this.#lifeMs = own.expiresAtMs - nowMs;
    return new TextEncoder().encode(token);
  }

  /** A moderator's leaf is renewed along with its commits, or in an hour nobody could join any more. */
  #refresh(client: MlsClient): Refresh {
    const refreshAfterMs = Math.min(REFRESH_AFTER_MS, this.#lifeMs / REFRESHES_IN_A_LIFE);
    return Date.now() - this.#leafMintedAtMs < refreshAfterMs ? {} : { refresh: this.#mint(client) };
  }

  #done(bytes: Uint8Array): Extract<MlsResult, { ok: true }> {
    return { ok: true, bytes, epoch: Number(this.#group?.epoch ?? 0n) };
  }

  /** After something that may have changed who is in the group. */
  #moved(bytes: Uint8Array, welcome?: Uint8Array): Extract<MlsResult, { ok: true }> {
    return { ...this.#done(bytes), subjects: [...this.#subjectsByIndex.values()], ...(welcome && { welcome }) };
  }

  #failure(error: unknown): MlsResult {
    if (error instanceof MlsError) return { ok: false, error: this.#explained(error) };
    const text = error instanceof Error ? error.message : String(error);
    return { ok: false, error: new MlsError('mls-internal', text, { cause: error }) };
  }

  /** Says whose token has expired, and what that means, if it is one in the group. */
  #explained(error: MlsError): MlsError {
    const { index } = error.details ?? {};
    const group = this.#group;
    if (error.code !== 'mls-token-expired' || typeof index !== 'number' || group === undefined) return error;
    const subject = this.#subjectsByIndex.get(index);
    const member = [...this.#added.values()].find((added) => added.subject === subject)?.name;
    const who = index === group.ownIndex ? 'this app' : (member ?? 'a member');
    const text = `the identity token of ${who} in the MLS group has expired, so its members cannot be changed any more`;
    return new MlsError(error.code, text, { cause: error, ...(error.details && { details: error.details }) });
  }
}

/**
 * Reads and compiles the MLS engine now, in the background, so that the first session with MLS need not wait for it. An app
 * that knows that it will have one calls this while it connects; nobody has to.
 *
 * @throws MlsError `mls-internal` when the engine cannot be loaded; the session that needs it will say so too
 */
export async function preloadMls(): Promise<void> {
  await loadOpenMls();
}

function keyOf(ciphertext: Uint8Array): string {
  return createHash('sha256').update(ciphertext).digest('base64');
}

/** Key packages of mls-rs begin "now": with a clock a second behind they are not valid yet, but will be. */
function untilValidMs(error: unknown): number | undefined {
  if (!(error instanceof MlsError) || error.code !== 'mls-lifetime-not-yet') return undefined;
  const notBefore = error.details?.['notBefore'];
  if (typeof notBefore !== 'number') return undefined;
  const waitMs = notBefore * 1000 - Date.now() + 1000;
  return waitMs <= MAX_CLOCK_SKEW_MS ? Math.max(0, waitMs) : undefined;
}
