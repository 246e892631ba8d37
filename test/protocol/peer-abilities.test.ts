import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import { SharedSecret } from '../../src/auth/index.js';
import { Name } from '../../src/name/index.js';
import { PeerAbilities } from '../../src/protocol/peer-abilities.js';
import { decodeMessage } from '../../src/wire/index.js';

const ALICE = Name.of('agntcy', 'ns', 'alice', 0xaan);
const BOB = Name.of('agntcy', 'ns', 'bob', 0xbbn);
const OLD_ALICE = 'agntcy/ns/alice_AbCd1234';
const NEW_BOB = 'agntcy/ns/bob/ffffffffffffffff_43MzrxB1';

describe('who can read what is encrypted, before anybody has spoken', () => {
  test('the token in the leaf of a 0.7.x member names org/ns/app, that of a later one its id as well', () => {
    const abilities = new PeerAbilities();
    expect(abilities.allRead).toBe(true);
    abilities.setSubjects([OLD_ALICE, NEW_BOB]);
    expect(abilities.allRead).toBe(false);
    expect(abilities.readsClearOnly(ALICE)).toBe(true);
    expect(abilities.readsClearOnly(BOB)).toBe(false);
    abilities.setSubjects([NEW_BOB]);
    expect(abilities.readsClearOnly(ALICE)).toBe(false);
    expect(abilities.allRead).toBe(true);
  });

  test.each([
    ['an identity of a JWT', 'spiffe://example.org/agntcy/ns/alice'],
    ['somebody else', 'agntcy/ns/alicia_AbCd1234'],
    ['a suffix that is too short', 'agntcy/ns/alice_AbCd123'],
    ['a suffix with another character', 'agntcy/ns/alice_AbCd-234'],
    ['no suffix', 'agntcy/ns/alice'],
    ['no name', '_AbCd1234'],
  ])('%s says nothing', (_what, subject) => {
    const abilities = new PeerAbilities();
    abilities.setSubjects([subject]);
    expect(abilities.readsClearOnly(ALICE)).toBe(false);
  });

  test('a member that names itself like another one, without an id, does not make that one look like 0.7', () => {
    const abilities = new PeerAbilities();
    abilities.setSubjects([NEW_BOB, 'agntcy/ns/bob_Forged12']);
    expect(abilities.readsClearOnly(BOB)).toBe(false);
    abilities.setSubjects(['agntcy/ns/bob_Forged12']);
    expect(abilities.readsClearOnly(BOB)).toBe(true);
  });

  test('a token that vouches for a key is of 1.3 or later, whatever it names', () => {
    const abilities = new PeerAbilities();
    abilities.setSubjects([OLD_ALICE]);
    expect(abilities.onKey(ALICE)).toBe(true);
    expect(abilities.onKey(ALICE)).toBe(false);
    expect(abilities.readsClearOnly(ALICE)).toBe(false);
  });

  test('a member of ours reads what is encrypted, also where it was told to send in clear', () => {
    const abilities = new PeerAbilities();
    abilities.setSubjects([`${ALICE.toString()}_AbCd1234`, NEW_BOB]);
    abilities.onPayload(ALICE, true);
    abilities.onPayload(BOB, true);
    expect([ALICE, BOB].map((name) => abilities.readsClearOnly(name))).toEqual([false, true]);
  });

  test('what a member sends settles it, and who has encrypted once never counts as clear again', () => {
    const abilities = new PeerAbilities();
    expect(abilities.onPayload(BOB, true)).toBe(true);
    expect(abilities.readsClearOnly(BOB)).toBe(true);
    expect(abilities.onPayload(BOB, false)).toBe(true);
    expect(abilities.onPayload(BOB, true)).toBe(false);
    expect(abilities.readsClearOnly(BOB)).toBe(false);
  });

  test('released peers are told apart by their tokens, in every message of every recording', () => {
    const verifier = new SharedSecret({
      secret: 'very-long-shared-secret-value-0123456789abcdef',
      identity: 'org/ns/me',
    });
    const found = new Map<string, Set<string>>();
    for (const line of gunzipSync(readFileSync(new URL('../fixtures/frames.txt.gz', import.meta.url)))
      .toString()
      .split('\n')) {
      const [trace = '', , kind = '', hex = ''] = line.split(' ');
      if (!kind.startsWith('publish') || trace.includes('-jwt') || trace.startsWith('controlled')) continue;
      const message = decodeMessage(Buffer.from(hex, 'hex'));
      if (message.kind !== 'publish') continue;
      const { identity, source } = message.header;
      const token = verifier.verify(identity, Number(identity.split(':')[1]) * 1000);
      if (!token.ok) throw new Error(`${trace}: ${token.reason}`);
      const abilities = new PeerAbilities();
      abilities.setSubjects([token.subject]);
      const looksOld = abilities.readsClearOnly(source);
      if (token.publicKey !== undefined) abilities.onKey(source);
      const words = `${looksOld ? 'names no id' : 'names an id'}, ${token.publicKey === undefined ? 'no key' : 'a key'}`;
      const version = trace.split('-')[1] ?? '';
      found.set(version, (found.get(version) ?? new Set()).add(words));
      expect(abilities.readsClearOnly(source), `${trace}: ${token.subject}`).toBe(version.startsWith('0.7'));
    }
    expect(Object.fromEntries([...found].map(([version, words]) => [version, [...words]]))).toEqual({
      '0.7.0': ['names no id, no key'],
      '0.7.1': ['names no id, no key'],
      '1.0.0': ['names an id, no key'],
      '1.4.0': ['names an id, a key'],
    });
  });
});
