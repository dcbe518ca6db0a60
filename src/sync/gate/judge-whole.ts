// The gate's whole verdict on a commit: what its trees and trailers prove, then what the headers of its files say.
import type { Commit } from '../git/commit.ts';
import type { Change, Objects } from '../git/objects.ts';
import { isMissingObject } from '../problem.ts';
import type { Gate, Verdict } from './licence-gate.ts';

/** Not `whole` where objects are not here (yet): the verdict may be another one once they are. */
export interface WholeVerdict {
  readonly verdict: Verdict;
  readonly whole: boolean;
}

export async function judgeWhole(gate: Gate, objects: Objects, commit: Commit): Promise<WholeVerdict> {
  let verdict: Verdict = { cleared: false, reason: 'its trees are not here' };
  try {
    verdict = await gate.judge(commit);
    if (!verdict.cleared) return { verdict, whole: !verdict.reason.includes('not here') };
    const headers = await gate.judgeHeaders(await changesOf(objects, commit));
    return { verdict: headers ?? verdict, whole: true };
  } catch (error) {
    if (isMissingObject(error)) return { verdict, whole: false };
    throw error;
  }
}

/** What a commit changes against its first parent; everything it has, where it has none. */
export async function changesOf(
  objects: Objects,
  commit: { readonly tree: string; readonly parents: readonly string[] },
): Promise<readonly Change[]> {
  const [parent] = commit.parents;
  return objects.compare(parent === undefined ? undefined : (await objects.commit(parent)).tree, commit.tree);
}
