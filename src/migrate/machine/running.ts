// Finds what of a data directory runs on the host, from processes alone: daemons may be dead.
import { readFileSync } from 'node:fs';
import type { Host, ProcessInfo } from '../../core/host.ts';
import { daemonPrograms, directoryOfProcess, isDaemon, isSameFolder } from './daemon-process.ts';
import { heldElsewhere } from './held-elsewhere.ts';
import { swapsInside } from './used-by-others.ts';

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

/** Whether the process that was found is there; false means that all of them must be looked at again. */
export function runsStill(host: Host, { process: { pid, argv } }: RunningInstance): boolean {
  // Another process may have the number by now, and of one that has ended and is not collected there are no arguments.
  const now = readIfThere(host.path(`/proc/${pid}/cmdline`));
  return (
    now !== undefined &&
    now
      .split('\0')
      .filter((argument) => argument !== '')
      .join(' ') === argv.join(' ')
  );
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

/** The host with its processes as they are now: to look at each of thousands takes long, and many questions are asked. */
export function atOneMoment(host: Host): Host {
  const processes = host.processes();
  return { ...host, processes: () => processes };
}

/** Everything of a data directory that must be gone before it moves; each in words. */
export async function whatIsLeft(realHost: Host, owner: HelperOwner): Promise<string[]> {
  const { dataDirectory } = owner;
  const host = atOneMoment(realHost);
  const inside = `${dataDirectory}/`;
  const instances = runningInstances(host, dataDirectory);
  return [
    ...instances.map(
      ({ storageName, process }) =>
        `instance ${instanceOfStorageName(storageName)} runs (process ${process.pid})`,
    ),
    ...[
      ...daemonProcesses(host, dataDirectory),
      ...helperProcesses(host, owner),
      ...otherWorkers(host, owner),
    ].map(({ pid, argv }) => `process ${pid}: ${argv.join(' ').slice(0, 120)}`),
    ...host
      .mounts()
      .filter(({ path }) => path.startsWith(inside))
      .map(({ path }) => `mount ${path}`),
    ...(await host.loops())
      .filter(({ backingFile }) => backingFile.startsWith(inside))
      .map(({ device, backingFile }) => `loop device ${device} on ${backingFile}`),
    ...swapsInside(host, dataDirectory).map((path) => `swap space ${path}`),
    ...heldElsewhere(host, dataDirectory),
  ];
}

interface HelperCall {
  readonly program: RegExp;
  readonly path: RegExp;
  /** Folders of the data directory, one of which that path must be in. */
  readonly folders: readonly string[];
}

const ofInstances = ['devices/', 'virtual-machines/'];
/**
 * How the daemons call the programs that they start beside themselves: each gets a path of its own data directory in this
 * place (network/driver_bridge.go, device/device_utils_disk.go and tpm.go; LXD 5.0.2, 5.21.3, Incus 6.0.4). Somebody who
 * shares, copies or converts files in there by hand calls other programs, or names other folders: a dnsmasq with its leases
 * in a container's files, a virtiofsd that shows a pool to a machine of libvirt.
 */
const helperCalls: readonly HelperCall[] = [
  {
    program: /\/dnsmasq$/,
    path: /^--(?:dhcp-leasefile|dhcp-hostsfile|conf-file)=(?=\/.*\/dnsmasq\.(?:leases|hosts|raw)$)/,
    folders: ['networks/'],
  },
  {
    program: /\/virtiofsd$/,
    path: /^(?:source=|--shared-dir=|--socket-path=)?(?=\/)/,
    folders: ofInstances,
  },
  { program: /\/virtfs-proxy-helper$/, path: /^(?=\/)/, folders: ofInstances },
  { program: /\/swtpm$/, path: /^dir=(?=\/)/, folders: ofInstances },
];

/** Programs that work on images and trees of files, whoever started them. */
const workers = /\/(?:rsync|qemu-[^/]*|tar|bsdtar|cp|dd|mksquashfs|unsquashfs)$/;

/** Whose helpers are looked for: a data directory, and the program of its daemon, even if it is no longer installed. */
export interface HelperOwner {
  readonly dataDirectory: string;
  readonly program: string | undefined;
}

/**
 * Processes that the daemon started, by the way it calls them: dnsmasq and others with a path of its directory, and its
 * own program run as a helper (forkproxy, forkdns, …: a proxy between two ports names no directory). Not the daemon
 * itself, and nothing that somebody else may have started: these are ended.
 */
export function helperProcesses(host: Host, { dataDirectory, program }: HelperOwner): ProcessInfo[] {
  const inside = `${dataDirectory}/`;
  return host.processes().filter((process) => {
    if (!process.samePidNamespace) return false;
    const [, ...args] = process.argv;
    if ((args[0] ?? '').startsWith('fork') && process.program !== undefined)
      return (
        (process.program === program || daemonPrograms.test(process.program)) &&
        isOf(host, process, dataDirectory)
      );
    const call = helperCalls.find((one) => one.program.test(process.program ?? ''));
    return (
      call?.folders.some((folder) =>
        args.some((argument) => startsInside(argument, call.path, `${inside}${folder}`)),
      ) === true
    );
  });
}

function startsInside(argument: string, prefix: RegExp, inside: string): boolean {
  const before = prefix.exec(argument)?.[0];
  return before !== undefined && argument.startsWith(inside, before.length);
}

/** What works on files of the directory and is neither an instance nor a helper: a person decides about it. */
function otherWorkers(host: Host, owner: HelperOwner): ProcessInfo[] {
  const named = owner.dataDirectory.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  // `/backup/var/lib/lxd/` is not inside: what ends there is somebody's own copy at work.
  const inside = new RegExp(`(?<![\\w./-])${named}(?:/|$)`);
  const known = new Set(
    [
      ...helperProcesses(host, owner),
      ...runningInstances(host, owner.dataDirectory).map(({ process }) => process),
    ].map(({ pid }) => pid),
  );
  return host
    .processes()
    .filter(
      ({ pid, samePidNamespace, program, argv }) =>
        samePidNamespace &&
        !known.has(pid) &&
        workers.test(program ?? '') &&
        argv.slice(1).some((argument) => inside.test(argument)),
    );
}

/**
 * Daemons of the data directory, whether they listen or not: one that is just starting, or has closed its socket and is
 * not gone yet.
 */
export function daemonProcesses(host: Host, dataDirectory: string): ProcessInfo[] {
  return host
    .processes()
    .filter((process) => process.samePidNamespace && isDaemon(process) && isOf(host, process, dataDirectory));
}

/** Whether a process of a daemon's program works on this data directory: what it was started with says so. */
function isOf(host: Host, process: ProcessInfo, dataDirectory: string): boolean {
  const directory = directoryOfProcess(host, process);
  return directory !== undefined && isSameFolder(host, directory, dataDirectory);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process ended meanwhile.
    return undefined;
  }
}
