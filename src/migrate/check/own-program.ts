// Findings about this program itself: another one of its name, and a place in which it will not stay.
import * as fs from 'node:fs';
import type { Host } from '../../core/host.ts';
import { commandOf, fileOf, type Invocation, wordsOf } from '../../core/program-name.ts';
import type { Finding } from '../model/finding.ts';

/** They hang on how the program was started, and say nothing about the server: no plan is stale because of them. */
export const ownProgramIds: readonly string[] = ['another-program-of-this-name', 'program-in-passing-place'];

export function checkOwnProgram(host: Host, program: Invocation): Finding[] {
  return [...anotherOfThisName(host, program), ...passingPlace(host, program)];
}

function anotherOfThisName(host: Host, program: Invocation): Finding[] {
  const found = host.which('lxd-to-incus');
  if (found === undefined || realPath(host.path(found)) === fileOf(program)) return [];
  return [
    {
      id: 'another-program-of-this-name',
      severity: 'note',
      objects: [found],
      what: 'Another program of this name comes first in PATH. Packages of Incus bring one that takes any words for "migrate" and removes LXD.',
      action: `Never start lxd-to-incus by its bare name here. This one is: ${commandOf(wordsOf(program))}`,
    },
  ];
}

function passingPlace(host: Host, program: Invocation): Finding[] {
  const file = fileOf(program);
  if (!isPassing(host, file)) return [];
  return [
    {
      id: 'program-in-passing-place',
      severity: 'note',
      objects: [file],
      what: 'This program is in a place that is emptied at a restart or from time to time, and after the move it is what brings LXD back.',
      action:
        'A migration keeps a copy of it in its own folder, and the note in the directory of LXD names that one. Better put it where it stays, for instance in /opt.',
    },
  ];
}

/** Emptied at a restart or by a cleaner (file-hierarchy(7), tmpfiles.d(5)), removable, or a cache of npm. */
export const passingFolders = ['/tmp', '/var/tmp', '/run', '/dev/shm', '/media'];

export function isPassing(host: Host, file: string): boolean {
  const isIn = (folder: string): boolean => file.startsWith(`${folder}/`);
  if (passingFolders.some(isIn) || file.includes('/_npx/')) return true;
  const mount = host
    .mounts()
    .filter(({ path }) => path !== '/' && isIn(path))
    .reduce<{ path: string; type: string } | undefined>(
      (best, one) => (best === undefined || one.path.length >= best.path.length ? one : best),
      undefined,
    );
  return mount !== undefined && ['tmpfs', 'ramfs'].includes(mount.type);
}

function realPath(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch {
    return path;
  }
}
