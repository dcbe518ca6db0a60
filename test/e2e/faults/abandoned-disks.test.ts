// What a killed run of the faults leaves in the cache is a gigabyte, and nobody asks for it again.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ownDisk, removeAbandonedDisks } from './abandoned-disks.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lxd-to-incus-disks-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('disks of runs that are gone are removed, those of runs under way and all else stay', () => {
  const gone = spawnSync('true').pid;
  const own = basename(ownDisk(folder));
  const others = ['fault-disk-1.img', 'fault-disk-.img', 'disks', `faults-${gone}.img`];
  for (const name of [`fault-disk-${gone}.img`, own, ...others]) writeFileSync(join(folder, name), '');

  removeAbandonedDisks(folder);

  expect(readdirSync(folder).sort()).toEqual([own, ...others].sort());
});
