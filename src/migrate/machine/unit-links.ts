// The links by which units are enabled, linked, named otherwise and masked; written down, and put back as they were.
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeFolderDurable, removeTemporaries, replaceLinkDurable, syncFolder } from '../../core/durable.ts';
import type { Host } from '../../core/host.ts';

export interface UnitLink {
  readonly path: string;
  readonly target: string;
}

/** Where systemctl and people make them: for good, and until the next boot (systemd.unit(5)). */
const folders = ['/etc/systemd/system', '/run/systemd/system'];

/** Links of these names, and links to them under other names, also in folders such as `sockets.target.wants`. */
export function unitLinks(host: Host, units: readonly string[]): UnitLink[] {
  return linkFolders(host).flatMap((folder) =>
    entriesOf(host, folder)
      .filter((entry) => entry.isSymbolicLink())
      .map(({ name }) => ({
        path: join(folder, name),
        target: fs.readlinkSync(host.path(join(folder, name))),
      }))
      .filter(({ path, target }) => units.includes(basename(path)) || units.includes(basename(target))),
  );
}

/**
 * Makes the links that are missing or lead elsewhere. What stands in the place of one and is no link stays.
 * @returns paths of those that were made
 */
export function restoreUnitLinks(host: Host, links: readonly UnitLink[]): string[] {
  const missing = links.filter(({ path, target }) => {
    // Where systemd's own folder is gone, as in /run after a boot without it, there is nothing to be as before.
    if (!fs.existsSync(host.path(dirname(path))) && !fs.existsSync(host.path(dirname(dirname(path)))))
      return false;
    const stat = fs.lstatSync(host.path(path), { throwIfNoEntry: false });
    if (stat === undefined) return true;
    return stat.isSymbolicLink() && fs.readlinkSync(host.path(path)) !== target;
  });
  for (const { path, target } of missing) {
    const full = host.path(path);
    if (!fs.existsSync(dirname(full))) makeFolderDurable(dirname(full), 0o755);
    removeTemporaries(dirname(full), basename(full));
    if (fs.lstatSync(full, { throwIfNoEntry: false }) === undefined) fs.symlinkSync(target, full);
    else replaceLinkDurable(full, target);
  }
  return missing.map(({ path }) => path);
}

/** Removes links that are there and were not. */
export function removeUnitLinks(host: Host, links: readonly UnitLink[]): void {
  for (const { path } of links) fs.rmSync(host.path(path), { force: true });
}

/** systemctl does not see to it that its links survive a power cut. */
export function syncUnitLinks(host: Host): void {
  for (const folder of linkFolders(host)) if (folder.startsWith('/etc/')) syncFolder(host.path(folder));
}

function linkFolders(host: Host): string[] {
  return folders.flatMap((folder) => [
    ...(fs.existsSync(host.path(folder)) ? [folder] : []),
    ...entriesOf(host, folder)
      .filter((entry) => entry.isDirectory() && /\.(?:wants|requires|upholds)$/.test(entry.name))
      .map(({ name }) => join(folder, name)),
  ]);
}

function entriesOf(host: Host, folder: string): fs.Dirent[] {
  const full = host.path(folder);
  return fs.existsSync(full) ? fs.readdirSync(full, { withFileTypes: true }) : [];
}
