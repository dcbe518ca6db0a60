// What a report says, before it is set as HTML or Markdown.
import { formatDuration, inline } from '../../core/text.ts';
import { type Answers, answerTo, type Finding } from '../model/finding.ts';
import type { Plan } from '../model/plan.ts';
import type { Rehearsal } from '../model/rehearsal.ts';
import { describeStep } from '../model/step.ts';
import type { Check, Verification } from '../model/verification.ts';

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly text?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function headline(verification: Verification | undefined): string {
  const failed = verification?.checks.filter(({ ok }) => !ok).length;
  if (failed === undefined) return 'LXD to Incus: plan';
  return failed === 0 ? 'LXD to Incus: moved and verified' : `LXD to Incus: moved, ${failed} check(s) failed`;
}

export function sections(
  plan: Plan,
  verification: Verification | undefined,
  rehearsal: Rehearsal | undefined,
  answers: Answers = { accept: new Set(), fix: false },
): Section[] {
  const changes = [...plan.changes, ...plan.localChanges];
  return [
    {
      id: 'servers',
      title: 'Servers',
      head: ['', 'found', 'data directory', 'evidence'],
      rows: [
        [
          'LXD',
          `${plan.source.name}, schema ${plan.source.schema}`,
          plan.source.dataDirectory,
          plan.source.evidence.join(', '),
        ],
        plan.target === undefined
          ? ['Incus', 'not installed', '', '']
          : [
              'Incus',
              `${plan.target.name}, version ${plan.target.version ?? 'unknown'}`,
              plan.target.dataDirectory,
              plan.target.evidence.join(', '),
            ],
      ],
    },
    ...(verification === undefined
      ? []
      : [
          {
            id: 'verification',
            title: 'Verification',
            ...(verification.notes.length === 0 ? {} : { text: verification.notes.map(inline).join(' ') }),
            head: ['', 'object', 'check', 'detail'],
            rows: [...verification.checks]
              .sort((a, b) => rank(a) - rank(b))
              .map((check) => [outcomeOf(check), check.object, check.what, inline(check.detail ?? '')]),
          },
          {
            id: 'not-looked-at',
            title: 'Not looked at',
            ...(verification.notLookedAt.length === 0 ? { text: 'Nothing that this server has.' } : {}),
            head: ['what no check looks at'],
            rows: verification.notLookedAt.map((what) => [what]),
          },
        ]),
    {
      id: 'findings',
      title: 'Findings',
      ...(plan.findings.length === 0 ? { text: 'None.' } : {}),
      head: ['severity', 'finding', 'objects', 'what', 'what is done, or what you can do', 'your answer'],
      rows: findingRows(plan.findings, answers),
    },
    ...(rehearsal === undefined ? [] : rehearsalSections(rehearsal, answers)),
    {
      id: 'power',
      title: 'What runs',
      text: `${plan.power.running.length} running, ${plan.power.frozen.length} frozen when the plan was made.`,
      head: ['instance', 'state'],
      rows: [
        ...plan.power.running.map((name) => [name, 'running']),
        ...plan.power.frozen.map((name) => [name, 'frozen']),
      ],
    },
    {
      id: 'changes',
      title: `Changes of the database (${changes.length})`,
      ...(changes.length === 0 ? { text: 'None.' } : {}),
      head: ['table', 'row', 'object', 'key or column', 'before', 'after', 'rule'],
      rows: changes.map(({ table, rowId, object, what, before, after, rule }) => [
        table,
        String(rowId),
        object,
        what,
        before ?? '–',
        after ?? '–',
        rule,
      ]),
    },
    {
      id: 'steps',
      title: 'Steps',
      ...(plan.steps.length === 0 ? { text: 'None, as there is no Incus to move to.' } : {}),
      head: ['', 'step', 'taken back by'],
      rows: plan.steps.map((step, index) => {
        const { title, inverse } = describeStep(step);
        return [String(index + 1), title, inverse];
      }),
    },
  ];
}

function findingRows(findings: readonly Finding[], answers: Answers): string[][] {
  return findings.map((finding) => [
    finding.severity,
    finding.id,
    finding.objects.join('; '),
    finding.what,
    finding.action,
    answerTo(finding, answers) ?? '',
  ]);
}

/** What failed first, then what was accepted. */
function rank({ ok, accepted, asBefore }: Check): number {
  return !ok ? 0 : accepted === true || asBefore === true ? 1 : 2;
}

function outcomeOf({ ok, accepted, asBefore }: Check): string {
  if (!ok) return 'FAILED';
  return accepted === true ? 'accepted' : asBefore === true ? 'as in LXD' : 'ok';
}

function rehearsalSections(
  { ran, reason, version, findings, compared, notProven, milliseconds }: Rehearsal,
  answers: Answers,
): Section[] {
  const counts = Object.entries(compared).map(([kind, count]) => `${count} ${kind}`);
  const outcome = !ran
    ? `It was not run: ${reason}.`
    : version === undefined
      ? 'Incus did not take the converted database.'
      : `Incus ${version} was started on a harmless copy of the converted database, cut off from this machine, and showed ${counts.join(', ')}.`;
  return [
    {
      id: 'rehearsal',
      title: 'Rehearsal',
      text: `${outcome} It took ${formatDuration(milliseconds)}.`,
      head: ['severity', 'finding', 'objects', 'what', 'what you can do', 'your answer'],
      rows: findingRows(findings, answers),
    },
    {
      id: 'not-proven',
      title: 'What the trial could not prove',
      ...(notProven.length === 0 ? { text: 'It proved nothing, as it did not get that far.' } : {}),
      head: ['', 'key, column or patch', 'objects', 'why', 'checked after the switch by'],
      rows: notProven.map(({ kind, what, objects, because, checkedBy }) => [
        kind,
        what,
        objects.join('; '),
        because,
        checkedBy,
      ]),
    },
  ];
}
