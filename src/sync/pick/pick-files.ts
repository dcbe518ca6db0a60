// Carries each file of an upstream commit over: where it goes, how it is merged, and what stays open.
import { fileMode, type TreeEntry } from '../git/tree.ts';
import type { OpenHunk } from '../merge/merge-lines.ts';
import { matchesAnyGlob } from '../rules/glob.ts';
import type { MergeDriver, MergeRule } from '../rules/model.ts';
import type { FileChange } from './file-change.ts';
import { leftOutMaker } from './left-out.ts';
import { makeTextFile, mergeTextFile, type OpenSides } from './merge-text-file.ts';
import type { FileHow } from './pick-result.ts';
import type { PickView } from './pick-view.ts';
import { relocateDeclarations, relocateMovedOut } from './relocate.ts';
import type { Sign, SignName } from './sign.ts';

/** Why a file could not be carried over. */
export type OpenReason =
  | {
      readonly kind: 'hunks';
      readonly hunks: readonly OpenHunk[];
      readonly driver: MergeDriver;
      /** Nothing else of the file changes. */
      readonly alone: boolean;
    }
  | { readonly kind: 'no-place' }
  | { readonly kind: 'made-in-both' }
  | { readonly kind: 'binary' }
  | { readonly kind: 'submodule' };

/** What one file of the fork becomes. */
export interface FileOutcome {
  readonly path: string;
  readonly from: string;
  readonly how: FileHow;
  /** Undefined deletes the file; a missing edit leaves it. */
  readonly edit?: { readonly mode: string; readonly sha: string } | 'delete';
  readonly open?: OpenReason;
  /** What did not merge in a generated file that was left as it is: it is made anew, not solved. */
  readonly unmerged?: readonly OpenHunk[];
  /** Changes that were left out without proof: if nothing is left of the commit, a person decides. */
  readonly lost?: readonly OpenHunk[];
  readonly signs: readonly Sign[];
  readonly rule?: string;
  readonly added?: readonly string[];
  /** For a person to finish, where the file is open. */
  readonly sides?: OpenSides;
}

/** What the files of one pick have become so far: two upstream files can end up in one of the fork's. */
export type Progress = Map<string, { readonly mode: string; readonly sha: string } | undefined>;

export async function pickFiles(view: PickView): Promise<readonly FileOutcome[]> {
  const outcomes: FileOutcome[] = [];
  const progress: Progress = new Map();
  for (const change of view.changes)
    for (const outcome of await pickFile(view, change, progress)) {
      outcomes.push(outcome);
      if (outcome.edit === 'delete') progress.set(outcome.path, undefined);
      else if (outcome.edit !== undefined) progress.set(outcome.path, outcome.edit);
    }
  return outcomes;
}

async function pickFile(
  view: PickView,
  change: FileChange,
  progress: Progress,
): Promise<readonly FileOutcome[]> {
  const { pack } = view.shop;
  const skip = pack.skip.find((rule) => matchesAnyGlob(rule.files ?? [], change.path));
  if (skip !== undefined)
    return [{ path: change.path, from: change.path, how: 'skipped', rule: skip.id, signs: [] }];
  const modes = [change.before?.mode, change.after?.mode];
  if (modes.includes(fileMode.submodule))
    return [{ path: change.path, from: change.path, how: 'left', open: { kind: 'submodule' }, signs: [] }];
  if (change.kind === 'made') return [await pickMade(view, change, progress)];
  const place = await view.resolver.existing(change.path);
  const current = place.path === undefined ? undefined : await currentEntry(view, place.path, progress);
  if (change.kind === 'deleted') {
    if (place.path === undefined || current === undefined)
      return [{ path: change.path, from: change.path, how: 'unchanged', signs: [] }];
    return [await pickDeleted(view, change, place.path, current)];
  }
  if (place.path === undefined || current === undefined) {
    const moved = await relocateDeclarations(view, change, progress);
    if (moved !== undefined) return moved;
    const deletedBy = place.path === undefined ? place.deletedBy : undefined;
    if (deletedBy !== undefined)
      return [
        {
          path: change.path,
          from: change.path,
          how: 'dropped',
          signs: [{ path: change.path, name: 'dropped', detail: deletedBy }],
        },
      ];
    const maker = await leftOutMaker(view, change.path);
    if (maker !== undefined)
      return [
        {
          path: change.path,
          from: change.path,
          how: 'dropped',
          signs: [{ path: change.path, name: 'left-out', detail: `${maker.rule}: ${maker.sha}` }],
        },
      ];
    return [{ path: change.path, from: change.path, how: 'left', open: { kind: 'no-place' }, signs: [] }];
  }
  return pickChanged(view, change, place.path, current, progress);
}

async function currentEntry(
  view: PickView,
  path: string,
  progress: Progress,
): Promise<{ readonly mode: string; readonly sha: string } | undefined> {
  if (progress.has(path)) return progress.get(path);
  const entry = await view.shop.objects.entry(view.onto.tree, path);
  return entry?.mode === fileMode.tree ? undefined : entry;
}

async function pickMade(view: PickView, change: FileChange, progress: Progress): Promise<FileOutcome> {
  const { objects } = view.shop;
  const after = change.after;
  const { path } = await view.resolver.fresh(change.toPath);
  if (after === undefined) throw new Error(`a file that was made has no content: ${change.path}`);
  const current = await currentEntry(view, path, progress);
  const driver = driverOf(view, path);
  if (driver === 'ours')
    return { path, from: change.toPath, how: 'skipped', signs: [{ path, name: 'skipped', detail: driver }] };
  const text = await objects.text(after.sha);
  const opaqueSign: SignName = driver === 'generated' ? 'new-generated' : 'new-file';
  const made =
    isOpaque(after, text) || driver === 'generated'
      ? { text, signs: [{ path, name: opaqueSign, detail: remakeOf(view, path) }], added: [] }
      : await makeTextFile(view, change.toPath, path, text);
  const sha = view.shop.writer.put('blob', Buffer.from(made.text, 'latin1'));
  const base = { path, from: change.toPath, signs: made.signs, added: made.added };
  if (current === undefined) return { ...base, how: 'added', edit: { mode: after.mode, sha } };
  if (current.sha === sha) return { ...base, how: 'unchanged', signs: [] };
  const sides = { base: '', theirs: made.text, marked: made.text };
  return { ...base, how: 'left', open: { kind: 'made-in-both' }, sides };
}

function isOpaque(entry: TreeEntry | undefined, text: string): boolean {
  return entry?.mode === fileMode.link || text.includes('\0');
}

function mergeRuleOf(view: PickView, path: string): MergeRule | undefined {
  return view.shop.pack.merge.find((rule) => matchesAnyGlob(rule.files, path));
}

function driverOf(view: PickView, path: string): MergeDriver {
  return mergeRuleOf(view, path)?.driver ?? 'text';
}

/** The command that makes a generated file anew, as the doubt about it names it. */
function remakeOf(view: PickView, path: string): string {
  return mergeRuleOf(view, path)?.remake ?? '';
}

async function pickDeleted(
  view: PickView,
  change: FileChange,
  path: string,
  current: { readonly mode: string; readonly sha: string },
): Promise<FileOutcome> {
  const outcome = { path, from: change.path, how: 'deleted', edit: 'delete' } as const;
  if (change.before === undefined || current.sha === change.before.sha) return { ...outcome, signs: [] };
  const { objects, store } = view.shop;
  const [theirs, ours] = await Promise.all([objects.text(change.before.sha), objects.text(current.sha)]);
  const kind = path.endsWith('.go') ? 'go' : 'text';
  const fold = (text: string): string => store.fold(store.split(text), kind).join();
  const same = fold(theirs) === fold(ours);
  return { ...outcome, signs: same ? [] : [{ path, name: 'deleted-changed', detail: '' }] };
}

async function pickChanged(
  view: PickView,
  change: FileChange,
  path: string,
  current: { readonly mode: string; readonly sha: string },
  progress: Progress,
): Promise<readonly FileOutcome[]> {
  const { objects } = view.shop;
  const { before, after } = change;
  if (before === undefined || after === undefined)
    throw new Error(`a changed file lacks one of its sides: ${change.path}`);
  const mode = current.mode === before.mode ? after.mode : current.mode;
  const moved = change.kind === 'moved' ? await movedPath(view, change, path) : path;
  const base = { path: moved, from: change.path } as const;
  const finish = (outcome: FileOutcome, others: readonly FileOutcome[] = []): readonly FileOutcome[] => [
    ...others,
    ...finishOne(outcome),
  ];
  const finishOne = (outcome: FileOutcome): readonly FileOutcome[] =>
    moved === path || outcome.open !== undefined
      ? [outcome]
      : [{ path, from: change.path, how: 'moved', edit: 'delete', signs: [] }, outcome];
  const driver = driverOf(view, path);
  if (driver === 'ours')
    return [{ ...base, how: 'skipped', signs: [{ path, name: 'skipped', detail: driver }] }];
  const [baseText, theirText, ourText] = await Promise.all(
    [before.sha, after.sha, current.sha].map((sha) => objects.text(sha)),
  );
  if (baseText === undefined || theirText === undefined || ourText === undefined)
    throw new Error(`a side of ${change.path} was not read`);
  if (before.sha === after.sha) {
    const how = mode === current.mode && moved === path ? 'unchanged' : moved === path ? 'mode' : 'moved';
    return finish({ ...base, how, edit: { mode, sha: current.sha }, signs: [] });
  }
  if (current.sha === before.sha && (isOpaque(before, baseText) || driver === 'generated'))
    return finish({ ...base, how: 'taken', edit: { mode, sha: after.sha }, signs: [] });
  if (current.sha === after.sha)
    return finish({ ...base, how: 'unchanged', edit: { mode, sha: after.sha }, signs: [] });
  if (
    [before, after, current].some((entry, index) =>
      isOpaque({ name: '', ...entry }, [baseText, theirText, ourText][index] ?? ''),
    )
  )
    return [{ ...base, how: 'left', open: { kind: 'binary' }, signs: [] }];
  const movedOut = path.endsWith('.go')
    ? await relocateMovedOut(
        view,
        change,
        path,
        { base: baseText, theirs: theirText, ours: ourText },
        progress,
      )
    : undefined;
  const merged = await mergeTextFile(view, {
    from: change.path,
    path,
    base: { sha: before.sha, text: baseText },
    theirs:
      movedOut === undefined
        ? { sha: after.sha, text: theirText }
        : { sha: `${after.sha} without what moved out`, text: movedOut.theirText },
    ours: { sha: current.sha, text: ourText },
    driver: driver === 'append-list' || driver === 'ordered-list' ? driver : 'text',
    entries: mergeRuleOf(view, path)?.entries ?? [],
    generated: driver === 'generated',
  });
  if (merged.open.length > 0) {
    // A generated file is made anew after the pick; what cannot be merged in it is left for that.
    const remake = remakeOf(view, path);
    if (driver === 'generated' && remake !== '')
      return [
        {
          ...base,
          how: 'left',
          unmerged: merged.open,
          signs: [{ path, name: 'generated-left', detail: remake }],
        },
      ];
    return [
      {
        ...base,
        how: 'left',
        open: {
          kind: 'hunks',
          hunks: merged.open,
          driver,
          alone: merged.text === ourText && moved === path && mode === current.mode,
        },
        ...(merged.sides === undefined ? {} : { sides: merged.sides }),
        signs: merged.signs,
      },
    ];
  }
  const sha = view.shop.writer.put('blob', Buffer.from(merged.text, 'latin1'));
  const signs =
    driver === 'generated'
      ? [...merged.signs, { path, name: 'generated-merged', detail: '' } as const]
      : merged.signs;
  const how = sha === current.sha && moved === path && mode === current.mode ? 'unchanged' : 'merged';
  return finish(
    {
      ...base,
      how,
      edit: { mode, sha },
      signs,
      added: merged.added,
      ...(merged.lost === undefined || merged.sides === undefined
        ? {}
        : { lost: merged.lost, sides: merged.sides }),
    },
    movedOut?.outcomes,
  );
}

/**
 * Where a file goes that upstream moved: the fork's own name stays where only the folder changed, and the fork's place
 * where the fork moved it on from there itself.
 */
async function movedPath(view: PickView, change: FileChange, path: string): Promise<string> {
  const target = await view.resolver.fresh(change.toPath);
  const isNamed = target.how === 'learned' || target.how === 'rule';
  const isFolderAlone = nameOf(change.path) === nameOf(change.toPath) && !isNamed;
  const wanted = isFolderAlone
    ? target.path.slice(0, target.path.length - nameOf(target.path).length) + nameOf(path)
    : target.path;
  const visible = view.shop.fork.visibleFrom(view.onto.sha);
  return view.shop.forkMoves.follow(wanted, visible).path === path ? path : wanted;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
