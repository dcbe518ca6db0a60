// File changes: whole or not at all, never through a planted link, never over something that stands there.
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ensurePrivateFolder,
  makeFolderDurable,
  makeFolders,
  removeTemporaries,
  renameDurable,
  replaceLinkDurable,
  writeFileDurable,
} from '../../src/core/durable.ts';
import { Failure } from '../../src/core/failure.ts';
import { Died, fileWatch, watchFiles } from '../fakes/watched-files.ts';
import { temporaryFolder } from '../temporary-folder.ts';

watchFiles();

function modeOf(path: string): number {
  return fs.lstatSync(path).mode & 0o7777;
}

function codeOf(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof Failure ? error.problem.code : (error as NodeJS.ErrnoException).code;
  }
}

describe('writeFileDurable', () => {
  test('writes any bytes, and leaves nothing else in the folder', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'file');

    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => {
        writeFileDurable(path, Buffer.from(bytes));

        expect([...fs.readFileSync(path)]).toEqual([...bytes]);
        expect(fs.readdirSync(folder)).toEqual(['file']);
      }),
      { numRuns: 20 },
    );
  });

  test.each([0o600, 0o644, 0o640])('gives the file the mode %o whatever the mask', (mode) => {
    const path = join(temporaryFolder(), 'file');
    const before = process.umask(0o077);

    writeFileDurable(path, 'x', mode);
    process.umask(before);

    expect(modeOf(path)).toBe(mode);
  });

  test('is for this user only unless told', () => {
    const path = join(temporaryFolder(), 'file');

    writeFileDurable(path, 'x');

    expect(modeOf(path)).toBe(0o600);
  });

  test('replaces an existing file, and its mode', () => {
    const path = join(temporaryFolder(), 'file');
    fs.writeFileSync(path, 'a longer text than before', { mode: 0o666 });

    writeFileDurable(path, 'new');

    expect(fs.readFileSync(path, 'utf8')).toBe('new');
    expect(modeOf(path)).toBe(0o600);
  });

  test('replaces a planted link instead of writing where it leads', () => {
    const folder = temporaryFolder();
    const victim = join(folder, 'victim');
    fs.writeFileSync(victim, 'untouched');
    fs.symlinkSync(victim, join(folder, 'file'));

    writeFileDurable(join(folder, 'file'), 'new');

    expect(fs.readFileSync(victim, 'utf8')).toBe('untouched');
    expect(fs.lstatSync(join(folder, 'file')).isFile()).toBe(true);
  });

  test('does not write through a link planted under the name that it uses in between', () => {
    const folder = temporaryFolder();
    const victim = join(folder, 'victim');
    fs.writeFileSync(victim, 'untouched');
    writeFileDurable(join(folder, 'file'), 'first');
    const between = fileWatch.operations.find((operation) => operation.startsWith('openSync'))?.split(' ')[1];
    fs.symlinkSync(victim, String(between));

    writeFileDurable(join(folder, 'file'), 'second');

    expect(between).toMatch(/\.tmp$/);
    expect(fs.readFileSync(victim, 'utf8')).toBe('untouched');
    expect(fs.readFileSync(join(folder, 'file'), 'utf8')).toBe('second');
  });

  test('holds the old content or the new one wherever the process dies, and the rest can be removed', () => {
    const seen = new Set<string>();
    for (let survived = 0; survived < 10; survived += 1) {
      const folder = temporaryFolder();
      const path = join(folder, 'file');
      fs.writeFileSync(path, 'old');
      fs.writeFileSync(join(folder, '.other.1.tmp'), 'of another file');
      fileWatch.dieAfter(survived);
      try {
        writeFileDurable(path, 'new');
      } catch (error) {
        expect(error).toBeInstanceOf(Died);
      }
      fileWatch.reset();

      seen.add(fs.readFileSync(path, 'utf8'));
      removeTemporaries(folder, 'file');

      expect(fs.readdirSync(folder).sort()).toEqual(['.other.1.tmp', 'file']);
    }
    expect([...seen]).toEqual(['old', 'new']);
  });

  test('leaves the old file and no rest where it cannot take its place', () => {
    const folder = temporaryFolder();
    fs.mkdirSync(join(folder, 'file'));

    expect(codeOf(() => writeFileDurable(join(folder, 'file'), 'x'))).toBe('EISDIR');
    expect(fs.readdirSync(folder)).toEqual(['file']);
    expect(fs.readdirSync(join(folder, 'file'))).toEqual([]);
  });
});

describe('makeFolderDurable', () => {
  test('makes the folder with the mode asked for, whatever the mask', () => {
    const path = join(temporaryFolder(), 'folder');
    const before = process.umask(0o077);

    makeFolderDurable(path, 0o711);
    process.umask(before);

    expect(modeOf(path)).toBe(0o711);
  });

  test('leaves an existing folder as it is', () => {
    const path = join(temporaryFolder(), 'folder');
    fs.mkdirSync(path, { mode: 0o755 });
    fs.writeFileSync(join(path, 'content'), '');

    makeFolderDurable(path, 0o700);

    expect(modeOf(path)).toBe(0o755);
    expect(fs.readdirSync(path)).toEqual(['content']);
  });

  test.each(['a file', 'a link to a folder'])('refuses %s in its place', (kind) => {
    const folder = temporaryFolder();
    const path = join(folder, 'folder');
    if (kind === 'a file') fs.writeFileSync(path, '');
    else fs.symlinkSync(folder, path);

    expect(codeOf(() => makeFolderDurable(path))).toBe('EEXIST');
  });
});

describe('renameDurable', () => {
  test('moves a folder with what is in it, to another parent too', () => {
    const folder = temporaryFolder();
    fs.mkdirSync(join(folder, 'from/deep'), { recursive: true });
    fs.mkdirSync(join(folder, 'other'));

    renameDurable(join(folder, 'from'), join(folder, 'other/to'));

    expect(fs.readdirSync(join(folder, 'other/to'))).toEqual(['deep']);
    expect(fs.existsSync(join(folder, 'from'))).toBe(false);
  });

  test.each([
    ['a file', (path: string) => fs.writeFileSync(path, 'kept')],
    ['an empty folder', (path: string) => fs.mkdirSync(path)],
    ['a full folder', (path: string) => fs.mkdirSync(join(path, 'kept'), { recursive: true })],
    ['a link', (path: string) => fs.symlinkSync('/nowhere', path)],
  ])('refuses %s where it would go, and changes nothing', (_kind, make) => {
    const folder = temporaryFolder();
    fs.mkdirSync(join(folder, 'from'));
    make(join(folder, 'to'));
    fileWatch.reset();

    expect(codeOf(() => renameDurable(join(folder, 'from'), join(folder, 'to')))).toBe('target-exists');
    expect(fileWatch.operations).toEqual([]);
  });
});

describe('replaceLinkDurable', () => {
  test('points the link elsewhere, keeps its owner and touches neither destination', () => {
    const folder = temporaryFolder();
    const link = join(folder, 'link');
    fs.writeFileSync(join(folder, 'old'), 'old');
    fs.writeFileSync(join(folder, 'new'), 'new');
    fs.symlinkSync(join(folder, 'old'), link);
    const owner = process.getuid?.() === 0 ? 12_345 : fs.lstatSync(link).uid;
    fs.lchownSync(link, owner, fs.lstatSync(link).gid);

    replaceLinkDurable(link, join(folder, 'new'));

    expect(fs.readlinkSync(link)).toBe(join(folder, 'new'));
    expect(fs.lstatSync(link).uid).toBe(owner);
    expect(fs.readFileSync(join(folder, 'old'), 'utf8')).toBe('old');
    expect(fs.readdirSync(folder).sort()).toEqual(['link', 'new', 'old']);
  });

  test('is never missing, wherever the process dies', () => {
    const folder = temporaryFolder();
    const link = join(folder, 'link');
    fs.symlinkSync('/old', link);
    fileWatch.reset();
    const seen: string[] = [];
    fileWatch.before = () => seen.push(fs.readlinkSync(link));

    replaceLinkDurable(link, '/new');

    expect(new Set(seen)).toEqual(new Set(['/old']));
    expect(fs.readlinkSync(link)).toBe('/new');
  });
});

describe('ensurePrivateFolder', () => {
  test('makes it, with its parents, for this user only', () => {
    const path = join(temporaryFolder(), 'a/b/c');
    const before = process.umask(0o000);

    ensurePrivateFolder(path);
    process.umask(before);

    expect(modeOf(path)).toBe(0o700);
  });

  test('takes one that is there and is ours', () => {
    const path = join(temporaryFolder(), 'folder');
    fs.mkdirSync(path, { mode: 0o700 });

    expect(codeOf(() => ensurePrivateFolder(path))).toBeUndefined();
  });

  test.each([0o770, 0o707, 0o1777])('refuses one that others can write to (%o)', (mode) => {
    const path = join(temporaryFolder(), 'folder');
    fs.mkdirSync(path);
    fs.chmodSync(path, mode);

    expect(codeOf(() => ensurePrivateFolder(path))).toBe('not-a-folder-of-ours');
  });

  test('refuses a link, even to a folder of ours', () => {
    const folder = temporaryFolder();
    fs.mkdirSync(join(folder, 'real'), { mode: 0o700 });
    fs.symlinkSync(join(folder, 'real'), join(folder, 'link'));

    expect(codeOf(() => ensurePrivateFolder(join(folder, 'link')))).toBe('not-a-folder-of-ours');
  });

  test('refuses a file', () => {
    const path = join(temporaryFolder(), 'file');
    fs.writeFileSync(path, '');

    expect(codeOf(() => ensurePrivateFolder(path))).toBe('not-a-folder-of-ours');
  });

  test.runIf(process.getuid?.() === 0)('refuses a folder of somebody else', () => {
    const path = join(temporaryFolder(), 'folder');
    fs.mkdirSync(path, { mode: 0o700 });
    fs.chownSync(path, 12_345, 0);

    expect(codeOf(() => ensurePrivateFolder(path))).toBe('not-a-folder-of-ours');
  });
});

describe('makeFolders', () => {
  test('makes all that is missing, with the mode, and leaves what is there as it is', () => {
    // Arrange
    const there = join(temporaryFolder(), 'there');
    fs.mkdirSync(there, { mode: 0o755 });
    const wanted = join(there, 'a/b/c');

    // Act
    makeFolders(wanted, 0o700);
    makeFolders(wanted, 0o755);

    // Assert
    expect(['', 'a', 'a/b', 'a/b/c'].map((name) => fs.statSync(join(there, name)).mode & 0o777)).toEqual([
      0o755, 0o700, 0o700, 0o700,
    ]);
  });

  // Node's own never came back from the first three: mkdir(2) says ENOENT in /proc, whatever is there.
  test.each([['/proc/x'], ['/proc/x/y/z'], ['/proc/self/task/x/y'], ['/dev/null/x'], ['/proc/self/fd/x']])(
    'ends in %s, with what the kernel said',
    (path) => {
      expect(() => makeFolders(path)).toThrow(/^E(NOENT|NOTDIR|ACCES|PERM|EXIST)\b/);
    },
  );

  test('refuses a file, and a link to nowhere, in the place of a folder', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(join(folder, 'file'), '');
    fs.symlinkSync('nowhere', join(folder, 'link'));

    expect(() => makeFolders(join(folder, 'file/x'))).toThrow(/^ENOTDIR\b/);
    expect(() => makeFolders(join(folder, 'file'))).toThrow(/^EEXIST\b/);
    expect(() => makeFolders(join(folder, 'link/x'))).toThrow(/^EEXIST\b/);
    expect(fs.readdirSync(folder).sort()).toEqual(['file', 'link']);
  });

  test('is what the programs use: Node has a loop without an end in its own', () => {
    const root = join(import.meta.dirname, '../../src');
    const sources = fs
      .readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.startsWith('dev/'));

    const own = sources.filter((name) =>
      /\bmkdir(Sync)?\([^;]*recursive/.test(fs.readFileSync(join(root, name), 'utf8')),
    );

    expect(own).toEqual([]);
  });
});
