// Reads /etc/subuid and /etc/subgid of a host, which may be anything: missing, links, pipes, huge.
import * as fs from 'node:fs';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';
import { parseSubids, type Subids } from './parse-subid.ts';

export const idMapFiles = { uid: '/etc/subuid', gid: '/etc/subgid' } as const;

export type IdKind = keyof typeof idMapFiles;
export const idKinds: readonly IdKind[] = ['uid', 'gid'];

/** Half a million users with a range each. */
export const subidLimit = 16 * 1024 * 1024;

export type SubidFile =
  | { readonly is: 'absent' }
  | { readonly is: 'unreadable'; readonly why: string }
  | { readonly is: 'read'; readonly text: string; readonly subids: Subids };

export type SubidFiles = Readonly<Record<IdKind, SubidFile>>;

export function readSubids(host: Host): SubidFiles {
  return { uid: readOne(host, idMapFiles.uid), gid: readOne(host, idMapFiles.gid) };
}

function readOne(host: Host, file: string): SubidFile {
  const path = host.path(file);
  try {
    return withText(readRegularFile(path, { limit: subidLimit, links: 'follow' }).toString('latin1'));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT')
      // Both daemons look with lstat whether it is there, and then cannot open a link that leads nowhere.
      return isLink(path) ? { is: 'unreadable', why: 'it is a link that leads nowhere' } : { is: 'absent' };
    if (error instanceof Failure) return { is: 'unreadable', why: error.explanation.what };
    if (code === undefined) throw error;
    return { is: 'unreadable', why: code };
  }
}

export function withText(text: string): SubidFile {
  return { is: 'read', text, subids: parseSubids(text) };
}

function isLink(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}
