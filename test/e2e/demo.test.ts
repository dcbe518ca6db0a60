import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

describe('npm run demo', () => {
  it('needs no network, and ends with the review page of a night', () => {
    // A namespace without any network, in which not even this machine can be reached.
    const demo = spawnSync(
      'unshare',
      ['--net', '--', process.execPath, join(root, 'src', 'dev', 'demo.ts')],
      {
        encoding: 'utf8',
      },
    );

    const last = demo.stdout.trimEnd().split('\n').at(-1) ?? '';
    const page = /^The review page: (.*)$/.exec(last)?.[1] ?? '';
    expect(demo, demo.stderr).toMatchObject({ status: 0 });
    expect(readFileSync(page, 'utf8')).toMatch(/<!doctype html>[\s\S]*README: Say more/i);
    rmSync(dirname(dirname(page)), { recursive: true });
  });
});
