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

/** The kit of generation 2 is a folder of the kit, with an installation of its own; its parts are called `gen2/3.3.8`. */
const GENERATION_2 = 'gen2/';

/** What the kit has installed: `1.4.0` for bindings, `node-0.7.0` for programs, `proxy`, `gen2/3.3.8` for bindings of generation 2. */
export function installedParts(): ReadonlySet<string> {
  if (kitFolder() === undefined) return new Set();
  return new Set(['', GENERATION_2].flatMap(partsIn));
}

function partsIn(folder: string): string[] {
  const home = path.join(peersHome(), folder);
  if (!existsSync(home)) return [];
  const complete = readdirSync(home).filter((part) => existsSync(path.join(home, part, '.ok')));
  return complete.map((part) => folder + part.replace(/^venv-/, ''));
}

/** Path of a script of the kit; throws when the kit is not there. */
export function kitScript(name: string): string {
  const folder = kitFolder();
  if (folder === undefined) throw new Error('the kit of real peers was not found; set SLIM_PEERS_KIT');
  return path.join(folder, name);
}

/** Path of the script of this name that goes with a part. */
export function scriptOf(part: string, name: string): string {
  return kitScript(part.startsWith(GENERATION_2) ? GENERATION_2 + name : name);
}

/** Python interpreter of an installed part. */
export function pythonOf(part: string): string {
  const folder = part.startsWith(GENERATION_2) ? GENERATION_2 : '';
  return path.join(peersHome(), folder, `venv-${part.slice(folder.length)}`, 'bin', 'python');
}

/** Path of an installed `slim` program, e.g. of `node-0.7.0`. */
export function slimProgram(part: string): string {
  return path.join(peersHome(), part, 'bin', 'slim');
}
