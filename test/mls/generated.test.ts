import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

function check(folder: string): { status: number | null; stderr: string } {
  const script = path.join(folder, 'scripts', 'build-mls-wasm.mjs');
  return spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
}

test('the committed engine is the one that the crate was built to', () => {
  expect(check(root)).toMatchObject({ status: 0, stderr: '' });
});

test('a change of the crate or of its output is seen', () => {
  const copy = mkdtempSync(path.join(tmpdir(), 'slim-chat-mls-'));
  onTestFinished(() => {
    rmSync(copy, { recursive: true });
  });
  for (const part of ['scripts/build-mls-wasm.mjs', 'src/mls/openmls-wasm', 'src/mls/generated']) {
    cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
  }
  expect(check(copy).status).toBe(0);
  const source = path.join(copy, 'src', 'mls', 'openmls-wasm', 'src', 'extra.rs');
  writeFileSync(source, '// more\n');
  const changed = check(copy);
  expect(changed.status).toBe(1);
  expect(changed.stderr).toContain('source src/extra.rs');
  rmSync(source);
  const output = path.join(copy, 'src', 'mls', 'generated', 'openmls-wasm_bg.wasm');
  const bytes = readFileSync(output);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(output, bytes);
  const broken = check(copy);
  expect(broken.status).toBe(1);
  expect(broken.stderr).toContain('output openmls-wasm_bg.wasm');
});

test('the engine names no folder of who built it', () => {
  const bytes = readFileSync(path.join(root, 'src', 'mls', 'generated', 'openmls-wasm_bg.wasm'));
  for (const text of ['/root/', '/home/', '/work/', '/Users/', '.cargo', '\\Users\\']) {
    expect(bytes.includes(text)).toBe(false);
  }
  expect(bytes.includes('/crates/openmls-0.9.2/')).toBe(true);
});
