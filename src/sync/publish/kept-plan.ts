// The plan as the remote keeps it beside the branch: what the next run has to know of the one before.
import * as z from 'zod';
import { formatNumber, otherFormatOf, writtenHere } from '../other-format.ts';
import { syncFailure } from '../problem.ts';
import type { PublishPlan } from './publish-plan.ts';

const kept = z.object({ format: z.literal(formatNumber), onto: z.string().regex(/^[0-9a-f]{40}$/) });

export function formatKeptPlan(plan: PublishPlan): string {
  return `${JSON.stringify({ ...writtenHere, ...plan }, undefined, 1)}\n`;
}

/**
 * The fork commit under its first pick; undefined where somebody wrote something else there: then it says nothing.
 * @throws {Failure<SyncProblem>} other-version: what that one proposed must not be moved by this one
 */
export function readKeptPlan(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const other = otherFormatOf(value);
  if (other !== undefined)
    throw syncFailure({
      code: 'other-version',
      what: 'The plan that the last run pushed beside its branch',
      other,
      next: 'Or merge or close its pull request and delete the branch: then this version begins anew.',
    });
  return kept.safeParse(value).data?.onto;
}
