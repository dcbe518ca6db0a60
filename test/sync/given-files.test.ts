// What stands where a file is expected: pipes and devices are not waited for, and each is named.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTinyFork } from '../../fixtures/histories/tiny-fork.ts';
import { readGivenText } from '../../src/sync/read-given-text.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { forkSync, repositoriesOf } from './fork-sync.ts';

const put: Readonly<Record<string, (path: string) => void>> = {
  'a named pipe': (path) => void execFileSync('mkfifo', [path]),
  'a folder': (path) => mkdirSync(path),
  'a device': (path) => symlinkSync('/dev/zero', path),
};

describe('a text that somebody gave', () => {
  it.each<[string, (path: string) => void, string]>([
    ...Object.entries(put).map(([what, make]): [string, (path: string) => void, string] => [
      what,
      make,
      `it is ${what}, not a file`,
    ]),
    ['nothing', () => {}, 'it cannot be read (ENOENT)'],
    [
      'a binary',
      (path) => writeFileSync(path, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1])),
      'it is not text (UTF-8)',
    ],
    ['latin1', (path) => writeFileSync(path, Buffer.from('sch\u00f6n', 'latin1')), 'it is not text (UTF-8)'],
    [
      'a terabyte',
      (path) => {
        writeFileSync(path, '');
        truncateSync(path, 1e12);
      },
      'it has 1000000000000 bytes, and at most 100 are read',
    ],
  ])('is not read from %s', (_what, make, why) => {
    const path = join(temporaryFolder(), 'given');
    make(path);

    expect(readGivenText(path, 100)).toMatchObject({ why });
  });

  it('is read through a link, unless a link is refused', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'text'), 'sch\u00f6n\n');
    symlinkSync('text', join(folder, 'link'));

    expect(readGivenText(join(folder, 'link'), 100)).toEqual({ text: 'sch\u00f6n\n' });
    expect(readGivenText(join(folder, 'link'), 100, 'refuse')).toMatchObject({
      why: 'it is a link, not a file',
    });
  });
});

/** A program that waits is ended, and has no status then. */
const timeout = 60_000;

describe('a named pipe ends no command in waiting', () => {
  it.each<[string, (place: { readonly rules: string; readonly pipe: string }) => readonly string[], number]>([
    ['for pairs', ({ pipe }) => ['replay', '--pairs', pipe], 1],
    ['for a configuration', ({ pipe }) => ['nightly', '--config', pipe, '--offline'], 2],
    ['for a file of the rules', () => ['scan'], 1],
    ['for a decision', () => ['scan'], 1],
    ['for the folder of a checkout', ({ pipe }) => ['continue', pipe], 1],
    ['for the cache', ({ pipe }) => ['scan', '--cache', pipe], 1],
    ['for the folder to check out into', ({ pipe }) => ['checkout', 'base', pipe, '--onto', 'rename'], 1],
    ['for a page', ({ pipe }) => ['scan', '--html', pipe], 1],
  ])('%s', (what, argsOf, status) => {
    const tiny = makeTinyFork(temporaryFolder());
    const pipe = join(temporaryFolder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const inPack = {
      'for a file of the rules': 'text.yaml',
      'for a decision': `decisions/${'1'.repeat(40)}.yaml`,
    };
    for (const [one, name] of Object.entries(inPack))
      if (one === what) {
        mkdirSync(join(tiny.rules, 'decisions'), { recursive: true });
        rmSync(join(tiny.rules, name), { force: true });
        execFileSync('mkfifo', [join(tiny.rules, name)]);
      }
    const args = argsOf({ rules: tiny.rules, pipe });
    const common = repositoriesOf(tiny);
    const more = args[0] === 'nightly' ? [] : args.includes('--cache') ? common.slice(0, -2) : common;

    const done = forkSync(
      [...args, ...more, ...(args[0] === 'scan' ? ['--onto', 'rename', '--branch', 'base'] : [])],
      {
        timeout,
      },
    );

    expect({ status: done.status, stdout: done.stdout }).toEqual({ status, stdout: '' });
    expect(done.stderr).toMatch(/named pipe|not a folder|not made by fork-sync/);
    expect(done.stderr).not.toMatch(/bug|^ {4}at /m);
  });
});

describe('a page', () => {
  it.each(['/dev/null', '/dev/full', '/proc/x.html', '/proc/nothing/x.html', '/dev/stdout'])(
    'is not written to %s, and what stands there stays',
    (path) => {
      const tiny = makeTinyFork(temporaryFolder());
      const before = existsSync(path) ? lstatSync(path).mode : undefined;

      const done = forkSync(
        ['scan', '--html', path, ...repositoriesOf(tiny), '--onto', 'rename', '--branch', 'base'],
        {
          timeout,
        },
      );

      expect(done.status).toBe(1);
      expect(done.stderr).toContain(`Nothing can be written to ${path}`);
      expect(done.stderr).not.toMatch(/bug|^ {4}at /m);
      expect(existsSync(path) ? lstatSync(path).mode : undefined).toBe(before);
    },
  );

  it('takes the place of an older one', () => {
    const tiny = makeTinyFork(temporaryFolder());
    const path = join(temporaryFolder(), 'page.html');
    writeFileSync(path, 'old');

    forkSync(['scan', '--html', path, ...repositoriesOf(tiny), '--onto', 'rename', '--branch', 'base']);

    expect(readFileSync(path, 'utf8')).toContain('<!doctype html>');
  });
});

it('a cache below /proc is answered', () => {
  const tiny = makeTinyFork(temporaryFolder());

  const done = forkSync(
    ['scan', ...repositoriesOf(tiny).slice(0, -2), '--cache', '/proc/x/y', '--onto', 'rename'],
    { timeout },
  );

  expect(done.status).toBe(1);
  expect(done.stderr).toContain('Could not make the cache folder: ENOENT');
  expect(done.stderr).not.toMatch(/bug|^ {4}at /m);
});

it('a folder that cannot be made for a checkout is answered, and so is a device in its place', () => {
  const tiny = makeTinyFork(temporaryFolder(), {
    upstream: [{ name: 'change', from: 'base', time: 3000, files: { 'doc/new.md': 'New\n' } }],
  });
  const checkout = (folder: string) =>
    forkSync(['checkout', 'change', folder, '--onto', 'rename', ...repositoriesOf(tiny)], { timeout });

  const [device, below] = [checkout('/dev/null'), checkout('/proc/x/y')];

  expect([device.status, below.status]).toEqual([1, 1]);
  expect(device.stderr).toContain('Not done: it is a device\n/dev/null');
  expect(below.stderr).toContain('Could not make the folder: ENOENT');
  expect(device.stderr + below.stderr).not.toMatch(/bug|^ {4}at /m);
});
