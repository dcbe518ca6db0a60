// What the file system refuses is told as such; everything else stays a bug.
import * as fs from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { asFileFailure, diskFailureOf } from '../../src/core/as-file-failure.ts';
import { temporaryFolder } from '../temporary-folder.ts';

it('gives back what the work gives', () => {
  expect(asFileFailure('read it', '/x', () => 7)).toBe(7);
});

it('names operation, path and errno of what the file system refuses', () => {
  const path = join(temporaryFolder(), 'missing', 'file');

  expect(() => asFileFailure('write the report', path, () => fs.writeFileSync(path, ''))).toThrow(
    `Could not write the report: ENOENT.\n${path}`,
  );
});

it('says of a full disk the same, whoever met it', () => {
  const db = new Database(':memory:');
  db.pragma('max_page_count = 1');
  const fill = () => db.exec('CREATE TABLE a (x); CREATE TABLE b (x)');

  expect(() => asFileFailure('write the journal', '/x/journal.db', fill)).toThrow(
    'Could not write the journal: ENOSPC.\n/x/journal.db',
  );
});

it.each([
  ['a wrong statement', () => new Database(':memory:').exec('CREATE NONSENSE')],
  ['a wrong argument', () => fs.writeFileSync(7.5, '')],
])('leaves a mistake of the program as it is: %s', (_, mistake) => {
  expect(() => asFileFailure('do it', '/x', mistake)).not.toThrow(/Could not/);
  expect(() => asFileFailure('do it', '/x', mistake)).toThrow();
});

it('takes only the fault of a disk for one where nobody expected any', () => {
  const full = Object.assign(new Error('full'), { code: 'ENOSPC', path: '/x/log' });
  const missing = Object.assign(new Error('missing'), { code: 'ENOENT', path: '/x/log' });

  expect(diskFailureOf(full)?.message).toContain('ENOSPC');
  expect(diskFailureOf(full)?.message).toContain('/x/log');
  expect(diskFailureOf(missing)).toBeUndefined();
});

it('knows it by its words where Node has no code for it', () => {
  const unnamed = Object.assign(new Error(", Unknown error: Input/output error '/x/folder'"), {
    code: '',
    path: '/x/folder',
  });

  expect(diskFailureOf(unnamed)?.message).toBe('Could not go on with a file: EIO.\n/x/folder');
});
