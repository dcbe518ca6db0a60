// How the data gets to its new place: by a rename, together with its mount, or by a copy; from what is mounted where.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileFailureOf } from '../../core/as-file-failure.ts';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host, MountInfo } from '../../core/host.ts';
import { unescapeMount } from '../../core/mountinfo.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';
import { isBoundOntoItself } from './mount-showing.ts';

/** What mounts a data directory when the machine boots. */
export type BootMount =
  | { readonly kind: 'fstab' }
  /** A unit file of the administrator. */
  | { readonly kind: 'unit' }
  | { readonly kind: 'nothing' };

export type Layout =
  | { readonly kind: 'rename' }
  | { readonly kind: 'move-mount'; readonly boot: BootMount['kind'] }
  | {
      readonly kind: 'copy';
      /** Whether the target's directory is a mount point, which stays one. */
      readonly intoMount: boolean;
    };

export const fstab = '/etc/fstab';
export const fstabLimit = 16 * 1024 * 1024;

export function layoutOf(host: Host, sourceDirectory: string, targetDirectory: string): Layout {
  const mounts = host.mounts();
  if (mountAt(mounts, targetDirectory) !== undefined) return { kind: 'copy', intoMount: true };
  if (mountAt(mounts, sourceDirectory) !== undefined)
    return { kind: 'move-mount', boot: bootMount(host, sourceDirectory) };
  const device = (path: string): number => fs.statSync(nearest(host.path(path))).dev;
  return device(sourceDirectory) === device(dirname(targetDirectory))
    ? { kind: 'rename' }
    : { kind: 'copy', intoMount: false };
}

/** The nearest folder that exists, for what will be made below it. */
export function nearest(path: string): string {
  let folder = path;
  while (!fs.existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

export function mountAt(mounts: readonly MountInfo[], path: string): MountInfo | undefined {
  return mounts.findLast((mount) => mount.path === path);
}

function bootMount(host: Host, path: string): BootMount['kind'] {
  if (fstabMountPoints(host).includes(path)) return 'fstab';
  return fs.existsSync(host.path(mountUnitFile(path))) ? 'unit' : 'nothing';
}

/** Why a mounted directory is not dealt with; undefined where it is. */
export function whyNotMovable(host: Host, path: string, role: 'source' | 'target'): string | undefined {
  const mounts = host.mounts();
  const here = mounts.filter((mount) => mount.path === path);
  const mount = here.at(-1);
  if (mount === undefined) return undefined;
  if (here.some(({ type }) => type === 'autofs')) return 'it is mounted on demand (autofs)';
  if (here.length > 1) return 'several file systems are mounted on it, one over the other';
  if (isBoundOntoItself(mounts, mount)) return 'it is bound onto itself';
  if (role === 'target') return undefined;
  const boot = bootMount(host, path);
  if (mount.type === 'zfs' && boot === 'nothing') return 'ZFS mounts it, by a property of the dataset';
  if (boot === 'fstab' && fstabMountPoints(host).filter((point) => point === path).length > 1)
    return `${fstab} has several lines for it`;
  return undefined;
}

/** Mount points of /etc/fstab; none where it cannot be read. */
export function fstabMountPoints(host: Host): string[] {
  return fstabText(host)
    .split('\n')
    .map(mountPointOf)
    .filter((point): point is string => point !== undefined);
}

/** What the lines of /etc/fstab mount or use, where that is a path. */
export function fstabDevices(host: Host): string[] {
  return fstabText(host)
    .split('\n')
    .map((line) => /^\s*(\/\S*)\s/.exec(line)?.[1])
    .filter((path) => path !== undefined)
    .map((path) => withoutSlash(unescapeMount(path)));
}

function fstabText(host: Host): string {
  try {
    return readRegularFile(host.path(fstab), { limit: fstabLimit, links: 'follow' }).toString('latin1');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'EACCES') return '';
    throw fileFailureOf('read the file', host.path(fstab), error) ?? error;
  }
}

const fstabLine = /^(\s*[^#\s]\S*\s+)(\/\S*)(.*)$/s;

function mountPointOf(line: string): string | undefined {
  const point = fstabLine.exec(line)?.[2];
  return point === undefined ? undefined : withoutSlash(unescapeMount(point));
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** The text of an fstab (read as latin1) in which the mount point `from` is `to`; everything else stays as it was. */
export function fstabWith(text: string, from: string, to: string): string {
  return text
    .split('\n')
    .map((line) => {
      if (mountPointOf(line) !== from) return line;
      return line.replace(
        fstabLine,
        (_all, device: string, _point, rest: string) => `${device}${escaped(to)}${rest}`,
      );
    })
    .join('\n');
}

/** As fstab(5) wants blanks, tabs and backslashes. */
function escaped(path: string): string {
  return Buffer.from(path, 'utf8')
    .toString('latin1')
    .replace(/[ \t\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** Where an administrator's unit for a mount point stands; its name is the escaped path (systemd.unit(5)). */
export function mountUnitFile(path: string): string {
  return join('/etc/systemd/system', mountUnitName(path));
}

export function mountUnitName(path: string): string {
  const bytes = [...Buffer.from(path.replace(/^\/+|\/+$/g, ''), 'utf8')];
  const name = bytes
    .map((byte, index) => {
      const character = String.fromCharCode(byte);
      if (character === '/') return '-';
      return /[A-Za-z0-9:_]/.test(character) || (character === '.' && index > 0)
        ? character
        : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
  return `${name}.mount`;
}
