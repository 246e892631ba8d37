import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Time of the youngest file below a folder, in ms since the epoch. */
function youngest(folder: string): number {
  let newest = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) newest = Math.max(newest, statSync(path.join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}

/**
 * Vitest global setup of the tests that start the built program: makes `dist/` when it is missing or older than the sources.
 * Types are not checked here; `npm run types` and `npm run build` do that.
 */
export function setup(): void {
  const dist = path.join(root, 'dist');
  const inputs = [youngest(path.join(root, 'src')), statSync(path.join(root, 'tsconfig.json')).mtimeMs];
  if (existsSync(dist) && youngest(dist) >= Math.max(...inputs)) return;
  execFileSync(process.execPath, [path.join(root, 'scripts', 'build.mjs'), '--no-check'], { stdio: 'inherit' });
}
