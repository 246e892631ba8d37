import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

import { repoRoot } from './paths.js';

/** Folder of the scripts that run real SLIM peers: `SLIM_PEERS_KIT`, else `../shared/peers`; `undefined` when there is none. */
export function kitFolder(): string | undefined {
  const folder = path.resolve(process.env['SLIM_PEERS_KIT'] ?? path.join(repoRoot, '..', 'shared', 'peers'));
  return existsSync(path.join(folder, 'peer.py')) ? folder : undefined;
}

/** Folder into which the kit's setup installs; the same rule as in its `setup.sh`. */
export function peersHome(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  return process.env['SLIM_PEERS_HOME'] ?? path.join(cache, 'slim-peers');
}

/** What the kit has installed: `1.4.0` for bindings, `node-0.7.0` for programs, `proxy`. */
export function installedParts(): ReadonlySet<string> {
  const home = peersHome();
  if (kitFolder() === undefined || !existsSync(home)) return new Set();
  const complete = readdirSync(home).filter((folder) => existsSync(path.join(home, folder, '.ok')));
  return new Set(complete.map((folder) => folder.replace(/^venv-/, '')));
}

/** Path of a script of the kit; throws when the kit is not there. */
export function kitScript(name: string): string {
  const folder = kitFolder();
  if (folder === undefined) throw new Error('the kit of real peers was not found; set SLIM_PEERS_KIT');
  return path.join(folder, name);
}

/** Python interpreter of an installed part. */
export function pythonOf(part: string): string {
  return path.join(peersHome(), `venv-${part}`, 'bin', 'python');
}

/** Path of an installed `slim` program, e.g. of `node-0.7.0`. */
export function slimProgram(part: string): string {
  return path.join(peersHome(), part, 'bin', 'slim');
}
