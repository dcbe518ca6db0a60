// For commits that their licence bars: the same change on another branch of upstream, where it may come over.
import { judgeWhole } from '../gate/judge-whole.ts';
import { createGate, type Gate } from '../gate/licence-gate.ts';
import type { Commit } from '../git/commit.ts';
import { loadHistory } from '../git/history.ts';
import type { Objects } from '../git/objects.ts';
import { isMissingObject } from '../problem.ts';
import type { RulePack } from '../rules/model.ts';
import { factsOf, factsOfHistory } from '../scan/commit-facts.ts';
import { likeness } from '../scan/identify-imports.ts';
import type { ScanTip } from '../scan/scan-result.ts';

export interface ClearedTwin {
  readonly sha: string;
  readonly branch: string;
  /** Says why this one is picked; of the barred commit it names the sha and the licence, nothing else. */
  readonly reason: string;
}

/**
 * Upstream backports to branches that kept their licence: such a commit has the author and the author date of the one it
 * was made from, and a proof of its own. The barred commit's files are not read.
 * @param branchTips asked for only when a commit is barred: the branches that commits are taken from
 * @returns by the sha of the barred commit; those without a cleared twin are left out
 */
export async function findClearedTwins(
  objects: Objects,
  pack: RulePack,
  branchTips: () => Promise<readonly ScanTip[]>,
  commits: readonly string[],
): Promise<ReadonlyMap<string, ClearedTwin>> {
  const { licence, forkPoint, forkPointTime } = pack.info;
  const twins = new Map<string, ClearedTwin>();
  if (licence === undefined) return twins;
  const gate = createGate(objects, licence);
  const barred: { readonly commit: Commit; readonly why: string }[] = [];
  for (const sha of new Set(commits)) {
    const found = await barredCommit(gate, objects, sha);
    if (found !== undefined) barred.push(found);
  }
  if (barred.length === 0) return twins;
  const tips = await branchTips();
  const history = await loadHistory(
    objects,
    tips.map((tip) => tip.sha),
    forkPoint,
    forkPointTime,
  );
  const facts = factsOfHistory(history);
  const visible = tips.map((tip) => ({ ...tip, seen: history.visibleFrom(tip.sha) }));
  for (const { commit, why } of barred) {
    const wanted = factsOf(commit);
    const places = facts.commits
      .flatMap(({ identity, sha, parents }, index) =>
        identity === wanted.identity && sha !== commit.sha && parents.length === 1 ? [index] : [],
      )
      .toSorted(
        (left, right) => likeness(wanted, facts.commits[right]) - likeness(wanted, facts.commits[left]),
      );
    for (const place of places) {
      const twin = history.commits[place];
      const branch = visible.find(({ seen }) => seen[place] === 1)?.branch;
      if (twin === undefined || branch === undefined) continue;
      const { verdict } = await judgeWhole(gate, objects, twin);
      if (!verdict.cleared) continue;
      const proof = verdict.evidence.join('; ');
      twins.set(commit.sha, {
        sha: twin.sha,
        branch,
        reason: `licence: ${why}; picked in its place: ${twin.sha} on ${branch}, the same change by its author and date (${proof})`,
      });
      break;
    }
  }
  return twins;
}

/** Undefined where it may come over, or is not here: then the pick says so. */
async function barredCommit(
  gate: Gate,
  objects: Objects,
  sha: string,
): Promise<{ readonly commit: Commit; readonly why: string } | undefined> {
  try {
    const commit = await objects.commitIfHere(sha);
    if (commit === undefined || commit.parents.length > 1 || (await gate.isOpenAtRoot(commit)))
      return undefined;
    const { verdict, whole } = await judgeWhole(gate, objects, commit);
    return verdict.cleared || !whole ? undefined : { commit, why: verdict.reason };
  } catch (error) {
    if (isMissingObject(error)) return undefined;
    throw error;
  }
}
