// Title and text of a run's pull request: ours alone, but for the subject of a single commit.
import type { PackInfo } from '../rules/model.ts';
import { needsLook } from './entry-text.ts';
import { inertCode, inertTitle, shorten } from './inert-markdown.ts';
import { countStates, isPick, type PublishPlan } from './publish-plan.ts';

/** GitHub's own limit. */
const longestTitle = 256;
export const titleNames = ['count', 'commits', 'name', 'branch', 'base', 'tip'] as const;

type StableBranches = PackInfo['stableBranches'];

function isStable(branch: string, beginnings: StableBranches): boolean {
  return (beginnings ?? []).some(
    (begins) => branch.startsWith(begins) && /^\d+(?:\.\d+)*$/.test(branch.slice(begins.length)),
  );
}

/** The stable branch that the end of a title or of its template names. */
export function branchInTitle(title: string, stable: StableBranches): string | undefined {
  const named = /\(([^()\s]+)\)\s*$/.exec(title)?.[1];
  return named !== undefined && isStable(named, stable) ? named : undefined;
}

/** The title, with the end that a stable base asks for where it has none. */
function withBranch(title: string, base: string, stable: StableBranches): string {
  return isStable(base, stable) && branchInTitle(title, stable) !== base ? `${title} (${base})` : title;
}

/** The template's `{count}`, `{commits}` (`3 commits`, or the subject of a single one), `{name}`, `{branch}`, `{base}`, `{tip}`; of a stable base, it ends with that. */
export function formatTitle(
  template: string,
  base: string,
  plan: PublishPlan,
  stable: StableBranches,
): string {
  const picks = plan.entries.filter(isPick);
  const [only] = picks;
  const one = picks.length === 1 && only !== undefined;
  const commits = one ? inertTitle(only.subject, 150) : `${picks.length} commits`;
  const values: Readonly<Record<Exclude<(typeof titleNames)[number], 'commits'>, string>> = {
    count: String(picks.length),
    name: plan.upstream.name,
    branch: plan.upstream.branch,
    base,
    tip: plan.upstream.tip.slice(0, 12),
  };
  const fill = (subject: string): string => {
    // Last of all, and only once: what a subject holds is never filled in.
    const title = template.replace(/\{(\w+)\}/g, (whole, name: string) =>
      name === 'commits' ? subject : ((values as Readonly<Record<string, string>>)[name] ?? whole),
    );
    return withBranch(title, base, stable);
  };
  const title = fill(commits);
  const over = [...title].length - longestTitle;
  // The fork's own checks may read the end of a title, such as "(stable-6.0)": the subject gives way.
  const short = shorten(
    over > 0 ? fill(shorten(commits, Math.max(1, [...commits].length - over))) : title,
    longestTitle,
  );
  const named = branchInTitle(short, stable);
  // The subject of an upstream commit may end so, and means a branch of upstream's.
  return named === undefined || named === base ? short : short.replace(/\(([^()]*)\)\s*$/, '$1');
}

/** What is in it, in three lines; whatever people write over it stays. */
export function formatBody(plan: PublishPlan): string {
  const picks = plan.entries.filter(isPick);
  const made = picks.filter(({ commit }) => commit !== undefined);
  const files = new Set(made.flatMap((pick) => pick.files.map(({ path }) => path)));
  const people = picks.filter(needsLook);
  const [first] = made;
  return [
    `${counted(made.length, 'commit')} of ${plan.upstream.name} ${inertCode(plan.upstream.branch)} in ${counted(files.size, 'file')}${first === undefined ? '' : `, from ${inertCode(first.subject, 80)} on`}, carried over by fork-sync.`,
    people.length === 0
      ? 'All of them are ready; the comment below lists them.'
      : `For a person: ${countStates(people)}; the comment below begins with them.`,
    'Authors are kept, and nobody has signed for anybody. Push to this branch, and it is yours: it is not touched any more. Close this, and it is not proposed again unless somebody says `/sync retry`.',
  ].join('\n\n');
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
