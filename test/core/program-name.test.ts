import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { keepOptions, ownCommand, wordsOf } from '../../src/core/program-name.ts';
import { shellWord } from '../../src/core/text.ts';
import { temporaryFolder } from '../temporary-folder.ts';

afterEach(() => keepOptions([]));

function program(path: string): string {
  fs.mkdirSync(join(path, '..'), { recursive: true });
  fs.writeFileSync(path, '', { mode: 0o755 });
  return path;
}

test('a packed archive is named by its launcher, also where a link led there', () => {
  // Arrange
  const root = join(temporaryFolder(), 'my tools');
  const script = program(join(root, 'bin/lxd-to-incus.js'));
  const node = program(join(root, 'bin/node'));
  const launcher = program(join(root, 'lxd-to-incus'));
  const link = join(root, '..', 'move');
  fs.symlinkSync(script, link);

  // Act and assert
  expect(wordsOf({ script, node })).toEqual([launcher]);
  expect(wordsOf({ script: link, node })).toEqual([launcher]);
});

test('a script alone where root would find the same node, and with its node elsewhere', () => {
  // Arrange
  const root = temporaryFolder();
  const script = program(join(root, 'lib/bin/lxd-to-incus.js'));
  const node = program(join(root, 'usr/bin/node'));
  const other = program(join(root, 'nvm/bin/node'));
  const folders = [join(root, 'usr/bin')];

  // Act and assert
  expect(wordsOf({ script, node }, folders)).toEqual([script]);
  expect(wordsOf({ script, node: other }, folders)).toEqual([other, script]);
  expect(wordsOf({ script, node }, [])).toEqual([node, script]);
});

test('npx and npm install a link: what it points to is named', () => {
  // Arrange
  const root = temporaryFolder();
  const script = program(join(root, 'node_modules/lxd-to-incus/bin/lxd-to-incus.js'));
  const node = program(join(root, 'usr/bin/node'));
  const link = join(root, 'node_modules/.bin/lxd-to-incus');
  fs.mkdirSync(join(link, '..'));
  fs.symlinkSync('../lxd-to-incus/bin/lxd-to-incus.js', link);

  // Act
  const words = wordsOf({ script: link, node }, [join(root, 'usr/bin')]);

  // Assert
  expect(words).toEqual([script]);
});

test('a command carries the options by which it finds the same migration', () => {
  // Arrange
  keepOptions(['--state', '/srv/my state']);

  // Act and assert
  expect(ownCommand('rollback')).toMatch(/^\/.* rollback --state '\/srv\/my state'$/);
  expect(ownCommand()).not.toContain('--state');
});

test.each([
  ['/opt/lxd-to-incus', '/opt/lxd-to-incus'],
  ['/opt/my tools/x', "'/opt/my tools/x'"],
  ["it's", "'it'\\''s'"],
  ['$(reboot)', "'$(reboot)'"],
  ['', "''"],
])('%s is one word of a shell', (word, quoted) => {
  expect(shellWord(word)).toBe(quoted);
});
