// The harness itself: machines leave no trace, the populated server is what it promises, differences are found.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemErrorCode } from '../../src/core/failure.ts';
import { compareInventories, type Inventory, inventoryOf } from './inventory-of.ts';
import { loopsOfFile, loopsOnDevice } from './machine/disk.ts';
import { type Machine, markerFile, startMachine } from './machine/machine.ts';
import { startTime } from './machine/record.ts';
import { loginOverHttps } from './server/client.ts';
import {
  elsewhereFolder,
  neighbourFolder,
  quotedNote,
  quotedProfile,
  restrictedClient,
  trustedClient,
} from './server/populate.ts';
import { startLxd, startPopulatedMachine, stopLxd } from './server/populated-machine.ts';
import { populatedPower, powerOf } from './server/power.ts';
import { secrets } from './server/secrets.ts';
import { tool } from './server/tool.ts';
import { cannotWrite, daemonPid, initialiseIncus, killDaemon, removeLxdPackage } from './server/variants.ts';
import { compareTrees, describeTree, type Tree } from './tree.ts';
import { waitFor } from './wait-for.ts';

const namespaces = ['mnt', 'pid', 'net', 'uts', 'ipc', 'cgroup'] as const;

/** Identities of the namespaces of a process. */
function namespacesOf(pid: number | 'self'): string[] {
  return namespaces.map((name) => readlinkSync(`/proc/${pid}/ns/${name}`));
}

/** Processes of the whole host that live in one of these namespaces. */
function processesIn(wanted: readonly string[]): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) =>
      namespaces.some((name) => {
        try {
          return wanted.includes(readlinkSync(`/proc/${pid}/ns/${name}`));
        } catch (error) {
          const code = systemErrorCode(error);
          if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return false;
          throw error;
        }
      }),
    );
}

/** Of all loop devices of the host; one that outlived its file keeps the name. */
function backingFiles(): string[] {
  return readdirSync('/sys/block').flatMap((name) => {
    try {
      return [
        readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8')
          .trim()
          .replace(/ \(deleted\)$/, ''),
      ];
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return [];
      throw error;
    }
  });
}

function cgroupFolders(name: string): string[] {
  const below = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      if (!entry.isDirectory()) return [];
      const path = join(folder, entry.name);
      return entry.name.endsWith(name) ? [path] : below(path);
    });
  return below('/sys/fs/cgroup');
}

const alive = populatedPower.filter(({ status }) => status !== 'Stopped');

/** Each running or frozen container has one. */
async function monitors(machine: Machine): Promise<string[]> {
  const pattern = '^\\[lxc monitor\\] /var/lib/lxd/containers ';
  const { stdout } = await machine.exec(['pgrep', '--full', '--list-full', pattern], { accept: [1] });
  return stdout.split('\n').filter((line) => line !== '');
}

async function lines(machine: Machine, ...argv: [string, ...string[]]): Promise<string[]> {
  return (await machine.exec(argv)).stdout.split('\n').filter((line) => line !== '');
}

describe('a throw-away machine', () => {
  it('has namespaces, a root tree, a network and a disk of its own', async () => {
    const machine = await startMachine({ tree: 'bookworm' });
    try {
      const own = namespacesOf('self');
      expect(namespacesOf(machine.pid).filter((one) => own.includes(one))).toEqual([]);
      expect(await lines(machine, 'hostname')).toEqual([machine.name]);
      expect(await lines(machine, 'cat', markerFile)).toEqual([machine.name]);
      expect(await lines(machine, 'ls', '/sys/class/net')).toEqual(['lo']);
      expect(await lines(machine, 'stat', '-f', '-c', '%T', '/var/lib/lxd')).toEqual(['ext2/ext3']);
      expect(new Set(await lines(machine, 'sed', 's/.*://', '/proc/self/cgroup'))).toEqual(new Set(['/']));
      // Nobody waits for orphans but process 1.
      await machine.exec(['bash', '-c', '(sleep 0.1 &) ; (true &)']);
      await waitFor('orphans to be reaped', 5000, async () =>
        (await lines(machine, 'ps', '-eo', 'stat=')).some((state) => state.startsWith('Z'))
          ? undefined
          : true,
      );
    } finally {
      await machine.stop();
    }
  });

  it('says what a command in it printed, and gives up on one that does not end', async () => {
    const machine = await startMachine({ tree: 'bookworm' });
    try {
      expect(await machine.exec(['cat'], { input: 'ünï' })).toEqual({ status: 0, stdout: 'ünï', stderr: '' });
      expect((await machine.exec(['sh', '-c', 'exit 7'], { accept: [7] })).status).toBe(7);
      await expect(machine.exec(['sh', '-c', 'echo why >&2; exit 7'])).rejects.toThrow(/status 7: why/);
      await expect(machine.exec(['sleep', '1000'], { timeoutMs: 200 })).rejects.toThrow(/killed after 0.2 s/);
      await waitFor('the command to be gone', 5000, async () =>
        (await lines(machine, 'ps', '-eo', 'args=')).includes('sleep 1000') ? undefined : true,
      );
    } finally {
      await machine.stop();
    }
  });

  it('is not entered without its marker file', async () => {
    const machine = await startMachine({ tree: 'bookworm' });
    try {
      await machine.exec(['rm', markerFile]);
      await expect(machine.exec(['true'])).rejects.toMatchObject({ problem: { code: 'not-a-machine' } });
      await expect(tool(machine, ['plan'])).rejects.toMatchObject({ problem: { code: 'not-a-machine' } });
      expect(() => machine.copyIn('/etc/hostname', '/etc/hostname')).toThrow(/no throw-away machine/);
    } finally {
      await machine.stop();
    }
  });

  it('loses what was not synced when its power is cut', async () => {
    const machine = await startMachine({ tree: 'bookworm', name: 'before' });
    const write = 'printf kept > /var/synced; sync /var/synced /var; printf lost > /var/unsynced';
    await machine.exec(['sh', '-c', write]);
    const after = await startMachine({ tree: 'bookworm', name: 'after', disk: machine.disk });
    try {
      expect(readFileSync(after.rootPath('/var/synced'), 'utf8')).toBe('kept');
      const unsynced = after.rootPath('/var/unsynced');
      // The name may have been written with the journal; the data was not.
      expect(existsSync(unsynced) ? readFileSync(unsynced, 'utf8') : '').toBe('');
    } finally {
      await Promise.all([machine.stop(), after.stop()]);
    }
  });

  it('ends with the process that started it, and the next one clears its files away', async () => {
    const script = `
      import { startMachine } from ${JSON.stringify(join(import.meta.dirname, 'machine', 'machine.ts'))};
      const machine = await startMachine({ tree: 'bookworm', name: 'orphan' });
      await machine.exec(['sh', '-c', 'truncate -s 64M /var/loop; losetup -f /var/loop']);
      console.log(JSON.stringify({ name: machine.name, pid: machine.pid, disk: machine.disk }));
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const printed = await new Promise<string>((resolve) =>
      owner.stdout.once('data', (data: Buffer) => resolve(data.toString('utf8'))),
    );
    const { name, pid, disk } = JSON.parse(printed) as { name: string; pid: number; disk: string };
    const orphaned = namespacesOf(pid);
    const device = (await loopsOfFile(disk))[0] ?? '';
    expect(await loopsOnDevice(device)).toHaveLength(1);

    owner.kill('SIGKILL');

    await waitFor('the orphan to end', 20_000, () => (startTime(pid) === undefined ? true : undefined));
    await waitFor('its processes to end', 20_000, () =>
      processesIn(orphaned).length === 0 ? true : undefined,
    );
    expect(existsSync(dirname(disk))).toBe(true);
    const next = await startMachine({ tree: 'bookworm' });
    await next.stop();
    expect(existsSync(dirname(disk))).toBe(false);
    expect(cgroupFolders(name)).toEqual([]);
    expect(backingFiles()).not.toContain(disk);
  });
});

describe('the stand-in for systemctl', () => {
  it('keeps masks and writes down each call', async () => {
    const machine = await startMachine({ tree: 'bookworm' });
    const systemctl = (...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> =>
      machine.exec(['systemctl', ...args], { accept: 'any', timeoutMs: 120_000 });
    try {
      expect((await systemctl('list-unit-files', 'lxd.service')).stdout).toMatch(/^lxd\.service/m);
      await systemctl('mask', 'lxd.service', 'lxd.socket');
      expect((await systemctl('is-enabled', 'lxd.service')).stdout).toBe('masked\n');
      expect(await systemctl('start', 'lxd.service')).toMatchObject({ status: 1, stderr: /is masked/ });
      expect(await daemonPid(machine, 'lxd')).toBeUndefined();
      await systemctl('unmask', 'lxd.service', 'lxd.socket');

      expect((await systemctl('start', 'lxd')).status).toBe(0);
      expect((await systemctl('is-active', 'lxd')).stdout).toBe('active\n');
      expect((await systemctl('start', 'nonesuch')).status).toBe(5);
      // A socket that was started is active, and starts no daemon.
      await systemctl('start', 'incus.socket', 'incus-user.socket');
      expect(
        (await systemctl('is-active', 'incus.socket', 'incus-user.socket', 'incus.service')).stdout,
      ).toBe('active\nactive\ninactive\n');
      expect((await systemctl('stop', 'incus-user.socket')).status).toBe(0);
      expect((await systemctl('is-active', 'incus-user.socket')).stdout).toBe('inactive\n');
      expect((await systemctl('stop', 'lxd.service')).status).toBe(0);
      expect(await daemonPid(machine, 'lxd')).toBeUndefined();

      const calls = await lines(machine, 'cat', '/run/lxd-to-incus-e2e/systemctl.log');
      expect(calls.map((line) => line.replace(/^[\d.]+ /, ''))).toContain('mask lxd.service lxd.socket');
    } finally {
      await machine.stop();
    }
  });
});

describe('the populated server', () => {
  let machine: Machine;
  let inventory: Inventory;

  beforeAll(async () => {
    machine = await startPopulatedMachine();
    inventory = await inventoryOf(machine, 'lxd');
  });
  afterAll(() => machine.stop());

  it('runs the instances that it names, and root can write in them', async () => {
    const running = populatedPower.filter(({ status }) => status === 'Running');

    const power = await powerOf(machine, 'lxd');

    expect(new Set(power)).toEqual(new Set(populatedPower));
    expect(running.map(({ instance }) => instance)).toContain('c1');
    expect(await cannotWrite(machine, 'lxd', running)).toEqual([]);
  });

  it('has an empty Incus beside it', async () => {
    const incus = await inventoryOf(machine, 'incus');

    expect(Object.keys(incus.pools)).toEqual([]);
    expect(Object.keys(incus.projects)).toEqual(['default']);
    expect(Object.keys(incus.projects['default']?.instances ?? {})).toEqual([]);
  });

  it('holds what a migration gets wrong', () => {
    const { own, dev, default: standard } = inventory.projects;
    expect(standard?.instances['c1']).toMatchObject({
      profiles: ['default', quotedProfile],
      config: { 'user.note': quotedNote },
      devices: {
        home: { source: '/var/lib/lxd/containers' },
        lxdsocket: { connect: 'unix:/var/lib/lxd/unix.socket' },
        neighbour: { source: `${neighbourFolder}/share` },
      },
    });
    expect(standard?.profiles[quotedProfile]).toMatchObject({ description: quotedNote });
    expect(Object.keys(standard?.aliases ?? {}).sort()).toEqual([
      'busybox/1/amd64',
      `it's "tïny"`,
      'public',
      'tiny',
    ]);
    expect(Object.keys(standard?.networks['net2']?.forwards ?? {})).toEqual([
      '198.51.100.50',
      '198.51.100.51',
    ]);
    expect(Object.keys(standard?.acls ?? {})).toEqual(['web-acl']);
    expect(Object.keys(standard?.zones ?? {})).toEqual(['e2e.example.net']);
    expect(Object.keys(own?.images ?? {})).toHaveLength(1);
    expect(Object.keys(own?.profiles ?? {})).toEqual(['default', 'own-profile']);
    expect(Object.keys(own?.acls ?? {})).toEqual(['own-acl']);
    expect(Object.keys(dev?.instances ?? {})).toEqual(['c3', 'd1']);
    expect(inventory.pools['elsewhere']?.pool).toMatchObject({ config: { source: elsewhereFolder } });
    expect(Object.keys(inventory.pools['bt']?.volumes ?? {})).toEqual(
      expect.arrayContaining([
        'default/container/b1/with-subvolumes',
        'default/container/c2/snapB',
        'default/custom/vol2/s0',
      ]),
    );
    expect(Object.values(inventory.certificates)).toHaveLength(3);
  });

  it('lets a trusted client in over HTTPS, and nobody else', async () => {
    await machine.exec([
      'sh',
      '-c',
      'cd /root/e2e-client && openssl ecparam -genkey -name prime256v1 -out stranger.key && openssl req -x509 -key stranger.key -subj /CN=x -out stranger.crt',
    ]);

    const known = await loginOverHttps(machine, trustedClient);

    expect(known).toMatchObject({ trusted: true, product: 'lxd' });
    expect(known.serverFingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(await loginOverHttps(machine, restrictedClient)).toMatchObject({ trusted: true });
    expect(await loginOverHttps(machine, 'stranger')).toMatchObject({ trusted: false });
  });

  it('keeps thirty secrets', () => {
    const text = JSON.stringify(inventory);

    expect(new Set(secrets().values()).size).toBe(30);
    expect([...secrets()].filter(([, value]) => !text.includes(value))).toEqual([]);
  });

  it('holds files that copies get wrong', async () => {
    const tree = await describeTree(machine, '/var/lib/lxd/storage-pools');
    const odd = (pool: string, name: string, path: string) =>
      tree.get(`${pool}/containers/${name}/rootfs/odd/${path}`);

    expect(odd('default', 'odd', 'owners/1000')).toMatchObject({ owner: '101000:164534' });
    expect(odd('bt', 'c2', 'owners/1000')).toMatchObject({ owner: '1000:64534' });
    expect(odd('default', 'odd', 'modes/6711')).toMatchObject({ mode: '6711' });
    expect(odd('default', 'odd', 'xattrs/capability')?.xattrs).toMatch(/^security\.capability=0x/);
    expect(odd('default', 'odd', 'xattrs/trusted')?.xattrs).toMatch(/^trusted\.note=0x/);
    expect(odd('default', 'odd', 'acls/file')?.xattrs).toMatch(/^system\.posix_acl_access=0x/);
    expect(odd('default', 'odd', 'links/one')?.hardLinks.split('\0')).toHaveLength(2);
    expect(odd('default', 'odd', 'sparse/empty')).toMatchObject({ size: 16 * 1024 ** 2, allocated: 0 });
    expect(odd('default', 'odd', 'kinds/null')).toMatchObject({ type: 'character device', device: '1:3' });
    expect(odd('default', 'odd', 'kinds/socket')).toMatchObject({ type: 'socket' });
    expect(odd('default', 'odd', 'names/\xff\xfe')).toMatchObject({ type: 'file' });
    expect(odd('default', 'odd', 'names/new\nline')).toMatchObject({ type: 'file' });
    expect(tree.get('bt/containers/b1/rootfs/nested/inner')).toMatchObject({ subvolume: 'writable' });
    expect(tree.get('bt/containers-snapshots/b1/with-subvolumes')).toMatchObject({ subvolume: 'read-only' });
    // LXD 5.0.2 leaves the subvolumes within a snapshot writable.
    expect(tree.get('bt/containers-snapshots/b1/with-subvolumes/rootfs/nested')?.subvolume).toBe('writable');
  });
});

describe('a populated machine that is used', () => {
  it('does not see the one beside it, and leaves no trace of either', async () => {
    const [one, other] = await Promise.all([
      startPopulatedMachine({ name: 'one' }),
      startPopulatedMachine({ name: 'other' }),
    ]);
    const machines = [one, other];
    const used = machines.map((machine) => namespacesOf(machine.pid));
    const devices = (await Promise.all(machines.map(({ disk }) => loopsOfFile(disk)))).flat();
    const inner = (await Promise.all(devices.map(loopsOnDevice))).flat();
    try {
      await one.exec(['lxc', 'stop', '--force', 'c1']);
      await one.exec(['lxc', 'delete', 'c1']);

      const [first, second] = await Promise.all(machines.map((machine) => powerOf(machine, 'lxd')));

      expect(first?.map(({ instance }) => instance)).not.toContain('c1');
      expect(new Set(second)).toEqual(new Set(populatedPower));
      expect(devices).toHaveLength(2);
      expect(inner).toHaveLength(2);
    } finally {
      await Promise.all(machines.map((machine) => machine.stop()));
    }

    expect(processesIn(used.flat())).toEqual([]);
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    for (const machine of machines) {
      expect(existsSync(dirname(machine.disk))).toBe(false);
      expect(mounts).not.toContain(machine.name);
      expect(cgroupFolders(machine.name)).toEqual([]);
    }
    for (const machine of machines) expect(backingFiles()).not.toContain(machine.disk);
  });

  it('keeps its instances when only lxd.service is stopped, and comes up again after a clean stop', async () => {
    const machine = await startPopulatedMachine({ name: 'again' });
    try {
      const before = await inventoryOf(machine, 'lxd');
      await machine.exec(['systemctl', 'stop', 'lxd.service']);
      expect(await daemonPid(machine, 'lxd')).toBeUndefined();
      expect(await monitors(machine)).toHaveLength(alive.length);
      await startLxd(machine);
      await stopLxd(machine);
      expect(await monitors(machine)).toEqual([]);

      await startLxd(machine);

      const changing = new Set([
        'state',
        'last_used_at',
        'used_by',
        'instances',
        'status',
        'status_code',
        'pid',
      ]);
      const after = await inventoryOf(machine, 'lxd');
      const objects = (inventory: Inventory): Inventory => ({ ...inventory, pools: {} });
      expect(
        compareInventories(objects(before), objects(after), (path) =>
          path.some((part) => changing.has(part)),
        ),
      ).toEqual([]);
    } finally {
      await machine.stop();
    }
  });

  it('survives the kill of LXD and the removal of its package with data and containers', async () => {
    const machine = await startPopulatedMachine({ name: 'killed' });
    try {
      await initialiseIncus(machine);
      expect(Object.keys((await inventoryOf(machine, 'incus')).pools)).toEqual(['default']);

      await killDaemon(machine, 'lxd');
      await removeLxdPackage(machine);

      expect(await monitors(machine)).toHaveLength(alive.length);
      expect(existsSync(machine.rootPath('/usr/bin/lxd'))).toBe(false);
      expect(existsSync(machine.rootPath('/var/lib/lxd/database/global'))).toBe(true);
    } finally {
      await machine.stop();
    }
  });
});

describe('the comparison of trees', () => {
  const folder = '/var/lib/compared';
  let machine: Machine;
  let before: Tree;

  const build = `
    rm -rf "$1"; mkdir -p "$1/folder" "$1/empty"; cd "$1"
    for file in file other linked; do echo "$file" > "$file"; done
    ln linked twin; ln -s file link; mkfifo fifo; mknod node c 1 3; truncate -s 8M holes
    setfattr -n user.note -v kept file; setfacl -m u:33:r other
    chown -h 1:2 file link; find . -exec touch -h -d @1700000000 {} +`;

  beforeAll(async () => {
    machine = await startMachine({ tree: 'bookworm' });
    await machine.exec(['bash', '-c', build, 'bash', folder]);
    before = await describeTree(machine, folder);
  });
  afterAll(() => machine.stop());

  const changes: readonly (readonly [string, string, readonly RegExp[]])[] = [
    ['nothing', 'true', []],
    ['content of the same size', 'echo FILE > file', [/^"file": sha256 was/]],
    ['a size', 'echo more >> other', [/^"other": size was 6, is 11/, /^"other": sha256/]],
    ['a mode', 'chmod 4755 file', [/^"file": mode was "644", is "4755"/]],
    ['an owner', 'chown -h 1:3 link', [/^"link": owner was "1:2", is "1:3"/]],
    ['a time', 'touch -d @1700000001 file', [/^"file": modified was "1700000000/]],
    [
      'the target of a link',
      'ln -sfn other link; chown -h 1:2 link',
      [/^"link": target was "file", is "other"/],
    ],
    ['an attribute', 'setfattr -n user.note -v lost file', [/^"file": xattrs was "user.note=0x6b/]],
    ['an attribute that is gone', 'setfattr -x user.note file', [/^"file": xattrs was .* is none/]],
    ['an ACL', 'setfacl -m u:34:r other', [/^"other": xattrs was "system.posix_acl_access/]],
    [
      'a hard link that became a copy',
      'cp -a twin copy; mv -f copy twin',
      [/^"linked": hardLinks was "twin", is none/, /^"twin": hardLinks was "linked", is none/],
    ],
    ['a hole that was filled', 'cp --sparse=never holes full; mv full holes', [/^"holes": allocated was 0/]],
    ['a device number', 'rm node; mknod node c 1 5', [/^"node": device was "1:3", is "1:5"/]],
    ['a kind', 'rm fifo; touch fifo', [/^"fifo": type was "fifo", is "file"/, /size/, /sha256/]],
    ['a new entry', 'touch new', [/^"new" is new/]],
    ['a missing entry', 'rmdir empty', [/^"empty" is missing/]],
    ['a hostile name', `touch $'a\\nb "\\xff'`, [/^"a\\nb \\"\ufffd" is new/]],
  ];

  it.each(changes)('finds %s', async (_, change, expected) => {
    await machine.exec(['bash', '-c', build, 'bash', folder]);
    const keepTimes = `cd "$1"; ${change}; find . -newermt @1700000002 -exec touch -h -d @1700000000 {} +`;
    await machine.exec(['bash', '-c', keepTimes, 'bash', folder]);

    const differences = compareTrees(before, await describeTree(machine, folder));

    expect(differences).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });

  it('finds a subvolume that became a folder, and one that became writable', async () => {
    await machine.exec([
      'bash',
      '-ec',
      `cd /var; truncate -s 256M btrfs.img; mkfs.btrfs -q btrfs.img; mkdir btrfs; mount -o loop btrfs.img btrfs; cd btrfs
       btrfs -q subvolume create lost; btrfs -q subvolume create opened; btrfs property set -ts opened ro true`,
    ]);
    const first = await describeTree(machine, '/var/btrfs');
    await machine.exec([
      'bash',
      '-ec',
      'cd /var/btrfs; btrfs -q subvolume delete lost; mkdir lost; btrfs property set -f -ts opened ro false',
    ]);

    const differences = compareTrees(first, await describeTree(machine, '/var/btrfs'), {
      ignore: (_, field) => field === 'modified',
    });

    expect(differences).toEqual([
      '"lost": subvolume was "writable", is none',
      '"opened": subvolume was "read-only", is "writable"',
    ]);
  });
});
