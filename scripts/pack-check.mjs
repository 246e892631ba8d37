/**
 * Checks the package as its users get it: packs it, lets publint and attw look at the tarball, installs it into an empty folder,
 * starts the program and compiles a small user of the library. Needs dist/ (`npm run build`) and npm's cache or registry.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const bin = (name) => path.join(root, 'node_modules', '.bin', name);
const work = mkdtempSync(path.join(tmpdir(), 'slim-chat-pack-'));
const { name, version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** What somebody might write: all types can be named, and what is internal is not there. */
const USER = `
import { SlimApp, parseClientConfig, type ClientConfig, type Session, type SlimAppOptions, type Transport } from '${name}';
import { SlimNode } from '${name}/node';
export async function start(slim: ClientConfig | Transport, options: SlimAppOptions): Promise<Session> {
  const node = await SlimNode.start({ port: 0 });
  const app = await SlimApp.connect({ slim: parseClientConfig(node.endpoint), ...options });
  const session = await app.createSession({ channel: 'a/b/c' });
  // @ts-expect-error: internal
  session.driver;
  return session;
}
`;

function run(command, args, options = {}) {
  return execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options });
}

function fail(text) {
  throw new Error(text);
}

/** Packs and returns the tarball and what lies in it. */
function pack() {
  // prepare would build once more; prepack and postpack are ours and still wanted.
  run(process.execPath, ['scripts/shrinkwrap.mjs', 'make']);
  try {
    const [{ filename, files, size }] = JSON.parse(
      run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', work]),
    );
    console.log(`packed ${filename}: ${files.length} files, ${Math.round(size / 1024)} KiB`);
    return { tarball: path.join(work, filename), files: files.map((file) => file.path) };
  } finally {
    run(process.execPath, ['scripts/shrinkwrap.mjs', 'clean']);
  }
}

function checkVersion(printed) {
  if (printed.trim() !== version) fail(`--version printed "${printed.trim()}", not "${version}"`);
}

function checkContents(files) {
  const wanted = [
    'LICENSE',
    'README.md',
    'package.json',
    'npm-shrinkwrap.json',
    'dist/bin/slim-chat.js',
    'dist/client/index.d.ts',
  ];
  const missing = wanted.filter((file) => !files.includes(file));
  if (missing.length > 0) fail(`not in the package: ${missing.join(', ')}`);
  const strange = files.filter((file) => !/^(?:dist\/|proto\/|[^/]+$)/.test(file) || file.endsWith('.map'));
  if (strange.length > 0) fail(`does not belong into the package: ${strange.join(', ')}`);
}

function install(tarball) {
  const folder = path.join(work, 'user');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', tarball], { cwd: folder });
  return folder;
}

/**
 * npm follows a shrinkwrap only for packages from a registry, so the installation above ignores it. Here npm installs the
 * unpacked package by it, which fails if it lacks a dependency or disagrees with package.json.
 */
function checkShrinkwrap(tarball) {
  const folder = path.join(work, 'shrinkwrap');
  mkdirSync(folder);
  run('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  const manifest = path.join(folder, 'package.json');
  const { devDependencies: _, ...self } = JSON.parse(readFileSync(manifest, 'utf8'));
  writeFileSync(manifest, JSON.stringify(self));
  run('npm', ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
  });
  checkVersion(run(process.execPath, [self.bin[name], '--version'], { cwd: folder }));
}

function checkProgram(folder) {
  checkVersion(run('npx', ['--no-install', name, '--version'], { cwd: folder }));
  console.log(`npx --no-install ${name} --version: ${version}`);
}

/** The library must load, and its types must compile without looking into our sources. */
function checkLibrary(folder) {
  const load = `import { SlimApp } from '${name}'; if (typeof SlimApp.connect !== 'function') process.exit(1);`;
  run(process.execPath, ['--input-type=module', '--eval', load], { cwd: folder });
  writeFileSync(path.join(folder, 'user.ts'), USER);
  // Who writes TypeScript for Node has these; our declarations mention AbortSignal and the like.
  const types = path.join(folder, 'node_modules', '@types');
  mkdirSync(types, { recursive: true });
  if (!existsSync(path.join(types, 'node')))
    symlinkSync(path.join(root, 'node_modules/@types/node'), path.join(types, 'node'));
  const strict = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  run(bin('tsc'), [...strict, 'user.ts'], { cwd: folder, stdio: 'inherit' });
  console.log('library: loads and type-checks in an empty project');
}

try {
  const { tarball, files } = pack();
  checkContents(files);
  run(bin('publint'), ['run', '--strict', tarball], { stdio: 'inherit' });
  run(bin('attw'), ['--profile', 'esm-only', '--format', 'ascii', tarball], { stdio: 'inherit' });
  const folder = install(tarball);
  checkProgram(folder);
  checkLibrary(folder);
  checkShrinkwrap(tarball);
  console.log('package: ok');
} catch (error) {
  console.error(`package: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
