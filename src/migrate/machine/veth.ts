// Virtual ethernet pairs that a killed container left: both ends on the host, and neither in a bridge.
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Host } from '../../core/host.ts';

/** Names that both daemons give to the host's end, and the random ones that a peer gets when its namespace ends. */
const nameOfDaemon = /^(veth|mac)[0-9a-f]{8}$/;

/** @param bridges of a daemon that is dead: what hangs in them has nobody either */
export function isLooseVeth(host: Host, name: string, bridges: readonly string[] = []): boolean {
  const folder = host.path(join('/sys/class/net', name));
  const isFree = (one: string): boolean => {
    const master = join(host.path('/sys/class/net'), one, 'master');
    return !existsSync(master) || bridges.includes(basename(readlinkSync(master)));
  };
  if (!nameOfDaemon.test(name) || !isFree(name) || existsSync(join(folder, 'device'))) return false;
  // iflink is the index of the other end in *its* namespace; loose means that it is one of ours.
  const peer = read(join(folder, 'iflink'));
  const own = read(join(folder, 'ifindex'));
  if (peer === undefined || peer === own) return false;
  const net = host.path('/sys/class/net');
  return readdirSync(net).some(
    (other) =>
      other !== name &&
      read(join(net, other, 'ifindex')) === peer &&
      read(join(net, other, 'iflink')) === own &&
      isFree(other),
  );
}

function read(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}
