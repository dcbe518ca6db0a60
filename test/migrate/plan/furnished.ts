// Furnishes a fake machine: a whole LXD directory, with a database that a daemon could have written, and what a host has.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { standaloneConfiguration, writeFreshDirectory } from '../../../src/dqlite/index.ts';
import type { FakeHost } from '../../fakes/fake-host.ts';
import { localDatabase } from '../lxd-database.ts';

/** Writes `DIR/database` with a global database and a local.db. */
export function writeDatabase(
  host: FakeHost,
  directory: string,
  image: Buffer,
  local = localDatabase(),
): void {
  const database = host.path(join(directory, 'database'));
  fs.mkdirSync(database, { recursive: true });
  fs.rmSync(join(database, 'global'), { recursive: true, force: true });
  writeFreshDirectory(join(database, 'global'), image, { configuration: standaloneConfiguration, term: 1 });
  fs.writeFileSync(join(database, 'local.db'), local);
}

/** With systemd, an LXD of that database, and an Incus that was never started. */
export function furnish(host: FakeHost, image: Buffer, { version = '6.0.4' } = {}): void {
  writeDatabase(host, '/var/lib/lxd', image);
  host.writeFile('/var/lib/dpkg/info/lxd.list', '');
  host.writeFile('/var/lib/dpkg/info/incus-base.list', '');
  host.writeFile('/usr/libexec/incus/incusd', '');
  for (const unit of ['lxd.service', 'lxd.socket', 'incus.service', 'incus.socket', 'incus-user.socket'])
    host.writeFile(`/lib/systemd/system/${unit}`, '[Unit]\n');
  for (const command of [
    'systemctl',
    'ip',
    'rsync',
    'setfattr',
    'tar',
    'unsquashfs',
    'xz',
    'dnsmasq',
    'nft',
    'btrfs',
    'newuidmap',
    'newgidmap',
  ])
    host.machine.commands.set(command, `/usr/bin/${command}`);
  host.machine.mounts = [{ path: '/var/lib/lxcfs', type: 'fuse.lxcfs', device: 'lxcfs', root: '/' }];
  for (const file of ['/etc/subuid', '/etc/subgid']) host.writeFile(file, 'root:100000:1000000000\n');
  host.onRun(([command, verb, ...units]) => {
    if (command !== 'systemctl') return undefined;
    return { stdout: Buffer.from(verb === 'is-active' ? units.map(() => 'inactive\n').join('') : '') };
  });
  host.onRun((argv) => (argv[1] === '--version' ? { stdout: Buffer.from(`${version}\n`) } : undefined));
}
