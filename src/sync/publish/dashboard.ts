// The status issue: what waits for a person, where the queue stands, and where to say something.
import { byShortSha, type CommitLinks, entrySha, foldedRest, needsLook, reasonText } from './entry-text.ts';
import { inertBlock, inertCode } from './inert-markdown.ts';
import { commandsHelp } from './plan-comment.ts';
import { countStates, isPick, type PublishPlan } from './publish-plan.ts';
import { type Piece, splitComment } from './split-comment.ts';

export interface DashboardLine {
  readonly plan: PublishPlan;
  /** What became of the branch in this run, in words. */
  readonly outcome: string;
  readonly pullRequest: string | undefined;
  readonly notices: readonly string[];
  readonly links: CommitLinks;
}

const mostListed = 40;
const mostPlaces = 4;

/** One text: what does not fit is counted. There is no time in it, so that a night without news changes nothing. */
export function formatDashboard(lines: readonly DashboardLine[], previews: readonly string[] = []): string {
  const pieces: Piece[] = lines.flatMap((line) => {
    const { plan, outcome, pullRequest, notices, links } = line;
    const rest = foldedRest(plan.entries, links);
    const ready = plan.entries.filter((entry) => isPick(entry) && !needsLook(entry)).length;
    return [
      {
        text: [
          `### ${plan.upstream.name} ${inertCode(plan.upstream.branch)}`,
          '',
          `${countStates(plan.entries)}${plan.waiting === 0 ? '' : `; ${plan.waiting} more wait`}. ${outcome}${pullRequest === undefined ? '' : ` ${pullRequest}`}`,
          ...notices.map((text) => `\n> **Note**: ${text}`),
        ].join('\n'),
      },
      ...forPeople(line),
      ...(ready === 0 ? [] : [{ text: `Ready: ${ready}.` }]),
      ...(rest === undefined ? [] : [{ text: rest }]),
      { text: `All upstream commits since the fork: ${standing(plan)}.` },
    ];
  });
  for (const preview of previews) pieces.push({ text: preview });
  pieces.push({ text: commandsHelp });
  const [text = ''] = splitComment('## Upstream commits and this fork', pieces);
  return text;
}

function forPeople({ plan, pullRequest, links }: DashboardLine): readonly Piece[] {
  const found = plan.entries.filter(needsLook);
  if (found.length === 0) return [];
  const known = byShortSha(plan.entries);
  const items = found.slice(0, mostListed).map((entry) => {
    const places = [
      ...entry.conflicts.map(({ type, path }) => `${type} in ${inertCode(path, 120)}`),
      ...[...new Set(entry.doubts.map(({ path }) => path))].map((path) => `look at ${inertCode(path, 120)}`),
      ...entry.reasons.map((text) => reasonText(text, known, links, 200)),
    ];
    const more = places.length - mostPlaces;
    const shown = [...places.slice(0, mostPlaces), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
    return `- **${entry.state}** ${entrySha(entry, links)} ${inertCode(entry.subject, 120)}${shown === '' ? '' : `: ${shown}`}`;
  });
  const more = found.length - items.length;
  const command = found.some(({ state }) => state === 'conflict')
    ? [
        '',
        'To finish a conflict:',
        '',
        inertBlock([`fork-sync checkout ${pullRequest ?? 'PULL_REQUEST'} DIR --commit SHA`]),
      ]
    : [];
  return [
    {
      text: [
        `**For a person**: ${countStates(found)}`,
        '',
        ...items,
        ...(more > 0 ? [`- and ${more} more`] : []),
        ...command,
      ].join('\n'),
    },
  ];
}

function standing(plan: PublishPlan): string {
  return Object.entries(plan.standing)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
}
