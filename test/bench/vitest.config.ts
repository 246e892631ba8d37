import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitest/config';

// Vitest reads the default export, so this is the one kind of file that has one.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/bench/**/*.test.ts'],
    globalSetup: ['test/build-dist.ts'],
    pool: 'forks',
    disableConsoleIntercept: true,
  },
});
