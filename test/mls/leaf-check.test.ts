import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { SharedSecret } from '../../src/auth/index.js';
import {
  checkCommit,
  checkCommitShape,
  checkKeyPackage,
  checkLeaf,
  checkMembers,
  type LeafChecks,
  type LeafIdentity,
  loadOpenMls,
  type MlsClient,
  type MlsEngine,
  type MlsGroup,
  type StagedCommit,
} from '../../src/mls/index.js';
import { codeOf, failureOf, utf8 } from '../compliance/mls-suite.js';
import { MemoryMls } from './memory-mls/memory-mls.js';

const SECRET = 'abcdefghijklmnopqrstuvwxyz012345';
const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
/** Holds the secret and checks tokens; its own name does not matter. */
const verifier = new SharedSecret({ secret: SECRET, identity: 'org/ns/me' });
const checks: LeafChecks = { verifier, nowMs: NOW_MS };

function at(nowMs: number): LeafChecks {
  return { verifier, nowMs };
}

/** A leaf of somebody, without an engine. */
function leafOf(identity: SharedSecret, key: Uint8Array, mintedMs = NOW_MS): LeafIdentity {
  return { credential: utf8(identity.mint(mintedMs, key)), signatureKey: key };
}

function someone(name: string, secret = SECRET): SharedSecret {
  return new SharedSecret({ secret, identity: `org/ns/${name}` });
}

function keyOf(seed: number, length = 32): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (seed * 31 + index) % 256);
}

describe('one leaf', () => {
  const ann = someone('ann');
  const key = keyOf(1);

  test('is who its token names', () => {
    expect(checkLeaf(leafOf(ann, key), checks, true)).toBe(ann.subject);
    const long = keyOf(2, 65);
    expect(checkLeaf(leafOf(ann, long), checks, true)).toBe(ann.subject);
  });

  test('N3: a token about another key is refused', () => {
    const stolen = { ...leafOf(ann, key), signatureKey: keyOf(2) };
    expect(failureOf(() => checkLeaf(stolen, checks, true))).toMatchObject({
      code: 'mls-pubkey-mismatch',
      details: { subject: ann.subject },
    });
    for (const signatureKey of [key.subarray(0, 31), Uint8Array.of(...key, 0), new Uint8Array()]) {
      expect(codeOf(() => checkLeaf({ ...stolen, signatureKey }, checks, false))).toBe('mls-pubkey-mismatch');
    }
  });

  test('a token without a key is refused', () => {
    const leaf = { credential: utf8(ann.mint(NOW_MS)), signatureKey: key };
    expect(failureOf(() => checkLeaf(leaf, checks, true))).toMatchObject({
      code: 'mls-pubkey-missing',
      details: { subject: ann.subject },
    });
  });

  test('a token of another secret is refused', () => {
    expect(codeOf(() => checkLeaf(leafOf(someone('ann', `${SECRET}6`), key), checks, true))).toBe('mls-token-mac');
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['a name', utf8('org/ns/ann')],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe)],
    ['a token with a byte behind it', Uint8Array.of(...leafOf(ann, key).credential, 0x0a)],
    ['more bytes than any token has', new Uint8Array(8193).fill(0x61)],
  ])('no token but %s is refused', (_, credential) => {
    expect(codeOf(() => checkLeaf({ credential, signatureKey: key }, checks, true))).toBe('mls-token-malformed');
  });

  test('a byte order mark before the token is not overlooked', () => {
    const credential = Uint8Array.of(0xef, 0xbb, 0xbf, ...leafOf(ann, key).credential);
    expect(codeOf(() => checkLeaf({ credential, signatureKey: key }, checks, true))).toBe('mls-token-mac');
  });

  test('its age counts when it enters, not later; a token from the future never passes', () => {
    const leaf = leafOf(ann, key);
    for (const checkTime of [true, false]) {
      expect(checkLeaf(leaf, at(NOW_MS + HOUR_MS), checkTime)).toBe(ann.subject);
      expect(checkLeaf(leaf, at(NOW_MS - 5000), checkTime)).toBe(ann.subject);
      expect(codeOf(() => checkLeaf(leaf, at(NOW_MS - 6000), checkTime))).toBe('mls-token-future');
    }
    expect(codeOf(() => checkLeaf(leaf, at(NOW_MS + HOUR_MS + 1000), true))).toBe('mls-token-expired');
    expect(checkLeaf(leaf, at(NOW_MS + 1000 * HOUR_MS), false)).toBe(ann.subject);
    const forged = leafOf(someone('ann', `${SECRET}6`), key);
    expect(codeOf(() => checkLeaf(forged, at(NOW_MS + 1000 * HOUR_MS), false))).toBe('mls-token-mac');
  });
});

describe('members', () => {
  const [ann, ben] = [someone('ann'), someone('ben')];
  const leaves = [
    { index: 0, ...leafOf(ann, keyOf(1)) },
    { index: 2, ...leafOf(ben, keyOf(2)) },
  ];

  test('are found by index', () => {
    expect([...checkMembers(leaves, checks, true)]).toEqual([
      [0, ann.subject],
      [2, ben.subject],
    ]);
  });

  test('two of one subject are refused', () => {
    const twice = [...leaves, { index: 3, ...leafOf(ben, keyOf(3)) }];
    expect(failureOf(() => checkMembers(twice, checks, true))).toMatchObject({
      code: 'mls-subject-duplicate',
      details: { subject: ben.subject },
    });
  });

  test('the one that is wrong is named', () => {
    const old = [...leaves, { index: 5, ...leafOf(someone('cid'), keyOf(3), NOW_MS - 2 * HOUR_MS) }];
    expect(failureOf(() => checkMembers(old, checks, true))).toMatchObject({
      code: 'mls-token-expired',
      details: { index: 5 },
    });
    expect(checkMembers(old, checks, false).size).toBe(3);
  });
});

/** The checks where they are used: around the calls of an engine. */
describe.each([
  ['the fake', async (): Promise<MlsEngine> => new MemoryMls({ nowMs: () => Date.now() })],
  ['OpenMLS', loadOpenMls],
] as const)('a group of %s', (_, load) => {
  let engine: MlsEngine;
  let clients: MlsClient[];

  beforeEach(async () => {
    engine = await load();
    clients = [];
  });

  afterEach(() => {
    for (const client of clients) client.free();
  });

  function clientOf(identity: SharedSecret, mintedMs = NOW_MS): MlsClient {
    const client = engine.createClient(1);
    client.setCredential(utf8(identity.mint(mintedMs, client.publicKey)));
    clients.push(client);
    return client;
  }

  function add(group: MlsGroup, client: MlsClient): { commit: Uint8Array; joined: MlsGroup } {
    const { commit, welcome } = group.add(client.createKeyPackage());
    group.mergePending();
    return { commit, joined: client.stageWelcome(welcome).accept() };
  }

  /** A group of two, and what the second one sees of a commit by the first. */
  function pair(mintedMs = NOW_MS) {
    const [ann, ben] = [someone('ann'), someone('ben')];
    const [annClient, benClient] = [clientOf(ann, mintedMs), clientOf(ben, mintedMs)];
    const annGroup = annClient.createGroup();
    const { joined: benGroup } = add(annGroup, benClient);
    return { ann, ben, annClient, annGroup, benGroup };
  }

  test('N3: a key package whose token is about another key adds nobody', () => {
    const { annClient, annGroup, ann } = pair();
    const thief = engine.createClient(1);
    clients.push(thief);
    thief.setCredential(utf8(someone('cid').mint(NOW_MS, annClient.publicKey)));
    const info = annClient.inspectKeyPackage(thief.createKeyPackage());
    expect(codeOf(() => checkKeyPackage(info, annGroup.members(), checks, false))).toBe('mls-pubkey-mismatch');
    expect([annGroup.epoch, annGroup.members().length]).toEqual([1n, 2]);
    expect(checkMembers(annGroup.members(), checks, true).get(0)).toBe(ann.subject);
  });

  test('N5: a second member of one subject is refused, by who adds and by who follows', () => {
    const { ben, annClient, annGroup, benGroup } = pair();
    const keyPackage = clientOf(ben).createKeyPackage();
    const info = annClient.inspectKeyPackage(keyPackage);
    expect(failureOf(() => checkKeyPackage(info, annGroup.members(), checks, false))).toMatchObject({
      code: 'mls-subject-duplicate',
      details: { subject: ben.subject },
    });
    const { commit, welcome } = annGroup.add(keyPackage);
    const staged = benGroup.stageCommit(commit);
    expect(codeOf(() => checkCommit(staged, benGroup.members(), checks))).toBe('mls-subject-duplicate');
    staged.free();
    expect([benGroup.epoch, benGroup.members().length]).toEqual([1n, 2]);
    const joining = clients.at(-1)!.stageWelcome(welcome);
    expect(codeOf(() => checkMembers(joining.members, checks, true))).toBe('mls-subject-duplicate');
  });

  test('a good newcomer passes everywhere', () => {
    const { ann, ben, annClient, annGroup, benGroup } = pair();
    const cid = someone('cid');
    const cidClient = clientOf(cid);
    const keyPackage = cidClient.createKeyPackage();
    const info = annClient.inspectKeyPackage(keyPackage);
    expect(checkKeyPackage(info, annGroup.members(), checks, true)).toEqual({ subject: cid.subject });
    const { commit, welcome } = annGroup.add(keyPackage);
    const staged = benGroup.stageCommit(commit);
    checkCommitShape(staged, 'add', 0);
    expect(checkCommit(staged, benGroup.members(), checks)).toEqual({
      committer: ann.subject,
      added: [cid.subject],
      removed: [],
    });
    const { members } = cidClient.stageWelcome(welcome);
    expect([...checkMembers(members, checks, true).values()]).toEqual([ann.subject, ben.subject, cid.subject]);
  });

  test('who is removed is named, and may come back by the same commit', () => {
    const { ann, ben, annGroup, benGroup } = pair();
    const cid = someone('cid');
    const { commit, joined } = add(annGroup, clientOf(cid));
    benGroup.stageCommit(commit).merge();
    const staged = benGroup.stageCommit(annGroup.remove(joined.ownIndex));
    checkCommitShape(staged, 'remove', 0);
    expect(checkCommit(staged, benGroup.members(), checks)).toEqual({
      committer: ann.subject,
      added: [],
      removed: [cid.subject],
    });
    const rejoin: StagedCommit = { ...shapeOf(staged), added: [leafOf(ben, keyOf(9))], removed: [1], path: undefined };
    expect(checkCommit(rejoin, benGroup.members(), checks).added).toEqual([ben.subject]);
  });

  test('an hour later: the committer renews its token, and old members stay', () => {
    const { ann, annClient, annGroup, benGroup } = pair();
    const cid = clientOf(someone('cid'), NOW_MS + 2 * HOUR_MS);
    const later = at(NOW_MS + 2 * HOUR_MS);
    const keyPackage = cid.createKeyPackage();
    const info = annClient.inspectKeyPackage(keyPackage);
    // Peers of mls-rs would not join, so a moderator among them must not try.
    expect(failureOf(() => checkKeyPackage(info, annGroup.members(), later, true))).toMatchObject({
      code: 'mls-token-expired',
      details: { index: 0 },
    });
    checkKeyPackage(info, annGroup.members(), later, false);
    const stale = benGroup.stageCommit(annGroup.remove(1 - annGroup.ownIndex));
    expect(codeOf(() => checkCommit(stale, benGroup.members(), later))).toBe('mls-token-expired');
    annGroup.clearPending();
    const refresh = utf8(ann.mint(later.nowMs, annClient.publicKey));
    const staged = benGroup.stageCommit(annGroup.add(keyPackage, { refresh }).commit);
    expect(checkCommit(staged, benGroup.members(), later).committer).toBe(ann.subject);
  });

  test('a committer that comes back as somebody else is refused', () => {
    const { annClient, annGroup, benGroup } = pair();
    const refresh = utf8(someone('mallory').mint(NOW_MS, annClient.publicKey));
    const staged = benGroup.stageCommit(annGroup.add(clientOf(someone('cid')).createKeyPackage(), { refresh }).commit);
    expect(codeOf(() => checkCommit(staged, benGroup.members(), checks))).toBe('mls-successor-mismatch');
  });

  test('a commit must do what is announced, by the moderator', () => {
    const { annGroup, benGroup } = pair();
    const { commit } = annGroup.add(clientOf(someone('cid')).createKeyPackage());
    const add = benGroup.stageCommit(commit);
    const [one, none] = [[leafOf(someone('dan'), keyOf(4))], []];
    const refused: [StagedCommit, 'add' | 'remove', number][] = [
      [add, 'remove', 0],
      [add, 'add', 1],
      [{ ...shapeOf(add), added: none, removed: none }, 'add', 0],
      [{ ...shapeOf(add), added: none, removed: none }, 'remove', 0],
      [{ ...shapeOf(add), added: [...one, ...one], removed: none }, 'add', 0],
      [{ ...shapeOf(add), added: one, removed: [1] }, 'add', 0],
      [{ ...shapeOf(add), added: one, removed: [1] }, 'remove', 0],
      [{ ...shapeOf(add), added: none, removed: [1, 2] }, 'remove', 0],
    ];
    for (const [commitLike, change, moderator] of refused) {
      expect(codeOf(() => checkCommitShape(commitLike, change, moderator))).toBe('mls-unexpected-commit');
    }
    checkCommitShape(add, 'add', 0);
    checkCommitShape({ ...shapeOf(add), added: none, removed: [1] }, 'remove', 0);
  });

  test('a committer or a removed one that is no member is refused', () => {
    const { annGroup, benGroup } = pair();
    const staged = benGroup.stageCommit(annGroup.remove(1));
    const members = benGroup.members();
    const stranger = { ...shapeOf(staged), committerIndex: 7 };
    expect(codeOf(() => checkCommit(stranger, members, checks))).toBe('mls-unknown-sender');
    expect(codeOf(() => checkCommit({ ...shapeOf(staged), removed: [7] }, members, checks))).toBe('mls-unknown-member');
  });
});

/** A staged commit as plain data; the engines have more than its fields. */
function shapeOf({ committerIndex, added, removed, path, selfRemoved }: StagedCommit): StagedCommit {
  return { committerIndex, added, removed, path, selfRemoved, merge: () => {}, free: () => {} };
}
