/**
 * Writes down what users of the package can see: one report for each entry point, in git beside the tests of the package, so
 * that a change of the public interface is a change somebody reads.
 *
 *   npm run api              writes the reports
 *   npm run api -- --check   fails if one is not up to date, and shows the difference
 *
 * Either way it fails on a type that appears in a public signature and is not exported, and on a declaration that leans on one
 * that is marked `@internal`.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const reports = path.join(root, 'test', 'package');
// Inside the project, where the compiler finds the packages that the declarations mention.
const work = path.join(root, 'tmp', `api-${process.pid}`);

/** Reports by the folder of `src/` that is the entry point. */
const ENTRIES = { client: 'slim-chat', node: 'slim-chat-node' };

function fail(text) {
  console.error(`api: ${text}`);
  process.exitCode = 1;
}

/** The declarations as the package has them. Types are checked elsewhere. */
function declare() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const project = path.join(root, 'tsconfig.json');
  const options = ['-p', project, '--emitDeclarationOnly', '--noCheck', '--sourceMap', 'false', '--outDir', work];
  return spawnSync(process.execPath, [tsc, ...options], { stdio: 'inherit' }).status === 0;
}

function extract(folder, name) {
  const entry = path.join(work, folder, 'index.d.ts');
  const { compilerOptions } = JSON.parse(readFileSync(path.join(root, 'tsconfig.json'), 'utf8'));
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: entry,
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: { ...compilerOptions, rootDir: root, skipLibCheck: false },
          files: [entry],
        },
      },
      apiReport: { enabled: true, reportFileName: name, reportFolder: work, reportTempFolder: path.join(work, 'temp') },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: {
          default: { logLevel: 'none' },
          'ae-forgotten-export': { logLevel: 'error' },
        },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
    configObjectFullPath: path.join(root, 'scripts', 'api-extractor.json'),
    packageJsonFullPath: path.join(root, 'package.json'),
  });
  const { succeeded } = Extractor.invoke(config, {
    // A report of this kind is new each time; what has changed is told below.
    localBuild: true,
    messageCallback: (message) => {
      if (message.logLevel !== 'error') message.handled = true;
    },
  });
  if (!succeeded) fail(`the declarations of ${folder}/ do not stand on their own, see above`);
  return path.join(work, `${name}.api.md`);
}

function compare(fresh, known, name) {
  const { status, stdout } = spawnSync('git', ['diff', '--no-index', '--', known, fresh], { encoding: 'utf8' });
  if (status === 0) return;
  console.error(stdout);
  fail(`${name}.api.md is not up to date; if the change is meant: npm run api`);
}

function main() {
  const isCheck = process.argv.includes('--check');
  mkdirSync(work, { recursive: true });
  if (!declare()) return fail('the compiler failed');
  for (const [folder, name] of Object.entries(ENTRIES)) {
    const fresh = extract(folder, name);
    const known = path.join(reports, `${name}.api.md`);
    if (isCheck) compare(fresh, known, name);
    else copyFileSync(fresh, known);
  }
}

try {
  main();
} finally {
  rmSync(work, { recursive: true, force: true });
}
