// Keys that Incus does not know: dropped, renamed, or in the way; each on record, and losses said.
import { describe, expect, test } from 'vitest';
import type { Conversion } from '../../../src/migrate/convert/index.ts';
import { migrationRules } from '../../../src/migrate/rules/migration-rules.ts';
import { ask, lxdDatabase, populatedDatabase } from '../lxd-database.ts';
import { config, converted, convertImage, instance, quoted } from './converted.ts';

function keys({ image }: Conversion, table: string): Record<string, unknown> {
  return Object.fromEntries(
    ask(image, `SELECT key, value FROM ${table} ORDER BY key`).map(({ key, value }) => [key, value]),
  );
}

function server(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => `INSERT INTO config (key, value) VALUES (${quoted(key)}, ${quoted(value)});`)
    .join('\n');
}

const bridge = `INSERT INTO networks VALUES (1, 1, 'lxdbr0', '', 1, 0);`;
const pinned = { 'dns.domain': 'lxd', 'bridge.hwaddr': '00:16:3e:00:00:01' };

describe('a key that is dropped', () => {
  test('without loss is gone, on record, and no finding', () => {
    const conversion = converted(
      server({ 'core.trust_password': 'hunter2', 'images.auto_update_interval': '0' }),
    );

    expect(keys(conversion, 'config')).toEqual({ 'images.auto_update_interval': '0' });
    expect(conversion.findings).toEqual([]);
    expect(conversion.changes).toContainEqual({
      table: 'config',
      rowId: 1,
      object: 'server',
      what: 'core.trust_password',
      before: 'hunter2',
      after: null,
      rule: 'server/core.trust_password',
    });
  });

  test('with loss is a finding that names the object and can be accepted', () => {
    const conversion = converted(server({ 'maas.api.url': 'http://maas' }));

    expect(keys(conversion, 'config')).toEqual({});
    expect(conversion.findings).toMatchObject([
      { id: 'key-lost:maas.api.url', severity: 'loss', objects: ['server'], answers: ['accept'] },
    ]);
  });

  test('is found in instances, snapshots and profiles alike', () => {
    const conversion = converted(`
      ${instance(1, 'c1')} INSERT INTO instances_snapshots VALUES (1, 1, 's0', 0, 0, '', NULL);
      ${config('instances_config', 1, { 'ubuntu_pro.guest_attach': 'on' })}
      ${config('instances_snapshots_config', 1, { 'ubuntu_pro.guest_attach': 'on' })}
      ${config('profiles_config', 1, { 'ubuntu_pro.guest_attach': 'on' })}
    `);

    expect(
      conversion.changes.filter(({ what }) => what === 'ubuntu_pro.guest_attach').map(({ object }) => object),
    ).toEqual(['profile default/default', 'instance default/c1', 'instance snapshot default/c1/s0']);
    expect(conversion.findings).toHaveLength(3);
  });

  test('a volume loses its volatile.uuid, an instance keeps its own', () => {
    const conversion = converted(`
      ${instance(1, 'c1')} ${config('instances_config', 1, { 'volatile.uuid': 'of-the-instance' })}
      INSERT INTO storage_pools VALUES (1, 'p', 'dir', '', 1);
      INSERT INTO storage_volumes VALUES (1, 'v', 1, 1, 2, '', 1, 0);
      INSERT INTO storage_volumes_snapshots VALUES (2, 1, 's0', '', NULL);
      ${config('storage_volumes_config', 1, { 'volatile.uuid': 'of-the-volume', size: '1GiB' })}
      ${config('storage_volumes_snapshots_config', 2, { 'volatile.uuid': 'of-the-snapshot' })}
    `);

    expect(keys(conversion, 'instances_config')).toMatchObject({ 'volatile.uuid': 'of-the-instance' });
    expect(keys(conversion, 'storage_volumes_config')).toEqual({ size: '1GiB' });
    expect(keys(conversion, 'storage_volumes_snapshots_config')).toEqual({});
  });
});

describe('a key that stands in the way', () => {
  test('is a blocker, and stays as it is', () => {
    const conversion = converted(server({ 'instances.migration.stateful': 'true' }));

    expect(keys(conversion, 'config')).toEqual({ 'instances.migration.stateful': 'true' });
    expect(conversion.findings).toMatchObject([
      { id: 'key-blocked:instances.migration.stateful', severity: 'blocker', objects: ['server'] },
    ]);
    expect(conversion.findings[0]?.answers).toBeUndefined();
    expect(conversion.changes).toEqual(converted('').changes);
  });

  test.each([
    ['fan', 'key-blocked:bridge.mode', 'fan'],
    ['standard', undefined, undefined],
  ])('a bridge of mode %s gives %s', (mode, finding, left) => {
    const conversion = converted(
      `${bridge} ${config('networks_config', 1, { ...pinned, 'bridge.mode': mode })}`,
    );

    expect(conversion.findings.map(({ id }) => id)).toEqual(finding === undefined ? [] : [finding]);
    expect(keys(conversion, 'networks_config')['bridge.mode']).toBe(left);
  });
});

describe('a key that has another name', () => {
  test('is renamed in place, both sides on record', () => {
    const conversion = converted(`
      ${instance(1, 'c1')} ${config('instances_config', 1, { 'security.devlxd': 'false' })}
      ${config('profiles_config', 1, { 'security.devlxd.images': 'true' })}
    `);

    expect(keys(conversion, 'instances_config')).toMatchObject({ 'security.guestapi': 'false' });
    expect(keys(conversion, 'profiles_config')).toEqual({ 'security.guestapi.images': 'true' });
    expect(conversion.changes.filter(({ object }) => object === 'instance default/c1')).toMatchObject([
      { what: 'security.devlxd', before: 'false', after: null, rule: 'instance/security.devlxd' },
      { what: 'security.guestapi', before: null, after: 'false', rule: 'instance/security.devlxd' },
    ]);
  });

  test('keeps the part that a pattern stands for', () => {
    const conversion = converted(
      `${bridge} ${config('networks_config', 1, { ...pinned, 'tunnel.a.b.inteface': 'eth0' })}`,
    );

    expect(keys(conversion, 'networks_config')).toMatchObject({ 'tunnel.a.b.interface': 'eth0' });
  });

  test('changes its value where the two write it differently', () => {
    const conversion = converted(
      `${instance(1, 'c1')} ${config('instances_config', 1, { 'security.delegate_bpf.cmd_types': 'a:b:c' })}`,
    );

    expect(keys(conversion, 'instances_config')).toMatchObject({ 'security.bpffs.delegate_cmds': 'a,b,c' });
  });

  test('gives way to a row of the new name with the same value', () => {
    const conversion = converted(
      `${instance(1, 'c1')} ${config('instances_config', 1, { 'security.devlxd': 'false', 'security.guestapi': 'false' })}`,
    );

    expect(keys(conversion, 'instances_config')).toEqual({ 'security.guestapi': 'false' });
    expect(conversion.findings).toEqual([]);
    expect(conversion.changes).toContainEqual(
      expect.objectContaining({ what: 'security.devlxd', before: 'false', after: null }),
    );
  });

  test('gives way to a row of the new name with another value, and says so', () => {
    const conversion = converted(
      `${instance(1, 'c1')} ${config('instances_config', 1, { 'security.devlxd': 'false', 'security.guestapi': 'true' })}`,
    );

    expect(keys(conversion, 'instances_config')).toEqual({ 'security.guestapi': 'true' });
    expect(conversion.findings).toMatchObject([
      {
        id: 'key-collision:security.devlxd',
        severity: 'loss',
        objects: ['instance default/c1'],
        answers: ['accept'],
      },
    ]);
  });

  test('is no collision with the same key of another member or object', () => {
    const conversion = converted(`
      ${bridge} ${config('networks_config', 1, { ...pinned, 'tunnel.t.inteface': 'eth0' })}
      INSERT INTO networks_config (network_id, node_id, key, value) VALUES (1, 1, 'tunnel.t.interface', 'eth1');
    `);

    expect(
      ask(
        conversion.image,
        "SELECT node_id, value FROM networks_config WHERE key = 'tunnel.t.interface' ORDER BY id",
      ),
    ).toEqual([
      { node_id: null, value: 'eth0' },
      { node_id: 1, value: 'eth1' },
    ]);
  });
});

/** Objects and keys that nobody knows. */
function unknown({ findings }: Conversion): string[] {
  return findings.filter(({ id }) => id === 'key-unknown').flatMap(({ objects }) => objects);
}

describe('keys that neither project knows', () => {
  const everything = `
    ${instance(1, 'c1')} INSERT INTO instances_devices VALUES (1, 1, 'd', 2); INSERT INTO profiles_devices VALUES (1, 1, 'd', 2);
    INSERT INTO instances_snapshots VALUES (1, 1, 's', 0, 0, '', NULL); INSERT INTO instances_snapshots_devices VALUES (1, 1, 'd', 2);
    INSERT INTO networks VALUES (1, 1, 'n', '', 1, 1); INSERT INTO networks_acls VALUES (1, 1, 'a', '', '[]', '[]');
    INSERT INTO networks_forwards VALUES (1, 1, 1, '10.0.0.1', '', '[]'); INSERT INTO networks_peers VALUES (1, 1, 'p', '', NULL, NULL, NULL);
    INSERT INTO networks_zones VALUES (1, 1, 'z', ''); INSERT INTO networks_zones_records VALUES (1, 1, 'r', '', '[]');
    INSERT INTO storage_pools VALUES (1, 'p', 'dir', '', 1); INSERT INTO storage_volumes VALUES (1, 'v', 1, 1, 2, '', 1, 0);
    INSERT INTO storage_volumes_snapshots VALUES (1, 1, 's', '', NULL);
  `;

  test.each([
    ['config (id, key, value) VALUES (9, ', 'server'],
    ['nodes_config (node_id, key, value) VALUES (1, ', 'member none'],
    ['projects_config (project_id, key, value) VALUES (1, ', 'project default'],
    ['profiles_config (profile_id, key, value) VALUES (1, ', 'profile default/default'],
    [
      'profiles_devices_config (profile_device_id, key, value) VALUES (1, ',
      'profile default/default, device d',
    ],
    ['instances_config (instance_id, key, value) VALUES (1, ', 'instance default/c1'],
    [
      'instances_devices_config (instance_device_id, key, value) VALUES (1, ',
      'instance default/c1, device d',
    ],
    [
      'instances_snapshots_config (instance_snapshot_id, key, value) VALUES (1, ',
      'instance snapshot default/c1/s',
    ],
    ['networks_config (network_id, key, value) VALUES (1, ', 'network default/n'],
    ['networks_acls_config (network_acl_id, key, value) VALUES (1, ', 'network ACL default/a'],
    ['networks_zones_config (network_zone_id, key, value) VALUES (1, ', 'network zone z'],
    [
      'networks_forwards_config (network_forward_id, key, value) VALUES (1, ',
      'network forward default/n/10.0.0.1',
    ],
    ['networks_peers_config (network_peer_id, key, value) VALUES (1, ', 'network peer default/n/p'],
    ['storage_pools_config (storage_pool_id, key, value) VALUES (1, ', 'storage pool p'],
    ['storage_volumes_config (storage_volume_id, key, value) VALUES (1, ', 'volume p/default/v'],
    [
      'storage_volumes_snapshots_config (storage_volume_snapshot_id, key, value) VALUES (1, ',
      'volume p/default/v/s',
    ],
  ])('are named and left out: %s…', (insert, object) => {
    const conversion = converted(
      `${everything} INSERT INTO ${insert} 'made.up', 'SECRET'); ${insert.startsWith('config ') ? '' : `INSERT INTO ${insert} 'user.mine', 'x');`}`,
    );

    expect(unknown(conversion)).toEqual([`${object}: made.up`]);
    expect(conversion.findings).toMatchObject([{ id: 'key-unknown', severity: 'loss', answers: ['accept'] }]);
    expect(JSON.stringify(conversion.findings)).not.toContain('SECRET');
    expect(ask(conversion.image, `SELECT key FROM ${insert.split(' ')[0]} WHERE key = 'made.up'`)).toEqual(
      [],
    );
  });

  test('are none on a real server, and none that a rule speaks of', () => {
    expect(unknown(convertImage(populatedDatabase()))).toEqual([]);
    const ruled = migrationRules().keys.filter(
      ({ entity, types }) => entity === 'instance' && types === undefined,
    );
    const values = Object.fromEntries(ruled.map(({ key }) => [key.replaceAll(/<[^>]+>|\*/g, 'x'), 'x']));
    expect(unknown(converted(`${instance(1, 'c1')} ${config('instances_config', 1, values)}`))).toEqual([]);
  });
});

describe('rules for a type of object', () => {
  test('are not for others', () => {
    const sql = (type: number): string =>
      `${instance(1, 'i1', { type })} ${config('instances_config', 1, { 'limits.cpu.pin_strategy': 'auto' })}`;

    expect(unknown(converted(sql(1)))).toEqual([]);
    // A container cannot have it in LXD either: no rule speaks of it, and Incus does not know it.
    expect(unknown(converted(sql(0)))).toEqual(['instance default/i1: limits.cpu.pin_strategy']);
  });

  test('are all for a profile, which any instance may use', () => {
    const conversion = converted(config('profiles_config', 1, { 'limits.cpu.pin_strategy': 'auto' }));

    expect(keys(conversion, 'profiles_config')).toEqual({});
  });

  test('follow the driver of the pool', () => {
    const sql = (driver: string): string =>
      `INSERT INTO storage_pools VALUES (1, 'p', '${driver}', '', 1); ${config('storage_pools_config', 1, { size: '1GiB' })}`;

    expect(keys(converted(sql('dir')), 'storage_pools_config')).toEqual({});
    expect(keys(converted(sql('btrfs')), 'storage_pools_config')).toEqual({ size: '1GiB' });
  });

  describe('of network interface', () => {
    const nic = (device: Readonly<Record<string, string>>, networkType = 0): string => `
      INSERT INTO networks VALUES (1, 1, 'net', '', 1, ${networkType});
      INSERT INTO networks_config (network_id, key, value) VALUES (1, 'dns.domain', 'x'), (1, 'bridge.hwaddr', 'x');
      INSERT INTO profiles_devices VALUES (1, 1, 'eth0', 1);
      ${config('profiles_devices_config', 1, device)}
    `;

    test.each([
      ['its own nictype', { nictype: 'bridged', 'maas.subnet.ipv4': 'x' }, 0, ['nictype'], []],
      [
        'a kind that the rule is not for',
        { nictype: 'routed', 'maas.subnet.ipv4': 'x' },
        0,
        ['nictype'],
        ['maas.subnet.ipv4'],
      ],
      ['the type of its network', { network: 'net', 'acceleration.parent': 'x' }, 3, ['network'], []],
      [
        'the type of its network, another',
        { network: 'net', 'acceleration.parent': 'x' },
        0,
        ['network'],
        ['acceleration.parent'],
      ],
      ['a bridge where nothing is said', { 'maas.subnet.ipv4': 'x' }, 0, [], []],
    ])('go by %s', (_what, device, networkType, left, notOfThatKind) => {
      const conversion = converted(nic(device, networkType));

      expect(Object.keys(keys(conversion, 'profiles_devices_config'))).toEqual(left);
      expect(unknown(conversion)).toEqual(
        notOfThatKind.map((key) => `profile default/default, device eth0: ${key}`),
      );
    });

    test('go by the network of the project, where several have the name', () => {
      const sql = `
        INSERT INTO networks VALUES (1, 1, 'net', '', 1, 0), (2, 2, 'net', '', 1, 3);
        INSERT INTO networks_config (network_id, key, value) VALUES (1, 'dns.domain', 'x'), (1, 'bridge.hwaddr', 'x'), (2, 'dns.domain', 'x');
        INSERT INTO projects_config (project_id, key, value) VALUES (2, 'features.networks', 'true');
        ${instance(1, 'c1', { project: 2 })} INSERT INTO instances_devices VALUES (1, 1, 'eth0', 1);
        ${config('instances_devices_config', 1, { network: 'net', 'acceleration.parent': 'x' })}
      `;

      expect(keys(converted(sql), 'instances_devices_config')).toEqual({ network: 'net' });
    });

    test('go by the network of project default, where the project has no networks of its own', () => {
      const sql = `
        INSERT INTO networks VALUES (1, 1, 'net', '', 1, 3);
        INSERT INTO networks_config (network_id, key, value) VALUES (1, 'dns.domain', 'x');
        ${instance(1, 'c1', { project: 2 })} INSERT INTO instances_devices VALUES (1, 1, 'eth0', 1);
        ${config('instances_devices_config', 1, { network: 'net', 'acceleration.parent': 'x' })}
      `;

      expect(keys(converted(sql), 'instances_devices_config')).toEqual({ network: 'net' });
    });
  });
});

describe('a key that some targets know', () => {
  const sql = `${instance(1, 'c1')} ${config('instances_config', 1, { 'security.protection.start': 'true' })}`;

  test.each([
    ['6.0.4', false],
    ['7.0.1', false],
    ['7.0.2', true],
    ['7.0.3', true],
    ['7.0.10', true],
    ['7.3.0', false],
  ])('is kept by %s: %s', (targetVersion, kept) => {
    const conversion = converted(sql, { targetVersion });

    expect(keys(conversion, 'instances_config')).toEqual(kept ? { 'security.protection.start': 'true' } : {});
    expect(conversion.findings.map(({ id }) => id)).toEqual(
      kept ? [] : ['key-lost:security.protection.start'],
    );
  });
});

describe('volatile keys of instances', () => {
  const names = [
    'volatile.apply_nvram',
    'volatile.base_image',
    'volatile.container.oci',
    'volatile.eth0.host_name',
    'volatile.eth0.hwaddr',
    'volatile.eth0.io.bus',
    'volatile.eth0.last_state.created',
    'volatile.eth0.last_state.usb.bus',
    'volatile.eth0.last_state.vf.trusted',
    'volatile.my.dotted-nic.hwaddr',
    'volatile.last_state.agent',
    'volatile.unknown',
    'volatile.uuid',
    'volatile.vm.needs_reset',
    'volatile.vm.rtc_offset',
    'volatile.x.bus',
  ];
  const always = [
    'volatile.apply_nvram',
    'volatile.base_image',
    'volatile.eth0.host_name',
    'volatile.eth0.hwaddr',
    'volatile.eth0.last_state.created',
    'volatile.eth0.last_state.usb.bus',
    'volatile.my.dotted-nic.hwaddr',
    'volatile.uuid',
  ];

  test.each([
    ['6.0.4', []],
    ['6.0.5', ['volatile.eth0.io.bus', 'volatile.vm.rtc_offset']],
    [
      '6.0.6',
      [
        'volatile.eth0.io.bus',
        'volatile.eth0.last_state.vf.trusted',
        'volatile.vm.needs_reset',
        'volatile.vm.rtc_offset',
      ],
    ],
    [
      '7.0.2',
      [
        'volatile.container.oci',
        'volatile.eth0.io.bus',
        'volatile.eth0.last_state.vf.trusted',
        'volatile.last_state.agent',
        'volatile.vm.needs_reset',
        'volatile.vm.rtc_offset',
      ],
    ],
    [
      '7.3.0',
      [
        'volatile.container.oci',
        'volatile.eth0.io.bus',
        'volatile.eth0.last_state.vf.trusted',
        'volatile.last_state.agent',
        'volatile.vm.needs_reset',
        'volatile.vm.rtc_offset',
      ],
    ],
  ])('that %s accepts are kept, the others dropped', (targetVersion, more) => {
    const values = Object.fromEntries(names.map((name) => [name, 'x']));

    const conversion = converted(`${instance(1, 'c1')} ${config('instances_config', 1, values)}`, {
      targetVersion,
    });

    expect(Object.keys(keys(conversion, 'instances_config'))).toEqual([...always, ...more].sort());
    for (const name of names)
      if (![...always, ...more].includes(name))
        expect(conversion.changes).toContainEqual(expect.objectContaining({ what: name, after: null }));
  });

  test('are dropped in snapshots by the same rule; other entities keep theirs', () => {
    const conversion = converted(`
      ${instance(1, 'c1')} INSERT INTO instances_snapshots VALUES (1, 1, 's0', 0, 0, '', NULL);
      ${config('instances_snapshots_config', 1, { 'volatile.unknown': 'x', 'volatile.uuid': 'u' })}
      INSERT INTO storage_pools VALUES (1, 'p', 'btrfs', '', 1);
      ${config('storage_pools_config', 1, { 'volatile.initial_source': 'x' })}
    `);

    expect(keys(conversion, 'instances_snapshots_config')).toEqual({ 'volatile.uuid': 'u' });
    expect(keys(conversion, 'storage_pools_config')).toEqual({ 'volatile.initial_source': 'x' });
  });
});

test('keys that both know are left alone', () => {
  const values = {
    'boot.autostart': 'false',
    'limits.memory': '1GiB',
    'user.anything': 'x',
    'image.os': 'y',
  };

  const conversion = converted(`${instance(1, 'c1')} ${config('instances_config', 1, values)}`);

  expect(keys(conversion, 'instances_config')).toEqual(values);
  expect(conversion.changes).toEqual(converted(instance(1, 'c1')).changes);
});

test('the image that is given is not changed', () => {
  const image = lxdDatabase(server({ 'core.trust_password': 'x' }));
  const before = Buffer.from(image);

  converted('', { image });

  expect(image.equals(before)).toBe(true);
});
