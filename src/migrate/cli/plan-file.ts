// Reads the plan of `migrate --plan FILE` and refuses one that no longer fits the server.
import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../../core/failure.ts';
import type { Plan } from '../plan/index.ts';
import { migrateFailure } from '../problem.ts';

export function readPlanFile(path: string): Plan {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw migrateFailure({ code: 'bad-file', path, why: systemErrorCode(error) ?? 'it is not JSON' }, error);
  }
  const plan = parsed as Partial<Plan> | null;
  if (
    plan === null ||
    typeof plan !== 'object' ||
    plan.format !== 1 ||
    !Array.isArray(plan.changes) ||
    !Array.isArray(plan.steps) ||
    typeof plan.contents !== 'object'
  ) {
    throw migrateFailure({
      code: 'bad-file',
      path,
      why: 'it is not a plan of this version (plan.json of a report)',
    });
  }
  return plan as Plan;
}

/** Without the name of the run, which each plan makes anew for its folder. */
function comparable(steps: Plan['steps']): string {
  return JSON.stringify(steps).replace(/\/runs\/[^/"]+\//g, '/runs/RUN/');
}

/**
 * Exactly the planned migration: the same objects and values, and both plans change and do the same. That the log has
 * grown says nothing: LXD writes down operations and warnings by itself.
 */
export function refuseStale(wanted: Plan, now: Plan): void {
  const [former, present] = [wanted.contents ?? {}, now.contents ?? {}];
  const tables = [...new Set([...Object.keys(former), ...Object.keys(present)])].sort();
  const differences = tables
    .filter((table) => former[table] !== present[table])
    .map((table) => `rows of table ${table} changed`);
  if (wanted.target?.version !== now.target?.version)
    differences.push(`Incus was ${wanted.target?.version} and is ${now.target?.version}`);
  for (const part of ['source', 'target'] as const) {
    if (wanted[part]?.dataDirectory !== now[part]?.dataDirectory)
      differences.push(`the ${part} was ${wanted[part]?.dataDirectory} and is ${now[part]?.dataDirectory}`);
  }
  if (JSON.stringify(ofPeople(wanted)) !== JSON.stringify(ofPeople(now)))
    differences.push('the changes of the database are not the same');
  if (JSON.stringify(wanted.findings) !== JSON.stringify(now.findings))
    differences.push('the findings are not the same');
  if (comparable(wanted.steps) !== comparable(now.steps)) differences.push('the steps are not the same');
  if (differences.length > 0) throw migrateFailure({ code: 'plan-stale', differences });
}

/** Without the rows that are left out because they are of passing things, which are others a moment later. */
function ofPeople({ changes }: Plan): Plan['changes'] {
  return changes.filter(({ rule }) => !rule.startsWith('emptied:'));
}
