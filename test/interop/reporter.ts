import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

import { repoRoot } from '../harness/index.js';
import { UPSTREAM_RULES } from './upstream-rules.js';
import { type CellReport, failureLines, failuresOf, table } from './verdict.js';

declare module 'vitest' {
  interface TaskMeta {
    /** Set by each cell for the report. */
    cell?: CellReport;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Names the excuses that nobody needed in a whole run: they are out of date. */
function tellIdleRules(reports: readonly CellReport[]): void {
  const used = new Set(reports.flatMap((report) => report.findings.map((finding) => finding.why)));
  for (const rule of UPSTREAM_RULES.filter((candidate) => !used.has(candidate.why))) {
    say(`upstream rule that nothing needed: ${rule.id}, ${rule.why}`);
  }
}

/** Prints a line when a cell is done, the table at the end, and last the counts as vitest has them. */
export class InteropReporter implements Reporter {
  readonly #startedAtMs = Date.now();

  onTestCaseResult(testCase: TestCase): void {
    const result = testCase.result();
    const { cell } = testCase.meta();
    const note = result.state === 'skipped' ? (result.note ?? cell?.left ?? '') : '';
    const seconds = ((testCase.diagnostic()?.duration ?? 0) / 1000).toFixed(1);
    say(`${result.state.padEnd(8)} ${seconds.padStart(5)} s  ${testCase.name}${note === '' ? '' : ` -- ${note}`}`);
    if (result.state !== 'failed') return;
    const failures = cell === undefined ? [] : failureLines(cell);
    // A cell that ended with an error of the harness has no failures of its own to show.
    const texts = failures.length > 0 ? failures : result.errors.map((error) => error.stack ?? error.message);
    for (const text of texts) say(`    ${text.split('\n').join('\n    ')}`);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const cases = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number => cases.filter((testCase) => testCase.result().state === state).length;
    const broken = modules.flatMap((module) => [...module.errors()]).concat(unhandled);
    for (const error of broken) say(`error outside a test: ${error.message}\n${error.stack ?? ''}`);

    const reports = cases.map((testCase) => testCase.meta().cell).filter((cell) => cell !== undefined);
    if (reports.length > 0) say(`\n${table(reports)}\n`);
    if (process.env['INTEROP_ONLY'] === undefined) tellIdleRules(reports);
    this.#writeJson(reports);

    const skipped = count('skipped');
    if (skipped > 0) say(`${skipped} not run, each named above with its reason`);
    say(`${count('passed')} passed, ${count('failed') + broken.length} failed`);
  }

  #writeJson(reports: readonly CellReport[]): void {
    const file = process.env['INTEROP_OUT'] ?? path.join(repoRoot, 'tmp', 'interop.json');
    mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
    const cells = reports.map((report) => ({
      ...report,
      passed: report.left === undefined && failuresOf(report).length === 0,
    }));
    const seconds = Math.round((Date.now() - this.#startedAtMs) / 1000);
    writeFileSync(file, `${JSON.stringify({ seconds, cells }, undefined, 1)}\n`);
    say(`details: ${path.relative(process.cwd(), file)} (${seconds} s)`);
  }
}
