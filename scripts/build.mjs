/**
 * Builds `dist/` from `src/`: one JavaScript module for each folder, declarations, and the files that are used as they are.
 *
 *   node scripts/build.mjs              with type check; fails on a type error and leaves the old dist/ alone
 *   node scripts/build.mjs --no-check   type errors are not looked for, for test runs while other files are in motion
 *   node scripts/build.mjs --if-stale   only when dist/ is missing or older than what it is made of: npm prepares a clone anew when
 *                                       `npx slim-chat` is called in it for the first time, and two such calls must not wait for a build
 *
 * Folders use each other through their index.ts only, so each can be one file: Node loads the library in half of the time that
 * it takes with a file for each source. What a folder imports lazily stays a file of its own, packages stay packages.
 *
 * The result is made beside `dist/` and then swapped in, so a program or a test that runs meanwhile never sees half of it.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { rolldown } from 'rolldown';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = path.join(root, 'src');
const target = path.join(root, 'dist');
// Same depth as dist/, because the compiler writes the way back to the sources into the source maps.
const fresh = path.join(root, `.dist-${process.pid}`);
const retired = path.join(root, `.dist-${process.pid}-old`);

/** Entry of the folder that is the program; all others have an index.ts. */
const ENTRIES = { bin: 'slim-chat.ts' };
/** The JavaScript around the wasm: loaded with it when somebody wants MLS, and pinned by a manifest of hashes. */
const MLS_GLUE = './generated/openmls-wasm.js';

/** Files that are copied; declarations beside generated JavaScript are none of the compiler's. */
const ASSET = /\.(?:json|wasm|txt)$|[\\/]generated[\\/].*\.d\.ts$|[\\/]generated[\\/]openmls-wasm\.js$/;
/** Intermediate files of the wasm crate, if somebody built it in place. */
const RUBBISH = /[\\/]target[\\/]/;

/** What a module of `folder` imports: its own files are taken in, other folders and packages stay imports. */
function boundary(folder) {
  const own = path.join(source, folder) + path.sep;
  return {
    name: 'folder-boundary',
    resolveId(specifier, importer) {
      if (importer === undefined) return null;
      if (!specifier.startsWith('.') || specifier === MLS_GLUE) return { id: specifier, external: true };
      const target = path.resolve(path.dirname(importer), specifier);
      if (target.startsWith(own)) return null;
      return { id: path.posix.join('..', ...path.relative(source, target).split(path.sep)), external: true };
    },
  };
}

async function bundle(folder) {
  const entry = ENTRIES[folder] ?? 'index.ts';
  const build = await rolldown({
    input: path.join(source, folder, entry),
    platform: 'neutral',
    tsconfig: path.join(root, 'tsconfig.json'),
    plugins: [boundary(folder)],
  });
  const names = { entryFileNames: '[name].js', chunkFileNames: '[name].js' };
  await build.write({ dir: path.join(fresh, folder), format: 'esm', sourcemap: true, ...names });
  await build.close();
}

async function bundleFolders() {
  const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  await Promise.all(folders.map((folder) => bundle(folder.name)));
}

/** Copies what is used as it is. */
function copyAssets() {
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (!entry.isFile() || RUBBISH.test(file) || !ASSET.test(file)) continue;
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

/** Checks types, and writes the declarations. */
function declare() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const options = ['-p', path.join(root, 'tsconfig.json'), '--emitDeclarationOnly', '--outDir', fresh];
  if (process.argv.includes('--no-check')) options.push('--noCheck');
  return spawnSync(process.execPath, [tsc, ...options], { stdio: 'inherit' }).status === 0;
}

/** Time of the youngest file below a folder, in milliseconds since 1970. */
function youngest(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(0, ...files.map((entry) => statSync(path.join(entry.parentPath, entry.name)).mtimeMs));
}

function isCurrent() {
  if (!existsSync(target)) return false;
  const inputs = ['package.json', 'tsconfig.json', 'scripts/build.mjs'].map(
    (file) => statSync(path.join(root, file)).mtimeMs,
  );
  return youngest(target) >= Math.max(youngest(source), ...inputs);
}

async function main() {
  if (process.argv.includes('--if-stale') && isCurrent()) return 0;
  if (!declare()) return 1;
  await bundleFolders();
  copyAssets();
  markExecutables();
  swapIn();
  return 0;
}

try {
  process.exitCode = await main();
} finally {
  rmSync(fresh, { recursive: true, force: true });
  rmSync(retired, { recursive: true, force: true });
}
