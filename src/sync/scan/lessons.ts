// What one earlier import teaches: where people put upstream's files, and how they spelt upstream's new lines.

import type { Change, Objects } from '../git/objects.ts';
import { fileMode } from '../git/tree.ts';
import { diffSequences, type Edit, type Sequence } from '../merge/diff-sequences.ts';
import { pairAlike } from '../rewrite/align.ts';
import { commonEnds } from '../rewrite/common-ends.ts';
import { type FileKind, fileKind } from '../rewrite/file-kind.ts';
import type { LineStore } from '../rewrite/line-store.ts';

export interface Lesson {
  readonly paths: readonly LearnedPath[];
  readonly lines: readonly LearnedLine[];
}

export interface LearnedPath {
  readonly upstream: string;
  readonly fork: string;
  /** Both made the file here (or moved it here); otherwise both only changed it. */
  readonly made: boolean;
}

export interface LearnedLine {
  readonly kind: FileKind;
  readonly upstream: string;
  readonly fork: string;
}

export interface LessonContext {
  readonly objects: Objects;
  readonly store: LineStore;
  /** Whether a line can teach anything: it holds a word that the fork renames. */
  readonly isTelling: (line: string) => boolean;
  /** A path as the rules of the pack alone would map it. */
  readonly mapPath: (path: string) => string;
  /** A file name without its brand. */
  readonly foldName: (path: string) => string;
  /** Files that are made by tools and teach nothing. */
  readonly isGenerated: (path: string) => boolean;
}

const longestAdded = 2500;

/** Compares what upstream's commit did with what the import did. */
export async function makeLesson(
  context: LessonContext,
  upstream: { readonly before: string | undefined; readonly after: string },
  fork: { readonly before: string | undefined; readonly after: string },
): Promise<Lesson> {
  const { objects } = context;
  const [theirs, ours] = await Promise.all([
    objects.compare(upstream.before, upstream.after),
    objects.compare(fork.before, fork.after),
  ]);
  const paths: LearnedPath[] = [];
  const lines: LearnedLine[] = [];
  for (const [left, right] of pairFiles(context, theirs, ours)) {
    paths.push({
      upstream: left.path,
      fork: right.path,
      made: left.before === undefined && right.before === undefined,
    });
    if (isOpaque(left) || isOpaque(right) || context.isGenerated(left.path)) continue;
    lines.push(...(await learnLines(context, left, right)));
  }
  return { paths, lines };
}

function isOpaque(change: Change): boolean {
  return (
    change.after === undefined ||
    change.after.mode === fileMode.submodule ||
    change.after.mode === fileMode.link
  );
}

/** Pairs changed files: those that stand where the rules put them, then those named alike, then the only ones left. */
function pairFiles(
  context: LessonContext,
  theirs: readonly Change[],
  ours: readonly Change[],
): readonly (readonly [Change, Change])[] {
  const pairs: (readonly [Change, Change])[] = [];
  const left = new Set(theirs.filter((change) => change.after !== undefined));
  const right = new Map(
    ours.filter((change) => change.after !== undefined).map((change) => [change.path, change]),
  );
  const pair = (one: Change, two: Change): void => {
    pairs.push([one, two]);
    left.delete(one);
    right.delete(two.path);
  };
  const extension = (path: string): string => path.slice(path.lastIndexOf('.') + 1);
  const sameFate = (one: Change, two: Change): boolean =>
    (one.before === undefined) === (two.before === undefined) && extension(one.path) === extension(two.path);
  for (const change of [...left]) {
    const found = right.get(context.mapPath(change.path)) ?? right.get(change.path);
    if (found !== undefined) pair(change, found);
  }
  for (const change of [...left]) {
    const name = context.foldName(change.path);
    const alike = [...right.values()].filter(
      (other) => context.foldName(other.path) === name && sameFate(change, other),
    );
    const [only] = alike;
    if (only !== undefined && alike.length === 1) pair(change, only);
  }
  for (const change of [...left]) {
    const rivals = [...left].filter((other) => sameFate(other, change));
    const targets = [...right.values()].filter((other) => sameFate(change, other));
    const [only] = targets;
    if (only !== undefined && targets.length === 1 && rivals.length === 1) pair(change, only);
  }
  // The one file left on each side: what upstream added to a file, people may have put into a new one.
  const [lastLeft, ...moreLeft] = left;
  const [lastRight, ...moreRight] = right.values();
  if (lastLeft !== undefined && lastRight !== undefined && moreLeft.length === 0 && moreRight.length === 0)
    if (extension(lastLeft.path) === extension(lastRight.path)) pair(lastLeft, lastRight);
  return pairs;
}

async function learnLines(
  context: LessonContext,
  left: Change,
  right: Change,
): Promise<readonly LearnedLine[]> {
  const { store } = context;
  const kind = fileKind(left.path);
  const foldKind = kind === 'go' ? 'go' : 'text';
  const [theirs, ours] = await Promise.all([addedLines(context, left), addedLines(context, right)]);
  const theirKeys = store.fold(Int32Array.from(theirs), foldKind);
  const ourKeys = store.fold(Int32Array.from(ours), foldKind);
  const out: LearnedLine[] = [];
  const learn = (i: number, j: number): void => {
    const upstream = store.line(theirs[i] ?? 0);
    const fork = store.line(ours[j] ?? 0);
    if (context.isTelling(upstream) || upstream !== fork) out.push({ kind, upstream, fork });
  };
  let i = 0;
  let j = 0;
  for (const edit of diffSequences(theirKeys, ourKeys)) {
    for (; i < edit.aStart; i += 1, j += 1) learn(i, j);
    const pairs = pairAlike(
      store,
      Array.from(theirKeys.subarray(edit.aStart, edit.aEnd)),
      Array.from(ourKeys.subarray(edit.bStart, edit.bEnd)),
    );
    for (const [one, two] of pairs) learn(edit.aStart + one, edit.bStart + two);
    i = edit.aEnd;
    j = edit.bEnd;
  }
  for (; i < theirs.length; i += 1, j += 1) learn(i, j);
  return out;
}

async function addedLines(context: LessonContext, change: Change): Promise<readonly number[]> {
  const { objects, store } = context;
  const [before, after] = await Promise.all([
    change.before === undefined ? '' : objects.text(change.before.sha),
    change.after === undefined ? '' : objects.text(change.after.sha),
  ]);
  if (after.includes('\0') || before.includes('\0')) return [];
  return addedBetween(store, before, after).slice(0, longestAdded);
}

/** The lines that a change of a text adds. */
export function addedBetween(store: LineStore, before: string, after: string): readonly number[] {
  return addedNear(store, before, after) ?? addedIn(store, before, after);
}

/** Lines behind the last change that are looked at with it: a change slides down over lines that repeat it. */
const linesBehind = 60;

/** The added lines by what lies between the common ends alone; undefined where that might not tell. */
function addedNear(store: LineStore, before: string, after: string): readonly number[] | undefined {
  const { start, end } = commonEnds(before, after);
  let kept = end;
  for (let line = 0; line < linesBehind && kept > 0; line += 1) {
    const lineEnd = after.indexOf('\n', after.length - kept);
    kept = lineEnd < 0 ? 0 : after.length - lineEnd - 1;
  }
  const cut = (text: string): string => text.slice(start, text.length - kept);
  const left = store.split(cut(before));
  const right = store.split(cut(after));
  const edits = diffSequences(left, right);
  const last = edits.at(-1);
  const ends = last !== undefined && (last.aEnd + 1 >= left.length || last.bEnd + 1 >= right.length);
  return kept > 0 && ends ? undefined : linesAdded(edits, right);
}

function addedIn(store: LineStore, before: string, after: string): readonly number[] {
  const lines = store.split(after);
  return linesAdded(diffSequences(store.split(before), lines), lines);
}

function linesAdded(edits: readonly Edit[], lines: Sequence): readonly number[] {
  const added: number[] = [];
  for (const edit of edits) for (let at = edit.bStart; at < edit.bEnd; at += 1) added.push(lines[at] ?? 0);
  return added;
}
