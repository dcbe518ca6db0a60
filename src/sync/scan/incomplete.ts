// Parks the cleared part of a pull request whose other commits are barred: half of a change is worse than none of it.
import type { Decision } from '../decide/decision.ts';
import type { History } from '../git/history.ts';
import type { RulePack, StandAloneRule } from '../rules/model.ts';
import type { CommitFacts } from './commit-facts.ts';
import { latin1 } from './decided.ts';
import type { MergeGroup } from './group-by-merge.ts';
import type { MissingCommit, ScannedCommit } from './scan-result.ts';
import { matchesOne } from './skip-rule-of.ts';

export interface IncompleteSources {
  readonly rules: RulePack['standAlone'];
  readonly decisions: ReadonlyMap<string, Decision>;
  readonly upstream: History<CommitFacts>;
  readonly groups: readonly MergeGroup[];
  /** Whether a rule leaves out a barred commit by what its header says: that it does not come over is no loss then. */
  readonly isLeftOut: (sha: string) => Promise<boolean>;
}

/** The commits of a scan, those that are half of something parked. */
export async function parkIncomplete(
  sources: IncompleteSources,
  commits: readonly ScannedCommit[],
): Promise<readonly ScannedCommit[]> {
  const { upstream, groups } = sources;
  const bySha = new Map(commits.map((commit) => [commit.sha, commit]));
  const twinOf = openTwins(upstream, bySha);
  const changed = new Map<string, ScannedCommit>();
  for (const group of groups) {
    if (group.merge === undefined) continue;
    const members = group.commits.flatMap((index) => bySha.get(upstream.commits[index]?.sha ?? '') ?? []);
    const pending = members.filter((commit) => commit.state === 'pending');
    const barred = members.filter((commit) => commit.state === 'blocked');
    if (pending.length === 0 || barred.length === 0) continue;
    const missing: MissingCommit[] = [];
    let later = 0;
    for (const { sha, subject, reason } of barred) {
      const twin = twinOf(sha);
      const isSettled = twin !== undefined && twin.state !== 'pending' && twin.state !== 'parked';
      if (isSettled || (await sources.isLeftOut(sha))) continue;
      if (twin !== undefined) later += 1;
      const comes = twin === undefined ? reason : `comes by ${twin.branch} as ${twin.sha.slice(0, 12)}`;
      missing.push({ sha, subject, reason: comes });
    }
    if (missing.length === 0) continue;
    // Half of it now and the other half some nights later would be half of it until then.
    const why = later === missing.length ? 'come by another branch first' : 'cannot come over';
    for (const commit of pending) {
      const alone = standsAlone(sources, group, commit, missing);
      changed.set(
        commit.sha,
        alone === undefined
          ? {
              ...commit,
              state: 'parked',
              by: 'incomplete',
              reason: `incomplete: ${missing.length} of the ${members.length} commits of its pull request ${why}`,
              missing,
              merge: group.merge,
            }
          : { ...commit, reason: alone },
      );
    }
  }
  return commits.map((commit) => changed.get(commit.sha) ?? commit);
}

/** The same commit as a barred one on another branch, where that one is not barred: settled before open. */
function openTwins(
  { commits, indexOf }: History<CommitFacts>,
  bySha: ReadonlyMap<string, ScannedCommit>,
): (sha: string) => ScannedCommit | undefined {
  const key = ({ identity, subject }: CommitFacts): string => `${identity} ${subject}`;
  const isOpen = ({ state }: ScannedCommit): boolean => state === 'pending' || state === 'parked';
  const twins = new Map<string, ScannedCommit>();
  const note = (name: string, twin: ScannedCommit): void => {
    const known = twins.get(name);
    if (known === undefined || (isOpen(known) && !isOpen(twin))) twins.set(name, twin);
  };
  for (const commit of commits) {
    const scanned = bySha.get(commit.sha);
    if (scanned === undefined || scanned.state === 'blocked') continue;
    note(key(commit), scanned);
    for (const sha of commit.pickedFrom) note(sha, scanned);
  }
  return (sha) => {
    const commit = commits[indexOf.get(sha) ?? -1];
    return commit === undefined ? undefined : (twins.get(sha) ?? twins.get(key(commit)));
  };
}

/** Why a commit comes over without the rest of its pull request; undefined where nobody says that it may. */
function standsAlone(
  { rules, decisions }: IncompleteSources,
  group: MergeGroup,
  commit: ScannedCommit,
  missing: readonly MissingCommit[],
): string | undefined {
  const decision = decisions.get(commit.sha);
  if (decision?.decision === 'alone')
    return `stands alone: ${latin1(decision.why)} (${latin1(decision.by)}, ${decision.on})`;
  const rule = rules.find((one) => holds(one, group, commit, missing));
  return rule === undefined ? undefined : `stands alone by rule ${rule.id}: ${rule.description}`;
}

function holds(
  { subjects, merges, missing: mayMiss }: StandAloneRule,
  group: MergeGroup,
  commit: ScannedCommit,
  missing: readonly MissingCommit[],
): boolean {
  return (
    (subjects === undefined || matchesOne(subjects, commit.subject)) &&
    (merges === undefined || matchesOne(merges, group.title)) &&
    (mayMiss === undefined || missing.every(({ subject }) => matchesOne(mayMiss, subject)))
  );
}
