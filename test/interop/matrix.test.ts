import { expect, test } from 'vitest';
import { allCells, nameOf, parseFilter, impossible } from './cells.js';
import { runCell } from './run-cell.js';

for (const cell of allCells(process.env['INTEROP_MLS'] === 'on').filter(parseFilter(process.env['INTEROP_ONLY'] ?? ''))) {
  test.concurrent(nameOf(cell), { timeout: 240_000 }, async (ctx) => {
    if (impossible(cell)) return ctx.skip(impossible(cell));
    const run = await runCell(cell);
    console.log(nameOf(cell), JSON.stringify(run.totals), JSON.stringify(run.ms));
    for (const f of run.findings) console.log('   ', JSON.stringify(f).slice(0, 250));
    expect(run.totals.sent).toBeGreaterThan(0);
  });
}
