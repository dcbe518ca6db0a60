// In which order subvolumes are sent, and as the difference from which others, so that they go on sharing blocks.
import type { Subvolume } from '../check/subvolumes.ts';

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
  const ordered = subvolumes.toSorted((a, b) => depth(a) - depth(b));
  return ordered.map((subvolume, position) => ({
    subvolume,
    relatives: relatives(subvolume, ordered.slice(0, position)),
  }));
}

/** Siblings too: what both were taken of may be gone. */
function relatives(subvolume: Subvolume, sent: readonly Subvolume[]): Subvolume[] {
  const { uuid, parent } = subvolume;
  const direct = sent.filter((one) => one.uuid === parent || one.parent === uuid);
  const siblings = sent.filter((one) => parent !== undefined && one.parent === parent);
  return [...direct, ...siblings].slice(0, mostRelatives);
}
