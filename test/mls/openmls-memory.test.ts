import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { beforeAll, describe, expect, test } from 'vitest';

import { initSync } from '../../src/mls/generated/openmls-wasm.js';
import { loadOpenMls, type MlsEngine } from '../../src/mls/index.js';
import { clientOf, groupOf, join, leave, talk, utf8 } from '../compliance/mls-suite.js';

let engine: MlsEngine;
let memory: { readonly buffer: ArrayBuffer };

beforeAll(async () => {
  engine = await loadOpenMls();
  // Once it runs, it gives what runs.
  const module = readFileSync(new URL('../../src/mls/generated/openmls-wasm_bg.wasm', import.meta.url));
  ({ memory } = initSync({ module }) as { memory: { buffer: ArrayBuffer } });
});

function holds(bytes: Uint8Array): boolean {
  return Buffer.from(memory.buffer).includes(Buffer.from(bytes));
}

describe('the memory of the engine', () => {
  test('does not grow over 500 joins and removals', () => {
    const people = groupOf(engine, 1, 'ann', 'ben');
    const cycle = () => {
      const guest = join(people, clientOf(engine, 1, 'guest'));
      people[0]!.group.decrypt(guest.group.encrypt(utf8('here I am')));
      leave(people, guest);
      guest.client.free();
    };
    for (let round = 0; round < 50; round += 1) cycle();
    const before = memory.buffer.byteLength;
    for (let round = 0; round < 500; round += 1) cycle();
    expect(memory.buffer.byteLength).toBe(before);
    talk(people);
    for (const { client } of people) client.free();
  }, 60_000);

  test('does not grow over 3000 messages to and fro', () => {
    const people = groupOf(engine, 1, 'ann', 'ben');
    const [ann, ben] = [people[0]!.group, people[1]!.group];
    const cycle = () => {
      ben.decrypt(ann.encrypt(utf8('to')));
      ann.decrypt(ben.encrypt(utf8('fro')));
    };
    // The window of used keys is full after 1024.
    for (let round = 0; round < 1100; round += 1) cycle();
    const before = memory.buffer.byteLength;
    for (let round = 0; round < 1500; round += 1) cycle();
    expect(memory.buffer.byteLength).toBe(before);
    for (const { client } of people) client.free();
  }, 60_000);

  test('does not grow over commits and welcomes that are refused or dropped', () => {
    const people = groupOf(engine, 1, 'ann', 'ben');
    const cycle = () => {
      const guest = clientOf(engine, 1, 'guest');
      const { commit, welcome } = people[0]!.group.add(guest.createKeyPackage());
      people[1]!.group.stageCommit(commit).free();
      expect(() => people[1]!.group.stageCommit(commit.subarray(0, -1))).toThrow();
      expect(() => guest.stageWelcome(welcome.subarray(0, -1))).toThrow();
      guest.stageWelcome(welcome).free();
      people[0]!.group.clearPending();
      guest.free();
    };
    for (let round = 0; round < 50; round += 1) cycle();
    const before = memory.buffer.byteLength;
    for (let round = 0; round < 200; round += 1) cycle();
    expect(memory.buffer.byteLength).toBe(before);
    for (const { client } of people) client.free();
  }, 60_000);

  test.each([1, 2] as const)('holds no plaintext of suite %i after the call', (suite) => {
    const people = groupOf(engine, suite, 'ann', 'ben');
    const plaintext = new Uint8Array(randomBytes(512));
    const opened = people[1]!.group.decrypt(people[0]!.group.encrypt(plaintext)).plaintext;
    expect(opened).toEqual(plaintext);
    for (let start = 0; start < plaintext.length; start += 16) {
      expect(holds(plaintext.subarray(start, start + 16))).toBe(false);
    }
    for (const { client } of people) client.free();
  });

  test.each([
    { suite: 1, curve: 'ed25519' },
    { suite: 2, curve: 'P-256' },
  ] as const)('holds no signature key of suite $suite after it was freed', ({ suite, curve }) => {
    const { privateKey, publicKey } = rawKeys(curve);
    const client = engine.clientFromKey(suite, privateKey, publicKey);
    client.setCredential(utf8('ann'));
    const people = groupOf(engine, suite, 'ben');
    join(people, client);
    talk(people);
    client.sign(utf8('text'));
    // As a number it has its lowest byte first.
    const forms = [privateKey, privateKey.toReversed()];
    expect(forms.some(holds)).toBe(true);
    for (const person of people) person.client.free();
    expect(forms.some(holds)).toBe(false);
  });

  test('holds no exported secret after the group was freed', () => {
    const people = groupOf(engine, 1, 'ann');
    const secret = people[0]!.group.exportSecret('label', utf8('context'), 32);
    people[0]!.group.free();
    expect(holds(secret)).toBe(false);
    people[0]!.client.free();
  });
});

function rawKeys(curve: 'ed25519' | 'P-256'): { privateKey: Uint8Array; publicKey: Uint8Array } {
  const pair = curve === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: curve });
  const { d = '', x = '', y } = pair.privateKey.export({ format: 'jwk' });
  const [scalar, ...point] = [d, x, ...(y === undefined ? [] : [y])].map((text) => Buffer.from(text, 'base64url'));
  const parts = curve === 'ed25519' ? point : [Buffer.of(4), ...point];
  return { privateKey: new Uint8Array(scalar!), publicKey: new Uint8Array(Buffer.concat(parts)) };
}
