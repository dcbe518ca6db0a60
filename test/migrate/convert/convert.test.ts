// The conversion as a whole, on real and on generated servers: everything on record, the same each time, done once.
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configTables, readConfigRows } from '../../../src/migrate/catalogue/config-tables.ts';
import type { Change } from '../../../src/migrate/model/change.ts';
import { migrationRules } from '../../../src/migrate/rules/migration-rules.ts';
import { allRows, ask, lxdDatabase, populatedDatabase, type Row } from '../lxd-database.ts';
import { config, convertImage, instance } from './converted.ts';

const withKeys = new Set(configTables.map(({ table }) => table));

/**
 * Takes every recorded change back, last first. The record names a dropped key by its object; which columns that
 * means (its owner, its member) is looked up in the original, after the name was compared.
 */
function takeBack(original: Buffer, converted: Buffer, changes: readonly Change[]): Buffer {
  const named = objectsById(original);
  const source = new Database(original);
  const db = new Database(converted);
  try {
    db.pragma('foreign_keys = OFF');
    for (const { sql } of triggersOf(db)) db.exec(`DROP TRIGGER "${sql}"`);
    // Rows that the conversion both added and dropped: no row, before and after.
    const passing = new Set<string>();
    for (const change of changes.toReversed()) {
      const { table, rowId, what, before, after } = change;
      if (table === 'sqlite_master') continue;
      if (what === 'row') {
        if (before === null) db.prepare(`DELETE FROM "${table}" WHERE id = ?`).run(rowId);
        else insert(db, table, JSON.parse(before) as Row);
      } else if (!withKeys.has(table)) {
        db.prepare(`UPDATE "${table}" SET "${what}" = ? WHERE id = ?`).run(before, rowId);
      } else {
        const present = db.prepare(`SELECT key, value FROM "${table}" WHERE id = ?`).get(rowId) as
          | Row
          | undefined;
        const existed = source.prepare(`SELECT * FROM "${table}" WHERE id = ?`).get(rowId) as Row | undefined;
        const place = `${table} ${rowId} ${what}`;
        if (present === undefined && existed === undefined) {
          expect({ change, passing: passing.delete(place) }).toEqual({ change, passing: after !== null });
          if (after === null) passing.add(place);
        } else if (present === undefined) {
          expect({ change, object: named.get(`${table} ${rowId}`) }).toEqual({
            change,
            object: change.object,
          });
          insert(db, table, { ...existed, key: what, value: before });
        } else {
          // What stands there is what was recorded to be put there.
          expect({ change, present }).toEqual({ change, present: { key: what, value: after } });
          if (existed === undefined || (before === null && existed['key'] !== what))
            db.prepare(`DELETE FROM "${table}" WHERE id = ?`).run(rowId);
          else db.prepare(`UPDATE "${table}" SET value = ? WHERE id = ?`).run(before, rowId);
        }
      }
    }
    for (const { table, before } of changes.toReversed())
      if (table === 'sqlite_master') db.exec(String(before));
    for (const { text } of triggersOf(new Database(converted))) db.exec(text);
    return db.serialize();
  } finally {
    db.close();
    source.close();
  }
}

function triggersOf(db: Database.Database): { sql: string; text: string }[] {
  return db.prepare("SELECT name AS sql, sql AS text FROM sqlite_master WHERE type = 'trigger'").all() as {
    sql: string;
    text: string;
  }[];
}

function insert(db: Database.Database, table: string, row: Row): void {
  const columns = Object.keys(row);
  db.prepare(
    `INSERT INTO "${table}" (${columns.map((name) => `"${name}"`).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  ).run(...Object.values(row));
}

function objectsById(image: Buffer): Map<string, string> {
  const db = new Database(image);
  try {
    return new Map(readConfigRows(db).map(({ table, id, object }) => [`${table} ${id}`, object]));
  } finally {
    db.close();
  }
}

// --- servers that no test author thought of -------------------------------------------------------------------------

const rules = migrationRules();
const exact = (entity: string): string[] =>
  rules.keys.filter((rule) => rule.entity === entity && !/[<*]/.test(rule.key)).map(({ key }) => key);

const value = fc.oneof(
  fc.constantFrom(
    null,
    '',
    'true',
    'fan',
    '/var/lib/lxd/x',
    '/var/lib/lxd',
    '/var/lib/lxd-data',
    'unix:/var/lib/lxd/unix.socket',
    '[{"a":1},{"a":1}]',
    'it\'s "quoted"\n ünïcode',
  ),
  fc.string({ maxLength: 8 }),
);

function settings(keys: readonly string[]): fc.Arbitrary<Record<string, string | null>> {
  return fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 6 }).map((found) => ({ ...found }));
}

const instanceKeys = [
  ...exact('instance'),
  'boot.autostart',
  'volatile.last_state.power',
  'volatile.last_state.idmap',
  'volatile.idmap.next',
  'volatile.uuid',
  'volatile.eth0.hwaddr',
  'volatile.eth0.bus',
  'volatile.eth0.last_state.usb.bus',
  'volatile.unknown',
  'security.guestapi',
  'raw.lxc',
  'user.note',
  'limits.cpu',
];
const deviceKeys = [
  ...exact('device'),
  'source',
  'path',
  'listen',
  'connect',
  'bind',
  'nictype',
  'network',
  'pool',
];
const deviceArbitrary = fc.record({ type: fc.nat(11), values: settings(deviceKeys) });

const server = fc.record({
  config: settings([...exact('server'), 'images.auto_update_interval', 'network.hwaddr_pattern']),
  profile: settings(instanceKeys),
  profileDevices: fc.array(deviceArbitrary, { maxLength: 2 }),
  instances: fc.array(
    fc.record({
      type: fc.nat(1),
      project: fc.constantFrom(1, 2),
      usesProfile: fc.boolean(),
      power: fc.constantFrom('off', 'running', 'frozen'),
      hasVolume: fc.boolean(),
      values: settings(instanceKeys),
      devices: fc.array(deviceArbitrary, { maxLength: 2 }),
      snapshots: fc.array(
        fc.record({ record: fc.constantFrom('there', 'missing', 'old'), values: settings(instanceKeys) }),
        { maxLength: 2 },
      ),
    }),
    { maxLength: 3 },
  ),
  networks: fc.array(
    fc.record({
      type: fc.nat(4),
      values: settings([...exact('network'), 'dns.domain', 'bridge.hwaddr', 'raw.dnsmasq']),
    }),
    { maxLength: 2 },
  ),
  acls: fc.array(fc.constantFrom("''", "X''", "'[]'", "X'5b5d'"), { maxLength: 2 }),
  driver: fc.constantFrom('dir', 'btrfs', 'zfs', 'lvm', 'ceph'),
  pool: settings([...exact('storage-pool'), 'source', 'volatile.initial_source', 'size']),
  volume: settings([...exact('storage-volume'), 'size', 'user.note']),
  orphans: fc.nat(2),
  warnings: fc.nat(2),
  trigger: fc.boolean(),
  target: fc.constantFrom('6.0.4', '6.0.6', '7.0.2', '7.3.0'),
});

type Server = typeof server extends fc.Arbitrary<infer T> ? T : never;

function imageOf(one: Server): Buffer {
  const parts: string[] = [
    `INSERT INTO storage_pools VALUES (1, 'p', '${one.driver}', '', 1);`,
    config('storage_pools_config', 1, one.pool),
    `INSERT INTO storage_volumes VALUES (1, 'v', 1, 1, 2, '', 1, 0);`,
    config('storage_volumes_config', 1, one.volume),
    config('profiles_config', 1, one.profile),
    ...Object.entries(one.config).map(
      ([key, text]) =>
        `INSERT INTO config (key, value) VALUES ('${key}', ${text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`});`,
    ),
  ];
  let device = 0;
  one.profileDevices.forEach(({ type, values }) => {
    device += 1;
    parts.push(`INSERT INTO profiles_devices VALUES (${device}, 1, 'd${device}', ${type});`);
    parts.push(config('profiles_devices_config', device, values));
  });
  let snapshot = 0;
  let volume = 1;
  one.instances.forEach(({ type, project, usesProfile, hasVolume, values, devices, snapshots }, index) => {
    const id = index + 1;
    parts.push(instance(id, `i${id}`, { type, project }), config('instances_config', id, values));
    if (usesProfile)
      parts.push(`INSERT INTO instances_profiles (instance_id, profile_id) VALUES (${id}, 1);`);
    volume += 1;
    const own = volume;
    if (hasVolume)
      parts.push(
        `INSERT INTO storage_volumes VALUES (${own}, 'i${id}', 1, 1, ${type === 1 ? 3 : 0}, '', ${project}, 0);`,
        config('storage_volumes_config', own, one.volume),
      );
    for (const { type: kind, values: set } of devices) {
      device += 1;
      parts.push(`INSERT INTO instances_devices VALUES (${device}, ${id}, 'd${device}', ${kind});`);
      parts.push(config('instances_devices_config', device, set));
    }
    for (const { record, values: set } of snapshots) {
      snapshot += 1;
      parts.push(
        `INSERT INTO instances_snapshots VALUES (${snapshot}, ${id}, 's${snapshot}', 0, 0, '', NULL);`,
      );
      parts.push(config('instances_snapshots_config', snapshot, set));
      if (!hasVolume || record === 'missing') continue;
      volume += 1;
      parts.push(
        `INSERT INTO storage_volumes_snapshots VALUES (${volume}, ${own}, 's${snapshot}', '', NULL);`,
      );
      if (record !== 'old') continue;
      volume += 1;
      parts.push(
        `INSERT INTO storage_volumes VALUES (${volume}, 'i${id}/s${snapshot}', 1, 1, ${type === 1 ? 3 : 0}, 'old', ${project}, 0);`,
        config('storage_volumes_config', volume, one.volume),
      );
    }
  });
  // Ids of snapshots count in the sequence of volumes, as in a real database.
  parts.push(`UPDATE sqlite_sequence SET seq = ${volume} WHERE name = 'storage_volumes';`);
  one.networks.forEach(({ type, values }, index) => {
    parts.push(`INSERT INTO networks VALUES (${index + 1}, 1, 'n${index + 1}', '', 1, ${type});`);
    parts.push(config('networks_config', index + 1, values));
  });
  one.acls.forEach((text, index) => {
    parts.push(`INSERT INTO networks_acls VALUES (${index + 1}, 1, 'a${index}', '', ${text}, '[]');`);
  });
  for (let index = 0; index < one.orphans; index += 1)
    parts.push(
      `INSERT INTO instances_config (instance_id, key, value) VALUES (90, 'user.orphan${index}', 'x');`,
    );
  for (let index = 0; index < one.warnings; index += 1)
    parts.push(
      `INSERT INTO warnings VALUES (${index + 1}, 1, NULL, ${index}, NULL, 'w${index}', 1, 1, 0, 0, NULL, '', 1);`,
    );
  if (one.trigger)
    parts.push(`CREATE TRIGGER on_project_delete AFTER DELETE ON projects BEGIN DELETE FROM nowhere; END;`);
  return lxdDatabase(parts.join('\n'));
}

function optionsOf({ instances, target }: Server) {
  const named = (power: string): Set<string> =>
    new Set(
      instances.flatMap((one, index) =>
        one.power === power ? [`${one.project === 1 ? 'default' : 'dev'}/i${index + 1}`] : [],
      ),
    );
  return {
    targetVersion: target,
    power: { running: named('running'), frozen: named('frozen') },
    pinsFromHost: new Map([['n1/bridge.hwaddr', '00:16:3e:00:00:01']]),
  };
}

function brokenReferences(image: Buffer): string[] {
  return ask(image, 'SELECT "table" AS t, rowid AS id, parent FROM pragma_foreign_key_check').map((row) =>
    JSON.stringify(row),
  );
}

function nullValues(image: Buffer): unknown[] {
  const tables = ask(image, "SELECT name FROM sqlite_master WHERE type = 'table'")
    .map(({ name }) => String(name))
    .filter((name) => withKeys.has(name));
  return ask(
    image,
    tables
      .map((table) => `SELECT '${table}' AS t, key FROM "${table}" WHERE value IS NULL`)
      .join(' UNION ALL '),
  );
}

/** More than these in one go: FC_RUNS=1000 npx vitest run --project unit test/migrate/convert/convert.test.ts */
const numRuns = Number(process.env['FC_RUNS'] ?? '15');

test('on any server: every change is on record, the same each time, once and for all, and breaks nothing', () => {
  fc.assert(
    fc.property(server, (one) => {
      const image = imageOf(one);
      const original = allRows(image);

      const first = convertImage(image, optionsOf(one));
      const again = convertImage(image, optionsOf(one));
      const second = convertImage(first.image, optionsOf(one));

      expect(allRows(takeBack(image, first.image, first.changes))).toEqual(original);
      expect(again.image.equals(first.image)).toBe(true);
      expect(again.changes).toEqual(first.changes);
      expect(again.findings).toEqual(first.findings);
      expect(second.changes).toEqual([]);
      expect(nullValues(first.image)).toEqual([]);
      const brokenBefore = brokenReferences(image);
      expect(brokenReferences(first.image).filter((row) => !brokenBefore.includes(row))).toEqual([]);
    }),
    { numRuns },
  );
});

test('nothing that is found holds a value', () => {
  const secret = 'MARKED-SECRET';
  const values = (entity: string): Record<string, string> =>
    Object.fromEntries(exact(entity).map((key) => [key, secret]));
  const image = lxdDatabase(`
    ${Object.keys(values('server'))
      .map((key) => `INSERT INTO config (key, value) VALUES ('${key}', '${secret}');`)
      .join('\n')}
    ${instance(1, 'c1')} ${config('instances_config', 1, { ...values('instance'), 'user.x': `/var/lib/lxd/${secret}` })}
  `);

  const { findings } = convertImage(image);

  expect(findings.length).toBeGreaterThan(10);
  expect(JSON.stringify(findings)).not.toContain(secret);
});

describe('on the real server', () => {
  const options = { power: { running: new Set(['default/c1']), frozen: new Set<string>() } };

  test('the changes are these', () => {
    const { changes, findings } = convertImage(populatedDatabase(), options);

    const brief = changes
      .filter(({ table }) => table !== 'warnings')
      .map(({ object, what, before, after }) => `${object}: ${what}: ${before} → ${after}`);
    expect(brief).toEqual([
      'instance default/c1, device home: source: /var/lib/lxd/containers → /var/lib/incus/containers',
      'instance snapshot default/c1/snap0, device home: source: /var/lib/lxd/containers → /var/lib/incus/containers',
      'storage pool default: source: /var/lib/lxd/storage-pools/default → /var/lib/incus/storage-pools/default',
      'storage pool bt: source: /var/lib/lxd/disks/bt.img → /var/lib/incus/disks/bt.img',
      'networks_forwards row 1: ports:  → null',
      'profile default: description: Default LXD profile → Default Incus profile',
      'project default: description: Default LXD project → Default Incus project',
      'network default/lxdbr0: dns.domain: null → lxd',
      'network default/net2: dns.domain: null → lxd',
    ]);
    expect(changes.filter(({ table }) => table === 'warnings')).toHaveLength(4);
    expect(findings.map(({ id }) => id)).toEqual(['pin-unknown:bridge.hwaddr', 'pin-unknown:bridge.hwaddr']);
  });

  test('they can be taken back', () => {
    const image = populatedDatabase();

    const conversion = convertImage(image, options);

    expect(allRows(takeBack(image, conversion.image, conversion.changes))).toEqual(allRows(image));
  });
});

test('every table of keys and values of the schema is known, but that of images', () => {
  const found = ask(
    lxdDatabase(),
    `SELECT m.name AS name FROM sqlite_master m WHERE m.type = 'table' AND
       (SELECT count(*) FROM pragma_table_info(m.name) c WHERE c.name IN ('key', 'value')) = 2`,
  ).map(({ name }) => String(name));

  expect(found.filter((name) => !withKeys.has(name))).toEqual(['images_properties']);
});
