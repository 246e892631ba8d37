import { spawn, spawnSync } from 'node:child_process';

import path from 'node:path';

import { installedParts, kitFolder, scriptOf } from '../harness/index.js';

const BUDGET_MS = 15 * 60_000;

/** Wheels first; what has to be compiled comes last and may be left out. */
const PARTS = [
  { name: '1.0.0', isCompiled: false },
  { name: '1.4.0', isCompiled: false },
  { name: '1.2.0', isCompiled: false },
  { name: 'proxy', isCompiled: false },
  { name: 'gen2/3.3.8', isCompiled: false },
  { name: 'gen2/2.0.0', isCompiled: false },
  { name: '0.7.0', isCompiled: true },
  { name: 'node-0.7.0', isCompiled: true },
] as const;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Installs one part; resolves with a reason when it could not. At the deadline the whole group ends, compilers included. */
async function install(part: string, deadlineMs: number): Promise<string | undefined> {
  const leftMs = deadlineMs - Date.now();
  if (leftMs <= 0) return 'the time budget is used up';
  const child = spawn('bash', [scriptOf(part, 'setup.sh'), path.basename(part)], {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  return new Promise((resolve) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, leftMs);
    const end = (reason: string | undefined): void => {
      clearTimeout(timer);
      resolve(isLate ? 'not ready within the time budget' : reason);
    };
    child.once('error', (error) => {
      end(error.message);
    });
    child.once('close', (code) => {
      end(code === 0 ? undefined : `its setup ended with status ${code ?? 'unknown'}`);
    });
  });
}

/**
 * Vitest global setup of the interop suite: installs the real peers that are not there yet, within 15 minutes, and says loudly
 * what is left out. `INTEROP_SETUP=off` takes what is installed.
 */
export async function setup(): Promise<void> {
  if (kitFolder() === undefined) {
    const line = '='.repeat(100);
    say(`${line}\nTHE KIT OF REAL PEERS WAS NOT FOUND: every cell with a real member or node is left out.`);
    say(`It is looked for in $SLIM_PEERS_KIT, then in ../shared/peers beside the repository.\n${line}`);
    return;
  }
  const installed = installedParts();
  const deadlineMs = Date.now() + BUDGET_MS;
  for (const { name, isCompiled } of PARTS) {
    if (installed.has(name)) continue;
    let reason: string | undefined = 'not installed, and INTEROP_SETUP is off';
    if (process.env['INTEROP_SETUP'] !== 'off') reason = await install(name, deadlineMs);
    if (reason === undefined) continue;
    // Asked only now: a part that was compiled once is in the kit's cache, and needs no compiler.
    const isHopeless = isCompiled && spawnSync('cargo', ['--version']).status !== 0;
    say(`LEFT OUT: real peer ${name}: ${reason}${isHopeless ? '; it must be compiled, and there is no cargo' : ''}`);
  }
}
