import type { TokenProvider, TokenVerifier } from '../auth/index.js';
import {
  checkCommit,
  checkCommitShape,
  checkKeyPackage,
  checkMembers,
  type LeafChecks,
  type LeafToken,
  loadOpenMls,
  type MlsClient,
  type MlsGroup,
} from '../mls/index.js';
import type { MlsRequest, MlsResult } from '../protocol/index.js';
import { assertNever, MlsError } from '../util/index.js';
import { RecentMap } from './recent-map.js';

/** Generation 1 knows this suite only: X25519, AES-128-GCM, Ed25519. */
const SUITE = 1;

/** After this time a commit of ours brings a fresh token for our leaf; tokens live an hour (identity-and-mls.md 4.3 b). */
const REFRESH_AFTER_MS = 10 * 60 * 1000;

/** How far a peer's clock may be ahead before its key package counts as not valid yet. */
const MAX_CLOCK_SKEW_MS = 10_000;

const NO_BYTES = new Uint8Array(0);

/** Answers the MLS requests of one session. */
export interface MlsRunner {
  run(request: MlsRequest): Promise<MlsResult> | MlsResult;
  /** Wipes the keys. */
  free(): void;
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
  /** Token subjects of the members that we added, by name. */
  readonly #subjects = new Map<string, string>();
  /** Token subjects by leaf in the current epoch. */
  #subjectsByIndex: ReadonlyMap<number, string> = new Map();
  /** Tokens of leaves; enough for a large group and what it was before. */
  readonly #verified = new RecentMap<string, LeafToken>(1024);
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
      client.setCredential(this.#mint(client));
      return await this.#answer(client, request);
    } catch (error) {
      return failure(error);
    }
  }

  #answer(client: MlsClient, request: MlsRequest): Promise<MlsResult> | MlsResult {
    try {
      return this.#perform(client, request);
    } catch (error) {
      const waitMs = untilValidMs(error);
      if (waitMs === undefined) return failure(error);
      return new Promise((resolve) => {
        setTimeout(() => {
          try {
            resolve(this.#perform(client, request));
          } catch (again) {
            resolve(failure(again));
          }
        }, waitMs);
      });
    }
  }

  #perform(client: MlsClient, request: MlsRequest): MlsResult {
    switch (request.op) {
      case 'createGroup':
        this.#group = client.createGroup();
        this.#noteMembers();
        return this.#done(NO_BYTES);
      case 'keyPackage':
        // The age of a leaf counts from here; a group that we join has our newest token.
        client.setCredential(this.#mint(client));
        return this.#done(client.createKeyPackage());
      case 'add': {
        const group = this.#requireGroup();
        const info = client.inspectKeyPackage(request.keyPackage);
        const others = group.members().filter(({ index }) => index !== group.ownIndex);
        // Without our own leaf: its token may have expired, and then this very commit renews it.
        const subject = checkKeyPackage(info, others, this.#checks(), true);
        if (subject === this.#provider.subject) {
          throw new MlsError('mls-subject-duplicate', `${request.member.toString()} has the identity of this app`);
        }
        const { commit, welcome } = group.add(request.keyPackage, this.#refresh(client));
        group.mergePending();
        this.#subjects.set(request.member.key, subject);
        this.#noteMembers();
        return this.#done(commit, welcome);
      }
      case 'remove': {
        const group = this.#requireGroup();
        const subject = this.#subjects.get(request.member.key);
        const index = [...this.#subjectsByIndex].find(([, member]) => member === subject)?.[0];
        if (index === undefined) {
          throw new MlsError('mls-unknown-member', `${request.member.toString()} is not in the MLS group`);
        }
        const commit = group.remove(index, this.#refresh(client));
        group.mergePending();
        this.#subjects.delete(request.member.key);
        this.#noteMembers();
        return this.#done(commit);
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
        return this.#done(NO_BYTES);
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
        return this.#done(NO_BYTES);
      }
      case 'encrypt':
        return this.#done(this.#requireGroup().encrypt(request.payload));
      case 'decrypt': {
        const group = this.#requireGroup();
        const { plaintext, senderIndex } = group.decrypt(request.ciphertext);
        if (this.#subjectsByIndex.get(senderIndex) !== request.subject) {
          throw new MlsError(
            'mls-unknown-sender',
            'the token of the message is not that of the member who encrypted it',
          );
        }
        return this.#done(plaintext);
      }
      default:
        return assertNever(request);
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
    this.#leafMintedAtMs = Date.now();
    return new TextEncoder().encode(this.#provider.mint(this.#leafMintedAtMs, client.publicKey));
  }

  /** A moderator's leaf is renewed along with its commits, or in an hour nobody could join any more. */
  #refresh(client: MlsClient): { readonly refresh?: Uint8Array } {
    return Date.now() - this.#leafMintedAtMs < REFRESH_AFTER_MS ? {} : { refresh: this.#mint(client) };
  }

  #done(bytes: Uint8Array, welcome?: Uint8Array): MlsResult {
    return { ok: true, bytes, ...(welcome && { welcome }), epoch: Number(this.#group?.epoch ?? 0n) };
  }
}

function failure(error: unknown): MlsResult {
  if (error instanceof MlsError) return { ok: false, error };
  const text = error instanceof Error ? error.message : String(error);
  return { ok: false, error: new MlsError('mls-internal', text, { cause: error }) };
}

/** Key packages of mls-rs begin "now": with a clock a second behind they are not valid yet, but will be. */
function untilValidMs(error: unknown): number | undefined {
  if (!(error instanceof MlsError) || error.code !== 'mls-lifetime-not-yet') return undefined;
  const notBefore = error.details?.['notBefore'];
  if (typeof notBefore !== 'number') return undefined;
  const waitMs = notBefore * 1000 - Date.now() + 1000;
  return waitMs <= MAX_CLOCK_SKEW_MS ? Math.max(0, waitMs) : undefined;
}
