import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Names a file for the figures of a run, which .ci/run adds up.
const report = process.env['LXD_TO_INCUS_TEST_REPORT'];

/** What starts hundreds of programs comes first, while the workers are small. */
class ProgramsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const startsPrograms = ({ moduleId }: TestSpecification) => Number(moduleId.includes('/test/sync/'));
    return (await super.sort(files)).toSorted((left, right) => startsPrograms(right) - startsPrograms(left));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: ProgramsFirst },
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
          // A fork copies the page table of the worker, which is most of what starting a program costs.
          execArgv: ['--max-semi-space-size=2', '--heap-growing-percent=30'],
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
