import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

function demo(...options: string[]): ReturnType<typeof spawnSync> {
  const script = path.join(root, 'scripts', 'demo.mjs');
  return spawnSync(process.execPath, [script, ...options], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('npm run demo', () => {
  test('shows three members that see each other, on a node that the moderator started', () => {
    const { status, stdout, stderr } = demo('--check');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('demo: everyone saw everything');
    for (const member of ['alice', 'bob', 'carol']) expect(stdout).toContain(`-- what ${member} saw`);
  });

  test('says what to do where there is no terminal', () => {
    const { status, stderr } = demo();
    expect(status).toBe(1);
    expect(stderr).toContain('npm run demo -- --check');
  });
});
