// What a command that refuses must leave as it was: instances, daemons, databases, files, units, and no run begun.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { Failure } from '../../src/core/failure.ts';
import { readDatabase } from '../../src/dqlite/index.ts';
import type { Machine } from './machine/machine.ts';
import { api, type Product } from './server/api.ts';
import { type PowerState, powerOf } from './server/power.ts';
import { daemonPid } from './server/variants.ts';
import { compareTrees, describeTree, type Tree } from './tree.ts';

export interface Witness {
  readonly lxd: Server | undefined;
  readonly incus: Server | undefined;
  readonly databases: Readonly<Record<Product, Tables>>;
  readonly trees: ReadonlyMap<string, Tree>;
  /** `UNIT STATE` of every unit of either daemon. */
  readonly units: string;
  /** Runs in the journal of the tool's own folder, and folders of runs. */
  readonly runs: number;
}

interface Server {
  readonly pid: number;
  readonly power: readonly PowerState[];
  readonly inits: Readonly<Record<string, string>>;
}

type Tables = Readonly<Record<string, readonly unknown[]>>;

const folders: readonly { readonly path: string; readonly skip: readonly string[] }[] = [
  { path: '/var/lib/lxd/database', skip: ['/var/lib/lxd/database/global'] },
  { path: '/var/lib/incus', skip: ['/var/lib/incus/database/global'] },
  { path: '/etc', skip: [] },
];

export async function witness(machine: Machine): Promise<Witness> {
  const trees = new Map<string, Tree>();
  for (const { path, skip } of folders)
    if (existsSync(machine.rootPath(path))) trees.set(path, await describeTree(machine, path, { skip }));
  return {
    lxd: await serverOf(machine, 'lxd'),
    incus: await serverOf(machine, 'incus'),
    databases: { lxd: tablesOf(machine, 'lxd'), incus: tablesOf(machine, 'incus') },
    trees,
    units: await unitsOf(machine),
    runs: runsOf(machine, '/var/lib/lxd-to-incus'),
  };
}

/** The same processes run, the same rows are stored, the same files lie there. */
export async function expectUntouched(machine: Machine, before: Witness): Promise<void> {
  const { trees, ...after } = await witness(machine);
  const { trees: former, ...rest } = before;
  expect(after).toEqual(rest);
  expect([...trees.keys()]).toEqual([...former.keys()]);
  const differences = [...former].flatMap(([path, tree]) =>
    compareTrees(tree, trees.get(path) ?? new Map()).map((line) => `${path}: ${line}`),
  );
  expect(differences).toEqual([]);
}

async function serverOf(machine: Machine, product: Product): Promise<Server | undefined> {
  const pid = await daemonPid(machine, product);
  if (pid === undefined) return undefined;
  return { pid, power: await powerOf(machine, product), inits: await initsOf(machine, product) };
}

/** Process and start time of the init of every instance that runs: another one means that it was stopped in between. */
export async function initsOf(machine: Machine, product: Product): Promise<Record<string, string>> {
  const instances = (await api(
    machine,
    product,
    'GET',
    '/1.0/instances?recursion=2&all-projects=true',
  )) as readonly { name: string; project: string; state: { pid: number } }[];
  return Object.fromEntries(
    instances
      .filter(({ state }) => state.pid > 0)
      .map(({ name, project, state }) => [
        `${project}/${name}`,
        `${state.pid} ${startOf(machine, state.pid)}`,
      ]),
  );
}

function startOf(machine: Machine, pid: number): string {
  const stat = readFileSync(machine.rootPath(`/proc/${pid}/stat`), 'latin1');
  // Field 22 of proc_pid_stat(5), counted after the name, which may hold blanks.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** Rows of every table; without what a running daemon writes by itself. */
export function tablesOf(machine: Machine, product: Product): Tables {
  const folder = machine.rootPath(`/var/lib/${product}/database/global`);
  if (!existsSync(folder)) return {};
  let image: Buffer;
  try {
    image = readDatabase(folder).bytes;
  } catch (error) {
    // A test damaged it: then the damage must stay as it is.
    if (!(error instanceof Failure)) throw error;
    return { unreadable: [error.problem] };
  }
  const db = new Database(image);
  try {
    const names = db
      .prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
      )
      .pluck()
      .all() as string[];
    return Object.fromEntries(
      names
        .filter((name) => name !== 'operations' && name !== 'warnings')
        .map((name) => {
          const rows = db.prepare(`SELECT * FROM "${name}"`).all() as Record<string, unknown>[];
          return [name, name === 'nodes' ? rows.map(({ heartbeat: _, ...row }) => row) : rows];
        }),
    );
  } finally {
    db.close();
  }
}

async function unitsOf(machine: Machine): Promise<string> {
  const { stdout } = await machine.exec(
    ['sh', '-c', 'systemctl list-unit-files "lxd*" "incus*" --no-legend || echo no systemctl'],
    { accept: 'any' },
  );
  return stdout;
}

/** Runs that were begun, as the journal and the folders have it. */
export function runsOf(machine: Machine, state: string): number {
  const journal = machine.rootPath(`${state}/journal.db`);
  const runs = machine.rootPath(`${state}/runs`);
  const left = existsSync(runs) ? readdirSync(runs).length : 0;
  if (!existsSync(journal)) return left;
  // Read as a whole: SQLite resolves names, and would look for the file on the host.
  const db = new Database(readFileSync(journal));
  try {
    return left + (db.prepare('SELECT count(*) FROM run').pluck().get() as number);
  } finally {
    db.close();
  }
}
