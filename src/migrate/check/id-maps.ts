// Findings about /etc/subuid and /etc/subgid: incusd must find a range that holds every map in use.
import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import type { CheckContext } from './context.ts';
import type { Finding } from './finding.ts';

export const idMapFiles = ['/etc/subuid', '/etc/subgid'] as const;

/** What LXD uses where root has no range (lxd/idmap kernelDefaultMap); Incus uses nothing then, and starts no unprivileged container. */
export const defaultRange = 'root:1000000:1000000000';

export interface IdRange {
  readonly start: number;
  readonly size: number;
}

/** Ranges of root in one of the two files; undefined where the file does not exist. */
export function rootRanges(host: Host, path: string): IdRange[] | undefined {
  let text: string;
  try {
    text = readFileSync(host.path(path), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    const match = /^(?:root|0):(\d+):(\d+)\s*$/.exec(line);
    return match === null ? [] : [{ start: Number(match[1]), size: Number(match[2]) }];
  });
}

/** Files that lack a usable range of root, and so need the default one added. */
export function filesWithoutRange(host: Host): string[] {
  return idMapFiles.filter((path) => rootRanges(host, path)?.some(({ size }) => size >= 65_536) === false);
}

interface MapEntry {
  readonly Isuid?: boolean;
  readonly Isgid?: boolean;
  readonly Hostid?: number;
  readonly Maprange?: number;
}

export function checkIdMaps(context: CheckContext): Finding[] {
  const { host, sourceDatabase } = context;
  const unprivileged =
    sourceDatabase.db.prepare('SELECT 1 FROM instances WHERE type = 0').get() !== undefined;
  if (!unprivileged) return [];
  const lacking = filesWithoutRange(host);
  if (lacking.length > 0) {
    return [
      {
        id: 'id-range-added',
        severity: 'change',
        objects: lacking,
        what: 'root has no range of ids here. LXD then takes 1000000 to 1000999999; Incus takes none, and no unprivileged container would start.',
        action: `The line ${defaultRange} is added.`,
      },
    ];
  }
  return outside(context);
}

function outside({ host, sourceDatabase: { db } }: CheckContext): Finding[] {
  const ranges = { uid: rootRanges(host, '/etc/subuid'), gid: rootRanges(host, '/etc/subgid') };
  const rows = db
    .prepare(
      "SELECT 'instance ' || p.name || '/' || i.name AS object, c.value AS value FROM instances_config c JOIN instances i ON i.id = c.instance_id JOIN projects p ON p.id = i.project_id WHERE c.key = 'volatile.last_state.idmap' ORDER BY 1",
    )
    .all() as { object: string; value: string | null }[];
  const fits = (kind: 'uid' | 'gid', { Hostid = 0, Maprange = 0 }: MapEntry): boolean => {
    const known = ranges[kind];
    return (
      known === undefined ||
      known.some(({ start, size }) => Hostid >= start && Hostid + Maprange <= start + size)
    );
  };
  const objects = rows
    .filter(({ value }) =>
      entries(value).some(
        (entry) =>
          (entry.Isuid === true && !fits('uid', entry)) || (entry.Isgid === true && !fits('gid', entry)),
      ),
    )
    .map(({ object }) => object);
  if (objects.length === 0) return [];
  return [
    {
      id: 'id-range-too-small',
      severity: 'blocker',
      objects,
      what: "These containers' files belong to ids outside of root's ranges in /etc/subuid and /etc/subgid. Incus would give all their files other owners at the first start, or not start them.",
      action:
        'Widen the one range of root so that it holds them (a second large range breaks new containers in Incus 6.0), then plan again.',
    },
  ];
}

function entries(value: string | null): MapEntry[] {
  try {
    const parsed: unknown = JSON.parse(value ?? '[]');
    return Array.isArray(parsed) ? (parsed as MapEntry[]) : [];
  } catch {
    return [];
  }
}
