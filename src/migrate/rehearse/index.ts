// rehearse: Incus itself is started on a harmless copy of the converted database, cut off from the host, and asked for everything.
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { makeFolders } from '../../core/durable.ts';
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import type { RunningProcess } from '../../core/start.ts';
import { inline } from '../../core/text.ts';
import { writeDatabaseDirectory } from '../apply/write-database.ts';
import { answeringSocket } from '../daemon/answering-socket.ts';
import { type DaemonClient, daemonClient } from '../daemon/client.ts';
import { type Fields, fields, fieldsList, rawOf, textOf } from '../daemon/fields.ts';
import { limitFor, sizeOf } from '../daemon/server-size.ts';
import { tellingLines } from '../daemon/telling-lines.ts';
import { inventoryFromApi } from '../inventory/api/from-api.ts';
import { compareInventories, describeDifference } from '../inventory/compare.ts';
import { readInventory } from '../inventory/database/read-inventory.ts';
import { readLocalDatabase } from '../inventory/database/read-local-database.ts';
import type { Difference } from '../model/difference.ts';
import type { Finding } from '../model/finding.ts';
import type { Inventory } from '../model/inventory.ts';
import type { FreshRehearsal } from '../model/rehearsal.ts';
import { daemonRef } from '../plan/make-steps.ts';
import type { Converted } from '../plan/plan-material.ts';
import { migrateFailure } from '../problem.ts';
import { migrationRules } from '../rules/migration-rules.ts';
import { checkCopy } from './check-copy.ts';
import { type InertDatabase, makeInert } from './make-inert.ts';
import { notAnswered, notProven } from './not-proven.ts';
import { isShown, openRoom, type Room } from './room.ts';

export interface RehearsalInput {
  readonly host: Host;
  readonly material: Converted;
  readonly say: (text: string) => void;
  /** Milliseconds for Incus to come up on the copy of a small server. */
  readonly limitMs?: number;
  /** Ends the trial; its result then says nothing. */
  readonly abandoned?: AbortSignal;
}

const defaultLimitMs = 120_000;
const defaultDirectory = '/var/lib/incus';
/** Of the finding that sums up the differences. */
export const differsId = 'rehearsal:differs';
/** A unix socket's path may have 107 bytes (unix(7)); the way into the room is put before it. */
const longestDirectory = 70;
const listed = 50;

/** Changes nothing on the host: the copy is in memory that only the trial's own namespaces have. */
export async function rehearse(input: RehearsalInput): Promise<FreshRehearsal> {
  const { host, material, say } = input;
  const begun = host.clock();
  const nothing = { version: undefined, compared: {}, notProven: [], differences: [] };
  const done = (rest: Omit<FreshRehearsal, 'milliseconds'>): FreshRehearsal => ({
    ...rest,
    milliseconds: Math.round(host.clock() - begun),
  });
  say('checks of the converted database');
  const findings = checkCopy(material.convertedImage);
  if (findings.length > 0)
    return done({ ...nothing, ran: false, reason: 'the converted database is not sound', findings });
  const trial = await prepare(input);
  const result = 'reason' in trial ? trial : await inRoom(input, trial);
  if ('reason' in result)
    return done({ ...nothing, ran: false, reason: result.reason, findings: [notPossible(result.reason)] });
  return done({ ...result, ran: true, reason: undefined });
}

interface Trial {
  readonly program: string;
  readonly version: string;
  /** Data directory in the room. */
  readonly directory: string;
  readonly local: Buffer;
}

interface NotRun {
  readonly reason: string;
}

async function prepare({ host, material }: RehearsalInput): Promise<Trial | NotRun> {
  const { target } = material.plan;
  if (target?.program === undefined || target.version === undefined)
    return { reason: 'no incusd was found that could be started' };
  if (host.userId() !== 0) return { reason: 'only root may make namespaces' };
  if (material.convertedLocal === undefined)
    return { reason: 'the LXD directory has no local.db, without which Incus would begin a new database' };
  const { program, version, dataDirectory } = target;
  const running = await runningVersion(host, material);
  if (running !== undefined && running !== version)
    return { reason: `${program} is version ${version}, but the Incus that runs is version ${running}` };
  const fits = !isShown(dataDirectory) && dataDirectory.length <= longestDirectory;
  return {
    program,
    version,
    directory: fits ? dataDirectory : defaultDirectory,
    local: material.convertedLocal,
  };
}

async function runningVersion(host: Host, { plan }: Converted): Promise<string | undefined> {
  if (plan.target === undefined) return undefined;
  const socket = await answeringSocket(host, daemonRef(plan.target));
  return socket === undefined ? undefined : versionOfDaemon(daemonClient(host, socket));
}

async function versionOfDaemon(client: DaemonClient): Promise<string> {
  return textOf(await environmentOf(client), 'server_version');
}

async function environmentOf(client: DaemonClient): Promise<Fields> {
  const server = fields(await client.get('/1.0'), '/1.0');
  return fields(rawOf(server, 'environment'), '/1.0');
}

type Outcome = Pick<FreshRehearsal, 'version' | 'compared' | 'findings' | 'notProven' | 'differences'>;

async function inRoom(input: RehearsalInput, trial: Trial): Promise<Outcome | NotRun> {
  const { host, material, say, abandoned } = input;
  const inert = makeInert(material.convertedImage, trial.local, trial.directory);
  say('namespaces');
  const room = await openRoom(host, {
    writable: trial.directory,
    program: trial.program,
    // The log, a snapshot of it, and the open segments of 8 MiB that the daemon makes in advance.
    bytes: inert.image.length * 8 + 256 * 1024 * 1024,
  });
  if ('reason' in room) return room;
  // Whether that worked is looked at below, where it is done again.
  abandoned?.addEventListener('abort', () => void room.close().catch(() => {}), { once: true });
  try {
    if (abandoned?.aborted === true) return { reason: 'it was ended before it began' };
    furnishDirectory(room, trial, inert, material);
    say('Incus starts on the copy');
    const daemon = await room.start([trial.program], {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/root',
      LANG: 'C.UTF-8',
      INCUS_DIR: trial.directory,
      INCUS_SECURITY_APPARMOR: 'false',
    });
    return await askTrial(input, trial, inert, room, daemon);
  } finally {
    await room.close();
  }
}

function furnishDirectory(room: Room, { directory }: Trial, inert: InertDatabase, { raft }: Converted): void {
  writeDatabaseDirectory(room.path(join(directory, 'database')), inert, { image: raft });
  // As the steps leave them: their patches count as done.
  for (const { to } of migrationRules().renamed_folders) makeFolders(room.path(join(directory, to)));
  for (const pool of inert.pools.filter(isFileName))
    makeFolders(room.path(join(directory, 'storage-pools', pool)));
}

/** A pool of any other name, which neither project allows, must not lead out of the room. */
function isFileName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
}

/** What Incus, as it runs in the trial, says of the copy. */
export async function askTrial(
  { host, say, material, limitMs = defaultLimitMs }: RehearsalInput,
  trial: Trial,
  inert: InertDatabase,
  room: Room,
  daemon: RunningProcess,
): Promise<Outcome> {
  const size = sizeOf(inert.image);
  const client = daemonClient(host, room.path(join(trial.directory, 'unix.socket')), size);
  const expected = readInventory(inert.image, { localDatabase: inert.local });
  let isReady = false;
  const withoutAnswers = (finding: Finding, late: readonly string[] = []): Outcome => ({
    version: undefined,
    compared: {},
    differences: [],
    findings: [finding],
    notProven: [...notProven(inert.changes, expected, []), ...notAnswered(late)],
  });
  // Once it is ready and goes on running, its last lines are of other things than what it refused.
  const refused = (why: string): Outcome =>
    withoutAnswers(
      refusal(why, isReady && !daemon.hasEnded() ? [] : tellingLines(daemon.tail(), inert.image)),
    );
  const late: string[] = [];
  try {
    await readyOrEnded(host, client, daemon, limitFor(limitMs, size));
    if (daemon.hasEnded()) return refused(`Incus ended (${await daemon.ended}) on the converted database.`);
    isReady = true;
    say('inventory');
    const environment = await environmentOf(client);
    const version = textOf(environment, 'server_version');
    const actual = await inventoryFromApi(client, {
      expected: () => expected,
      notInTime: (what) => late.push(what),
    });
    const { accepted_differences: always, rehearsal } = migrationRules();
    const differences = compareInventories(expected, actual, [...always, ...rehearsal.accepted_differences]);
    return {
      version,
      compared: countsOf(actual),
      differences,
      findings: [
        ...differs(differences),
        ...otherVersion(version, trial),
        ...missingDrivers(environment, material),
      ],
      notProven: [
        ...notProven(inert.changes, expected, patchesRun(room, trial, inert)),
        ...notAnswered(late),
      ],
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (isLate(error) && !daemon.hasEnded())
      return withoutAnswers(notInTime(error), [error.explanation.what]);
    return refused(`Incus did not answer on the converted database: ${inline(error.explanation.what)}`);
  }
}

async function readyOrEnded(
  host: Host,
  client: DaemonClient,
  daemon: RunningProcess,
  limitMs: number,
): Promise<void> {
  const end = host.clock() + limitMs;
  while (!daemon.hasEnded()) {
    try {
      return await client.waitUntilReady(200);
    } catch (error) {
      if (!(error instanceof Failure) || error.problem.code !== 'daemon-silent') throw error;
      if (host.clock() > end)
        throw migrateFailure({
          code: 'daemon-silent',
          daemon: 'Incus, on the copy,',
          limitMs,
          lastLines: [],
        });
    }
  }
}

function differs(found: readonly Difference[]): Finding[] {
  if (found.length === 0) return [];
  const more = found.length > listed ? [`… and ${found.length - listed} more`] : [];
  return [
    {
      id: differsId,
      severity: 'blocker',
      objects: [...found.slice(0, listed).map(describeDifference), ...more],
      what: 'Incus took the converted database, but does not show everything as it was in LXD.',
      action:
        'Nothing was changed. If these differences are all right for you, accept them; otherwise report them.',
      answers: ['accept'],
    },
  ];
}

/** The pools of the trial are plain folders; whether it could use the real ones is what it says of itself. */
function missingDrivers(environment: Fields, { convertedImage }: Converted): Finding[] {
  const known = fieldsList(rawOf(environment, 'storage_supported_drivers'), '/1.0');
  const supported = new Set(known.map((driver) => textOf(driver, 'Name')));
  const pools = readInventory(convertedImage).pools.filter(({ driver }) => !supported.has(driver));
  if (pools.length === 0) return [];
  return [
    {
      id: 'rehearsal:storage-driver',
      severity: 'blocker',
      objects: pools.map(({ name, driver }) => `storage pool ${name}, driver ${driver}`),
      what: `Incus cannot use these pools here; it names ${[...supported].join(', ') || 'no driver'}.`,
      action: 'Install what the driver needs (its commands, its kernel module), then rehearse again.',
    },
  ];
}

function otherVersion(version: string, trial: Trial): Finding[] {
  if (version === trial.version) return [];
  return [
    {
      id: 'rehearsal:version',
      severity: 'blocker',
      objects: [trial.program],
      what: `The database was converted for Incus ${trial.version}, but the trial says that it is version ${version}.`,
      action: 'Name the daemon that will run with --incusd.',
    },
  ];
}

function refusal(what: string, objects: readonly string[]): Finding {
  return {
    id: 'rehearsal:refused',
    severity: 'blocker',
    objects,
    what,
    action: `Nothing was changed, LXD goes on running.${objects.length === 0 ? '' : ' These are the last lines that Incus printed.'}`,
  };
}

/** That it takes long says nothing against the database. */
function isLate({ problem: { code } }: Failure): boolean {
  return code === 'wait-limit' || code === 'daemon-silent';
}

function notInTime({ explanation }: Failure): Finding {
  return {
    id: 'rehearsal-not-in-time',
    severity: 'loss',
    objects: [explanation.what],
    what: 'Incus, tried on the converted database, had not answered when its time was over; it had not refused it either.',
    action:
      'Rehearse again when the machine has less to do, or accept it to move without: Incus then has as long again, and if it refuses the database, LXD is put back.',
    answers: ['accept'],
  };
}

function notPossible(reason: string): Finding {
  return {
    id: 'rehearsal-not-possible',
    severity: 'loss',
    objects: [reason],
    what: 'Incus could not be tried on the converted database beforehand, so that it takes it is not proven.',
    action:
      'Accept it to move without: Incus then meets the database only after LXD has been stopped, and if it refuses, LXD is put back.',
    answers: ['accept'],
  };
}

function patchesRun(room: Room, { directory }: Trial, inert: InertDatabase): string[] {
  const names = (source: Buffer): string[] => {
    const db = new Database(source);
    try {
      return (db.prepare('SELECT name FROM patches ORDER BY id').all() as { name: string }[]).map(
        ({ name }) => name,
      );
    } finally {
      db.close();
    }
  };
  const before = new Set(names(inert.local));
  return names(readLocalDatabase(room.path(join(directory, 'database', 'local.db')))).filter(
    (name) => !before.has(name),
  );
}

function countsOf(inventory: Inventory): Record<string, number> {
  const { projects, profiles, instances, pools, volumes, networks, images, certificates } = inventory;
  const lists = { projects, profiles, instances, pools, volumes, networks, images, certificates };
  return Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list.length]));
}
