import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

function run(command: string, args: readonly string[], cwd: string): string {
  // npm asks its registry for news now and then; this test wants nothing from the network.
  const env = { ...process.env, npm_config_offline: 'true', npm_config_update_notifier: 'false' };
  return execFileSync(command, args, { cwd, encoding: 'utf8', env });
}

/** The package unpacked, beside nothing but its run-time dependencies. */
describe('the package', () => {
  let work: string;
  let unpacked: string;
  let manifest: Manifest;

  beforeAll(() => {
    work = mkdtempSync(path.join(tmpdir(), 'slim-chat-package-'));
    run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', work], root);
    const tarball = readdirSync(work).find((file) => file.endsWith('.tgz'));
    expect(tarball).toBeDefined();
    unpacked = path.join(work, 'node_modules', 'slim-chat');
    mkdirSync(unpacked, { recursive: true });
    run('tar', ['-xzf', path.join(work, tarball ?? ''), '-C', unpacked, '--strip-components=1'], work);
    manifest = JSON.parse(readFileSync(path.join(unpacked, 'package.json'), 'utf8')) as Manifest;
    for (const dependency of Object.keys(manifest.dependencies)) {
      const link = path.join(work, 'node_modules', dependency);
      mkdirSync(path.dirname(link), { recursive: true });
      symlinkSync(path.join(root, 'node_modules', dependency), link);
    }
  });

  afterAll(() => {
    rmSync(work, { recursive: true });
  });

  test('holds what it needs and nothing of the workshop', () => {
    const files = readdirSync(unpacked, { recursive: true, encoding: 'utf8' });
    expect(files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'package.json',
        'dist/client/index.d.ts',
        'dist/mls/generated/openmls-wasm_bg.wasm',
        'dist/mls/THIRD-PARTY-LICENCES.txt',
      ]),
    );
    expect(files.filter((file) => file.endsWith('.map') || /^(?:src|test|scripts)\b/.test(file))).toEqual([]);
  });

  test('holds no engine that looks like encryption and is none: the stand-in of the tests stays in test/', () => {
    const scripts = readdirSync(path.join(unpacked, 'dist'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.(?:js|d\.ts)$/.test(file),
    );
    expect(scripts).toContain(path.join('mls', 'index.js'));
    const withStandIn = scripts.filter(
      (file) =>
        file.includes('memory-mls') || readFileSync(path.join(unpacked, 'dist', file), 'utf8').includes('MemoryMls'),
    );
    expect(withStandIn).toEqual([]);
  });

  test('starts as a program', () => {
    const program = path.join(unpacked, manifest.bin['slim-chat'] ?? '');
    expect(statSync(program).mode & 0o111).toBe(0o111);
    expect(run(program, ['--version'], work).trim()).toBe(manifest.version);
  });

  test('gives its JSON schema away', () => {
    const program = `import schema from 'slim-chat/json-schema.json' with { type: 'json' }; console.log(schema.title);`;
    expect(run(process.execPath, ['--no-warnings', '--input-type=module', '--eval', program], work).trim()).toBe(
      'slim-chat --json',
    );
  });

  test('loads as a library under its own name', () => {
    const program = `import * as library from 'slim-chat'; console.log(typeof library.SlimApp.connect);`;
    expect(run(process.execPath, ['--input-type=module', '--eval', program], work).trim()).toBe('function');
  });

  test('has a node for tests of programs that use the library', () => {
    const program = `
      import { SlimApp } from 'slim-chat';
      import { SlimNode } from 'slim-chat/node';
      const node = await SlimNode.start({ port: 0 });
      const sharedSecret = 'thirty-two bytes or more of a secret';
      const app = await SlimApp.connect({ local: 'a/b/c', slim: node.endpoint, sharedSecret });
      console.log(node.stats().connections);
      await app.close();
      await node.close();`;
    expect(run(process.execPath, ['--input-type=module', '--eval', program], work).trim()).toBe('1');
  });
});
