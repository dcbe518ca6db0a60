// Picks one upstream commit onto a fork commit: a pure function of the two, the rules and what they can see.
import { editTree, type TreeEdits } from '../git/object-writer.ts';
import { findFileChanges } from './file-change.ts';
import { isMissingObject, type PickRequest } from './open-workshop.ts';
import { type FileOutcome, pickFiles } from './pick-files.ts';
import type { PickResult } from './pick-result.ts';
import { openPickView, type Workshop } from './pick-view.ts';
import type { Sign } from './sign.ts';

export interface DetailedPick {
  readonly result: PickResult;
  readonly outcomes: readonly FileOutcome[];
  readonly signs: readonly Sign[];
}

/** A missing object blocks this pick alone; every other unexpected error is a bug and is thrown. */
export async function pickCommit(shop: Workshop, request: PickRequest): Promise<DetailedPick> {
  try {
    return await pickWhole(shop, request);
  } catch (error) {
    if (!isMissingObject(error) || !(error instanceof Error)) throw error;
    return blocked(request, error.message.split('\n')[0] ?? '');
  }
}

function blocked(request: PickRequest, reason: string): DetailedPick {
  return {
    result: {
      ...request,
      status: 'blocked',
      tree: undefined,
      commit: undefined,
      files: [],
      doubts: [],
      conflicts: [],
      reasons: [reason],
    },
    outcomes: [],
    signs: [],
  };
}

async function pickWhole(shop: Workshop, request: PickRequest): Promise<DetailedPick> {
  const { objects } = shop;
  const [upstream, onto] = await Promise.all([
    objects.commit(request.upstream),
    objects.commit(request.onto),
  ]);
  if (upstream.parents.length > 1)
    return blocked(request, 'a merge commit: its own commits are picked one by one');
  const [parent] = upstream.parents;
  const before = parent === undefined ? undefined : await objects.commit(parent);
  const changes = await findFileChanges(objects, before?.tree, upstream.tree);
  const view = await openPickView(shop, upstream, before, onto, changes);
  const outcomes = await pickFiles(view);
  const signs = outcomes.flatMap((outcome) => outcome.signs);
  const open = outcomes.filter((outcome) => outcome.open !== undefined);
  const edits: Map<string, { readonly mode: string; readonly sha: string } | undefined> = new Map();
  for (const outcome of outcomes)
    if (outcome.edit !== undefined)
      edits.set(outcome.path, outcome.edit === 'delete' ? undefined : outcome.edit);
  const tree = await editTree(objects, shop.writer, onto.tree, edits satisfies TreeEdits);
  const status = open.length > 0 ? 'conflict' : tree === onto.tree ? 'empty' : 'clean';
  return {
    result: {
      ...request,
      status,
      tree: open.length > 0 ? undefined : tree,
      commit: undefined,
      files: outcomes.map(({ path, from, how }) => ({ path, from, how })),
      doubts: [],
      conflicts: open.map((outcome) => ({
        path: outcome.path,
        type: 'really-diverged',
        why: outcome.open?.kind ?? '',
        next: '',
      })),
      reasons: [],
    },
    outcomes,
    signs,
  };
}
