import { describe, expect, test } from 'vitest';

import type { MemberEvent } from '../harness/index.js';
import { allCells, type Cell, impossible, kindsOf, type MemberKind, nameOf, parseFilter, partsOf } from './cells.js';
import { type Exchange, type Finding, grade, messageText, type Recorded, type Role } from './findings.js';
import { ruleFor } from './upstream-rules.js';
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
    expect(totals).toEqual({ sent: 6, expected: 6, received: 6, lost: 0, doubled: 0, outOfOrder: 0, leaked: 0, ciphertext: 0 });
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

function cell(moderator: MemberKind, first: MemberKind, second: MemberKind): Cell {
  return { node: '1.4.0', mls: false, moderator, participants: [first, second] };
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

  test('never excuse disorder, repeats or troubles of ours', () => {
    const kinds = ['out-of-order', 'doubled', 'foreign', 'trouble', 'wrong-reason', 'not-ready'] as const;
    for (const { participants, moderator } of allCells()) {
      for (const kind of kinds) {
        const found = finding({ step: 'leave', kind, at: 'M', about: 'A' });
        expect(ruleFor(cell(moderator, ...participants), found)).toBeUndefined();
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
    expect(cells).toHaveLength(3 * 4 * 7);
    expect(new Set(cells.map(nameOf)).size).toBe(cells.length);
    expect(cells.filter((one) => kindsOf(one).includes('ours'))).toHaveLength(3 * (7 + 3 * 4));
  });

  test('takes no cell for impossible but 1.4.0 members at the 0.7.0 program', () => {
    for (const one of allCells()) {
      const isHopeless = one.node === 'node-0.7.0' && kindsOf(one).includes('1.4.0');
      expect(impossible(one) !== undefined).toBe(isHopeless);
    }
  });

  test('is filtered by field', () => {
    const chosen = allCells().filter(parseFilter('node=embedded|1.4.0,moderator=ours,participants=ours+1.4.0'));
    expect(chosen.map(nameOf)).toEqual([
      'node embedded, moderator ours, participants ours+1.4.0',
      'node 1.4.0, moderator ours, participants ours+1.4.0',
    ]);
    expect(() => parseFilter('modreator=ours')).toThrow("unknown field 'modreator'");
  });

  test('needs nothing of the kit for our members at our node', () => {
    const ownOnly = allCells().filter((one) => partsOf(one).length === 0);
    expect(ownOnly.map(nameOf)).toEqual(['node embedded, moderator ours, participants ours+ours']);
  });
});
