// Removes what is left of LXD once everything of it runs in Incus: there is no way back from that.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { movedNote } from '../detect/moved-note.ts';
import { dropTree } from '../machine/copy-tree.ts';
import { mountAt } from '../machine/layout.ts';
import { measureCopy } from '../machine/measure-copy.ts';
import { isThere } from '../machine/move-once.ts';
import { untilDone } from '../machine/until-done.ts';
import type { Plan } from '../model/plan.ts';
import { migrateFailure } from '../problem.ts';
import { migrationRules } from '../rules/migration-rules.ts';

export interface PurgeFolder {
  readonly path: string;
  /** As allocated. */
  readonly bytes: number;
  readonly why: string;
}

/** All that would go. */
export interface Purge {
  readonly folders: readonly PurgeFolder[];
  /** What the package manager says that it would remove. */
  readonly packages: readonly string[];
}

/** Looks only; before the move and after it the answer is the same. */
export async function whatWouldBePurged(host: Host, plan: Plan): Promise<Purge> {
  const copied = plan.steps.some(({ kind }) => kind === 'copy-directory');
  const { dataDirectory, name } = plan.source;
  const left = name === 'given' ? [] : migrationRules().left_behind;
  const folders = [
    ...(copied ? [{ path: dataDirectory, why: 'a copy of it is in Incus' }] : []),
    ...left.map((path) => ({ path, why: 'not moved' })),
  ].filter(({ path }) => isThere(host, path));
  const measured: PurgeFolder[] = [];
  for (const folder of folders)
    measured.push({ ...folder, bytes: (await measureCopy(host, folder.path)).bytes });
  return { folders: measured, packages: await packagesToRemove(host, name) };
}

/** Of Debian's package; what was installed by hand nobody can list. */
async function packagesToRemove(host: Host, installation: string): Promise<string[]> {
  if (installation !== 'deb' || host.which('apt-get') === undefined) return [];
  const { stdout } = await host.run(['apt-get', '--simulate', '--quiet', 'purge', ...ownPackages(host)], {
    ...untilDone,
  });
  return [...stdout.toString('utf8').matchAll(/^(?:Purg|Remv) (\S+)/gm)].map(([, name]) => name ?? '');
}

const debPackages = ['lxd', 'lxd-client'];

/** Those that dpkg knows here: at the name of one that no list has, apt-get fails for all of them. */
function ownPackages(host: Host): string[] {
  const known = debPackages.filter((name) => fs.existsSync(host.path(`/var/lib/dpkg/info/${name}.list`)));
  return known.length > 0 ? known : debPackages;
}

/**
 * Only what was listed goes: where more packages would go by now, or something else stands in LXD's directory, nothing
 * is touched.
 * @throws {Failure<MigrateProblem>} purge-refused
 */
export async function refuseMoreThanListed(host: Host, plan: Plan, listed: Purge): Promise<void> {
  const more = [...(await morePackages(host, plan, listed)), ...strangers(host, plan)];
  if (more.length > 0) throw migrateFailure({ code: 'purge-refused', because: more });
}

/** What apt-get cannot say may be more than was listed. */
async function morePackages(host: Host, plan: Plan, listed: Purge): Promise<string[]> {
  try {
    const packages = await packagesToRemove(host, plan.source.name);
    return packages.filter((name) => !listed.packages.includes(name)).map((name) => `package ${name}`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [`what apt-get would remove is not known: ${error.message}`];
  }
}

export async function purgeSource(
  host: Host,
  { source: { dataDirectory } }: Plan,
  listed: Purge,
  say: (text: string) => void,
): Promise<void> {
  for (const { path } of listed.folders) {
    say(path);
    await dropTree(host, path, mountAt(host.mounts(), path) !== undefined);
  }
  fs.rmSync(host.path(join(dataDirectory, movedNote)), { force: true });
  if (listed.packages.length > 0) {
    say(`packages ${listed.packages.join(', ')}`);
    await host.run(['apt-get', '--yes', '--quiet', 'purge', ...ownPackages(host)], {
      // Ended in the middle it leaves packages half removed.
      ...untilDone,
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    });
  }
  const folder = host.path(dataDirectory);
  const empty = fs.existsSync(folder) && fs.readdirSync(folder).length === 0;
  if (empty && mountAt(host.mounts(), dataDirectory) === undefined) fs.rmdirSync(folder);
}

/** What a purge of all that was listed has done. */
export function purgedInWords({ folders, packages }: Purge): string {
  const removed = [...packages.map((name) => `package ${name}`), ...folders.map(({ path }) => path)];
  const gone = removed.length === 0 ? 'Nothing more of LXD was left' : `Removed: ${removed.join(', ')}`;
  return packages.length > 0
    ? `${gone}.`
    : `${gone}. No package of LXD was removed: a program that was installed in another way is still there.`;
}

/** What somebody put into LXD's directory since it was emptied: the package's own removal would take it along. */
function strangers(host: Host, { source, steps }: Plan): string[] {
  if (steps.some(({ kind }) => kind === 'copy-directory')) return [];
  const folder = host.path(source.dataDirectory);
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .filter((name) => name !== movedNote)
    .map((name) => join(source.dataDirectory, name));
}
