// Data directories on file systems of their own: a mount of LXD moves, one of Incus is filled by a copy; killed, gone on
// with, and taken back with what was written since.
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ExecResult, Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { expectBlocked } from './refused.ts';
import { api } from './server/api.ts';
import { startIncus, startLxd, stopIncus, stopLxd } from './server/populated-machine.ts';
import { powerOf } from './server/power.ts';
import { installTool, startTool, tool } from './server/tool.ts';
import { startSmallMachine } from './small-server.ts';
import { compareTrees, describeTree, type Tree } from './tree.ts';

let tarball: string;
let machine: Machine | undefined;

beforeAll(async () => {
  tarball = await packedTool();
});

afterEach(async () => {
  await machine?.stop();
  machine = undefined;
});

/** Gives a directory a file system of its own, with its content, which fstab mounts. */
async function ownFileSystem(
  server: Machine,
  path: string,
  name: string,
  boot: 'fstab' | 'unit',
  type: 'ext4' | 'btrfs' = 'ext4',
): Promise<void> {
  const image = `/var/${name}.img`;
  await server.exec(['truncate', '-s', '1G', image]);
  await server.exec(type === 'ext4' ? ['mkfs.ext4', '-q', '-F', image] : ['mkfs.btrfs', '-q', image]);
  await server.exec(['mkdir', '-p', `/mnt/${name}`]);
  await server.exec(['mount', '-o', 'loop', image, `/mnt/${name}`]);
  await server.exec(['cp', '-a', `${path}/.`, `/mnt/${name}/`], { timeoutMs: 120_000 });
  await server.exec(['umount', `/mnt/${name}`]);
  await server.exec(['find', path, '-mindepth', '1', '-delete']);
  if (boot === 'unit') {
    const unit = `[Unit]\nDescription=mine\n[Mount]\nWhat=${image}\nWhere=${path}\nType=ext4\nOptions=loop\n[Install]\nWantedBy=local-fs.target\n`;
    await server.exec(['tee', '/etc/systemd/system/var-lib-lxd.mount'], { input: unit });
    await server.exec(['systemctl', 'enable', 'var-lib-lxd.mount']);
    await server.exec(['mount', '-o', 'loop', image, path]);
    return;
  }
  await server.exec([
    'sh',
    '-c',
    `printf '%s\\t%s %s loop,noatime 0 2 # of mine\\n' "$1" "$2" "$3" >> /etc/fstab && mount "$2"`,
    'sh',
    image,
    path,
    type,
  ]);
}

const rootfs = 'storage-pools/default/containers/calm/rootfs';

/** A running container with files that a plain copy would lose something of, and an Incus beside it. */
async function prepared(
  path: '/var/lib/lxd' | '/var/lib/incus',
  boot: 'fstab' | 'unit' = 'fstab',
): Promise<Machine> {
  const server = await startSmallMachine({ containers: [{ name: 'calm' }], name: 'volumes' });
  machine = server;
  await installTool(server, tarball);
  await server.exec([
    'sh',
    '-c',
    `cd /var/lib/lxd/${rootfs} && mkdir odd && cd odd && echo one > linked && ln linked "other name" && truncate -s 200M sparse &&
     setfattr -n user.mine -v yes linked && echo fixed > fixed && mkfifo pipe && ln -s ../nowhere link && touch old &&
     chown -h --reference=../root . * && chmod 6755 old`,
  ]);
  if (path === '/var/lib/lxd') await stopLxd(server);
  else await stopIncus(server);
  await ownFileSystem(server, path, 'own', boot);
  if (path === '/var/lib/lxd') await startLxd(server);
  else await startIncus(server);
  if (path === '/var/lib/incus') await server.exec(['chattr', '+i', `/var/lib/lxd/${rootfs}/odd/fixed`]);
  return server;
}

async function run(server: Machine, ...args: string[]): Promise<ExecResult> {
  const result = await tool(server, args, { timeoutMs: 400_000 });
  expect(result.status, `${result.stdout}${result.stderr}`).toBe(0);
  return result;
}

async function statuses(server: Machine, product: 'lxd' | 'incus'): Promise<string[]> {
  return (await powerOf(server, product)).map(({ instance, status }) => `${instance} ${status}`);
}

async function mountOf(server: Machine, path: string): Promise<boolean> {
  return (await server.exec(['mountpoint', '-q', path], { accept: 'any' })).status === 0;
}

async function inContainer(server: Machine, client: 'lxc' | 'incus', script: string): Promise<string> {
  return (await server.exec([client, 'exec', 'calm', '--', 'sh', '-c', script])).stdout;
}

describe('an LXD on a file system of its own', () => {
  it('moves with its mount and the line of fstab, and back', async () => {
    const server = await prepared('/var/lib/lxd');
    const fstab = readFileSync(server.rootPath('/etc/fstab'), 'utf8');
    const odd = await describeTree(server, `/var/lib/lxd/${rootfs}/odd`);

    const moved = await run(server, 'migrate', '--yes');

    expect(moved.stdout).toContain('source-mount-moves');
    expect(await statuses(server, 'incus')).toEqual(['calm Running']);
    expect([await mountOf(server, '/var/lib/lxd'), await mountOf(server, '/var/lib/incus')]).toEqual([
      false,
      true,
    ]);
    expect(readFileSync(server.rootPath('/etc/fstab'), 'utf8')).toBe(
      fstab.replace('\t/var/lib/lxd ext4', '\t/var/lib/incus ext4'),
    );
    expect(compareTrees(odd, await describeTree(server, `/var/lib/incus/${rootfs}/odd`))).toEqual([]);
    expect((await tool(server, ['migrate', '--yes'])).status).toBe(4);

    await run(server, 'rollback', '--yes');

    expect(await statuses(server, 'lxd')).toEqual(['calm Running']);
    expect([await mountOf(server, '/var/lib/lxd'), await mountOf(server, '/var/lib/incus')]).toEqual([
      true,
      false,
    ]);
    expect(readFileSync(server.rootPath('/etc/fstab'), 'utf8')).toBe(fstab);
    expect(compareTrees(odd, await describeTree(server, `/var/lib/lxd/${rootfs}/odd`))).toEqual([]);
  });
});

describe('an LXD on a file system that a unit mounts', () => {
  it('moves with the unit; killed in it, it is gone on with, and taken back', async () => {
    const server = await prepared('/var/lib/lxd', 'unit');
    const units = async (): Promise<string> =>
      (
        await server.exec([
          'sh',
          '-c',
          'cd /etc/systemd/system; ls *.mount */*.mount; grep -h Where= *.mount',
        ])
      ).stdout;
    const before = await units();
    await killedIn(server, 'move-mount');

    await run(server, 'resume', '--yes');

    expect(await statuses(server, 'incus')).toEqual(['calm Running']);
    expect(await units()).toBe(before.replaceAll('lxd', 'incus'));
    await run(server, 'rollback', '--yes');
    expect(await statuses(server, 'lxd')).toEqual(['calm Running']);
    expect(await units()).toBe(before);
  });
});

describe('an Incus on a file system of its own', () => {
  it('is filled by a copy; killed in it, it is gone on with; taken back, what was written since comes home', async () => {
    const server = await prepared('/var/lib/incus');
    const odd = await describeTree(server, `/var/lib/lxd/${rootfs}/odd`);
    const incusBefore = await describeTree(server, '/var/lib/incus', {
      skip: ['/var/lib/incus/database/global'],
    });

    await killedIn(server, 'copy-directory');
    expect((await tool(server, ['status'])).stdout).toContain('copy what has changed in /var/lib/lxd since');
    await run(server, 'resume', '--yes');

    expect(await statuses(server, 'incus')).toEqual(['calm Running']);
    expect(compareTrees(odd, await describeTree(server, `/var/lib/incus/${rootfs}/odd`))).toEqual([]);
    const { stdout: flags } = await server.exec(['lsattr', `/var/lib/incus/${rootfs}/odd/fixed`]);
    expect(flags).toMatch(/^-*i/);
    expect(compareTrees(odd, await describeTree(server, `/var/lib/lxd/${rootfs}/odd`))).toEqual([]);
    expect((await server.exec(['cat', '/var/lib/lxd/README.moved-to-incus'])).stdout).toContain(
      'copy as it was',
    );
    expect((await tool(server, ['migrate', '--yes'])).status).toBe(4);

    await inContainer(
      server,
      'incus',
      'echo written in Incus > /root/new; rm /odd/old; echo more >> /odd/linked',
    );
    await run(server, 'rollback', '--yes');

    expect(await statuses(server, 'lxd')).toEqual(['calm Running']);
    expect(
      await inContainer(server, 'lxc', 'cat /root/new "/odd/other name"; ls /odd/old 2>&1 || true'),
    ).toMatch(/^written in Incus\none\nmore\nls: /);
    expect(await mountOf(server, '/var/lib/incus')).toBe(true);
    expect(
      compareTrees(
        incusBefore,
        await describeTree(server, '/var/lib/incus', { skip: ['/var/lib/incus/database/global'] }),
        {
          ignore: (path, field) => field === 'modified' || path.startsWith('database'),
        },
      ),
    ).toEqual([]);
  });

  it('is left as it was by a rollback in the middle of the copy', async () => {
    const server = await prepared('/var/lib/incus');
    const odd = await describeTree(server, `/var/lib/lxd/${rootfs}/odd`);
    await killedIn(server, 'copy-ahead');
    expect(await statuses(server, 'lxd')).toEqual(['calm Running']);

    await run(server, 'rollback', '--yes');

    expect(await statuses(server, 'lxd')).toEqual(['calm Running']);
    expect(compareTrees(odd, await describeTree(server, `/var/lib/lxd/${rootfs}/odd`))).toEqual([]);
    expect((await server.exec(['ls', '-A', '/var/lib/incus'])).stdout).not.toContain('lxd-to-incus');
  });
});

describe('a pool of btrfs subvolumes, and an Incus on another btrfs', () => {
  const pool = 'storage-pools/sub';

  /** A container in a pool of subvolumes inside of LXD's directory: some in it, a read-only one in those, snapshots. */
  async function withSubvolumes(): Promise<Machine> {
    const server = await startSmallMachine({ containers: [], name: 'subvolumes' });
    machine = server;
    await installTool(server, tarball);
    await Promise.all([stopLxd(server), stopIncus(server)]);
    await ownFileSystem(server, '/var/lib/lxd', 'lxd', 'fstab', 'btrfs');
    await ownFileSystem(server, '/var/lib/incus', 'incus', 'fstab', 'btrfs');
    await Promise.all([startLxd(server), startIncus(server)]);
    const make = (path: string, body: unknown) => api(server, 'lxd', 'POST', path, body);
    await make('/1.0/storage-pools', {
      name: 'sub',
      driver: 'btrfs',
      config: { source: `/var/lib/lxd/${pool}` },
    });
    await make('/1.0/instances', {
      name: 'calm',
      devices: { root: { type: 'disk', path: '/', pool: 'sub', size: '500MiB' } },
      source: { type: 'image', alias: 'tiny' },
    });
    await server.exec([
      'sh',
      '-ec',
      `cd "$1"; head -c 30M /dev/urandom > large; btrfs -q subvolume create nested; mkdir nested/deep
       btrfs -q subvolume create nested/deep/inner; echo inner > nested/deep/inner/file; mkfifo nested/pipe
       truncate -s 100M nested/sparse; setfattr -n user.mine -v yes nested/sparse; ln nested/sparse nested/linked
       chown -R --reference=root large nested; btrfs property set -ts nested/deep/inner ro true`,
      'sh',
      `/var/lib/lxd/${pool}/containers/calm/rootfs`,
    ]);
    for (const name of ['first', 'second']) {
      await server.exec([
        'sh',
        '-c',
        'echo "$1" > "$2/changed"',
        'sh',
        name,
        `/var/lib/lxd/${pool}/containers/calm/rootfs`,
      ]);
      await make('/1.0/instances/calm/snapshots', { name });
    }
    await api(server, 'lxd', 'PUT', '/1.0/instances/calm/state', { action: 'start', timeout: 30 });
    return server;
  }

  /** What belongs to the daemon or is written by its start. */
  const daemonsOwn = (path: string, field: string): boolean =>
    path.endsWith('/backup.yaml') ||
    field === 'allocated' ||
    (field === 'modified' && !path.includes('rootfs/'));

  async function poolOf(server: Machine, product: 'lxd' | 'incus'): Promise<Tree> {
    return describeTree(server, `/var/lib/${product}/${pool}`);
  }

  async function exclusiveBytes(server: Machine, path: string): Promise<number> {
    await server.exec(['sync']);
    const { stdout } = await server.exec(['btrfs', 'filesystem', 'du', '-s', '--raw', path]);
    return Number(stdout.trim().split('\n').at(-1)?.trim().split(/\s+/)[1]);
  }

  it('brings them over with their snapshots, killed in it; taken back, with what was made and deleted in Incus', async () => {
    const server = await withSubvolumes();
    const before = await poolOf(server, 'lxd');
    const { stdout: quota } = await server.exec([
      'btrfs',
      'qgroup',
      'show',
      '--raw',
      '-ref',
      `/var/lib/lxd/${pool}/containers/calm`,
    ]);
    const incusBefore = await describeTree(server, '/var/lib/incus', { skip: ['/var/lib/incus/database'] });

    await killedIn(server, 'copy-directory');
    // What was sent while everything ran.
    expect(
      (await server.exec(['ls', '/var/lib/incus/.lxd-to-incus/.lxd-to-incus-subvolumes'])).stdout
        .trim()
        .split('\n').length,
    ).toBeGreaterThan(5);
    await run(server, 'resume', '--yes');

    expect(await statuses(server, 'incus')).toEqual(['calm Running']);
    expect(compareTrees(before, await poolOf(server, 'incus'), { ignore: daemonsOwn })).toEqual([]);
    const snapshot = `/var/lib/incus/${pool}/containers-snapshots/calm/second`;
    expect(before.get('containers-snapshots/calm/second')?.subvolume).toBe('read-only');
    expect(await exclusiveBytes(server, snapshot)).toBeLessThan(2 ** 20);
    const limits = (text: string): string[] => text.match(/\b524288000\b/g) ?? [];
    expect(limits(quota), quota).toHaveLength(1);
    const { stdout: after } = await server.exec([
      'btrfs',
      'qgroup',
      'show',
      '--raw',
      '-ref',
      `/var/lib/incus/${pool}/containers/calm`,
    ]);
    expect(limits(after), after).toEqual(limits(quota));
    for (const product of ['lxd', 'incus'])
      expect((await server.exec(['ls', '-A', `/var/lib/${product}`])).stdout).not.toContain('.lxd-to-incus');

    await inContainer(server, 'incus', 'echo written in Incus > /nested/new; rm /changed');
    await server.exec(['incus', 'snapshot', 'delete', 'calm', 'first']);
    await server.exec(['incus', 'snapshot', 'create', 'calm', 'third']);
    await server.exec(['incus', 'copy', 'calm/third', 'made-in-incus']);
    expect((await tool(server, ['rollback', '--yes'])).status).toBe(3);
    await run(server, 'rollback', '--yes', '--accept', 'gone-since-switch');

    expect(await statuses(server, 'lxd')).toEqual(['calm Running']);
    expect(await inContainer(server, 'lxc', 'cat /nested/new; ls /changed 2>&1 || true')).toMatch(
      /^written in Incus\nls: /,
    );
    const back = await poolOf(server, 'lxd');
    expect(back.get('containers-snapshots/calm/first')).toBeUndefined();
    expect(back.get('containers-snapshots/calm/third')?.subvolume).toBe('read-only');
    expect(back.get('containers/made-in-incus/rootfs/nested/new')?.type).toBe('file');
    const since = (path: string): boolean =>
      /^containers-snapshots\/calm\/(first|third)(\/|$)|^containers\/made-in-incus(\/|$)|rootfs\/(nested\/new|changed|nested|)$/.test(
        path,
      );
    expect(
      compareTrees(before, back, { ignore: (path, field) => since(path) || daemonsOwn(path, field) }),
    ).toEqual([]);
    expect(
      compareTrees(
        incusBefore,
        await describeTree(server, '/var/lib/incus', { skip: ['/var/lib/incus/database'] }),
        {
          ignore: (_path, field) => field === 'modified',
        },
      ),
    ).toEqual([]);
    expect((await server.exec(['btrfs', 'subvolume', 'list', '/var/lib/incus'])).stdout).toBe('');
    expect((await server.exec(['ls', '-A', '/var/lib/lxd'])).stdout).not.toContain('.lxd-to-incus');
  });

  it('is left as it was by a rollback in the middle of the copy', async () => {
    const server = await withSubvolumes();
    const before = await poolOf(server, 'lxd');
    await killedIn(server, 'copy-ahead');

    await run(server, 'rollback', '--yes');

    expect(await statuses(server, 'lxd')).toEqual(['calm Running']);
    expect(compareTrees(before, await poolOf(server, 'lxd'), { ignore: daemonsOwn })).toEqual([]);
    for (const product of ['lxd', 'incus'])
      expect((await server.exec(['ls', '-A', `/var/lib/${product}`])).stdout).not.toContain('.lxd-to-incus');
    expect((await server.exec(['btrfs', 'subvolume', 'list', '/var/lib/incus'])).stdout).toBe('');
  });

  it('stays where it is where Incus is on another file system', async () => {
    const server = await withSubvolumes();
    await stopIncus(server);
    await server.exec(['umount', '/var/lib/incus']);
    await server.exec(['sh', '-ec', 'sed -i /incus/d /etc/fstab; rm /var/incus.img']);
    await ownFileSystem(server, '/var/lib/incus', 'incus', 'fstab');
    await startIncus(server);

    await expectBlocked(server, 'subvolumes-to-copy', {
      says: [`/var/lib/lxd/${pool}`, 'is not on a btrfs file system'],
    });
  });
});

/** Kills a migration with SIGKILL as soon as it says that it begins the step of this kind. */
async function killedIn(server: Machine, kind: string): Promise<void> {
  const child = startTool(server, ['migrate', '--yes', '--json']);
  let text = '';
  let killing: Promise<unknown> | undefined;
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (!new RegExp(`"kind":"${kind}".*"state":"begun"`).test(text)) return;
      killing ??= server
        .exec(['pkill', '-KILL', '-f', '^[^ ]*/bin/node [^ ]*lxd-to-incus.js migrate'], { accept: [1] })
        .catch(reject);
    });
    child.on('close', () => (killing === undefined ? reject(new Error(text.slice(-2000))) : resolve()));
    child.on('error', reject);
  });
}
