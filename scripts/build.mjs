/**
 * Builds `dist/` from `src/`: compiled TypeScript, plus the files the compiler does not carry (generated code, JSON, wasm).
 *
 *   node scripts/build.mjs              with type check; fails on a type error and leaves the old dist/ alone
 *   node scripts/build.mjs --no-check   only transpiles, for test runs while other files are in motion
 *
 * The result is made beside `dist/` and then swapped in, so a program or a test that runs meanwhile never sees half of it.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = path.join(root, 'src');
const target = path.join(root, 'dist');
// Same depth as dist/, because the compiler writes the way back to the sources into the source maps.
const fresh = path.join(root, `.dist-${process.pid}`);
const retired = path.join(root, `.dist-${process.pid}-old`);

const ASSET = /\.(?:json|wasm|txt)$/;
const GENERATED = /[\\/]generated[\\/].*\.(?:js|d\.ts)$/;
/** Intermediate files of the wasm crate, if somebody built it in place. */
const RUBBISH = /[\\/]target[\\/]/;

/** Copies what the compiler leaves behind. */
function copyAssets() {
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (!entry.isFile() || RUBBISH.test(file) || !(ASSET.test(file) || GENERATED.test(file))) continue;
    const copy = path.join(fresh, path.relative(source, file));
    mkdirSync(path.dirname(copy), { recursive: true });
    copyFileSync(file, copy);
  }
}

/** npm links the bin as it is, so it must be executable. */
function markExecutables() {
  const { bin = {} } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const file of Object.values(bin)) {
    const built = path.join(fresh, path.relative('dist', file));
    if (existsSync(built)) chmodSync(built, 0o755);
    else console.warn(`build: package.json names the bin ${file}, which the sources do not have`);
  }
}

/** Puts the result in place. Another build may do the same at this moment; then its dist/ is moved away in turn. */
function swapIn() {
  for (let attempt = 1; ; attempt += 1) {
    try {
      rmSync(retired, { recursive: true, force: true });
      if (existsSync(target)) renameSync(target, retired);
      renameSync(fresh, target);
      return;
    } catch (error) {
      if (attempt === 5 || !['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
    }
  }
}

function main() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const options = ['-p', path.join(root, 'tsconfig.json'), '--outDir', fresh];
  if (process.argv.includes('--no-check')) options.push('--noCheck');
  const { status } = spawnSync(process.execPath, [tsc, ...options], { stdio: 'inherit' });
  if (status !== 0) return 1;
  copyAssets();
  markExecutables();
  swapIn();
  return 0;
}

try {
  process.exitCode = main();
} finally {
  rmSync(fresh, { recursive: true, force: true });
  rmSync(retired, { recursive: true, force: true });
}
