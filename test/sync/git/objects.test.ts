import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { writeHistory } from '../../../fixtures/histories/write-history.ts';
import { formatCommit, parseCommit } from '../../../src/sync/git/commit.ts';
import { openObjectReader } from '../../../src/sync/git/object-reader.ts';
import { createObjectWriter, editTree, hashObject } from '../../../src/sync/git/object-writer.ts';
import { openObjects } from '../../../src/sync/git/objects.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const git = (gitDir: string, ...args: string[]) =>
  execFileSync('git', [`--git-dir=${gitDir}`, ...args], { encoding: 'latin1' });

function openRepository() {
  const gitDir = `${temporaryFolder()}/repository.git`;
  const shas = writeHistory(gitDir, [
    {
      name: 'one',
      time: 1000,
      files: {
        'a.txt': 'a\n',
        'run.sh': { mode: '100755', content: '#!/bin/sh\n' },
        'a/b/deep.txt': 'deep\n',
        'a-b': 'sorts between a and a/\n',
        link: { mode: '120000', content: 'a.txt' },
        'gr\u00fc\u00df.txt': Buffer.from([0, 255, 10]),
      },
    },
  ]);
  const reader = openObjectReader(gitDir);
  onTestFinished(() => reader.close());
  const objects = openObjects(reader);
  return { gitDir, objects, writer: createObjectWriter(objects), one: shas.get('one') ?? '' };
}

describe('objects', () => {
  it('reads commits that format to the same bytes', async () => {
    const { gitDir, objects, one } = openRepository();
    const raw = Buffer.from(git(gitDir, 'cat-file', 'commit', one), 'latin1');
    expect(formatCommit(parseCommit(one, raw))).toEqual(raw);
    expect((await objects.commit(one)).author).toMatchObject({ email: 'ann@example.org', zone: '+0200' });
  });

  it('names objects as git does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const expected = execFileSync('git', ['hash-object', '--stdin'], {
          input: bytes,
          encoding: 'utf8',
        }).trim();
        expect(hashObject('blob', Buffer.from(bytes))).toBe(expected);
      }),
      { numRuns: 5 },
    );
  });

  it('finds entries by path and answers undefined for what is not there', async () => {
    const { objects, one } = openRepository();
    const { tree } = await objects.commit(one);
    expect(await objects.entry(tree, 'a/b/deep.txt')).toMatchObject({ mode: '100644', name: 'deep.txt' });
    expect(await objects.entry(tree, 'a.txt/deep')).toBeUndefined();
    expect(await objects.entry(tree, 'no/such')).toBeUndefined();
    const text = await objects.text((await objects.entry(tree, 'gr\u00c3\u00bc\u00c3\u009f.txt'))?.sha ?? '');
    expect(text).toBe('\0\u00ff\n');
  });

  it('makes the tree that git makes of the same edits', async () => {
    // Arrange
    const { gitDir, objects, writer, one } = openRepository();
    const { tree } = await objects.commit(one);
    const blob = writer.put('blob', Buffer.from('new\n'));
    // Act
    const edited = await editTree(
      objects,
      writer,
      tree,
      new Map([
        ['a/b/deep.txt', undefined],
        ['a-b', { mode: '100755', sha: blob }],
        ['new/folder/file', { mode: '100644', sha: blob }],
      ]),
    );
    await writer.flush(gitDir);
    // Assert
    const listed = git(gitDir, 'ls-tree', '-r', edited);
    expect(listed).not.toContain('deep.txt');
    expect(listed).toContain(`100755 blob ${blob}\ta-b`);
    expect(listed).toContain(`100644 blob ${blob}\tnew/folder/file`);
    expect(() => git(gitDir, 'fsck', '--strict', edited)).not.toThrow();
  });

  it('compares trees file by file, with modes and links', async () => {
    const { objects, writer, one } = openRepository();
    const { tree } = await objects.commit(one);
    const link = await objects.entry(tree, 'link');
    const edited = await editTree(
      objects,
      writer,
      tree,
      new Map([['run.sh', { mode: '100644', sha: link?.sha ?? '' }]]),
    );
    expect(await objects.compare(tree, edited)).toMatchObject([
      { path: 'run.sh', before: { mode: '100755' }, after: { mode: '100644' } },
    ]);
    expect((await objects.compare(undefined, tree)).map((change) => change.path)).toContain('a/b/deep.txt');
  });

  it('fails with the sha of an object that is not there, and goes on reading others', async () => {
    const { objects, one } = openRepository();
    await expect(objects.text('0'.repeat(40))).rejects.toMatchObject({
      problem: { code: 'object-missing', sha: '0'.repeat(40) },
    });
    await expect(objects.text(one)).rejects.toMatchObject({
      problem: { code: 'not-the-type', found: 'commit' },
    });
    expect((await objects.commit(one)).parents).toEqual([]);
  });
});
