// Brings btrfs subvolumes to another btrfs by send and receive, so that snapshots go on sharing their blocks there.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { coreFailure } from '../../core/core-problem.ts';
import { makeFolders } from '../../core/durable.ts';
import type { Host } from '../../core/host.ts';
import type { Argv } from '../../core/run.ts';
import type { RunningProcess } from '../../core/start.ts';
import { migrateFailure } from '../problem.ts';
import { type Sending, sendingOrder } from './sending-order.ts';
import { stallOf } from './stall.ts';
import { describeSubvolume, type Subvolume, subvolumePaths, subvolumeWorkFolder } from './subvolumes.ts';
import { untilDone } from './until-done.ts';

/** What runs meanwhile is shown, and may be broken off. */
export interface Watch {
  readonly show: () => void;
  readonly interrupted: () => boolean;
}

export interface SubvolumePair {
  readonly subvolume: Subvolume;
  /** Not there yet on the other side: it was sent, and is put in its place when the folder that holds it is there. */
  readonly sent: boolean;
}

/**
 * Sends what is missing on the other side and removes what is gone on this one. What an earlier, interrupted attempt has
 * sent is used: it need not be up to date, for the files are compared afterwards.
 * @returns every subvolume of `from`, outermost first
 */
export async function sendSubvolumes(
  host: Host,
  from: string,
  to: string,
  watch: Watch,
): Promise<SubvolumePair[]> {
  const wanted: Subvolume[] = [];
  for (const path of await subvolumePaths(host, from)) {
    const found = await describeSubvolume(host, from, path);
    if (found !== undefined) wanted.push(found);
  }
  const present = new Set(await subvolumePaths(host, to));
  const known = new Set(wanted.map(({ path }) => path));
  for (const path of [...present].filter((one) => !known.has(one)).reverse())
    await deleteSubvolume(host, to, path);
  const missing = wanted.filter(({ path }) => !present.has(path));
  for (const sending of sendingOrder(missing)) await sendOne(host, { from, to, ...sending }, watch);
  return wanted.map((subvolume) => ({ subvolume, sent: !present.has(subvolume.path) }));
}

async function sendOne(
  host: Host,
  { from, to, subvolume, relatives }: Sending & { readonly from: string; readonly to: string },
  watch: Watch,
): Promise<void> {
  const { path, uuid } = subvolume;
  const [here, there] = [workOf(from), workOf(to)];
  for (const folder of [here, there]) makeFolders(host.path(folder), 0o700);
  const still = join(here, uuid);
  const isWhole = (await describeSubvolume(host, there, uuid))?.received === true;
  if (isWhole && fs.existsSync(host.path(still))) return;
  for (const folder of [here, there]) await deleteSubvolume(host, folder, uuid);
  await host.run(['btrfs', 'subvolume', 'snapshot', '-r', '--', join(from, path), still], untilDone);
  const [parent, ...sources] = relatives.map((one) => join(here, one.uuid));
  const like = parent === undefined ? [] : ['-p', parent, ...sources.flatMap((source) => ['-c', source])];
  const pipe = join(there, 'pipe');
  fs.rmSync(host.path(pipe), { force: true });
  await host.run(['mkfifo', '--mode=600', '--', pipe], untilDone);
  const sending = await host.start(['btrfs', 'send', ...like, '-f', pipe, still]);
  const receiving = await host.start(['btrfs', 'receive', '-f', pipe, there]);
  await bothEnd(host, { from: join(from, path), to: there }, [sending, receiving], watch);
  fs.rmSync(host.path(pipe), { force: true });
}

async function bothEnd(
  host: Host,
  { from, to }: { readonly from: string; readonly to: string },
  children: readonly RunningProcess[],
  { show, interrupted }: Watch,
): Promise<void> {
  const endAll = async (): Promise<void> => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map(({ ended }) => ended));
  };
  const failed = new Promise<'failed'>((resolve) => {
    for (const { ended } of children)
      void ended.then((end) => (end === 'status 0' ? undefined : resolve('failed')));
  });
  const all = Promise.all(children.map(({ ended }) => ended)).then(() => 'ended' as const);
  const stalled = stallOf(
    host,
    children.map(({ pid }) => pid),
  );
  for (;;) {
    if (interrupted()) {
      await endAll();
      throw migrateFailure({ code: 'interrupted', step: `the end of the copy of ${from} to ${to}` });
    }
    const why = stalled();
    if (why !== undefined) {
      await endAll();
      throw migrateFailure({ code: 'copy-failed', from, to, why: `btrfs send and receive ${why}` });
    }
    show();
    const first = await Promise.race([failed, all, host.sleep(500)]);
    // One that waits for the other at the pipe would wait for ever.
    if (first === 'failed') await endAll();
    if (first !== undefined) break;
  }
  const ends = await Promise.all(children.map(({ ended }) => ended));
  if (ends.every((end) => end === 'status 0')) return;
  const [sent = '', received = ''] = children.map((child) => child.tail().trim());
  throw migrateFailure({
    code: 'copy-failed',
    from,
    to,
    why: `btrfs send ended with ${ends[0]}, btrfs receive with ${ends[1]}\n${sent}\n${received}`.trim(),
  });
}

/** Writable, whatever it is to be in the end; the folder that holds it must be there. */
export async function placeSubvolume(host: Host, to: string, { path, uuid }: Subvolume): Promise<void> {
  await makeWritable(host, to, surrounding(host, to, path));
  await host.run(['btrfs', 'subvolume', 'snapshot', '--', join(workOf(to), uuid), join(to, path)], untilDone);
}

/** The subvolume in which another one lies, as a path relative to the folder; '' for the folder itself. */
function surrounding(host: Host, folder: string, path: string): string {
  const parts = path.split('/').slice(0, -1);
  for (; parts.length > 0; parts.pop()) {
    const stat = fs.lstatSync(host.path(join(folder, ...parts)), { throwIfNoEntry: false });
    if (stat?.ino === 256) return parts.join('/');
  }
  return '';
}

export async function isReadOnly(host: Host, folder: string, path: string): Promise<boolean> {
  return path !== '' && (await describeSubvolume(host, folder, path))?.readOnly === true;
}

/** What another server has sent once is only made writable by force. */
export async function makeWritable(host: Host, folder: string, path: string): Promise<void> {
  if (!(await isReadOnly(host, folder, path))) return;
  const set = (force: readonly string[]) =>
    host.run(['btrfs', 'property', 'set', ...force, '-t', 'subvol', join(folder, path), 'ro', 'false'], {
      ...untilDone,
      accept: 'any',
    });
  const { status, stderr } = await set([]);
  if (status === 0 || (await set(['-f'])).status === 0) return;
  throw migrateFailure({
    code: 'copy-failed',
    from: join(folder, path),
    to: join(folder, path),
    why: `the subvolume stays read-only: ${stderr.toString('utf8').trim()}`,
  });
}

export async function makeReadOnly(host: Host, folder: string, path: string): Promise<void> {
  if (await isReadOnly(host, folder, path)) return;
  await host.run(['btrfs', 'property', 'set', '-t', 'subvol', join(folder, path), 'ro', 'true'], untilDone);
}

/** With all that lies in it. Nothing happens where there is none. */
export async function deleteSubvolume(host: Host, folder: string, path: string): Promise<void> {
  const full = join(folder, path);
  if (!fs.existsSync(host.path(full))) return;
  await makeWritable(host, folder, surrounding(host, folder, path));
  await emptyOfSubvolumes(host, full);
  await host.run(['btrfs', 'subvolume', 'delete', '--commit-after', '--', full], untilDone);
}

/** Deletes every subvolume below a folder, read-only ones as well: rm cannot do that. */
export async function emptyOfSubvolumes(host: Host, folder: string): Promise<void> {
  const paths = await subvolumePaths(host, folder);
  // What is in a read-only one can only be deleted when that is writable.
  for (const path of paths) await makeWritable(host, folder, path);
  for (const path of paths.toReversed())
    await host.run(['btrfs', 'subvolume', 'delete', '--commit-after', '--', join(folder, path)], untilDone);
}

/** Limits of size, which LXD and Incus set for their volumes: they are kept beside the subvolume, by its number. */
export async function copyQuotas(
  host: Host,
  from: string,
  to: string,
  paths: readonly string[],
): Promise<void> {
  let enabled = false;
  for (const path of paths) {
    const wanted = await quotasOf(host, join(from, path));
    const present = await quotasOf(host, join(to, path));
    for (const kind of ['referenced', 'exclusive'] as const) {
      const limit = wanted[kind] ?? 'none';
      if (limit === (present[kind] ?? 'none')) continue;
      if (!enabled) await host.run(['btrfs', 'quota', 'enable', to], untilDone);
      enabled = true;
      const option = kind === 'exclusive' ? ['-e'] : [];
      await host.run(['btrfs', 'qgroup', 'limit', ...option, limit, join(to, path)], untilDone);
    }
  }
}

interface Quotas {
  readonly referenced?: string;
  readonly exclusive?: string;
}

/** Bytes; none where the file system keeps no quotas. */
async function quotasOf(host: Host, path: string): Promise<Quotas> {
  const argv: Argv = ['btrfs', 'qgroup', 'show', '--raw', '-r', '-e', '-f', path];
  const { status, stdout, stderr } = await host.run(argv, { ...untilDone, accept: 'any' });
  if (status !== 0) {
    const words = stderr.toString('utf8');
    // btrfs-progs 5 and 6; those before 4.14 say that there is no tree of quotas.
    if (/quotas? not enabled|No such file or directory/.test(words)) return {};
    throw coreFailure({ code: 'command-failed', argv, status, stderr: words });
  }
  const [, referenced, exclusive] =
    /^0\/\d+\s+\d+\s+\d+\s+(\d+|none)\s+(\d+|none)\s/m.exec(`${stdout.toString('utf8')}\n`) ?? [];
  return {
    ...(referenced === undefined || referenced === 'none' ? {} : { referenced }),
    ...(exclusive === undefined || exclusive === 'none' ? {} : { exclusive }),
  };
}

/** Removes the snapshots that were taken to be sent, and what was received. */
export async function dropSubvolumeWork(host: Host, folder: string): Promise<void> {
  const work = workOf(folder);
  if (!fs.existsSync(host.path(work))) return;
  await emptyOfSubvolumes(host, work);
  fs.rmSync(host.path(work), { recursive: true, force: true });
}

export function workOf(folder: string): string {
  return join(folder, subvolumeWorkFolder);
}
