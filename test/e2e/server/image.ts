// A tiny container image: a static busybox and an init that ends at once when it is told to.
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { Machine } from '../machine/machine.ts';

const applets = [
  ...[
    'cat',
    'chmod',
    'chown',
    'dd',
    'echo',
    'halt',
    'hostname',
    'id',
    'ip',
    'kill',
    'ln',
    'ls',
    'mkdir',
    'mount',
  ],
  ...[
    'mv',
    'nc',
    'ping',
    'poweroff',
    'ps',
    'reboot',
    'rm',
    'sh',
    'sleep',
    'stat',
    'sync',
    'test',
    'touch',
    'true',
  ],
  ...['umount', 'wc'],
];

// LXD asks a container to stop with SIGPWR (lxc.signal.halt); busybox's own init would take seconds over it.
const init = `#!/bin/sh
trap 'exit 0' PWR TERM
ip link set lo up
while :; do sleep 1000000 & wait; done
`;

/** Makes the image in the machine and returns its bytes; `description` tells images apart. */
export async function busyboxImage(machine: Machine, description: string): Promise<Buffer> {
  const folder = '/root/image';
  const at = (path: string): string => machine.rootPath(`${folder}/${path}`);
  rmSync(machine.rootPath(folder), { recursive: true, force: true });
  for (const name of ['bin', 'dev', 'etc', 'mnt', 'proc', 'root', 'run', 'sbin', 'sys', 'tmp', 'var'])
    mkdirSync(at(`rootfs/${name}`), { recursive: true });
  chmodSync(at('rootfs/tmp'), 0o1777);
  copyFileSync(machine.rootPath('/usr/bin/busybox'), at('rootfs/bin/busybox'));
  for (const applet of applets) symlinkSync('busybox', at(`rootfs/bin/${applet}`));
  writeFileSync(at('rootfs/sbin/init'), init, { mode: 0o755 });
  writeFileSync(at('rootfs/etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n');
  writeFileSync(at('rootfs/etc/group'), 'root:x:0:\nuser:x:1000:\n');
  writeFileSync(
    at('metadata.yaml'),
    `architecture: x86_64\ncreation_date: 1700000000\nproperties: {os: busybox, description: ${JSON.stringify(description)}}\n`,
  );
  // Same bytes, and so the same fingerprint, every time.
  await machine.exec([
    ...(['tar', '-C', folder, '--sort=name', '--mtime=@1700000000', '--owner=0', '--group=0'] as const),
    ...['--numeric-owner', '--use-compress-program=gzip -n -1', '-cf', `${folder}/image.tar.gz`],
    ...['metadata.yaml', 'rootfs'],
  ]);
  const bytes = readFileSync(at('image.tar.gz'));
  rmSync(machine.rootPath(folder), { recursive: true, force: true });
  return bytes;
}
