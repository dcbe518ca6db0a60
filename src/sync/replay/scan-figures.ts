// What a scan recognises, measured against what is known: imports without their trailers, own work, rules that leave out.
import { readTrailers } from '../gate/read-trailers.ts';
import { allowsCompatible } from '../gate/spdx.ts';
import { type History, walkWholeHistory } from '../git/history.ts';
import type { Objects } from '../git/objects.ts';
import type { RulePack } from '../rules/model.ts';
import { type CommitFacts, factsOf } from '../scan/commit-facts.ts';
import { identifyImports, likeness } from '../scan/identify-imports.ts';
import { type CommitState, type Scan, states } from '../scan/scan-result.ts';
import { skipRuleOf } from '../scan/skip-rule-of.ts';
import type { Pair } from './read-pairs.ts';

export interface ScanFigures {
  /** The branch of upstream that everything but `branches` is measured on: the first that the pack lists. */
  readonly branch: string;
  /** Fork commits whose subject says that they were imported. */
  readonly imports: number;
  /** Those of them that author and date alone find, with every trailer taken away. */
  readonly found: number;
  /** Of these, those for which two or more upstream commits have that author and date. */
  readonly doubled: number;
  /** Doubled ones with one subject more alike than every other (but for the same commit made twice), taken once. */
  readonly toldApart: number;
  readonly pairs: number;
  /** Pairs that are found as people made them. */
  readonly pairsRight: number;
  /** Pairs that a rule would have left out, by the rule. */
  readonly pairsLeftOut: Readonly<Record<string, number>>;
  /** Commits with a trailer that names a compatible licence. */
  readonly claiming: number;
  /** Those of them that the scan takes for the fork's own work. */
  readonly claimingOwn: number;
  /** States of all commits by the branch that they are taken from. */
  readonly branches: Readonly<Record<string, Readonly<Record<CommitState, number>>>>;
}

/** Measures a scan; reads every commit of upstream's first branch for its trailers. */
export async function measureScan(
  { pack, objects }: { readonly pack: RulePack; readonly objects: Objects },
  scan: Scan,
  pairs: readonly Pair[],
): Promise<ScanFigures> {
  const [tip] = scan.upstream;
  const upstream = await bareHistory(pack, objects, tip?.sha ?? '');
  const fork = await bareHistory(pack, objects, scan.fork);
  const upstreamOf = new Map(identifyImports(fork, upstream).map((pair) => [pair.fork, pair.upstream]));
  const forksOf = new Map<number, number[]>();
  for (const [ours, theirs] of upstreamOf) forksOf.set(theirs, [...(forksOf.get(theirs) ?? []), ours]);
  const rivals = byIdentity(upstream);
  const isImport = ({ subject }: CommitFacts): boolean => subject.startsWith(pack.info.subjectPrefix);
  const imports = fork.commits.flatMap((commit, index) =>
    commit.parents.length < 2 && isImport(commit) ? [index] : [],
  );
  const found = imports.filter((index) => upstreamOf.has(index));
  const doubled = found.filter((index) => (rivals.get(fork.commits[index]?.identity ?? '') ?? []).length > 1);
  const toldApart = doubled.filter((index) => {
    const [commit, chosen] = [fork.commits[index], upstreamOf.get(index) ?? -1];
    if (commit === undefined) return false;
    const alike = (other: number): number => likeness(commit, upstream.commits[other]);
    const others = (rivals.get(commit.identity) ?? []).filter((other) => other !== chosen);
    const alone = forksOf.get(chosen)?.filter((one) => imports.includes(one)).length === 1;
    const subject = upstream.commits[chosen]?.subject;
    return (
      alone &&
      others.every((other) => alike(other) < alike(chosen) || upstream.commits[other]?.subject === subject)
    );
  });
  const leftOut: Record<string, number> = {};
  for (const { upstream: sha } of pairs) {
    const rule = await skipRuleOf(pack, objects, await objects.commit(sha));
    if (rule !== undefined) leftOut[rule.id] = (leftOut[rule.id] ?? 0) + 1;
  }
  const claiming = await claimingCommits(pack, objects, upstream);
  const states = new Map(scan.commits.map((commit) => [commit.sha, commit.state]));
  return {
    branch: tip?.branch ?? '',
    imports: imports.length,
    found: found.length,
    doubled: doubled.length,
    toldApart: toldApart.length,
    pairs: pairs.length,
    pairsRight: pairs.filter(
      (pair) =>
        upstream.commits[upstreamOf.get(fork.indexOf.get(pair.fork) ?? -1) ?? -1]?.sha === pair.upstream,
    ).length,
    pairsLeftOut: leftOut,
    claiming: claiming.length,
    claimingOwn: claiming.filter((sha) => states.get(sha) === 'own').length,
    branches: countBranches(scan),
  };
}

/** A history in which no commit says what it was picked from. */
function bareHistory(pack: RulePack, objects: Objects, tip: string): Promise<History<CommitFacts>> {
  const read = async (sha: string): Promise<CommitFacts | undefined> => {
    const commit = await objects.commitIfHere(sha);
    return commit === undefined ? undefined : { ...factsOf(commit), pickedFrom: [] };
  };
  return walkWholeHistory(read, [tip], pack.info.forkPoint, pack.info.forkPointTime);
}

function byIdentity({ commits }: History<CommitFacts>): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const [index, { identity, parents }] of commits.entries()) {
    if (parents.length > 1) continue;
    const list = found.get(identity);
    if (list === undefined) found.set(identity, [index]);
    else list.push(index);
  }
  return found;
}

async function claimingCommits(
  { info: { licence } }: RulePack,
  objects: Objects,
  upstream: History<CommitFacts>,
): Promise<readonly string[]> {
  const names = new Set(licence?.trailers.map((name) => name.toLowerCase()));
  const found: string[] = [];
  for (const { sha, parents } of upstream.commits) {
    if (parents.length > 1) continue;
    const { message } = await objects.commit(sha);
    const claims = readTrailers(message).filter((trailer) => names.has(trailer.name));
    if (claims.some((claim) => allowsCompatible(claim.value, licence?.compatible ?? []))) found.push(sha);
  }
  return found;
}

function countBranches({ commits }: Scan): Readonly<Record<string, Readonly<Record<CommitState, number>>>> {
  const counts: Record<string, Record<CommitState, number>> = {};
  for (const { branch, state } of commits) {
    counts[branch] ??= Object.fromEntries(states.map((name) => [name, 0])) as Record<CommitState, number>;
    const row = counts[branch];
    if (row !== undefined) row[state] += 1;
  }
  return counts;
}
