// The status issue: where the queue stands, what waits for a person, and where to say something.

import { inertCode } from './inert-markdown.ts';
import { commandsHelp } from './plan-comment.ts';
import { countStates, isPick, type PlanEntry, type PublishPlan } from './publish-plan.ts';
import { type Piece, splitComment } from './split-comment.ts';

export interface DashboardLine {
  readonly plan: PublishPlan;
  /** What became of the branch in this run, in words. */
  readonly outcome: string;
  readonly pullRequest: string | undefined;
  readonly notices: readonly string[];
}

const mostListed = 40;

/** One text: what does not fit is counted. There is no time in it, so that a night without news changes nothing. */
export function formatDashboard(lines: readonly DashboardLine[], previews: readonly string[] = []): string {
  const pieces: Piece[] = lines.flatMap(({ plan, outcome, pullRequest, notices }) => [
    {
      text: [
        `### ${plan.upstream.name} ${inertCode(plan.upstream.branch)}`,
        '',
        `${countStates(plan.entries)}${plan.waiting === 0 ? '' : `; ${plan.waiting} more wait`}. ${outcome}${pullRequest === undefined ? '' : ` ${pullRequest}`}`,
        '',
        `All upstream commits since the fork: ${standing(plan)}.`,
        ...notices.map((text) => `\n> **Note**: ${text}`),
      ].join('\n'),
    },
    ...listOf('Waits for a person', plan.entries, ['conflict', 'held']),
    ...listOf('Parked', plan.entries, ['parked']),
    ...listOf('Skipped', plan.entries, ['skipped']),
    ...listOf('Blocked by licence', plan.entries, ['blocked']),
  ]);
  for (const preview of previews) pieces.push({ text: preview });
  pieces.push({ text: commandsHelp });
  const [text = ''] = splitComment('## Upstream commits and this fork', pieces);
  return text;
}

function standing(plan: PublishPlan): string {
  return Object.entries(plan.standing)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
}

function listOf(
  title: string,
  entries: readonly PlanEntry[],
  states: readonly PlanEntry['state'][],
): readonly Piece[] {
  const found = entries.filter(({ state }) => states.includes(state));
  if (found.length === 0) return [];
  const items = found.slice(0, mostListed).map((entry) => {
    const why = isPick(entry)
      ? [...entry.reasons, ...entry.conflicts.map((conflict) => `${conflict.type}: ${conflict.path}`)]
      : entry.reasons;
    const reasons = why
      .slice(0, 2)
      .map((text) => inertCode(text, 200))
      .join('; ');
    return `- \`${entry.upstream.slice(0, 12)}\` ${inertCode(entry.subject, 120)}${reasons === '' ? '' : `: ${reasons}`}`;
  });
  const more = found.length - items.length;
  return [
    {
      text: [
        '<details>',
        `<summary>${title}: ${found.length}</summary>`,
        '',
        ...items,
        ...(more > 0 ? [`- and ${more} more`] : []),
        '',
        '</details>',
      ].join('\n'),
    },
  ];
}
