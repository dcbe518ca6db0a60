// git by simple-git: what it prints, and its refusals as failures that name the command and git's own words.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { openGit } from '../../../src/sync/git/resolve-commit.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

function repository(): string {
  const folder = temporaryFolder();
  execFileSync('git', ['init', '--quiet', '--bare', folder]);
  return folder;
}

test('what git prints comes back as it is', async () => {
  const folder = repository();

  expect(await openGit(folder).raw(['rev-parse', '--is-bare-repository'])).toBe('true\n');
});

test.each([
  ['a name that is not there', () => repository(), /Needed a single revision/],
  ['a folder that is not there', () => join(temporaryFolder(), 'nowhere'), /directory that does not exist/],
])('%s is a failure and no stack trace', async (_, folder, words) => {
  const error = await openGit(folder())
    .raw(['rev-parse', '--verify', 'no-such-name'])
    .catch((reason: unknown) => reason);

  expect(error).toBeInstanceOf(Failure);
  expect((error as Failure).problem).toMatchObject({
    code: 'command-failed',
    argv: expect.arrayContaining(['git', 'rev-parse', 'no-such-name']),
    stderr: expect.stringMatching(words),
  });
});
