// The plan of a run as comments: a row a commit, what a person has to do, and the remaining differences folded.
import { inertBlock, inertCode, inertDiff } from './inert-markdown.ts';
import { countStates, isPick, type PickEntry, type PlanEntry, type PublishPlan } from './publish-plan.ts';
import { type Piece, splitComment } from './split-comment.ts';

export interface CommentContext {
  /** The pull request's address; undefined before it is there (dry run). */
  readonly pullRequest: string | undefined;
  readonly branch: string;
  readonly cloneUrl: string | undefined;
  readonly remoteHead: string;
  /** Where upstream's commits can be looked at, without the sha. */
  readonly commitUrl: string | undefined;
  /** What people have to know of this run besides its commits (a build that failed, …). */
  readonly notices: readonly string[];
  readonly limit?: number;
}

const mostFiles = 12;
const mostRemaining = 400;
const tableHead = '| commit | status | what | licence | files |\n|---|---|---|---|---|';

export function formatPlanComment(plan: PublishPlan, context: CommentContext): readonly string[] {
  const { upstream, onto } = plan;
  const title = `### ${upstream.name} ${inertCode(upstream.branch)} up to ${short(upstream.tip)}, onto ${short(onto)}: ${countStates(plan.entries)}`;
  const pieces: Piece[] = [
    ...context.notices.map((text) => ({ text: `> **Note**: ${text}` })),
    ...(plan.waiting === 0 ? [] : [{ text: `${plan.waiting} more wait for a later run.` }]),
    ...plan.entries.map((entry) => ({ text: formatRow(entry, context), head: tableHead })),
    ...plan.entries.filter(isPick).flatMap((entry) => detailsOf(entry, context)),
    { text: signing(plan, context) },
    { text: commandsHelp },
  ];
  return splitComment(title, pieces, context.limit);
}

/** Commits of a pull request as picks; nothing is pushed, so there is nothing to sign. */
export function formatPreview(
  entries: readonly PlanEntry[],
  { title, commitUrl }: { readonly title: string; readonly commitUrl: string | undefined },
): readonly string[] {
  const context: CommentContext = {
    pullRequest: undefined,
    branch: '',
    cloneUrl: undefined,
    remoteHead: '',
    commitUrl,
    notices: [],
  };
  return splitComment(`${title}: ${countStates(entries)}`, [
    ...entries.map((entry) => ({ text: formatRow(entry, context), head: tableHead })),
    ...entries.filter(isPick).flatMap((entry) => detailsOf(entry, context)),
  ]);
}

function short(sha: string): string {
  return `\`${sha.slice(0, 12)}\``;
}

function formatRow(entry: PlanEntry, context: CommentContext): string {
  const sha = short(entry.upstream);
  // Of what the licence bars, nothing is linked to either.
  const linked = isPick(entry) && context.commitUrl !== undefined;
  const cells = [
    linked ? `[${sha}](${context.commitUrl}${entry.upstream})` : sha,
    statusOf(entry),
    inertCode(entry.subject, 120),
    isPick(entry) ? entry.licence.map((text) => inertCode(text, 80)).join('<br>') : '',
    isPick(entry) ? formatFiles(entry) : '',
  ];
  return `| ${cells.join(' | ')} |`;
}

function statusOf(entry: PlanEntry): string {
  if (!isPick(entry))
    return `${entry.state}: ${entry.reasons.map((text) => inertCode(text, 160)).join('<br>')}`;
  if (entry.state === 'conflict') {
    const types = [...new Set(entry.conflicts.map(({ type }) => type))];
    return `**conflict**${types.length === 0 ? '' : `: ${types.join(', ')}`}`;
  }
  if (entry.state !== 'clean') return `**${entry.state}**`;
  return entry.remaining.length === 0 ? 'clean, equal after renaming' : 'clean';
}

function formatFiles(entry: PickEntry): string {
  const shown = entry.files.slice(0, mostFiles).map(({ path, how }) => {
    const plain = how === 'merged' || how === 'taken';
    return `${inertCode(path, 120)}${plain ? '' : ` ${how}`}`;
  });
  const more = entry.files.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('<br>');
}

/** What to look at and what to do, and the remaining difference; nothing where a pick is plain. */
function detailsOf(entry: PickEntry, context: CommentContext): readonly Piece[] {
  const lines: string[] = [];
  for (const reason of entry.reasons) lines.push(`- ${inertCode(reason, 300)}`);
  for (const doubt of entry.doubts)
    lines.push(`- look at ${inertCode(doubt.path)}: ${inertCode(doubt.why, 300)} (${inertCode(doubt.rule)})`);
  for (const conflict of entry.conflicts) {
    lines.push(`- ${conflict.type} in ${inertCode(conflict.path)}: ${inertCode(conflict.why, 300)}`);
    if (conflict.forkCommit !== undefined)
      lines.push(`  - last changed in the fork by ${short(conflict.forkCommit)}`);
    for (const sha of conflict.prerequisites ?? []) lines.push(`  - not in the fork yet: ${short(sha)}`);
    for (const hunk of conflict.hunks ?? []) lines.push('', foldedHunk(hunk), '');
  }
  if (entry.state === 'conflict')
    lines.push(
      '',
      'To finish it by hand:',
      '',
      inertBlock([
        `fork-sync checkout ${context.pullRequest ?? 'PULL_REQUEST'} DIR --commit ${entry.upstream.slice(0, 12)}`,
      ]),
    );
  if (entry.remaining.length > 0) {
    const left = entry.remaining.length - mostRemaining;
    lines.push(
      '',
      'What is left of the difference between upstream, in the words of the fork, and the pick:',
      '',
      inertDiff(entry.remaining.slice(0, mostRemaining)),
      ...(left > 0 ? ['', `(${left} more lines: see the review page)`] : []),
    );
  }
  if (lines.length === 0) return [];
  return [
    {
      text: [
        '<details>',
        `<summary>${entry.state}: <code>${entry.upstream.slice(0, 12)}</code></summary>`,
        '',
        inertCode(entry.subject, 120),
        '',
        ...lines,
        '',
        '</details>',
      ].join('\n'),
    },
  ];
}

function foldedHunk(hunk: { readonly line: number; readonly ours: string; readonly theirs: string }): string {
  return inertDiff([
    `@@ line ${hunk.line}: the fork (-), upstream in the words of the fork (+) @@`,
    ...linesOf(hunk.ours).map((line) => `-${line}`),
    ...linesOf(hunk.theirs).map((line) => `+${line}`),
  ]);
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n').slice(0, 60);
}

function signing(plan: PublishPlan, context: CommentContext): string {
  const url = context.cloneUrl ?? 'REPOSITORY';
  const { branch } = context;
  const command = [
    `git fetch ${url} ${branch}`,
    `git checkout -B ${branch} FETCH_HEAD`,
    `git rebase --signoff ${plan.onto.slice(0, 12)}`,
    `git push --force-with-lease=${branch}:${context.remoteHead} ${url} ${branch}`,
  ].join(' && ');
  return `Nobody has signed for this yet. To sign and push, after a review:\n\n${inertBlock([command])}\n\nFrom then on the branch is yours: it is not touched any more.`;
}

export const commandsHelp = `People with write permission can say, one a line: ${[
  '/sync retry',
  '/sync skip SHA REASON',
  '/sync take SHA',
  '/sync park SHA',
  '/sync rule TEXT => TEXT',
  '/sync explain SHA',
]
  .map((text) => `\`${text}\``)
  .join(', ')}.`;
