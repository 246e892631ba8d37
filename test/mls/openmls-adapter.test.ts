import { expect, test, vi } from 'vitest';

import { OpenMlsEngine } from '../../src/mls/openmls-adapter.js';
import type { RawClient, RawGroup } from '../../src/mls/openmls-binding.js';
import { codeOf, utf8 } from '../compliance/mls-suite.js';

/** What a panic in wasm looks like from outside. */
function panic(): never {
  throw Object.assign(new Error('unreachable'), { name: 'RuntimeError' });
}

/** Results of the engine, each of which must be freed once it was read. */
function counted<Fields extends object>(
  fields: Fields,
): { readonly raw: Fields & { free(): void }; isFreed(): boolean } {
  const free = vi.fn();
  return { raw: { ...fields, free }, isFreed: () => free.mock.calls.length === 1 };
}

function engineOf(client: Partial<RawClient>): OpenMlsEngine {
  class Client {
    free = vi.fn();
    constructor() {
      Object.assign(this, client);
    }
    static fromKey = () => new Client();
  }
  return new OpenMlsEngine({ Client: Client as unknown as ConstructorParameters<typeof OpenMlsEngine>[0]['Client'] });
}

function groupOf(group: Partial<RawGroup>) {
  const raw = { free: vi.fn(), ...group } as unknown as RawGroup;
  const client = engineOf({ createGroup: () => raw }).createClient(1);
  return { client, group: client.createGroup(), raw };
}

test('every result is freed once it was read', () => {
  const bytes = utf8('x');
  const results = [
    counted({ index: 0, credential: bytes, signatureKey: bytes }),
    counted({ commit: bytes, welcome: bytes }),
    counted({ plaintext: bytes, sender: 1, aad: bytes, epoch: 2n }),
    counted({ credential: bytes, signatureKey: bytes }),
    counted({ credential: bytes, signatureKey: bytes }),
  ] as const;
  const [leaf, addition, opened, added, path] = results;
  const commit = counted({
    committer: 0,
    added: () => [added.raw],
    removed: () => Uint32Array.of(3),
    path: () => path.raw,
    selfRemoved: false,
  });
  const { group } = groupOf({
    members: () => [leaf.raw],
    add: () => addition.raw,
    decrypt: () => opened.raw,
    stageCommit: () => commit.raw,
    mergeStaged: () => {},
  });
  group.members();
  group.add(bytes);
  expect(group.decrypt(bytes)).toEqual({ plaintext: bytes, senderIndex: 1, aad: bytes, epoch: 2n });
  const staged = group.stageCommit(bytes);
  expect(results.map((result) => result.isFreed())).toEqual([true, true, true, true, true]);
  expect(commit.isFreed()).toBe(false);
  staged.merge();
  expect(commit.isFreed()).toBe(true);
});

test('a panic ends its group and nothing else', () => {
  const { client, group, raw } = groupOf({ encrypt: panic, epoch: 1n });
  const other = client.createGroup();
  expect(codeOf(() => group.encrypt(utf8('x')))).toBe('mls-internal');
  expect(codeOf(() => group.epoch)).toBe('mls-internal');
  expect(other.epoch).toBe(1n);
  expect(raw.free).not.toHaveBeenCalled();
});

test('a panic while a commit is merged ends the group', () => {
  const commit = counted({
    committer: 0,
    added: () => [],
    removed: () => new Uint32Array(),
    path: () => undefined,
    selfRemoved: false,
  });
  const { group } = groupOf({ epoch: 1n, stageCommit: () => commit.raw, mergeStaged: panic });
  const staged = group.stageCommit(utf8('x'));
  expect(codeOf(() => staged.merge())).toBe('mls-internal');
  expect(codeOf(() => group.epoch)).toBe('mls-internal');
});

test('a client that cannot be made is an error of ours', () => {
  const Client = Object.assign(vi.fn(panic), { fromKey: panic });
  const engine = new OpenMlsEngine({ Client });
  expect(codeOf(() => engine.createClient(1))).toBe('mls-internal');
  expect(codeOf(() => engine.clientFromKey(1, utf8(''), utf8('')))).toBe('mls-internal');
});
