import { describe, expect, test } from 'vitest';

import type { MemberEvent } from '../harness/index.js';
import { allCells, type Cell, impossible, kindsOf, type MemberKind, nameOf, parseFilter, partsOf } from './cells.js';
import { type Exchange, type Finding, grade, messageText, type Recorded, type Role } from './findings.js';
import { wrongProtections } from './protection.js';
import { kindAt, ruleFor } from './upstream-rules.js';
import { failuresOf, judge, table } from './verdict.js';

const EXCHANGE: Exchange = { step: 'remove', members: ['M', 'A'], count: 3, marks: new Map() };

/** Members M, A, and an outsider B, with what they got: numbers of the other's messages. */
function members(got: Readonly<Partial<Record<Role, readonly number[]>>>): ReadonlyMap<Role, Recorded> {
  const sender: Readonly<Record<string, Role>> = { M: 'A', A: 'M', B: 'M' };
  return new Map(
    (['M', 'A', 'B'] as const).map((label) => {
      const from = sender[label] ?? 'M';
      const events = (got[label] ?? []).map((index): MemberEvent => {
        return { kind: 'message', from: `org/ns/${from}`, text: messageText('remove', from, index) };
      });
      return [label, { label, name: `org/ns/${label}`, events }] as const;
    }),
  );
}

function kindsFound(got: Readonly<Partial<Record<Role, readonly number[]>>>): readonly string[] {
  return grade([EXCHANGE], members(got)).findings.map(
    ({ kind, at, about, count }) => `${kind} at ${at} about ${about} x${count}`,
  );
}

describe('grading of deliveries', () => {
  test('finds nothing when everyone has everything once and in order', () => {
    const { totals, findings } = grade([EXCHANGE], members({ M: [0, 1, 2], A: [0, 1, 2] }));
    expect(findings).toEqual([]);
    expect(totals).toEqual({
      sent: 6,
      expected: 6,
      received: 6,
      lost: 0,
      doubled: 0,
      outOfOrder: 0,
      leaked: 0,
      ciphertext: 0,
    });
  });

  test('counts what is missing', () => {
    expect(kindsFound({ M: [0, 2], A: [0, 1, 2] })).toEqual(['lost at M about A x1']);
  });

  test('counts repeats, and does not take them for disorder', () => {
    expect(kindsFound({ M: [0, 1, 2], A: [0, 1, 0, 2, 2] })).toEqual(['doubled at A about M x2']);
  });

  test('counts messages that come after later ones', () => {
    expect(kindsFound({ M: [2, 0, 1], A: [0, 1, 2] })).toEqual(['out-of-order at M about A x2']);
  });

  test('sees what an outsider gets', () => {
    expect(kindsFound({ M: [0, 1, 2], A: [0, 1, 2], B: [1] })).toEqual(['leaked at B about M x1']);
  });

  test('sees payloads that nobody published', () => {
    const got = members({ M: [0, 1, 2], A: [0, 1, 2] });
    const strange: MemberEvent = { kind: 'message', from: 'org/ns/M', text: undefined };
    const withStrange = new Map(got).set('A', {
      label: 'A',
      name: 'org/ns/A',
      events: [...(got.get('A')?.events ?? []), strange],
    });
    expect(grade([EXCHANGE], withStrange).findings).toMatchObject([{ kind: 'foreign', at: 'A', about: 'M', count: 1 }]);
  });
});

/** An event of a message that M published in the step `remove`. */
function message(part: Partial<Extract<MemberEvent, { kind: 'message' }>>): MemberEvent {
  return { kind: 'message', from: 'org/ns/M', text: messageText('remove', 'M', 0), ...part };
}

/** The members of `members({})`, where A has seen these events. */
function withEvents(events: readonly MemberEvent[]): ReadonlyMap<Role, Recorded> {
  return new Map(members({ M: [0, 1, 2] })).set('A', { label: 'A', name: 'org/ns/A', events });
}

describe('grading of protection', () => {
  const sealed = message({ text: undefined, hex: '00010002aabb' });

  test('counts ciphertext in place of messages, and only the rest as lost', () => {
    const { findings, totals } = grade([EXCHANGE], withEvents([sealed, sealed]));
    expect(findings.map(({ kind, at, about, count }) => [kind, at, about, count])).toEqual([
      ['ciphertext', 'A', 'M', 2],
      ['lost', 'A', 'M', 1],
    ]);
    expect(totals).toMatchObject({ ciphertext: 2, lost: 1, received: 3, expected: 6 });
  });

  test('takes ciphertext of a message that was read as well for a repetition', () => {
    const texts = [0, 1, 2].map((index) => message({ text: messageText('remove', 'M', index) }));
    const { findings } = grade([EXCHANGE], withEvents([...texts, sealed]));
    expect(findings.map(({ kind, count }) => [kind, count])).toEqual([
      ['ciphertext', 1],
      ['doubled', 1],
    ]);
  });

  test('counts ciphertext in the exchange it came in', () => {
    const next: Exchange = { ...EXCHANGE, step: 'leave', marks: new Map([['A', 1]]) };
    const { findings } = grade([EXCHANGE, next], withEvents([sealed, sealed, sealed]));
    const ciphertexts = findings.filter(({ kind }) => kind === 'ciphertext');
    expect(ciphertexts.map(({ step, count }) => [step, count])).toEqual([
      ['remove', 1],
      ['leave', 2],
    ]);
  });

  test('sees members that say what is not so', () => {
    const session: MemberEvent = { kind: 'session', mls: false };
    const events = [session, message({ encrypted: false }), message({ encrypted: true })];
    const found = (mls: boolean, moderator: MemberKind): readonly unknown[] =>
      wrongProtections(cell(moderator, 'ours', 'ours', mls), withEvents(events)).map(({ about, count, detail }) => [
        about,
        count,
        detail,
      ]);
    expect(found(true, '1.4.0')).toEqual([
      [undefined, 1, 'says that MLS is off'],
      ['M', 1, 'came in clear'],
    ]);
    expect(found(true, '1.0.0')).toEqual([
      [undefined, 1, 'says that MLS is off'],
      ['M', 1, 'said to be encrypted'],
    ]);
    expect(found(false, '1.4.0')).toEqual([['M', 1, 'said to be encrypted']]);
  });
});

function cell(moderator: MemberKind, first: MemberKind, second: MemberKind, mls = false): Cell {
  return { node: '1.4.0', mls, moderator, participants: [first, second] };
}

function finding(part: Pick<Finding, 'step' | 'kind' | 'at'> & Partial<Finding>): Finding {
  return { count: 1, detail: '', ...part };
}

describe('upstream rules', () => {
  const removalFailed = finding({ step: 'remove', kind: 'command-failed', at: 'M', about: 'B' });
  const goneNotNoticed = finding({ step: 'leave', kind: 'not-acked', at: 'M', about: 'A' });
  const lostAfterRejoin = finding({ step: 'rejoin', kind: 'lost', at: 'A', about: 'B' });

  test('excuse a failed removal of a 0.7.0 moderator only', () => {
    expect(ruleFor(cell('0.7.0', 'ours', 'ours'), removalFailed)?.id).toBe('3');
    expect(ruleFor(cell('1.0.0', '0.7.0', '0.7.0'), removalFailed)).toBeUndefined();
    expect(ruleFor(cell('ours', '0.7.0', '0.7.0'), removalFailed)).toBeUndefined();
  });

  test('excuse missing acks only of the member that left without a word', () => {
    expect(ruleFor(cell('ours', '0.7.0', '0.7.0'), goneNotNoticed)?.id).toBe('§3.7');
    expect(ruleFor(cell('ours', '0.7.0', '0.7.0'), { ...goneNotNoticed, about: 'C' })).toBeUndefined();
    expect(ruleFor(cell('ours', 'ours', '0.7.0'), goneNotNoticed)).toBeUndefined();
  });

  test('excuse a loss after a return at a 0.7.0 receiver, never at one of ours', () => {
    expect(ruleFor(cell('1.4.0', '0.7.0', '0.7.0'), lostAfterRejoin)?.id).toBe('§3.9');
    expect(ruleFor(cell('1.4.0', 'ours', '0.7.0'), lostAfterRejoin)).toBeUndefined();
  });

  const unread = finding({ step: 'invite', kind: 'ciphertext', at: 'A', about: 'M' });

  test('excuse ciphertext at an application of a member before 1.0.1 only, and only with MLS', () => {
    expect(ruleFor(cell('1.4.0', '1.0.0', '1.0.0', true), unread)?.id).toBe('1');
    expect(ruleFor(cell('1.4.0', 'ours', '1.0.0', true), unread)).toBeUndefined();
    expect(ruleFor(cell('1.0.0', '1.4.0', '1.0.0', true), unread)).toBeUndefined();
    expect(ruleFor(cell('1.4.0', '1.0.0', '1.0.0'), unread)).toBeUndefined();
  });

  test('excuse ciphertext of ours at 1.0.0 only, and only until one of the two is not new to the other', () => {
    const later = { ...unread, step: 'remove' } as const;
    expect(ruleFor(cell('ours', '1.0.0', '1.0.0', true), unread)?.id).toBe('1');
    expect(ruleFor(cell('ours', '1.0.0', '1.0.0', true), later)).toBeUndefined();
    expect(ruleFor(cell('ours', '1.0.0', '1.4.0', true), later)).toBeUndefined();
    expect(ruleFor(cell('1.0.0', 'ours', 'ours', true), { ...unread, step: 'late', at: 'M', about: 'C' })?.id).toBe(
      '1',
    );
    expect(ruleFor(cell('ours', '0.7.0', '0.7.0', true), unread)).toBeUndefined();
    expect(ruleFor(cell('ours', '0.7.0', '1.4.0', true), unread)).toBeUndefined();
  });

  test('excuse that members before 1.0.1 get nothing of ours only beside one that decrypts, or seems to', () => {
    const nothing = finding({ step: 'remove', kind: 'lost', at: 'A', about: 'M' });
    expect(ruleFor(cell('ours', '0.7.0', '1.4.0', true), nothing)?.id).toBe('1');
    expect(ruleFor(cell('ours', '1.0.0', 'ours', true), nothing)?.id).toBe('1');
    expect(ruleFor(cell('ours', '0.7.0', '0.7.0', true), nothing)).toBeUndefined();
    expect(ruleFor(cell('ours', '0.7.0', '1.0.0', true), nothing)).toBeUndefined();
    expect(ruleFor(cell('ours', '0.7.0', '1.0.0', true), { ...nothing, step: 'late' })?.id).toBe('1');
    expect(ruleFor(cell('ours', '0.7.0', '1.4.0'), nothing)).toBeUndefined();
    expect(ruleFor(cell('ours', '1.4.0', '1.0.0', true), nothing)).toBeUndefined();
  });

  test('excuse what is lost between a sender in clear and a member that reads ciphertext only, never at ours', () => {
    const lost = finding({ step: 'late', kind: 'lost', at: 'A', about: 'M' });
    const notAcked = finding({ step: 'late', kind: 'not-acked', at: 'M' });
    expect(ruleFor(cell('1.0.0', '1.4.0', '1.0.0', true), lost)?.id).toBe('1');
    expect(ruleFor(cell('1.0.0', '1.4.0', '1.0.0', true), notAcked)?.id).toBe('1');
    expect(ruleFor(cell('1.0.0', '1.4.0', '1.0.0'), lost)).toBeUndefined();
    expect(ruleFor(cell('1.0.0', 'ours', '1.0.0', true), lost)).toBeUndefined();
    expect(ruleFor(cell('ours', '1.4.0', '1.4.0', true), lost)).toBeUndefined();
    expect(ruleFor(cell('ours', '1.0.0', '1.4.0', true), notAcked)).toBeUndefined();
  });

  test('never excuse disorder, repeats, troubles of ours, or what is said of protection and is not so', () => {
    const kinds = [
      'out-of-order',
      'doubled',
      'foreign',
      'trouble',
      'wrong-reason',
      'not-ready',
      'wrong-protection',
    ] as const;
    for (const one of allCells()) {
      for (const kind of kinds) {
        expect(ruleFor(one, finding({ step: 'leave', kind, at: 'M', about: 'A' }))).toBeUndefined();
      }
    }
  });

  test('excuse what a removed member still reads in clear, never what was encrypted', () => {
    const leaked = finding({ step: 'remove', kind: 'leaked', at: 'B', about: 'A' });
    expect(ruleFor(cell('0.7.0', '1.4.0', '1.4.0'), leaked)?.id).toBe('3');
    expect(ruleFor(cell('0.7.0', '1.0.0', '1.0.0', true), leaked)?.id).toBe('3');
    expect(ruleFor(cell('0.7.0', '1.4.0', '1.4.0', true), leaked)).toBeUndefined();
    expect(ruleFor(cell('0.7.0', 'ours', 'ours', true), leaked)).toBeUndefined();
    // Of ours in clear: nobody else is there who could not read that.
    expect(ruleFor(cell('0.7.0', 'ours', '0.7.0', true), leaked)?.id).toBe('3');
    expect(ruleFor(cell('1.0.0', '1.0.0', '1.0.0', true), leaked)).toBeUndefined();
  });

  test('never excuse ours for reading nothing, where nobody of 0.7.0 is', () => {
    for (const one of allCells().filter((candidate) => !kindsOf(candidate).includes('0.7.0'))) {
      for (const role of ['M', 'A', 'B', 'C'] as const) {
        if (kindAt(one, role) !== 'ours') continue;
        for (const kind of ['lost', 'leaked', 'ciphertext', 'not-acked', 'no-session', 'no-closed'] as const) {
          expect(ruleFor(one, finding({ step: 'remove', kind, at: role }))).toBeUndefined();
        }
      }
    }
  });
});

describe('the report', () => {
  const run = {
    findings: [
      finding({ step: 'remove', kind: 'command-failed', at: 'M', about: 'B', detail: 'gave up' }),
      finding({ step: 'close', kind: 'no-closed', at: 'A', about: 'M', detail: 'still there' }),
    ],
    totals: { sent: 130, expected: 300, received: 300, lost: 0, doubled: 0, outOfOrder: 0, leaked: 0, ciphertext: 0 },
    ms: { start: 1, invite: 1, late: 1, remove: 1, rejoin: 1, leave: 1, close: 1 },
  };

  test('keeps what upstream is to blame for apart from failures', () => {
    const report = judge(cell('0.7.0', 'ours', 'ours'), run);
    expect(failuresOf(report).map(({ kind }) => kind)).toEqual(['no-closed']);
    expect(table([report])).toContain('remove upstream 3, rejoin ok, leave ok, close FAIL');
    expect(table([report])).toContain('close: no-closed at A about M: still there');
  });
});

describe('the matrix', () => {
  test('has a cell for each node, moderator and set of participants', () => {
    const cells = allCells();
    expect(cells.filter(({ mls }) => !mls)).toHaveLength(3 * 4 * 7);
    // With MLS, two more sets of participants: of those that never encrypt and those that always do.
    expect(cells.filter(({ mls }) => mls)).toHaveLength(3 * 4 * 9);
    expect(new Set(cells.map(nameOf)).size).toBe(cells.length);
    expect(cells.filter((one) => !one.mls && kindsOf(one).includes('ours'))).toHaveLength(3 * (7 + 3 * 4));
  });

  test('takes no cell for impossible but 1.4.0 members at the 0.7.0 program', () => {
    for (const one of allCells()) {
      const isHopeless = one.node === 'node-0.7.0' && kindsOf(one).includes('1.4.0');
      expect(impossible(one) !== undefined).toBe(isHopeless);
    }
  });

  test('is filtered by field', () => {
    const filter = 'node=embedded|1.4.0,mls=on,moderator=ours,participants=ours+1.4.0';
    expect(allCells().filter(parseFilter(filter)).map(nameOf)).toEqual([
      'node embedded, MLS on, moderator ours, participants ours+1.4.0',
      'node 1.4.0, MLS on, moderator ours, participants ours+1.4.0',
    ]);
    expect(() => parseFilter('modreator=ours')).toThrow("unknown field 'modreator'");
  });

  test('needs nothing of the kit for our members at our node', () => {
    const ownOnly = allCells().filter((one) => partsOf(one).length === 0);
    expect(ownOnly.map(nameOf)).toEqual(
      ['off', 'on'].map((mls) => `node embedded, MLS ${mls}, moderator ours, participants ours+ours`),
    );
  });
});
