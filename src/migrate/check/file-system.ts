// Findings about folders, mounts, file systems and free space.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { Host } from '../../core/host.ts';
import { formatBytes } from '../../core/text.ts';
import { fstab, fstabMountPoints, layoutOf, mountAt, nearest, whyNotMovable } from '../machine/layout.ts';
import { isBtrfs } from '../machine/subvolumes.ts';
import type { Finding } from '../model/finding.ts';
import type { Installation } from '../model/installation.ts';
import type { CheckContext } from './context.ts';
import { checkUsedByOthers } from './used-by-others.ts';

export function checkFileSystem(context: CheckContext): Finding[] {
  if (!context.sourceIsWhole) return [databaseOnly(context)];
  return [
    ...linksAndMounts(context),
    ...checkUsedByOthers(context),
    ...waysToMove(context),
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
    const why = whyNotMovable(host, dataDirectory, role) ?? bootsOver(host, installation);
    if (why === undefined) return [];
    return [
      {
        id: `${role}-is-mount`,
        severity: 'blocker' as const,
        objects: [dataDirectory],
        what: `The data directory is a mount point that cannot be dealt with: ${why}.`,
        action:
          'Stop the daemon and mount the file system in a plain way, or elsewhere with the directory as a folder in it, then plan again.',
      },
    ];
  });
}

/** Something that /etc/fstab would mount over the target at the next boot, or by hand. */
function bootsOver(host: Host, { role, dataDirectory }: Installation): string | undefined {
  if (role === 'source' || mountAt(host.mounts(), dataDirectory) !== undefined) return undefined;
  return fstabMountPoints(host).includes(dataDirectory)
    ? `${fstab} mounts something on it, which is not mounted now`
    : undefined;
}

function waysToMove({ host, source, target, copy }: CheckContext): Finding[] {
  if (target === undefined || !fs.existsSync(host.path(source.dataDirectory))) return [];
  const layout = layoutOf(host, source.dataDirectory, target.dataDirectory);
  if (layout.kind === 'rename') return [];
  if (layout.kind === 'move-mount') {
    const boot = {
      fstab: `${fstab} is changed with it.`,
      unit: 'Its mount unit is changed with it.',
      nothing:
        'Nothing was found that mounts it at boot: see to it that it is mounted in the new place then.',
    }[layout.boot];
    return [
      {
        id: 'source-mount-moves',
        severity: 'change',
        objects: [`${source.dataDirectory} → ${target.dataDirectory}`],
        what: 'LXD has its data on a file system of its own, mounted on its directory.',
        action: `The file system is mounted on the directory of Incus instead. ${boot}`,
      },
    ];
  }
  const { bytes = 0, subvolumes = [] } = copy ?? {};
  const copied: Finding = {
    id: 'directory-copied',
    severity: 'change',
    objects: [`${source.dataDirectory} → ${target.dataDirectory}: ${formatBytes(bytes)}`],
    what: 'The directories of LXD and Incus are on different file systems, so the data is copied and not renamed. Most of it is copied while everything runs; comparing all of it takes its time, in which nothing does.',
    action:
      'Every file is compared. The data stays in the directory of LXD as well, and a rollback brings back what changed.',
  };
  const why = subvolumes.length === 0 ? undefined : whySubvolumesStay(host, target.dataDirectory, subvolumes);
  if (why === undefined) return [copied];
  return [
    copied,
    {
      id: 'subvolumes-to-copy',
      severity: 'blocker',
      objects: subvolumes,
      what: `There are btrfs subvolumes in the data directory, and they cannot be brought over: ${why}.`,
      action:
        'Bring the directory of Incus onto a btrfs file system, and install btrfs-progs, then plan again.',
    },
  ];
}

function whySubvolumesStay(
  host: Host,
  targetDirectory: string,
  subvolumes: readonly string[],
): string | undefined {
  if (!isBtrfs(nearest(host.path(targetDirectory))))
    return `${targetDirectory} is not on a btrfs file system`;
  if (host.which('btrfs') === undefined) return 'the command btrfs is missing';
  return subvolumes.some((path) => path.includes('\u{fffd}'))
    ? 'the name of one is not text (UTF-8)'
    : undefined;
}

function freeSpace({ host, source, target, state, imageBytes, copy }: CheckContext): Finding[] {
  // The new database (segment and db.bin), incusd's own backup copy and its update, the journal and the reports.
  const forDatabase = 6 * imageBytes + 64 * 1024 * 1024;
  const layout =
    target === undefined || !fs.existsSync(host.path(source.dataDirectory))
      ? undefined
      : layoutOf(host, source.dataDirectory, target.dataDirectory);
  const places =
    target !== undefined && layout?.kind === 'copy'
      ? [
          // A file system keeps some of it for its own books.
          {
            place: layout.intoMount ? target.dataDirectory : dirname(target.dataDirectory),
            needed: forDatabase + Math.ceil((copy?.bytes ?? 0) * 1.03),
          },
          { place: state, needed: forDatabase },
        ]
      : [dirname(source.dataDirectory), state].map((place) => ({ place, needed: forDatabase }));
  return places.flatMap(({ place, needed }) => {
    const { bavail, bsize } = fs.statfsSync(nearest(host.path(place)));
    const free = bavail * bsize;
    if (free >= needed) return [];
    return [
      {
        id: 'too-little-space',
        severity: 'blocker' as const,
        objects: [`${place}: ${formatBytes(free)} free, ${formatBytes(needed)} needed`],
        what: 'There is too little free space for what is written there.',
        action: 'Free some space, or name another folder for the databases with --state DIR.',
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
