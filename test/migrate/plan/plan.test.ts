// A plan: made from files alone, complete, in order, without any confidential value, and without changing anything.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openOutput } from '../../../src/core/output.ts';
import { renderPlan, renderSummary } from '../../../src/migrate/cli/render-plan.ts';
import { find } from '../../../src/migrate/detect/index.ts';
import { makePlan } from '../../../src/migrate/plan/index.ts';
import type { Converted } from '../../../src/migrate/plan/plan-material.ts';
import { renderHtml } from '../../../src/migrate/report/render-html.ts';
import { renderMarkdown } from '../../../src/migrate/report/render-markdown.ts';
import { errorAnswer } from '../../fakes/daemon-answers.ts';
import { boot, twoDaemons } from '../../fakes/two-daemons.ts';
import { config, instance } from '../convert/converted.ts';
import { changedDatabase, databaseOf, lxdDatabase, populatedDatabase } from '../lxd-database.ts';
import { machineWith, planOf, writeDatabase } from './planned.ts';

/** Every file below a folder with its mode, content and destination. */
function tree(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (path: string): void => {
    for (const entry of fs.readdirSync(path, { withFileTypes: true })) {
      const full = join(path, entry.name);
      const { mode } = fs.lstatSync(full);
      if (entry.isDirectory()) walk(full);
      found[full] =
        `${mode.toString(8)} ${entry.isFile() ? fs.readFileSync(full).toString('base64') : entry.isSymbolicLink() ? fs.readlinkSync(full) : ''}`;
    }
  };
  walk(folder);
  return found;
}

test('changes nothing, starts no daemon and runs nothing but three questions', async () => {
  const host = machineWith(populatedDatabase());
  const before = tree(host.root);

  await planOf(host);

  expect(tree(host.root)).toEqual(before);
  expect(host.log.map(({ kind, text }) => `${kind} ${text}`).sort()).toEqual([
    'run /usr/libexec/incus/incusd --version',
    'run systemctl is-active lxd.socket lxd.service incus-user.socket incus.socket incus.service',
    'run systemctl list-unit-files',
  ]);
});

describe('an LXD that runs', () => {
  test('is asked what works in it, and nothing else', async () => {
    const host = machineWith(populatedDatabase());
    const { lxd } = twoDaemons(host);
    lxd.pools.set('ext', 'Unavailable');
    await boot(host, lxd, {});
    host.log.length = 0;

    const { plan } = await planOf(host);

    expect(plan.condition).toMatchObject({
      asked: true,
      pools: [
        { name: 'default', status: 'Created' },
        { name: 'ext', status: 'Unavailable' },
      ],
    });
    const asked = host.log.filter(({ kind }) => kind === 'request').map(({ text }) => text);
    expect(asked.filter((text) => !text.startsWith('GET /1.0'))).toEqual([]);
    expect(plan.findings.map(({ id }) => id)).not.toContain('condition-not-known');
  });

  test('and does not answer stands in the way, with its process', async () => {
    const host = machineWith(populatedDatabase());
    host.machine.listeners.set('/var/lib/lxd/unix.socket', 4711);

    const { plan } = await planOf(host);

    expect(plan.condition?.asked).toBe(false);
    expect(plan.findings.find(({ id }) => id === 'source-silent')).toMatchObject({
      severity: 'blocker',
      action: expect.stringContaining('(process 4711)'),
    });
    expect(plan.findings.map(({ id }) => id)).not.toContain('condition-not-known');
  });

  test('is not asked for a copy of its data elsewhere, however it hangs', async () => {
    const host = machineWith(lxdDatabase());
    writeDatabase(host, '/srv/copy', populatedDatabase());
    host.machine.listeners.set('/var/lib/lxd/unix.socket', 4711);

    const { plan } = await planOf(host, { lxdDir: '/srv/copy' });

    expect(plan.findings.map(({ id }) => id)).not.toContain('source-silent');
  });

  test('and refuses its list of instances stands in the way, with its words and no confidential value', async () => {
    const host = machineWith(
      lxdDatabase(`
        INSERT INTO config (key, value) VALUES ('core.trust_password', 'hunter22');
        INSERT INTO profiles_config VALUES (99, 1, 'user.nul', NULL);
      `),
    );
    const { lxd } = twoDaemons(host);
    await boot(host, lxd, {});
    host.onRequest((path, request) =>
      path === lxd.socket && request.path.startsWith('/1.0/instances')
        ? errorAnswer(500, 'sql: converting NULL to string is unsupported near hunter22')
        : undefined,
    );

    const { plan, asked } = await planOf(host);

    const refuses = plan.findings.find(({ id }) => id === 'source-refuses');
    expect(asked).toBeUndefined();
    expect(refuses).toMatchObject({
      severity: 'blocker',
      objects: [
        expect.stringMatching(
          /^The daemon refused GET \/1\.0\/instances: sql: converting NULL to string is unsupported near \(8 bytes, .*status 500\)$/,
        ),
        'profile default/default, user.nul: its value is NULL',
      ],
    });
    expect(JSON.stringify(plan)).not.toContain('hunter22');
    expect(plan.findings.map(({ id }) => id)).not.toContain('condition-not-known');
  });
});

test('what Incus would start on is known while LXD is still being asked', async () => {
  const host = machineWith(lxdDatabase());
  const { lxd } = twoDaemons(host);
  await boot(host, lxd, {});
  const told = Promise.withResolvers<Converted>();
  host.onRequest(async (path, request) => {
    if (path === lxd.socket && request.path.startsWith('/1.0/instances')) await told.promise;
    return undefined;
  });

  const material = await makePlan({
    host,
    found: find(host, {}),
    services: undefined,
    state: '/var/lib/lxd-to-incus',
    toolVersion: 'test',
    run: 'RUN',
    converted: told.resolve,
  });

  const { convertedImage, convertedLocal, raft, plan } = await told.promise;
  expect(convertedImage).toBe(material.convertedImage);
  expect(convertedLocal).toBe(material.convertedLocal);
  expect(raft).toBe(material.raft);
  expect(plan.target).toEqual(material.plan.target);
});

describe('an instance whose device needs a folder that is gone', () => {
  const image = lxdDatabase(`
    INSERT INTO instances VALUES (1, 1, 'c1', 0, 0, 0, '2026-01-01', 0, '2026-01-01', '', 1, NULL);
    INSERT INTO instances VALUES (2, 1, 'c2', 0, 0, 0, '2026-01-01', 0, '2026-01-01', '', 1, NULL);
    INSERT INTO instances_config VALUES (91, 1, 'boot.autostart', 'true');
    INSERT INTO instances_devices VALUES (1, 1, 'data', 2), (2, 2, 'data', 2);
    INSERT INTO instances_devices_config VALUES (1, 1, 'source', '/srv/data'), (2, 2, 'source', '/srv/data');
  `);
  const notStartable = async (host: ReturnType<typeof machineWith>, lxdDir?: string) => {
    const { plan } = await planOf(host, lxdDir === undefined ? {} : { lxdDir });
    return plan.findings.find(({ id }) => id === 'instance-not-startable')?.objects;
  };

  test('is named where it runs now', async () => {
    const host = machineWith(image);
    const { lxd } = twoDaemons(host);
    await boot(host, lxd, { 'default/c1': 'Stopped', 'default/c2': 'Frozen' });

    expect(await notStartable(host)).toEqual(['instance default/c2, device data: /srv/data does not exist']);
  });

  test('is named where LXD does not run and would start it', async () => {
    expect(await notStartable(machineWith(image))).toEqual([
      'instance default/c1, device data: /srv/data does not exist',
    ]);
  });

  test('is nothing that this machine could tell of a copy of another one', async () => {
    const host = machineWith(lxdDatabase());
    writeDatabase(host, '/srv/copy', image);

    expect(await notStartable(host, '/srv/copy')).toBeUndefined();
  });
});

test('of a database alone says nothing of what works', async () => {
  const host = machineWith(lxdDatabase());
  writeDatabase(host, '/srv/copy', populatedDatabase());
  fs.renameSync(host.path('/srv/copy/database/global'), host.path('/srv/copy/global'));

  const { plan } = await planOf(host, { lxdDir: '/srv/copy' });

  expect(plan.condition).toBeUndefined();
  expect(plan.findings.map(({ id }) => id)).not.toContain('condition-not-known');
});

test('is one value that can be written down and read again', async () => {
  const { plan } = await planOf(machineWith(populatedDatabase()));

  expect(JSON.parse(JSON.stringify(plan))).toEqual({ ...plan });
});

test('says what was found, where the log stood, and what would run again', async () => {
  const { plan } = await planOf(machineWith(populatedDatabase()));

  expect(plan).toMatchObject({
    format: 1,
    source: { name: 'deb', dataDirectory: '/var/lib/lxd', schema: 60 },
    target: { name: 'deb', dataDirectory: '/var/lib/incus', version: '6.0.4' },
    position: { lastIndex: 2 },
    power: { running: ['default/c1'], frozen: [] },
  });
  expect(plan.findings.filter(({ severity }) => severity === 'blocker')).toEqual([]);
});

test('without an Incus is made all the same, for the oldest one, and has no steps', async () => {
  const host = machineWith(populatedDatabase());
  fs.rmSync(host.path('/usr/libexec/incus/incusd'));
  fs.rmSync(host.path('/var/lib/dpkg/info/incus-base.list'));

  const { plan } = await planOf(host);

  expect(plan.target).toBeUndefined();
  expect(plan.steps).toEqual([]);
  expect(plan.changes.length).toBeGreaterThan(5);
  expect(plan.findings.map(({ id }) => id)).toContain('no-incus');
});

describe('a database that is not moved', () => {
  test.each([
    [
      'of an old LXD',
      lxdDatabase(
        'UPDATE schema SET version = 30; ALTER TABLE networks DROP COLUMN type; DROP TABLE networks_acls;',
      ),
    ],
    [
      'of a newer LXD',
      lxdDatabase('UPDATE schema SET version = 73; CREATE TABLE identities (id INTEGER PRIMARY KEY);'),
    ],
    ['of another program', databaseOf('CREATE TABLE kine (id INTEGER PRIMARY KEY);')],
  ])('%s gives a plan with one reason and no step', async (_what, image) => {
    const { plan } = await planOf(machineWith(image));

    expect(plan.findings.map(({ id }) => id)).toEqual(['schema-unknown']);
    expect(plan.steps).toEqual([]);
    expect(plan.changes).toEqual([]);
  });
});

describe('the directory that the values name', () => {
  const pool = (source: string): Buffer =>
    lxdDatabase(
      `INSERT INTO storage_pools VALUES (1, 'p', 'dir', '', 1); ${config('storage_pools_config', 1, { source })}`,
    );
  const sourceOfPool = async (image: Buffer, directory: string): Promise<unknown> => {
    const host = machineWith(lxdDatabase());
    writeDatabase(host, directory, image);
    const { plan } = await planOf(host, { lxdDir: directory });
    return plan.changes.find(({ what }) => what === 'source')?.after;
  };

  test('is that of the server', async () => {
    expect(await sourceOfPool(pool('/var/lib/lxd/storage-pools/p'), '/var/lib/lxd')).toBe(
      '/var/lib/incus/storage-pools/p',
    );
    expect(await sourceOfPool(pool('/srv/lxd/storage-pools/p'), '/srv/lxd')).toBe(
      '/var/lib/incus/storage-pools/p',
    );
  });

  test('is the usual one in a copy that lies elsewhere', async () => {
    expect(await sourceOfPool(pool('/var/lib/lxd/storage-pools/p'), '/backup/lxd')).toBe(
      '/var/lib/incus/storage-pools/p',
    );
  });

  test('is never the place of a pool that its owner put elsewhere', async () => {
    expect(await sourceOfPool(pool('/data/storage-pools/p'), '/var/lib/lxd')).toBeUndefined();
    expect(await sourceOfPool(pool('/data/storage-pools/p'), '/backup/lxd')).toBeUndefined();
    expect(
      await sourceOfPool(pool('/var/snap/lxd/common/lxd/storage-pools/p'), '/var/lib/lxd'),
    ).toBeUndefined();
  });
});

describe('no confidential value', () => {
  const secret = 'MARKED-SECRET-4711';
  const secrets = lxdDatabase(`
    INSERT INTO config (key, value) VALUES ('core.trust_password', '${secret}'), ('maas.api.key', '${secret}'),
      ('rbac.agent.private_key', '${secret}'), ('core.proxy_http', 'http://user:${secret}@proxy'), ('loki.auth.password', '${secret}');
    INSERT INTO warnings VALUES (1, 1, NULL, NULL, NULL, 'w', 1, 1, 0, 0, NULL, '${secret}', 1);
    INSERT INTO instances_config (instance_id, key, value) VALUES (99, 'user.orphan', '${secret}'), (99, 'limits.cpu', '${secret}');
    ${instance(1, 'c1')} ${config('instances_config', 1, {
      'user.user-data': `/var/lib/lxd/${secret}`,
      'raw.lxc': `lxc.x = /var/lib/lxd/${secret}`,
      'cloud-init.ssh-keys.me': secret,
      'environment.TOKEN': secret,
    })}
    INSERT INTO networks VALUES (1, 1, 'lxdbr0', '', 1, 0);
    ${config('networks_config', 1, { 'raw.dnsmasq': `/var/lib/lxd/${secret}`, 'bgp.peers.x.password': secret })}
  `);

  test('is in the plan, on the terminal or in a report; what is changed is there all the same', async () => {
    const { plan } = await planOf(machineWith(secrets));
    const output = openOutput({ json: false, colour: false });
    const answers = { accept: new Set<string>(), fix: false };
    const texts = [
      JSON.stringify(plan),
      renderPlan(plan, answers, output, undefined),
      renderSummary(plan, answers, output),
      renderHtml(plan, undefined),
      renderMarkdown(plan, undefined),
    ];

    for (const text of texts) expect(text).not.toContain(secret);
    expect(plan.changes.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        'core.trust_password',
        'raw.lxc',
        'raw.dnsmasq',
        'row',
        'cloud-init.ssh-keys.me',
      ]),
    );
    expect(plan.changes.find(({ what }) => what === 'core.trust_password')?.before).toMatch(
      /^\(18 bytes, sha256 /,
    );
  });

  test('is hidden from whoever asks for the values', async () => {
    const material = await planOf(machineWith(secrets));
    const output = openOutput({ json: false, colour: false });

    const text = renderPlan(material.plan, { accept: new Set(), fix: false }, output, material.changes);

    expect(text).toContain(secret);
  });
});

test('hostile names stay text on a terminal and in the reports', async () => {
  const name = `x'; DROP TABLE projects; --<script>alert(1)</script>|\u001b[2J\u202e`;
  const image = lxdDatabase(`
    INSERT INTO projects VALUES (7, '${name.replaceAll("'", "''")}', '');
    ${instance(1, 'c1', { project: 7 })} ${config('instances_config', 1, { 'security.devlxd': `${'<b>'}` })}
  `);

  const { plan } = await planOf(machineWith(image));
  const output = openOutput({ json: false, colour: false });
  const terminal = renderPlan(plan, { accept: new Set(), fix: false }, output, undefined);
  const html = renderHtml(plan, undefined);
  const markdown = renderMarkdown(plan, undefined);

  expect(terminal).toContain('DROP TABLE projects');
  for (const text of [terminal, html, markdown]) expect(text).not.toMatch(/[\u001b\u202e]/);
  expect(html).not.toMatch(/<script|<b>/);
  expect(markdown).not.toMatch(/[^\\]<script/);
  // Every row of a table keeps its number of cells.
  const rows = markdown
    .split('\n')
    .filter((line) => line.startsWith('| instance') || line.startsWith('| note'));
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(row.split(/(?<!\\)\|/).length).toBeGreaterThanOrEqual(7);
});

test.each([
  ['a table that is missing', 'DROP TABLE networks_acls;', 'table networks_acls'],
  [
    'a column that is missing',
    'ALTER TABLE instances DROP COLUMN stateful;',
    'table instances, column stateful',
  ],
])('a database with %s is named, with the part, and is no bug', async (_what, sql, part) => {
  const { plan } = await planOf(machineWith(changedDatabase(lxdDatabase(instance(1, 'c1')), sql)));

  expect(plan.findings).toContainEqual(
    expect.objectContaining({ id: 'schema-unknown', severity: 'blocker', objects: [part] }),
  );
});

test('what SQLite refuses all the same is a failure in its words, and no bug', async () => {
  const damaged = changedDatabase(
    lxdDatabase(instance(1, 'c1')),
    `INSERT INTO storage_pools VALUES (1, 'default', 'dir', '', 1);
     DROP TABLE storage_pools_config;
     CREATE TABLE storage_pools_config (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, storage_pool_id INTEGER NOT NULL, node_id INTEGER, key VARCHAR(255) NOT NULL, value TEXT CHECK (value NOT LIKE '/var/lib/incus/%'));
     INSERT INTO storage_pools_config VALUES (1, 1, 1, 'source', '/var/lib/lxd/storage-pools/default');`,
  );

  await expect(planOf(machineWith(damaged))).rejects.toMatchObject({
    problem: { code: 'database-refuses', why: expect.stringMatching(/CHECK constraint failed/) },
  });
});

describe('the steps', () => {
  test('come in this order', async () => {
    const { plan } = await planOf(machineWith(populatedDatabase()));

    expect(plan.steps.map(({ kind }) => kind)).toEqual([
      'record-source',
      'stop-daemon',
      'mask-target',
      'clear-leftovers',
      'set-aside-target',
      'disable-source',
      'record-power',
      'stop-instances',
      'stop-daemon',
      'mask-source',
      'clear-leftovers',
      'prove-quiet',
      'convert-again',
      'record-directory',
      'move-directory',
      'set-aside-database',
      'install-database',
      'rename-snapshots-folder',
      'repoint-links',
      'empty-runtime-folder',
      'unmask-target',
      'start-daemon',
      'restore-power',
      'release-autostart',
      'leave-note',
      'refresh-backup-files',
      'write-dump',
    ]);
  });

  test('move the mount of an LXD on a file system of its own', async () => {
    const host = machineWith(populatedDatabase());
    host.machine.mounts.push({ path: '/var/lib/lxd', type: 'ext4', device: '/dev/sdb', root: '/' });
    host.writeFile('/etc/fstab', '/dev/sdb /var/lib/lxd ext4\n');

    const { plan } = await planOf(host);

    expect(plan.steps.filter(({ kind }) => /move|copy|aside-target/.test(kind))).toEqual([
      expect.objectContaining({ kind: 'set-aside-target' }),
      { kind: 'move-mount', from: '/var/lib/lxd', to: '/var/lib/incus', boot: 'fstab' },
    ]);
  });

  test('copy to an Incus on a file system of its own, most of it before the instances stop', async () => {
    const host = machineWith(populatedDatabase());
    fs.mkdirSync(host.path('/var/lib/incus'));
    host.machine.mounts.push({ path: '/var/lib/incus', type: 'ext4', device: '/dev/sdb', root: '/' });
    host.onRun(([command]) =>
      command === 'du' ? { stdout: Buffer.from('123456\t/var/lib/lxd\n') } : undefined,
    );

    const { plan } = await planOf(host);

    const place = { from: '/var/lib/lxd', to: '/var/lib/incus', intoMount: true };
    expect(plan.steps.filter(({ kind }) => /move|copy|empty-target|stop-instances|note/.test(kind))).toEqual([
      expect.objectContaining({ kind: 'empty-target-mount' }),
      { kind: 'copy-ahead', ...place, bytes: 123456 },
      expect.objectContaining({ kind: 'stop-instances' }),
      { kind: 'copy-directory', ...place },
      expect.objectContaining({ kind: 'leave-note', kept: true }),
    ]);
    expect(plan.findings.find(({ id }) => id === 'directory-copied')?.objects).toEqual([
      '/var/lib/lxd → /var/lib/incus: 120.6 KiB',
    ]);
  });

  test('name what the database knows of the host: its bridges and the interfaces that LXD made', async () => {
    const { plan } = await planOf(
      machineWith(
        populatedDatabase(`
          INSERT INTO networks VALUES (8, 1, 'lan', '', 1, 1);
          ${config('instances_config', 1, { 'volatile.eth0.host_name': 'veth12345678' })}
          ${config('instances_config', 2, { 'volatile.eth0.host_name': 'eno1' })}
        `),
      ),
    );

    expect(
      plan.steps.find((step) => step.kind === 'clear-leftovers' && step.role === 'source'),
    ).toMatchObject({
      dataDirectory: '/var/lib/lxd',
      bridges: ['lxdbr0', 'net2'],
      interfaces: ['veth12345678'],
      firewallTable: 'lxd',
    });
  });

  test('add the range that the containers have to each file that lacks it', async () => {
    const host = machineWith(populatedDatabase());
    host.writeFile('/etc/subgid', '');

    const { plan } = await planOf(host);

    expect(plan.steps.filter(({ kind }) => kind === 'add-id-range')).toEqual([
      {
        kind: 'add-id-range',
        file: '/etc/subgid',
        line: 'root:100000:10000001',
        neededBySource: true,
      },
    ]);
  });

  test('add no range that leaves files outside of it', async () => {
    const host = machineWith(populatedDatabase());
    host.writeFile('/etc/subgid', 'alice:200000:65536\n');

    const { plan } = await planOf(host);

    expect(plan.steps.filter(({ kind }) => kind === 'add-id-range')).toEqual([]);
    expect(plan.findings.find(({ id }) => id === 'id-range-too-small')?.objects).toContain(
      'instance default/c1',
    );
  });

  test('mask nothing where no unit starts LXD', async () => {
    const host = machineWith(populatedDatabase());
    for (const unit of ['lxd.service', 'lxd.socket']) fs.rmSync(host.path(`/lib/systemd/system/${unit}`));

    const { plan } = await planOf(host);

    expect(plan.steps.map(({ kind }) => kind).filter((kind) => /^(mask|disable)-source$/.test(kind))).toEqual(
      [],
    );
  });
});

test('addresses of bridges are read from the host, by names that cannot lead elsewhere', async () => {
  const host = machineWith(
    lxdDatabase(`INSERT INTO networks VALUES (1, 1, 'lxdbr0', '', 1, 0), (2, 1, '../../../etc', '', 1, 0);`),
  );
  host.writeFile('/sys/class/net/lxdbr0/address', '00:16:3e:aa:bb:cc\n');
  host.writeFile('/etc/address', 'not for you');

  const { plan } = await planOf(host);

  expect(plan.changes.filter(({ what }) => what === 'bridge.hwaddr')).toMatchObject([
    { object: 'network default/lxdbr0', after: '00:16:3e:aa:bb:cc' },
  ]);
  expect(JSON.stringify(plan)).not.toContain('not for you');
});

describe('a copy of a database', () => {
  const image = lxdDatabase(
    "INSERT INTO networks VALUES (1, 1, 'lxdbr0', '', 1, 0);" +
      instance(1, 'c1') +
      config('instances_config', 1, {
        'volatile.last_state.idmap': '[{"Isuid":true,"Hostid":5,"Maprange":9}]',
      }),
  );
  /** This machine has an interface of that name, and lacks much of what the server needs. */
  function otherMachine(): ReturnType<typeof machineWith> {
    const host = machineWith(populatedDatabase());
    host.writeFile('/sys/class/net/lxdbr0/address', '00:16:3e:11:22:33\n');
    for (const command of ['dnsmasq', 'rsync', 'tar']) host.machine.commands.delete(command);
    host.machine.mounts = [];
    writeDatabase(host, '/srv/copy', image);
    return host;
  }
  const pinned = ({ plan }: Awaited<ReturnType<typeof planOf>>): string[] =>
    plan.changes.filter(({ what }) => what === 'bridge.hwaddr').map(({ after }) => after ?? '');

  test('takes no address of an interface of this machine, whole or not', async () => {
    const whole = await planOf(otherMachine(), { lxdDir: '/srv/copy' });
    const database = await planOf(otherMachine(), { lxdDir: '/srv/copy/database/global' });

    for (const material of [whole, database]) {
      expect(pinned(material)).toEqual([]);
      expect([...material.pinsFromHost]).toEqual([]);
      expect(material.plan.findings.map(({ id }) => id)).toContain('pin-unknown:bridge.hwaddr');
    }
  });

  test('without the rest of the server is not measured against this machine', async () => {
    const { plan } = await planOf(otherMachine(), { lxdDir: '/srv/copy/database/global' });

    const ids = plan.findings.map(({ id }) => id);
    expect(ids).toContain('source-is-database-only');
    for (const id of ['command-missing', 'no-lxcfs', 'id-range-too-small', 'source-may-come-back'])
      expect(ids).not.toContain(id);
  });

  test.each([
    [
      'a daemon listens in it',
      (host: ReturnType<typeof machineWith>) => host.machine.listeners.set('/srv/copy/unix.socket', 7),
    ],
    [
      'a unit starts one on it',
      (host: ReturnType<typeof machineWith>) =>
        host.writeFile('/etc/systemd/system/lxd-other.service', '[Service]\nEnvironment=LXD_DIR=/srv/copy\n'),
    ],
  ])('is none where %s', async (_name, arrange) => {
    const host = otherMachine();
    arrange(host);

    expect(pinned(await planOf(host, { lxdDir: '/srv/copy' }))).toEqual(['00:16:3e:11:22:33']);
  });
});
