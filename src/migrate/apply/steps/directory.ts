// The step that writes down what LXD's directory looks like, so that a rollback can put back what Incus changes in it.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { syncFolder, writeFileDurable } from '../../../core/durable.ts';
import { Failure, systemErrorCode } from '../../../core/failure.ts';
import { parseJson } from '../../../core/parse.ts';
import { readRegularFile } from '../../../core/read-regular-file.ts';
import type { Step } from '../../model/step.ts';
import { textSchema } from '../../model/step-schema.ts';
import type { StepHandler } from '../step-handler.ts';

const id = z.int().min(0).max(0xffff_ffff);

const entrySchema = z
  .strictObject({
    /** Relative to the directory, and inside of it. */
    path: textSchema.refine((path) => !path.startsWith('/') && !path.split('/').includes('..')),
    type: z.enum(['folder', 'link', 'file', 'other']),
    mode: z.int().min(0).max(0o7777),
    uid: id,
    gid: id,
    target: textSchema.exactOptional(),
    /** Base64 of a small file in a folder that Incus writes to. */
    content: z.base64().exactOptional(),
  })
  .readonly();
type Entry = z.infer<typeof entrySchema>;

const entriesSchema = z.array(entrySchema).readonly();
/** Of what is written down of the largest servers, some ten times over. */
const recordLimit = 256 * 1024 * 1024;

/**
 * Folders whose content belongs to the daemon: written down whole, and put back whole. What people put into pools,
 * images and backups is not among them: of those only the folders themselves are written down.
 */
const daemonFolders = ['networks', 'security', 'devices'];
/**
 * Folders of links to where instances lie, put back by name. Where somebody has a real folder in place of a link, what
 * is in it is an instance's.
 */
const linkFolders = ['containers', 'virtual-machines', 'snapshots', 'virtual-machines-snapshots'];
/** Folders whose entries are written down, but not what is below those. */
const shallowFolders = ['disks', 'images', 'backups', 'storage-pools'];
const contentLimit = 256 * 1024;

export const recordDirectoryStep: StepHandler<Extract<Step, { kind: 'record-directory' }>> = {
  apply({ step, context: { host } }) {
    const file = host.path(step.into);
    if (fs.existsSync(file)) return;
    writeFileDurable(file, JSON.stringify(describe(host.path(step.directory))), 0o600);
  },
  /** Everything that moved is back in its place by now, and LXD does not run yet. */
  undo({ step, context: { host, say, leaveOpen } }) {
    const file = host.path(step.into);
    if (!fs.existsSync(file)) return;
    const before = readRecord(file);
    // LXD starts without it, and that counts more.
    if (typeof before === 'string')
      return leaveOpen(
        `what Incus changed of owners, modes and its own files in ${step.directory} is not put back, since ${step.into} cannot be understood: ${before}`,
      );
    const root = host.path(step.directory);
    const removed = removeNew(root, before);
    for (const entry of before) restore(root, entry);
    if (removed.length > 0) say(`removed what Incus had made: ${removed.length} entries`);
  },
};

/** @returns why not, where it cannot be read */
function readRecord(file: string): readonly Entry[] | string {
  try {
    const text = readRegularFile(file, { limit: recordLimit, links: 'refuse' }).toString('utf8');
    const parsed = parseJson(entriesSchema, text);
    return 'value' in parsed ? parsed.value : parsed.why;
  } catch (error) {
    if (error instanceof Failure) return error.explanation.what;
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

function describe(root: string): Entry[] {
  const entries: Entry[] = [entryOf(root, '', false)];
  for (const name of fs.readdirSync(root).sort()) {
    // The database moves as a whole and is never touched.
    if (name === 'database') continue;
    entries.push(entryOf(root, name, false));
    if (daemonFolders.includes(name)) walk(root, name, Number.POSITIVE_INFINITY, true, entries);
    else if (linkFolders.includes(name)) walk(root, name, 1, true, entries);
    // A pool's own folders (containers, custom, …) have modes that Incus changes; what is in them has not.
    else if (shallowFolders.includes(name))
      walk(root, name, name === 'storage-pools' ? 2 : 1, false, entries);
  }
  return entries;
}

function walk(root: string, folder: string, depth: number, withContent: boolean, into: Entry[]): void {
  const full = join(root, folder);
  if (depth === 0 || !fs.lstatSync(full).isDirectory()) return;
  for (const name of fs.readdirSync(full).sort()) {
    const path = join(folder, name);
    const entry = entryOf(root, path, withContent);
    into.push(entry);
    if (entry.type === 'folder') walk(root, path, depth - 1, withContent, into);
  }
}

function entryOf(root: string, path: string, withContent: boolean): Entry {
  const full = join(root, path);
  const stat = fs.lstatSync(full);
  const common = { path, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
  if (stat.isSymbolicLink()) return { ...common, type: 'link', target: fs.readlinkSync(full) };
  if (stat.isDirectory()) return { ...common, type: 'folder' };
  if (!stat.isFile()) return { ...common, type: 'other' };
  return withContent && stat.size <= contentLimit
    ? { ...common, type: 'file', content: fs.readFileSync(full).toString('base64') }
    : { ...common, type: 'file' };
}

/** Folders at the top that only Incus makes. */
const foldersOfTarget = ['guestapi', 'containers-snapshots'];

function removeNew(root: string, before: readonly Entry[]): string[] {
  const known = new Set(before.map(({ path }) => path));
  const removed: string[] = [];
  const now = describe(root);
  // Deepest first, so that a folder is empty when its turn comes.
  for (const { path, type } of now.toReversed()) {
    if (known.has(path) || path === '') continue;
    const [top = '', ...below] = path.split('/');
    const full = join(root, path);
    let isGone = false;
    if ([...daemonFolders, ...linkFolders].includes(top) && known.has(top)) {
      if (type === 'folder') isGone = removeFolder(full);
      else {
        fs.rmSync(full, { force: true });
        isGone = true;
      }
    } else if (foldersOfTarget.includes(path) && type === 'folder') {
      for (const name of fs.readdirSync(full)) removeSocket(join(full, name));
      isGone = removeFolder(full);
    } else if (top === 'storage-pools' && below.length === 2 && type === 'folder') {
      isGone = removeFolder(full);
    } else if (below.length === 0) isGone = removeSocket(full);
    if (isGone) removed.push(path);
  }
  return removed;
}

/** Only an empty one: what somebody put there stays. */
function removeFolder(path: string): boolean {
  if (fs.readdirSync(path).length > 0) return false;
  fs.rmdirSync(path);
  return true;
}

/** Incus and its socket units make them (`unix.socket.user`), and leave them when they stop; nothing of anybody is in one. */
function removeSocket(path: string): boolean {
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  fs.rmSync(path, { force: true });
  return true;
}

function restore(root: string, entry: Entry): void {
  const full = join(root, entry.path);
  let now = fs.lstatSync(full, { throwIfNoEntry: false });
  // A pool's folders are there only while it is mounted, and what a daemon makes for itself it makes again.
  if (now === undefined) {
    restoreMissing(full, entry);
    return;
  }
  if (entry.type === 'file' && entry.content !== undefined && now.isFile()) {
    const content = Buffer.from(entry.content, 'base64');
    if (!fs.readFileSync(full).equals(content)) {
      writeFileDurable(full, content, entry.mode);
      // It is another file now, of this process's user.
      now = fs.lstatSync(full);
    }
  }
  if (entry.type === 'other' || now.isSymbolicLink() || (entry.type === 'folder') !== now.isDirectory())
    return;
  const hasOwner = now.uid === entry.uid && now.gid === entry.gid;
  if (!hasOwner) fs.chownSync(full, entry.uid, entry.gid);
  // A change of owner takes setuid and setgid away.
  if (!hasOwner || (now.mode & 0o7777) !== entry.mode) fs.chmodSync(full, entry.mode);
}

function restoreMissing(full: string, entry: Entry): void {
  if (!fs.existsSync(dirname(full))) return;
  if (entry.type === 'folder') fs.mkdirSync(full, { mode: entry.mode });
  else if (entry.type === 'link' && entry.target !== undefined) fs.symlinkSync(entry.target, full);
  else if (entry.type === 'file' && entry.content !== undefined)
    writeFileDurable(full, Buffer.from(entry.content, 'base64'), entry.mode);
  else return;
  if (entry.type === 'link') fs.lchownSync(full, entry.uid, entry.gid);
  else {
    fs.chownSync(full, entry.uid, entry.gid);
    fs.chmodSync(full, entry.mode);
  }
  syncFolder(dirname(full));
}
