// plan: reads both servers from their files, checks, converts a copy and lists every step. Changes nothing, starts no daemon.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { onTheirWay } from '../../core/on-their-way.ts';
import type { Invocation } from '../../core/program-name.ts';
import { isConfidential, veil } from '../../core/secret.ts';
import { type CheckedSegments, describeNotice } from '../../dqlite/index.ts';
import { readConfigRows } from '../catalogue/config-tables.ts';
import { globalSchema } from '../catalogue/schema-facts.ts';
import { checkCondition, poolsNeeded } from '../check/condition.ts';
import { type CheckContext, check, type OpenDatabase, unreadableDatabase } from '../check/index.ts';
import { checkOwnProgram } from '../check/own-program.ts';
import { checkStartable } from '../check/startable.ts';
import { checkStatePlace } from '../check/state-place.ts';
import { askServer, lookAtServer, type States, type Unasked } from '../condition/look-at-server.ts';
import { type Conversion, convert, startedByItself } from '../convert/index.ts';
import { tellingLines } from '../daemon/telling-lines.ts';
import { versionOf } from '../detect/incus.ts';
import { type Found, withServices } from '../detect/index.ts';
import { livesHere, usualDirectories } from '../detect/lives-here.ts';
import type { Services } from '../detect/services-file.ts';
import { planIdMaps } from '../id-maps/plan-id-maps.ts';
import {
  type DatabaseContent,
  findDatabase,
  readDatabaseFiles,
} from '../inventory/database/database-files.ts';
import { poolFacts } from '../inventory/database/pool-facts.ts';
import { readInventory } from '../inventory/database/read-inventory.ts';
import { isOfSqlite } from '../inventory/database/read-local-database.ts';
import { layoutOf } from '../machine/layout.ts';
import { measureCopy } from '../machine/measure-copy.ts';
import { powerFromProcesses, powerWithoutDaemon } from '../machine/power-from-processes.ts';
import type { Change } from '../model/change.ts';
import type { Condition } from '../model/condition.ts';
import { type Finding, mergeFindings } from '../model/finding.ts';
import type { Installation } from '../model/installation.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Plan } from '../model/plan.ts';
import { migrateFailure } from '../problem.ts';
import { contentsOf } from './drift.ts';
import { makeSteps, runFolder } from './make-steps.ts';
import type { Converted, PlanMaterial } from './plan-material.ts';

/** Stands for the target where there is none to ask: the database is converted as for the oldest that is supported. */
const assumedTargetVersion = '6.0.4';
const assumedTargetDirectory = '/var/lib/incus';

export interface PlanOptions {
  readonly host: Host;
  readonly found: Found;
  readonly services: Services | undefined;
  readonly state: string;
  readonly toolVersion: string;
  /** Name of the run that would carry it out. */
  readonly run: string;
  /** Whether it will be compared with another plan of this server. */
  readonly keepable?: boolean;
  /** How the program that plans was started, where that may concern a person. */
  readonly program?: Invocation;
  /** Called as soon as it is known what Incus would start on, while LXD is still being asked; with the findings so far. */
  readonly converted?: (converted: Converted, findings: readonly Finding[]) => void;
}

/** @throws failures of reading the source's database */
export async function makePlan({
  host,
  found,
  services,
  state,
  toolVersion,
  run,
  keepable = false,
  program,
  converted,
}: PlanOptions): Promise<PlanMaterial> {
  // Both run while the database is read, which keeps this process busy.
  const detecting = withServices(host, found, services);
  // Where reading fails, its failure is the one to report.
  detecting.catch(() => {});
  const asking = found.target?.program === undefined ? undefined : versionOf(host, found.target.program);
  // A daemon that answers says what its files do not: whether its pools and networks work. It takes its time, and is asked first.
  const askingSource = await onceAsked((asked) => askServer(host, found.source.sockets, asked));
  const unreadable: string[] = [];
  const checked: CheckedSegments = new Set();
  const content = readDatabaseFiles(host.path(found.source.dataDirectory), {
    checked,
    unreadable: (path) => unreadable.push(path),
  });
  const targetContent =
    found.target === undefined
      ? undefined
      : readTarget(host.path(found.target.dataDirectory), (path) => unreadable.push(path));
  const { source, target } = await detecting;
  const version = await asking;
  const opened = openDatabase(content);
  const openedTarget = targetContent === undefined ? undefined : openDatabase(targetContent);
  try {
    const sourceIsWhole =
      content.files.global === join(host.path(source.dataDirectory), 'database', 'global');
    const layout =
      target === undefined || !sourceIsWhole
        ? ({ kind: 'rename' } as const)
        : layoutOf(host, source.dataDirectory, target.dataDirectory);
    const isHere = sourceIsWhole && livesHere(host, source);
    const copy = layout.kind === 'copy' ? await measureCopy(host, source.dataDirectory) : undefined;
    const context: CheckContext = {
      host,
      source,
      target,
      targetVersion: version,
      sourceDatabase: opened,
      targetDatabase: openedTarget,
      unreadable,
      state,
      sourceIsWhole,
      imageBytes: content.image.bytes.length,
      loops: await host.loops(),
      ...(copy === undefined ? {} : { copy }),
    };
    const findings = [
      ...check(context),
      ...notices(content),
      // A copy of a database is looked at, and never moved.
      ...(isHere ? checkStatePlace(context) : []),
      ...(program === undefined ? [] : checkOwnProgram(host, program)),
    ];
    const unreadableRows = findings.some(({ id }) => unreadableDatabase.includes(id));
    const processes = unreadableRows
      ? { running: [], frozen: [] }
      : powerWithoutDaemon(host, source, () => startedByItself(opened.db));
    const power = { running: new Set(processes.running), frozen: new Set(processes.frozen) };
    const pinsFromHost =
      unreadableRows || !isHere ? new Map<string, string>() : bridgeAddresses(host, opened);
    const conversion = unreadableRows
      ? undefined
      : convert({
          image: content.image.bytes,
          local: content.local,
          sourceDirectory: nameOfSource(opened, source.dataDirectory),
          targetDirectory: target?.dataDirectory ?? assumedTargetDirectory,
          targetVersion: version ?? assumedTargetVersion,
          pinsFromHost,
          power,
          now: host.now(),
        });
    const incusStartsOn: Converted = {
      plan: { target: target === undefined ? undefined : { ...target, version } },
      convertedImage: conversion?.image ?? content.image.bytes,
      convertedLocal: conversion?.local,
      raft: content.image,
    };
    if (conversion !== undefined) converted?.(incusStartsOn, [...findings, ...conversion.findings]);
    const { said: asked, unasked } = await askingSource.answer;
    const looked = unreadableRows || !isHere ? undefined : lookAtSource(host, source, content, asked?.states);
    const folder = runFolder(state, run);
    const plan: Plan = {
      format: 1,
      toolVersion,
      madeAt: host.now().toISOString(),
      source: { ...source, schema: globalSchema(opened.db) },
      ...incusStartsOn.plan,
      position: { lastIndex: content.image.lastIndex, lastTerm: content.image.lastTerm },
      ...(keepable ? { contents: unreadableRows ? {} : contentsOf(content.image.bytes) } : {}),
      findings: mergeFindings([
        ...findings,
        ...(conversion?.findings ?? []),
        ...(looked === undefined
          ? []
          : conditionFindings(host, source, looked, {
              unasked: unasked === undefined ? undefined : withoutSecrets(unasked, content),
              nullValues: nullValues(opened.db),
              local: conversion?.local,
              power: processes,
            })),
      ]),
      ...(looked === undefined ? {} : { condition: looked.condition }),
      changes: (conversion?.changes ?? []).map(veilChange),
      localChanges: (conversion?.localChanges ?? []).map(veilChange),
      power: processes,
      ...(unreadableRows ? {} : { counts: countsOf(opened) }),
      steps:
        target === undefined || !sourceIsWhole || unreadableRows
          ? []
          : makeSteps(source, target, folder, {
              ...hostInterfaces(opened),
              pools: poolFacts(opened.db),
              targetPools: openedTarget === undefined ? [] : poolFacts(openedTarget.db),
              idLines: planIdMaps({ host, db: opened.db, hasTarget: target.program !== undefined }).lines,
              layout,
              bytes: copy?.bytes ?? 0,
            }),
    };
    return {
      ...incusStartsOn,
      plan,
      changes: conversion?.changes ?? [],
      sourceImage: content.image.bytes,
      power,
      pinsFromHost,
      checked,
      ...(asked === undefined ? {} : { asked }),
    };
  } catch (error) {
    if (!isOfSqlite(error)) throw error;
    throw migrateFailure({ code: 'database-refuses', path: content.files.global, why: error.message }, error);
  } finally {
    opened.db.close();
    opened.local?.close();
    openedTarget?.db.close();
    openedTarget?.local?.close();
  }
}

/**
 * Waits until the questions are on their way: what follows keeps this process busy, and the daemon can work meanwhile.
 * @param ask calls what it is given when it has asked
 */
async function onceAsked<T>(
  ask: (asked: () => void) => Promise<T>,
): Promise<{ readonly answer: Promise<T> }> {
  const { promise: beingAsked, resolve } = Promise.withResolvers<void>();
  const answer = ask(resolve).finally(resolve);
  // Where it fails, whoever waits for the answer learns of it.
  answer.catch(() => {});
  await beingAsked;
  await onTheirWay();
  return { answer };
}

interface Looked {
  readonly inventory: Inventory;
  readonly condition: Condition;
}

function lookAtSource(
  host: Host,
  source: Installation,
  { image, local }: DatabaseContent,
  states: States | undefined,
): Looked {
  const inventory = readInventory(image.bytes, local === undefined ? {} : { localDatabase: local });
  return { inventory, condition: lookAtServer(host, source, inventory, states) };
}

function conditionFindings(
  host: Host,
  source: Installation,
  { inventory, condition }: Looked,
  {
    unasked,
    nullValues,
    local,
    power,
  }: {
    readonly unasked: Unasked | undefined;
    readonly nullValues: readonly string[];
    readonly local: Buffer | undefined;
    readonly power: Plan['power'];
  },
): Finding[] {
  const running = Object.values(powerFromProcesses(host, source.dataDirectory)).flat();
  return [
    ...checkCondition({ host, source, running, unasked, nullValues }, condition, inventory),
    ...poolsNeeded(condition, inventory, local),
    ...checkStartable({ host, running, wouldStart: Object.values(power).flat() }, inventory),
  ];
}

/** What a daemon says may hold what it has read. */
function withoutSecrets(unasked: Unasked, { image }: DatabaseContent): Unasked {
  return 'words' in unasked
    ? { ...unasked, words: tellingLines(unasked.words, image.bytes).join(' ') }
    : unasked;
}

function nullValues(db: Database.Database): string[] {
  return readConfigRows(db)
    .filter(({ value }) => value === null)
    .map(({ object, key }) => `${object}, ${key}`);
}

/** A plan needs nothing of the target: what this user may not read is a finding. */
function readTarget(directory: string, unreadable: (path: string) => void): DatabaseContent | undefined {
  try {
    return findDatabase(directory) === undefined ? undefined : readDatabaseFiles(directory, { unreadable });
  } catch (error) {
    if (!(error instanceof Failure) || error.problem.code !== 'no-permission') throw error;
    unreadable(directory);
    return undefined;
  }
}

/** What decides a conversion besides the database itself; kept with a run so that it can be made again. */
export interface ConversionSettings {
  readonly plan: Pick<Plan, 'source' | 'target'>;
  readonly power: PlanMaterial['power'];
  readonly pinsFromHost: ReadonlyMap<string, string>;
  readonly checked?: CheckedSegments;
}

/** Converts what a source's files hold now, as the plan did. */
export function convertFiles(
  host: Host,
  directory: string,
  settings: ConversionSettings,
): { readonly content: DatabaseContent; readonly conversion: Conversion } {
  const { checked } = settings;
  const content = readDatabaseFiles(host.path(directory), checked === undefined ? {} : { checked });
  return { content, conversion: convertContent(host, content, settings) };
}

/** The same of what was read from them. */
export function convertContent(
  host: Host,
  content: DatabaseContent,
  { plan, power, pinsFromHost }: ConversionSettings,
): Conversion {
  const opened = openDatabase(content);
  try {
    return convert({
      image: content.image.bytes,
      local: content.local,
      sourceDirectory: nameOfSource(opened, plan.source.dataDirectory),
      targetDirectory: plan.target?.dataDirectory ?? assumedTargetDirectory,
      targetVersion: plan.target?.version ?? assumedTargetVersion,
      pinsFromHost,
      power,
      now: host.now(),
    });
  } finally {
    opened.db.close();
    opened.local?.close();
  }
}

/** What the target is expected to hold afterwards. */
export function expectedInventory({ convertedImage, convertedLocal }: PlanMaterial): Inventory {
  return readInventory(convertedImage, convertedLocal === undefined ? {} : { localDatabase: convertedLocal });
}

function openDatabase({ image, local }: DatabaseContent): OpenDatabase {
  return {
    db: new Database(image.bytes),
    local: local === undefined ? undefined : new Database(local),
    servers: image.configuration.servers,
  };
}

/** Notices of the reader that say nothing about the data: they belong to inspect and export-db. */
const aboutFilesOnly = ['dump-differs', 'segments-unused', 'file-ignored'];

/** What the reader of the raft files had to say about the data. */
function notices({ image }: DatabaseContent): Finding[] {
  const relevant = image.notices.filter(({ code }) => !aboutFilesOnly.includes(code));
  return relevant.map((notice) => ({
    id: `database:${notice.code}`,
    severity: 'note',
    objects: [],
    what: `The database files: ${describeNotice(notice)}`,
    action: 'Nothing needs to be done.',
  }));
}

/**
 * The directory by which the database itself knows its server. A copy may lie elsewhere: then the pools that LXD made
 * inside its own directory tell (`<dir>/storage-pools/<pool>`, `<dir>/disks/<pool>.img`). A pool may also have been put
 * in a place of that form by its owner, so no other directory than a usual one is believed.
 */
function nameOfSource({ db }: OpenDatabase, dataDirectory: string): string {
  const rows = db
    .prepare(
      "SELECT p.name AS pool, c.value AS source FROM storage_pools_config c JOIN storage_pools p ON p.id = c.storage_pool_id WHERE c.key = 'source' AND c.value LIKE '/%'",
    )
    .all() as { pool: string; source: string }[];
  const directories = rows.flatMap(({ pool, source }) => {
    const ending = [`/storage-pools/${pool}`, `/disks/${pool}.img`].find((suffix) => source.endsWith(suffix));
    return ending === undefined ? [] : [source.slice(0, -ending.length)];
  });
  if (usualDirectories.includes(dataDirectory) || directories.includes(dataDirectory)) return dataDirectory;
  return directories.find((directory) => usualDirectories.includes(directory)) ?? dataDirectory;
}

function bridgeAddresses(host: Host, { db }: OpenDatabase): Map<string, string> {
  const bridges = db.prepare('SELECT name FROM networks WHERE type = 0').all() as { name: string }[];
  return new Map(
    bridges.flatMap(({ name }) => {
      const file = host.path(join('/sys/class/net', name, 'address'));
      return /^[\w.-]+$/.test(name) && existsSync(file)
        ? [[`${name}/bridge.hwaddr`, readFileSync(file, 'utf8').trim()] as const]
        : [];
    }),
  );
}

function countsOf({ db }: OpenDatabase): { instances: number; snapshots: number } {
  const count = (table: string): number => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  return { instances: count('instances'), snapshots: count('instances_snapshots') };
}

function hostInterfaces({ db }: OpenDatabase): { bridges: string[]; interfaces: string[] } {
  const bridges = db.prepare('SELECT name FROM networks WHERE type = 0 ORDER BY name').all() as {
    name: string;
  }[];
  const interfaces = db
    .prepare(
      "SELECT DISTINCT value FROM instances_config WHERE key LIKE 'volatile.%.host_name' AND value LIKE 'veth%' ORDER BY value",
    )
    .all() as { value: string }[];
  return { bridges: bridges.map(({ name }) => name), interfaces: interfaces.map(({ value }) => value) };
}

function veilChange(change: Change): Change {
  const confidential =
    change.what === 'row' ||
    [change.before, change.after].some((value) => isConfidential(change.what, value ?? ''));
  if (!confidential) return change;
  return {
    ...change,
    before: change.before === null ? null : veil(change.before),
    after: change.after === null ? null : veil(change.after),
  };
}
