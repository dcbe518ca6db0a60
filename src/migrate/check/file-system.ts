// Findings about folders, mounts, file systems and free space.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../../core/failure.ts';
import { formatBytes } from '../../core/text.ts';
import type { CheckContext } from './context.ts';
import type { Finding } from './finding.ts';

export function checkFileSystem(context: CheckContext): Finding[] {
  if (!context.sourceIsWhole) return [databaseOnly(context)];
  return [
    ...linksAndMounts(context),
    ...mountsInside(context),
    ...oneFileSystem(context),
    ...freeSpace(context),
  ];
}

function databaseOnly({ source }: CheckContext): Finding {
  return {
    id: 'source-is-database-only',
    severity: 'blocker',
    objects: [source.dataDirectory],
    what: "This is a copy of a database and not LXD's data directory: there are no instances in it to move.",
    action:
      'It can be inspected, planned and exported. To migrate, name the data directory itself (for instance /var/lib/lxd).',
  };
}

function linksAndMounts({ host, source, target }: CheckContext): Finding[] {
  const mounted = new Set(host.mounts().map(({ path }) => path));
  return [source, target].flatMap((installation) => {
    if (installation === undefined) return [];
    const { role, dataDirectory } = installation;
    const stat = fs.lstatSync(host.path(dataDirectory), { throwIfNoEntry: false });
    if (stat?.isSymbolicLink() === true) {
      return [
        {
          id: `${role}-is-link`,
          severity: 'blocker' as const,
          objects: [`${dataDirectory} → ${fs.readlinkSync(host.path(dataDirectory))}`],
          what: 'The data directory is a symbolic link; this version does not move those.',
          action:
            'Stop the daemon, put the directory itself in the place of the link, start it again, then plan again.',
        },
      ];
    }
    if (!mounted.has(dataDirectory)) return [];
    return [
      {
        id: `${role}-is-mount`,
        severity: 'blocker' as const,
        objects: [dataDirectory],
        what: 'The data directory is a mount point; this version does not move mounts.',
        action:
          'Stop the daemon and mount the file system elsewhere with the directory as a folder in it, then plan again.',
      },
    ];
  });
}

/** Folders below which the daemon itself mounts things, and unmounts them when it stops. */
const mountedByDaemon =
  /^\/(devlxd|shmounts|guestapi|devices(\/.*)?|storage-pools\/.+|containers\/.+|virtual-machines\/.+)$/;

function mountsInside({ host, source }: CheckContext): Finding[] {
  const { dataDirectory } = source;
  const live = host.mounts().map(({ path }) => path);
  const inside = [...live, ...fstabMounts(host.path('/etc/fstab'))].filter((path) =>
    path.startsWith(`${dataDirectory}/`),
  );
  const foreign = [...new Set(inside)].filter(
    (path) => !mountedByDaemon.test(path.slice(dataDirectory.length)),
  );
  const fixed = fstabMounts(host.path('/etc/fstab')).filter((path) => path.startsWith(`${dataDirectory}/`));
  const objects = [...new Set([...foreign, ...fixed])];
  if (objects.length === 0) return [];
  return [
    {
      id: 'mount-inside-source',
      severity: 'blocker',
      objects,
      what: 'File systems are mounted inside the data directory by someone other than LXD. After the move they would be mounted in the wrong place at the next boot.',
      action: 'Mount them outside of the data directory, then plan again.',
    },
  ];
}

function fstabMounts(path: string): string[] {
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'EACCES') return [];
    throw error;
  }
  return text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .map((line) => line.trim().split(/\s+/)[1] ?? '')
    .filter((mountPoint) => mountPoint.startsWith('/'));
}

/** The nearest folder that exists, for what will be made below it. */
function nearest(path: string): string {
  let folder = path;
  while (!fs.existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

function oneFileSystem({ host, source, target, state }: CheckContext): Finding[] {
  if (target === undefined || !fs.existsSync(host.path(source.dataDirectory))) return [];
  const device = (path: string): number => fs.statSync(nearest(host.path(path))).dev;
  const sourceDevice = device(source.dataDirectory);
  return [
    ...(device(dirname(target.dataDirectory)) === sourceDevice
      ? []
      : [
          {
            id: 'different-file-systems',
            severity: 'blocker' as const,
            objects: [source.dataDirectory, dirname(target.dataDirectory)],
            what: 'The LXD directory and the place of the Incus directory are on different file systems; this version moves by renaming only.',
            action: 'Bring the LXD directory onto the file system of the Incus directory first.',
          },
        ]),
    ...(device(state) === sourceDevice
      ? []
      : [
          {
            id: 'state-on-other-file-system',
            severity: 'blocker' as const,
            objects: [state],
            what: "The tool's own folder is on another file system than the LXD directory, so databases could not be put there by renaming.",
            action: 'Name a folder on the same file system with --state DIR.',
          },
        ]),
  ];
}

function freeSpace({ host, source, state, imageBytes }: CheckContext): Finding[] {
  // The new database (segment and db.bin), incusd's own backup copy and its update, the journal and the reports.
  const needed = 6 * imageBytes + 64 * 1024 * 1024;
  return [dirname(source.dataDirectory), state].flatMap((place) => {
    const folder = nearest(host.path(place));
    const { bavail, bsize } = fs.statfsSync(folder);
    const free = bavail * bsize;
    if (free >= needed) return [];
    return [
      {
        id: 'too-little-space',
        severity: 'blocker' as const,
        objects: [`${place}: ${formatBytes(free)} free, ${formatBytes(needed)} needed`],
        what: 'There is too little free space for the new database and its backups.',
        action: 'Free some space, or name another folder of the same file system with --state DIR.',
      },
    ];
  });
}

/** Where `name` stands on disk, or undefined: for checks that only want to know whether it is there. */
export function existing(
  host: { path(p: string): string },
  ...parts: [string, ...string[]]
): string | undefined {
  const path = join(...parts);
  return fs.existsSync(host.path(path)) ? path : undefined;
}
