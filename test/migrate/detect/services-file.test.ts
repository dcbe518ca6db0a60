// --services FILE: what it may say, and a clear refusal of everything else.
import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { readServicesFile } from '../../../src/migrate/detect/services-file.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

function read(content: unknown): unknown {
  const path = join(temporaryFolder(), 'services.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return readServicesFile(path);
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof Failure && error.problem.code === 'bad-file' && error.exitCode === 2)
      return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

test('holds one command, or several in order, for each', () => {
  expect(
    read({
      source: {
        start: ['lxd', '--group', 'lxd'],
        stop: [
          ['lxd', 'shutdown'],
          ['sleep', '1'],
        ],
      },
      target: { start: [['incusd']], stop: ['incus', 'admin', 'shutdown'] },
    }),
  ).toEqual({
    source: {
      kind: 'commands',
      start: [['lxd', '--group', 'lxd']],
      stop: [
        ['lxd', 'shutdown'],
        ['sleep', '1'],
      ],
    },
    target: { kind: 'commands', start: [['incusd']], stop: [['incus', 'admin', 'shutdown']] },
  });
});

test('may leave one of the two out', () => {
  expect(read({ target: { start: ['a'], stop: ['b'] } })).toMatchObject({ source: { kind: 'none' } });
});

test('keeps arguments as they are', () => {
  const hostile = ['a', '$(touch x)', '; rm -rf /', '', ' two  blanks ', '\n'];

  expect(read({ source: { start: hostile, stop: ['b'] } })).toMatchObject({ source: { start: [hostile] } });
});

describe('is refused', () => {
  const good = { start: ['a'], stop: ['b'] };

  test.each([
    ['no JSON', '{', /not JSON/],
    ['a list', [], /the file must be an object/],
    ['null', null, /the file must be an object/],
    ['another name', { origin: good }, /"origin"/],
    ['a name of JavaScript', '{"__proto__": {}}', /__proto__/],
    ['another name inside', { source: { ...good, restart: ['x'] } }, /source\.restart/],
    ['text in place of a list', { source: { ...good, start: 'lxd --group lxd' } }, /source\.start/],
    ['no command to stop', { source: { start: ['a'] } }, /source\.stop/],
    ['an empty list', { source: { ...good, start: [] } }, /source\.start/],
    ['an empty command', { source: { ...good, start: [[]] } }, /source\.start/],
    ['a command without a name', { source: { ...good, start: [''] } }, /source\.start/],
    ['a number among the arguments', { source: { ...good, start: ['a', 1] } }, /source\.start/],
    ['commands and arguments mixed', { source: { ...good, start: ['a', ['b']] } }, /source\.start/],
    ['a zero byte', { source: { ...good, start: ['a\u0000b'] } }, /zero byte/],
    ['an installation that is null', { target: null }, /target must be an object/],
  ])('%s', (_what, content, message) => {
    expect(refusal(() => read(content))).toMatch(message);
  });

  test('a file that is not there, or is a folder', () => {
    const folder = temporaryFolder();

    expect(refusal(() => readServicesFile(join(folder, 'none')))).toContain('ENOENT');
    expect(refusal(() => readServicesFile(folder))).toContain(
      'A file is expected here, and this is a folder',
    );
  });

  test('a pipe, for which nobody waits, and a file without an end', () => {
    const folder = temporaryFolder();
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    writeFileSync(join(folder, 'large'), '');
    truncateSync(join(folder, 'large'), 2 ** 40);

    expect(refusal(() => readServicesFile(join(folder, 'pipe')))).toContain('this is a named pipe');
    expect(refusal(() => readServicesFile(join(folder, 'large')))).toContain('no more than 1.0 MiB are read');
  });

  test('or read: any JSON gives one of the two, never another error', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        try {
          expect(read({ source: value })).toHaveProperty('target');
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
      { numRuns: 40 },
    );
  });
});
