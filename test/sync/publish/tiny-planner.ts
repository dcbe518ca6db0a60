// A planner for tests: picks the named upstream commits in order, each onto the one before, and heeds what it is told.
import { parse } from 'yaml';
import { readable } from '../../../src/sync/git/output.ts';
import type { Engine } from '../../../src/sync/pick/open-engine.ts';
import type { DetailedPick } from '../../../src/sync/pick/pick-commit.ts';
import type { Planner } from '../../../src/sync/publish/planner.ts';
import type { PlanEntry, PublishPlan } from '../../../src/sync/publish/publish-plan.ts';

export interface TinyPlanner extends Planner {
  /** What upstream has; tests add to it. */
  readonly commits: string[];
  /** Commits that the licence bars, with the reason. */
  readonly blocked: Map<string, string>;
  /** Commits of people in the fork, by upstream commit. */
  readonly byHand: Map<string, string[]>;
}

export function openTinyPlanner(engine: Engine, shas: readonly string[]): TinyPlanner {
  const commits = [...shas];
  const blocked = new Map<string, string>();
  const byHand = new Map<string, string[]>();
  let last: readonly PlanEntry[] = [];
  const subjectOf = async (sha: string): Promise<string> =>
    readable((await engine.objects.commit(sha)).message.split('\n')[0] ?? '');
  return {
    commits,
    blocked,
    byHand,
    async plan({ onto, decisions, held }) {
      const entries: PlanEntry[] = [];
      const conflicts: DetailedPick[] = [];
      let tip = onto;
      for (const upstream of commits) {
        const subject = await subjectOf(upstream);
        const decision = decisions.get(`${upstream}.yaml`);
        const licence = blocked.get(upstream);
        if (licence !== undefined) {
          entries.push({ state: 'blocked', upstream, subject, reasons: [licence] });
          continue;
        }
        if (decision !== undefined) {
          const { decision: kind, why } = parse(decision);
          entries.push({
            state: kind === 'park' ? 'parked' : 'skipped',
            upstream,
            subject,
            reasons: [String(why)],
          });
          continue;
        }
        for await (const pick of engine.pick([{ upstream, onto: tip }], { keep: true })) {
          const { status, commit, files, doubts, reasons } = pick.result;
          const why = held.get(upstream);
          const state =
            why !== undefined ? 'held' : status === 'clean' || status === 'review' ? status : 'conflict';
          const made = state === 'clean' || state === 'review' ? commit : undefined;
          entries.push({
            state,
            upstream,
            subject,
            commit: made,
            licence: ['COPYING: Apache-2.0'],
            files,
            doubts,
            conflicts: pick.result.conflicts,
            reasons: why ?? reasons,
            remaining: [],
          });
          if (state === 'conflict') conflicts.push(pick);
          if (made !== undefined) tip = made;
        }
      }
      last = entries;
      const plan: PublishPlan = {
        upstream: { name: 'Quartz', branch: 'main', tip: commits.at(-1) ?? onto },
        onto,
        head: tip,
        entries,
        waiting: 0,
        standing: { pending: entries.length },
      };
      return { plan, conflicts };
    },
    async find(prefix) {
      const found = commits.filter((sha) => sha.startsWith(prefix));
      return Promise.all(
        found.map(async (sha) => ({
          sha,
          subject: await subjectOf(sha),
          state: last.find(({ upstream }) => upstream === sha)?.state ?? 'pending',
          reasons: blocked.has(sha) ? [blocked.get(sha) ?? ''] : ['COPYING: Apache-2.0'],
        })),
      );
    },
    forkCommitsOf: async (upstream) => byHand.get(upstream) ?? [],
  };
}
