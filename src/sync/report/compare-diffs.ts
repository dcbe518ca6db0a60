// The difference of two differences: what upstream changed beside what the pick changes, names taken out of the way.
import type { Change, Objects } from '../git/objects.ts';
import { fileMode } from '../git/tree.ts';
import { diffSequences, type Sequence } from '../merge/diff-sequences.ts';
import type { PlannedPick } from '../plan/run-plan.ts';
import type { Brand } from '../rewrite/brand.ts';
import { applySpans, type WordMatcher } from '../rules/words.ts';

/** One line of a difference: removed, added, or around it. */
export interface DiffLine {
  readonly sign: '-' | '+' | ' ';
  readonly text: string;
}

/** The same line of both differences after renaming, or a line that only one of them has. */
export interface DiffRow {
  readonly upstream: DiffLine | undefined;
  readonly pick: DiffLine | undefined;
}

export interface FileComparison {
  readonly path: string;
  readonly from: string;
  /** Rows of hunks; an undefined row is a gap between two. */
  readonly rows: readonly (DiffRow | undefined)[];
  /** Why the rows are missing, where they are. */
  readonly notShown: string | undefined;
}

export interface PickComparison {
  readonly pick: PlannedPick;
  readonly files: readonly FileComparison[];
  /** Both differences are the same after renaming. */
  readonly equal: boolean;
}

export interface CompareContext {
  readonly objects: Objects;
  readonly brand: Brand;
  readonly words: WordMatcher;
}

const largestFile = 1_500_000;
const mostRows = 3000;
const around = 2;

/** Compares what a planned pick changes with what its upstream commit changed, file by file. */
export async function comparePick(context: CompareContext, pick: PlannedPick): Promise<PickComparison> {
  const { objects } = context;
  const upstream = await objects.commit(pick.upstream);
  const [parent] = upstream.parents;
  const [theirs, ours] = await Promise.all([
    objects.compare(parent === undefined ? undefined : (await objects.commit(parent)).tree, upstream.tree),
    objects.compare((await objects.commit(pick.onto)).tree, pick.tree),
  ]);
  const theirOf = new Map(theirs.map((change) => [change.path, change]));
  const ourOf = new Map(ours.map((change) => [change.path, change]));
  const files: FileComparison[] = [];
  for (const { from, path, how } of pick.files) {
    const [one, two] = [theirOf.get(from), ourOf.get(path)];
    theirOf.delete(from);
    ourOf.delete(path);
    if (one === undefined && two === undefined) continue;
    if (how === 'skipped' || how === 'dropped')
      files.push({
        path,
        from,
        rows: [],
        notShown: how === 'skipped' ? 'never comes over' : 'the fork deleted it',
      });
    else files.push(await compareFile(context, { from, path }, one, two));
  }
  // What is left of upstream's side are old names of files that moved; of the pick's, files that came besides.
  for (const change of ourOf.values())
    files.push(await compareFile(context, { from: change.path, path: change.path }, undefined, change));
  const equal = files.every(
    (file) =>
      file.notShown === undefined &&
      file.rows.every(
        (row) =>
          row === undefined || (row.upstream !== undefined && row.pick !== undefined) || isContext(row),
      ),
  );
  return { pick, files, equal };
}

function isContext(row: DiffRow): boolean {
  return (row.upstream ?? row.pick)?.sign === ' ';
}

async function compareFile(
  context: CompareContext,
  names: { readonly from: string; readonly path: string },
  theirs: Change | undefined,
  ours: Change | undefined,
): Promise<FileComparison> {
  const [left, right] = await Promise.all([sidesOf(context.objects, theirs), sidesOf(context.objects, ours)]);
  if (left === undefined || right === undefined)
    return { ...names, rows: [], notShown: 'not text, or too large' };
  const kind = names.path.endsWith('.go') ? 'go' : 'text';
  const fold = (line: DiffLine | undefined): string =>
    line === undefined ? '' : line.sign + context.brand.foldLine(line.text, kind);
  const [one, two] = [diffLines(left), diffLines(right)];
  const number = createNumbering();
  const rows: (DiffRow | undefined)[] = [];
  const put = (upstream: DiffLine | undefined, pick: DiffLine | undefined): void => {
    if (upstream === undefined && pick === undefined) rows.push(undefined);
    // A line that only upstream has is shown as the rules alone would write it.
    else if (upstream !== undefined && pick === undefined)
      rows.push({ upstream: { ...upstream, text: rewritten(context, names.from, upstream.text) }, pick });
    else rows.push({ upstream: upstream === undefined ? undefined : (pick ?? upstream), pick });
  };
  let i = 0;
  let j = 0;
  for (const edit of diffSequences(number(one.map(fold)), number(two.map(fold)))) {
    for (; i < edit.aStart; i += 1, j += 1) put(one[i], two[j]);
    for (; i < edit.aEnd; i += 1) if (one[i] !== undefined) put(one[i], undefined);
    for (; j < edit.bEnd; j += 1) if (two[j] !== undefined) put(undefined, two[j]);
  }
  for (; i < one.length; i += 1, j += 1) put(one[i], two[j]);
  return rows.length > mostRows
    ? { ...names, rows: [], notShown: `${rows.length} lines` }
    : { ...names, rows, notShown: undefined };
}

function rewritten(context: CompareContext, path: string, text: string): string {
  return applySpans(
    text,
    context.words.match(text, path, () => (path.endsWith('.go') ? 'code' : 'prose')),
  );
}

interface Sides {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

async function sidesOf(objects: Objects, change: Change | undefined): Promise<Sides | undefined> {
  const texts = await Promise.all(
    [change?.before, change?.after].map((entry) =>
      entry === undefined ? '' : entry.mode === fileMode.submodule ? undefined : objects.text(entry.sha),
    ),
  );
  const [before, after] = texts;
  if (before === undefined || after === undefined || before.includes('\0') || after.includes('\0'))
    return undefined;
  if (before.length + after.length > largestFile) return undefined;
  return { before: before.split('\n'), after: after.split('\n') };
}

/** The lines of a difference with a few around them; undefined is a gap. */
function diffLines({ before, after }: Sides): readonly (DiffLine | undefined)[] {
  const number = createNumbering();
  const out: (DiffLine | undefined)[] = [];
  let shown = 0;
  const context = (from: number, to: number): void => {
    for (let line = from; line < to; line += 1) out.push({ sign: ' ', text: before[line] ?? '' });
  };
  const edits = diffSequences(number(before), number(after));
  for (const [index, edit] of edits.entries()) {
    const from = Math.max(shown, edit.aStart - around);
    if (from > shown && out.length > 0) out.push(undefined);
    context(from, edit.aStart);
    for (const text of before.slice(edit.aStart, edit.aEnd)) out.push({ sign: '-', text });
    for (const text of after.slice(edit.bStart, edit.bEnd)) out.push({ sign: '+', text });
    const next = edits[index + 1]?.aStart ?? before.length;
    shown = Math.min(edit.aEnd + around, next, before.length);
    context(edit.aEnd, shown);
  }
  return out;
}

/** Equal texts have equal numbers. */
function createNumbering(): (texts: readonly string[]) => Sequence {
  const ids = new Map<string, number>();
  return (texts) =>
    Int32Array.from(texts, (text) => {
      const known = ids.get(text) ?? ids.size;
      ids.set(text, known);
      return known;
    });
}
