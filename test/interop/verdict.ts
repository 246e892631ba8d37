import { type Cell, type CellFields, fieldsOf } from './cells.js';
import { type Finding, STEPS, type Step, type Totals } from './findings.js';
import type { CellRun } from './run-cell.js';
import { ruleFor } from './upstream-rules.js';

/** A finding with the id and the reason of the upstream rule that covers it; without one it is a failure. */
export interface JudgedFinding extends Finding {
  readonly upstream?: string;
  readonly why?: string;
}

/** What the report says about one cell. Plain data: it travels from the test to the reporter. */
export interface CellReport {
  readonly cell: CellFields;
  /** Why it was not run. */
  readonly left?: string;
  readonly totals?: Totals;
  readonly findings: readonly JudgedFinding[];
  readonly ms: Readonly<Partial<Record<Step, number>>>;
}

/** Judges a run. */
export function judge(cell: Cell, run: CellRun): CellReport {
  const findings = run.findings.map((finding): JudgedFinding => {
    const rule = ruleFor(cell, finding);
    return rule === undefined ? finding : { ...finding, upstream: rule.id, why: rule.why };
  });
  return { cell: fieldsOf(cell), totals: run.totals, findings, ms: run.ms };
}

/** Report of a cell that was not run. */
export function leftOut(cell: Cell, why: string): CellReport {
  return { cell: fieldsOf(cell), left: why, findings: [], ms: {} };
}

/** Findings that nobody but us can be blamed for. */
export function failuresOf(report: CellReport): readonly JudgedFinding[] {
  return report.findings.filter((finding) => finding.upstream === undefined);
}

/** One finding as text. */
export function describe(finding: JudgedFinding): string {
  const { step, kind, at, about, count, detail, upstream } = finding;
  const whom = about === undefined ? '' : ` about ${about}`;
  return `${step}: ${kind} at ${at}${whom}${count > 1 ? ` x${count}` : ''}${upstream === undefined ? '' : ` [upstream ${upstream}]`}: ${detail.replaceAll(/\s+/g, ' ')}`;
}

/** `ok`, `FAIL`, `upstream 3` or `-` (not reached) for a step. */
function wordOf(report: CellReport, step: Step): string {
  const own = report.findings.filter((finding) => finding.step === step);
  if (own.some((finding) => finding.upstream === undefined)) return 'FAIL';
  const ids = [...new Set(own.map((finding) => finding.upstream))];
  if (ids.length > 0) return `upstream ${ids.join(',')}`;
  return report.ms[step] === undefined ? '-' : 'ok';
}

const HEAD =
  `${'node'.padEnd(11)}${'MLS'.padEnd(4)}${'moderator'.padEnd(10)}${'participants'.padEnd(13)}` +
  `${'sent'.padStart(5)}${'got'.padStart(5)}${'of'.padStart(5)}${'lost'.padStart(5)}${'twice'.padStart(6)}${'order'.padStart(6)}${'leak'.padStart(5)}${'sealed'.padStart(7)}` +
  `${'s'.padStart(6)}  steps`;

const SHOWN_PER_CELL = 8;

/** The first failures of a cell, and how many more there are. */
export function failureLines(report: CellReport): readonly string[] {
  const failures = failuresOf(report);
  const more = failures.length - SHOWN_PER_CELL;
  return [...failures.slice(0, SHOWN_PER_CELL).map(describe), ...(more > 0 ? [`and ${more} more`] : [])];
}

/** Table of all cells, one line each, with the failures under it. */
export function table(reports: readonly CellReport[]): string {
  const failures = reports.flatMap((report) =>
    failureLines(report).map((line) => `${Object.values(report.cell).join(' / ')}: ${line}`),
  );
  return [HEAD, ...reports.map(row), ...(failures.length > 0 ? ['', 'failures:', ...failures] : [])].join('\n');
}

function row(report: CellReport): string {
  const { cell, totals } = report;
  const start = `${cell.node.padEnd(11)}${cell.mls.padEnd(4)}${cell.moderator.padEnd(10)}${cell.participants.padEnd(13)}`;
  if (totals === undefined) return `${start}  ${report.left ?? 'not run'}`;
  const { sent, received, expected, lost, doubled, outOfOrder, leaked, ciphertext } = totals;
  const numbers = [sent, received, expected, lost].map((value) => String(value).padStart(5)).join('');
  const seconds = Object.values(report.ms).reduce((sum, ms) => sum + ms, 0) / 1000;
  const words = STEPS.map((step) => [step, wordOf(report, step)] as const);
  const odd = words.filter(([, word]) => word !== 'ok');
  const steps = odd.length === 0 ? 'all ok' : words.map(([step, word]) => `${step} ${word}`).join(', ');
  return (
    `${start}${numbers}${String(doubled).padStart(6)}${String(outOfOrder).padStart(6)}${String(leaked).padStart(5)}${String(ciphertext).padStart(7)}` +
    `${seconds.toFixed(1).padStart(6)}  ${steps}`
  );
}
