// The outcome of verify in the words of a terminal.
import type { Output } from '../../core/output.ts';
import { firstLines, inline } from '../../core/text.ts';
import type { Verification } from '../model/verification.ts';

/** Of each kind, for people. */
const shown = 50;

export function renderVerification({ checks, notes, notLookedAt }: Verification, output: Output): string {
  const failed = checks.filter(({ ok }) => !ok);
  const accepted = checks.filter((check) => check.accepted === true);
  const asBefore = checks.filter((check) => check.asBefore === true);
  const passed = checks.length - failed.length - accepted.length - asBefore.length;
  const some = (all: readonly string[]): string[] => firstLines(all, shown, ' (--json names all)');
  const lines = [
    output.colour('bold', 'Verification'),
    ...some(
      failed.map(
        ({ what, object, detail }) =>
          `${output.colour('red', 'failed')}  ${inline(object)}: ${inline(what)}${detail === undefined ? '' : `\n        ${inline(detail)}`}`,
      ),
    ),
    ...some(
      accepted.map(
        ({ what, object, detail }) =>
          `${output.colour('yellow', 'accepted')}  ${inline(object)}: ${inline(what)}: ${inline(detail ?? '')}`,
      ),
    ),
    ...some(
      asBefore.map(
        ({ what, object, detail }) =>
          `${output.colour('yellow', 'as in LXD')}  ${inline(object)}: ${inline(what)}: ${inline(detail ?? '')}`,
      ),
    ),
    `${passed} of ${passed + failed.length} checks passed${accepted.length === 0 ? '' : `, ${accepted.length} difference(s) as you accepted them`}${asBefore.length === 0 ? '' : `, ${asBefore.length} not as it should be, as in LXD`}`,
    ...some(notes.map((note) => `note    ${inline(note)}`)),
    ...(notLookedAt.length === 0
      ? []
      : ['Not looked at:', ...notLookedAt.map((what) => `  ${inline(what)}`)]),
  ];
  return lines.join('\n');
}
