// A plan in the words and tables that a terminal shows.
import type { Output } from '../../core/output.ts';
import { ownCommand } from '../../core/program-name.ts';
import { firstLines, formatTable, inert } from '../../core/text.ts';
import type { Change } from '../model/change.ts';
import { type Answers, type Finding, isOpen } from '../model/finding.ts';
import type { Plan } from '../model/plan.ts';
import { describeStep } from '../model/step.ts';
import { estimate, inWords } from '../plan/estimate.ts';

const longestObject = 400;
const styles = { blocker: 'red', loss: 'yellow', change: 'bold', note: 'dim' } as const;

/** @param changes in the clear, where the person asked to see values; otherwise the plan's own veiled ones */
export function renderPlan(
  plan: Plan,
  answers: Answers,
  output: Output,
  changes: readonly Change[] | undefined,
): string {
  const parts = [
    renderServers(plan),
    renderFindings(plan.findings, answers, output),
    renderChanges(changes ?? plan.changes, plan.localChanges),
    renderSteps(plan, output),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function renderServers(plan: Plan): string {
  const { source, target, power } = plan;
  const time = estimate(plan);
  const found = (evidence: readonly string[]): string => `(found by ${evidence.map(inert).join(', ')})`;
  return [
    `Source  LXD, ${source.name}, ${inert(source.dataDirectory)}, schema ${source.schema} ${found(source.evidence)}`,
    target === undefined
      ? 'Target  none'
      : `Target  Incus ${target.version ?? '(version unknown)'}, ${target.name}, ${inert(target.dataDirectory)} ${found(target.evidence)}`,
    `Power   ${power.running.length} running, ${power.frozen.length} frozen`,
    ...(time === undefined ? [] : [`Time    ${inWords(time)}`]),
  ].join('\n');
}

function renderSteps(plan: Plan, output: Output): string {
  if (plan.steps.length === 0) return '';
  const lines = plan.steps.map((step, index) => {
    const { title, inverse } = describeStep(step);
    return `${String(index + 1).padStart(2)}  ${inert(title)}\n    ${output.colour('dim', `back: ${inert(inverse)}`)}`;
  });
  return `${output.colour('bold', 'Steps')}\n${lines.join('\n')}`;
}

/** What a person needs before a "go?": the servers, the findings, and how much will change. */
export function renderSummary(plan: Plan, answers: Answers, output: Output): string {
  return [
    renderServers(plan),
    renderFindings(plan.findings, answers, output),
    `${plan.changes.length + plan.localChanges.length} changes of the database, ${plan.steps.length} steps ("${ownCommand('plan')}" lists them).`,
  ].join('\n\n');
}

/** @param whole where all objects of a finding are, of which it shows the first */
export function renderFindings(
  findings: readonly Finding[],
  answers: Answers,
  output: Output,
  whole = 'in the report',
): string {
  if (findings.length === 0) return `${output.colour('bold', 'Findings')}\nnone`;
  const lines = findings.map((finding) => {
    const open = isOpen(finding, answers);
    const how = finding.answers
      ?.map((answer) => (answer === 'fix' ? '--fix' : `--accept ${finding.id}`))
      .join(' or ');
    const status =
      finding.severity === 'blocker' || finding.severity === 'loss' ? (open ? '' : ' (answered)') : '';
    const shown = firstLines(finding.objects.map(cut), 10, ` (all ${whole})`).map(
      (object) => `    ${inert(object)}`,
    );
    return [
      `${output.colour(styles[finding.severity], finding.severity)}${status}  ${inert(finding.id)}`,
      `  ${inert(finding.what)}`,
      ...shown,
      `  → ${inert(finding.action)}${open && how !== undefined ? ` [${how}]` : ''}`,
    ].join('\n');
  });
  return `${output.colour('bold', 'Findings')}\n${lines.join('\n')}`;
}

/** One object may name thousands: all instances of a profile that have one address between them. */
function cut(object: string): string {
  return object.length <= longestObject
    ? object
    : `${object.slice(0, longestObject)}… (${object.length - longestObject} more characters in the report)`;
}

/** Many rows are alike on a large server: each rule shows its first ten, the report has them all. */
function renderChanges(changes: readonly Change[], local: readonly Change[]): string {
  const all = [...changes, ...local];
  const byRule = new Map<string, Change[]>();
  for (const change of all) {
    const known = byRule.get(change.rule);
    if (known === undefined) byRule.set(change.rule, [change]);
    else known.push(change);
  }
  const rows = [...byRule.values()].flatMap((group) => [
    ...group
      .slice(0, 10)
      .map(({ object, what, before, after, rule }) => [object, what, shorten(before), shorten(after), rule]),
    ...(group.length > 10 ? [[`… and ${group.length - 10} more`, '', '', '', group[0]?.rule ?? '']] : []),
  ]);
  if (rows.length === 0) return 'Changes of the database\nnone';
  return `Changes of the database (${all.length})\n${formatTable(['object', 'key or column', 'before', 'after', 'rule'], rows)}`;
}

function shorten(value: string | null): string {
  if (value === null) return '–';
  return value.length > 60 ? `${value.slice(0, 57)}…` : value === '' ? '""' : value;
}
