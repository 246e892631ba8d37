/**
 * Puts `npm-shrinkwrap.json` into the package, so that who installs it gets the versions the tests ran with.
 *
 *   node scripts/shrinkwrap.mjs make    before packing: package-lock.json without what only development needs
 *   node scripts/shrinkwrap.mjs clean   after packing: away with it, or npm would prefer it to package-lock.json here
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const file = path.join(root, 'npm-shrinkwrap.json');

function make() {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  const { devDependencies: _, ...self } = lock.packages[''];
  const packages = { '': self };
  for (const [name, entry] of Object.entries(lock.packages)) {
    if (name !== '' && entry.dev !== true && entry.devOptional !== true) packages[name] = entry;
  }
  writeFileSync(file, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
}

const action = process.argv[2];
if (action === 'make') make();
else if (action === 'clean') rmSync(file, { force: true });
else {
  console.error('usage: node scripts/shrinkwrap.mjs make | clean');
  process.exitCode = 2;
}
