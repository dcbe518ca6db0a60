// What mounts of other namespaces and open files hold of a data directory: neither stops a rename, both would go on
// writing into what moved.
import * as fs from 'node:fs';
import { join, relative } from 'node:path';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host, ProcessInfo } from '../../core/host.ts';
import { type MountEntry, parseMountinfo } from '../../core/mountinfo.ts';

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
      return mount !== undefined && isBelow(place.path, join(mount.root, relative(mount.path, file.path)));
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
  const mount = mounts
    .filter((one) => one.path === path || isBelow(one.path, path))
    .reduce<MountEntry | undefined>(
      (best, one) => (best === undefined || one.path.length >= best.path.length ? one : best),
      undefined,
    );
  if (mount === undefined) return { device: undefined, path };
  return { device: mount.deviceNumber, path: join(mount.root, relative(mount.path, path)) };
}

function mountsInside(mounts: readonly MountEntry[], { own, place, dataDirectory }: Around): MountEntry[] {
  const root = (all: readonly MountEntry[]): MountEntry | undefined =>
    all.findLast(({ path }) => path === '/');
  const [ours, theirs] = [root(own), root(mounts)];
  // Paths mean the same only in a namespace whose tree is that of the host, as services of systemd have one.
  const sameTree =
    ours !== undefined && ours.deviceNumber === theirs?.deviceNumber && ours.root === theirs.root;
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

function isBelow(folder: string, path: string): boolean {
  return path !== folder && path.startsWith(folder === '/' ? '/' : `${folder}/`);
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

function mountsOf(host: Host, pid: string): MountEntry[] {
  return parseMountinfo(
    ofProcess(() => fs.readFileSync(host.path(`/proc/${pid}/mountinfo`), 'latin1')) ?? '',
  );
}

function namespaceOf(host: Host, pid: number): string {
  return ofProcess(() => fs.readlinkSync(host.path(`/proc/${pid}/ns/mnt`))) ?? `of ${pid}`;
}

/** A process may end at any moment, and some belong to nobody's eyes. */
function ofProcess<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM' || code === 'EINVAL')
      return undefined;
    throw error;
  }
}
