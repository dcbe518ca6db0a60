// Picks one upstream commit onto a fork commit: a pure function of the two, the rules and what they can see.
import { type Commit, formatCommit } from '../git/commit.ts';
import { editTree, type TreeEdits } from '../git/object-writer.ts';
import { isMissingObject } from '../problem.ts';
import { skipsCommit } from '../rules/skips-commit.ts';
import { checkTypes, isSaidBy } from './check-types.ts';
import { describeConflicts } from './describe-conflicts.ts';
import { doubtsOf, type NamedIn, packDoubts } from './doubts.ts';
import { findFileChanges } from './file-change.ts';
import type { PickRequest } from './open-workshop.ts';
import { type FileOutcome, pickFiles } from './pick-files.ts';
import type { PickResult } from './pick-result.ts';
import { openPickView, type PickView, type Workshop } from './pick-view.ts';
import { rewriteMessage } from './rewrite-message.ts';
import type { Sign } from './sign.ts';
import { findUsesOfLeftOut } from './uses-left-out.ts';

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
      upstream: request.upstream,
      onto: request.onto,
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

function skipped(request: PickRequest, reason: string): DetailedPick {
  const { result } = blocked(request, reason);
  return { result: { ...result, status: 'skipped' }, outcomes: [], signs: [] };
}

async function pickWhole(shop: Workshop, request: PickRequest): Promise<DetailedPick> {
  const { objects } = shop;
  const [upstream, onto] = await Promise.all([
    objects.commit(request.upstream),
    objects.commit(request.onto),
  ]);
  const verdict = await shop.judge(upstream);
  if (!verdict.cleared) return blocked(request, `licence: ${verdict.reason}`);
  if (upstream.parents.length > 1)
    return blocked(request, 'a merge commit: its own commits are picked one by one');
  const skip = shop.pack.skip.find((rule) => skipsCommit(rule, upstream));
  if (skip !== undefined)
    return skipped(request, `the whole commit is skipped by rule ${skip.id}: ${skip.description}`);
  const [parent] = upstream.parents;
  const before = parent === undefined ? undefined : await objects.commit(parent);
  const changes = await findFileChanges(objects, before?.tree, upstream.tree);
  const view = await openPickView(shop, upstream, before, onto, changes, verdict.scope);
  const outcomes = await pickFiles(view);
  const open = outcomes.filter((outcome) => outcome.open !== undefined);
  const typed = open.length === 0 ? await checkTypes(view, outcomes, request.moreFollows === true) : [];
  const ofFiles = [
    ...outcomes.flatMap((outcome) => outcome.signs),
    ...(await findUsesOfLeftOut(view, outcomes)),
  ];
  const signs = [...ofFiles.filter((sign) => !isSaidBy(typed, sign)), ...typed];
  const lists = await readLists(view, outcomes);
  const listed = (path: string): string | undefined => lists.get(path);
  const asked = await Promise.all(
    outcomes.map((outcome) => packDoubts(shop.pack.doubts, namedIn(shop, onto, outcome), listed)),
  );
  const doubts = [...doubtsOf(signs), ...asked.flat()];
  const files = outcomes.map(({ path, from, how }) => ({ path, from, how }));
  const reasons = reasonsOf(shop, outcomes, signs);
  const base = { upstream: upstream.sha, onto: onto.sha, files, doubts, reasons };
  if (open.some((outcome) => outcome.open?.kind === 'submodule'))
    return blocked(request, 'the commit changes a submodule: those are moved by people');
  if (open.length > 0) {
    const conflicts = await describeConflicts(view, outcomes);
    return {
      result: { ...base, status: 'conflict', tree: undefined, commit: undefined, conflicts },
      outcomes,
      signs,
    };
  }
  const tree = await editTree(objects, shop.writer, onto.tree, editsOf(outcomes));
  const base2 = { ...base, tree, conflicts: [] };
  if (tree === onto.tree) {
    // Nothing came of it: that takes the same proof as what is clean.
    const undecided = outcomes.map((outcome) => reopen(outcome));
    // A generated file that was left is not what the fork has already: it has to be made anew.
    if (undecided.some(({ open: reason, unmerged }) => reason !== undefined || unmerged !== undefined)) {
      const conflicts = await describeConflicts(view, undecided);
      return {
        result: { ...base, status: 'conflict', tree: undefined, commit: undefined, conflicts },
        outcomes: undecided,
        signs,
      };
    }
    const nothing =
      outcomes.length > 0 && outcomes.every(({ how }) => how === 'skipped' || how === 'dropped');
    return {
      result: { ...base2, status: nothing ? 'skipped' : 'empty', commit: undefined },
      outcomes,
      signs,
    };
  }
  const commit = shop.writer.put('commit', formatPick(shop, upstream, onto, tree));
  return { result: { ...base2, status: doubts.length > 0 ? 'review' : 'clean', commit }, outcomes, signs };
}

/** The fork's files that doubts of the pack look into, as the pick leaves them. */
async function readLists(
  view: PickView,
  outcomes: readonly FileOutcome[],
): Promise<ReadonlyMap<string, string>> {
  const { objects, pack } = view.shop;
  const lists = new Map<string, string>();
  const added = outcomes.flatMap((outcome) => outcome.added ?? []);
  for (const { words, unlistedIn = [] } of pack.doubts) {
    if (!words.some((word) => added.some((line) => line.includes(word)))) continue;
    for (const path of unlistedIn) {
      const made = outcomes.findLast((outcome) => outcome.path === path)?.edit;
      const entry =
        made === undefined || made === 'delete' ? await objects.entry(view.onto.tree, path) : made;
      if (entry !== undefined && !lists.has(path)) lists.set(path, await objects.text(entry.sha));
    }
  }
  return lists;
}

/** What the words of a pack's doubts are looked for in; a file that was deleted or left names nothing more than before. */
function namedIn(shop: Workshop, onto: Commit, { path, added = [], edit }: FileOutcome): NamedIn {
  const { objects } = shop;
  const textOf = async (sha: string | undefined): Promise<string> =>
    sha === undefined ? '' : objects.text(sha);
  return {
    path,
    added,
    async texts() {
      const entry = await objects.entry(onto.tree, path);
      const [before, after] = [
        await textOf(entry?.sha),
        await textOf(edit === undefined || edit === 'delete' ? entry?.sha : edit.sha),
      ];
      return { before, after };
    },
  };
}

/** A file whose changes were left out without proof, for a person to decide. */
function reopen(outcome: FileOutcome): FileOutcome {
  const { lost = [], edit: _, ...rest } = outcome;
  if (lost.length === 0) return outcome;
  return { ...rest, how: 'left', open: { kind: 'hunks', hunks: lost, driver: 'text', alone: true } };
}

/** The commit of a pick; its dates are upstream's, so that picking again gives the same sha. */
function formatPick(shop: Workshop, upstream: Commit, onto: Commit, tree: string): Buffer {
  const { info, messages } = shop.pack;
  return formatCommit({
    tree,
    parents: [onto.sha],
    author: upstream.author,
    committer: {
      who: info.committer,
      email: '',
      time: upstream.committer.time,
      zone: upstream.committer.zone,
    },
    encoding: upstream.encoding,
    message: rewriteMessage(upstream.message, info, messages, upstream.sha),
  });
}

function editsOf(outcomes: readonly FileOutcome[]): TreeEdits {
  const edits = new Map<string, { readonly mode: string; readonly sha: string } | undefined>();
  for (const { path, edit } of outcomes)
    if (edit !== undefined) edits.set(path, edit === 'delete' ? undefined : edit);
  return edits;
}

/** What was left out, and what this clone could not tell: nothing is dropped in silence. */
function reasonsOf(
  shop: Workshop,
  outcomes: readonly FileOutcome[],
  signs: readonly Sign[],
): readonly string[] {
  const reasons: string[] = [];
  for (const { from, how, rule, signs: own, unmerged } of outcomes) {
    if (unmerged !== undefined)
      reasons.push(`${from}: did not merge and was left; make it anew afterwards: ${own[0]?.detail ?? ''}`);
    if (how === 'skipped') {
      const remake = shop.pack.skip.find((skip) => skip.id === rule)?.remake;
      const again = remake === undefined ? '' : `; make it anew afterwards: ${remake}`;
      reasons.push(`${from}: skipped by rule ${rule ?? own[0]?.detail ?? ''}${again}`);
    }
    if (
      how === 'unchanged' &&
      own.some((sign) => sign.name === 'touching-deletion' || sign.name === 'fork-deleted')
    )
      reasons.push(`${from}: upstream changed only lines that the fork deleted; all of it was left out`);
    const leftOut = own.find((sign) => sign.name === 'left-out');
    if (leftOut !== undefined)
      reasons.push(`${from}: changes what rule ${leftOut.detail} leaves out; that was left out`);
    else if (how === 'dropped') reasons.push(`${from}: the fork deleted it (${own[0]?.detail ?? ''})`);
  }
  const half = signs.find(({ name }) => name === 'half');
  if (half !== undefined)
    reasons.push(
      `compiles only with the commits of its pull request that follow, as upstream: ${half.path}, ${half.detail}`,
    );
  if (shop.forkMoves.unread > 0)
    reasons.push(
      `${shop.forkMoves.unread} commits of the fork could not be read for renames: the clone is not whole`,
    );
  return reasons;
}
