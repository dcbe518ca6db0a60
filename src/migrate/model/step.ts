// The steps of a migration as data: what a plan lists, the journal keeps and apply carries out.
import { formatBytes } from '../../core/text.ts';
import type { Service } from './installation.ts';
import type { PoolFacts } from './pool-facts.ts';

/** What a step needs to know about one of the two installations. */
export interface DaemonRef {
  readonly role: 'source' | 'target';
  readonly dataDirectory: string;
  readonly sockets: readonly string[];
  readonly service: Service;
  readonly program: string | undefined;
}

export type Step =
  | { readonly kind: 'record-source'; readonly daemon: DaemonRef }
  | {
      readonly kind: 'record-power';
      readonly daemon: DaemonRef;
      /** Of the source; absent in plans of former versions, as in the other steps. */
      readonly pools?: readonly PoolFacts[];
    }
  | { readonly kind: 'stop-daemon'; readonly daemon: DaemonRef }
  | {
      readonly kind: 'clear-leftovers';
      readonly role: 'source' | 'target';
      readonly dataDirectory: string;
      readonly program: string | undefined;
      readonly bridges: readonly string[];
      readonly interfaces: readonly string[];
      readonly firewallTable: string | undefined;
      /** What the daemon mounts by itself; nothing else is unmounted. */
      readonly pools?: readonly PoolFacts[];
    }
  | { readonly kind: 'set-aside-target'; readonly path: string; readonly into: string }
  | { readonly kind: 'stop-instances'; readonly daemon: DaemonRef }
  | { readonly kind: 'mask-source'; readonly units: readonly string[] }
  | { readonly kind: 'mask-target'; readonly units: readonly string[] }
  | { readonly kind: 'unmask-target'; readonly units: readonly string[] }
  | { readonly kind: 'disable-source'; readonly units: readonly string[] }
  | {
      readonly kind: 'prove-quiet';
      readonly owners: readonly { readonly dataDirectory: string; readonly program: string | undefined }[];
    }
  | { readonly kind: 'convert-again'; readonly sourceDirectory: string; readonly into: string }
  | { readonly kind: 'record-directory'; readonly directory: string; readonly into: string }
  | { readonly kind: 'move-directory'; readonly from: string; readonly to: string }
  | {
      readonly kind: 'move-mount';
      readonly from: string;
      readonly to: string;
      /** What mounts it at boot. */
      readonly boot: 'fstab' | 'unit' | 'nothing';
    }
  | { readonly kind: 'empty-target-mount'; readonly path: string; readonly into: string }
  | {
      readonly kind: 'copy-ahead';
      readonly from: string;
      readonly to: string;
      /** Whether `to` is a mount point. */
      readonly intoMount: boolean;
      /** What it takes, as measured for the plan. */
      readonly bytes: number;
    }
  | {
      readonly kind: 'copy-directory';
      readonly from: string;
      readonly to: string;
      readonly intoMount: boolean;
    }
  | { readonly kind: 'set-aside-database'; readonly path: string; readonly into: string }
  | { readonly kind: 'install-database'; readonly from: string; readonly path: string; readonly keep: string }
  | { readonly kind: 'rename-snapshots-folder'; readonly from: string; readonly to: string }
  | { readonly kind: 'repoint-links'; readonly directory: string; readonly from: string; readonly to: string }
  | {
      readonly kind: 'add-id-range';
      readonly file: string;
      readonly line: string;
      /** Without it the source could not start its containers again either. */
      readonly neededBySource?: boolean;
    }
  | { readonly kind: 'empty-runtime-folder'; readonly path: string }
  | {
      readonly kind: 'start-daemon';
      readonly daemon: DaemonRef;
      readonly bridges: readonly string[];
      readonly pools?: readonly PoolFacts[];
    }
  | { readonly kind: 'restore-power'; readonly daemon: DaemonRef }
  | { readonly kind: 'release-autostart'; readonly daemon: DaemonRef }
  | {
      readonly kind: 'leave-note';
      readonly directory: string;
      readonly movedTo: string;
      /** Whether the source's own data stays there as well. */
      readonly kept: boolean;
    }
  | { readonly kind: 'refresh-backup-files'; readonly daemon: DaemonRef }
  | { readonly kind: 'write-dump'; readonly folder: string };

export type StepKind = Step['kind'];

/** A step in the words of a person, and what takes it back. */
export function describeStep(step: Step): { readonly title: string; readonly inverse: string } {
  const daemonName = (role: 'source' | 'target'): string => (role === 'source' ? 'LXD' : 'Incus');
  switch (step.kind) {
    case 'record-source':
      return {
        title: 'record whether LXD runs',
        inverse:
          'start LXD where it ran and has ended by itself, remove what Incus made in containers, have LXD write its own backup.yaml, write as root in every container that runs',
      };
    case 'record-power':
      return {
        title:
          'see that nothing has changed since the plan, and record which instances run, are frozen or are stopped',
        inverse: 'nothing to take back',
      };
    case 'stop-daemon':
      return {
        title: `stop ${daemonName(step.daemon.role)}`,
        inverse: `start ${daemonName(step.daemon.role)} again if it ran`,
      };
    case 'clear-leftovers':
      return {
        title: `clear what a stopped ${daemonName(step.role)} left: its helper processes, mounts, loop devices, interfaces, firewall tables`,
        inverse: `nothing to take back: ${daemonName(step.role)} makes them again when it starts`,
      };
    case 'set-aside-target':
      return {
        title: `move ${step.path} to ${step.into}`,
        inverse: `move ${step.into} back to ${step.path}`,
      };
    case 'stop-instances':
      return { title: 'stop the instances that run', inverse: 'start exactly those again' };
    case 'mask-source':
      return {
        title: `mask ${step.units.join(', ')}, so that nothing starts LXD again`,
        inverse: 'unmask them',
      };
    case 'mask-target':
      return {
        title: `mask ${step.units.join(', ')}, so that no restart of this machine starts Incus on half of it`,
        inverse: 'unmask those of Incus',
      };
    case 'unmask-target':
      return {
        title: `unmask ${step.units.join(', ')}`,
        inverse: 'mask those of Incus again',
      };
    case 'disable-source':
      return { title: `disable ${step.units.join(', ')}`, inverse: 'enable those that were enabled' };
    case 'prove-quiet':
      return {
        title: `prove that nothing of ${step.owners.map(({ dataDirectory }) => dataDirectory).join(' and ')} runs or is mounted`,
        inverse: 'nothing to take back',
      };
    case 'convert-again':
      return {
        title: `read the database once more, convert it, compare it with the plan, write it to ${step.into}`,
        inverse: `remove ${step.into}`,
      };
    case 'record-directory':
      return {
        title: `write down owners, modes, links and the daemon's own files of ${step.directory}`,
        inverse: 'put them back as they were, and remove what Incus made among them',
      };
    case 'move-directory':
      return { title: `rename ${step.from} to ${step.to}`, inverse: `rename ${step.to} to ${step.from}` };
    case 'move-mount': {
      const with_ = { fstab: '/etc/fstab', unit: 'its mount unit', nothing: undefined }[step.boot];
      const also = with_ === undefined ? '' : `, in ${with_} too`;
      return {
        title: `mount the file system of ${step.from} on ${step.to} instead${also}`,
        inverse: `mount it on ${step.from} again${also}`,
      };
    }
    case 'empty-target-mount':
      return {
        title: `move what is in the mounted ${step.path} to ${step.into}`,
        inverse: `move it back to ${step.path}`,
      };
    case 'copy-ahead':
      return {
        title: `copy ${step.from}, ${formatBytes(step.bytes)}, beside ${step.to}, while everything runs`,
        inverse: 'remove the copy',
      };
    case 'copy-directory':
      return {
        title: `copy what has changed in ${step.from} since, compare every file, and put the copy in its place at ${step.to}`,
        inverse: `bring what changed in ${step.to} back to ${step.from}, and remove the copy`,
      };
    case 'set-aside-database':
      return {
        title: `move LXD's database ${step.path} untouched to ${step.into}`,
        inverse: `move ${step.into} back to ${step.path}`,
      };
    case 'install-database':
      return {
        title: `put the converted database in its place at ${step.path}`,
        inverse: `keep Incus's database as ${step.keep}`,
      };
    case 'rename-snapshots-folder':
      return { title: `rename ${step.from} to ${step.to}`, inverse: `rename ${step.to} to ${step.from}` };
    case 'repoint-links':
      return {
        title: `point the links in ${step.directory} to ${step.to} instead of ${step.from}`,
        inverse: `point them to ${step.from} again`,
      };
    case 'add-id-range':
      return {
        title: `add the line ${step.line} to ${step.file}`,
        inverse:
          step.neededBySource === true
            ? `nothing to undo: LXD could not start its containers without that line`
            : `remove that line from ${step.file}`,
      };
    case 'empty-runtime-folder':
      return { title: `empty ${step.path}`, inverse: 'nothing to take back: Incus fills it when it starts' };
    case 'start-daemon':
      return {
        title: `start ${daemonName(step.daemon.role)} and wait until it is ready`,
        inverse: `stop ${daemonName(step.daemon.role)}`,
      };
    case 'restore-power':
      return {
        title: 'wait until what ran runs again; start, stop and freeze what differs',
        inverse: 'nothing to take back: stopping the daemon stops the instances',
      };
    case 'release-autostart':
      return {
        title: 'give back boot.autostart to the instances that were kept from starting',
        inverse: "nothing to take back: LXD's own database was not touched",
      };
    case 'write-dump':
      return {
        title: `write ${step.folder}/db.bin, by which a boot decides whether to start Incus, from Incus's database`,
        inverse: "nothing to take back: it is kept with Incus's database",
      };
    case 'leave-note':
      return {
        title: `leave a note in ${step.directory} that says where everything went and how to go back`,
        inverse: 'remove the note',
      };
    case 'refresh-backup-files':
      return {
        title: 'update every instance without change, so that Incus writes its own backup.yaml',
        inverse: 'nothing to take back: LXD writes its own when it starts an instance',
      };
  }
}
