// The plan of a run as comments: first what a person has to do, then what is ready, then the rest in one folded line.
import {
  byShortSha,
  type CommitLinks,
  entrySha,
  foldedRest,
  linkedSha,
  needsLook,
  reasonText,
} from './entry-text.ts';
import { inertBlock, inertCell, inertCode, inertDiff } from './inert-markdown.ts';
import { countStates, isPick, type PickEntry, type PlanEntry, type PublishPlan } from './publish-plan.ts';
import { type Piece, splitComment } from './split-comment.ts';

export interface CommentContext {
  /** The pull request's address; undefined before it is there (dry run). */
  readonly pullRequest: string | undefined;
  readonly branch: string;
  readonly cloneUrl: string | undefined;
  readonly remoteHead: string;
  readonly links: CommitLinks;
  /** What people have to know of this run besides its commits (a build that failed, …). */
  readonly notices: readonly string[];
  readonly limit?: number;
}

const mostFiles = 12;
const mostRemaining = 400;
/** Lines that say where to look; the others of a commit are folded. */
const mostOpen = 6;
const tableHead = '| commit | status | what | files |\n|---|---|---|---|';

export function formatPlanComment(plan: PublishPlan, context: CommentContext): readonly string[] {
  const { upstream, onto } = plan;
  const { links } = context;
  const title = `### ${upstream.name} ${inertCode(upstream.branch)} up to ${linkedSha(upstream.tip, links.upstream)}, onto ${linkedSha(onto, links.fork)}: ${countStates(plan.entries)}`;
  const pieces: Piece[] = [
    ...context.notices.map((text) => ({ text: `> **Note**: ${text}` })),
    ...(plan.waiting === 0 ? [] : [{ text: `${plan.waiting} more wait for a later run.` }]),
    ...piecesOf(plan.entries, context),
    { text: signing(plan, context) },
    { text: commandsHelp },
  ];
  return splitComment(title, pieces, context.limit);
}

/** Commits of a pull request as picks; nothing is pushed, so there is nothing to sign. */
export function formatPreview(
  entries: readonly PlanEntry[],
  { title, links }: { readonly title: string; readonly links: CommitLinks },
): readonly string[] {
  const context: CommentContext = {
    pullRequest: undefined,
    branch: '',
    cloneUrl: undefined,
    remoteHead: '',
    links,
    notices: [],
  };
  return splitComment(`${title}: ${countStates(entries)}`, piecesOf(entries, context));
}

function piecesOf(entries: readonly PlanEntry[], context: CommentContext): readonly Piece[] {
  const known = byShortSha(entries);
  const people = entries.filter(needsLook);
  // What cannot be finished without a person goes before what has to be looked at.
  const [toFinish, toLook] = [
    people.filter(({ state }) => state !== 'review'),
    people.filter(({ state }) => state === 'review'),
  ];
  const ready = entries.filter(isPick).filter((entry) => !needsLook(entry));
  const rest = foldedRest(entries, context.links);
  return [
    ...(people.length === 0 ? [] : [{ text: `#### For a person: ${countStates(people)}` }]),
    ...[...toFinish, ...toLook].map((entry) => ({ text: forPerson(entry, known, context) })),
    ...ready.map((entry) => ({ text: readyRow(entry, context), head: tableHead })),
    ...ready.flatMap((entry) => readyDetails(entry, known, context)),
    ...licenceLines(entries.filter(isPick), context),
    ...(rest === undefined ? [] : [{ text: rest }]),
  ];
}

/** Where to look, what to do, and folded both sides of each place. */
function forPerson(entry: PickEntry, known: ReadonlyMap<string, PlanEntry>, context: CommentContext): string {
  const { links } = context;
  const places: string[] = [];
  for (const reason of entry.reasons) places.push(`- ${reasonText(reason, known, links)}`);
  for (const conflict of entry.conflicts) {
    const facts = [
      ...(conflict.forkCommit === undefined
        ? []
        : [`last changed in the fork by ${linkedSha(conflict.forkCommit, links.fork)}`]),
      ...(conflict.prerequisites ?? []).map(
        (sha) => `not in the fork yet: ${linkedSha(sha, links.upstream)}`,
      ),
    ];
    const why = [inertCode(conflict.why, 300), ...facts].join('; ');
    places.push(`- ${inertCode(conflict.path)}: **${conflict.type}**, ${why}`);
  }
  for (const doubt of entry.doubts)
    places.push(
      `- look at ${inertCode(doubt.path)}: ${inertCode(doubt.why, 300)} (${inertCode(doubt.rule)})`,
    );
  const conflicted = new Set(entry.conflicts.map(({ path }) => path));
  const files = entry.files.filter(({ path }) => !conflicted.has(path));
  const folded = [
    ...places.slice(mostOpen),
    ...entry.conflicts.flatMap(({ path, hunks = [] }) =>
      hunks.flatMap((hunk) => ['', inertCode(path), '', foldedHunk(hunk)]),
    ),
    ...remainingOf(entry),
  ];
  return [
    `**${entry.state}** ${entrySha(entry, links)} ${inertCode(entry.subject, 120)}`,
    '',
    ...places.slice(0, mostOpen),
    ...(files.length === 0 ? [] : [`- ${files.length} files: ${formatFiles(files, ', ', inertCode)}`]),
    ...(entry.state === 'conflict'
      ? [
          '',
          inertBlock([
            `fork-sync checkout ${context.pullRequest ?? 'PULL_REQUEST'} DIR --commit ${entry.upstream.slice(0, 12)}`,
          ]),
        ]
      : []),
    ...(folded.length === 0
      ? []
      : ['', '<details>', `<summary>${foldTitle(entry)}</summary>`, '', ...folded, '', '</details>']),
  ].join('\n');
}

function foldTitle(entry: PickEntry): string {
  return entry.state === 'conflict' ? 'Both sides' : 'The difference to upstream, in the words of the fork';
}

function readyRow(entry: PickEntry, { links }: CommentContext): string {
  const cells = [
    entrySha(entry, links),
    entry.remaining.length === 0 ? 'clean, equal after renaming' : 'clean',
    inertCell(entry.subject, 120),
    formatFiles(entry.files, '<br>', inertCell),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** What is left of the difference to upstream; nothing where a pick is plain. */
function readyDetails(
  entry: PickEntry,
  known: ReadonlyMap<string, PlanEntry>,
  { links }: CommentContext,
): readonly Piece[] {
  const lines = [
    ...entry.reasons.map((reason) => `- ${reasonText(reason, known, links)}`),
    ...remainingOf(entry),
  ];
  if (lines.length === 0) return [];
  const summary = `<summary>${entry.state}: <code>${entry.upstream.slice(0, 12)}</code></summary>`;
  const subject = inertCode(entry.subject, 120);
  return [{ text: ['<details>', summary, '', subject, '', ...lines, '', '</details>'].join('\n') }];
}

function remainingOf({ remaining }: PickEntry): readonly string[] {
  if (remaining.length === 0) return [];
  const left = remaining.length - mostRemaining;
  return [
    '',
    'What is left of the difference between upstream, in the words of the fork, and the pick:',
    '',
    inertDiff(remaining.slice(0, mostRemaining)),
    ...(left > 0 ? ['', `(${left} more lines: see the review page)`] : []),
  ];
}

/** What proves that they may come over; said once where it is the same. */
function licenceLines(picks: readonly PickEntry[], { links }: CommentContext): readonly Piece[] {
  const groups = [...Map.groupBy(picks, ({ licence }) => JSON.stringify(licence)).values()].toSorted(
    (a, b) => b.length - a.length,
  );
  const lines = groups.flatMap((group, index) => {
    const [first] = group;
    if (first === undefined || first.licence.length === 0) return [];
    const evidence = first.licence.map((text) => inertCode(text, 80)).join(', ');
    const all = groups.length === 1 ? 'all' : `${group.length}`;
    const which = index === 0 ? `${all} of them` : group.map((entry) => entrySha(entry, links)).join(' ');
    return [`- ${evidence}: ${which}`];
  });
  return lines.length === 0 ? [] : [{ text: ['Licence:', ...lines].join('\n') }];
}

function formatFiles(
  files: PickEntry['files'],
  between: string,
  code: (text: string, limit: number) => string,
): string {
  const shown = files.slice(0, mostFiles).map(({ path, how }) => {
    const plain = how === 'merged' || how === 'taken';
    return `${code(path, 120)}${plain ? '' : ` ${how}`}`;
  });
  const more = files.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(between);
}

function foldedHunk(hunk: { readonly line: number; readonly ours: string; readonly theirs: string }): string {
  return inertDiff([
    `@@ line ${hunk.line}: the fork (-), upstream in the words of the fork (+) @@`,
    ...linesOf(hunk.ours).map((line) => `-${line}`),
    ...linesOf(hunk.theirs).map((line) => `+${line}`),
  ]);
}

function linesOf(text: string): readonly string[] {
  if (text === '') return [];
  const lines = text.replace(/\n$/, '').split('\n');
  const more = lines.length - mostOfSide;
  return more > 0 ? [...lines.slice(0, mostOfSide), `(${more} more lines)`] : lines;
}

const mostOfSide = 60;

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
