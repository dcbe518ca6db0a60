// The process that fuzz.ts watches: local.db and its journals damaged, replaced by other kinds of files or made by somebody
// else; and, of each fortieth, whole hosts in which any file is of another kind. Whatever is refused is a failure
// that names a file, and what is read can be converted.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { Failure, systemErrorCode } from '../../src/core/failure.ts';
import { standaloneConfiguration, writeFreshDirectory } from '../../src/dqlite/index.ts';
import { convertLocal } from '../../src/migrate/convert/local.ts';
import { find } from '../../src/migrate/detect/index.ts';
import { readInventory } from '../../src/migrate/inventory/database/read-inventory.ts';
import { readLocalDatabase } from '../../src/migrate/inventory/database/read-local-database.ts';
import { makePlan } from '../../src/migrate/plan/index.ts';
import { migrationRules } from '../../src/migrate/rules/migration-rules.ts';
import { fakeHost } from '../fakes/fake-host.ts';
import { localDatabase, lxdDatabase, populatedDatabase } from '../migrate/lxd-database.ts';
import { feed, scratchFolder } from './fuzz-child.ts';

/** Whatever was put there before, such as a link onto itself. */
function isFolder(path: string): boolean {
  try {
    return fs.statSync(path).isDirectory();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
}

// --- originals ---

interface Files {
  readonly file: Buffer;
  readonly journal?: Buffer;
  readonly wal?: Buffer;
}

const rows = `INSERT INTO config VALUES (1, 'core.https_address', ':8443'), (2, 'storage.images_volume', 'default/images');
INSERT INTO patches VALUES (1, 'invalid_profile_names', 1), (2, 'leftover_profile_config', 1);`;

/** A file with the journal that a killed writer left. */
function killedWriter(mode: 'DELETE' | 'WAL'): Files {
  const path = join(scratchFolder, `writer-${mode}`);
  fs.writeFileSync(path, localDatabase(rows));
  const db = new Database(path);
  db.pragma(`journal_mode = ${mode}`);
  db.pragma('cache_size = 2');
  db.exec("UPDATE config SET value = ':9443' WHERE id = 1");
  db.exec('BEGIN');
  const insert = db.prepare('INSERT INTO config (key, value) VALUES (?, ?)');
  for (let at = 0; at < 40; at += 1) insert.run(`user.${at}`, 'x'.repeat(300));
  const read = (ending: string): Buffer => fs.readFileSync(path + ending);
  const files: Files =
    mode === 'WAL' ? { file: read(''), wal: read('-wal') } : { file: read(''), journal: read('-journal') };
  db.close();
  return files;
}

const originals: readonly Files[] = [
  { file: localDatabase() },
  { file: localDatabase(rows) },
  killedWriter('DELETE'),
  killedWriter('WAL'),
];

/** What somebody may have done to the file with SQLite itself. */
const statements = [
  "INSERT INTO config (key, value) VALUES (x'00ff', 'a')",
  "INSERT INTO config (key, value) VALUES ('a', x'00ff')",
  'UPDATE config SET value = NULL',
  'UPDATE config SET value = zeroblob(100000)',
  'UPDATE patches SET name = 5',
  "UPDATE patches SET applied_at = 'never'",
  'DROP TABLE patches',
  'DROP TABLE config',
  'DROP TABLE raft_nodes',
  'ALTER TABLE config RENAME TO other; CREATE VIEW config AS SELECT id, key, value FROM other',
  'DROP TABLE raft_nodes; CREATE TABLE raft_nodes (id TEXT, address BLOB, role, name)',
  "CREATE TRIGGER t BEFORE INSERT ON patches BEGIN SELECT RAISE(ABORT, 'no'); END",
  'CREATE TRIGGER t AFTER INSERT ON patches BEGIN DELETE FROM config; END',
  'CREATE TABLE t (a INTEGER, b TEXT AS (hex(zeroblob(a))) STORED)',
  'CREATE UNIQUE INDEX i ON patches (applied_at)',
  'CREATE INDEX i ON patches (lower(name))',
  'DROP TABLE patches; CREATE TABLE patches (id INTEGER PRIMARY KEY, name TEXT CHECK (length(name) < 3), applied_at)',
  'DROP TABLE patches; CREATE TABLE patches (id INTEGER PRIMARY KEY, name TEXT)',
  'DROP TABLE patches; CREATE TABLE patches (id INTEGER PRIMARY KEY, name TEXT, applied_at TEXT, more TEXT NOT NULL)',
  'PRAGMA user_version = -1',
  'PRAGMA application_id = 12345',
] as const;

// --- what becomes of them ---

const part = fc.constantFrom('file' as const, 'journal' as const, 'wal' as const);
const kinds = [
  'folder',
  'pipe',
  'link to a device',
  'link to nowhere',
  'link onto itself',
  'sparse',
  'empty',
  'zeros',
  'missing',
  'noise',
  'link to the file',
] as const;
type Kind = (typeof kinds)[number];
const kind = fc.constantFrom(...kinds);

const change = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('bytes' as const),
      part,
      at: fc.nat(),
      word: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('bytes' as const),
      part,
      at: fc.nat(110),
      word: fc.uint8Array({ minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('length' as const), part, size: fc.nat(60_000) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('kind' as const), part, kind }) },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('sql' as const), sql: fc.constantFrom(...statements) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('swap' as const), part, from: part }) },
);

const otherFiles = [
  '/etc/subuid',
  '/etc/subgid',
  '/etc/fstab',
  '/etc/os-release',
  '/proc/self/uid_map',
  '/lib/systemd/system/lxd.service',
  '/lib/systemd/system/incus.service',
  '/etc/systemd/system/lxd.service',
  '/etc/systemd/system/incus.service',
  '/usr/libexec/incus/incusd',
  '/usr/bin/lxd',
  '/var/lib/dpkg/info/lxd.list',
  '/var/lib/lxc',
  '/var/lib/lxd',
  '/var/lib/lxd/containers',
  '/var/lib/lxd/images',
  '/var/lib/lxd/snapshots',
  '/var/lib/lxd/storage-pools',
  '/var/lib/lxd/database',
  '/var/lib/lxd/database/global',
  '/var/lib/lxd/README.moved-to-incus',
  '/var/lib/lxd/database/global/metadata1',
  '/var/lib/lxd/database/global/metadata2',
  '/var/lib/incus',
  '/var/lib/incus/database',
  '/var/lib/incus/containers',
  '/var/lib/incus/storage-pools',
  '/var/lib/incus/database/local.db',
  '/run/incus',
  '/var/lib/lxd-to-incus',
] as const;

const input = fc.record({
  original: fc.constantFrom(...originals.keys()),
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
  others: fc.array(fc.tuple(fc.constantFrom(...otherFiles), kind), { maxLength: 2 }),
});

// --- a zoo of files of other kinds, from which hard links are cheap ---

const zoo = join(scratchFolder, 'zoo');
fs.mkdirSync(zoo, { recursive: true });
if (!fs.existsSync(join(zoo, 'pipe'))) execFileSync('mkfifo', [join(zoo, 'pipe')]);

const makers: Readonly<Record<Kind, (path: string, content: Buffer) => void>> = {
  folder: (path) => {
    fs.mkdirSync(path);
  },
  // A hard link of a pipe is one.
  pipe: (path) => fs.linkSync(join(zoo, 'pipe'), path),
  'link to a device': (path) => fs.symlinkSync('/dev/zero', path),
  'link to nowhere': (path) => fs.symlinkSync('nowhere', path),
  'link onto itself': (path) => fs.symlinkSync(path, path),
  sparse: (path, content) => {
    fs.writeFileSync(path, content);
    fs.truncateSync(path, 2 ** 40);
  },
  empty: (path) => fs.writeFileSync(path, ''),
  zeros: (path) => fs.writeFileSync(path, Buffer.alloc(8192)),
  noise: (path, content) =>
    fs.writeFileSync(path, Buffer.from(content.map((byte, at) => (byte * 167 + at) & 255))),
  'link to the file': (path, content) => {
    fs.writeFileSync(join(zoo, 'whole'), content);
    fs.symlinkSync(join(zoo, 'whole'), path);
  },
  missing: () => {},
};

function put(path: string, as: Kind, content: Buffer): void {
  fs.rmSync(path, { recursive: true, force: true });
  makers[as](path, content);
}

type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

const endings = { file: '', journal: '-journal', wal: '-wal' } as const;

/** Writes local.db as it has become. */
function write(path: string, { original, changes }: Input): void {
  const files: { file?: Buffer; journal?: Buffer; wal?: Buffer } = { ...originals[original] };
  for (const one of changes) {
    if (one.what === 'sql' && files.file !== undefined) {
      try {
        const db = new Database(files.file);
        db.exec(one.sql);
        files.file = db.serialize();
        db.close();
      } catch {
        // It is damaged too much for that already.
      }
    }
    if (one.what === 'swap' && files[one.from] !== undefined) files[one.part] = files[one.from] as Buffer;
    const bytes = 'part' in one ? files[one.part] : undefined;
    if (bytes === undefined || !('part' in one)) continue;
    if (one.what === 'bytes' && bytes.length > 0) {
      const copy = Buffer.from(bytes);
      Buffer.from(one.word).copy(copy, one.at % copy.length);
      files[one.part] = copy;
    }
    if (one.what === 'length')
      files[one.part] = Buffer.concat([
        bytes.subarray(0, one.size),
        Buffer.alloc(Math.max(0, one.size - bytes.length)),
      ]);
  }
  for (const name of ['file', 'journal', 'wal'] as const) {
    const to = path + endings[name];
    fs.rmSync(to, { recursive: true, force: true });
    const content = files[name];
    if (content !== undefined) fs.writeFileSync(to, content);
  }
  for (const one of changes)
    if (one.what === 'kind') put(path + endings[one.part], one.kind, files[one.part] ?? Buffer.alloc(100, 1));
}

// --- what is done with them ---

const image = populatedDatabase();
const empty = lxdDatabase();
const path = join(scratchFolder, 'local.db');
const rules = migrationRules();
const now = new Date('2026-11-24T00:00:00Z');

function readAndConvert(): string {
  if (fs.lstatSync(path, { throwIfNoEntry: false }) === undefined) return 'missing';
  const read = readLocalDatabase(path);
  const converted = convertLocal(read, rules, { zfs: false, buckets: false }, now);
  const db = new Database(converted.image);
  try {
    db.prepare('SELECT count(*) AS n FROM raft_nodes').get();
  } finally {
    db.close();
  }
  readInventory(empty, { localDatabase: converted.image });
  return 'read';
}

/** A whole machine with an LXD and an Incus. */
async function plan(one: Input): Promise<string> {
  const host = fakeHost();
  try {
    const database = host.path('/var/lib/lxd/database');
    fs.mkdirSync(database, { recursive: true });
    writeFreshDirectory(join(database, 'global'), image, { configuration: standaloneConfiguration, term: 1 });
    for (const file of [
      '/var/lib/dpkg/info/lxd.list',
      '/var/lib/dpkg/info/incus-base.list',
      '/usr/libexec/incus/incusd',
    ])
      host.writeFile(file, '');
    for (const unit of ['lxd.service', 'incus.service'])
      host.writeFile(`/lib/systemd/system/${unit}`, '[Service]\nExecStart=/usr/libexec/incus/incusd\n');
    for (const file of ['/etc/subuid', '/etc/subgid']) host.writeFile(file, 'root:100000:10000001\n');
    for (const file of ['/etc/fstab', '/etc/os-release', '/proc/self/uid_map', '/proc/self/gid_map'])
      host.writeFile(file, '0 0 4294967295\n');
    host.onRun(([command, argument]) =>
      argument === '--version'
        ? { stdout: Buffer.from('6.0.4\n') }
        : command === 'systemctl'
          ? {}
          : undefined,
    );
    write(join(database, 'local.db'), one);
    for (const [file, as] of one.others) {
      if (!isFolder(host.path(dirname(file)))) continue;
      put(host.path(file), as, Buffer.alloc(300, 7));
    }
    const found = find(host, {});
    const { plan: made } = await makePlan({
      host,
      found,
      services: undefined,
      state: '/var/lib/lxd-to-incus',
      toolVersion: 'fuzz',
      run: 'RUN',
    });
    return made.findings.some(({ severity }) => severity === 'blocker') ? 'plan with blockers' : 'plan';
  } finally {
    host.dispose();
  }
}

await feed(input, async (one, index) => {
  try {
    if (index % 40 === 0) return await plan(one);
    write(path, one);
    return readAndConvert();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.problem.code;
  }
});
