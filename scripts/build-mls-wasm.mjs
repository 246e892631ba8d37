/**
 * Builds src/mls/generated/ from the crate in src/mls/openmls-wasm/: OpenMLS as WebAssembly and the JavaScript around it.
 *
 *   node scripts/build-mls-wasm.mjs           builds and writes the files and their manifest
 *   node scripts/build-mls-wasm.mjs --check   builds nothing; exits with 1 when the files are not those of the crate
 *
 * Needs cargo, rustc >= 1.91 and wasm-bindgen-cli in the version of the lock file. The compiler needs either the target
 * wasm32-unknown-unknown (`rustup target add wasm32-unknown-unknown`) or the sources of its own standard library, which is
 * then built along (Debian: rustc-web, cargo-web, rust-web-src, rust-web-llvm, lld-22). RUSTC and CARGO name other tools
 * than the first fitting ones, CARGO_TARGET_DIR another place for the intermediate files.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const crate = path.join(root, 'src', 'mls', 'openmls-wasm');
const generated = path.join(root, 'src', 'mls', 'generated');
const manifestFile = path.join(generated, 'manifest.json');
const OUTPUTS = ['openmls-wasm.js', 'openmls-wasm.d.ts', 'openmls-wasm_bg.wasm'];
const TARGET = 'wasm32-unknown-unknown';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Checksums by name relative to `folder`, sorted. */
function checksums(folder, names) {
  const entries = names.toSorted().map((name) => [name, sha256(readFileSync(path.join(folder, name)))]);
  return Object.fromEntries(entries);
}

/** All that decides what comes out. The tests of the crate are not among it. */
function sources() {
  const rust = ['src', path.join('crypto', 'src')].flatMap((folder) =>
    readdirSync(path.join(crate, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.rs'))
      .map((name) => path.posix.join(...path.join(folder, name).split(path.sep))),
  );
  return checksums(crate, ['Cargo.toml', 'Cargo.lock', 'crypto/Cargo.toml', ...rust]);
}

function run(command, args, options = {}) {
  const { status, error, stdout } = spawnSync(command, args, {
    cwd: crate,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });
  if (error !== undefined) throw new Error(`cannot run ${command}: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args[0]} failed with ${status}`);
  return (stdout ?? '').trim();
}

function version(command) {
  try {
    return run(command, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    // Not installed is an answer here; whoever needs it says so.
    return undefined;
  }
}

/** The version of a package in the lock file. */
function locked(name) {
  const lock = readFileSync(path.join(crate, 'Cargo.lock'), 'utf8');
  return new RegExp(`name = "${name}"\nversion = "([^"]+)"`).exec(lock)[1];
}

/** The first compiler that can make wasm, with its cargo. */
function toolchain() {
  const given = process.env.RUSTC;
  for (const rustc of given === undefined ? ['rustc', '/usr/bin/rustc'] : [given]) {
    if (version(rustc) === undefined) continue;
    const sysroot = run(rustc, ['--print', 'sysroot']);
    const std = path.join(sysroot, 'lib', 'rustlib', 'src', 'rust');
    const hasTarget = existsSync(path.join(sysroot, 'lib', 'rustlib', TARGET, 'lib'));
    if (!hasTarget && !existsSync(path.join(std, 'library', 'Cargo.lock'))) continue;
    const beside = rustc.includes(path.sep) ? path.join(path.dirname(rustc), 'cargo') : 'cargo';
    return { rustc, cargo: process.env.CARGO ?? beside, std, buildStd: !hasTarget };
  }
  throw new Error(`no compiler for ${TARGET}: it needs that target, or the sources of its standard library`);
}

/** Folders of this machine that panic messages would name, and what they are to say instead. */
function remapped({ std }) {
  const cargoHome = process.env.CARGO_HOME ?? path.join(homedir(), '.cargo');
  const registry = path.join(cargoHome, 'registry', 'src');
  const folders = [
    [crate, '/openmls-wasm'],
    ...readdirSync(registry).map((name) => [path.join(registry, name), '/crates']),
  ];
  if (existsSync(std)) folders.push([std, '/rust'], [realpathSync(std), '/rust']);
  return folders;
}

function build() {
  const bindgen = locked('wasm-bindgen');
  if (version('wasm-bindgen') !== `wasm-bindgen ${bindgen}`) {
    throw new Error(`needs: cargo install wasm-bindgen-cli --version ${bindgen} --locked`);
  }
  const tools = toolchain();
  const targetDir = process.env.CARGO_TARGET_DIR ?? path.join(tmpdir(), 'slim-chat-openmls-wasm');
  const env = { ...process.env, RUSTC: tools.rustc, CARGO_TARGET_DIR: targetDir };
  run(tools.cargo, ['fetch', '--locked', '--target', TARGET], { env });
  const folders = remapped(tools);
  // Node has had SIMD since 16; it saves a tenth of a signature and a third of AES-GCM.
  const flags = ['-C', 'target-feature=+simd128'];
  flags.push(...folders.map(([from, to]) => `--remap-path-prefix=${from}=${to}`));
  const args = ['build', '--release', '--locked', '--target', TARGET];
  if (tools.buildStd) {
    // -Z on a stable compiler
    env.RUSTC_BOOTSTRAP = '1';
    args.push('-Z', 'build-std=std,panic_abort');
    // Nobody can read the text of a panic: there is no standard error in WebAssembly.
    flags.push('-Z', 'unstable-options', '-C', 'panic=immediate-abort');
    // Cargo warns that it does not know these, and then does it. Vectors grow and are freed with each message.
    for (const name of ['alloc', 'core', 'dlmalloc'])
      args.push('--config', `profile.release.package.${name}.opt-level=3`);
  }
  env.RUSTFLAGS = flags.join(' ');
  run(tools.cargo, args, { env });

  const fresh = path.join(targetDir, 'bindgen');
  rmSync(fresh, { recursive: true, force: true });
  const wasm = path.join(targetDir, TARGET, 'release', 'openmls_wasm.wasm');
  run('wasm-bindgen', ['--target', 'web', '--out-dir', fresh, '--out-name', 'openmls-wasm', wasm]);
  for (const name of OUTPUTS) {
    const bytes = readFileSync(path.join(fresh, name));
    for (const [folder] of [...folders, [homedir()], [root]]) {
      if (bytes.includes(folder)) throw new Error(`${name} names a folder of this machine: ${folder}`);
    }
  }
  mkdirSync(generated, { recursive: true });
  for (const name of OUTPUTS) cpSync(path.join(fresh, name), path.join(generated, name));
  const rustc = version(tools.rustc);
  const manifest = { rustc, wasmBindgen: bindgen, openmls: locked('openmls'), sources: sources() };
  writeFileSync(manifestFile, `${JSON.stringify({ ...manifest, outputs: checksums(generated, OUTPUTS) }, null, 2)}\n`);
  for (const name of OUTPUTS) {
    const bytes = readFileSync(path.join(generated, name));
    const zipped = gzipSync(bytes, { level: 9 }).length;
    console.log(`${name}: ${bytes.length} bytes, ${zipped} with gzip -9`);
  }
}

/** What is not as the manifest says, as lines. */
function differences() {
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  const compare = (what, old, now) =>
    [...new Set([...Object.keys(old), ...Object.keys(now)])]
      .filter((name) => old[name] !== now[name])
      .map((name) => `${what} ${name} is not what the build saw`);
  return [
    ...compare('source', manifest.sources, sources()),
    ...compare('output', manifest.outputs, checksums(generated, OUTPUTS)),
  ];
}

if (process.argv.includes('--check')) {
  const lines = differences();
  if (lines.length > 0) {
    console.error(`${lines.join('\n')}\nRun: node scripts/build-mls-wasm.mjs`);
    process.exitCode = 1;
  }
} else {
  build();
}
