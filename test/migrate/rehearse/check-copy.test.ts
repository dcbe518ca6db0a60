import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { checkCopy } from '../../../src/migrate/rehearse/check-copy.ts';
import { convertImage } from '../convert/converted.ts';
import { populatedDatabase } from '../lxd-database.ts';

/** The converted database of a real server, changed by `sql` as no conversion would. */
function copyWith(sql: string): Buffer {
  const db = new Database(convertImage(populatedDatabase()).image);
  try {
    db.pragma('foreign_keys = OFF');
    db.exec(sql);
    return db.serialize();
  } finally {
    db.close();
  }
}

function idsOf(sql: string): string[] {
  return checkCopy(copyWith(sql)).map(({ id }) => id);
}

describe('checkCopy', () => {
  it('has nothing to say about the converted database of a real server, whose triggers quote text as names', () => {
    expect(checkCopy(convertImage(populatedDatabase()).image)).toEqual([]);
  });

  it.each([
    'CREATE TRIGGER dangling AFTER DELETE ON instances BEGIN DELETE FROM gone WHERE id = OLD.id; END',
    'CREATE TRIGGER dangling AFTER INSERT ON images BEGIN INSERT INTO gone VALUES (NEW.id); END',
    'CREATE TRIGGER dangling AFTER UPDATE OF description ON profiles BEGIN SELECT gone FROM profiles; END',
    'CREATE VIEW dangling AS SELECT gone FROM instances',
  ])('finds what names something that is gone: %s', (sql) => {
    expect(idsOf(sql)).toEqual(['rehearsal:statements']);
  });

  it('names the table whose trigger is dangling, and what is gone', () => {
    const [finding] = checkCopy(
      copyWith('CREATE TRIGGER dangling AFTER DELETE ON certificates BEGIN DELETE FROM auth_groups; END'),
    );

    expect(finding?.severity).toBe('blocker');
    expect(finding?.objects).toEqual(['table certificates: no such table: main.auth_groups']);
  });

  it('finds a trigger that only fires through a cascade', () => {
    const ids = idsOf('CREATE TRIGGER dangling AFTER DELETE ON instances_config BEGIN SELECT gone(1); END');

    expect(ids).toEqual(['rehearsal:statements']);
  });

  it('lets a trigger refuse a row', () => {
    expect(
      idsOf("CREATE TRIGGER strict BEFORE DELETE ON images BEGIN SELECT RAISE(ABORT, 'no'); END"),
    ).toEqual([]);
  });

  it('finds a broken reference', () => {
    expect(
      idsOf("INSERT INTO instances_config (instance_id, key, value) VALUES (9999, 'user.x', '1')"),
    ).toEqual(['rehearsal:references']);
  });

  it('finds a configuration key that stands twice where an older schema let it', () => {
    const [finding, ...more] = checkCopy(
      copyWith(
        "DROP INDEX networks_unique_network_id_node_id_key; INSERT INTO networks_config (network_id, node_id, key, value) SELECT network_id, NULL, 'user.twice', '1' FROM networks_config LIMIT 1; INSERT INTO networks_config (network_id, node_id, key, value) SELECT network_id, NULL, 'user.twice', '2' FROM networks_config LIMIT 1",
      ),
    );

    expect(finding?.id).toBe('rehearsal:duplicate-keys');
    expect(finding?.objects).toEqual(['networks_config: user.twice stands 2 times for one object']);
    expect(more).toEqual([]);
  });

  it.each(['INSERT INTO schema (version, updated_at) VALUES (200, 0)', 'UPDATE nodes SET schema = 200'])(
    'finds a schema from the future: %s',
    (sql) => {
      expect(idsOf(sql)).toEqual(['rehearsal:schema']);
    },
  );

  it('finds damage', () => {
    const image = copyWith('CREATE TABLE damaged (a); CREATE INDEX other ON damaged (a)');
    const db = new Database(image);
    db.unsafeMode(true);
    db.pragma('writable_schema = ON');
    db.exec(
      "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'images') WHERE name = 'damaged'",
    );
    const damaged = db.serialize();
    db.close();

    expect(checkCopy(damaged).map(({ id }) => id)).toContain('rehearsal:integrity');
  });

  it('changes nothing in the image', () => {
    const image = copyWith('CREATE TRIGGER t AFTER DELETE ON images BEGIN DELETE FROM gone; END');
    const before = Buffer.from(image);

    checkCopy(image);

    expect(image.equals(before)).toBe(true);
  });
});
