import type { MlsClient, MlsGroup } from '../../src/mls/index.js';
import type { Name } from '../../src/name/index.js';
import type { MlsRequest, MlsResult } from '../../src/protocol/index.js';
import { MlsError } from '../../src/util/index.js';
import type { MemoryMls } from '../mls/memory-mls/memory-mls.js';

const NO_BYTES = new Uint8Array(0);

/** The MLS side of one session over the fake engine: credentials are names, tokens are not checked. */
export class SimulatedMls {
  readonly #client: MlsClient;
  #group: MlsGroup | undefined;

  constructor(engine: MemoryMls, name: Name) {
    this.#client = engine.createClient(1);
    this.#client.setCredential(credentialOf(name));
  }

  /** Epoch of the group; undefined outside of one. */
  get epoch(): bigint | undefined {
    return this.#group?.epoch;
  }

  /** Credentials of the members. */
  get members(): string[] {
    return (this.#group?.members() ?? []).map(({ credential }) => new TextDecoder().decode(credential)).sort();
  }

  run(request: MlsRequest): MlsResult {
    try {
      return this.#perform(request);
    } catch (error) {
      if (error instanceof MlsError) return { ok: false, error };
      throw error;
    }
  }

  free(): void {
    this.#client.free();
    this.#group = undefined;
  }

  #perform(request: MlsRequest): MlsResult {
    switch (request.op) {
      case 'createGroup':
        this.#group = this.#client.createGroup();
        return this.#done(NO_BYTES);
      case 'keyPackage':
        return this.#done(this.#client.createKeyPackage());
      case 'join': {
        const joined = this.#client.stageWelcome(request.welcome).accept();
        this.#group?.free();
        this.#group = joined;
        return this.#done(NO_BYTES);
      }
      case 'add': {
        const { commit, welcome } = this.#requireGroup().add(request.keyPackage);
        this.#requireGroup().mergePending();
        return { ...this.#done(commit), welcome };
      }
      case 'remove': {
        const wanted = new TextDecoder().decode(credentialOf(request.member));
        const leaf = this.#requireGroup()
          .members()
          .find(({ credential }) => new TextDecoder().decode(credential) === wanted);
        if (leaf === undefined) throw new MlsError('mls-unknown-member', 'no such member');
        const commit = this.#requireGroup().remove(leaf.index);
        this.#requireGroup().mergePending();
        return this.#done(commit);
      }
      case 'commit':
        this.#requireGroup().stageCommit(request.commit).merge();
        return this.#done(NO_BYTES);
      case 'encrypt':
        return this.#done(this.#requireGroup().encrypt(request.payload));
      case 'decrypt':
        return this.#done(this.#requireGroup().decrypt(request.ciphertext).plaintext);
    }
  }

  #requireGroup(): MlsGroup {
    if (this.#group === undefined) throw new MlsError('mls-inactive', 'in no group yet');
    return this.#group;
  }

  #done(bytes: Uint8Array): Extract<MlsResult, { ok: true }> {
    return { ok: true, bytes, epoch: Number(this.#group?.epoch ?? 0n) };
  }
}

function credentialOf(name: Name): Uint8Array {
  return new TextEncoder().encode(name.toString());
}
