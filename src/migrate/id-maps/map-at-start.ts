// The map of ids with which Incus will start a container, from the ranges that it has (driver_lxc.go, Incus 6.0 … 7.3).
import type { DaemonRanges } from './daemon-ranges.ts';
import { addSafe, type IdMap, type MapEntry, parseRawIdMap, sameMap } from './id-map.ts';
import { holds, type IdRange, smallestUsable } from './id-range.ts';
import type { MappedContainer } from './read-containers.ts';
import { type IdKind, idKinds } from './read-subids.ts';

/** undefined: Incus finds none, and the container does not start. */
export function mapAtStart(
  container: MappedContainer,
  ranges: DaemonRanges,
  all: readonly MappedContainer[],
): IdMap | undefined {
  const { next } = container;
  // startCommon asks for a new map only where the recorded one is not within its ranges.
  if (next.length === 0 || next.every((entry) => isCovered(entry, ranges))) return next;
  return container.isolated ? isolatedMap(container, ranges, all) : sharedMap(container, ranges);
}

/** Entry.HostIDsCoveredBy. */
function isCovered(entry: MapEntry, ranges: DaemonRanges): boolean {
  if (!entry.isUid && !entry.isGid) return false;
  const range: IdRange = { start: entry.host, size: entry.size };
  const within = (kind: IdKind): boolean => ranges[kind].some((one) => holds(one, range));
  return (!entry.isUid || within('uid')) && (!entry.isGid || within('gid'));
}

function sharedMap({ size, raw }: MappedContainer, ranges: DaemonRanges): IdMap | undefined {
  const limit = size === '' ? undefined : sizeOf(size, false, ranges);
  if (size !== '' && limit === undefined) return undefined;
  const whole = idKinds.flatMap((kind) =>
    ranges[kind].map(({ start, size: all }): MapEntry => {
      const count = limit === undefined || all < limit ? all : limit;
      return { isUid: kind === 'uid', isGid: kind === 'gid', host: start, inside: 0, size: count };
    }),
  );
  return withRaw(whole, raw);
}

function isolatedMap(
  container: MappedContainer,
  ranges: DaemonRanges,
  all: readonly MappedContainer[],
): IdMap | undefined {
  const size = sizeOf(container.size, true, ranges);
  const offset = size === undefined ? undefined : offsetOf(container, size, ranges, all);
  if (size === undefined || offset === undefined) return undefined;
  const whole = idKinds.map(
    (kind): MapEntry => ({ isUid: kind === 'uid', isGid: kind === 'gid', host: offset, inside: 0, size }),
  );
  return withRaw(whole, container.raw);
}

function withRaw(map: IdMap, raw: string): IdMap | undefined {
  const entries = parseRawIdMap(raw);
  return entries?.reduce<IdMap | undefined>(
    (sum, entry) => (sum === undefined ? undefined : addSafe(sum, entry)),
    map,
  );
}

function sizeOf(size: string, isolated: boolean, ranges: DaemonRanges): number | undefined {
  if (size !== '' && size !== 'auto') return integer(size);
  if (isolated) return smallestUsable;
  const entries = [...ranges.uid, ...ranges.gid];
  return entries.length === 2 ? entries[0]?.size : undefined;
}

/** findIdmap: the first gap behind those that other isolated containers have, as the daemon goes through them. */
function offsetOf(
  { id, base }: MappedContainer,
  size: number,
  ranges: DaemonRanges,
  all: readonly MappedContainer[],
): number | undefined {
  if (base !== '') return integer(base);
  const [first] = [...ranges.uid, ...ranges.gid];
  if (first === undefined) return undefined;
  const taken: IdRange[] = [];
  for (const other of all) {
    if (other.id === id || !other.isolated || other.volatileBase === '') continue;
    const [start, count] = [integer(other.volatileBase), sizeOf(other.size, true, ranges)];
    if (start === undefined || count === undefined) return undefined;
    taken.push({ start, size: count });
  }
  taken.sort((a, b) => a.start - b.start);
  const endOf = (range: IdRange): number => range.start + range.size;
  let offset = first.start + smallestUsable;
  for (const [at, range] of taken.entries()) {
    const before = taken[at - 1];
    if (before === undefined) {
      if (range.start >= offset + size) return offset;
      offset = endOf(range);
    } else if (endOf(before) > offset) offset = endOf(before);
    else {
      if (endOf(before) + size < range.start) return endOf(before);
      offset = endOf(range);
    }
  }
  return offset + size <= endOf(first) ? offset : undefined;
}

/** strconv.ParseInt. */
function integer(text: string): number | undefined {
  return /^[+-]?[0-9]+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}

/** What a start does to a container's map and files. */
export type Fate =
  /** The files keep their owners, and it runs with the ids that it had. */
  | 'kept'
  /** Every file gets another owner. */
  | 'files-change'
  /** The files belong to nobody's range (idmapped mounts), and it runs with other ids. */
  | 'ids-change'
  | 'no-start';

export function fateOf(
  container: MappedContainer,
  ranges: DaemonRanges | undefined,
  all: readonly MappedContainer[],
): Fate {
  const map = ranges === undefined ? undefined : mapAtStart(container, ranges, all);
  if (map === undefined) return 'no-start';
  if (sameMap(map, container.next)) return 'kept';
  if (container.disk.length === 0) return 'ids-change';
  // What it should get at its next start anyway may be set aside by that.
  return sameMap(map, container.disk) ? 'kept' : 'files-change';
}
