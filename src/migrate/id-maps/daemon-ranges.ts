// Which ranges of ids LXD and Incus take from the two files of a host when they start.
import { defaultRange, holds, type IdRange, isUsable, joined, smallestUsable } from './id-range.ts';
import type { Subids } from './parse-subid.ts';
import type { IdKind, SubidFile, SubidFiles } from './read-subids.ts';

/** Ranges in the order of the file; a daemon may have found some for one kind only. */
export type DaemonRanges = Readonly<Record<IdKind, readonly IdRange[]>>;

/** What the daemon runs with; undefined: it has no map, and only privileged containers work. */
export type DaemonMap = DaemonRanges | undefined;

export interface MachineIds {
  /** Ids that exist in this user namespace, from /proc/self/uid_map and gid_map. */
  readonly kernel: DaemonRanges;
  /** Whether newuidmap and newgidmap are on PATH; Incus looks for them, LXD does not. */
  readonly hasTools: boolean;
}

/** DefaultIdmapSet, kernelDefaultMap and GetIdmapSet of LXD 4.0 … 6.7, lxd/idmap/idmapset_linux.go. */
export function rangesOfLxd(files: SubidFiles, machine: MachineIds): DaemonMap {
  const ranges = configuredForLxd(files, machine);
  if (ranges === undefined || ranges.uid.length + ranges.gid.length === 0) return undefined;
  const exist = (kind: IdKind): boolean =>
    ranges[kind].every((range) => joined(machine.kernel[kind]).some((one) => holds(one, range)));
  return exist('uid') && exist('gid') ? ranges : undefined;
}

function configuredForLxd({ uid, gid }: SubidFiles, machine: MachineIds): DaemonMap {
  if (uid.is === 'absent' || gid.is === 'absent') return kernelDefault(machine);
  const found = { uid: byName(uid), gid: byName(gid) };
  // In this order: a missing line in the first file is found before the second is opened.
  for (const lines of [found.uid, found.gid]) {
    if (lines === undefined) return undefined;
    if (lines.length === 0) return kernelDefault(machine);
  }
  const first = (lines: readonly IdRange[] | undefined): IdRange[] =>
    (lines ?? []).filter(isUsable).slice(0, 1);
  return { uid: first(found.uid), gid: first(found.gid) };
}

/** NewSetFromSystem (shared/idmap/set_load.go) and getIdmapset (internal/server/sys/os.go) of Incus 6.0 … 7.3. */
export function rangesOfIncus({ uid, gid }: SubidFiles, machine: MachineIds): DaemonMap {
  if (uid.is === 'absent' || gid.is === 'absent' || !machine.hasTools) return splitKernel(machine);
  const found = { uid: incusLines(uid), gid: incusLines(gid) };
  if (found.uid === undefined || found.gid === undefined) return undefined;
  const ranges = { uid: found.uid.filter(isUsable), gid: found.gid.filter(isUsable) };
  return ranges.uid.length + ranges.gid.length === 0 ? undefined : ranges;
}

/** undefined: the daemon gives the file up. */
function byName(file: SubidFile): IdRange[] | undefined {
  if (file.is !== 'read' || file.subids.givenUpAt !== undefined) return undefined;
  return linesBy('name', file.subids);
}

/** What Incus takes from one file; the number counts only where no line with the name can be read. undefined: none. */
export function incusLines(file: SubidFile): IdRange[] | undefined {
  const named = byName(file);
  if (named === undefined || file.is !== 'read') return undefined;
  if (named.length > 0) return named;
  const numbered = linesBy('id', file.subids);
  return numbered.length > 0 ? numbered : undefined;
}

function linesBy(by: 'name' | 'id', { root }: Subids): IdRange[] {
  return root.flatMap((line) => (line.by === by && line.range !== undefined ? [line.range] : []));
}

/** LXD wants ids from 100000 on; where all ids are there, it takes the default. */
function kernelDefault({ kernel }: MachineIds): DaemonRanges {
  if (isWhole(kernel)) return { uid: [defaultRange], gid: [defaultRange] };
  const pick = (ranges: readonly IdRange[]): IdRange[] =>
    joined(ranges)
      .map(({ start, size }) => from(100_000, { start, size }))
      .filter((range) => range !== undefined)
      .filter(({ size }) => size > smallestUsable)
      .slice(0, 1);
  return { uid: pick(kernel.uid), gid: pick(kernel.gid) };
}

function isWhole(kernel: DaemonRanges): boolean {
  return [joined(kernel.uid), joined(kernel.gid)].every(
    ([first, second]) => first?.start === 0 && first.size === 0xffff_ffff && second === undefined,
  );
}

/** The largest piece from 1000000 on, else from 65536 on. */
function splitKernel({ kernel }: MachineIds): DaemonMap {
  for (const lowest of [defaultRange.start, smallestUsable]) {
    const [uid, gid] = [kernel.uid, kernel.gid].map((ranges) => largest(ranges, lowest));
    if (uid !== undefined && gid !== undefined) return { uid: [uid], gid: [gid] };
  }
  return undefined;
}

function largest(ranges: readonly IdRange[], lowest: number): IdRange | undefined {
  let best: IdRange | undefined;
  for (const range of ranges) {
    const piece = from(lowest, range);
    if (piece === undefined || !isUsable(piece)) continue;
    const capped = { start: piece.start, size: Math.min(piece.size, defaultRange.size) };
    if (best === undefined || best.size < capped.size) best = capped;
  }
  return best;
}

/** What is left of a range from an id on. */
function from(lowest: number, { start, size }: IdRange): IdRange | undefined {
  const begin = Math.max(start, lowest);
  return start + size > begin ? { start: begin, size: start + size - begin } : undefined;
}
