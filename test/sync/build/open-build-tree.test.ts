import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { writeHistory } from '../../../fixtures/histories/write-history.ts';
import { openBuildTree } from '../../../src/sync/build/open-build-tree.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

it('keeps nothing that a build left behind, not even a repository', async () => {
  const gitDir = join(temporaryFolder(), 'repo.git');
  const commits = writeHistory(gitDir, [{ name: 'base', time: 1000, files: { 'a.txt': 'a\n' } }]);
  const tree = await openBuildTree(gitDir);
  onTestFinished(tree.close);
  await tree.checkout(commits.get('base') ?? '');
  const nested = join(tree.files, 'deps', 'cloned');
  mkdirSync(nested, { recursive: true });
  execFileSync('git', ['init', '--quiet', nested]);
  writeFileSync(join(nested, 'left.go'), 'package left\n');

  await tree.checkout(commits.get('base') ?? '');

  expect(existsSync(join(tree.files, 'a.txt'))).toBe(true);
  expect(existsSync(join(tree.files, 'deps'))).toBe(false);
});
