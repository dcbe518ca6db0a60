// Servers and hosts that must not be migrated: each refusal names what stands in the way, and changes nothing.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExecResult, Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { expectBlocked, expectFailed, expectForPeople } from './refused.ts';
import { api } from './server/api.ts';
import { startPopulatedMachine } from './server/populated-machine.ts';
import { secrets } from './server/secrets.ts';
import { installTool, tool } from './server/tool.ts';
import { expectUntouched, witness } from './untouched.ts';

let server: Machine;

beforeAll(async () => {
  const tarball = await packedTool();
  server = await startPopulatedMachine({ name: 'refusals' });
  await installTool(server, tarball);
});
afterAll(() => server.stop());

const run = (...argv: [string, ...string[]]): Promise<ExecResult> => server.exec(argv);

/** Changes a file of the machine while `work` runs. */
async function withFile(
  path: string,
  change: (text: string) => string,
  work: () => Promise<void>,
): Promise<void> {
  const file = server.rootPath(path);
  const former = readFileSync(file);
  writeFileSync(file, change(former.toString('utf8')));
  try {
    await work();
  } finally {
    writeFileSync(file, former);
  }
}

/** Does something to the machine, and takes it back afterwards whatever happened. */
async function during(
  before: readonly [string, ...string[]][],
  after: readonly [string, ...string[]][],
  work: () => Promise<void>,
): Promise<void> {
  try {
    for (const argv of before) await server.exec(argv);
    await work();
  } finally {
    for (const argv of after) await server.exec(argv, { accept: 'any' });
  }
}

describe('a directory that is not the one of an LXD', () => {
  it.each([
    ['/nonexistent', 'the folder does not exist'],
    ['/etc', 'there is no database/global in it'],
    ['/etc/fstab', 'there is no database/global in it'],
  ])('is named with what is missing: %s', async (directory, why) => {
    for (const args of [['plan'], ['inspect'], ['export-db', '/root/out.sqlite'], ['migrate', '--yes']])
      await expectFailed(server, [...args, '--lxd-dir', directory], {
        exit: 1,
        code: 'not-a-database',
        says: [directory, why, 'Give the data directory (for instance /var/lib/lxd)'],
      });
  });
});

describe('a data directory that was put elsewhere', () => {
  it('is refused where a link stands in its place', async () => {
    await during(
      [
        ['mv', '/var/lib/lxd', '/var/lib/lxd.real'],
        ['ln', '-s', 'lxd.real', '/var/lib/lxd'],
      ],
      [
        ['rm', '/var/lib/lxd'],
        ['mv', '/var/lib/lxd.real', '/var/lib/lxd'],
      ],
      () => expectBlocked(server, 'source-is-link', { says: ['/var/lib/lxd → lxd.real', 'Stop the daemon'] }),
    );
  });

  it.each(['source', 'target'])('is refused where it is a mount: %s', async (role) => {
    const directory = role === 'source' ? '/var/lib/lxd' : '/var/lib/incus';
    await during(
      [
        ['mount', '--rbind', directory, directory],
        // What is mounted below must not go away with it.
        ['mount', '--make-rprivate', directory],
      ],
      [['umount', '--lazy', directory]],
      () => expectBlocked(server, `${role}-is-mount`, { says: [directory, 'mount point'] }),
    );
  });

  it('is refused where /etc/fstab mounts something inside', async () => {
    await withFile(
      '/etc/fstab',
      (text) => `${text}\n/dev/vdb1 /var/lib/lxd/storage-pools/fast ext4 noauto 0 0\n`,
      () =>
        expectBlocked(server, 'mount-inside-source', {
          says: ['/var/lib/lxd/storage-pools/fast', 'Mount them outside'],
        }),
    );
  });

  it('is refused where somebody mounted something inside by hand', async () => {
    await during(
      [
        ['mkdir', '/var/lib/lxd/mine'],
        ['mount', '-t', 'tmpfs', 'tmpfs', '/var/lib/lxd/mine'],
      ],
      [
        ['umount', '/var/lib/lxd/mine'],
        ['rmdir', '/var/lib/lxd/mine'],
      ],
      () => expectBlocked(server, 'mount-inside-source', { says: ['/var/lib/lxd/mine'] }),
    );
  });

  it.each([
    ['the files of a container', 'containers/odd/rootfs/mnt'],
    ['a volume', 'custom/default_data1'],
    ['a snapshot', 'containers-snapshots/c1/snap0'],
  ])('is refused where somebody mounted something on %s', async (_what, name) => {
    const place = `/var/lib/lxd/storage-pools/default/${name}`;
    await during(
      [
        ['mkdir', '-p', '/srv/nfs', place],
        ['mount', '--bind', '/srv/nfs', place],
      ],
      [['umount', place]],
      () => expectBlocked(server, 'mount-inside-source', { says: [`    ${place}\n`] }),
    );
  });

  it('is refused where only another mount namespace shows what is mounted inside', async () => {
    const script = `unshare --mount --propagation private sh -c 'mount --bind /srv/nfs /var/lib/lxd/backups && exec sleep 600' </dev/null >/dev/null 2>&1 &
      echo $! >/run/elsewhere.pid
      until grep -q ' /var/lib/lxd/backups ' /proc/$(cat /run/elsewhere.pid)/mountinfo; do sleep 0.05; done`;
    await during(
      [
        ['mkdir', '-p', '/srv/nfs'],
        ['sh', '-c', script],
      ],
      [['sh', '-c', 'kill $(cat /run/elsewhere.pid)']],
      () =>
        expectBlocked(server, 'mount-inside-source', {
          says: ['/var/lib/lxd/backups in the mount namespace of process'],
        }),
    );
  });

  it('is refused where a file in it serves somebody as a disk', async () => {
    const file = '/var/lib/lxd/storage-pools/default/containers/odd/rootfs/disk.img';
    await during(
      [
        ['truncate', '-s', '16M', file],
        ['sh', '-c', `losetup --find --show ${file} >/run/loop`],
      ],
      [
        ['sh', '-c', 'losetup -d $(cat /run/loop)'],
        ['rm', file],
      ],
      () => expectBlocked(server, 'file-in-use-inside-source', { says: [`${file} (loop device /dev/loop`] }),
    );
  });

  it('is refused where /etc/fstab mounts a part of it elsewhere', async () => {
    await withFile(
      '/etc/fstab',
      (text) =>
        `${text}\n/var/lib/lxd/storage-pools/default/custom/default_data1 /srv/data none bind,noauto 0 0\n`,
      () => expectBlocked(server, 'mount-from-source', { says: ['default_data1 (/etc/fstab)'] }),
    );
  });

  it('of Incus is refused where somebody mounted something inside', async () => {
    await during(
      [['mount', '-t', 'tmpfs', 'tmpfs', '/var/lib/incus/backups']],
      [['umount', '/var/lib/incus/backups']],
      () => expectBlocked(server, 'mount-inside-target', { says: ['/var/lib/incus/backups'] }),
    );
  });
});

describe('a place of the tool inside of what it moves', () => {
  const out = ['/var/lib/lxd/state', '/var/lib/incus/state', '/run/incus/state'];
  const made = ['/srv/link', '/srv/bound', '/srv/part'];

  it('is refused by every command that would write there, before anything is made or stopped', async () => {
    await during(
      [
        ['ln', '-s', '/var/lib/lxd', '/srv/link'],
        ['mkdir', '/srv/bound', '/srv/part'],
        ['mount', '--bind', '/var/lib/lxd', '/srv/bound'],
        ['mount', '--bind', '/var/lib/lxd/images', '/srv/part'],
      ],
      [
        ['umount', '/srv/bound'],
        ['umount', '/srv/part'],
        ['rm', '-d', ...made],
      ],
      async () => {
        const before = await witness(server);
        const places = [...out, '/var/lib/lxd', '/var/lib', ...made.map((path) => `${path}/not/there`)];
        const answers: ExecResult[] = [];

        for (const place of places)
          for (const command of ['plan', 'migrate'])
            answers.push(await tool(server, [command, '--state', place]));
        for (const command of [['plan'], ['rehearse'], ['inspect'], ['migrate', '--yes']])
          for (const place of ['/var/lib/lxd/report', '/srv/part/report'])
            answers.push(await tool(server, [...command, '--report', place]));
        answers.push(await tool(server, ['rehearse', '--state', '/srv/bound/x']));
        answers.push(await tool(server, ['export-db', '/srv/part/out.sqlite']));

        for (const answer of answers) {
          expect(answer.status, `${answer.stdout}${answer.stderr}`).toBe(2);
          expect(answer.stdout).toBe('');
          expect(answer.stderr).toMatch(/^lxd-to-incus: (--state|--report|export-db): /);
          expectForPeople(answer);
        }
        for (const path of [...out, '/var/lib/lxd/report', '/var/lib/journal.db', '/var/lib/lxd/not'])
          expect(existsSync(server.rootPath(path)), path).toBe(false);
        await expectUntouched(server, before);
      },
    );
  });
});

describe('a host that lacks something', () => {
  it('is told which command is missing', async () => {
    await during(
      [['mv', '/usr/sbin/dnsmasq', '/usr/sbin/dnsmasq.away']],
      [['mv', '/usr/sbin/dnsmasq.away', '/usr/sbin/dnsmasq']],
      () => expectBlocked(server, 'command-missing', { says: ['    dnsmasq\n', 'Install them'] }),
    );
  });

  it('is told which pool the Incus that it has cannot use, in its own words', async () => {
    await during(
      [['mv', '/usr/bin/btrfs', '/usr/bin/btrfs.away']],
      [['mv', '/usr/bin/btrfs.away', '/usr/bin/btrfs']],
      async () => {
        const { status, stdout } = await tool(server, ['rehearse']);

        expect(status).toBe(3);
        expect(stdout).toContain('blocker  rehearsal:storage-driver\n');
        expect(stdout).toContain('    storage pool bt, driver btrfs\n');
      },
    );
  });

  it('is refused where the range of ids does not hold those in use', async () => {
    await withFile(
      '/etc/subuid',
      () => 'root:1000000:65536\n',
      () =>
        expectBlocked(server, 'id-range-too-small', { says: ['instance default/', 'Widen the one range'] }),
    );
  });

  it('is refused where the units cannot be masked', async () => {
    await during(
      [['cp', '/usr/lib/systemd/system/lxd.service', '/etc/systemd/system/lxd.service']],
      [['rm', '/etc/systemd/system/lxd.service']],
      () =>
        expectBlocked(server, 'unit-not-maskable', {
          says: ['/etc/systemd/system/lxd.service', '/usr/local/lib/systemd/system'],
        }),
    );
  });

  it('is refused where the folder of the tool has too little space', async () => {
    await during(
      [
        ['mkdir', '-p', '/mnt/small'],
        ['mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', '/mnt/small'],
      ],
      [['umount', '/mnt/small']],
      async () => {
        const options = ['--state', '/mnt/small/state'];
        await expectBlocked(server, 'too-little-space', { says: ['/mnt/small/state: ', ' needed'], options });
      },
    );
  });

  it('says so where the folder of the tool has no space at all', async () => {
    await during(
      [
        ['mkdir', '-p', '/mnt/full'],
        ['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', '/mnt/full'],
        ['sh', '-c', 'cat /dev/zero > /mnt/full/zeros 2>/dev/null || true'],
      ],
      [['umount', '/mnt/full']],
      () =>
        expectFailed(server, ['migrate', '--yes', '--state', '/mnt/full/state'], {
          exit: 1,
          code: 'file-system',
          says: ['/mnt/full/state', 'ENOSPC'],
        }),
    );
  });
});

describe('what only looks', () => {
  it.each([
    ['plan', '--report', '/root/looked'],
    ['plan', '--json'],
    ['inspect'],
    ['inspect', '--json'],
    ['rehearse', '--json'],
    ['export-db', '/root/looked.sqlite'],
  ])('shows no secret: %s %s', async (...args) => {
    const { stdout, stderr } = await tool(server, args);
    const report = args.includes('--report') ? (await run('sh', '-c', 'cat /root/looked/*')).stdout : '';

    expect(`${stdout}${stderr}`.length).toBeGreaterThan(20);
    for (const value of secrets().values()) expect(`${stdout}${stderr}${report}`).not.toContain(value);
  });
});

describe('an Incus that is in use', () => {
  it('is named with its instances and projects', async () => {
    const incus = (method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> =>
      api(server, 'incus', method, path, body);
    await incus('POST', '/1.0/storage-pools', { name: 'mine', driver: 'dir' });
    await incus('POST', '/1.0/instances', {
      name: 'busy',
      source: { type: 'none' },
      devices: { root: { type: 'disk', path: '/', pool: 'mine' } },
    });
    await run('incus', 'project', 'create', 'shop');
    try {
      await expectBlocked(server, 'target-not-empty', {
        says: ['1 instance(s) (busy)', '1 project(s) (shop)', 'delete them in Incus'],
      });
    } finally {
      await incus('DELETE', '/1.0/instances/busy');
      await incus('DELETE', '/1.0/projects/shop');
      await incus('DELETE', '/1.0/storage-pools/mine');
    }
  });
});
