import { describe, expect, test } from 'vitest';

import { installedParts, kitFolder } from '../harness/index.js';
import { type Cell, allCells, impossible, nameOf, parseFilter, partsOf } from './cells.js';
import { runCell } from './run-cell.js';
import { failureLines, judge, leftOut } from './verdict.js';

const installed = installedParts();
const wanted = parseFilter(process.env['INTEROP_ONLY'] ?? '');

/** Why a cell is named in the report but not run. */
function whyLeftOut(cell: Cell): string | undefined {
  const missing = partsOf(cell).filter((part) => !installed.has(part));
  if (missing.length === 0) return impossible(cell);
  const reason = kitFolder() === undefined ? 'the kit of real peers was not found' : 'not installed';
  return `left out: ${reason}, needs ${missing.join(', ')}`;
}

describe('groups of real and own members', () => {
  for (const cell of allCells().filter(wanted)) {
    test.concurrent(nameOf(cell), { timeout: 180_000 }, async ({ task, skip }) => {
      const why = whyLeftOut(cell);
      if (why !== undefined) {
        task.meta.cell = leftOut(cell, why);
        skip(why);
      }
      const report = judge(cell, await runCell(cell));
      task.meta.cell = report;
      expect(failureLines(report)).toEqual([]);
    });
  }
});
