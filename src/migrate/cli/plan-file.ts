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
    plan.position === undefined
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

/** Exactly the planned migration: the log has not grown, and both plans change and do the same. */
export function refuseStale(wanted: Plan, now: Plan): void {
  const differences: string[] = [];
  if (wanted.position.lastIndex !== now.position.lastIndex) {
    differences.push(
      `the database was at entry ${wanted.position.lastIndex} and is at ${now.position.lastIndex}`,
    );
  }
  if (wanted.target?.version !== now.target?.version)
    differences.push(`Incus was ${wanted.target?.version} and is ${now.target?.version}`);
  for (const part of ['source', 'target'] as const) {
    if (wanted[part]?.dataDirectory !== now[part]?.dataDirectory)
      differences.push(`the ${part} was ${wanted[part]?.dataDirectory} and is ${now[part]?.dataDirectory}`);
  }
  if (JSON.stringify(wanted.changes) !== JSON.stringify(now.changes))
    differences.push('the changes of the database are not the same');
  if (JSON.stringify(wanted.findings) !== JSON.stringify(now.findings))
    differences.push('the findings are not the same');
  if (comparable(wanted.steps) !== comparable(now.steps)) differences.push('the steps are not the same');
  if (differences.length > 0) throw migrateFailure({ code: 'plan-stale', differences });
}
