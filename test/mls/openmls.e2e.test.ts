import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const TALK = `
  const { loadOpenMls } = await import(process.argv[1]);
  const engine = await loadOpenMls();
  const utf8 = (text) => new TextEncoder().encode(text);
  const [ann, ben] = ['ann', 'ben'].map((name) => {
    const client = engine.createClient(1);
    client.setCredential(utf8(name));
    return client;
  });
  const group = ann.createGroup();
  const { welcome } = group.add(ben.createKeyPackage());
  group.mergePending();
  const { plaintext } = ben.stageWelcome(welcome).accept().decrypt(group.encrypt(utf8('hello')));
  console.log(new TextDecoder().decode(plaintext));
`;

/** What users get: the build, away from its sources. */
let work: string;

beforeAll(() => {
  work = mkdtempSync(path.join(tmpdir(), 'slim-chat-mls-'));
  cpSync(path.join(root, 'dist'), path.join(work, 'dist'), { recursive: true });
  cpSync(path.join(root, 'package.json'), path.join(work, 'package.json'));
  symlinkSync(path.join(root, 'node_modules'), path.join(work, 'node_modules'));
});

afterAll(() => {
  rmSync(work, { recursive: true });
});

function run(script: string, file: string): string {
  const url = pathToFileURL(path.join(work, 'dist', file)).href;
  return execFileSync(process.execPath, ['--input-type=module', '--eval', script, url], {
    cwd: tmpdir(),
    encoding: 'utf8',
  });
}

test('the built engine is found from any folder', () => {
  expect(run(TALK, 'mls/index.js')).toBe('hello\n');
});

test('the library starts without the engine, and says so when it is wanted', () => {
  rmSync(path.join(work, 'dist', 'mls', 'generated'), { recursive: true });
  const imported = 'await import(process.argv[1]); console.log("here")';
  expect(run(imported, 'client/index.js')).toBe('here\n');
  const wanted = `
    const { loadOpenMls } = await import(process.argv[1]);
    await loadOpenMls().catch(({ name, code }) => console.log(name, code));
  `;
  expect(run(wanted, 'mls/index.js')).toBe('MlsError mls-internal\n');
});
