// The outcome of verify in the words of a terminal.
import type { Output } from '../../core/output.ts';
import { inert, inline } from '../../core/text.ts';
import type { Verification } from '../verify/index.ts';

export function renderVerification({ checks, notes }: Verification, output: Output): string {
  const failed = checks.filter(({ ok }) => !ok);
  const accepted = checks.filter((check) => check.accepted === true);
  const lines = [
    output.colour('bold', 'Verification'),
    ...failed.map(
      ({ what, object, detail }) =>
        `${output.colour('red', 'failed')}  ${inert(object)}: ${inert(what)}${detail === undefined ? '' : `\n        ${inline(detail)}`}`,
    ),
    ...accepted.map(
      ({ what, object, detail }) =>
        `${output.colour('yellow', 'accepted')}  ${inert(object)}: ${inert(what)}: ${inline(detail ?? '')}`,
    ),
    `${checks.length - failed.length - accepted.length} of ${checks.length - accepted.length} checks passed${accepted.length === 0 ? '' : `, ${accepted.length} difference(s) as you accepted them`}`,
    ...notes.map((note) => `note    ${inline(note)}`),
  ];
  return lines.join('\n');
}
