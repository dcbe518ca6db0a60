// Servers on which something does not work before they move: it is named before, and is what the move is measured by.
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { expectForPeople } from './refused.ts';
import { api } from './server/api.ts';
import { type PowerState, powerOf } from './server/power.ts';
import { installTool, tool } from './server/tool.ts';
import { cannotWrite, daemonPid } from './server/variants.ts';
import { startSmallMachine } from './small-server.ts';
import { expectUntouched, witness } from './untouched.ts';
import { waitFor } from './wait-for.ts';

const limit = 600_000;

/** Runs a script in the machine; what it prints. */
async function sh(machine: Machine, script: string): Promise<string> {
  const { stdout } = await machine.exec(['sh', '-euc', script], { timeoutMs: 120_000 });
  return stdout;
}

/** Ends the processes of the machine that were called so. */
function killBy(argument: string): string {
  return `for pid in $(ps -e -o pid=,args= | awk -v what=${argument} 'index($0, what) && !/awk/ {print $1}'); do [ $pid = $$ ] || kill -KILL $pid || true; done`;
}

/** Has a command of the machine run whenever the tool calls systemctl with these words. */
function whenSystemctl(machine: Machine, pattern: string, command: string): void {
  writeFileSync(
    machine.rootPath('/usr/local/sbin/systemctl'),
    `#!/bin/sh\ncase "$*" in ${pattern}) [ -e /run/e2e-done ] || { touch /run/e2e-done; ${command}; } ;; esac\nexec /usr/local/bin/systemctl "$@"\n`,
    { mode: 0o755 },
  );
}

describe.each(['bookworm', 'trixie7'] as const)('pools and a network that LXD does not have: %s', (tree) => {
  let server: Machine;
  let power: readonly PowerState[];

  beforeAll(async () => {
    const tarball = await packedTool();
    server = await startSmallMachine({ tree, name: 'away', containers: [{ name: 'c1' }] });
    await installTool(server, tarball);
    // A name that no other machine has: loop devices belong to the whole kernel, and LXD takes one on a file of this path.
    await sh(
      server,
      `mkdir -p /srv/extern
       lxc storage create ext dir source=/srv/extern
       lxc storage create taken btrfs size=300MiB
       lxc storage volume create taken vol
       lxc storage volume snapshot taken vol s0
       lxc init tiny onext -s ext -q
       lxc init tiny onbt -s taken -q
       ip link add nic0 type veth peer name nic1
       lxc network create phys --type=macvlan parent=nic0
       lxc config device add onext eth0 nic network=phys
       systemctl stop lxd-containers.service lxd.socket lxd.service
       umount /var/lib/lxd/storage-pools/ext /var/lib/lxd/storage-pools/taken 2>/dev/null || true
       mv /srv/extern /srv/extern.away
       mv /var/lib/lxd/disks/taken.img /srv/taken.img.away
       ip link del nic0
       systemctl start lxd.service`,
    );
    await waitFor('c1 to run', 30_000, async () =>
      (await powerOf(server, 'lxd')).some(({ instance, status }) => instance === 'c1' && status === 'Running')
        ? true
        : undefined,
    );
  }, limit);
  afterAll(() => server?.stop());

  it(
    'are named with what hangs on them, and must be accepted',
    async () => {
      const before = await witness(server);

      const plan = await tool(server, ['plan']);
      const migrate = await tool(server, ['migrate', '--yes']);

      expect(plan.status, plan.stderr).toBe(3);
      expect(plan.stdout).toContain('loss  pool-unavailable\n');
      expect(plan.stdout).toContain(
        'storage pool ext (dir): Unavailable, /srv/extern does not exist; used by instance default/onext\n',
      );
      expect(plan.stdout).toContain('storage pool taken (btrfs): Unavailable, /var/lib/lxd/disks/taken.img');
      expect(plan.stdout).toContain('used by instance default/onbt, volume default/vol\n');
      expect(plan.stdout).toContain('loss  network-down\n');
      expect(plan.stdout).toContain('network default/phys: Unavailable; used by instance default/onext\n');
      expect(plan.stdout).not.toContain('storage pool default (');
      expectForPeople(plan);
      expect(migrate.status).toBe(3);
      await expectUntouched(server, before);
    },
    limit,
  );

  it(
    'move as they are once accepted, and count as no worse',
    async () => {
      power = await powerOf(server, 'lxd');

      const migrate = await tool(server, ['migrate', '--yes', '--accept', 'pool-unavailable,network-down']);
      const verify = await tool(server, ['verify']);

      for (const { status, stdout, stderr } of [migrate, verify]) {
        expect(status, `${stdout}\n${stderr}`).toBe(0);
        for (const line of [
          'as in LXD  storage pool taken: is unavailable: status Unavailable in LXD\n',
          'as in LXD  storage pool ext: is unavailable: status Unavailable in LXD\n',
          'as in LXD  network default/phys: is unavailable: status Unavailable in LXD\n',
        ])
          expect(stdout).toContain(line);
        expect(stdout).toMatch(/(\d+) of \1 checks passed, 3 not as it should be, as in LXD\n/);
      }
      expect(await powerOf(server, 'incus')).toEqual(power);
      expect(await cannotWrite(server, 'incus', [{ project: 'default', instance: 'c1' }])).toEqual([]);
    },
    limit,
  );

  it(
    'are better afterwards without being a difference',
    async () => {
      await sh(server, 'mv /srv/extern.away /srv/extern && systemctl restart incus.service');
      await waitFor('the pool', 90_000, async () =>
        ((await api(server, 'incus', 'GET', '/1.0/storage-pools/ext')) as { status: string }).status ===
        'Created'
          ? true
          : undefined,
      );

      const verify = await tool(server, ['verify']);

      expect(verify.status, verify.stdout).toBe(0);
      expect(verify.stdout).toContain('2 not as it should be, as in LXD');
    },
    limit,
  );

  it(
    'go back as they were',
    async () => {
      await sh(server, 'mv /srv/extern /srv/extern.away');

      const result = await tool(server, ['rollback', '--yes']);

      expect(result.status, `${result.stdout}\n${result.stderr}`).toBe(0);
      const pools = (await api(server, 'lxd', 'GET', '/1.0/storage-pools?recursion=1')) as {
        name: string;
        status: string;
      }[];
      const status = new Map(pools.map(({ name, status: is }) => [name, is]));
      expect([status.get('default'), status.get('ext')]).toEqual(['Created', 'Unavailable']);
      expect(await powerOf(server, 'lxd')).toEqual(power);
    },
    limit,
  );
});

describe('what a running LXD hides until it stops', () => {
  let server: Machine;
  const pids = async (): Promise<(number | undefined)[]> => [
    await daemonPid(server, 'lxd'),
    await daemonPid(server, 'incus'),
  ];

  beforeAll(async () => {
    const tarball = await packedTool();
    server = await startSmallMachine({ name: 'hidden', containers: [{ name: 'c1' }, { name: 'c2' }] });
    await installTool(server, tarball);
  }, limit);
  afterAll(() => server?.stop());

  it(
    'a folder and an interface that instances need and that are gone are named, and must be accepted',
    async () => {
      await sh(
        server,
        `mkdir /srv/hostdir
         ip link add nica type veth peer name nicb
         lxc profile device add default hostdir disk source=/srv/hostdir path=/mnt/hostdir
         lxc config device add c2 eth9 nic nictype=macvlan parent=nica name=eth9
         lxc init tiny stopped -q
         rmdir /srv/hostdir
         ip link del nica`,
      );
      const before = await witness(server);

      const plan = await tool(server, ['plan']);
      const migrate = await tool(server, ['migrate', '--yes']);

      expect(plan.status, plan.stderr).toBe(3);
      expect(plan.stdout).toContain('loss  instance-not-startable\n');
      for (const line of [
        'instance default/c1, device hostdir (of profile default): /srv/hostdir does not exist\n',
        'instance default/c2, device hostdir (of profile default): /srv/hostdir does not exist\n',
        'instance default/c2, device eth9: network interface nica does not exist\n',
      ])
        expect(plan.stdout).toContain(line);
      expect(plan.stdout).not.toContain('instance default/stopped, device');
      expectForPeople(plan);
      expect(migrate.status).toBe(3);
      await expectUntouched(server, before);
    },
    limit,
  );

  it(
    'are nothing to say once they are back',
    async () => {
      await sh(server, 'mkdir /srv/hostdir; ip link add nica type veth peer name nicb');

      const plan = await tool(server, ['plan']);

      expect(plan.status, `${plan.stdout}\n${plan.stderr}`).toBe(0);
      expect(plan.stdout).not.toContain('instance-not-startable');
    },
    limit,
  );

  it(
    'a state folder in memory must be accepted',
    async () => {
      await sh(server, 'mkdir /mnt/memory && mount -t tmpfs tmpfs /mnt/memory');
      const before = await witness(server);

      const plan = await tool(server, ['plan', '--state', '/mnt/memory/state']);
      const migrate = await tool(server, ['migrate', '--yes', '--state', '/mnt/memory/state']);

      expect(plan.status).toBe(3);
      expect(plan.stdout).toContain('loss  state-in-passing-place\n');
      expect(plan.stdout).toContain('/mnt/memory/state: /mnt/memory is in memory (tmpfs)\n');
      expect(migrate.status).toBe(3);
      await expectUntouched(server, before);
    },
    limit,
  );

  it(
    'a question that LXD refuses stands in the way in its own words, before anything stops',
    async () => {
      await sh(
        server,
        `lxd sql global "INSERT INTO profiles_config (profile_id, key, value) SELECT id, 'user.nul', NULL FROM profiles WHERE name = 'default'"`,
      );
      const before = await pids();

      const plan = await tool(server, ['plan']);
      const migrate = await tool(server, ['migrate', '--yes']);

      expect(plan.status, plan.stderr).toBe(3);
      expect(plan.stdout).toContain('blocker  source-refuses\n');
      expect(plan.stdout).toContain('converting NULL to string is unsupported');
      expect(plan.stdout).toContain('profile default/default, user.nul: its value is NULL\n');
      expect(plan.stdout).not.toContain('condition-not-known');
      expectForPeople(plan);
      expect(migrate.status).toBe(3);
      expect(await pids()).toEqual(before);
    },
    limit,
  );

  it(
    'an LXD that hangs stands in the way with its process, before anything stops',
    async () => {
      await sh(server, 'lxd sql global "DELETE FROM profiles_config WHERE value IS NULL"');
      const before = await pids();
      const pid = await daemonPid(server, 'lxd');
      await sh(server, `kill -STOP ${pid}`);

      const plan = await tool(server, ['plan']);
      const migrate = await tool(server, ['migrate', '--yes']);
      await sh(server, `kill -CONT ${pid}`);

      expect(plan.status, plan.stderr).toBe(3);
      expect(plan.stdout).toContain('blocker  source-silent\n');
      expect(plan.stdout.replaceAll(/\s+/g, ' ')).toContain(`its daemon (process ${pid})`);
      expectForPeople(plan);
      expect(migrate.status, migrate.stderr).toBe(3);
      expect(await pids()).toEqual(before);
    },
    limit,
  );

  it(
    'and moves when LXD answers again',
    async () => {
      const { status, stdout, stderr } = await tool(server, ['migrate', '--yes']);

      expect(status, `${stdout}\n${stderr}`).toBe(0);
    },
    limit,
  );
});

describe('mounts of others', () => {
  let server: Machine;
  const place = '/var/lib/lxd/storage-pools/default/containers/c1/rootfs/mnt';

  beforeAll(async () => {
    const tarball = await packedTool();
    server = await startSmallMachine({ name: 'mounts', containers: [{ name: 'c1' }] });
    await installTool(server, tarball);
    await sh(server, `mkdir -p /srv/nfs ${place} && touch /srv/nfs/of-the-admin`);
  }, limit);
  afterAll(() => server?.stop());

  it(
    'that appear when the plan is made already stop the move before anything of LXD does',
    async () => {
      whenSystemctl(server, '*stop*incus*', `mount --bind /srv/nfs ${place}`);
      const before = await powerOf(server, 'lxd');

      const { status, stdout, stderr } = await tool(server, ['migrate', '--yes']);

      expect(status, `${stdout}\n${stderr}`).toBe(3);
      expect(stderr).toContain(`${place} is new`);
      expect(await sh(server, `ls ${place}`)).toBe('of-the-admin\n');
      expect(await powerOf(server, 'lxd')).toEqual(before);
      expect(stdout).not.toContain('stop LXD');
      await sh(server, `umount ${place} && rm /run/e2e-done`);
    },
    limit,
  );

  it(
    'that appear when LXD has stopped are not unmounted: everything is undone, and they are still there',
    async () => {
      whenSystemctl(server, 'stop*lxd.service*', `mount --bind /srv/nfs ${place}`);
      const before = await powerOf(server, 'lxd');

      const { status, stdout, stderr } = await tool(server, ['migrate', '--yes']);

      expect(status, `${stdout}\n${stderr}`).toBe(1);
      expect(stderr).toContain(`mount ${place}`);
      expect(await sh(server, `ls ${place}`)).toBe('of-the-admin\n');
      expect(await powerOf(server, 'lxd')).toEqual(before);
      await sh(server, `umount ${place} && rm /run/e2e-done /usr/local/sbin/systemctl`);
    },
    limit,
  );

  it(
    'do not stand in the way once they are gone',
    async () => {
      const { status, stdout, stderr } = await tool(server, ['migrate', '--yes']);

      expect(status, `${stdout}\n${stderr}`).toBe(0);
    },
    limit,
  );
});

describe('what verify says', () => {
  let server: Machine;
  const address = '127.0.0.1:8443';
  const held = `core.https_address ${address}: Incus listens there\n        it is held by process`;

  beforeAll(async () => {
    const tarball = await packedTool();
    server = await startSmallMachine({ name: 'overclaims', containers: [{ name: 'c1' }] });
    await installTool(server, tarball);
    await sh(
      server,
      `lxc config set core.https_address ${address}
       lxc network create lxdbr0 ipv4.address=10.70.0.1/24 ipv6.address=none
       lxc init tiny other -q
       lxc publish other --alias other
       lxc config device add c1 web proxy listen=tcp:127.0.0.1:8080 connect=tcp:127.0.0.1:80`,
    );
  }, limit);
  afterAll(() => server?.stop());

  /** Listens there as soon as it can, in place of whoever did. */
  function takeAddress(): void {
    const [ip, port] = address.split(':');
    server.spawn([
      'perl',
      '-MIO::Socket::INET',
      '-e',
      `until ($s = IO::Socket::INET->new(Listen => 1, LocalAddr => "${ip}", LocalPort => ${port}, ReuseAddr => 1)) { select undef, undef, undef, 0.01 } sleep 1200`,
    ]);
  }

  it(
    'names an address that is taken and the file of an image that is gone',
    async () => {
      const images = (await api(server, 'lxd', 'GET', '/1.0/images?recursion=1')) as {
        fingerprint: string;
        aliases: { name: string }[];
      }[];
      const of = (alias: string): string =>
        images.find(({ aliases }) => aliases.some(({ name }) => name === alias))?.fingerprint ?? '';
      await sh(server, `rm /var/lib/lxd/images/${of('tiny')}`);
      takeAddress();
      whenSystemctl(server, 'stop*lxd.service*', `rm /var/lib/lxd/images/${of('other')}`);

      const { status, stdout } = await tool(server, ['migrate', '--yes']);

      expect(status, stdout).toBe(1);
      expect(stdout).toContain(`failed  ${held}`);
      expect(stdout).toContain(`failed  image ${of('other')}: its files are there`);
      expect(stdout).toContain(`as in LXD  image ${of('tiny')}: its files are not as its record says`);
      expect(stdout).toContain('Not looked at:');
    },
    limit,
  );

  it(
    'is right again when the address is free and Incus has taken it',
    async () => {
      await sh(server, killBy('IO::Socket::INET'));
      await sh(server, 'systemctl restart incus.service');
      await waitFor('c1 to run', 60_000, async () =>
        (await powerOf(server, 'incus')).some(
          ({ instance, status }) => instance === 'c1' && status === 'Running',
        )
          ? true
          : undefined,
      );

      const { stdout } = await tool(server, ['verify']);

      expect(stdout).not.toContain('core.https_address');
      expect(stdout).toContain('failed  image ');
    },
    limit,
  );

  it(
    'names a bridge without its dnsmasq and a proxy without its process',
    async () => {
      await sh(server, `${killBy('--interface=lxdbr0')}; ${killBy('forkproxy')}; sleep 0.5`);

      const { status, stdout } = await tool(server, ['verify']);

      expect(status).toBe(1);
      expect(stdout).toContain('failed  network lxdbr0: its dnsmasq runs\n');
      expect(stdout).toContain(
        'failed  instance default/c1, proxy web: its process forwards tcp:127.0.0.1:8080\n',
      );
    },
    limit,
  );
});
