import { defineConfig } from 'vitest/config';

// Names a file for the figures of a run, which .ci/run adds up.
const report = process.env['LXD_TO_INCUS_TEST_REPORT'];

export default defineConfig({
  test: {
    // As many as there are processors; the default leaves one idle, which is half of a small machine.
    maxWorkers: '100%',
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**'],
          setupFiles: ['test/setup.ts'],
          globalSetup: ['test/ensure-built.ts', 'test/scratch.ts'],
          // Most of the time would go into loading the same modules once a file. Not threads: tests set the mask of
          // the process.
          pool: 'forks',
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 900_000,
          globalSetup: ['test/e2e/pack-first.ts'],
        },
      },
    ],
  },
});
