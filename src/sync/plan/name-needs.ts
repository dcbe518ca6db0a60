// Says of a pick that it needs an earlier one that a person may drop: it changes that one's lines, or uses what it declares.
import type { ParkedChanges } from './find-dependents.ts';
import { type CodeLookup, inCode } from './missing-code.ts';
import type { PlannedGroup, PlannedPick } from './run-plan.ts';
import { mentions, type Told } from './telling.ts';

/** Names of one pick, and picks of one, that are said. */
const mostNamed = 3;

/**
 * The picks with a reason for each earlier pick that they need and that is for review, or needs one that is. `changes` has
 * nothing parked yet.
 */
export async function nameNeeds(
  lookup: CodeLookup,
  changes: ParkedChanges,
  groups: readonly PlannedGroup[],
): Promise<readonly PlannedGroup[]> {
  const picks = groups.flatMap((group) => group.picks);
  if (!picks.slice(0, -1).some(({ status }) => status === 'review')) return groups;
  const used = await usesOf(lookup, picks);
  const unsure = new Map<string, PlannedPick>();
  const noted = new Map<string, PlannedPick>();
  for (const pick of picks) {
    const uses = used.get(pick.upstream) ?? new Map<string, readonly string[]>();
    const lines = unsure.size === 0 ? [] : await changes.neededBy(pick.upstream, () => true);
    const needed = [...unsure.values()].filter(
      ({ upstream }) => uses.has(upstream) || lines.includes(upstream),
    );
    if (pick.status === 'review' || needed.length > 0) {
      unsure.set(pick.upstream, pick);
      await changes.park(pick.upstream);
    }
    const reasons = needed.slice(0, mostNamed).map(({ upstream, status }) => {
      const why = status === 'review' ? 'which is for review' : 'which needs one that is for review';
      const names = uses.get(upstream) ?? [];
      const what = names.length === 0 ? 'it changes its lines' : `it uses ${names.join(', ')} from there`;
      return `needs ${upstream.slice(0, 12)}, ${why}: ${what}`;
    });
    const more = needed.length - reasons.length;
    if (more > 0) reasons.push(`needs ${more} more picks that are for review, or need one that is`);
    noted.set(pick.upstream, { ...pick, reasons: [...pick.reasons, ...reasons] });
  }
  return groups.map((group) => ({
    ...group,
    picks: group.picks.map((pick) => noted.get(pick.upstream) ?? pick),
  }));
}

/** By pick, the earlier picks of which it uses what the fork has from nobody else, with that. */
async function usesOf(
  lookup: CodeLookup,
  picks: readonly PlannedPick[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>> {
  const earlier: { readonly upstream: string; readonly brings: readonly string[] }[] = [];
  const found: { readonly user: string; readonly maker: string; readonly piece: string }[] = [];
  for (const { upstream: user } of picks) {
    const told = await lookup.tell(user);
    const [added, removed] = [sideOf(told, 'added'), sideOf(told, 'removed')];
    for (const { upstream: maker, brings } of earlier)
      for (const piece of brings)
        if (mentions(added, piece) && !mentions(removed, piece)) found.push({ user, maker, piece });
    // What people are told is everywhere; only a test depends on its words, and that is parked with its code.
    const brings = [...told.brings].filter((piece) => !piece.includes(' '));
    if (brings.length > 0) earlier.push({ upstream: user, brings });
  }
  const has = await inCode(lookup, new Set(found.map(({ piece }) => piece)));
  const uses = new Map<string, Map<string, readonly string[]>>();
  for (const { user, maker, piece } of found) {
    if (has.has(piece)) continue;
    const of = uses.get(user) ?? new Map<string, readonly string[]>();
    uses.set(user, of);
    const names = of.get(maker) ?? [];
    if (names.length < mostNamed && !names.includes(piece)) of.set(maker, [...names, piece]);
  }
  return uses;
}

function sideOf({ hunks }: Told, side: 'added' | 'removed'): string {
  return hunks.map((hunk) => hunk[side]).join('\n');
}
