// What mounts of other namespaces and open files hold of a data directory: neither stops a rename, both would go on
// writing into what moved.
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Host, ProcessInfo } from '../../core/host.ts';
import type { MountEntry } from '../../core/mountinfo.ts';
import { isSameTree, mountsOf, namespaceOf, ofProcess } from './mount-namespaces.ts';
import { isBelow, mountShowing, pathInside } from './mount-showing.ts';

/** Each in words; this process and what it holds are left out. */
export function heldElsewhere(host: Host, dataDirectory: string): string[] {
  const own = mountsOf(host, 'self');
  const place = placeOf(own, dataDirectory);
  // Hundreds of processes share the namespace of one container.
  const known = new Map<string, MountEntry[]>();
  return host.processes().flatMap((found) => {
    if (found.pid === process.pid) return [];
    if (found.sameMountNamespace) {
      const isInside = (path: string): boolean => path.startsWith(`${dataDirectory}/`);
      const runs = isInside(found.program ?? '') ? [found.program ?? ''] : [];
      return openFiles(found, [
        ...runs,
        ...filesOf(host, found.pid)
          .filter(({ path }) => isInside(path))
          .map(shown),
      ]);
    }
    const namespace = namespaceOf(host, found.pid);
    const isNew = !known.has(namespace);
    const mounts = known.get(namespace) ?? mountsOf(host, String(found.pid));
    known.set(namespace, mounts);
    const inNamespace = isNew
      ? mountsInside(mounts, { own, place, dataDirectory }).map((mount) => heldMount(found, mount))
      : [];
    // Only where a part of that file system is visible can a file of the directory be reached.
    const reach = mounts.filter((mount) => overlaps(mount, place));
    if (reach.length === 0) return inNamespace;
    const files = filesOf(host, found.pid).filter((file) => {
      const mount = reach.find(({ id }) => id === mountOfFile(host, found.pid, file.number));
      return mount !== undefined && isBelow(place.path, pathInside(mount, file.path));
    });
    return [...inNamespace, ...openFiles(found, files.map(shown))];
  });
}

/** A folder as its file system has it: the same one in every namespace. */
interface Place {
  /** undefined where it could not be found out: then every file system counts. */
  readonly device: string | undefined;
  readonly path: string;
}

interface Around {
  readonly own: readonly MountEntry[];
  readonly place: Place;
  readonly dataDirectory: string;
}

function placeOf(mounts: readonly MountEntry[], path: string): Place {
  const mount = mountShowing(mounts, path);
  if (mount === undefined) return { device: undefined, path };
  return { device: mount.deviceNumber, path: pathInside(mount, path) };
}

function mountsInside(mounts: readonly MountEntry[], { own, place, dataDirectory }: Around): MountEntry[] {
  // Paths mean the same only in a namespace whose tree is that of the host, as services of systemd have one.
  const sameTree = isSameTree(own, mounts);
  return mounts.filter(
    (mount) =>
      ((place.device === undefined || mount.deviceNumber === place.device) &&
        isBelow(place.path, mount.root)) ||
      (sameTree && isBelow(dataDirectory, mount.path)),
  );
}

function overlaps({ deviceNumber, root }: MountEntry, { device, path }: Place): boolean {
  return deviceNumber === device && (root === path || isBelow(path, root) || isBelow(root, path));
}

function heldMount(found: ProcessInfo, { path, root }: MountEntry): string {
  return path === '/'
    ? `process ${named(found)} lives in ${root}`
    : `mount ${path} in the mount namespace of process ${named(found)}`;
}

function openFiles(found: ProcessInfo, files: readonly string[]): string[] {
  const [first, ...more] = [...new Set(files)];
  if (first === undefined) return [];
  return [`process ${named(found)} has ${first} open${more.length === 0 ? '' : `, and ${more.length} more`}`];
}

function named({ pid, argv }: ProcessInfo): string {
  return `${pid} (${argv.join(' ').slice(0, 60)})`;
}

interface OpenFile {
  readonly number: string;
  readonly path: string;
}

function shown({ path }: OpenFile): string {
  return path;
}

/** Files, not folders: a shell that stands in one writes nothing by that. */
function filesOf(host: Host, pid: number): OpenFile[] {
  const folder = host.path(`/proc/${pid}/fd`);
  return (ofProcess(() => fs.readdirSync(folder)) ?? []).flatMap((number) => {
    const link = ofProcess(() => fs.readlinkSync(join(folder, number)));
    if (link?.startsWith('/') !== true) return [];
    if (ofProcess(() => fs.statSync(join(folder, number)))?.isDirectory() === true) return [];
    return [{ number, path: link.replace(/ \(deleted\)$/, '') }];
  });
}

function mountOfFile(host: Host, pid: number, number: string): number | undefined {
  const text = ofProcess(() => fs.readFileSync(host.path(`/proc/${pid}/fdinfo/${number}`), 'utf8'));
  const id = /^mnt_id:\s*(\d+)$/m.exec(text ?? '')?.[1];
  return id === undefined ? undefined : Number(id);
}
