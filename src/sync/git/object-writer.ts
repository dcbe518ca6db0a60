// Names objects as git does, and keeps what was made here until it is written out as one pack.
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { run } from '../../core/run.ts';
import { gitEnvironment } from './git-environment.ts';
import type { ObjectType } from './object-reader.ts';
import type { Folder, Objects } from './objects.ts';
import { timeLimit } from './time-limit.ts';
import { fileMode, formatTree, type TreeEntry } from './tree.ts';

export interface ObjectWriter {
  put(type: ObjectType, data: Buffer): string;
  /** Writes everything that was put since the last call into the repository. */
  flush(gitDir: string): Promise<void>;
  /** Forgets what was put since the last call: only its name was wanted. */
  discard(): void;
}

export function hashObject(type: ObjectType, data: Buffer): string {
  return createHash('sha1').update(`${type} ${data.length}\0`).update(data).digest('hex');
}

const packTypes: Readonly<Record<ObjectType, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 };

/** What is put can be read back through `objects` at once, written or not. */
export function createObjectWriter(objects: Objects): ObjectWriter {
  let made = new Map<string, { readonly type: ObjectType; readonly data: Buffer }>();
  const discard = (): void => {
    for (const sha of made.keys()) objects.forget(sha);
    made = new Map();
  };
  return {
    put(type, data) {
      const sha = hashObject(type, data);
      if (!made.has(sha)) {
        made.set(sha, { type, data });
        objects.remember(sha, type, data);
      }
      return sha;
    },
    async flush(gitDir) {
      if (made.size === 0) return;
      const pack = formatPack([...made.values()]);
      await run(['git', `--git-dir=${gitDir}`, 'unpack-objects', '-q'], {
        // One file an object, each of which may have to reach the disk.
        timeoutMs: timeLimit(120_000, made.size, 50) + timeLimit(0, pack.length, 1 / 1024),
        env: gitEnvironment,
        input: pack,
      });
      discard();
    },
    discard,
  };
}

/** A pack of whole objects (gitformat-pack: header, objects, SHA-1 of it all). */
function formatPack(objects: readonly { readonly type: ObjectType; readonly data: Buffer }[]): Buffer {
  const header = Buffer.alloc(12);
  header.write('PACK');
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(objects.length, 8);
  const body = Buffer.concat([
    header,
    ...objects.flatMap(({ type, data }) => [objectHeader(packTypes[type], data.length), deflateSync(data)]),
  ]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

function objectHeader(type: number, size: number): Buffer {
  const bytes: number[] = [];
  let first = (type << 4) | (size & 15);
  let rest = Math.floor(size / 16);
  while (rest > 0) {
    bytes.push(first | 0x80);
    first = rest & 0x7f;
    rest = Math.floor(rest / 128);
  }
  bytes.push(first);
  return Buffer.from(bytes);
}

/** Files to set in a tree; undefined deletes. */
export type TreeEdits = ReadonlyMap<string, { readonly mode: string; readonly sha: string } | undefined>;

/** The tree with the edits applied; folders that become empty disappear. */
export async function editTree(
  objects: Objects,
  writer: ObjectWriter,
  tree: string,
  edits: TreeEdits,
): Promise<string> {
  return (await editFolder(objects, writer, tree, edits)) ?? writer.put('tree', Buffer.alloc(0));
}

async function editFolder(
  objects: Objects,
  writer: ObjectWriter,
  tree: string | undefined,
  edits: TreeEdits,
): Promise<string | undefined> {
  const before: Folder = tree === undefined ? new Map() : await objects.folder(tree);
  const entries = new Map<string, TreeEntry>(before);
  const inner = new Map<string, Map<string, { readonly mode: string; readonly sha: string } | undefined>>();
  for (const [path, edit] of edits) {
    const slash = path.indexOf('/');
    if (slash < 0) {
      if (edit === undefined) entries.delete(path);
      else entries.set(path, { ...edit, name: path });
      continue;
    }
    const name = path.slice(0, slash);
    const group = inner.get(name) ?? new Map();
    group.set(path.slice(slash + 1), edit);
    inner.set(name, group);
  }
  for (const [name, group] of inner) {
    const entry = entries.get(name);
    const child = await editFolder(
      objects,
      writer,
      entry?.mode === fileMode.tree ? entry.sha : undefined,
      group,
    );
    if (child === undefined) {
      if (entry?.mode === fileMode.tree) entries.delete(name);
    } else entries.set(name, { mode: fileMode.tree, name, sha: child });
  }
  if (entries.size === 0) return undefined;
  return writer.put('tree', formatTree([...entries.values()]));
}
