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
    db.exec(sql);
    appendTransaction(folder, before, db.serialize());
  } finally {
    db.close();
  }
  await startLxd(machine);
  await setPower(machine, 'lxd', power);
}
