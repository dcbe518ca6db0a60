// Reads the plan of `migrate --plan FILE` and refuses one that no longer fits the server.
import { Failure, systemErrorCode } from '../../core/failure.ts';
import { parseValue } from '../../core/parse.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';
import { toolVersion } from '../../core/version.ts';
import { ownProgramIds } from '../check/own-program.ts';
import { statePlaceId } from '../check/state-place.ts';
import type { Plan } from '../model/plan.ts';
import { planSchema, writerOfPlan } from '../model/plan-schema.ts';
import { migrateFailure } from '../problem.ts';

/** Of 20,000 instances it has some tens of megabytes. */
const limit = 256 * 1024 * 1024;

export function readPlanFile(path: string): Plan {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readRegularFile(path, { limit, links: 'follow' }).toString('utf8'));
  } catch (error) {
    if (error instanceof Failure)
      throw migrateFailure({ code: 'bad-file', path, why: error.explanation.what.replace(/\.$/, '') }, error);
    throw migrateFailure({ code: 'bad-file', path, why: systemErrorCode(error) ?? 'it is not JSON' }, error);
  }
  const read = parseValue(planSchema, parsed);
  const why =
    'why' in read ? read.why : read.value.contents === undefined ? 'contents is missing' : undefined;
  if (why === undefined && 'value' in read) return read.value;
  const writer = writerOfPlan(parsed);
  const by =
    writer === undefined || writer === toolVersion
      ? ''
      : `; it was written by lxd-to-incus ${writer}, and this is ${toolVersion}: plan again`;
  throw migrateFailure({
    code: 'bad-file',
    path,
    why: `it is not a plan of this version (plan.json of a report): ${why}${by}`,
  });
}

/** In the form in which a kept plan is read back. */
function asRead(plan: Plan): Plan {
  return planSchema.parse(JSON.parse(JSON.stringify(plan)));
}

/** Without the name of the run, which each plan makes anew for its folder. */
function comparable(steps: Plan['steps']): string {
  return JSON.stringify(steps).replace(/\/runs\/[^/"]+\//g, '/runs/RUN/');
}

/**
 * Exactly the planned migration: the same objects and values, and both plans change and do the same. That the log has
 * grown says nothing: LXD writes down operations and warnings by itself.
 */
export function refuseStale(kept: Plan, live: Plan): void {
  const [wanted, now] = [asRead(kept), asRead(live)];
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
  if (JSON.stringify(ofServer(wanted)) !== JSON.stringify(ofServer(now)))
    differences.push(...changedFindings(ofServer(wanted), ofServer(now)));
  if (comparable(wanted.steps) !== comparable(now.steps)) differences.push('the steps are not the same');
  if (differences.length > 0) throw migrateFailure({ code: 'plan-stale', differences });
}

/** Each that appeared, is gone or is about other objects. */
function changedFindings(before: Plan['findings'], now: Plan['findings']): string[] {
  const known = new Set(before.map((finding) => JSON.stringify(finding)));
  const ids = (findings: Plan['findings']): Set<string> => new Set(findings.map(({ id }) => id));
  const [former, present] = [ids(before), ids(now)];
  const other = now.filter((finding) => !known.has(JSON.stringify(finding))).map(({ id }) => id);
  const gone = [...former].filter((id) => !present.has(id));
  const lines = [
    ...other.map((id) => `finding ${id}: ${former.has(id) ? 'it is not the same' : 'it is new'}`),
    ...gone.map((id) => `finding ${id}: it is gone`),
  ];
  return lines.length > 0 ? lines : ['the findings are not in the same order'];
}

/** Without the rows that are left out because they are of passing things, which are others a moment later. */
function ofPeople({ changes }: Plan): Plan['changes'] {
  return changes.filter(({ rule }) => !rule.startsWith('emptied:'));
}

/** Without what hangs on how the program was started, and with which options. */
function ofServer({ findings }: Plan): Plan['findings'] {
  return findings.filter(({ id }) => id !== statePlaceId && !ownProgramIds.includes(id));
}
