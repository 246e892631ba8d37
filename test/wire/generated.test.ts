import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

test('the committed generated code is what the schema gives', () => {
  const script = fileURLToPath(new URL('../../scripts/generate-proto.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8', timeout: 60_000 });
  expect(stderr).toBe('');
  expect(status).toBe(0);
}, 60_000);
