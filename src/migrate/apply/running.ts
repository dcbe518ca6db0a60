// Finds what of a data directory runs on the host, from processes alone: daemons may be dead.
import { readFileSync } from 'node:fs';
import type { Host, ProcessInfo } from '../../core/host.ts';
import { heldElsewhere } from './held-elsewhere.ts';

export interface RunningInstance {
  /** Name on disk: `c1`, or `<project>_<name>` outside project default. */
  readonly storageName: string;
  /** The monitor of a container, or the qemu of a virtual machine. */
  readonly process: ProcessInfo;
  readonly frozen: boolean;
  /** Whether it is a virtual machine. */
  readonly isMachine: boolean;
}

/** liblxc's monitor rewrites its title to `[lxc monitor] <lxcpath> <name>` (src/lxc/lxccontainer.c). */
const monitorTitle = /^\[lxc monitor\] (\S+)\/containers (\S+)$/;

export function runningInstances(host: Host, dataDirectory: string): RunningInstance[] {
  // A container may run an LXD of its own at the same path: only what lives outside of every container counts.
  const outside = host.processes().filter(({ samePidNamespace }) => samePidNamespace);
  return outside.flatMap((process): RunningInstance[] => {
    const title = monitorTitle.exec(process.argv.join(' ').trim());
    if (title?.[1] === dataDirectory && title[2] !== undefined) {
      return [{ storageName: title[2], process, frozen: isFrozen(host, title[2]), isMachine: false }];
    }
    const machine = machineName(process, dataDirectory);
    return machine === undefined ? [] : [{ storageName: machine, process, frozen: false, isMachine: true }];
  });
}

/** The name of a virtual machine whose files lie in the data directory's places (`-name NAME`, both projects). */
function machineName(process: ProcessInfo, dataDirectory: string): string | undefined {
  if (!/\/qemu-system-[^/]+$|\/qemu-kvm$/.test(process.program ?? '')) return undefined;
  if (!process.argv.some((argument) => argument.includes(`${dataDirectory}/`))) return undefined;
  const at = process.argv.indexOf('-name');
  return at === -1 ? undefined : process.argv[at + 1];
}

/** Whether the payload of a container is frozen, by either cgroup version. */
function isFrozen(host: Host, storageName: string): boolean {
  const places = [
    [`/sys/fs/cgroup/lxc.payload.${storageName}/cgroup.freeze`, '1'],
    [`/sys/fs/cgroup/unified/lxc.payload.${storageName}/cgroup.freeze`, '1'],
    [`/sys/fs/cgroup/freezer/lxc.payload.${storageName}/freezer.state`, 'FROZEN'],
  ] as const;
  // A cgroup that is removed meanwhile answers ENODEV: then nothing in it is frozen.
  return places.some(([path, yes]) => readIfThere(host.path(path))?.trim() === yes);
}

/** `<project>_<name>` apart; neither may hold an underscore (both projects). */
export function instanceOfStorageName(storageName: string): string {
  const [project, name] = storageName.split('_');
  return name === undefined ? `default/${storageName}` : `${project}/${name}`;
}

/** Everything of a data directory that must be gone before it moves; each in words. */
export async function whatIsLeft(host: Host, { dataDirectory, program }: HelperOwner): Promise<string[]> {
  const inside = `${dataDirectory}/`;
  const instances = runningInstances(host, dataDirectory);
  return [
    ...instances.map(
      ({ storageName, process }) =>
        `instance ${instanceOfStorageName(storageName)} runs (process ${process.pid})`,
    ),
    ...helperProcesses(host, { dataDirectory, program }).map(
      ({ pid, argv }) => `process ${pid}: ${argv.join(' ').slice(0, 120)}`,
    ),
    ...host
      .mounts()
      .filter(({ path }) => path.startsWith(inside))
      .map(({ path }) => `mount ${path}`),
    ...(await host.loops())
      .filter(({ backingFile }) => backingFile.startsWith(inside))
      .map(({ device, backingFile }) => `loop device ${device} on ${backingFile}`),
    ...heldElsewhere(host, dataDirectory),
  ];
}

const helperPrograms =
  /\/(dnsmasq|lxd|incusd|qemu-[^/]*|virtiofsd|swtpm|forkproxy|rsync|virtfs-proxy-helper)$/;

/** Whose helpers are looked for: a data directory, and the program of its daemon, even if it is no longer installed. */
export interface HelperOwner {
  readonly dataDirectory: string;
  readonly program: string | undefined;
}

/**
 * Processes that the daemon started: dnsmasq and others that name its directory, and its own program run as a helper
 * (forkproxy, forkdns, …: a proxy between two ports names no directory). Not the daemon itself.
 */
export function helperProcesses(host: Host, { dataDirectory, program }: HelperOwner): ProcessInfo[] {
  const named = dataDirectory.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  // `/backup/var/lib/lxd/` is not inside: what ends there is somebody's own copy at work.
  const inside = new RegExp(`(?<![\\w./-])${named}/`);
  return host
    .processes()
    .filter(
      (process) =>
        process.samePidNamespace &&
        !isDaemon(process.argv) &&
        ((helperPrograms.test(process.program ?? '') &&
          process.argv.slice(1).some((argument) => inside.test(argument))) ||
          (program !== undefined &&
            process.program === program &&
            (process.argv[1] ?? '').startsWith('fork'))),
    );
}

function isDaemon(argv: readonly string[]): boolean {
  return !(argv[1] ?? '').startsWith('fork') && /(^|\/)(lxd|incusd)$/.test(argv[0] ?? '');
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process ended meanwhile.
    return undefined;
  }
}
