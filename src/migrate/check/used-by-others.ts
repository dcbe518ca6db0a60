// Findings about what others than the daemons have mounted and attached inside of the two data directories.

import { poolFacts } from '../inventory/database/pool-facts.ts';
import { fstab, fstabDevices, fstabMountPoints, layoutOf } from '../machine/layout.ts';
import { mountsOf } from '../machine/mount-namespaces.ts';
import { isBelow, mountShowing, pathInside } from '../machine/mount-showing.ts';
import { loopsInside } from '../machine/own-mounts.ts';
import { usedByOthers } from '../machine/used-by-others.ts';
import type { Finding } from '../model/finding.ts';
import type { CheckContext, OpenDatabase } from './context.ts';

export function checkUsedByOthers(context: CheckContext): Finding[] {
  const { source, target, sourceDatabase, targetDatabase } = context;
  return [
    ...insideOf(context, source, sourceDatabase),
    ...(target === undefined ? [] : insideOf(context, target, targetDatabase)),
    ...leadingOut(context),
  ];
}

function insideOf(
  { host, loops = [] }: CheckContext,
  { role, dataDirectory }: { readonly role: 'source' | 'target'; readonly dataDirectory: string },
  database: OpenDatabase | undefined,
): Finding[] {
  const name = role === 'source' ? 'LXD' : 'Incus';
  const pools = database === undefined ? [] : poolFacts(database.db);
  const { mounts, files } = usedByOthers(host, { dataDirectory, pools }, loops);
  const fixed = fstabMountPoints(host).filter((path) => path.startsWith(`${dataDirectory}/`));
  return withObjects([
    {
      id: `mount-inside-${role}`,
      severity: 'blocker',
      objects: [...new Set([...mounts, ...fixed])],
      what: `File systems are mounted inside the data directory of ${name} by someone other than ${name}. The tool unmounts nothing of others, and at the next boot they would be mounted in the wrong place.`,
      action: 'Mount them outside of the data directory, or unmount them, then plan again.',
    },
    {
      id: `file-in-use-inside-${role}`,
      severity: 'blocker',
      objects: files,
      what: `Someone other than ${name} uses files inside its data directory as disks or swap space. They would go on being used under a name that is gone.`,
      action: 'Detach them (losetup -d, swapoff), then plan again.',
    },
  ]);
}

/** What shows a part of the directory elsewhere: a folder of a container bound to /srv/www, an image file that fstab mounts. */
function leadingOut({ host, source, target, sourceDatabase, loops = [] }: CheckContext): Finding[] {
  const { dataDirectory } = source;
  const fixed = fstabDevices(host).filter((path) => path.startsWith(`${dataDirectory}/`));
  const mounts = mountsOf(host, 'self');
  const outside = mounts.filter(({ path }) => path !== dataDirectory && !isBelow(dataDirectory, path));
  const shows = mountShowing(mounts, dataDirectory);
  const live = outside.filter(
    ({ root, deviceNumber }) =>
      shows !== undefined &&
      deviceNumber === shows.deviceNumber &&
      isBelow(pathInside(shows, dataDirectory), root),
  );
  // The loop device of such a pool does not go away with LXD.
  const { own } = loopsInside(loops, { dataDirectory, pools: poolFacts(sourceDatabase.db) });
  const held = outside.filter(({ device }) => own.some((loop) => loop.device === device));
  const isCopied =
    target !== undefined && layoutOf(host, dataDirectory, target.dataDirectory).kind === 'copy';
  const [why, isBlocker] =
    fixed.length > 0
      ? ['At the next boot they would lead to nothing, and a boot may stop at them.', true]
      : held.length > 0
        ? ['They keep a pool in use when LXD has stopped.', true]
        : isCopied
          ? ['They would go on showing the old copy.', true]
          : ['They go on showing the same files after the move.', false];
  return withObjects([
    {
      id: 'mount-from-source',
      severity: isBlocker ? 'blocker' : 'note',
      objects: [
        ...fixed.map((path) => `${path} (${fstab})`),
        ...[...live, ...held].map(({ path, root, device }) => `${device}, ${root} on ${path}`),
      ],
      what: `Parts of LXD's data directory are mounted elsewhere. ${why}`,
      action: isBlocker
        ? 'Unmount them and take them out of /etc/fstab, then plan again. Mount them from the new place after the move.'
        : 'Where a script or unit of yours mounts them, name the new place in it after the move.',
    },
  ]);
}

function withObjects(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ objects }) => objects.length > 0);
}
