// The difference of two differences: what upstream changed beside what the pick changes, names taken out of the way.
import type { Change, Objects } from '../git/objects.ts';
import { fileMode } from '../git/tree.ts';
import { diffSequences, type Sequence } from '../merge/diff-sequences.ts';
import { findFileChanges } from '../pick/file-change.ts';
import type { PlannedPick } from '../plan/run-plan.ts';
import type { Brand } from '../rewrite/brand.ts';
import { applySpans, type WordMatcher } from '../rules/words.ts';

/** One line of a difference: removed, added, or around it. */
export interface DiffLine {
  readonly sign: '-' | '+' | ' ';
  readonly text: string;
}

/** The same line of both differences after renaming, or lines that only one of them has, side by side. */
export interface DiffRow {
  readonly upstream: DiffLine | undefined;
  readonly pick: DiffLine | undefined;
  readonly same: boolean;
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
const usualAround = 2;

/** Compares what a planned pick changes with what its upstream commit changed, file by file. */
export async function comparePick(context: CompareContext, pick: PlannedPick): Promise<PickComparison> {
  const { objects } = context;
  const upstream = await objects.commit(pick.upstream);
  const [parent] = upstream.parents;
  const before = parent === undefined ? undefined : (await objects.commit(parent)).tree;
  const [theirs, ours] = await Promise.all([
    findFileChanges(objects, before, upstream.tree),
    objects.compare((await objects.commit(pick.onto)).tree, pick.tree),
  ]);
  const theirOf = new Map(
    theirs.flatMap(
      (change) =>
        [
          [change.path, change],
          [change.toPath, change],
        ] as const,
    ),
  );
  const ourOf = new Map(ours.map((change) => [change.path, change]));
  // A commit that its trailer opens stands in closed files: what is around its lines is not its own.
  const around = pick.evidence.some((one) => one.startsWith('trailer:')) ? 0 : usualAround;
  const files: FileComparison[] = [];
  for (const { from, path, how } of pick.files) {
    const others = pick.files.filter((other) => other.from === from && other.path !== path);
    // What moved is shown where it is now, beside what it was.
    if (how === 'moved' && others.some((other) => other.how !== 'moved')) continue;
    const old = others.find((other) => other.how === 'moved')?.path ?? path;
    const one = theirOf.get(from);
    const two = { path, before: ourOf.get(old)?.before, after: ourOf.get(path)?.after };
    const untouched = !ourOf.has(path);
    for (const done of [path, old]) ourOf.delete(done);
    if (one === undefined && untouched) continue;
    if (how === 'skipped' || how === 'dropped')
      files.push({
        path,
        from,
        rows: [],
        notShown: how === 'skipped' ? 'never comes over' : 'the fork deleted it',
      });
    else files.push(await compareFile(context, { from, path }, one, two, around));
  }
  for (const change of ourOf.values())
    files.push(
      await compareFile(context, { from: change.path, path: change.path }, undefined, change, around),
    );
  const equal = files.every(
    (file) =>
      file.notShown === undefined &&
      file.rows.every((row) => row === undefined || row.same || isContext(row)),
  );
  return { pick, files, equal };
}

function isContext(row: DiffRow): boolean {
  return [row.upstream, row.pick].every((line) => line === undefined || line.sign === ' ');
}

async function compareFile(
  context: CompareContext,
  names: { readonly from: string; readonly path: string },
  theirs: Pick<Change, 'before' | 'after'> | undefined,
  ours: Change | undefined,
  around: number,
): Promise<FileComparison> {
  const [left, right] = await Promise.all([sidesOf(context.objects, theirs), sidesOf(context.objects, ours)]);
  if (left === undefined || right === undefined)
    return { ...names, rows: [], notShown: 'not text, or too large' };
  const kind = names.path.endsWith('.go') ? 'go' : 'text';
  const fold = (line: DiffLine | undefined): string =>
    line === undefined ? '' : line.sign + context.brand.foldLine(line.text, kind).replace(/\bAn @/g, 'A @');
  const [two, theirLines] = [diffLines(right, usualAround), diffLines(left, around)];
  // In the fork's words, as the rules alone would write them.
  const one = theirLines.map((line) =>
    line === undefined ? undefined : { ...line, text: rewritten(context, names.from, line.text) },
  );
  const number = createNumbering();
  const rows: (DiffRow | undefined)[] = [];
  const equal = (pick: DiffLine | undefined): void => {
    rows.push(pick === undefined ? undefined : { upstream: pick, pick, same: true });
  };
  let done = 0;
  for (const edit of diffSequences(number(one.map(fold)), number(two.map(fold)))) {
    for (const line of two.slice(done, edit.bStart)) equal(line);
    const [upstream, pick] = [one.slice(edit.aStart, edit.aEnd), two.slice(edit.bStart, edit.bEnd)];
    const [left, right] = [upstream, pick].map((side) => side.filter((line) => line !== undefined));
    for (let row = 0; row < Math.max(left?.length ?? 0, right?.length ?? 0); row += 1)
      rows.push({ upstream: left?.[row], pick: right?.[row], same: false });
    done = edit.bEnd;
  }
  for (const line of two.slice(done)) equal(line);
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

async function sidesOf(
  objects: Objects,
  change: Pick<Change, 'before' | 'after'> | undefined,
): Promise<Sides | undefined> {
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
function diffLines({ before, after }: Sides, around: number): readonly (DiffLine | undefined)[] {
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
