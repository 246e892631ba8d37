import { type Cell, encrypts, type MemberKind, REAL_VERSIONS } from './cells.js';
import { type Finding, type FindingKind, type Role, type Step, STEPS } from './findings.js';

/** Which end of a finding a rule speaks about; what is not given is not restricted. */
interface Side {
  readonly roles?: readonly Role[];
  readonly kinds?: readonly MemberKind[];
}

/**
 * A failure that belongs to released peers.
 *
 * `id` is the number in the peers kit's list "Upstream behaviour seen", or a section (§) of the session notes. A rule is no
 * excuse for a whole cell: it covers the findings of one kind, in given steps, on given sides, with given versions in place.
 */
export interface UpstreamRule {
  readonly id: string;
  readonly why: string;
  readonly steps: readonly Step[];
  readonly kinds: readonly FindingKind[];
  /** Whether it is about groups with MLS only. */
  readonly mls?: true;
  /** What must stand at these places of the cell. */
  readonly needs?: Readonly<Partial<Record<Role, readonly MemberKind[]>>>;
  readonly at: Side;
  readonly about?: Side;
  /** What else must hold. */
  readonly when?: (cell: Cell, finding: Finding) => boolean;
}

const OLD = ['0.7.0'] as const;
/** In a group with MLS they keep the keys and send payloads in clear. */
const CLEAR = ['0.7.0', '1.0.0'] as const;
const SEALED = ['1.4.0'] as const;

/** Who is in the group in the exchange of each step. */
const PRESENT: Readonly<Record<Step, readonly Role[]>> = {
  start: [],
  invite: ['M', 'A', 'B'],
  late: ['M', 'A', 'B', 'C'],
  remove: ['M', 'A', 'C'],
  rejoin: ['M', 'A', 'B', 'C'],
  leave: ['M', 'B', 'C'],
  close: [],
};

/** Who is new in each step, and has not been heard yet when the others begin to speak. */
const NEW: Readonly<Partial<Record<Step, readonly Role[]>>> = { invite: ['M', 'A', 'B'], late: ['C'], rejoin: ['B'] };

/**
 * Whether `by` may take a member for one that decrypts although it cannot: nothing tells 1.0.0 from 1.0.1 before it speaks, and one of
 * them is new to the other.
 */
function maySeemToDecrypt(cell: Cell, step: Step, role: Role, by: Role | undefined): boolean {
  const isNew = NEW[step]?.some((newcomer) => newcomer === role || newcomer === by) === true;
  return kindAt(cell, role) === '1.0.0' && isNew;
}

/**
 * Whether a member of ours, at the place `finding.about`, has reason to encrypt: somebody else decrypts, or seems to. Without one it
 * must send in clear, for there is nobody who could not read that and somebody who can read nothing else.
 */
function hasReasonToEncrypt(cell: Cell, { step, about }: Finding): boolean {
  return PRESENT[step].some(
    (role) => role !== about && (encrypts(kindAt(cell, role)) || maySeemToDecrypt(cell, step, role, about)),
  );
}

/** Everything we accept of others, and why. The runs of real peers among themselves must need exactly these rules. */
export const UPSTREAM_RULES: readonly UpstreamRule[] = [
  {
    id: '3',
    why: 'a 0.7.0 moderator waits for acks of GROUP_REMOVE under a name that never comes, gives up, and skips the leave request',
    steps: ['remove'],
    kinds: ['command-failed'],
    needs: { M: OLD },
    at: { roles: ['M'] },
    about: { roles: ['B'] },
  },
  {
    id: '3',
    why: 'so the removed member is not told',
    steps: ['remove'],
    kinds: ['no-closed'],
    needs: { M: OLD },
    at: { roles: ['B'] },
  },
  {
    id: '3',
    why: 'and keeps its subscription: what is in clear it reads',
    steps: ['remove'],
    kinds: ['leaked'],
    needs: { M: OLD },
    at: { roles: ['B'] },
    when: (cell, finding) => !cell.mls || !isEncrypted(cell, finding),
  },
  {
    id: '3',
    why: 'so a new invitation meets the old session and makes no new one',
    steps: ['rejoin'],
    kinds: ['no-session'],
    needs: { M: OLD },
    at: { roles: ['B'] },
  },
  {
    id: '3',
    why: 'so the old session of a real member, which has seen its own removal, waits for acks that do not come',
    steps: ['rejoin', 'leave'],
    kinds: ['not-acked'],
    needs: { M: OLD },
    at: { roles: ['B'], kinds: REAL_VERSIONS },
  },
  {
    id: '§3.7',
    why: 'a 0.7.0 participant that leaves tells nobody, so the others go on waiting for its acks',
    steps: ['leave'],
    kinds: ['not-acked', 'no-left'],
    needs: { A: OLD },
    at: { roles: ['M', 'B', 'C'] },
    about: { roles: ['A'] },
  },
  {
    id: '§9.3',
    why: 'a 0.7.0 moderator does not know the notice of a leaving member, so nobody learns of it and acks of it stay missing',
    steps: ['leave'],
    kinds: ['not-acked', 'no-left'],
    needs: { M: OLD },
    at: { roles: ['M', 'B', 'C'] },
    about: { roles: ['A'] },
  },
  {
    id: '§3.9',
    why: 'a 0.7.0 receiver keeps the order buffer of a removed member and takes its new messages 1, 2, ... for repeats',
    steps: ['rejoin', 'leave'],
    kinds: ['lost'],
    at: { kinds: OLD },
    about: { roles: ['B'] },
  },
  {
    id: '1',
    why: 'members before 1.0.1 decrypt nothing: with MLS they give the ciphertext of others to their application',
    mls: true,
    steps: STEPS,
    kinds: ['ciphertext'],
    at: { kinds: CLEAR },
    about: { kinds: SEALED },
  },
  {
    id: '1',
    why: 'the same with ciphertext of ours, as long as nothing tells 1.0.0 from 1.0.1: until it has spoken',
    mls: true,
    steps: STEPS,
    kinds: ['ciphertext'],
    at: { kinds: ['1.0.0'] },
    about: { kinds: ['ours'] },
    when: (cell, { step, at, about }) => maySeemToDecrypt(cell, step, at, about),
  },
  {
    id: '1',
    why: 'so beside a member that can decrypt they are given nothing of what ours say',
    mls: true,
    steps: STEPS,
    kinds: ['lost'],
    at: { kinds: CLEAR },
    about: { kinds: ['ours'] },
    when: hasReasonToEncrypt,
  },
  {
    id: '1',
    why: 'members from 1.0.1 on drop payloads that come in clear to a group with MLS, without a word or an ack',
    mls: true,
    steps: STEPS,
    kinds: ['lost'],
    at: { kinds: SEALED },
    about: { kinds: CLEAR },
  },
  {
    id: '1',
    why: 'so a sender in clear never gets their acks',
    mls: true,
    steps: STEPS,
    kinds: ['not-acked'],
    at: { kinds: CLEAR },
    when: (cell, { step, at }) => PRESENT[step].some((role) => role !== at && kindAt(cell, role) === '1.4.0'),
  },
  {
    id: '3',
    why: 'with MLS its old session has lost the keys: a removed 1.4.0 member reads nothing of the others any more',
    mls: true,
    steps: ['rejoin', 'leave'],
    kinds: ['lost'],
    needs: { M: OLD },
    at: { roles: ['B'], kinds: SEALED },
  },
  {
    id: '3',
    why: 'nor can they read what it encrypts without them',
    mls: true,
    steps: ['rejoin', 'leave'],
    kinds: ['lost'],
    needs: { M: OLD },
    at: { kinds: ['ours', ...SEALED] },
    about: { roles: ['B'], kinds: SEALED },
  },
  {
    id: '3',
    why: 'and it acks nothing that it cannot read',
    mls: true,
    steps: ['rejoin', 'leave'],
    kinds: ['not-acked'],
    needs: { M: OLD, B: SEALED },
    at: { roles: ['A', 'C'] },
    about: { roles: ['B'] },
  },
  {
    id: '§4.7',
    why:
      'a 0.7.0 participant has no route to others, so each repetition to a 1.4.0 one that drops its clear payloads (upstream 1) ' +
      'is an error for whoever listens for sessions; once nobody takes these any more (the kit stops at 20) it is deaf',
    mls: true,
    steps: ['late', 'remove', 'rejoin'],
    kinds: ['lost'],
    needs: { A: OLD, B: SEALED },
    at: { roles: ['A'] },
  },
  {
    id: '§4.7',
    why: 'and acks nothing',
    mls: true,
    steps: ['late', 'remove', 'rejoin'],
    kinds: ['not-acked'],
    needs: { A: OLD, B: SEALED },
    at: { roles: ['M', 'B', 'C'] },
    about: { roles: ['A'] },
  },
  {
    id: '§4.7',
    why: 'a 1.x moderator waits for its acks before it asks a removed member to leave, and gives up; with the next change too',
    mls: true,
    steps: ['remove', 'rejoin'],
    kinds: ['command-failed'],
    needs: { M: ['1.0.0', '1.4.0'], A: OLD, B: SEALED },
    at: { roles: ['M'] },
    about: { roles: ['B'] },
  },
  {
    id: '§4.7',
    why: 'so the removed member is not told, and has no new session later',
    mls: true,
    steps: ['remove', 'rejoin'],
    kinds: ['no-closed', 'no-session'],
    needs: { M: ['1.0.0', '1.4.0'], A: OLD, B: SEALED },
    at: { roles: ['B'] },
  },
  {
    id: '§4.7',
    why: 'and in its old one it has no keys: it reads nothing and acks nothing',
    mls: true,
    steps: ['rejoin', 'leave'],
    kinds: ['lost', 'not-acked'],
    needs: { M: ['1.0.0', '1.4.0'], A: OLD, B: SEALED },
    at: { roles: ['B'] },
  },
];

/** Whether what the member at `finding.about` sends must be ciphertext. */
function isEncrypted(cell: Cell, finding: Finding): boolean {
  const kind = finding.about === undefined ? undefined : kindAt(cell, finding.about);
  return kind !== undefined && encrypts(kind) && (kind !== 'ours' || hasReasonToEncrypt(cell, finding));
}

function fits(side: Side, role: Role, kind: MemberKind): boolean {
  return (side.roles?.includes(role) ?? true) && (side.kinds?.includes(kind) ?? true);
}

/** Program at a place of a cell. */
export function kindAt(cell: Cell, role: Role): MemberKind {
  const [first, second] = cell.participants;
  return { M: cell.moderator, A: first, B: second, C: second }[role];
}

/** The rule that covers a finding; `undefined` means it counts as a failure. */
export function ruleFor(cell: Cell, finding: Finding): UpstreamRule | undefined {
  return UPSTREAM_RULES.find((rule) => {
    if (rule.mls === true && !cell.mls) return false;
    if (rule.when?.(cell, finding) === false) return false;
    if (!rule.steps.includes(finding.step) || !rule.kinds.includes(finding.kind)) return false;
    const needs = Object.entries(rule.needs ?? {}) as [Role, readonly MemberKind[]][];
    if (!needs.every(([role, kinds]) => kinds.includes(kindAt(cell, role)))) return false;
    if (!fits(rule.at, finding.at, kindAt(cell, finding.at))) return false;
    // Real members do not say whose ack is missing; where it is known it must be the one the rule names.
    return finding.about === undefined || fits(rule.about ?? {}, finding.about, kindAt(cell, finding.about));
  });
}
