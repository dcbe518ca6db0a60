import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../src/core/failure.ts';
import { type ReadLimits, readRegularFile } from '../../src/core/read-regular-file.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const limits: ReadLimits = { limit: 1024, links: 'refuse' };

function refusal(use: () => unknown): unknown {
  try {
    return use();
  } catch (error) {
    return error instanceof Failure ? error.problem : (error as NodeJS.ErrnoException).code;
  }
}

describe('a regular file', () => {
  test.each([0, 1, 1023, 1024])('of %d bytes is read whole', (size) => {
    const path = join(temporaryFolder(), 'file');
    const content = Buffer.alloc(size, 0xc3);
    fs.writeFileSync(path, content);

    expect(readRegularFile(path, limits).equals(content)).toBe(true);
  });

  test('beyond the limit is refused before it is read, with both sizes', () => {
    const path = join(temporaryFolder(), 'file');
    fs.writeFileSync(path, '');
    fs.truncateSync(path, 2 ** 40);

    expect(refusal(() => readRegularFile(path, limits))).toEqual({
      code: 'file-too-large',
      path,
      bytes: 2 ** 40,
      limit: 1024,
    });
  });

  test('that announces no size is read to its end', () => {
    expect(readRegularFile('/proc/self/status', { ...limits, limit: 65_536 }).toString('latin1')).toContain(
      'Pid:',
    );
  });

  test('that announces no size and does not end is given up at the limit', () => {
    expect(refusal(() => readRegularFile('/proc/self/status', { ...limits, limit: 10 }))).toMatchObject({
      code: 'file-too-large',
      limit: 10,
    });
  });

  test('that is missing is a system error, which the caller understands', () => {
    expect(refusal(() => readRegularFile(join(temporaryFolder(), 'none'), limits))).toBe('ENOENT');
  });
});

describe('what is no file is refused, named, and not waited for', () => {
  const make: Record<string, (path: string) => void> = {
    'a folder': (path) => fs.mkdirSync(path),
    'a named pipe': (path) => execFileSync('mkfifo', [path]),
    'a link': (path) => fs.symlinkSync('/etc/hostname', path),
    'a socket': (path) => {
      const server = createServer().listen(path);
      onTestFinished(() => void server.close());
    },
  };

  test.each(Object.entries(make))('%s', (is, prepare) => {
    const path = join(temporaryFolder(), 'x');
    prepare(path);

    expect(refusal(() => readRegularFile(path, limits))).toEqual({ code: 'not-a-regular-file', path, is });
  });

  test('a device', () => {
    expect(refusal(() => readRegularFile('/dev/zero', limits))).toMatchObject({ is: 'a device' });
  });
});

describe('a link, where it may be followed', () => {
  test('leads to the file', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(join(folder, 'file'), 'text');
    fs.symlinkSync('file', join(folder, 'link'));

    expect(readRegularFile(join(folder, 'link'), { ...limits, links: 'follow' }).toString()).toBe('text');
  });

  test('to a pipe is refused all the same', () => {
    const folder = temporaryFolder();
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    fs.symlinkSync('pipe', join(folder, 'link'));

    expect(
      refusal(() => readRegularFile(join(folder, 'link'), { ...limits, links: 'follow' })),
    ).toMatchObject({ code: 'not-a-regular-file', is: 'a named pipe' });
  });

  test('that leads nowhere is a missing file, and one onto itself a system error', () => {
    const folder = temporaryFolder();
    fs.symlinkSync('none', join(folder, 'dangling'));
    fs.symlinkSync('loop', join(folder, 'loop'));

    expect(refusal(() => readRegularFile(join(folder, 'dangling'), { ...limits, links: 'follow' }))).toBe(
      'ENOENT',
    );
    expect(refusal(() => readRegularFile(join(folder, 'loop'), { ...limits, links: 'follow' }))).toBe(
      'ELOOP',
    );
  });
});
