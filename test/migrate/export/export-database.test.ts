// The exported file: content, mode, and that nothing is written when anything is wrong.
import * as fs from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { unpackDatabaseFixture } from '../../../src/dev/database-fixture.ts';
import { exportDatabase } from '../../../src/migrate/export/export-database.ts';
import { requireDatabase } from '../../../src/migrate/inventory/database/database-files.ts';
import { batch, closedName, directory, framesOf, segment, standalone } from '../../dqlite/raw-log.ts';
import { sampleImage } from '../../dqlite/sample-database.ts';
import { temporaryFolder } from '../../dqlite/temporary-folder.ts';

const folder = temporaryFolder();
const sure = { salvage: false };
let lxd = '';
beforeAll(() => {
  lxd = unpackDatabaseFixture('lxd-5.0.2-clean', folder).global;
});

function damagedLog(): string {
  const image = sampleImage(['one', 'two']);
  const torn = segment(batch(standalone), batch(framesOf(image)), batch(framesOf(image)));
  torn[torn.length - 1] = (torn.at(-1) ?? 0) ^ 1;
  return directory(folder, { [closedName(1, 3)]: torn });
}

/** Valid in every checksum of the log, but its tree points to a page of another kind. */
function unsoundLog(): string {
  const image = sampleImage(Array.from({ length: 2000 }, (_, at) => `value ${at}`));
  image.fill(0, 4096 * 2, 4096 * 3);
  return directory(folder, { [closedName(1, 2)]: segment(batch(standalone), batch(framesOf(image))) });
}

describe('exportDatabase', () => {
  it('writes a database that opens read-only and that nobody else can read', () => {
    const out = join(folder, 'lxd.db');

    const result = exportDatabase(lxd, out, sure);

    const db = new Database(out, { readonly: true });
    expect(db.prepare('SELECT name FROM instances ORDER BY name').pluck().all()).toEqual(['c1', 'c2', 'c3']);
    db.close();
    expect(fs.statSync(out).mode & 0o777).toBe(0o600);
    expect(result).toMatchObject({ file: out, bytes: fs.statSync(out).size, lastIndex: 131, notices: [] });
    expect(result.summary).toContain('log entry 131');
    expect(fs.readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('overwrites nothing, not even a link that points nowhere', () => {
    const out = join(folder, 'there');
    fs.symlinkSync(join(folder, 'nowhere'), out);
    expect(() => exportDatabase(lxd, out, sure)).toThrow(/already stands/);
    expect(fs.existsSync(join(folder, 'nowhere'))).toBe(false);
  });

  it('fails for a folder that is not there, by name', () => {
    expect(() => exportDatabase(lxd, join(folder, 'no', 'such', 'folder.db'), sure)).toThrow(/ENOENT/);
  });

  it('writes nothing for a damaged database unless it is to be salvaged', () => {
    const out = join(folder, 'damaged.db');
    const damaged = damagedLog();
    expect(() => exportDatabase(damaged, out, sure)).toThrow(/last good entry is 2/);
    expect(fs.existsSync(out)).toBe(false);

    const result = exportDatabase(damaged, out, { salvage: true });

    expect(result.notices).toEqual([
      expect.stringMatching(/^Salvaged up to entry 2; .* \(.*, byte \d+; the last good entry is 2\)$/),
    ]);
    expect(fs.existsSync(out)).toBe(true);
  });

  it('writes nothing for a database in which SQLite finds faults unless it is to be salvaged', () => {
    const out = join(folder, 'unsound.db');
    const unsound = unsoundLog();
    expect(() => exportDatabase(unsound, out, sure)).toThrow(/SQLite finds faults/);
    expect(fs.existsSync(out)).toBe(false);
    expect(exportDatabase(unsound, out, { salvage: true }).notices.join()).toContain('SQLite finds faults');
  });
});

describe('a folder in which only db.bin of a real server is left', () => {
  it('is found, said what it is, and written when it is to be salvaged', () => {
    const data = join(temporaryFolder(), 'lxd');
    const global = join(data, 'database/global');
    fs.mkdirSync(global, { recursive: true });
    for (const name of ['db.bin', 'db.bin-wal'])
      if (fs.existsSync(join(lxd, name))) fs.copyFileSync(join(lxd, name), join(global, name));
    const out = join(data, 'out.sqlite');
    const found = requireDatabase(data).global;

    expect(() => exportDatabase(found, out, sure)).toThrow(/only db\.bin/);
    expect(fs.existsSync(out)).toBe(false);
    const result = exportDatabase(found, out, { salvage: true });

    const db = new Database(out, { readonly: true });
    expect(db.prepare('SELECT name FROM instances ORDER BY name').pluck().all()).toEqual(['c1', 'c2', 'c3']);
    db.close();
    expect(found).toBe(global);
    expect(result.summary).toMatch(/, the copy from the last clean stop\.$/);
    expect(result.notices.join()).toContain('Made of db.bin');
  });
});
