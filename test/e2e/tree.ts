// Describes every entry below a folder of a machine, and says in words how two such descriptions differ.

import type { Machine } from './machine/machine.ts';
import { machineFailure } from './machine/problem.ts';

export type EntryType = 'file' | 'folder' | 'link' | 'fifo' | 'socket' | 'character device' | 'block device';

export interface TreeEntry {
  readonly type: EntryType;
  /** Permission bits, octal. */
  readonly mode: string;
  readonly owner: string;
  /** Of files only: a folder's size is the file system's business. */
  readonly size: number | undefined;
  /** Seconds since 1970 with nine digits behind the point. */
  readonly modified: string;
  readonly sha256: string | undefined;
  readonly target: string | undefined;
  /** Hexadecimal major:minor of a device node. */
  readonly device: string | undefined;
  /** All namespaces, POSIX ACLs (system.posix_acl_*) among them; hexadecimal values, sorted by name. */
  readonly xattrs: string;
  /** The other names of the same file within the tree. */
  readonly hardLinks: string;
  /** Bytes that a file really takes up. */
  readonly allocated: number | undefined;
  readonly subvolume: 'writable' | 'read-only' | undefined;
}

/** By path relative to the folder, bytes as latin1; the folder itself is the empty path. */
export type Tree = ReadonlyMap<string, TreeEntry>;

export interface DescribeOptions {
  /** Absolute paths that are left out with all below them. */
  readonly skip?: readonly string[];
}

const limitMs = 120_000;

export async function describeTree(
  machine: Machine,
  path: string,
  options: DescribeOptions = {},
): Promise<Tree> {
  const prune = (options.skip ?? []).flatMap((skipped) => ['-path', skipped, '-prune', '-o']);
  const find = (...expression: string[]): Promise<Buffer> =>
    bytes(machine, ['find', path, ...prune, ...expression]);
  const piped = (test: readonly string[], command: string): Promise<Buffer> =>
    bytes(machine, [
      'bash',
      '-c',
      // The command is a constant of this file; paths are arguments.
      `set -o pipefail; find "$@" -print0 | xargs -0 -r ${command}`,
      'bash',
      path,
      ...prune,
      ...test,
    ]);
  const fields = ['%P', '%y', '%m', '%U:%G', '%s', '%T@', '%D', '%i', '%n', '%b', '%l'];
  const [entries, hashes, devices, attributes] = await Promise.all([
    find('-printf', fields.map((field) => `${field}\\0`).join('')),
    piped(['-type', 'f'], 'sha256sum --zero --binary'),
    piped(['(', '-type', 'b', '-o', '-type', 'c', ')'], "stat --printf '%t:%T %n\\0'"),
    piped([], 'getfattr --no-dereference --dump --match=- --encoding=hex --absolute-names'),
  ]);
  const rows = parseEntries(entries, fields.length);
  const relative = (absolute: string): string => absolute.slice(latin1(path).length + 1);
  const bySum = parseNamed(hashes, /^([0-9a-f]{64}) [ *](.*)$/s, relative);
  const byDevice = parseNamed(devices, /^([0-9a-f]+:[0-9a-f]+) (.*)$/s, relative);
  const byAttribute = parseAttributes(attributes.toString('latin1'), relative);
  const readOnly = await readOnlySubvolumes(
    machine,
    path,
    rows.filter(isSubvolume(rows)).map((row) => row.path),
  );
  const groups = Map.groupBy(
    rows.filter((row) => row.type !== 'folder' && row.links > 1),
    (row) => `${row.deviceNumber}:${row.inode}`,
  );
  const subvolume = isSubvolume(rows);
  return new Map(
    rows.map((row): [string, TreeEntry] => [
      row.path,
      {
        type: row.type,
        mode: row.mode,
        owner: row.owner,
        size: row.type === 'file' ? row.size : undefined,
        modified: row.modified,
        sha256: bySum.get(row.path),
        target: row.type === 'link' ? row.target : undefined,
        device: byDevice.get(row.path),
        xattrs: byAttribute.get(row.path) ?? '',
        hardLinks: (groups.get(`${row.deviceNumber}:${row.inode}`) ?? [])
          .map((other) => other.path)
          .filter((other) => other !== row.path)
          .sort()
          .join('\0'),
        allocated: row.type === 'file' ? row.blocks * 512 : undefined,
        subvolume: subvolume(row) ? (readOnly.has(row.path) ? 'read-only' : 'writable') : undefined,
      },
    ]),
  );
}

interface Row {
  readonly path: string;
  readonly type: EntryType;
  readonly mode: string;
  readonly owner: string;
  readonly size: number;
  readonly modified: string;
  readonly deviceNumber: string;
  readonly inode: string;
  readonly links: number;
  readonly blocks: number;
  readonly target: string;
}

const types: Readonly<Record<string, EntryType>> = {
  f: 'file',
  d: 'folder',
  l: 'link',
  p: 'fifo',
  s: 'socket',
  c: 'character device',
  b: 'block device',
};

async function bytes(machine: Machine, argv: [string, ...string[]]): Promise<Buffer> {
  const { stdout } = await machine.execBytes(argv, { timeoutMs: limitMs });
  return stdout;
}

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function parseEntries(output: Buffer, width: number): Row[] {
  const cells = output.toString('latin1').split('\0');
  cells.pop();
  if (cells.length % width !== 0)
    throw machineFailure({ code: 'unexpected-output', what: 'find', text: output.toString('utf8') });
  const rows: Row[] = [];
  for (let at = 0; at < cells.length; at += width) {
    const [
      path = '',
      letter = '',
      mode = '',
      owner = '',
      size,
      modified = '',
      deviceNumber = '',
      inode = '',
    ] = cells.slice(at, at + width);
    const [links, blocks, target = ''] = cells.slice(at + 8, at + width);
    const type = types[letter];
    if (type === undefined)
      throw machineFailure({ code: 'unexpected-output', what: 'find', text: `type ${letter} of ${path}` });
    rows.push({
      ...{ path, type, mode, owner, size: Number(size), modified, deviceNumber, inode },
      ...{ links: Number(links), blocks: Number(blocks), target },
    });
  }
  return rows;
}

/** The root of a btrfs subvolume has inode 256 (btrfs-tree.h) and a device number of its own. */
function isSubvolume(rows: readonly Row[]): (row: Row) => boolean {
  const devices = new Map(rows.map((row) => [row.path, row.deviceNumber]));
  return (row) => {
    if (row.type !== 'folder' || row.inode !== '256' || row.path === '') return false;
    const parent = row.path.includes('/') ? row.path.slice(0, row.path.lastIndexOf('/')) : '';
    return devices.get(parent) !== row.deviceNumber;
  };
}

async function readOnlySubvolumes(
  machine: Machine,
  path: string,
  paths: readonly string[],
): Promise<ReadonlySet<string>> {
  if (paths.length === 0) return new Set();
  const script = 'for path; do btrfs property get -ts "$path" ro || echo none; done';
  const absolute = paths.map((one) => `${path}/${Buffer.from(one, 'latin1').toString('utf8')}`);
  const { stdout } = await machine.exec(['bash', '-c', script, 'bash', ...absolute], { timeoutMs: limitMs });
  const answers = stdout.trimEnd().split('\n');
  return new Set(paths.filter((_, index) => answers[index] === 'ro=true'));
}

function parseNamed(
  output: Buffer,
  pattern: RegExp,
  relative: (absolute: string) => string,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of output.toString('latin1').split('\0')) {
    const [, value, path] = pattern.exec(entry) ?? [];
    if (value !== undefined && path !== undefined) found.set(relative(path), value);
    else if (entry !== '')
      throw machineFailure({ code: 'unexpected-output', what: 'a listing', text: entry });
  }
  return found;
}

/** getfattr writes `# file: PATH`, its attributes and an empty line; it escapes bytes of the path as octal. */
export function parseAttributes(
  output: string,
  relative: (absolute: string) => string,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const block of output.split('\n\n')) {
    const [head = '', ...attributes] = block.split('\n').filter((line) => line !== '');
    if (!head.startsWith('# file: ')) continue;
    const path = head
      .slice('# file: '.length)
      .replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    found.set(relative(path), attributes.sort().join(' '));
  }
  return found;
}

export type TreeField = keyof TreeEntry;

export interface CompareOptions {
  /** Differences not to speak of; `field` is `present` where one side lacks the entry. */
  readonly ignore?: (path: string, field: TreeField | 'present') => boolean;
}

/** Differences in words, by path; empty when there are none. */
export function compareTrees(before: Tree, after: Tree, options: CompareOptions = {}): string[] {
  const ignored = options.ignore ?? (() => false);
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const a = before.get(path);
    const b = after.get(path);
    const shown = JSON.stringify(readable(path));
    if (a === undefined || b === undefined)
      return ignored(path, 'present') ? [] : [`${shown} is ${a === undefined ? 'new' : 'missing'}`];
    return (Object.keys(a) as TreeField[]).flatMap((field) =>
      ignored(path, field) || same(a, b, field)
        ? []
        : [`${shown}: ${field} was ${show(a[field])}, is ${show(b[field])}`],
    );
  });
}

/** How a file system lays out a file may differ a little; a hole that was filled does not pass for that. */
const allocationSlack = 64 * 1024;

function same(a: TreeEntry, b: TreeEntry, field: TreeField): boolean {
  if (field !== 'allocated') return a[field] === b[field];
  return (b.allocated ?? 0) <= (a.allocated ?? 0) * 1.25 + allocationSlack;
}

function readable(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}

function show(value: string | number | undefined): string {
  return value === undefined || value === ''
    ? 'none'
    : JSON.stringify(typeof value === 'string' ? readable(value) : value);
}
