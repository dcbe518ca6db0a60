// Builds the Go packages that a plan touched, and says which pick leaves which of them broken.
import { Failure } from '../../core/failure.ts';
import { type BuiltPick, buildBranch } from '../build/broken-picks.ts';
import { type GoBuilderOptions, openGoBuilder } from '../build/go-builder.ts';
import type { Objects } from '../git/objects.ts';
import { isPick, type PublishPlan } from './publish-plan.ts';

/** Undefined: everything builds that built before, or nothing is known; `tell` hears which. */
export async function checkGoBuild(
  options: GoBuilderOptions & { readonly objects: Pick<Objects, 'commit'> },
  plan: PublishPlan,
  tell: (line: string) => void,
): Promise<string | undefined> {
  try {
    const picks = await inOrder(options.objects, plan);
    const builder = await openGoBuilder(options);
    if (builder === undefined) {
      tell('Go is not installed: no package was built');
      return undefined;
    }
    try {
      const { packages, unknown, why, broken } = await buildBranch(builder, plan.onto, picks);
      tell(
        `builds ${packages} packages with Go${unknown === 0 ? '' : `; of ${unknown} nothing is known: ${why}`}`,
      );
      const subjects = new Map(plan.entries.map(({ upstream, subject }) => [upstream, subject]));
      return broken.length === 0
        ? undefined
        : broken
            .map(
              (one) =>
                `${one.folder} does not build since ${one.upstream.slice(0, 12)} ${subjects.get(one.upstream) ?? ''}\n${one.why}`,
            )
            .join('\n');
    } finally {
      builder.close();
    }
  } catch (error) {
    // What a build says is no failure of ours: there was no time, no home, no room, or no such commit.
    if (!(error instanceof Failure)) throw error;
    tell(`nothing is known of the packages: ${error.message}`);
    return undefined;
  }
}

/** The picks of a plan from the first to the last: each stands on the one before. */
async function inOrder(
  objects: Pick<Objects, 'commit'>,
  { entries, head, onto }: PublishPlan,
): Promise<readonly BuiltPick[]> {
  const byCommit = new Map(
    entries.flatMap((entry) =>
      isPick(entry) && entry.commit !== undefined ? [[entry.commit, entry] as const] : [],
    ),
  );
  const picks: BuiltPick[] = [];
  for (let at: string | undefined = head; at !== undefined && at !== onto; ) {
    const entry = byCommit.get(at);
    if (entry !== undefined) picks.push({ upstream: entry.upstream, commit: at, files: entry.files });
    at = (await objects.commit(at)).parents[0];
  }
  return picks.reverse();
}
