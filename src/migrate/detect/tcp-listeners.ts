// Where a process listens on TCP, from /proc alone: asked are neither it nor anybody else.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';

export interface TcpAddress {
  /** As it is written in an address with a port: `192.0.2.1`, `[::]`. */
  readonly host: string;
  readonly port: number;
}

/** /proc/PID/net is that of the process's own network; TCP_LISTEN is state 0A (include/net/tcp_states.h). */
export function tcpListeners(host: Host, pid: number): TcpAddress[] {
  const sockets = socketsOf(host, pid);
  if (sockets.size === 0) return [];
  return ['tcp', 'tcp6'].flatMap((kind) =>
    textOf(host.path(`/proc/${pid}/net/${kind}`))
      .split('\n')
      .flatMap((line) => {
        const [, address = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
        const parsed = state === '0A' && sockets.has(inode) ? parseAddress(address) : undefined;
        return parsed === undefined ? [] : [parsed];
      }),
  );
}

/** Inodes; none where the process ended, or is not ours to see. */
function socketsOf(host: Host, pid: number): Set<string> {
  const folder = host.path(`/proc/${pid}/fd`);
  const inodes = new Set<string>();
  for (const name of orNothing(() => fs.readdirSync(folder)) ?? []) {
    const inode = /^socket:\[(\d+)\]$/.exec(orNothing(() => fs.readlinkSync(join(folder, name))) ?? '')?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  return inodes;
}

function textOf(path: string): string {
  const read = (): string =>
    readRegularFile(path, { limit: 64 * 1024 * 1024, links: 'follow' }).toString('latin1');
  return orNothing(read) ?? '';
}

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Failure || systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}

/** `0100007F:20FB`: words of 32 bits, each with its bytes turned round on the machines that both daemons run on. */
export function parseAddress(text: string): TcpAddress | undefined {
  const match = /^((?:[0-9A-F]{8}){1}|(?:[0-9A-F]{8}){4}):([0-9A-F]{4})$/.exec(text);
  if (match === null) return undefined;
  const [, hex = '', port = ''] = match;
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).reverse(),
  );
  return {
    host: bytes.length === 4 ? bytes.join('.') : `[${shortest(bytes)}]`,
    port: Number.parseInt(port, 16),
  };
}

/** As RFC 5952 writes it, but for addresses of IPv4 within. */
function shortest(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0));
  const words = groups.map((group) => group.toString(16)).join(':');
  const runs = [...words.matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)].sort(
    (a, b) => b[0].length - a[0].length,
  );
  const [longest] = runs;
  if (longest === undefined) return words;
  const before = words.slice(0, longest.index).replace(/:$/, '');
  const after = words.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}
