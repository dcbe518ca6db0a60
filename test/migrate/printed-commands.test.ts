// Other packages install another program of our name: no text of ours may tell people to start a bare name.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const commands =
  'migrate|plan|rehearse|inspect|export-db|verify|status|resume|rollback|doctor|prune|--help|--[a-z]';
/** Not part of a path (`./lxd-to-incus plan`, `/opt/…/lxd-to-incus plan`). */
const bareName = new RegExp(`(?<![\\w./-])lxd-to-incus(?:\\.js)? (?:${commands})\\b`);

function filesBelow(folder: string, ending: RegExp): string[] {
  return fs
    .readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => ending.test(name));
}

function bareCommands(path: string, isComment: RegExp): string[] {
  return fs
    .readFileSync(join(root, path), 'utf8')
    .split('\n')
    .filter((line) => bareName.test(line) && !isComment.test(line))
    .map((line) => `${path}: ${line.trim()}`);
}

test('nothing that the program prints names it without its path', () => {
  const found = [...filesBelow('src', /\.[jt]s$/), ...filesBelow('bin', /\.js$/)].flatMap((path) =>
    bareCommands(path, /^\s*(\/\/|\/?\*)/),
  );

  expect(found).toEqual([]);
});

test('README and docs name it by a path', () => {
  const found = ['README.md', 'CONTRIBUTING.md', ...filesBelow('docs', /\.md$/)].flatMap((path) =>
    bareCommands(path, /^$/),
  );

  expect(found).toEqual([]);
});

test.each(['run lxd-to-incus plan', '"lxd-to-incus rollback"', '`lxd-to-incus --help`'])(
  'the search finds %s',
  (line) => {
    expect(line).toMatch(bareName);
  },
);
