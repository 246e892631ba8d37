/**
 * Collects the licences of the Rust crates that are compiled into the MLS module, for the package that ships it.
 *
 *   node scripts/collect-licences.mjs        writes src/mls/THIRD-PARTY-LICENCES.txt; run it after a change of the crate's lock file
 *
 * Needs cargo, and the crates' sources as a build leaves them.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const crate = path.join(root, 'src', 'mls', 'openmls-wasm');
const target = path.join(root, 'src', 'mls', 'THIRD-PARTY-LICENCES.txt');
const LICENCE = /^(?:licen[cs]e|copying|notice|copyright)/i;

const args = ['metadata', '--format-version=1', '--locked', '--filter-platform=wasm32-unknown-unknown'];
const { stdout, status } = spawnSync('cargo', args, { cwd: crate, encoding: 'utf8', maxBuffer: 1 << 28 });
if (status !== 0) throw new Error('cargo metadata failed');
const { packages, resolve } = JSON.parse(stdout);

/** What ends up in the module: what is reached without build scripts' and tests' own needs. */
function reached() {
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const seen = new Set();
  const visit = (id) => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const { pkg, dep_kinds: kinds } of nodes.get(id)?.deps ?? []) {
      if (kinds.some(({ kind }) => kind === null)) visit(pkg);
    }
  };
  visit(resolve.root);
  seen.delete(resolve.root);
  return seen;
}

const shipped = reached();
/** Texts that several crates share are printed once. */
const byText = new Map();
for (const { id, name, version, license, manifest_path: manifest, source } of packages) {
  // Without a source it is one of ours.
  if (!shipped.has(id) || source === null) continue;
  const folder = path.dirname(manifest);
  const all = readdirSync(folder).filter((file) => LICENCE.test(file) && !file.endsWith('.spdx'));
  // Where there is a choice, the shortest licence is ours.
  const mit = license?.includes('MIT') ? all.filter((file) => /mit/i.test(file)) : [];
  const files = mit.length > 0 ? mit : all;
  const text = files.map((file) => readFileSync(path.join(folder, file), 'utf8').trim()).join('\n\n') || `(${license})`;
  const names = byText.get(text) ?? [];
  names.push(`${name} ${version} (${license})`);
  byText.set(text, names);
}
const parts = [...byText].map(([text, names]) => `${names.sort().join('\n')}\n\n${text}\n`).sort();
const rule = `\n${'='.repeat(80)}\n\n`;
const head = 'The MLS module of this package (dist/mls/generated) is compiled from these Rust crates.\n';
writeFileSync(target, [head, ...parts].join(rule));
process.stdout.write(`${shipped.size} crates, ${byText.size} texts\n`);
