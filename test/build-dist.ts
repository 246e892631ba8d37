import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const build = fileURLToPath(new URL('../scripts/build.mjs', import.meta.url));

/**
 * Vitest global setup of the tests that start the built program: makes `dist/` when it is missing or older than the sources.
 * Types are not checked here; `npm run types` and `npm run build` do that.
 */
export function setup(): void {
  execFileSync(process.execPath, [build, '--no-check', '--if-stale'], { stdio: 'inherit' });
}
