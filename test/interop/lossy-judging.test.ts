import { describe, expect, test } from 'vitest';

import type { MemberKind } from './cells.js';
import type { Finding, Role } from './findings.js';
import { judgeLossy } from './lossy-rules.js';
import { judgeRenewals, type Renewal, type Witness } from './renewals.js';

const KINDS = { M: 'ours', A: 'ours', B: '1.4.0' } as const satisfies Partial<Record<Role, MemberKind>>;
const nameOf = (role: Role): string => `org/ns/${role}`;
const NO_OUTCOMES = new Map<Role, readonly (string | undefined)[]>();

function finding(kind: Finding['kind'], at: Role): Finding {
  return { step: 'late', kind, at, about: 'M', count: 3, detail: '' };
}

describe('messages on bad lines', () => {
  test('ciphertext in place of a message is allowed between real members only; all else to nobody', () => {
    const kinds = { ...KINDS, C: '1.4.0' } as const;
    const judge = (one: Finding) => judgeLossy([one], NO_OUTCOMES, 1, kinds, nameOf);
    expect(judge({ ...finding('ciphertext', 'B'), about: 'C' })).toEqual({
      failures: [],
      allowed: { 'rtx-sealed': 3, 'repeat-unacked': 0 },
    });
    expect(judge(finding('ciphertext', 'B')).failures).toHaveLength(1);
    expect(judge({ ...finding('ciphertext', 'A'), about: 'B' }).failures).toHaveLength(1);
    for (const kind of ['lost', 'doubled', 'out-of-order', 'foreign'] as const) {
      expect(judge(finding(kind, 'B')).failures, kind).toHaveLength(1);
    }
  });

  test('an acknowledgement may be missing of a real member, and every publish needs an outcome', () => {
    const judge = (sender: Role, ended: readonly (string | undefined)[], kinds = KINDS) =>
      judgeLossy([], new Map([[sender, ended]]), 1, kinds, nameOf);
    expect(judge('M', [undefined]).failures).toEqual([]);
    expect(judge('M', ['not acked by org/ns/B'])).toMatchObject({ failures: [], allowed: { 'repeat-unacked': 1 } });
    expect(judge('M', ['not acked by org/ns/B, org/ns/A']).failures).toHaveLength(1);
    expect(judge('M', ['not acked by org/ns/A']).failures).toHaveLength(1);
    // B is the only real one: nobody else can be to blame.
    expect(judge('B', ['retries exhausted']).failures).toHaveLength(1);
    expect(judge('M', []).failures).toHaveLength(1);
  });
});

describe('messages while members are renewed', () => {
  const renewals: readonly Renewal[] = [{ label: 'b', leftAtMs: 10_000, joinedAtMs: 10_100 }];

  /** Ten messages, one a second from 5 s on, so that number 5 meets the renewal; `errors` by number. */
  function witness(label: string, heard: readonly number[], errors: Readonly<Record<number, string>> = {}): Witness {
    const saidAtMs = Array.from({ length: 10 }, (_, index) => 5_000 + index * 1_000);
    return {
      speech: { label, name: label, saidAtMs },
      isModerator: label === 'm',
      isOurs: label === 'm',
      outcomes: new Map(saidAtMs.map((atMs, index) => [index, { atMs: atMs + 5, error: errors[index] }])),
      heard: new Map(['m', 'a', 'b'].map((other) => [other, heard])),
    };
  }
  const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const judge = (...witnesses: readonly Witness[]) => judgeRenewals(witnesses, renewals);

  test('all heard in order: nothing to say', () => {
    expect(judge(witness('m', ALL), witness('a', ALL), witness('b', ALL))).toEqual({ failures: [], allowed: {} });
  });

  test('who is out misses what participants say in that moment, but not what the moderator says', () => {
    const missed = ALL.filter((number) => number !== 5);
    expect(judge(witness('a', ALL), witness('b', missed))).toEqual({ failures: [], allowed: { 'listener-out': 1 } });
    expect(judge(witness('m', ALL), witness('b', missed)).failures).toEqual(['lost at b of m: 5']);
  });

  test('at any other time, or to anybody else, nothing may be lost', () => {
    expect(judge(witness('a', ALL), witness('b', ALL.slice(0, 9))).failures).toEqual(['lost at b of a: 9']);
    expect(judge(witness('b', ALL), witness('a', [0, 1, 2, 3, 4, 6, 7, 8, 9])).failures).toEqual(['lost at a of b: 5']);
  });

  test('nothing may come twice or out of order', () => {
    expect(judge(witness('a', ALL), witness('b', [...ALL, 9])).failures).toHaveLength(1);
    expect(judge(witness('a', ALL), witness('b', [1, 0, ...ALL.slice(2)])).failures).toEqual(['disorder at b of a: 0']);
  });

  test('a failed publish is allowed to who is out, and to a real member while another one goes', () => {
    expect(judge(witness('b', ALL, { 5: 'closed' }))).toEqual({ failures: [], allowed: { 'sender-out': 1 } });
    expect(judge(witness('a', ALL, { 5: 'no ack' }))).toEqual({ failures: [], allowed: { 'member-departs': 1 } });
    expect(judge(witness('m', ALL, { 5: 'no ack' })).failures).toEqual(['m 5: no ack']);
    expect(judge(witness('b', ALL, { 9: 'no ack' })).failures).toEqual(['b 9: no ack']);
  });
});
