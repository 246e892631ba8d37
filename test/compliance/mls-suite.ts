import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { Leaf, MlsClient, MlsEngine, MlsGroup, MlsSuite } from '../../src/mls/index.js';
import { MlsError, type MlsErrorCode } from '../../src/util/index.js';

/** One person of a group. */
export interface MlsPerson {
  readonly client: MlsClient;
  readonly group: MlsGroup;
}

/**
 * What every engine behind the port does.
 *
 * @param load - asked once
 */
export function mlsSuite(title: string, load: () => Promise<MlsEngine>): void {
  describe.each([1, 2] as const)(`${title}, suite %i`, (suite) => {
    let engine: MlsEngine;
    let clients: MlsClient[];

    beforeEach(async () => {
      engine = await load();
      clients = [];
    });

    afterEach(() => {
      for (const client of clients) client.free();
    });

    /** Clients are freed after the test; freeing one frees all that belongs to it. */
    function someone(name: string): MlsClient {
      const client = clientOf(engine, suite, name);
      clients.push(client);
      return client;
    }

    function people(...list: string[]): MlsPerson[] {
      const group = groupOf(engine, suite, ...list);
      clients.push(...group.map(({ client }) => client));
      return group;
    }

    describe('clients and key packages', () => {
      test('keys have the length of the suite', () => {
        const client = someone('ann');
        expect(client.suite).toBe(suite);
        expect(client.publicKey).toHaveLength(suite === 1 ? 32 : 65);
        expect(client.publicKey).toEqual(client.publicKey);
        expect(client.publicKey).not.toEqual(someone('ben').publicKey);
      });

      test('a key package says what was put into it, and begins as an MLSMessage', () => {
        const client = someone('ann');
        const keyPackage = client.createKeyPackage();
        expect([...keyPackage.subarray(0, 4)]).toEqual([0, 1, 0, 5]);
        const info = someone('ben').inspectKeyPackage(keyPackage);
        expect(info).toMatchObject({ credential: utf8('ann'), signatureKey: client.publicKey, suite });
        expect(info.notAfter - info.notBefore).toBe(BigInt(84 * 24 * 3600 + 3600));
        expect(client.createKeyPackage()).not.toEqual(keyPackage);
      });

      test('another suite can be read but not added', () => {
        const other = clientOf(engine, suite === 1 ? 2 : 1, 'other');
        clients.push(other);
        const keyPackage = other.createKeyPackage();
        expect(someone('ann').inspectKeyPackage(keyPackage).suite).toBe(other.suite);
        const [ann] = people('ann');
        expect(codeOf(() => ann!.group.add(keyPackage))).toBe('mls-unsupported-suite');
      });

      test('a suite that nobody has is refused', () => {
        expect(codeOf(() => engine.createClient(3 as MlsSuite))).toBe('mls-unsupported-suite');
      });

      test('without a credential there is no key package and no group', () => {
        const client = engine.createClient(suite);
        clients.push(client);
        expect(codeOf(() => client.createKeyPackage())).toBe('mls-no-credential');
        expect(codeOf(() => client.createGroup())).toBe('mls-no-credential');
      });

      test('a new credential is for what comes', () => {
        const client = someone('ann');
        const old = client.createKeyPackage();
        client.setCredential(utf8('ann, later'));
        expect(textOf(client.inspectKeyPackage(old).credential)).toBe('ann');
        expect(textOf(client.inspectKeyPackage(client.createKeyPackage()).credential)).toBe('ann, later');
      });

      test('a key package that was changed anywhere is refused', () => {
        const client = someone('ann');
        const keyPackage = client.createKeyPackage();
        for (let position = 0; position < keyPackage.length; position += 5) {
          expect(() => client.inspectKeyPackage(flipped(keyPackage, position))).toThrow(MlsError);
        }
        expect(codeOf(() => client.inspectKeyPackage(flipped(keyPackage, keyPackage.length - 1)))).toBe(
          'mls-bad-signature',
        );
        expect(codeOf(() => client.inspectKeyPackage(utf8('plain text')))).toBe('mls-malformed');
        expect(codeOf(() => client.inspectKeyPackage(new Uint8Array()))).toBe('mls-malformed');
      });

      test('a private key has 32 bytes', () => {
        const { publicKey } = someone('ann');
        expect(codeOf(() => engine.clientFromKey(suite, new Uint8Array(31), publicKey))).toBe('mls-malformed');
      });
    });

    describe('members', () => {
      test('come, go, and come again', () => {
        const group = people('ann', 'ben', 'cid');
        const ben = group[1]!;
        talk(group);
        leave(group, ben);
        talk(group);
        expect(names(group[0]!.group.members())).toEqual(['ann', 'cid']);
        expect(ben.group.active).toBe(false);
        const again = join(group, ben.client);
        talk(group);
        // The old group of the same client is another object, with nothing of the new one in it.
        ben.group.free();
        talk(group);
        expect(again.group.ownIndex).toBe(1);
        expect(group[0]!.group.epoch).toBe(4n);
      });

      test('a group starts with its founder', () => {
        const client = someone('ann');
        const group = client.createGroup();
        expect(group.groupId).toHaveLength(32);
        expect([group.epoch, group.ownIndex, group.active]).toEqual([0n, 0, true]);
        expect(group.members()).toEqual([{ index: 0, credential: utf8('ann'), signatureKey: client.publicKey }]);
      });

      test('a welcome can be looked at before it is accepted', () => {
        const group = people('ann', 'ben');
        const cid = someone('cid');
        const { welcome } = group[0]!.group.add(cid.createKeyPackage());
        expect([...welcome.subarray(0, 4)]).toEqual([0, 1, 0, 3]);
        const staged = cid.stageWelcome(welcome);
        expect([names(staged.members), staged.senderIndex, staged.ownIndex]).toEqual([['ann', 'ben', 'cid'], 0, 2]);
        const joined = staged.accept();
        expect([joined.epoch, joined.ownIndex]).toEqual([2n, 2]);
        expect(codeOf(() => staged.accept())).toBe('mls-freed');
      });

      test('a commit can be looked at before it is merged', () => {
        const group = people('ann', 'ben', 'cid');
        const dan = someone('dan');
        const { commit } = group[0]!.group.add(dan.createKeyPackage());
        expect([...commit.subarray(0, 4)]).toEqual([0, 1, 0, 1]);
        const add = group[1]!.group.stageCommit(commit);
        expect(add).toMatchObject({
          committerIndex: 0,
          added: [{ credential: utf8('dan'), signatureKey: dan.publicKey }],
          removed: [],
          path: undefined,
          selfRemoved: false,
        });
        expect(group[1]!.group.epoch).toBe(2n);
        add.free();

        group[0]!.group.clearPending();
        const removal = group[0]!.group.remove(2);
        const key = group[0]!.client.publicKey;
        expect(group[1]!.group.stageCommit(removal)).toMatchObject({
          committerIndex: 0,
          added: [],
          removed: [2],
          path: { credential: utf8('ann'), signatureKey: key },
          selfRemoved: false,
        });
        expect(group[2]!.group.stageCommit(removal).selfRemoved).toBe(true);
      });

      test('a commit can renew the credential of who makes it', () => {
        const group = people('ann', 'ben');
        const key = group[0]!.client.publicKey;
        const cid = someone('cid');
        const { commit, welcome } = group[0]!.group.add(cid.createKeyPackage(), { refresh: utf8('ann 2') });
        const staged = group[1]!.group.stageCommit(commit);
        expect(staged.path).toEqual({ credential: utf8('ann 2'), signatureKey: key });
        staged.merge();
        group[0]!.group.mergePending();
        group.push({ client: cid, group: cid.stageWelcome(welcome).accept() });
        talk(group);
        expect(names(group[2]!.group.members())).toEqual(['ann 2', 'ben', 'cid']);

        const removal = group[0]!.group.remove(1, { refresh: utf8('ann 3') });
        group[0]!.group.mergePending();
        group[2]!.group.stageCommit(removal).merge();
        group.splice(1, 1);
        talk(group);
        expect(names(group[1]!.group.members())).toEqual(['ann 3', 'cid']);
      });

      test('an own commit is pending until it is merged or cleared', () => {
        const group = people('ann', 'ben');
        const { group: ann } = group[0]!;
        const keyPackage = someone('cid').createKeyPackage();
        expect(codeOf(() => ann.mergePending())).toBe('mls-no-pending-commit');
        ann.clearPending();
        ann.add(keyPackage);
        expect(ann.epoch).toBe(1n);
        expect(codeOf(() => ann.add(someone('dan').createKeyPackage()))).toBe('mls-pending-commit');
        expect(codeOf(() => ann.remove(1))).toBe('mls-pending-commit');
        talk(group);
        ann.clearPending();
        expect(codeOf(() => ann.mergePending())).toBe('mls-no-pending-commit');
        join(group, someone('eve'));
        talk(group);
      });

      test('N4: a key package of a member is not added again', () => {
        const group = people('ann', 'ben');
        const cid = someone('cid');
        const keyPackage = cid.createKeyPackage();
        const { group: ann } = group[0]!;
        const { commit } = ann.add(keyPackage);
        ann.mergePending();
        group[1]!.group.stageCommit(commit).merge();
        expect(codeOf(() => ann.add(keyPackage))).toBe('mls-duplicate-member');
        expect(codeOf(() => ann.add(cid.createKeyPackage()))).toBe('mls-duplicate-member');
        expect(codeOf(() => ann.add(group[0]!.client.createKeyPackage()))).toBe('mls-duplicate-member');
        talk(group);
      });

      test('only others are removed, and only members', () => {
        const group = people('ann', 'ben', 'cid');
        leave(group, group[1]!);
        for (const index of [0, 1, 77]) expect(codeOf(() => group[0]!.group.remove(index))).toBe('mls-unknown-member');
        talk(group);
      });

      test('a removed member can do nothing any more', () => {
        const group = people('ann', 'ben', 'cid');
        const { group: ben } = group[1]!;
        leave(group, group[1]!);
        const message = group[0]!.group.encrypt(utf8('without ben'));
        const keyPackage = someone('dan').createKeyPackage();
        const { commit } = group[0]!.group.add(keyPackage);
        for (const action of [
          () => ben.decrypt(message),
          () => ben.stageCommit(commit),
          () => ben.encrypt(utf8('still here')),
          () => ben.add(keyPackage),
          () => ben.remove(0),
          () => {
            ben.mergePending();
          },
          () => ben.exportSecret('label', new Uint8Array(), 16),
        ]) {
          expect(codeOf(action)).toBe('mls-inactive');
        }
        ben.clearPending();
        expect(names(ben.members())).toEqual(['ann', 'cid']);
      });

      test('all export the same secret, another in each epoch and for each label', () => {
        const group = people('ann', 'ben');
        const secretOf = ({ group: one }: MlsPerson, label = 'label') => one.exportSecret(label, utf8('context'), 24);
        const first = secretOf(group[0]!);
        expect(first).toHaveLength(24);
        expect(secretOf(group[1]!)).toEqual(first);
        expect(secretOf(group[0]!, 'other')).not.toEqual(first);
        join(group, someone('cid'));
        expect(secretOf(group[2]!)).toEqual(secretOf(group[0]!));
        expect(secretOf(group[0]!)).not.toEqual(first);
        expect(codeOf(() => group[0]!.group.exportSecret('label', utf8(''), 65_536))).toBe('mls-malformed');
      });
    });

    describe('commits', () => {
      test('N6: one that comes again or two epochs early changes nothing', () => {
        const group = people('ann', 'ben');
        const [{ group: ann }, { group: ben }] = group as [MlsPerson, MlsPerson];
        const commits = ['cid', 'dan'].map((name) => {
          const { commit } = ann.add(someone(name).createKeyPackage());
          ann.mergePending();
          return commit;
        });
        expect(codeOf(() => ben.stageCommit(commits[1]!))).toBe('mls-wrong-epoch-future');
        expect([ben.epoch, names(ben.members())]).toEqual([1n, ['ann', 'ben']]);
        ben.stageCommit(commits[0]!).merge();
        expect(codeOf(() => ben.stageCommit(commits[0]!))).toBe('mls-wrong-epoch-past');
        expect([ben.epoch, ben.members().length]).toEqual([2n, 3]);
        ben.stageCommit(commits[1]!).merge();
        talk(group);
      });

      test('one that was changed anywhere is refused, and the genuine one is taken', () => {
        const group = people('ann', 'ben', 'cid');
        const commit = group[0]!.group.remove(2);
        const { group: ben } = group[1]!;
        for (let position = 0; position < commit.length; position += 11) {
          expect(() => ben.stageCommit(flipped(commit, position))).toThrow(MlsError);
        }
        expect(codeOf(() => ben.stageCommit(flipped(commit, commit.length - 1)))).toBe('mls-bad-signature');
        ben.stageCommit(commit).merge();
        expect(ben.epoch).toBe(3n);
      });

      test('of two in one epoch the first that is merged counts', () => {
        const group = people('ann', 'ben', 'cid');
        const { commit: first } = group[0]!.group.add(someone('dan').createKeyPackage());
        const second = group[1]!.group.remove(0);
        const { group: cid } = group[2]!;
        const [one, two] = [cid.stageCommit(first), cid.stageCommit(second)];
        one.merge();
        expect(
          codeOf(() => {
            two.merge();
          }),
        ).toBe('mls-wrong-epoch-past');
        expect(names(cid.members())).toEqual(['ann', 'ben', 'cid', 'dan']);
      });

      test('one of another member drops the own pending one', () => {
        const group = people('ann', 'ben');
        const { commit } = group[0]!.group.add(someone('cid').createKeyPackage());
        group[0]!.group.mergePending();
        group[1]!.group.remove(0);
        group[1]!.group.stageCommit(commit).merge();
        expect(codeOf(() => group[1]!.group.mergePending())).toBe('mls-no-pending-commit');
        talk(group);
      });

      test('own ones that come back are known', () => {
        const group = people('ann', 'ben');
        const { group: ann } = group[0]!;
        const { commit } = ann.add(someone('cid').createKeyPackage());
        expect(codeOf(() => ann.stageCommit(commit))).toBe('mls-own-message');
        ann.clearPending();
        expect(codeOf(() => ann.stageCommit(commit))).toBe('mls-own-message');
      });
    });

    describe('welcomes', () => {
      test('N10: one for a forgotten key package does not open', () => {
        const group = people('ann', 'ben');
        const cid = someone('cid');
        const { welcome } = group[0]!.group.add(cid.createKeyPackage());
        const forgetful = someone('cid again');
        forgetful.createKeyPackage();
        expect(codeOf(() => forgetful.stageWelcome(welcome))).toBe('mls-no-key-package');
        cid.stageWelcome(welcome).free();
        expect(codeOf(() => cid.stageWelcome(welcome))).toBe('mls-no-key-package');
      });

      test('one that was changed anywhere does not use the key package up', () => {
        const group = people('ann', 'ben');
        const cid = someone('cid');
        const { welcome } = group[0]!.group.add(cid.createKeyPackage());
        for (let position = 0; position < welcome.length; position += 37) {
          expect(() => cid.stageWelcome(flipped(welcome, position))).toThrow(MlsError);
        }
        expect(codeOf(() => cid.stageWelcome(flipped(welcome, welcome.length - 1)))).toBe('mls-aead');
        expect(names(cid.stageWelcome(welcome).members)).toEqual(['ann', 'ben', 'cid']);
      });
    });

    describe('payloads', () => {
      test('are hidden, and of the right kind', () => {
        const group = people('ann', 'ben');
        const message = group[0]!.group.encrypt(utf8('the quick brown fox'));
        expect([...message.subarray(0, 4)]).toEqual([0, 1, 0, 2]);
        expect(textOf(message)).not.toContain('quick');
        expect(group[0]!.group.encrypt(utf8('the quick brown fox'))).not.toEqual(message);
      });

      test('open in any order, and once', () => {
        const group = people('ann', 'ben');
        const messages = Array.from({ length: 20 }, (_, n) => group[0]!.group.encrypt(utf8(String(n))));
        for (const [n, message] of [...messages.entries()].toReversed()) {
          expect(textOf(group[1]!.group.decrypt(message).plaintext)).toBe(String(n));
        }
        for (const message of messages) expect(codeOf(() => group[1]!.group.decrypt(message))).toBe('mls-replay');
      });

      test('of any length come through', () => {
        const group = people('ann', 'ben');
        for (const length of [0, 1, 31, 32, 33, 1000, 70_000]) {
          const plaintext = Uint8Array.from({ length }, (_, index) => index % 251);
          expect(group[1]!.group.decrypt(group[0]!.group.encrypt(plaintext)).plaintext).toEqual(plaintext);
        }
      });

      test('N7: one that was changed is refused, and the genuine one still opens', () => {
        const group = people('ann', 'ben');
        const message = group[0]!.group.encrypt(utf8('genuine'));
        const { group: ben } = group[1]!;
        expect(codeOf(() => ben.decrypt(flipped(message, message.length - 1)))).toBe('mls-aead');
        for (let position = 0; position < message.length; position += 3) {
          expect(() => ben.decrypt(flipped(message, position))).toThrow(MlsError);
        }
        expect(textOf(ben.decrypt(message).plaintext)).toBe('genuine');
      });

      test('N8: of a removed member or of another group, nothing opens', () => {
        const group = people('ann', 'ben', 'cid');
        const elsewhere = people('ann', 'ben');
        const late = group[1]!.group.encrypt(utf8('last words'));
        const later = group[1]!.group.encrypt(utf8('very last words'));
        leave(group, group[1]!);
        expect(codeOf(() => group[0]!.group.decrypt(late))).toBe('mls-wrong-epoch-past');
        // Somebody else has the leaf now, and is not taken for the author.
        expect(join(group, someone('dan')).group.ownIndex).toBe(1);
        expect(codeOf(() => group[0]!.group.decrypt(later))).toBe('mls-wrong-epoch-past');
        expect(codeOf(() => elsewhere[0]!.group.decrypt(late))).toBe('mls-wrong-group');
        talk(group);
      });

      test('of three epochs back still open, of four not', () => {
        const group = people('ann', 'ben');
        const messages = ['a', 'b', 'c', 'd'].map((name) => {
          const message = group[1]!.group.encrypt(utf8(name));
          join(group, someone(name));
          return message;
        });
        const { group: ann } = group[0]!;
        expect(codeOf(() => ann.decrypt(messages[0]!))).toBe('mls-wrong-epoch-past');
        expect(messages.slice(1).map((message) => textOf(ann.decrypt(message).plaintext))).toEqual(['b', 'c', 'd']);
        expect(codeOf(() => ann.decrypt(messages[1]!))).toBe('mls-replay');
        // Sent before the reader joined.
        expect(codeOf(() => group[5]!.group.decrypt(messages[3]!))).toBe('mls-wrong-epoch-past');
      });

      test('of an epoch to come wait for its commit', () => {
        const group = people('ann', 'ben');
        const { commit } = group[0]!.group.add(someone('cid').createKeyPackage());
        group[0]!.group.mergePending();
        const early = group[0]!.group.encrypt(utf8('early'));
        const { group: ben } = group[1]!;
        expect(codeOf(() => ben.decrypt(early))).toBe('mls-wrong-epoch-future');
        ben.stageCommit(commit).merge();
        expect(textOf(ben.decrypt(early).plaintext)).toBe('early');
      });

      test('across a renewed credential still open', () => {
        const group = people('ann', 'ben');
        const late = group[0]!.group.encrypt(utf8('late'));
        const { commit } = group[0]!.group.add(someone('cid').createKeyPackage(), { refresh: utf8('ann 2') });
        group[1]!.group.stageCommit(commit).merge();
        expect(textOf(group[1]!.group.decrypt(late).plaintext)).toBe('late');
      });

      test('after 1024 lost ones open, after 1025 not', () => {
        const group = people('ann', 'ben', 'cid');
        const [{ group: ann }, { group: ben }, { group: cid }] = group as [MlsPerson, MlsPerson, MlsPerson];
        const messages = Array.from({ length: 1026 }, () => ann.encrypt(utf8('x')));
        expect(codeOf(() => ben.decrypt(messages[1025]!))).toBe('mls-too-far-ahead');
        ben.decrypt(messages[0]!);
        ben.decrypt(messages[1025]!);
        ben.decrypt(messages[2]!);
        cid.decrypt(messages[1024]!);
        expect(codeOf(() => cid.decrypt(messages[0]!))).toBe('mls-too-far-behind');
        cid.decrypt(messages[1]!);
      });

      test('carry data in clear that cannot be changed', () => {
        const group = people('ann', 'ben');
        const message = group[0]!.group.encrypt(utf8('text'), utf8('header'));
        expect(textOf(group[1]!.group.decrypt(message).aad)).toBe('header');
        talk(group);
      });

      test('of our own that come back are known', () => {
        const group = people('ann', 'ben');
        const message = group[0]!.group.encrypt(utf8('mine'));
        expect(codeOf(() => group[0]!.group.decrypt(message))).toBe('mls-own-message');
        expect(textOf(group[1]!.group.decrypt(message).plaintext)).toBe('mine');
      });
    });

    test('each call takes its own kind of message', () => {
      const group = people('ann', 'ben');
      const cid = someone('cid');
      const keyPackage = cid.createKeyPackage();
      const { commit, welcome } = group[0]!.group.add(keyPackage);
      const payload = group[0]!.group.encrypt(utf8('text'));
      const { group: ben } = group[1]!;
      const messages = { keyPackage, commit, welcome, payload };
      const calls: Record<keyof typeof messages, ((bytes: Uint8Array) => unknown)[]> = {
        keyPackage: [(bytes) => cid.inspectKeyPackage(bytes), (bytes) => ben.add(bytes)],
        commit: [(bytes) => ben.stageCommit(bytes)],
        welcome: [(bytes) => cid.stageWelcome(bytes)],
        payload: [(bytes) => ben.decrypt(bytes)],
      };
      for (const [kind, list] of Object.entries(calls)) {
        for (const call of list) {
          for (const [other, bytes] of Object.entries(messages)) {
            if (other !== kind) expect(codeOf(() => call(bytes))).toBe('mls-wrong-type');
          }
          for (const bytes of [utf8('plain text'), new Uint8Array(), commit.subarray(0, 3)]) {
            expect(codeOf(() => call(bytes))).toBe('mls-malformed');
          }
        }
      }
    });

    describe('what was freed', () => {
      test('throws, whatever is called, and may be freed again', () => {
        const group = people('ann', 'ben');
        const cid = someone('cid');
        const keyPackage = cid.createKeyPackage();
        const { commit, welcome } = group[0]!.group.add(keyPackage);
        const payload = group[0]!.group.encrypt(utf8('text'));
        const { client, group: ben } = group[1]!;
        const staged = ben.stageCommit(commit);
        const joining = cid.stageWelcome(welcome);
        staged.free();
        joining.free();
        ben.free();
        const ofGroup = [
          () => ben.groupId,
          () => ben.epoch,
          () => ben.ownIndex,
          () => ben.active,
          () => ben.members(),
          () => ben.add(keyPackage),
          () => ben.remove(0),
          () => {
            ben.mergePending();
          },
          () => {
            ben.clearPending();
          },
          () => ben.stageCommit(commit),
          () => ben.encrypt(payload),
          () => ben.decrypt(payload),
          () => ben.exportSecret('label', payload, 16),
          () => {
            staged.merge();
          },
          () => joining.accept(),
        ];
        for (const action of ofGroup) expect(codeOf(action)).toBe('mls-freed');
        client.free();
        const ofClient = [
          () => client.publicKey,
          () => {
            client.setCredential(payload);
          },
          () => client.sign(payload),
          () => client.createKeyPackage(),
          () => client.inspectKeyPackage(keyPackage),
          () => client.createGroup(),
          () => client.stageWelcome(welcome),
        ];
        for (const action of ofClient) expect(codeOf(action)).toBe('mls-freed');
        for (const one of [staged, joining, ben, client]) one.free();
      });

      test('takes along what belongs to it', () => {
        const group = people('ann', 'ben');
        const cid = someone('cid');
        const { commit, welcome } = group[0]!.group.add(cid.createKeyPackage());
        const staged = group[1]!.group.stageCommit(commit);
        const joining = cid.stageWelcome(welcome);
        group[1]!.client.free();
        cid.free();
        expect(codeOf(() => group[1]!.group.epoch)).toBe('mls-freed');
        expect(
          codeOf(() => {
            staged.merge();
          }),
        ).toBe('mls-freed');
        expect(codeOf(() => joining.accept())).toBe('mls-freed');
        expect(group[0]!.group.epoch).toBe(1n);
      });

      test('leaves a group alone whose staged commits are freed', () => {
        const group = people('ann', 'ben');
        const { commit } = group[0]!.group.add(someone('cid').createKeyPackage());
        const staged = group[1]!.group.stageCommit(commit);
        staged.free();
        group[0]!.group.clearPending();
        talk(group);
      });
    });
  });
}

/** UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** UTF-8 to text. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** The code of the MlsError that an action throws. */
export function codeOf(action: () => unknown): MlsErrorCode {
  return failureOf(action).code;
}

/** The MlsError that an action throws. */
export function failureOf(action: () => unknown): MlsError {
  try {
    action();
  } catch (error) {
    if (error instanceof MlsError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** A copy with one bit changed. */
export function flipped(bytes: Uint8Array, position: number): Uint8Array {
  return bytes.map((byte, index) => (index === position ? byte ^ 1 : byte));
}

/** A client whose credential is its name. */
export function clientOf(engine: MlsEngine, suite: MlsSuite, name: string): MlsClient {
  const client = engine.createClient(suite);
  client.setCredential(utf8(name));
  return client;
}

/** The first of `people` adds a client, all follow. */
export function join(people: MlsPerson[], client: MlsClient): MlsPerson {
  const [moderator, ...others] = people;
  const { commit, welcome } = moderator!.group.add(client.createKeyPackage());
  moderator!.group.mergePending();
  for (const { group } of others) group.stageCommit(commit).merge();
  const newcomer = { client, group: client.stageWelcome(welcome).accept() };
  people.push(newcomer);
  return newcomer;
}

/** The first of `people` removes one of them; all follow, that one as well. */
export function leave(people: MlsPerson[], who: MlsPerson): void {
  const [moderator, ...others] = people;
  const commit = moderator!.group.remove(who.group.ownIndex);
  moderator!.group.mergePending();
  for (const { group } of others) group.stageCommit(commit).merge();
  people.splice(people.indexOf(who), 1);
}

/** A group; the first name made it. */
export function groupOf(engine: MlsEngine, suite: MlsSuite, ...names: string[]): MlsPerson[] {
  const client = clientOf(engine, suite, names[0]!);
  const people = [{ client, group: client.createGroup() }];
  for (const name of names.slice(1)) join(people, clientOf(engine, suite, name));
  return people;
}

/** Everybody says something, everybody else reads it, and all see the same members. */
export function talk(people: readonly MlsPerson[]): void {
  for (const { group } of people) {
    expect(group.members()).toEqual(people[0]!.group.members());
    expect(group.epoch).toBe(people[0]!.group.epoch);
    const message = group.encrypt(utf8(`from ${String(group.ownIndex)}`));
    for (const reader of people) {
      if (reader.group === group) continue;
      const { plaintext, senderIndex, aad, epoch } = reader.group.decrypt(message);
      expect([textOf(plaintext), senderIndex, aad.length, epoch]).toEqual([
        `from ${String(group.ownIndex)}`,
        group.ownIndex,
        0,
        group.epoch,
      ]);
    }
  }
}

function names(leaves: readonly Pick<Leaf, 'credential'>[]): string[] {
  return leaves.map(({ credential }) => textOf(credential));
}
