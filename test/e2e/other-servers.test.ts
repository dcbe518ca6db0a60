// Servers and hosts other than an LXD beside an empty Incus: what moves all the same, and what is refused with the way on.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { expectBlocked, expectFailed } from './refused.ts';
import { api, type Product } from './server/api.ts';
import { startLxd, stopIncus, stopLxd } from './server/populated-machine.ts';
import { powerOf } from './server/power.ts';
import { installTool, tool } from './server/tool.ts';
import { cannotWrite } from './server/variants.ts';
import { startSmallMachine } from './small-server.ts';
import { compareTrees, describeTree } from './tree.ts';

/** One machine for all: each of these tests finds it as the one before has left it. */
let server: Machine;

beforeAll(async () => {
  const tarball = await packedTool();
  server = await startSmallMachine({ name: 'other-servers', containers: [{ name: 'c1' }, { name: 'c2' }] });
  await installTool(server, tarball);
});
afterAll(() => server?.stop());

const c1 = { project: 'default', instance: 'c1', status: 'Running' } as const;
const c2 = { project: 'default', instance: 'c2', status: 'Stopped' } as const;

/** Makes a server the first member of a cluster, as `cluster enable` does. */
async function enableCluster(product: Product, address: string): Promise<void> {
  await api(server, product, 'PATCH', '/1.0', { config: { 'core.https_address': address } });
  await api(server, product, 'PUT', '/1.0/cluster', { server_name: 'm1', enabled: true });
}

describe('an LXD that is stopped and cannot be started', () => {
  let units: readonly string[];
  const unitStates = async (): Promise<string[]> => {
    const names = ['lxd.service', 'lxd.socket', 'lxd-containers.service'] as const;
    const { stdout } = await server.exec(['systemctl', 'is-enabled', ...names], { accept: 'any' });
    return stdout.trim().split('\n');
  };

  it('moves, with what it would have started running', async () => {
    await api(server, 'lxd', 'PUT', '/1.0/instances/c2/state', { action: 'stop', timeout: 30 });
    await stopLxd(server);
    await server.exec(['mv', '/usr/bin/lxd', '/usr/bin/lxd.whole']);
    writeFileSync(server.rootPath('/usr/bin/lxd'), '#!/bin/sh\necho broken >&2\nexit 1\n', { mode: 0o755 });

    units = await unitStates();
    const database = await describeTree(server, '/var/lib/lxd/database');
    const logs = await describeTree(server, '/var/log/lxd');

    const result = await tool(server, ['migrate', '--yes']);

    expect(result.status, `${result.stdout}${result.stderr}`).toBe(0);
    expect(await powerOf(server, 'incus')).toEqual([c1, c2]);
    expect(await cannotWrite(server, 'incus', [c1])).toEqual([]);
    const [, kept = ''] = /its database in (\S+)\.\n/.exec(result.stdout) ?? [];
    expect(compareTrees(database, await describeTree(server, kept))).toEqual([]);
    expect(compareTrees(logs, await describeTree(server, '/var/log/lxd'))).toEqual([]);
    expect(existsSync(server.rootPath('/var/lib/incus/database/patch.global.sql'))).toBe(false);
    expect((await server.exec(['dpkg-query', '--status', 'lxd'])).stdout).toContain(
      'Status: install ok installed\n',
    );
    expect(await unitStates()).toEqual(units.map(() => 'masked'));
  });

  it('is stopped again after a rollback, and starts with its instances once it is mended', async () => {
    const result = await tool(server, ['rollback', '--yes']);
    await server.exec(['mv', '/usr/bin/lxd.whole', '/usr/bin/lxd']);
    await startLxd(server);

    expect(result.status, `${result.stdout}${result.stderr}`).toBe(0);
    expect(await unitStates()).toEqual(units);
    expect(await powerOf(server, 'lxd')).toEqual([c1, c2]);
    expect(await cannotWrite(server, 'lxd', [c1])).toEqual([]);
  });
});

describe('an LXD that holds nothing', () => {
  it('is not moved', async () => {
    await stopLxd(server);
    await server.exec(['sh', '-c', 'rm -rf /var/lib/lxd && mkdir -m 711 /var/lib/lxd']);
    await startLxd(server);

    await expectBlocked(server, 'source-empty', { says: ['holds nothing', 'Use Incus as it is'] });
  });
});

describe('an Incus that is a member of a cluster', () => {
  it('is not taken as the target', async () => {
    await api(server, 'lxd', 'POST', '/1.0/projects', { name: 'shop' });
    await enableCluster('incus', '127.0.0.1:8444');
    // A member writes to its own database at every heartbeat.
    await stopIncus(server);

    await expectBlocked(server, 'cluster-member:target', {
      says: [
        'raft address 127.0.0.1:8444',
        '1 row(s) in raft_nodes',
        'cluster.https_address is set',
        'no option overrides this',
      ],
    });
  });
});

describe('a host without Incus', () => {
  it('is told the commands that install it, and plans all the same', async () => {
    await stopIncus(server);
    await server.exec(['dpkg', '--remove', 'incus-extra', 'incus-client', 'incus-base'], {
      timeoutMs: 120_000,
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    });

    await expectBlocked(server, 'no-incus', {
      says: ['apt-get install -t bookworm-backports incus-base incus-client', 'Target  none'],
    });
  });
});

describe('an LXD that is a member of a cluster', () => {
  it('is not moved', async () => {
    await enableCluster('lxd', '127.0.0.1:8443');
    // A second member, which has left no trace in this one's own configuration yet; its first heartbeat would be one.
    await server.exec([
      ...(['lxd', 'sql', 'global'] as const),
      "INSERT INTO nodes (name, description, address, schema, api_extensions, arch) VALUES ('m2', '', '127.0.0.2:8443', 60, 0, 2)",
    ]);
    await server.exec(['systemctl', 'stop', 'lxd.service']);

    await expectBlocked(server, 'cluster-member:source', {
      says: [
        'raft address 127.0.0.1:8443',
        '1 row(s) in raft_nodes',
        'cluster.https_address is set',
        '2 members',
        'no option overrides this',
      ],
    });
    await expectFailed(server, ['migrate', '--yes', '--cluster-member'], {
      exit: 2,
      code: 'bad-option',
      says: ['--cluster-member', "upstream's tool"],
    });
  });
});

describe('a host without LXD', () => {
  it('is told what was looked for', async () => {
    await stopLxd(server);
    await server.exec(['mv', '/var/lib/lxd', '/root/lxd']);

    for (const args of [['plan'], ['migrate', '--yes']])
      await expectFailed(server, args, {
        exit: 1,
        code: 'no-source',
        says: ['No LXD was found', '/var/lib/lxd', '--lxd-dir'],
      });
  });

  it('is shown the tool for containers of plain LXC where there are some', async () => {
    mkdirSync(server.rootPath('/var/lib/lxc/web/rootfs'), { recursive: true });
    writeFileSync(server.rootPath('/var/lib/lxc/web/config'), 'lxc.uts.name = web\n');

    for (const args of [['plan'], ['inspect'], ['migrate', '--yes']])
      await expectFailed(server, args, {
        exit: 1,
        code: 'no-source',
        says: ['containers of plain LXC in /var/lib/lxc', 'lxc-to-incus'],
      });
  });
});
