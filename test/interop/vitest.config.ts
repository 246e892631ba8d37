import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitest/config';

import { InteropReporter } from './reporter.js';

// Vitest reads the default export, so this is the one kind of file that has one.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/interop/**/*.test.ts'],
    globalSetup: ['test/build-dist.ts', 'test/interop/setup-peers.ts'],
    pool: 'forks',
    // Cells mostly wait; four at once keep two cores busy without starving one of them.
    maxConcurrency: Number(process.env['INTEROP_JOBS'] ?? 4),
    // As for the other tests of processes: one more try on the noisy machines of CI.
    retry: process.env['CI'] === undefined ? 0 : 1,
    disableConsoleIntercept: true,
    reporters: [new InteropReporter()],
  },
});
