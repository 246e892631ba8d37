import type { NodeKind } from '../harness/index.js';

/** Versions of real members in the matrix. */
export const REAL_VERSIONS = ['0.7.0', '1.0.0', '1.4.0'] as const;

/** A member program: ours, or the version of a real one. */
export type MemberKind = 'ours' | (typeof REAL_VERSIONS)[number];

/** One combination to try. A and B are there from the start, C comes late and is of B's kind. */
export interface Cell {
  readonly node: NodeKind;
  /** Whether the group has MLS. */
  readonly mls: boolean;
  readonly moderator: MemberKind;
  readonly participants: readonly [MemberKind, MemberKind];
}

const NODES: readonly NodeKind[] = ['embedded', 'node-0.7.0', '1.4.0'];
const MEMBERS: readonly MemberKind[] = ['ours', ...REAL_VERSIONS];

/** Members of a group with MLS that never encrypt payloads, beside one that always does (upstream 1). */
const DIVIDED = [
  ['0.7.0', '1.4.0'],
  ['1.0.0', '1.4.0'],
] as const;

function pairs(mls: boolean): readonly (readonly [MemberKind, MemberKind])[] {
  return [
    ...MEMBERS.map((kind) => [kind, kind] as const),
    ...REAL_VERSIONS.map((version) => ['ours', version] as const),
    ...(mls ? DIVIDED : []),
  ];
}

/** Every cell of the matrix. */
export function allCells(): readonly Cell[] {
  return [false, true].flatMap((mls) =>
    NODES.flatMap((node) =>
      MEMBERS.flatMap((moderator) => pairs(mls).map((participants) => ({ node, mls, moderator, participants }))),
    ),
  );
}

/** Whether a member of this kind encrypts payloads in a group with MLS: 0.7.0 to 1.0.0 only keep the keys (upstream 1). */
export function encrypts(kind: MemberKind): boolean {
  return kind === 'ours' || kind === '1.4.0';
}

/** Kinds of the members of a cell. */
export function kindsOf(cell: Cell): readonly MemberKind[] {
  return [cell.moderator, ...cell.participants];
}

/** See {@link fieldsOf}. */
export type CellFields = Readonly<Record<'node' | 'mls' | 'moderator' | 'participants', string>>;

/** Whether some members send in clear what others drop without a word, as the cell has MLS (upstream 1). */
export function isDivided(cell: Cell): boolean {
  const kinds = kindsOf(cell);
  return cell.mls && kinds.includes('1.4.0') && kinds.some((kind) => !encrypts(kind));
}

/** Fields of a cell as the filter and the table write them. */
export function fieldsOf(cell: Cell): CellFields {
  return {
    node: cell.node,
    mls: cell.mls ? 'on' : 'off',
    moderator: cell.moderator,
    participants: cell.participants.join('+'),
  };
}

/** Name of a cell in reports. */
export function nameOf(cell: Cell): string {
  const { node, mls, moderator, participants } = fieldsOf(cell);
  return `node ${node}, MLS ${mls}, moderator ${moderator}, participants ${participants}`;
}

/**
 * Reads a filter such as `node=embedded,moderator=ours|1.4.0`: all parts must hold, `|` separates accepted values.
 * `kinds=real` keeps cells without a member of ours, `kinds=ours` the others. Throws on an unknown field.
 */
export function parseFilter(filter: string): (cell: Cell) => boolean {
  const tests = filter
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part): ((cell: Cell) => boolean) => {
      const [field = '', values = ''] = part.split('=').map((word) => word.trim());
      const accepted = values.split('|');
      if (field === 'kinds') return (cell) => accepted.includes(kindsOf(cell).includes('ours') ? 'ours' : 'real');
      if (field !== 'node' && field !== 'mls' && field !== 'moderator' && field !== 'participants') {
        throw new Error(`INTEROP_ONLY: unknown field '${field}' (node, mls, moderator, participants, kinds)`);
      }
      return (cell) => accepted.includes(fieldsOf(cell)[field]);
    });
  return (cell) => tests.every((test) => test(cell));
}

/** Parts of the peers kit that a cell needs; `kit` stands for its scripts. */
export function partsOf(cell: Cell): readonly string[] {
  const parts: string[] = kindsOf(cell).filter((kind) => kind !== 'ours');
  if (cell.node !== 'embedded') parts.push(cell.node);
  return [...new Set(parts)];
}

/** Why a cell cannot work whatever we do; `undefined` for all others. */
export function impossible(cell: Cell): string | undefined {
  const newer = kindsOf(cell).find((kind) => kind === '1.4.0');
  if (cell.node !== 'node-0.7.0' || newer === undefined) return undefined;
  return `impossible upstream 2: a ${newer} member opens with a link message, and the 0.7.0 program never serves that stream`;
}
