// All that can be seen of a server, as a flat list of facts, so that two moments can be compared and what any restart changes be measured.
import { existsSync, readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { readDatabase } from '../../../src/dqlite/index.ts';
import { inventoryOf } from '../inventory-of.ts';
import type { Machine } from '../machine/machine.ts';
import type { Product } from '../server/api.ts';
import { describeTree } from '../tree.ts';

/** By name; names hold nothing that is made by chance or counted on. */
export type Facts = ReadonlyMap<string, string>;

/** @param product whose inventory and database it is; the files are those of both */
export async function factsOf(machine: Machine, product: Product): Promise<Facts> {
  const facts = new Map<string, string>();
  const add = (name: string, value: unknown): void => {
    const key = withoutChance(name);
    // Lists have no order, but for what is said of one object.
    const text =
      typeof value === 'string' ? value : JSON.stringify(Array.isArray(value) ? value.toSorted() : value);
    const before = facts.get(key);
    facts.set(key, before === undefined ? text : [...before.split('\n'), text].sort().join('\n'));
  };
  flatten(await inventoryOf(machine, product), 'inventory', add);
  for (const [name, value] of tableFacts(machine, product)) add(name, value);
  for (const folder of ['/var/lib/lxd', '/var/lib/incus'] as const) {
    if (!existsSync(machine.rootPath(folder))) {
      add(folder, 'missing');
      continue;
    }
    // The size is that of the content, which is looked at.
    // Their own backups, which the daemons make once and do not sync: they need not survive a power cut. And what a
    // daemon writes at its clean stop, and empties when it starts; the rows are looked at. `incusd activateifneeded` reads
    // that copy at boot, and leaves SQLite's index of it behind.
    const dump = ['db.bin', 'db.bin-wal', 'db.bin-shm'].map((name) => `global/${name}`);
    const skip = ['global.bak', 'local.db.bak', ...dump].map((name) => `${folder}/database/${name}`);
    for (const [path, entry] of await describeTree(machine, folder, { skip })) {
      // A daemon that is killed leaves its sockets; the next one makes its own.
      if (entry.type === 'socket') continue;
      for (const [field, value] of Object.entries(entry))
        if (value !== undefined && !['modified', 'allocated', 'size'].includes(field))
          add(`${folder}/${path} ${field}`, value);
    }
  }
  for (const [name, script] of Object.entries(questions)) {
    const { stdout } = await machine.exec(['sh', '-c', script], { accept: 'any' });
    for (const line of stdout.split('\n')) if (line !== '') add(`${name}: ${line}`, 'there');
  }
  return facts;
}

/** What a daemon or the tool could leave behind. */
const questions = {
  mount: "cut -d ' ' -f 2,3 /proc/1/mounts",
  link: 'ls /sys/class/net',
  // Loop devices belong to the whole kernel: those on files of this machine alone.
  loop: 'losetup --list --noheadings --output BACK-MAJ:MIN,BACK-FILE | awk -v disk="$(stat --format %Hd:%Ld /var)" -v data="$(stat --format %Hd:%Ld /var/lib)" \'$1 == disk || $1 == data { print $2 }\'',
  'firewall table': 'nft list tables',
  unit: 'systemctl list-unit-files "lxd*" "incus*" --no-legend',
  process:
    "ps -eo pid,ppid,args --no-headers | awk '$1 != 1 { $1 = $2 = \"\"; print }' | grep -E 'lxd|incus|dnsmasq|lxc monitor' | grep -v -e grep -e awk -e forkfile",
  file: 'find /run/incus /run/lxd.socket /tmp /opt -maxdepth 1 -name "*lxd-to-incus*" -o -maxdepth 1 -name "*.tmp"; cat /etc/subuid /etc/subgid',
} as const;

function withoutChance(name: string): string {
  return (
    name
      .replace(/\bveth[0-9a-f]{8}\b/g, 'veth#')
      .replace(/\bloop\d+\b/g, 'loop#')
      // Process numbers of the two ends of a proxy.
      .replace(/\b(forkproxy -- )\d+( \d+ \S+ )\d+/, '$1#$2#')
      // Segments and snapshots of the database are named after what is in them.
      .replace(/(database\/global\/(?:open|snapshot)?)[-\d]+/g, '$1#')
  );
}

function flatten(value: unknown, name: string, add: (name: string, value: unknown) => void): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    add(name, value);
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    // What a running instance uses at this moment.
    if (key === 'state' && typeof inner === 'object') continue;
    flatten(inner, `${name} / ${key}`, add);
  }
}

/** Rows of both databases, read from the files. */
function* tableFacts(machine: Machine, product: Product): Generator<[string, string]> {
  const folder = machine.rootPath(`/var/lib/${product}/database`);
  const global = new Database(readDatabase(`${folder}/global`).bytes);
  const local = new Database(readFileSync(`${folder}/local.db`));
  try {
    yield* rowsOf(global, 'global');
    yield* rowsOf(local, 'local');
  } finally {
    global.close();
    local.close();
  }
}

/** Rows by what they say: numbers of rows are not the same when a row was deleted and written again. */
function* rowsOf(db: Database.Database, name: string): Generator<[string, string]> {
  const tables = db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .pluck()
    .all() as string[];
  const identify = identities(db);
  for (const table of tables) {
    // What is being done at this moment, and what a daemon found to complain about when it started.
    if (table === 'operations' || table === 'warnings') continue;
    for (const row of db.prepare(`SELECT * FROM "${table}"`).all() as Row[]) {
      const { id, ...rest } = row;
      const known = identify(table, row);
      for (const [column, value] of Object.entries(known.resolved))
        yield [`${name} ${table} ${known.identity} ${column}`, String(value)];
      if (Object.keys(rest).length === 0) yield [`${name} ${table}`, String(id)];
    }
  }
}

type Row = Readonly<Record<string, unknown>>;

interface Identity {
  readonly identity: string;
  /** The other columns, with numbers of rows of other tables replaced by what those are called. */
  readonly resolved: Row;
}

const naming = ['key', 'name', 'fingerprint', 'uuid', 'version', 'address', 'listen_address'];

function identities(db: Database.Database): (table: string, row: Row) => Identity {
  const references = new Map<string, Map<string, string>>();
  const referencesOf = (table: string): Map<string, string> => {
    const known = references.get(table);
    if (known !== undefined) return known;
    const rows = db.prepare(`PRAGMA foreign_key_list("${table}")`).all() as { from: string; table: string }[];
    const found = new Map(rows.map(({ from, table: to }) => [from, to]));
    references.set(table, found);
    return found;
  };
  const identify = (table: string, row: Row): Identity => {
    const parts: string[] = [];
    const resolved: Record<string, unknown> = {};
    for (const [column, value] of Object.entries(row)) {
      if (column === 'id') continue;
      const to = referencesOf(table).get(column);
      if (to !== undefined && value !== null) {
        const found = db.prepare(`SELECT * FROM "${to}" WHERE id = ?`).get(value) as Row | undefined;
        parts.push(found === undefined ? `${column}=${String(value)}` : identify(to, found).identity);
      } else if (naming.includes(column)) parts.push(String(value));
      else resolved[column] = value;
    }
    return {
      identity: parts.join('/'),
      resolved: Object.keys(resolved).length === 0 ? { row: 'there' } : resolved,
    };
  };
  return identify;
}

/** What two restarts change, nobody having touched anything else. */
export async function changedByRestarts(
  machine: Machine,
  product: Product,
  facts: Facts,
  restart: () => Promise<unknown>,
): Promise<ReadonlySet<string>> {
  const anyway = new Set<string>();
  let last = facts;
  for (const _ of [1, 2]) {
    await restart();
    const now = await factsOf(machine, product);
    for (const name of [...changedFacts(facts, now), ...changedFacts(last, now)]) anyway.add(name);
    last = now;
  }
  return anyway;
}

/** Names of the facts that are not the same in both. */
export function changedFacts(a: Facts, b: Facts): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((name) => a.get(name) !== b.get(name)).sort();
}

/** The same in words, without those that change anyway. */
export function describeChanges(before: Facts, after: Facts, anyway: ReadonlySet<string>): string[] {
  const shown = (value: string | undefined): string =>
    value === undefined ? 'missing' : value.slice(0, 200);
  return changedFacts(before, after)
    .filter((name) => !anyway.has(name))
    .map((name) => `${name}: ${shown(before.get(name))} → ${shown(after.get(name))}`);
}
