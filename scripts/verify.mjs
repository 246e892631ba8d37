/**
 * Everything a reviewer would run, in one go: `npm run verify`. Goes on after a failure, so one run shows all of them.
 * `npm run verify -- lint types` runs only those steps.
 */
import { spawnSync } from 'node:child_process';

const STEPS = {
  format: ['npm', 'run', '-s', 'format:check'],
  lint: ['npm', 'run', '-s', 'lint'],
  types: ['npm', 'run', '-s', 'types'],
  imports: ['npm', 'run', '-s', 'imports'],
  unused: ['npm', 'run', '-s', 'unused'],
  generated: ['npm', 'run', '-s', 'generate', '--', '--check'],
  wasm: ['node', 'scripts/build-mls-wasm.mjs', '--check'],
  build: ['npm', 'run', '-s', 'build'],
  api: ['npm', 'run', '-s', 'api', '--', '--check'],
  readme: ['npm', 'run', '-s', 'readme', '--', '--check'],
  test: ['npm', 'test'],
  pack: ['node', 'scripts/pack-check.mjs'],
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((step) => !(step in STEPS));
if (unknown.length > 0) {
  console.error(`verify: no step ${unknown.join(', ')}; there are: ${Object.keys(STEPS).join(' ')}`);
  process.exit(2);
}

const results = [];
for (const [step, [command, ...args]] of Object.entries(STEPS)) {
  if (wanted.length > 0 && !wanted.includes(step)) continue;
  console.log(`\n== ${step}: ${[command, ...args].join(' ')}`);
  const begin = performance.now();
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  results.push({ step, ok: status === 0, seconds: (performance.now() - begin) / 1000 });
}

console.log('');
for (const { step, ok, seconds } of results) {
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${step.padEnd(10)} ${seconds.toFixed(1)} s`);
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
