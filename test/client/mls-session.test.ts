import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';

import { SharedSecret } from '../../src/auth/index.js';
import { MlsSession } from '../../src/client/mls-session.js';
import { Name } from '../../src/name/index.js';
import type { MlsRequest, MlsResult } from '../../src/protocol/index.js';

const SECRET = 'a-shared-secret-for-tests-of-32-bytes-or-more';
const START_MS = Date.UTC(2026, 5, 1, 12);
const MINUTE_MS = 60_000;

type Done = Extract<MlsResult, { ok: true }>;

/** One app's MLS in one session. */
class Party {
  readonly name: Name;
  readonly secret: SharedSecret;
  readonly mls: MlsSession;

  constructor(app: string) {
    this.name = Name.of('org', 'ns', app, 1n);
    this.secret = new SharedSecret({ secret: SECRET, identity: `org/ns/${app}` });
    this.mls = new MlsSession(this.secret, this.secret);
    onTestFinished(() => {
      this.mls.free();
    });
  }

  async run(request: MlsRequest): Promise<Done> {
    const result = await this.mls.run(request);
    if (!result.ok) throw result.error;
    return result;
  }

  async keyPackage(): Promise<Uint8Array> {
    return (await this.run({ op: 'keyPackage' })).bytes;
  }

  async says(text: string): Promise<Uint8Array> {
    return (await this.run({ op: 'encrypt', payload: new TextEncoder().encode(text) })).bytes;
  }

  async reads(ciphertext: Uint8Array, from: Party): Promise<string> {
    const { bytes } = await this.run({ op: 'decrypt', ciphertext, subject: from.secret.subject });
    return new TextDecoder().decode(bytes);
  }
}

/** A moderator's group and its members. */
class Group {
  readonly moderator = new Party('m');
  readonly members: Party[] = [];

  async start(): Promise<this> {
    await this.moderator.run({ op: 'createGroup' });
    return this;
  }

  async add(app: string): Promise<Party> {
    const party = new Party(app);
    await this.admit(party, await party.keyPackage());
    return party;
  }

  async admit(party: Party, keyPackage: Uint8Array): Promise<void> {
    const { bytes: commit, welcome } = await this.moderator.run({ op: 'add', member: party.name, keyPackage });
    for (const member of this.members) await member.run({ op: 'commit', commit, change: 'add' });
    await party.run({ op: 'join', welcome: welcome ?? new Uint8Array(0) });
    this.members.push(party);
  }

  async remove(party: Party): Promise<void> {
    const { bytes: commit } = await this.moderator.run({ op: 'remove', member: party.name });
    this.members.splice(this.members.indexOf(party), 1);
    for (const member of this.members) await member.run({ op: 'commit', commit, change: 'remove' });
  }

  /** Everybody reads everybody. */
  async check(): Promise<void> {
    const everybody = [this.moderator, ...this.members];
    for (const sender of everybody) {
      const ciphertext = await sender.says('hello');
      for (const reader of everybody) {
        if (reader !== sender) expect(await reader.reads(ciphertext, sender)).toBe('hello');
      }
    }
  }
}

/** Only the clock of dates: tokens and key packages follow it, timers do not. */
function setMinute(minute: number): void {
  vi.setSystemTime(START_MS + minute * MINUTE_MS);
}

beforeEach(() => {
  setMinute(0);
});

afterEach(() => {
  vi.useRealTimers();
});

describe('the hour that tokens live (identity-and-mls.md 4.3)', () => {
  test('row 16: with members that come and go within 50 minutes a group takes additions for hours', async () => {
    const group = await new Group().start();
    const first = await group.add('a');
    await group.add('b');
    for (const minute of [40, 80, 120]) {
      setMinute(minute);
      const oldest = group.members[0]!;
      await group.remove(oldest);
      await group.add(`${oldest.name.app}${String(minute)}`);
      const second = group.members[0]!;
      await group.remove(second);
      await group.add(`${second.name.app}${String(minute)}`);
      await group.check();
    }
    expect(group.members).not.toContain(first);
  });

  test('the own leaf is renewed with each commit: who joins at minute 100 sees one that is not older than the commit', async () => {
    const group = await new Group().start();
    const a = await group.add('a');
    setMinute(55);
    await group.remove(a);
    await group.add('b');
    setMinute(100);
    // The first token expired at 60; `join` is as strict as upstream.
    await group.add('c');
    await group.check();
  });

  test('a commit that comes to nothing does not count as a renewal', async () => {
    const group = await new Group().start();
    const a = await group.add('a');
    setMinute(58);
    // The same key package again: refused after a new token was made for the commit.
    const duplicate = new Party('other');
    await expect(group.admit(duplicate, new Uint8Array(3))).rejects.toMatchObject({ code: 'mls-malformed' });
    setMinute(58.5);
    await group.remove(a);
    setMinute(61);
    await group.add('b');
    await group.check();
  });

  test('row 15: after an hour without commits payloads go on, additions are refused at once, the group stays usable', async () => {
    const group = await new Group().start();
    await group.add('a');
    await group.add('b');
    setMinute(61);
    await group.check();
    const late = new Party('late');
    const keyPackage = await late.keyPackage();
    const refusal = await late.mls.run({ op: 'encrypt', payload: new Uint8Array(1) });
    expect(refusal).toMatchObject({ ok: false, error: { code: 'mls-inactive' } });
    const before = (await group.moderator.run({ op: 'encrypt', payload: new Uint8Array(1) })).epoch;
    const added = await group.moderator.mls.run({ op: 'add', member: late.name, keyPackage });
    expect(added).toMatchObject({ ok: false, error: { code: 'mls-token-expired' } });
    await group.check();
    expect((await group.moderator.run({ op: 'encrypt', payload: new Uint8Array(1) })).epoch).toBe(before);
  });

  test('the error says whose token it is, and shows nothing of it', async () => {
    const group = await new Group().start();
    setMinute(30);
    await group.add('a');
    setMinute(70);
    await group.add('b');
    setMinute(91);
    const late = new Party('late');
    const added = await group.moderator.mls.run({ op: 'add', member: late.name, keyPackage: await late.keyPackage() });
    if (added.ok) throw new Error('it was taken');
    expect(added.error.message).toContain('org/ns/a/1');
    expect(added.error.message).not.toContain(group.members[0]!.secret.subject);
    expect(JSON.stringify([added.error, added.error.message, added.error.details])).not.toMatch(/:\d{10}:/);
  });

  test('a moderator whose own leaf has expired refuses: members of upstream could not follow its next commit', async () => {
    const group = await new Group().start();
    setMinute(0.9);
    // Too soon after the start for a new leaf, so its own is the oldest one.
    await group.add('a');
    await group.add('b');
    setMinute(60.5);
    const late = new Party('late');
    const added = await group.moderator.mls.run({ op: 'add', member: late.name, keyPackage: await late.keyPackage() });
    expect(added).toMatchObject({ ok: false, error: { code: 'mls-token-expired' } });
    expect((added as Extract<MlsResult, { ok: false }>).error.message).toContain('this app');
    const removed = await group.moderator.mls.run({ op: 'remove', member: group.members[0]!.name });
    expect(removed).toMatchObject({ ok: false, error: { code: 'mls-token-expired' } });
    await group.check();
  });

  test('a member whose leaf has expired cannot be removed while others would have to follow; the others can', async () => {
    const group = await new Group().start();
    const old = await group.add('a');
    setMinute(30);
    const young = await group.add('b');
    setMinute(61);
    const removed = await group.moderator.mls.run({ op: 'remove', member: old.name });
    expect(removed).toMatchObject({ ok: false, error: { code: 'mls-token-expired' } });
    await group.check();
    await group.remove(young);
    await group.check();
    // Nobody is left to follow, and then nobody is in the way of a new start.
    await group.remove(old);
    await group.add('c');
    await group.check();
  });

  test('alone, a moderator may wait as long as it likes before it invites', async () => {
    const group = await new Group().start();
    setMinute(300);
    await group.add('a');
    await group.check();
  });

  test('a member does not join a group that upstream would not join: one with an expired leaf', async () => {
    const group = await new Group().start();
    await group.add('a');
    setMinute(59);
    const late = new Party('late');
    const keyPackage = await late.keyPackage();
    const { welcome } = await group.moderator.run({ op: 'add', member: late.name, keyPackage });
    setMinute(61);
    const joined = await late.mls.run({ op: 'join', welcome: welcome ?? new Uint8Array(0) });
    expect(joined).toMatchObject({ ok: false, error: { code: 'mls-token-expired' } });
  });

  test('a moderator whose clock was set back ten minutes splits no group', async () => {
    const group = await new Group().start();
    const a = await group.add('a');
    const b = await group.add('b');
    setMinute(-10);
    const { bytes: commit } = await group.moderator.run({ op: 'remove', member: a.name });
    group.members.shift();
    setMinute(0);
    await b.run({ op: 'commit', commit, change: 'remove' });
    await group.check();
  });
});

describe('who is who', () => {
  test('a payload under another subject is refused; under the right one it is read, once', async () => {
    const group = await new Group().start();
    const a = await group.add('a');
    const b = await group.add('b');
    const ciphertext = await a.says('mine');
    await expect(b.reads(ciphertext, group.moderator)).rejects.toMatchObject({ code: 'mls-unknown-sender' });
    await expect(b.reads(ciphertext, group.moderator)).rejects.toMatchObject({ code: 'mls-unknown-sender' });
    expect(await b.reads(ciphertext, a)).toBe('mine');
    await expect(b.reads(ciphertext, a)).rejects.toMatchObject({ code: 'mls-replay' });
  });

  test('a payload of an epoch before, under another subject, is refused as well', async () => {
    const group = await new Group().start();
    const a = await group.add('a');
    const b = await group.add('b');
    const ciphertext = await a.says('before');
    await group.add('c');
    await expect(b.reads(ciphertext, group.moderator)).rejects.toMatchObject({ code: 'mls-unknown-sender' });
    expect(await b.reads(ciphertext, a)).toBe('before');
  });

  test('N8: a removed member is not read any more, nor somebody in another group', async () => {
    const group = await new Group().start();
    const a = await group.add('a');
    const b = await group.add('b');
    const parting = await a.says('before I go');
    await group.remove(a);
    await expect(b.reads(parting, a)).rejects.toMatchObject({ code: 'mls-wrong-epoch-past' });
    const other = await new Group().start();
    const stranger = await other.add('x');
    await expect(b.reads(await stranger.says('hello'), stranger)).rejects.toMatchObject({ code: 'mls-wrong-group' });
    await group.check();
  });

  test('N6: a commit for the second time, and one that is too early, change nothing', async () => {
    const group = await new Group().start();
    const a = await group.add('a');
    const parties = [new Party('b'), new Party('c')];
    const commits: Uint8Array[] = [];
    for (const party of parties) {
      const request = { op: 'add', member: party.name, keyPackage: await party.keyPackage() } as const;
      commits.push((await group.moderator.run(request)).bytes);
    }
    const [first, second] = commits as [Uint8Array, Uint8Array];
    const apply = (commit: Uint8Array) => a.mls.run({ op: 'commit', commit, change: 'add' });
    expect(await apply(second)).toMatchObject({ ok: false, error: { code: 'mls-wrong-epoch-future' } });
    expect(await apply(first)).toMatchObject({ ok: true, epoch: 2 });
    expect(await apply(first)).toMatchObject({ ok: false, error: { code: 'mls-wrong-epoch-past' } });
    expect(await apply(second)).toMatchObject({ ok: true, epoch: 3 });
  });

  test("a commit that does something else than its message says, or is not the moderator's, is refused", async () => {
    const group = await new Group().start();
    const a = await group.add('a');
    const b = await group.add('b');
    const c = new Party('c');
    const { bytes: commit } = await group.moderator.run({
      op: 'add',
      member: c.name,
      keyPackage: await c.keyPackage(),
    });
    const wrong = await a.mls.run({ op: 'commit', commit, change: 'remove' });
    expect(wrong).toMatchObject({ ok: false, error: { code: 'mls-unexpected-commit' } });
    expect(await a.mls.run({ op: 'commit', commit, change: 'add' })).toMatchObject({ ok: true, epoch: 3 });
    const x = new Party('x');
    const { bytes: foreign } = await b.run({ op: 'add', member: x.name, keyPackage: await x.keyPackage() });
    await b.mls.run({ op: 'commit', commit: foreign, change: 'add' });
    expect(await a.mls.run({ op: 'commit', commit: foreign, change: 'add' })).toMatchObject({ ok: false });
  });

  test('after it was freed a session answers with an error, and makes nothing new', async () => {
    const group = await new Group().start();
    const a = await group.add('a');
    a.mls.free();
    for (const request of [{ op: 'keyPackage' }, { op: 'encrypt', payload: new Uint8Array(1) }] as const) {
      expect(await a.mls.run(request)).toMatchObject({ ok: false, error: { code: 'mls-freed' } });
    }
  });

  test('freed while it starts', async () => {
    const party = new Party('a');
    const starting = party.mls.run({ op: 'keyPackage' });
    party.mls.free();
    expect(await starting).toMatchObject({ ok: false, error: { code: 'mls-freed' } });
  });
});
