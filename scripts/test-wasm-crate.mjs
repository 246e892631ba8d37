/**
 * Runs the native tests of the MLS crate where cargo is, and says so loudly where it is not.
 *
 *   npm run test:wasm-crate
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const crate = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'src', 'mls', 'openmls-wasm');
const { error, status } = spawnSync('cargo', ['test', '--locked'], { cwd: crate, stdio: 'inherit' });
if (error?.code === 'ENOENT') {
  process.stdout.write('SKIPPED: the tests of the MLS crate need cargo (Rust 1.91 or newer), which is not here\n');
} else {
  process.exitCode = status ?? 1;
}
