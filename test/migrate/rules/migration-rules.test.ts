// The rules are data that people edit: every name in them must mean something, and none may hide another.
import { describe, expect, test } from 'vitest';
import { configTables } from '../../../src/migrate/catalogue/config-tables.ts';
import { patternOf } from '../../../src/migrate/convert/config-keys.ts';
import { compareVersions } from '../../../src/migrate/model/compare-versions.ts';
import { type KeyRule, migrationRules } from '../../../src/migrate/rules/migration-rules.ts';
import { ask, lxdDatabase } from '../lxd-database.ts';

const rules = migrationRules();

/** Kinds of object whose tables only LXD after the fork point has; their rules wait for such servers. */
const entitiesOfLaterSchemas = [
  'cluster-link',
  'network-load-balancer-pool',
  'placement-group',
  'replicator',
];
const entities = new Set<string>([...configTables.map(({ entity }) => entity), ...entitiesOfLaterSchemas]);

const typesOf: Readonly<Record<string, readonly string[]>> = {
  instance: ['container', 'vm'],
  network: ['bridge', 'macvlan', 'sriov', 'ovn', 'physical'],
  'storage-pool': Object.keys(rules.drivers),
  'storage-volume': Object.keys(rules.drivers),
  'storage-bucket': Object.keys(rules.drivers),
  device: [
    'none',
    'disk',
    'unix-char',
    'unix-block',
    'usb',
    'gpu',
    'infiniband',
    'proxy',
    'unix-hotplug',
    'tpm',
    'pci',
    ...['bridged', 'macvlan', 'sriov', 'ovn', 'physical', 'p2p', 'routed', 'ipvlan'].map(
      (kind) => `nic:${kind}`,
    ),
  ],
};

function unknownTypes(entity: string, types: readonly string[] | undefined): string[] {
  return (types ?? []).filter((type) => typesOf[entity]?.includes(type) !== true);
}

function mayBothApply(a: KeyRule, b: KeyRule): boolean {
  return a.types === undefined || b.types === undefined || a.types.some((type) => b.types?.includes(type));
}

describe('key rules', () => {
  test('have ids of their own, made of entity and key', () => {
    const ids = rules.keys.map(({ id }) => id);

    expect(new Set(ids).size).toBe(ids.length);
    expect(rules.keys.filter(({ id, entity, key }) => id !== `${entity}/${key}`)).toEqual([]);
  });

  test.each(rules.keys.map((rule) => [rule.id, rule] as const))('%s says what is known', (_id, rule) => {
    expect(['drop', 'rename', 'block']).toContain(rule.action);
    expect(['blocker', 'loss', 'change', 'note']).toContain(rule.severity);
    expect(entities).toContain(rule.entity);
    expect(unknownTypes(rule.entity, rule.types)).toEqual([]);
    expect([undefined, 'colons-to-commas']).toContain(rule.transform);
    expect(rule.because.length).toBeGreaterThan(10);
    if (rule.action === 'rename') {
      // What a pattern stands for must find its place in the new name.
      expect(rule.to).toBeDefined();
      expect(rule.to?.match(/<[^>]+>/g)?.length).toBe(rule.key.match(/<[^>]+>/g)?.length);
    }
    if (rule.action === 'block') expect(rule.severity).toBe('blocker');
    if (rule.unless !== undefined) {
      expect(rule.unless.action).toBe('block');
      expect(rule.unless.severity).toBe('blocker');
      expect(rule.unless.value).not.toBe('');
    }
    for (const version of rule.kept_by ?? []) expect(version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test('do not hide each other', () => {
    const hidden = rules.keys.flatMap((rule, index) =>
      rules.keys
        .slice(0, index)
        .filter(
          (earlier) =>
            earlier.entity === rule.entity &&
            mayBothApply(earlier, rule) &&
            // An exact rule is found before every pattern; between two patterns the first one wins.
            (earlier.key === rule.key ||
              (/[<*]/.test(earlier.key) &&
                /[<*]/.test(rule.key) &&
                patternOf(earlier).test(rule.key.replace(/<[^>]+>|\*$/g, 'x')))),
        )
        .map((earlier) => `${earlier.id} hides ${rule.id}`),
    );

    expect(hidden).toEqual([]);
  });

  test('rename nothing to a key that a rule then drops or refuses', () => {
    const renamed = rules.keys.filter(({ action }) => action === 'rename');

    expect(renamed.length).toBeGreaterThan(5);
    for (const rule of renamed)
      expect(rules.keys.filter(({ entity, key }) => entity === rule.entity && key === rule.to)).toEqual([]);
  });
});

describe('volatile keys', () => {
  test('are full names and endings, each with a version', () => {
    const { keys, device_suffixes: suffixes } = rules.volatile;

    expect(Object.keys(keys).filter((key) => !key.startsWith('volatile.'))).toEqual([]);
    expect(Object.keys(suffixes).filter((suffix) => !suffix.startsWith('.'))).toEqual([]);
    for (const version of [...Object.values(keys), ...Object.values(suffixes)])
      expect(compareVersions(version, '6.0.4')).toBeGreaterThanOrEqual(0);
  });

  test('are not dropped by a rule of the same name', () => {
    const dropped = rules.keys.filter(({ entity, action }) => entity === 'instance' && action === 'drop');

    expect(dropped.filter(({ key }) => rules.volatile.keys[key] !== undefined)).toEqual([]);
  });
});

describe('paths', () => {
  // Where LXD's own validators take a path of the host.
  const real: Readonly<Record<string, readonly string[]>> = {
    'storage-pool': ['source', 'volatile.initial_source'],
    'device:disk': ['source'],
    'device:unix-char': ['source'],
    'device:unix-block': ['source'],
    'device:proxy': ['connect', 'listen'],
    instance: ['raw.apparmor', 'raw.lxc', 'raw.qemu', 'raw.qemu.conf', 'raw.seccomp'],
    network: ['raw.dnsmasq'],
    project: ['restricted.devices.disk.paths'],
  };

  test('are exactly the keys that hold one', () => {
    const found: Record<string, string[]> = {};
    for (const { entity, types, keys } of rules.paths)
      for (const place of types === undefined ? [entity] : types.map((type) => `${entity}:${type}`))
        found[place] = [...(found[place] ?? []), ...keys].sort();

    expect(found).toEqual(real);
  });

  test('are under no key that a rule changes', () => {
    for (const { entity, keys } of rules.paths)
      expect(rules.keys.filter((rule) => rule.entity === entity && keys.includes(rule.key))).toEqual([]);
  });

  test('name kinds and types that exist', () => {
    for (const { entity, types, kind } of rules.paths) {
      expect(entities).toContain(entity);
      expect(unknownTypes(entity, types)).toEqual([]);
      expect(['path', 'text']).toContain(kind);
    }
  });
});

describe('tables and columns', () => {
  const columns = (table: string): string[] =>
    ask(lxdDatabase(), 'SELECT name FROM pragma_table_info(?)', table).map(({ name }) => String(name));

  test('of JSON exist in the schema, or come with load balancers', () => {
    for (const { table, column } of rules.json_columns)
      if (table !== 'networks_load_balancers') expect(columns(table)).toContain(column);
  });

  test('that are emptied or hold descriptions exist', () => {
    for (const { table } of rules.emptied_tables) expect(columns(table)).toContain('id');
    for (const { table } of rules.descriptions) expect(columns(table)).toContain('description');
  });

  test('triggers that are kept are those of the schema', () => {
    const triggers = ask(lxdDatabase(), "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY 1");

    expect(triggers.map(({ name }) => name)).toEqual([...rules.triggers_kept].sort());
  });
});

describe('patches', () => {
  test('are named once, with a step for work on disk and a reason', () => {
    const names = rules.patches.map(({ name }) => name);

    expect(new Set(names).size).toBe(names.length);
    for (const { work, step, because } of rules.patches) {
      expect(['rows', 'step', 'nothing']).toContain(work);
      expect(step !== undefined).toBe(work === 'step');
      expect(because.length).toBeGreaterThan(10);
    }
  });
});

describe('pins', () => {
  test('name one key, a value or the host, and versions in order', () => {
    for (const pin of rules.pins) {
      expect((pin.key === undefined) !== (pin.server_key === undefined)).toBe(true);
      expect((pin.value === undefined) !== (pin.from_host === undefined)).toBe(true);
      expect(unknownTypes('network', pin.network_types)).toEqual([]);
      expect(pin.network_types === undefined).toBe(pin.key === undefined);
      for (const version of [pin.since, pin.until]) expect(version ?? '0.0.0').toMatch(/^\d+\.\d+\.\d+$/);
    }
  });
});

test('drivers that are not moved say why', () => {
  for (const { support, because } of Object.values(rules.drivers)) {
    expect(['yes', 'later', 'never']).toContain(support);
    expect((because === undefined) === (support === 'yes')).toBe(true);
  }
});
