// Writes rows into LXD's own database as no LXD would: what former versions, bugs and people have left in databases.
import Database from 'better-sqlite3';
import { appendTransaction, readDatabase } from '../../src/dqlite/index.ts';
import type { Machine } from './machine/machine.ts';
import { startLxd, stopLxd } from './server/populated-machine.ts';
import { type PowerState, setPower } from './server/power.ts';

/** LXD runs again when it returns, and what of its instances is named. References are not looked at. */
export async function editLxdDatabase(
  machine: Machine,
  sql: string,
  power: readonly PowerState[],
): Promise<void> {
  await stopLxd(machine);
  const folder = machine.rootPath('/var/lib/lxd/database/global');
  const before = readDatabase(folder).bytes;
  const db = new Database(before);
  try {
    db.pragma('foreign_keys = OFF');
    const triggers = db.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all() as {
      name: string;
      sql: string;
    }[];
    // LXD's hold strings in double quotes, which this SQLite does not take when they are carried out.
    for (const { name } of triggers) db.exec(`DROP TRIGGER "${name}"`);
    db.exec(sql);
    for (const trigger of triggers) db.exec(trigger.sql);
    appendTransaction(folder, before, db.serialize());
  } finally {
    db.close();
  }
  await startLxd(machine);
  await setPower(machine, 'lxd', power);
}
