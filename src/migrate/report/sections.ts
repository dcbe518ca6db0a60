// What a report says, before it is set as HTML or Markdown.
import { formatDuration } from '../../core/text.ts';
import { describeStep, type Plan } from '../plan/index.ts';
import type { Rehearsal } from '../rehearse/index.ts';
import type { Verification } from '../verify/verification.ts';

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
            ...(verification.notes.length === 0 ? {} : { text: verification.notes.join(' ') }),
            head: ['', 'object', 'check', 'detail'],
            rows: [...verification.checks]
              .sort((a, b) => Number(a.ok) - Number(b.ok))
              .map(({ ok, object, what, detail }) => [ok ? 'ok' : 'FAILED', object, what, detail ?? '']),
          },
        ]),
    {
      id: 'findings',
      title: 'Findings',
      ...(plan.findings.length === 0 ? { text: 'None.' } : {}),
      head: ['severity', 'finding', 'objects', 'what', 'what is done, or what you can do'],
      rows: plan.findings.map(({ severity, id, objects, what, action }) => [
        severity,
        id,
        objects.join('; '),
        what,
        action,
      ]),
    },
    ...(rehearsal === undefined ? [] : rehearsalSections(rehearsal)),
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

function rehearsalSections({
  ran,
  reason,
  version,
  findings,
  compared,
  notProven,
  milliseconds,
}: Rehearsal): Section[] {
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
      head: ['severity', 'finding', 'objects', 'what', 'what you can do'],
      rows: findings.map(({ severity, id, objects, what, action }) => [
        severity,
        id,
        objects.join('; '),
        what,
        action,
      ]),
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
