import * as fs from 'node:fs/promises';

import { expect, test, vi } from 'vitest';

import { loadOpenMls } from '../../src/mls/index.js';
import { MlsError } from '../../src/util/index.js';

vi.mock('node:fs/promises', { spy: true });

test('the engine is read on its first use and not before, and once; after a failure again', async () => {
  expect(fs.readFile).not.toHaveBeenCalled();

  vi.mocked(fs.readFile).mockRejectedValueOnce(new Error('no such file'));
  const failure = await loadOpenMls().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(MlsError);
  expect(failure).toMatchObject({ code: 'mls-internal', cause: { message: 'no such file' } });

  const [first, second] = await Promise.all([loadOpenMls(), loadOpenMls()]);
  expect(second).toBe(first);
  expect(await loadOpenMls()).toBe(first);
  expect(fs.readFile).toHaveBeenCalledTimes(2);
  first.createClient(1).free();
});
