// The map of ids of a container: which ids of the host stand behind those inside. As both daemons write and compare it.

export interface MapEntry {
  readonly isUid: boolean;
  readonly isGid: boolean;
  /** The first id on the host. */
  readonly host: number;
  /** The first id inside. */
  readonly inside: number;
  readonly size: number;
}

export type IdMap = readonly MapEntry[];

/** The JSON of volatile.last_state.idmap and volatile.idmap.next; undefined where it is no map. */
export function parseIdMap(json: string): IdMap | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json === '' ? '[]' : json);
  } catch {
    return undefined;
  }
  if (parsed === null) return [];
  if (!Array.isArray(parsed)) return undefined;
  const entries = parsed.map(entryOf);
  return entries.every((entry) => entry !== undefined) ? entries : undefined;
}

/** As encoding/json fills a Go struct: what is missing is zero, what has another type is an error. */
function entryOf(value: unknown): MapEntry | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const fields = new Map(Object.entries(value));
  const flag = (name: string): boolean | undefined => {
    const found: unknown = fields.get(name) ?? false;
    return typeof found === 'boolean' ? found : undefined;
  };
  const id = (name: string): number | undefined => {
    const found: unknown = fields.get(name) ?? 0;
    return typeof found === 'number' && Number.isSafeInteger(found) ? found : undefined;
  };
  const entry = {
    isUid: flag('Isuid'),
    isGid: flag('Isgid'),
    host: id('Hostid'),
    inside: id('Nsid'),
    size: id('Maprange'),
  };
  const { isUid, isGid, host, inside, size } = entry;
  if (isUid === undefined || isGid === undefined) return undefined;
  if (host === undefined || inside === undefined || size === undefined) return undefined;
  return { isUid, isGid, host, inside, size };
}

/**
 * The value of raw.idmap (NewSetFromIncusIDMap; LXD's ParseRawIdmap): lines of `both|uid|gid HOST INSIDE`, each an id or
 * FIRST-LAST. undefined where the daemon refuses it.
 */
export function parseRawIdMap(value: string): IdMap | undefined {
  const map: MapEntry[] = [];
  for (const line of value.split('\n')) {
    if (line === '') continue;
    const [kind, host, inside, ...rest] = line.split(' ');
    const [there, here] = [spanOf(host), spanOf(inside)];
    if (rest.length > 0 || there === undefined || here === undefined || there.size !== here.size)
      return undefined;
    if (kind !== 'both' && kind !== 'uid' && kind !== 'gid') return undefined;
    const entry = {
      isUid: kind !== 'gid',
      isGid: kind !== 'uid',
      host: there.start,
      inside: here.start,
      size: there.size,
    };
    const added = addSafe(map, entry);
    if (added === undefined) return undefined;
    map.splice(0, map.length, ...added);
  }
  return map;
}

function spanOf(text: string | undefined): { start: number; size: number } | undefined {
  const match = /^(\+?[0-9]+)(?:-(\+?[0-9]+))?$/.exec(text ?? '');
  if (match === null) return undefined;
  const [, first = '', last] = match;
  const [start, end] = [Number(first), Number(last ?? first)];
  return Number.isSafeInteger(start) && Number.isSafeInteger(end)
    ? { start, size: end - start + 1 }
    : undefined;
}

/**
 * Set.AddSafe: an entry takes the place of what it overlaps inside, which is split around it; undefined where the ids of
 * the host are used already.
 */
export function addSafe(map: IdMap, entry: MapEntry): IdMap | undefined {
  const result: MapEntry[] = [];
  let added = false;
  for (const one of map) {
    if (!intersects(one, entry)) {
      result.push(one);
      continue;
    }
    if (hostIdsIntersect(one, entry)) return undefined;
    const lower = { ...one, size: entry.inside - one.inside };
    const upper = {
      ...one,
      host: one.host + lower.size + entry.size,
      inside: entry.inside + entry.size,
      size: one.size - entry.size - lower.size,
    };
    if (lower.size > 0) result.push(lower);
    if (!added) result.push(entry);
    added = true;
    if (upper.size > 0) result.push(upper);
  }
  return added ? result : [...result, entry];
}

function ofOneKind(one: MapEntry, other: MapEntry): boolean {
  return (one.isUid && other.isUid) || (one.isGid && other.isGid);
}

function between(x: number, low: number, high: number): boolean {
  return x >= low && x < high;
}

/** Entry.Intersects, whose ends leave the last id out. */
function intersects(one: MapEntry, other: MapEntry): boolean {
  const touch = (a: number, b: number): boolean =>
    between(a, b, b + other.size - 1) ||
    between(b, a, a + one.size - 1) ||
    between(a + one.size - 1, b, b + other.size - 1) ||
    between(b + other.size - 1, a, a + one.size - 1);
  return ofOneKind(one, other) && (touch(one.host, other.host) || touch(one.inside, other.inside));
}

/** Entry.HostIDsIntersect, whose ends take the next id in. */
function hostIdsIntersect(one: MapEntry, other: MapEntry): boolean {
  const [a, b] = [one.host, other.host];
  return (
    ofOneKind(one, other) &&
    (between(a, b, b + other.size) ||
      between(b, a, a + one.size) ||
      between(a + one.size, b, b + other.size) ||
      between(b + other.size, a, a + one.size))
  );
}

/** Set.Equals, but that an entry that comes twice counts once: the conversion leaves the second out. */
export function sameMap(one: IdMap, other: IdMap): boolean {
  return comparable(one) === comparable(other);
}

function comparable(map: IdMap): string {
  const lines = map.flatMap(({ isUid, isGid, host, inside, size }) => [
    ...(isUid ? [`u ${inside} ${host} ${size}`] : []),
    ...(isGid ? [`g ${inside} ${host} ${size}`] : []),
  ]);
  return [...new Set(lines)].sort().join('\n');
}
