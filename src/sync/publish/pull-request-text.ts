// Title and text of a run's pull request: ours alone, but for the subject of a single commit.
import { inertCode, inertTitle, shorten } from './inert-markdown.ts';
import { isPick, type PublishPlan } from './publish-plan.ts';

/** GitHub's own limit. */
const longestTitle = 256;
export const titleNames = ['count', 'commits', 'name', 'branch', 'base', 'tip'] as const;

/** The template's `{count}`, `{commits}` (`3 commits`, or the subject of a single one), `{name}`, `{branch}`, `{base}`, `{tip}`. */
export function formatTitle(template: string, base: string, plan: PublishPlan): string {
  const picks = plan.entries.filter(isPick);
  const [only] = picks;
  const one = picks.length === 1 && only !== undefined;
  const values: Readonly<Record<(typeof titleNames)[number], string>> = {
    count: String(picks.length),
    commits: one ? inertTitle(only.subject, 150) : `${picks.length} commits`,
    name: plan.upstream.name,
    branch: plan.upstream.branch,
    base,
    tip: plan.upstream.tip.slice(0, 12),
  };
  const title = titleNames.reduce((text, name) => text.split(`{${name}}`).join(values[name]), template);
  return shorten(title, longestTitle);
}

/** The same for the whole life of the pull request: what changes is in the plan comment. */
export function formatBody(plan: PublishPlan): string {
  return [
    `Commits of ${plan.upstream.name} ${inertCode(plan.upstream.branch)}, carried over by fork-sync.`,
    '',
    'The comment below lists them and is kept up to date. Authors are kept; nobody has signed for anybody.',
    'Push to this branch, and it is yours: it is not touched any more. Close this, and it is not proposed again',
    'unless somebody says `/sync retry`.',
  ].join('\n');
}
