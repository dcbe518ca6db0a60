// In which order subvolumes are sent, and as the difference from which others, so that they go on sharing blocks.
import type { Subvolume } from './subvolumes.ts';

export interface Sending {
  readonly subvolume: Subvolume;
  /** Sent before it, the next of kin first. */
  readonly relatives: readonly Subvolume[];
}

/** More sources of shared blocks make `btrfs send` slow, and find little more. */
const mostRelatives = 16;

/** A snapshot comes after what it was taken of, where that is among them. */
export function sendingOrder(subvolumes: readonly Subvolume[]): Sending[] {
  const byUuid = new Map(subvolumes.map((subvolume) => [subvolume.uuid, subvolume]));
  const depth = (subvolume: Subvolume): number => {
    let above = 0;
    for (
      let one = byUuid.get(subvolume.parent ?? '');
      one !== undefined && above < byUuid.size;
      one = byUuid.get(one.parent ?? '')
    )
      above += 1;
    return above;
  };
  const depths = new Map(subvolumes.map((subvolume) => [subvolume, depth(subvolume)]));
  const ordered = subvolumes.toSorted((a, b) => (depths.get(a) ?? 0) - (depths.get(b) ?? 0));
  const sent = new Map<string, Subvolume>();
  const byParent = new Map<string, Subvolume[]>();
  return ordered.map((subvolume) => {
    const { uuid, parent } = subvolume;
    const above = parent === undefined ? undefined : sent.get(parent);
    // Siblings too: what both were taken of may be gone.
    const siblings = parent === undefined ? [] : (byParent.get(parent) ?? []);
    const near = [...(above === undefined ? [] : [above]), ...(byParent.get(uuid) ?? []), ...siblings];
    const relatives = near.slice(0, mostRelatives);
    sent.set(uuid, subvolume);
    if (parent !== undefined && siblings.length < mostRelatives)
      byParent.set(parent, [...siblings, subvolume]);
    return { subvolume, relatives };
  });
}
