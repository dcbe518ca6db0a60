// Decides which lines are added to /etc/subuid and /etc/subgid so that every container keeps its ids, and its files their
// owners; and says what stands in the way. Everything is tried on the files as they will be, not as they are.
import type { Database } from 'better-sqlite3';
import type { Host } from '../../core/host.ts';
import { type DaemonMap, incusLines, type MachineIds, rangesOfIncus, rangesOfLxd } from './daemon-ranges.ts';
import { type MapEntry, parseRawIdMap } from './id-map.ts';
import { defaultRange, holds, type IdRange, isUsable, joined, overlap, smallestUsable } from './id-range.ts';
import { readMachineIds } from './machine-ids.ts';
import { type Fate, fateOf } from './map-at-start.ts';
import { type MappedContainer, readMappedContainers } from './read-containers.ts';
import { type IdKind, idKinds, idMapFiles, readSubids, type SubidFiles, withText } from './read-subids.ts';

export interface IdLine {
  readonly file: string;
  readonly line: string;
  /** newuidmap refuses LXD's containers as well while the line is missing. */
  readonly neededBySource: boolean;
}

export interface IdMapPlan {
  /** Added before Incus starts; none where something stands in the way that they do not mend. */
  readonly lines: readonly IdLine[];
  readonly containers: readonly MappedContainer[];
  readonly files: SubidFiles;
  readonly machine: MachineIds;
  /** What the daemons take from the files: LXD as they are, Incus as they will be. */
  readonly lxd: DaemonMap;
  readonly incus: DaemonMap;
  /** By object, for the files as they will be. */
  readonly fates: ReadonlyMap<string, Fate>;
  /** Containers whose ids newuidmap would not grant them. */
  readonly refused: readonly string[];
  /** The range that holds all maps in use, for a person to write; by kind. */
  readonly wanted: Readonly<Record<IdKind, IdRange | undefined>>;
}

/** Of daemons themselves: packages reserve for them what they give to root as well. */
const ownersOfDaemons = new Set(['lxd', '_lxd', 'incus', '_incus']);

export interface IdMapFacts {
  readonly host: Host;
  readonly db: Database;
  /** Whether Incus is there; without it, the tools of shadow that its packages bring are taken for granted. */
  readonly hasTarget: boolean;
}

export function planIdMaps({ host, db, hasTarget }: IdMapFacts): IdMapPlan {
  const containers = readMappedContainers(db);
  const files = readSubids(host);
  const found = readMachineIds(host);
  const machine = hasTarget ? found : { ...found, hasTools: true };
  const wanted = { uid: hull(containers, 'uid'), gid: hull(containers, 'gid') };
  const tried = options(files, wanted).map((large) => {
    const ranges = withSmall(large, files, machine, containers);
    return { ranges, outcome: outcomeOf(added(files, ranges), machine, containers) };
  });
  const best = tried.find(({ outcome }) => outcome.allKept);
  const outcome = best?.outcome ?? outcomeOf(files, machine, containers);
  return {
    lines:
      containers.length === 0 || best === undefined
        ? []
        : linesOf(best.ranges, outcomeOf(files, found, containers).refused.length > 0),
    containers,
    files,
    machine,
    lxd: rangesOfLxd(files, machine),
    incus: outcome.incus,
    fates: outcome.fates,
    refused: outcome.refused,
    wanted,
  };
}

type Added = Readonly<Record<IdKind, readonly IdRange[]>>;
type Wanted = IdMapPlan['wanted'];

/** Which large range could be added, the least first. */
function options(files: SubidFiles, wanted: Wanted): Added[] {
  const lacks = (kind: IdKind): boolean =>
    takesLine(files, kind) && !(incusLines(files[kind]) ?? []).some(isUsable);
  const free = (kind: IdKind): boolean => takesLine(files, kind) && namedRanges(files, kind).length === 0;
  const fill = (where: (kind: IdKind) => boolean, range: Wanted): Added => ({
    uid: where('uid') && range.uid !== undefined ? [range.uid] : [],
    gid: where('gid') && range.gid !== undefined ? [range.gid] : [],
  });
  const usual = { uid: defaultRange, gid: defaultRange };
  const safe = { uid: ifFree(files, 'uid', wanted.uid), gid: ifFree(files, 'gid', wanted.gid) };
  return [{ uid: [], gid: [] }, fill(lacks, usual), fill(lacks, safe), fill(free, usual), fill(free, safe)];
}

/**
 * With lines for single ids of raw.idmap that newuidmap would not grant; LXD's snap writes maps without it. Both daemons
 * leave ranges of this size alone.
 */
function withSmall(
  large: Added,
  files: SubidFiles,
  machine: MachineIds,
  containers: readonly MappedContainer[],
): Added {
  const file = added(files, large);
  const small = (kind: IdKind): IdRange[] => {
    if (!takesLine(files, kind)) return [];
    const missing = containers.flatMap((one) => notGranted(one, kind, file, machine));
    return joined(missing.filter((range) => range.start > 0 && !isUsable(range))).filter(
      (range) => !isUsable(range),
    );
  };
  return { uid: [...large.uid, ...small('uid')], gid: [...large.gid, ...small('gid')] };
}

/** A file that can be read to its end, and that the daemons look at. */
function takesLine(files: SubidFiles, kind: IdKind): boolean {
  const file = files[kind];
  return file.is === 'read' && file.subids.givenUpAt === undefined && file.subids.cutAt === undefined;
}

/** A second large range of root's would break every new container in Incus. */
function namedRanges(files: SubidFiles, kind: IdKind): IdRange[] {
  const file = files[kind];
  if (file.is !== 'read') return [];
  return file.subids.root.flatMap(({ by, range }) =>
    by === 'name' && range !== undefined && isUsable(range) ? [range] : [],
  );
}

/** Ids that nobody else may use, and that are no user's of the system. */
function ifFree(files: SubidFiles, kind: IdKind, range: IdRange | undefined): IdRange | undefined {
  const file = files[kind];
  if (range === undefined || file.is !== 'read' || range.start < smallestUsable) return undefined;
  if (range.start + range.size > 0xffff_ffff) return undefined;
  const taken = file.subids.others.some(
    (other) => !ownersOfDaemons.has(other.owner) && overlap(other.range, range),
  );
  return taken ? undefined : range;
}

/** From the first to the last id of the maps in use; what raw.idmap adds has lines of its own. */
function hull(containers: readonly MappedContainer[], kind: IdKind): IdRange | undefined {
  const entries = containers.flatMap((container) => ownEntries(container, kind));
  if (entries.length === 0) return undefined;
  const start = Math.min(...entries.map(({ host }) => host));
  const end = Math.max(...entries.map(({ host, size }) => host + size));
  return { start, size: Math.max(end - start, smallestUsable) };
}

function ownEntries({ disk, next, raw }: MappedContainer, kind: IdKind): MapEntry[] {
  const extra = parseRawIdMap(raw) ?? [];
  return [...disk, ...next].filter(
    (entry) =>
      (kind === 'uid' ? entry.isUid : entry.isGid) &&
      !extra.some(({ host, inside }) => host === entry.host && inside === entry.inside),
  );
}

function added(files: SubidFiles, ranges: Added): SubidFiles {
  const one = (kind: IdKind): SubidFiles[IdKind] => {
    const file = files[kind];
    if (file.is !== 'read' || ranges[kind].length === 0) return file;
    return withText(ranges[kind].reduce((text, range) => withLine(text, lineOf(range)), file.text));
  };
  return { uid: one('uid'), gid: one('gid') };
}

/** The text with a line at its end; a last line that had no end gets one. */
export function withLine(text: string, line: string): string {
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`;
}

export function lineOf({ start, size }: IdRange): string {
  return `root:${start}:${size}`;
}

function linesOf(ranges: Added, neededBySource: boolean): IdLine[] {
  return idKinds.flatMap((kind) =>
    ranges[kind].map((range) => ({ file: idMapFiles[kind], line: lineOf(range), neededBySource })),
  );
}

interface Outcome {
  readonly incus: DaemonMap;
  readonly fates: ReadonlyMap<string, Fate>;
  readonly refused: readonly string[];
  readonly allKept: boolean;
}

function outcomeOf(files: SubidFiles, machine: MachineIds, containers: readonly MappedContainer[]): Outcome {
  const incus = rangesOfIncus(files, machine);
  const fates = new Map(containers.map((one) => [one.object, fateOf(one, incus, containers)]));
  const refused = containers
    .filter((one) => idKinds.some((kind) => notGranted(one, kind, files, machine).length > 0))
    .map(({ object }) => object);
  const complete = (incus?.uid.length ?? 0) > 0 && (incus?.gid.length ?? 0) > 0;
  return {
    incus,
    fates,
    refused,
    allKept: complete && refused.length === 0 && [...fates.values()].every((fate) => fate === 'kept'),
  };
}

/**
 * liblxc writes the maps through newuidmap and newgidmap where they are installed, and these grant root only what the
 * files say; a map with the host's root in it is written without them (lxc 5.0 … 7.0, src/lxc, lxc_map_ids).
 */
function notGranted(
  { next }: MappedContainer,
  kind: IdKind,
  files: SubidFiles,
  machine: MachineIds,
): IdRange[] {
  if (!machine.hasTools || next.some((one) => one.isUid && one.host === 0 && one.size > 0)) return [];
  const file = files[kind];
  const granted = file.is === 'read' ? joined(file.subids.granted) : [];
  return next
    .filter((entry) => (kind === 'uid' ? entry.isUid : entry.isGid))
    .map(({ host, size }) => ({ start: host, size }))
    .filter((one) => !granted.some((range) => holds(range, one)));
}
