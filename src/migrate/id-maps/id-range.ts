// A range of ids of the host, as one line of /etc/subuid or /etc/subgid gives it.

export interface IdRange {
  readonly start: number;
  readonly size: number;
}

/** Smaller ranges are no use to either daemon (lxd/idmap DefaultIdmapSet, shared/idmap FilterPOSIX). */
export const smallestUsable = 65_536;

/** What LXD takes where it finds none (kernelDefaultMap), and Incus where the files or their tools are missing (getIdmapset). */
export const defaultRange: IdRange = { start: 1_000_000, size: 1_000_000_000 };

export function isUsable({ size }: IdRange): boolean {
  return size >= smallestUsable;
}

export function holds(outer: IdRange, inner: IdRange): boolean {
  return inner.start >= outer.start && inner.start + inner.size <= outer.start + outer.size;
}

export function overlap(one: IdRange, other: IdRange): boolean {
  return one.start < other.start + other.size && other.start < one.start + one.size;
}

/** In order, those that adjoin as one. */
export function joined(ranges: readonly IdRange[]): IdRange[] {
  const result: IdRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start || a.size - b.size)) {
    const last = result.at(-1);
    if (last === undefined || last.start + last.size < range.start) result.push(range);
    else
      result[result.length - 1] = {
        start: last.start,
        size: Math.max(last.size, range.start + range.size - last.start),
      };
  }
  return result;
}
