// The last line of .ci/run, and whether it fails.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/core/run.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lxd-to-incus-ci-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Figures {
  readonly passed: number;
  readonly failed?: number;
  readonly skipped?: number;
  readonly success?: boolean;
}

async function total(...reports: (Figures | undefined)[]): Promise<string> {
  const paths = reports.map((figures, index) => {
    const path = join(folder, `${index}.json`);
    if (figures !== undefined)
      writeFileSync(
        path,
        JSON.stringify({
          numPassedTests: figures.passed,
          numFailedTests: figures.failed ?? 0,
          numPendingTests: figures.skipped ?? 0,
          numTodoTests: 0,
          success: figures.success ?? (figures.failed ?? 0) === 0,
        }),
      );
    return path;
  });
  const script = join(import.meta.dirname, '..', '..', '.ci', 'total.mjs');
  const { status, stdout } = await run([process.execPath, script, ...paths], {
    timeoutMs: 20_000,
    accept: 'any',
  });
  return `${stdout.toString('utf8').trimEnd().split('\n').at(-1)}; ${status === 0 ? 'good' : 'bad'}`;
}

describe('the figures of all tests', () => {
  it('are added up', async () => {
    expect(await total({ passed: 3 }, { passed: 4 })).toBe('7 passed, 0 failed; good');
    expect(await total({ passed: 3, skipped: 1 }, { passed: 4 })).toBe('7 passed, 0 failed, 1 skipped; good');
  });

  it('are bad when a test failed, or a file could not be loaded', async () => {
    expect(await total({ passed: 3, failed: 2 }, { passed: 4 })).toBe('7 passed, 2 failed; bad');
    expect(await total({ passed: 3, success: false }, { passed: 4 })).toBe('7 passed, 1 failed; bad');
  });

  it('are bad when a command left no report, and when no test ran', async () => {
    expect(await total({ passed: 3 }, undefined)).toBe('3 passed, 1 failed; bad');
    expect(await total({ passed: 0 }, { passed: 0 })).toBe('0 passed, 0 failed; bad');
  });
});
