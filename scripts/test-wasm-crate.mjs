/**
 * Runs the native tests of the MLS crate where there is a Rust that can, and says so loudly where there is not.
 *
 *   npm run test:wasm-crate
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const crate = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'src', 'mls', 'openmls-wasm');
const CARGO_TARGET_DIR = process.env.CARGO_TARGET_DIR ?? path.join(tmpdir(), 'slim-chat-openmls-wasm-test');

function cargo(args, stdio = 'inherit') {
  return spawnSync('cargo', args, { cwd: crate, stdio, encoding: 'utf8', env: { ...process.env, CARGO_TARGET_DIR } });
}

/** Why the tests cannot run here, if they cannot. */
function obstacle() {
  const [, wanted] = /^rust-version = "1\.(\d+)"/m.exec(readFileSync(path.join(crate, 'Cargo.toml'), 'utf8'));
  const { error, stdout } = cargo(['--version'], 'pipe');
  const minor = error === undefined && /^cargo 1\.(\d+)/.exec(stdout)?.[1];
  if (!minor) return `cargo, which is not here (Rust 1.${wanted} or newer)`;
  if (Number(minor) < Number(wanted)) return `Rust 1.${wanted} or newer, here is ${stdout.trim()}`;
  return cargo(['fetch', '--locked']).status === 0 ? undefined : 'crates, which cannot be fetched here';
}

const missing = obstacle();
if (missing === undefined) process.exitCode = cargo(['test', '--locked']).status ?? 1;
else console.log(`SKIPPED: the tests of the MLS crate need ${missing}`);
