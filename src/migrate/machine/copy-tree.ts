// Copies a folder with everything in it, again and again until both are the same: by rsync, btrfs send for subvolumes, and
// chattr for what they leave out.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { coreFailure } from '../../core/core-problem.ts';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { inArguments } from '../../core/in-arguments.ts';
import type { Argv } from '../../core/run.ts';
import { formatBytes, formatDuration } from '../../core/text.ts';
import { migrateFailure } from '../problem.ts';
import {
  copyQuotas,
  dropSubvolumeWork,
  emptyOfSubvolumes,
  isReadOnly,
  makeReadOnly,
  makeWritable,
  placeSubvolume,
  type SubvolumePair,
  sendSubvolumes,
  workOf,
} from './copy-subvolumes.ts';
import { stallOf } from './stall.ts';
import { subvolumeWorkFolder } from './subvolumes.ts';
import { syncFileSystem } from './sync-file-system.ts';
import { untilDone } from './until-done.ts';

export interface CopyOptions {
  /** Bytes that it will take, where that is known. */
  readonly bytes?: number;
  readonly say: (text: string) => void;
  readonly interrupted: () => boolean;
}

/** How often both sides are compared and mended before it is given up. */
const comparisons = 3;

/**
 * Makes `to` (a folder that exists) the same as `from`: owners by number, modes, times, hard links, ACLs, extended
 * attributes, holes, devices. What is mounted inside is not followed, and `lost+found` left alone. It can be broken off
 * and called again; what is there already is compared by its content, for a power cut may leave files of the right
 * size without it.
 * @throws {Failure<MigrateProblem>} copy-failed, interrupted
 */
export async function copyTree(host: Host, from: string, to: string, options: CopyOptions): Promise<void> {
  await endCopies(host, to);
  const pairs = await copyAll(host, from, to, options, []);
  for (let round = 1; ; round += 1) {
    const compared = (): void => options.say(`comparing every file, round ${round}`);
    let changed = '';
    for (const part of partsOf(pairs))
      changed += await mend(host, part, { from, to, show: compared, options, accept: [] });
    if (changed === '') break;
    if (round === comparisons)
      throw migrateFailure({
        code: 'copy-failed',
        from,
        to,
        why: `both sides go on differing:\n${lastLines(changed)}`,
      });
  }
  await copyFlags(host, from, to);
  await copyQuotas(
    host,
    from,
    to,
    pairs.map(({ subvolume }) => subvolume.path),
  );
  for (const { subvolume } of pairs) if (subvolume.readOnly) await makeReadOnly(host, to, subvolume.path);
  for (const side of [to, from]) await dropSubvolumeWork(host, side);
  await syncFileSystem(host, to);
}

/**
 * Once, from a folder that is in use: what changes or goes away meanwhile is for copyTree. What it needs to go on with
 * subvolumes stays on both sides: dropCopyWork removes it.
 * @throws {Failure<MigrateProblem>} copy-failed, interrupted
 */
export async function copyOnce(host: Host, from: string, to: string, options: CopyOptions): Promise<void> {
  await endCopies(host, to);
  // 23 and 24: some files could not be read any more (rsync(1), EXIT VALUES).
  await copyAll(host, from, to, options, ['status 23', 'status 24']);
}

/** Removes what copyOnce keeps on the side that it copies from. */
export const dropCopyWork = dropSubvolumeWork;

/** Each subvolume after the one that holds it, by whose copy its place is made. */
async function copyAll(
  host: Host,
  from: string,
  to: string,
  options: CopyOptions,
  accept: readonly string[],
): Promise<readonly SubvolumePair[]> {
  const show = barOf(host, to, options);
  const { interrupted } = options;
  const pairs = await sendSubvolumes(host, from, to, { show, interrupted });
  for (const part of partsOf(pairs)) {
    if (part.sent) await placeSubvolume(host, to, part.subvolume);
    await mend(host, part, { from, to, show, options, accept, quick: true });
  }
  return pairs;
}

/** Of a folder, its own files and those of each subvolume. */
type Part =
  | { readonly path: ''; readonly alone: boolean; readonly sent: false }
  | ({ readonly path: string; readonly alone: false } & SubvolumePair);

function partsOf(pairs: readonly SubvolumePair[]): Part[] {
  return [
    { path: '', alone: pairs.length === 0, sent: false },
    ...pairs.map((pair): Part => ({ path: pair.subvolume.path, alone: false, ...pair })),
  ];
}

interface Mending {
  readonly from: string;
  readonly to: string;
  readonly show: () => void;
  readonly options: CopyOptions;
  readonly accept: readonly string[];
  /** By size and time; otherwise by content. */
  readonly quick?: boolean;
}

/** Makes one part the same. @returns what differed; of a quick one nothing is known */
async function mend(
  host: Host,
  { path, alone }: Part,
  { from, to, show, options, accept, quick = false }: Mending,
): Promise<string> {
  const side = (folder: string): string => (path === '' ? folder : join(folder, path));
  const compare = quick ? [] : ['--checksum', '--itemize-changes'];
  const more = [
    // Subvolumes have their own turn: twice, it leaves them out instead of making a folder.
    ...(alone ? [] : ['--one-file-system']),
    ...(path === '' && !alone ? [`--exclude=/${subvolumeWorkFolder}`] : []),
  ];
  if (await isReadOnly(host, to, path)) {
    const look = ['--dry-run', '--checksum', '--itemize-changes', ...more];
    const differs = await rsync(host, side(from), side(to), look, show, options, accept);
    if (differs === '') return '';
    await makeWritable(host, to, path);
  }
  const printed = await rsync(host, side(from), side(to), [...compare, ...more], show, options, accept);
  return quick ? '' : printed;
}

/** @returns what it printed */
async function rsync(
  host: Host,
  from: string,
  to: string,
  more: readonly string[],
  show: () => void,
  { interrupted }: CopyOptions,
  accept: readonly string[] = [],
): Promise<string> {
  const argv: Argv = [
    ...([
      'rsync',
      '-aHAXS',
      '--numeric-ids',
      '--delete',
      '--one-file-system',
      '--exclude=/lost+found',
    ] as const),
    ...more,
    '--',
    `${from}/`,
    `${to}/`,
  ];
  const child = await host.start(argv);
  const stalled = stallOf(host, [child.pid]);
  while (!child.hasEnded()) {
    if (interrupted()) {
      child.kill('SIGTERM');
      await child.ended;
      throw migrateFailure({ code: 'interrupted', step: `the end of the copy of ${from} to ${to}` });
    }
    const why = stalled();
    if (why !== undefined) {
      child.kill('SIGKILL');
      await child.ended;
      throw migrateFailure({ code: 'copy-failed', from, to, why: `rsync ${why}` });
    }
    show();
    await Promise.race([child.ended, host.sleep(500)]);
  }
  const ended = await child.ended;
  const printed = child.tail().trim();
  if (ended !== 'status 0' && !accept.includes(ended))
    throw migrateFailure({
      code: 'copy-failed',
      from,
      to,
      why: `rsync ended with ${ended}\n${lastLines(printed)}`,
    });
  return printed;
}

function lastLines(text: string): string {
  return text.split('\n').slice(-10).join('\n');
}

/** Of a run that was killed its rsync, or its btrfs, may still be at work on the same folder. */
export async function endCopies(host: Host, to: string): Promise<void> {
  const isOurs = ([command = '', ...args]: readonly string[]): boolean =>
    (/(^|\/)rsync$/.test(command) && args.at(-1)?.startsWith(`${to}/`) === true) ||
    (/(^|\/)btrfs$/.test(command) && args.some((argument) => argument.startsWith(`${workOf(to)}/`)));
  const find = () => host.processes().filter(({ argv }) => isOurs(argv));
  const end = host.clock() + 10_000;
  for (let left = find(); left.length > 0 && host.clock() < end; left = find()) {
    for (const { pid } of left) host.signal(pid, 'SIGKILL');
    await host.sleep(50);
  }
}

/** The file system itself says how much has arrived, hard links and holes included. */
function barOf(host: Host, to: string, { bytes, say }: CopyOptions): () => void {
  const used = (): number => {
    const { blocks, bfree, bsize } = fs.statfsSync(host.path(to));
    return (blocks - bfree) * bsize;
  };
  const [first, begun] = [used(), host.clock()];
  return () => {
    const done = Math.max(0, used() - first);
    say(bytes === undefined ? `${formatBytes(done)} more` : progressBar(done, bytes, host.clock() - begun));
  };
}

export function progressBar(done: number, total: number, elapsedMs: number): string {
  const part = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(part * 20);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(20 - filled)}]`;
  const left = part > 0.01 ? `, ${formatDuration((elapsedMs / part) * (1 - part))} left` : '';
  return `${bar} ${Math.floor(part * 100)} % ${formatBytes(done)} of ${formatBytes(total)}${left}`;
}

/** What chattr can set, as lsattr shows it; the others describe how the file system stores the file. */
const settable = /[^aAdDijsStTu]/g;

/** Flags of files (immutable, append-only, …) and their project ids: rsync knows neither. */
async function copyFlags(host: Host, from: string, to: string): Promise<void> {
  if (host.which('lsattr') === undefined || host.which('chattr') === undefined) return;
  for (const part of parts(host, from)) await copyFlagsOf(host, `${from}/${part}`, `${to}/${part}`);
}

/** One volume at a time: all files of a large server at once are too many for the memory. */
function parts(host: Host, folder: string): string[] {
  const below = (path: string): string[] =>
    fs.statSync(host.path(`${folder}/${path}`)).isDirectory()
      ? fs.readdirSync(host.path(`${folder}/${path}`)).map((name) => `${path}/${name}`)
      : [path];
  return fs
    .readdirSync(host.path(folder))
    .filter((name) => name !== 'lost+found')
    .flatMap((name) => (name === 'storage-pools' ? below(name).flatMap(below).flatMap(below) : [name]))
    .filter((path) => fs.lstatSync(host.path(`${folder}/${path}`)).isDirectory());
}

async function copyFlagsOf(host: Host, from: string, to: string): Promise<void> {
  const wanted = await flagsOf(host, from);
  if (wanted.size === 0) return;
  const present = await flagsOf(host, to);
  const bySettings = new Map<string, { readonly settings: string[]; readonly paths: string[] }>();
  for (const [path, { flags, project }] of wanted) {
    const now = present.get(path);
    const missing = [...flags].filter((flag) => now?.flags.includes(flag) !== true).join('');
    const settings = [
      ...(project === (now?.project ?? '0') ? [] : ['-p', project]),
      ...(missing === '' ? [] : [`+${missing}`]),
    ];
    if (settings.length === 0) continue;
    const alike = bySettings.get(settings.join(' ')) ?? { settings, paths: [] };
    bySettings.set(settings.join(' '), alike);
    alike.paths.push(`${to}${path}`);
  }
  // With limits of size every file of a volume has a project id: one command a file would take hours.
  for (const { settings, paths } of bySettings.values())
    for (const some of inArguments(paths)) await host.run(['chattr', ...settings, '--', ...some], untilDone);
}

/** errno of the ioctl (FS_IOC_GETFLAGS) where there are no flags; and ENOENT. */
const withoutFlags =
  /: (?:Operation not supported|Inappropriate ioctl for device|Function not implemented|Invalid argument|No such file or directory) /;

interface Flags {
  readonly flags: string;
  readonly project: string;
}

/** By path below the folder, '' for itself; a file system without flags has none. */
async function flagsOf(host: Host, folder: string): Promise<Map<string, Flags>> {
  const argv: Argv = ['lsattr', '-R', '-a', '-p', '--', folder];
  const { status, stdout, stderr } = await host.run(argv, {
    ...untilDone,
    accept: 'any',
    maxOutputBytes: 2 ** 30,
  });
  // It says so of each file that can have none (links, pipes, other file systems), and of each that went away.
  const serious = stderr
    .toString('latin1')
    .split('\n')
    .filter((line) => line.trim() !== '' && !withoutFlags.test(line));
  if (serious.length > 0)
    throw coreFailure({ code: 'command-failed', argv, status, stderr: serious.join('\n') });
  const found = new Map<string, Flags>();
  for (const line of stdout.toString('latin1').split('\n')) {
    const [, project, flags, path] = /^ *(\d+) ([-a-zA-Z]+) (\/.*)$/.exec(line) ?? [];
    if (project === undefined || flags === undefined || path === undefined) continue;
    const name = Buffer.from(path, 'latin1').toString('utf8');
    if (!name.startsWith(`${folder}/`) || name.endsWith('/..')) continue;
    const kept = flags.replace(settable, '');
    if (kept !== '' || project !== '0')
      found.set(name.slice(folder.length).replace(/\/\.$/, ''), { flags: kept, project });
  }
  return found;
}

/** Removes a folder, or with `keepFolder` all that is in it but lost+found; also what is immutable. */
export async function dropTree(host: Host, path: string, keepFolder: boolean): Promise<void> {
  const folder = host.path(path);
  if (!fs.existsSync(folder)) return;
  await dropSubvolumeWork(host, path);
  await emptyOfSubvolumes(host, path);
  const names = keepFolder ? fs.readdirSync(folder).filter((name) => name !== 'lost+found') : [''];
  for (const name of names) await dropOne(host, name === '' ? path : `${path}/${name}`);
}

async function dropOne(host: Host, path: string): Promise<void> {
  const remove = (): void => fs.rmSync(host.path(path), { recursive: true, force: true });
  try {
    remove();
  } catch (error) {
    if (systemErrorCode(error) !== 'EPERM') throw error;
    await host.run(['chattr', '-R', '-f', '-i', '-a', '--', path], { ...untilDone, accept: 'any' });
    remove();
  }
}
