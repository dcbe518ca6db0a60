// `--accept` with an id that no finding has: it would be believed to be an answer, and is none.
import { suggest } from '../../core/suggest.ts';
import type { Answers, Finding } from '../model/finding.ts';
import { migrateFailure } from '../problem.ts';

/**
 * Before anything changes, and before anything is shown that the answer was meant for.
 * @param expected ids that are no findings now and may be later, or were at an earlier attempt
 * @throws {Failure<MigrateProblem>} bad-option
 */
export function refuseUnknownIds(
  { accept }: Answers,
  findings: readonly Finding[],
  expected: readonly string[] = [],
): void {
  const ids = findings.map(({ id }) => id);
  const unknown = [...accept].find((id) => !ids.includes(id) && !expected.includes(id));
  if (unknown === undefined) return;
  const acceptable = findings
    .filter(({ answers }) => answers?.includes('accept') === true)
    .map(({ id }) => id);
  const known = acceptable.length > 0 ? acceptable : ids;
  throw migrateFailure({
    code: 'bad-option',
    option: '--accept',
    why: `no finding here is called ${JSON.stringify(unknown)}${known.length === 0 ? '; there are none' : suggest(unknown, known)}`,
  });
}
