// Says of each file that could not be carried over what kind of conflict it is, and what a person does next.
import type { OpenHunk } from '../merge/merge-lines.ts';
import { isEntry } from '../merge/resolve-hunk.ts';
import { matchesAnyGlob } from '../rules/glob.ts';
import type { FileOutcome } from './pick-files.ts';
import type { Conflict, ConflictHunk, ConflictType } from './pick-result.ts';
import type { PickView } from './pick-view.ts';

const mostPrerequisites = 10;

/** Typed conflicts of a pick, in the order of its files. */
export async function describeConflicts(
  view: PickView,
  outcomes: readonly FileOutcome[],
): Promise<readonly Conflict[]> {
  const conflicts: Conflict[] = [];
  for (const outcome of outcomes)
    if (outcome.open !== undefined || outcome.unmerged !== undefined)
      conflicts.push(await describe(view, outcome));
  return conflicts;
}

async function describe(view: PickView, outcome: FileOutcome): Promise<Conflict> {
  const { open, path } = outcome;
  const next = `fork-sync checkout ${view.upstream.sha} DIR --onto ${view.onto.sha}`;
  const made = (type: ConflictType, why: string, more: Partial<Conflict> = {}): Conflict => ({
    path,
    type,
    why,
    next,
    ...more,
  });
  const rule = view.shop.pack.merge.find((candidate) => matchesAnyGlob(candidate.files, path));
  const generated = rule?.driver === 'generated' && outcome.open?.kind !== 'no-place';
  if (generated)
    return made('generated', 'both sides changed a generated file: it is made anew, not merged', {
      ...(await showHunks(view, path, outcome.unmerged ?? (open?.kind === 'hunks' ? open.hunks : []))),
      ...(rule.remake === undefined ? {} : { next: rule.remake }),
    });
  switch (open?.kind) {
    case 'no-place': {
      const before = await findPrerequisites(view, outcome.from, undefined);
      const maker = before.find((found) => found.made);
      if (maker !== undefined)
        return made(
          'prerequisite-missing',
          'the file was made by an upstream commit that the fork does not have',
          {
            prerequisites: before.map((found) => found.sha),
            next: `fork-sync pick ${maker.sha} --onto ${view.onto.sha}`,
          },
        );
      return made('rule-missing', 'no rule and no rename of the fork says where this file went', {
        next: 'add a path rule to paths.yaml, or a skip to skip.yaml, and pick again',
      });
    }
    case 'made-in-both':
      return made('really-diverged', 'both sides made this file, with different content');
    case 'binary':
      return made('really-diverged', 'both sides changed a file that is not text');
    case 'hunks':
      return describeHunks(view, outcome, open, made);
    default:
      return made('really-diverged', 'the file could not be carried over');
  }
}

async function describeHunks(
  view: PickView,
  outcome: FileOutcome,
  { hunks: all, alone }: { readonly hunks: readonly OpenHunk[]; readonly alone: boolean },
  makeConflict: (type: ConflictType, why: string, more?: Partial<Conflict>) => Conflict,
): Promise<Conflict> {
  const { store, brand, pack } = view.shop;
  const more = await showHunks(view, outcome.path, all);
  const fold = (ids: readonly number[]): string =>
    ids.map((id) => brand.foldLine(store.line(id), 'go')).join('\n');
  const isSpeltOtherwise = (hunk: OpenHunk): boolean =>
    fold(hunk.ours) === fold(hunk.theirs) && fold(hunk.ours) !== fold(hunk.base);
  const there = all.filter((hunk) => hunk.there === true || isSpeltOtherwise(hunk));
  const hunks = all.filter((hunk) => !there.includes(hunk));
  // Nothing is to be done: that takes proof for every hunk, and for the rest of the file.
  if (hunks.length === 0 && alone)
    return makeConflict(
      'already-applied',
      there.every(isSpeltOtherwise)
        ? 'the fork has this change, spelt otherwise'
        : 'the fork has these lines already, in another place: they would stand there twice',
      more,
    );
  if (hunks.length === 0)
    return makeConflict(
      'really-diverged',
      `the fork has ${at(there)} already, and not the rest of upstream's change of this file`,
      more,
    );
  const made: typeof makeConflict = (type, why, rest) =>
    makeConflict(type, there.length === 0 ? why : `${why}; the fork has ${at(there)} already`, rest);
  const partly = hunks.filter((hunk) => hunk.twice === true);
  if (partly.length > 0)
    return made(
      'really-diverged',
      `the fork has some lines of ${at(partly)} already, in another place: they would stand there twice`,
      more,
    );
  if (hunks.every((hunk) => fold(hunk.ours) === fold(hunk.base)))
    return made('rule-missing', 'the two sides differ in names only: a rule for them is missing', more);
  const rule = pack.merge.find((candidate) => matchesAnyGlob(candidate.files, outcome.path));
  const inList = (ids: readonly number[]): boolean =>
    ids.every((id) => isEntry(store.line(id), rule?.entries ?? []));
  const ordered =
    rule?.driver === 'ordered-list' && hunks.every((hunk) => inList(hunk.ours) && inList(hunk.theirs));
  if (rule?.driver === 'append-list' || ordered)
    return made('list', 'both sides changed entries of a list that is only ever added to', more);
  if (hunks.every((hunk) => hunk.ours.length === 0))
    return made('deleted-in-fork', 'the fork deleted the lines that upstream changed', more);
  const missing = await findPrerequisites(view, outcome.from, hunks);
  if (missing.length > 0)
    return made(
      'prerequisite-missing',
      'upstream commits that the fork does not have touched the same lines',
      {
        ...more,
        prerequisites: missing.map((found) => found.sha),
        next: `fork-sync pick ${missing[0]?.sha} --onto ${view.onto.sha}`,
      },
    );
  return made('really-diverged', 'both sides changed the same lines in different ways', more);
}

/** Hunks by the lines of the fork's file that they begin at. */
function at(hunks: readonly OpenHunk[]): string {
  const lines = hunks.map(({ line }) => String(line + 1));
  return lines.length === 1 ? `the hunk at line ${lines.join()}` : `the hunks at lines ${lines.join(', ')}`;
}

/** All sides of each hunk, and the fork commit that changed its lines. */
async function showHunks(
  view: PickView,
  path: string,
  hunks: readonly OpenHunk[],
): Promise<Pick<Conflict, 'hunks' | 'forkCommit'>> {
  const text = (ids: readonly number[]): string => ids.map((id) => `${view.shop.store.line(id)}\n`).join('');
  const shown: ConflictHunk[] = [];
  for (const hunk of hunks) {
    const by = await changedBy(view, path, hunk);
    shown.push({
      line: hunk.line + 1,
      ours: text(hunk.ours),
      base: text(hunk.base),
      theirs: text(hunk.theirs),
      ...(by === undefined ? {} : { forkCommit: by.sha, forkSubject: by.subject }),
    });
  }
  const forkCommit = shown.find((hunk) => hunk.forkCommit !== undefined)?.forkCommit;
  return { hunks: shown, ...(forkCommit === undefined ? {} : { forkCommit }) };
}

const mostTouches = 60;

/** The newest visible fork commit that brought one of the fork's lines of a hunk, or took one of upstream's away. */
async function changedBy(
  view: PickView,
  path: string,
  hunk: OpenHunk,
): Promise<{ readonly sha: string; readonly subject: string } | undefined> {
  const { fork, forkMoves, store, objects } = view.shop;
  const visible = fork.visibleFrom(view.onto.sha);
  const inBase = new Set(hunk.base);
  const inOurs = new Set(hunk.ours);
  const brought = new Set(hunk.ours.filter((line) => !inBase.has(line)));
  const taken = new Set(hunk.base.filter((line) => !inOurs.has(line)));
  const telling = (line: number): boolean => store.line(line).trim().length > 1;
  const lines = async (blob: string | undefined): Promise<ReadonlySet<number>> =>
    new Set(blob === undefined ? [] : store.split(await objects.text(blob)));
  const names = [path, forkMoves.origin(path, visible)];
  const touches = [...new Set(names)]
    .flatMap((name) => forkMoves.changes(name))
    .filter((touch) => visible[touch.index] === 1)
    .toSorted((left, right) => right.index - left.index)
    .slice(0, mostTouches);
  for (const touch of touches) {
    const [before, after] = [await lines(touch.before), await lines(touch.after)];
    const did =
      [...brought].some((line) => telling(line) && after.has(line) && !before.has(line)) ||
      [...taken].some((line) => telling(line) && before.has(line) && !after.has(line));
    const commit = fork.commits[touch.index];
    if (did && commit !== undefined)
      return { sha: commit.sha, subject: commit.message.split('\n', 1)[0] ?? '' };
  }
  return undefined;
}

interface Prerequisite {
  readonly sha: string;
  readonly made: boolean;
}

/**
 * Upstream commits before this one that changed the file (the lines of the hunks, where given) and that no fork
 * commit was made from, oldest first.
 */
async function findPrerequisites(
  view: PickView,
  path: string,
  hunks: readonly OpenHunk[] | undefined,
): Promise<readonly Prerequisite[]> {
  const { upstream, store, brand } = view.shop;
  const visible = upstream.visibleFrom(view.upstreamBefore?.sha ?? '');
  const imported = view.shop.memory.importedUpstream(
    view.shop.fork.visibleFrom(view.onto.sha),
    upstream.visibleFrom(view.upstream.sha),
  );
  // The hunks are in the fork's words, the commits in upstream's: folded lines are the same on both sides.
  const fold = (line: string): string => brand.foldLine(line, path.endsWith('.go') ? 'go' : 'text');
  const wanted = new Set(
    hunks?.flatMap((hunk) => hunk.base.map((id) => fold(store.line(id)))).filter((line) => line.length > 3),
  );
  const found: Prerequisite[] = [];
  for (const touch of view.shop.upstreamMoves.changes(path).toReversed()) {
    const sha = upstream.commits[touch.index]?.sha;
    if (sha === undefined || visible[touch.index] !== 1 || imported.has(touch.index)) continue;
    if (view.shop.closed.has(sha)) continue;
    if (touch.after === undefined || found.length >= mostPrerequisites) continue;
    if (hunks === undefined || (await touches(view, fold, touch.before, touch.after, wanted)))
      found.push({ sha, made: touch.before === undefined });
  }
  return found.reverse();
}

/** Whether a commit brought one of the lines that are in the way. */
async function touches(
  view: PickView,
  fold: (line: string) => string,
  before: string | undefined,
  after: string,
  wanted: ReadonlySet<string>,
): Promise<boolean> {
  const { objects } = view.shop;
  const old = new Set((before === undefined ? '' : await objects.text(before)).split('\n').map(fold));
  return (await objects.text(after))
    .split('\n')
    .map(fold)
    .some((line) => wanted.has(line) && !old.has(line));
}
