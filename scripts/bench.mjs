/**
 * Benchmark of our library against released bindings, and of our node against a real one.
 *
 *   npm run bench -- --out FILE [--rounds 5]
 *
 * Prints ratios (minimum, median, maximum of the rounds; 1.0 and more means ours is better) and appends one JSON line to FILE.
 * Needs the kit of real peers with slim-bindings 1.4.0. On a busy machine the numbers mean little.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { out: { type: 'string' }, rounds: { type: 'string', default: '5' } } });
if (!(Number(values.rounds) >= 1)) throw new Error(`--rounds wants a number from 1, got '${values.rounds}'`);

const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
const config = path.join(root, 'test', 'bench', 'vitest.config.ts');
const env = { ...process.env, BENCH_ROUNDS: values.rounds };
// Relative to where the command was given, not to where vitest runs.
if (values.out !== undefined) env.BENCH_OUT = path.resolve(values.out);
const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', config], {
  cwd: root,
  stdio: 'inherit',
  env,
});
process.exitCode = status ?? 1;
