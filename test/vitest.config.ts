import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitest/config';

/** Tests that start the built program, or look at the package: slower, and `dist/` must be up to date. */
const NEEDS_DIST = [
  'test/tty/**/*.test.{ts,tsx}',
  'test/package/**/*.test.ts',
  'test/readme/**/*.test.ts',
  'test/**/*.e2e.test.ts',
];
/** Suites with configs of their own. */
const ELSEWHERE = ['test/interop/**', 'test/bench/**', '**/node_modules/**'];

/**
 * In CI a failed test of processes and terminals gets a second try: those machines are noisy, and these tests have deadlines.
 */
const RETRIES = process.env['CI'] === undefined ? 0 : 1;

const common = { pool: 'forks', restoreMocks: true, unstubEnvs: true, unstubGlobals: true } as const;

// Vitest reads the default export, so this is the one kind of file that has one.
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    // Two cores are what CI has; more workers only make timing noisier.
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [...NEEDS_DIST, ...ELSEWHERE],
          // Generous: a test that hangs is found all the same, and a busy machine fails nothing.
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          ...common,
          name: 'built',
          include: NEEDS_DIST,
          exclude: ELSEWHERE,
          globalSetup: ['test/build-dist.ts'],
          retry: RETRIES,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
