// The copy of the program that a run keeps: it starts by itself, and names itself.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keepProgram, keptProgram } from '../../../src/migrate/apply/keep-program.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const root = fs.realpathSync(join(import.meta.dirname, '../../..'));
const built = { script: join(root, 'bin/lxd-to-incus.js'), node: process.execPath };

const isIn =
  (...folders: readonly string[]) =>
  (file: string): boolean =>
    folders.some((folder) => file.startsWith(`${folder}/`));

test('is made where the program lies in a place that does not last', () => {
  const folder = temporaryFolder();

  keepProgram(folder, isIn(join(root, 'bin')), built);

  const program = keptProgram(folder);
  const { stdout, status } = spawnSync(program, ['--help'], { encoding: 'utf8', cwd: '/' });
  expect(status).toBe(0);
  expect(stdout).toContain(`\n  ${program} plan\n`);
  expect(fs.existsSync(join(folder, 'program/bin/node'))).toBe(false);
});

test('is not made where it lasts', () => {
  const folder = temporaryFolder();

  keepProgram(folder, isIn(), built);

  expect(fs.readdirSync(folder)).toEqual([]);
});

test('brings its database library, and its node where that does not last either', () => {
  // Arrange
  const folder = temporaryFolder();
  const place = temporaryFolder();
  const node = join(place, 'node');
  fs.writeFileSync(node, '#!/bin/sh\necho "this is the copied node: $1"\n', { mode: 0o755 });

  // Act
  keepProgram(folder, isIn(root, place), { ...built, node });

  // Assert
  const { stdout } = spawnSync(keptProgram(folder), [], { encoding: 'utf8' });
  expect(stdout).toBe(`this is the copied node: ${join(folder, 'program/bin/lxd-to-incus.js')}\n`);
  const library = join(folder, 'program/dist/node_modules/better-sqlite3');
  expect(fs.existsSync(join(library, 'package.json'))).toBe(true);
  expect(fs.readdirSync(join(library, 'prebuilds')).length).toBeGreaterThan(0);
});

test('leaves nothing of a copy that cannot be completed', () => {
  const folder = temporaryFolder();
  const place = temporaryFolder();
  fs.mkdirSync(join(place, 'bin'));
  fs.writeFileSync(join(place, 'bin/lxd-to-incus.js'), '');

  expect(() =>
    keepProgram(folder, isIn(place), { ...built, script: join(place, 'bin/lxd-to-incus.js') }),
  ).toThrow(/ENOENT/);

  expect(fs.readdirSync(folder)).toEqual([]);
});
