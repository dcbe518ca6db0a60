// A machine's own part of every cgroup hierarchy, so that the payloads of two machines never meet.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../../../src/core/failure.ts';

export interface CgroupPart {
  /** Folder on the host. */
  readonly folder: string;
  /** Folder in which the machine's first process and whatever enters it later are put. */
  readonly entry: string;
  /** Where the hierarchy is mounted, below /sys/fs/cgroup; empty for a lone version 2. */
  readonly mountName: string;
  readonly type: 'cgroup' | 'cgroup2';
  /** Mount options that name the hierarchy's controllers. */
  readonly options: string;
}

interface Hierarchy {
  readonly mountPoint: string;
  readonly root: string;
  readonly type: 'cgroup' | 'cgroup2';
  readonly controllers: readonly string[];
}

const mountFolder = '/sys/fs/cgroup';

/** Makes the folders, below the cgroup in which this process is. */
export function makeCgroups(name: string): CgroupPart[] {
  const own = readFileSync('/proc/self/cgroup', 'utf8');
  return hierarchies(readFileSync('/proc/self/mountinfo', 'utf8')).flatMap((hierarchy) => {
    const parent = ownFolder(hierarchy, own);
    if (parent === undefined) return [];
    const folder = join(parent, `lxd-to-incus-e2e-${name}`);
    mkdirSync(folder, { recursive: true });
    // A new cpuset is empty, and nothing may enter an empty one (cgroup-v1/cpusets.rst).
    for (const file of ['cpuset.cpus', 'cpuset.mems'])
      if (hierarchy.type === 'cgroup' && existsSync(join(folder, file)))
        writeFileSync(join(folder, file), readFileSync(join(parent, file)));
    // Version 2 hands controllers down only from groups without processes of their own (cgroup-v2.rst).
    const entry = hierarchy.type === 'cgroup2' ? join(folder, 'init') : folder;
    mkdirSync(entry, { recursive: true });
    if (hierarchy.type === 'cgroup2') for (const group of [parent, folder]) handDownControllers(group);
    return [
      {
        folder,
        entry,
        mountName: hierarchy.mountPoint.slice(mountFolder.length + 1),
        type: hierarchy.type,
        options: hierarchy.controllers.join(','),
      },
    ];
  });
}

/** As many as the group may: one that holds processes itself may hand down none, and limits then have no effect. */
function handDownControllers(group: string): void {
  const available = readFileSync(join(group, 'cgroup.controllers'), 'utf8').split(/\s+/).filter(Boolean);
  for (const controller of available)
    try {
      writeFileSync(join(group, 'cgroup.subtree_control'), `+${controller}`);
    } catch (error) {
      if (systemErrorCode(error) !== 'EBUSY') throw error;
    }
}

/** Hierarchies mounted below /sys/fs/cgroup, from the text of /proc/self/mountinfo. */
export function hierarchies(mountinfo: string): Hierarchy[] {
  const ignored = new Set(['rw', 'ro', 'xattr', 'nsdelegate', 'memory_recursiveprot', 'clone_children']);
  return mountinfo.split('\n').flatMap((line) => {
    const [front = '', back = ''] = line.split(' - ');
    const [, , , root = '', mountPoint = ''] = front.split(' ');
    const [type = '', , superOptions = ''] = back.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') return [];
    if (mountPoint !== mountFolder && !mountPoint.startsWith(`${mountFolder}/`)) return [];
    const controllers =
      type === 'cgroup2'
        ? []
        : superOptions.split(',').filter((one) => !ignored.has(one) && !one.startsWith('release_agent='));
    return [{ mountPoint, root, type, controllers }];
  });
}

/** The folder of this process's own cgroup in a hierarchy, from the text of /proc/self/cgroup. */
function ownFolder(hierarchy: Hierarchy, own: string): string | undefined {
  const wanted = new Set(hierarchy.controllers);
  for (const line of own.split('\n')) {
    const [, names = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const matches =
      hierarchy.type === 'cgroup2'
        ? names === ''
        : names !== '' && names.split(',').every((one) => wanted.has(one));
    if (!matches) continue;
    const below = hierarchy.root === '/' ? path : path.slice(hierarchy.root.length);
    const folder = join(hierarchy.mountPoint, below);
    // In a container the path may be outside of what is mounted; its root is then all that is left to use.
    return existsSync(folder) && !below.startsWith('/..') ? folder : hierarchy.mountPoint;
  }
  return undefined;
}

/** A frozen process of a version 1 freezer does not die before it is thawed. */
export function thaw(parts: readonly CgroupPart[]): void {
  for (const { folder } of parts)
    for (const group of groupsBelow(folder)) {
      writeIfThere(join(group, 'freezer.state'), 'THAWED');
      writeIfThere(join(group, 'cgroup.freeze'), '0');
    }
}

/** Removes the folders, deepest first; returns those that still hold something. */
export function removeCgroups(parts: readonly CgroupPart[]): string[] {
  return parts.flatMap(({ folder }) => {
    for (const group of groupsBelow(folder).reverse()) {
      try {
        rmdirSync(group);
      } catch (error) {
        const code = systemErrorCode(error);
        if (code !== 'ENOENT' && code !== 'EBUSY' && code !== 'ENOTEMPTY') throw error;
      }
    }
    return existsSync(folder) ? [folder] : [];
  });
}

function groupsBelow(folder: string): string[] {
  try {
    const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [folder, ...children.flatMap((entry) => groupsBelow(join(folder, entry.name)))];
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function writeIfThere(path: string, text: string): void {
  try {
    if (existsSync(path)) writeFileSync(path, text);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'ENODEV') throw error;
  }
}
