// The process that fuzz.ts watches: the tool's own folder, in which the journal (of each format), single values of it, and
// what the run keeps beside it are changed or damaged. status, resume and rollback never end in a bug; where they
// do not understand the journal, not a byte of it changes, and the version that wrote it is named where that is known.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { Failure, systemErrorCode } from '../../src/core/failure.ts';
import type { Output } from '../../src/core/output.ts';
import { resumeCommand } from '../../src/migrate/cli/resume-command.ts';
import { rollbackCommand } from '../../src/migrate/cli/rollback-command.ts';
import { statusCommand } from '../../src/migrate/cli/status-command.ts';
import { openJournal } from '../../src/migrate/journal/journal.ts';
import type { MigrateProblem } from '../../src/migrate/problem.ts';
import { twoDaemons } from '../fakes/two-daemons.ts';
import { instance } from '../migrate/convert/converted.ts';
import { lxdDatabase } from '../migrate/lxd-database.ts';
import { anyJson, changedJson, type Json, type JsonChange, jsonChange } from './any-json.ts';
import { type ByteChange, byteChange, changedBytes } from './changed-bytes.ts';
import { feed, scratchFolder } from './fuzz-child.ts';
import { fuzzedHost } from './fuzzed-host.ts';
import { everyNote, everyStep } from './journal-samples.ts';

const writer = '7.8.9';
const state = join(scratchFolder, 'state');
const file = join(state, 'journal.db');

// --- originals ---

function edited(before: Buffer, edit: (db: Database.Database) => void): Buffer {
  const db = new Database(before);
  try {
    edit(db);
    return db.serialize();
  } finally {
    db.close();
  }
}

const released = edited(
  brotliDecompressSync(fs.readFileSync(join(import.meta.dirname, '../../fixtures/journals/format-1.db.br'))),
  (db) => void db.prepare("UPDATE run SET plan = json_set(plan, '$.toolVersion', ?)").run(writer),
);

function inPresentFormat(before: Buffer, edit: (db: Database.Database) => void): Buffer {
  const folder = join(scratchFolder, 'present');
  fs.mkdirSync(folder, { mode: 0o700 });
  fs.writeFileSync(join(folder, 'journal.db'), before);
  openJournal(folder).close();
  const after = edited(fs.readFileSync(join(folder, 'journal.db')), edit);
  fs.rmSync(folder, { recursive: true });
  return after;
}

/** Whatever any step and any note may hold, and not only those of one migration. */
function withEverything(db: Database.Database): void {
  const last = 'SELECT id FROM run ORDER BY number DESC LIMIT 1';
  db.exec(`DELETE FROM step WHERE run = (${last}); UPDATE run SET tool_version = '${writer}'`);
  const addStep = db.prepare(
    `INSERT INTO step (run, position, value, state, memo, changed_at) VALUES ((${last}), ?, ?, 'done', ?, '')`,
  );
  everyStep.forEach(([step, memo], position) => {
    addStep.run(position, JSON.stringify(step), memo === undefined ? null : JSON.stringify(memo));
  });
  const addNote = db.prepare(`INSERT OR REPLACE INTO note VALUES ((${last}), ?, ?)`);
  for (const [name, value] of Object.entries(everyNote)) addNote.run(name, JSON.stringify(value));
}

const unfinished = (db: Database.Database): void => {
  db.exec("UPDATE run SET outcome = NULL; UPDATE step SET state = 'planned' WHERE position >= 20");
};
const goingBack = (db: Database.Database): void => {
  db.exec("UPDATE step SET state = 'undone' WHERE position >= 20");
};
const originals: readonly Buffer[] = [
  released,
  edited(released, unfinished),
  edited(released, goingBack),
  inPresentFormat(released, () => {}),
  inPresentFormat(released, withEverything),
  inPresentFormat(released, (db) => {
    withEverything(db);
    db.exec("UPDATE run SET phase = 'applying'; UPDATE step SET state = 'planned' WHERE position >= 12");
  }),
  inPresentFormat(released, (db) => {
    withEverything(db);
    db.exec("UPDATE run SET phase = 'rolling-back', failed = 'start LXD: no'");
  }),
  inPresentFormat(released, (db) => {
    withEverything(db);
    db.exec("UPDATE run SET phase = 'purging'");
  }),
];

// --- changes ---

type Change =
  | { readonly of: 'bytes'; readonly changes: readonly ByteChange[] }
  | {
      readonly of: 'cell';
      readonly table: 'run' | 'step' | 'note';
      readonly row: number;
      readonly column: number;
      readonly value: Json;
    }
  | {
      readonly of: 'json';
      readonly column: 'step.value' | 'step.memo' | 'note.value' | 'run.plan';
      readonly row: number;
      readonly changes: readonly JsonChange[];
    }
  | { readonly of: 'sql'; readonly sql: string }
  | {
      readonly of: 'file';
      readonly name: 'planned-database.sqlite' | 'source-directory.json' | 'journal.db' | 'lock.db' | 'log';
      readonly content: FileContent;
    };

type FileContent =
  | 'missing'
  | 'folder'
  | 'pipe'
  | 'link'
  | 'empty'
  | { readonly bytes: readonly ByteChange[] }
  | { readonly json: readonly JsonChange[] };

const statements = [
  'DELETE FROM note',
  'DELETE FROM step',
  'DELETE FROM run',
  'DELETE FROM step WHERE position % 2 = 0',
  'UPDATE step SET position = position + 1000',
  'UPDATE step SET position = -position',
  "UPDATE run SET id = '../../x'",
  "UPDATE run SET id = '..'",
  "UPDATE run SET id = ''",
  "UPDATE run SET id = id || '/x'",
  'DROP TABLE note',
  'DROP TABLE step',
  'DROP TABLE run',
  'ALTER TABLE run DROP COLUMN plan',
  'ALTER TABLE run DROP COLUMN begun_at',
  'ALTER TABLE step DROP COLUMN memo',
  'ALTER TABLE note RENAME COLUMN value TO text',
  'ALTER TABLE run ADD COLUMN more TEXT',
  'ALTER TABLE step ADD COLUMN more TEXT',
  'CREATE TABLE other (a)',
  "CREATE TRIGGER t BEFORE UPDATE ON run BEGIN SELECT RAISE(ABORT, 'no'); END",
  "CREATE TRIGGER t BEFORE UPDATE ON step BEGIN SELECT RAISE(ABORT, 'no'); END",
  "CREATE TRIGGER t BEFORE INSERT ON note BEGIN SELECT RAISE(ABORT, 'no'); END",
  'CREATE UNIQUE INDEX i ON step (state)',
  'ALTER TABLE run RENAME TO other; CREATE VIEW run AS SELECT * FROM other',
  'ALTER TABLE note RENAME TO other; CREATE VIEW note AS SELECT * FROM other',
  'PRAGMA user_version = 0',
  'PRAGMA user_version = 1',
  'PRAGMA user_version = 2',
  'PRAGMA user_version = 3',
  'PRAGMA user_version = -1',
  'PRAGMA user_version = 2147483647',
  'PRAGMA encoding = "UTF-16"',
  'UPDATE run SET number = 9007199254740993',
  'UPDATE run SET number = NULL',
  "UPDATE run SET phase = 'finishing'",
  'UPDATE run SET pruned = 1',
  "UPDATE run SET outcome = 'later'",
  "INSERT INTO note SELECT id, 'of-a-newer-version', '{}' FROM run",
] as const;

const row = fc.nat();
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      of: fc.constant('bytes' as const),
      changes: fc.array(byteChange, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      of: fc.constant('cell' as const),
      table: fc.constantFrom('run' as const, 'step' as const, 'note' as const),
      row,
      column: fc.nat(),
      value: anyJson,
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      of: fc.constant('json' as const),
      column: fc.constantFrom(
        'step.value' as const,
        'step.memo' as const,
        'note.value' as const,
        'run.plan' as const,
      ),
      row,
      changes: fc.array(jsonChange, { minLength: 1, maxLength: 2 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ of: fc.constant('sql' as const), sql: fc.constantFrom(...statements) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      of: fc.constant('file' as const),
      name: fc.constantFrom(
        'planned-database.sqlite' as const,
        'planned-database.sqlite' as const,
        'source-directory.json' as const,
        'source-directory.json' as const,
        'journal.db' as const,
        'lock.db' as const,
        'log' as const,
      ),
      content: fc.oneof(
        { weight: 1, arbitrary: fc.constantFrom<FileContent>('missing', 'folder', 'pipe', 'link', 'empty') },
        { weight: 2, arbitrary: fc.record({ bytes: fc.array(byteChange, { minLength: 1, maxLength: 3 }) }) },
        { weight: 2, arbitrary: fc.record({ json: fc.array(jsonChange, { minLength: 1, maxLength: 3 }) }) },
      ),
    }),
  },
);

/** Whether the version that wrote it is still to be read from the journal. */
function keepsWriter(changes: readonly Change[]): boolean {
  return changes.every(
    (one) => (one.of === 'json' && one.column !== 'run.plan') || (one.of === 'cell' && one.table !== 'run'),
  );
}

function changedJournal(before: Buffer, changes: readonly Change[]): Buffer {
  return changes.reduce((content, one) => {
    if (one.of === 'file') return content;
    if (one.of === 'bytes') return one.changes.reduce(changedBytes, content);
    try {
      return edited(content, (db) => changeRows(db, one));
    } catch (error) {
      // Bytes were changed before, or the tables take no such value.
      if (systemErrorCode(error)?.startsWith('SQLITE_') !== true) throw error;
      return content;
    }
  }, before);
}

function changeRows(db: Database.Database, one: Exclude<Change, { of: 'bytes' | 'file' }>): void {
  if (one.of === 'sql') {
    db.exec(one.sql);
    return;
  }
  const [table, named] =
    one.of === 'json' ? (one.column.split('.') as [string, string]) : [one.table, undefined];
  const columns = db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[];
  const column = named ?? (one.of === 'cell' ? columns[one.column % columns.length] : undefined);
  // Of the last run, which the commands look at.
  const rows = db
    .prepare(
      table === 'run'
        ? 'SELECT rowid FROM run ORDER BY rowid DESC LIMIT 1'
        : `SELECT rowid FROM ${table} WHERE run = (SELECT id FROM run ORDER BY rowid DESC LIMIT 1)`,
    )
    .pluck()
    .all() as number[];
  const rowid = rows[one.row % rows.length];
  if (column === undefined || rowid === undefined) return;
  const now: unknown = db.prepare(`SELECT "${column}" FROM ${table} WHERE rowid = ?`).pluck().get(rowid);
  const write = db.prepare(`UPDATE ${table} SET "${column}" = ? WHERE rowid = ?`);
  if (one.of === 'json') {
    write.run(JSON.stringify(one.changes.reduce(changedJson, jsonOf(now))), rowid);
    return;
  }
  const { value } = one;
  write.run(
    typeof value === 'string' || typeof value === 'number' || value === null ? value : JSON.stringify(value),
    rowid,
  );
}

/** Null where there is none, or damaged by now. */
function jsonOf(text: unknown): Json {
  try {
    return typeof text === 'string' ? (JSON.parse(text) as Json) : null;
  } catch {
    return null;
  }
}

// --- the host ---

const image = lxdDatabase(`${instance(1, 'c1')} ${instance(2, 'c2')}`);
const host = fuzzedHost(image);
const daemons = twoDaemons(host);
const pristine = join(scratchFolder, 'pristine');
fs.cpSync(host.root, pristine, { recursive: true, verbatimSymlinks: true });
const pipe = join(scratchFolder, 'pipe');
execFileSync('mkfifo', [pipe]);
const directory = [
  { path: '', type: 'folder', mode: 0o711, uid: 0, gid: 0 },
  { path: 'networks', type: 'folder', mode: 0o711, uid: 0, gid: 0 },
  { path: 'networks/x', type: 'file', mode: 0o644, uid: 0, gid: 0, content: 'YQ==' },
  { path: 'devices', type: 'folder', mode: 0o700, uid: 0, gid: 0 },
  { path: 'containers', type: 'folder', mode: 0o711, uid: 0, gid: 0 },
  { path: 'containers/c1', type: 'link', mode: 0o777, uid: 0, gid: 0, target: 'nowhere' },
];

function put(path: string, original: Buffer, content: FileContent): void {
  fs.rmSync(path, { recursive: true, force: true });
  if (content === 'missing') return;
  if (content === 'folder') fs.mkdirSync(path);
  else if (content === 'pipe') fs.linkSync(pipe, path);
  else if (content === 'link') fs.symlinkSync(path, path);
  else if (content === 'empty') fs.writeFileSync(path, '');
  else if ('bytes' in content) fs.writeFileSync(path, content.bytes.reduce(changedBytes, original));
  else fs.writeFileSync(path, JSON.stringify(content.json.reduce(changedJson, directory)));
}

/** The host as it was, and the tool's folder with that journal and the folder of its last run. */
function prepare(journal: Buffer, changes: readonly Change[]): void {
  for (const folder of [host.root, state]) fs.rmSync(folder, { recursive: true, force: true });
  fs.cpSync(pristine, host.root, { recursive: true, verbatimSymlinks: true });
  for (const daemon of [daemons.lxd, daemons.incus]) daemon.running = false;
  host.machine.listeners.clear();
  host.machine.processes = [];
  host.log.length = 0;
  host.requests.length = 0;
  const folder = join(state, 'runs', '2026-11-29T06-23-16-131Z');
  const inHost = host.path('/state/runs/RUN');
  for (const path of [state, folder, inHost]) fs.mkdirSync(path, { recursive: true, mode: 0o700 });
  const files: Readonly<Record<string, readonly [string, Buffer]>> = {
    'planned-database.sqlite': [folder, image],
    'source-directory.json': [inHost, Buffer.from(JSON.stringify(directory))],
    log: [folder, Buffer.alloc(0)],
    'journal.db': [state, journal],
    'lock.db': [state, Buffer.alloc(0)],
  };
  const changed = new Map<string, FileContent>(
    changes.flatMap((one) => (one.of === 'file' ? [[one.name, one.content]] : [])),
  );
  for (const [name, [where, content]] of Object.entries(files))
    put(join(where, name), content, changed.get(name) ?? { bytes: [] });
}

// --- what must hold ---

let said: string[] = [];
const output: Output = {
  json: false,
  line: (text) => void said.push(text),
  message: (text) => void said.push(text),
  // What cannot be written as JSON would be a bug as well.
  event: (value) => void JSON.stringify(value),
  progress: () => {},
  colour: (_, text) => text,
};

const commands = {
  status: () => statusCommand(host, { state }, output),
  resume: () => resumeCommand(host, { state, yes: true }, output),
  rollback: () =>
    rollbackCommand(host, { state, yes: true, accept: 'gone-since-switch,source-gone' }, output),
};

const isFile = (path: string): boolean => fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
const bytesOf = (path: string): Buffer | undefined => (isFile(path) ? fs.readFileSync(path) : undefined);

async function call(name: keyof typeof commands, mustName: boolean): Promise<string> {
  said = [];
  const before = bytesOf(file);
  let outcome: string;
  try {
    outcome = `${name} ${await commands[name]()}`;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    said.push(error.message);
    const problem = error.problem as MigrateProblem;
    outcome = `${name} ${problem.code}`;
    if (problem.code === 'journal-unreadable') {
      const after = bytesOf(file);
      if (before !== undefined && after?.equals(before) !== true)
        throw new Error(`${name} refuses the journal and has changed it: ${error.message}`);
      if (mustName && problem.writtenBy !== writer)
        throw new Error(`${name} does not name the version that wrote it: ${error.message}`);
    }
  }
  // Undos that fail are told in words: those of a bug as well.
  const bug =
    /TypeError|RangeError|ReferenceError|Cannot read prop|is not a function|is not iterable|\[object |\bundefined\b|\bERR_[A-Z]|unreachable/.exec(
      said.join('\n'),
    );
  if (bug !== null) throw new Error(`${name} says ${bug[0]}: ${said.join('\n').slice(0, 3000)}`);
  return outcome;
}

// Each command is a process of its own, and watches signals.
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

await feed(
  fc.tuple(
    fc.nat(originals.length - 1),
    fc.array(change, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('resume' as const, 'rollback' as const, 'rollback' as const),
  ),
  async ([which, changes, command]) => {
    prepare(changedJournal(originals[which] ?? released, changes), changes);
    const mustName = keepsWriter(changes);
    for (const signal of signals) process.removeAllListeners(signal);
    await call('status', mustName);
    return call(command, mustName);
  },
);
