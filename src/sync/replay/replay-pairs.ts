// Picks each pair's upstream commit onto the parent of the fork's commit and compares the tree with people's.
import type { Commit } from '../git/commit.ts';
import type { Objects } from '../git/objects.ts';
import type { Engine } from '../pick/open-engine.ts';
import type { DetailedPick } from '../pick/pick-commit.ts';
import type { FileHow, PickStatus } from '../pick/pick-result.ts';
import { fileKind } from '../rewrite/file-kind.ts';
import { matchesAnyGlob } from '../rules/glob.ts';
import type { RulePack } from '../rules/model.ts';
import { followedCommits } from './followed.ts';
import type { Pair } from './read-pairs.ts';

export interface WrongFile {
  readonly path: string;
  readonly class: string;
  /** Differs in blanks only. */
  readonly blanksOnly: boolean;
}

export interface Replayed {
  readonly upstream: string;
  /** What was picked: another commit only where the licence bars the first, and upstream has its change elsewhere. */
  readonly picked: string;
  readonly moreFollows: boolean;
  readonly fork: string;
  readonly subject: string;
  /** Committer date of people's commit, in seconds. */
  readonly time: number;
  readonly status: PickStatus;
  readonly exact: boolean;
  /** Nothing came of the pick: whether people's commit changed nothing either. */
  readonly nothing?: 'right' | 'wrong';
  readonly equalButBlanks: boolean;
  readonly wrong: readonly WrongFile[];
  readonly doubts: readonly string[];
  readonly conflicts: readonly string[];
  readonly signs: readonly string[];
  readonly tree: string | undefined;
  readonly commit: string | undefined;
}

export interface Prepared extends Pair {
  readonly onto: string;
  readonly theirs: Commit;
  /** More of its pull request is among the pairs: they came over together. */
  readonly moreFollows: boolean;
}

/** The fork commits of the pairs and their parents. */
export async function preparePairs(objects: Objects, pairs: readonly Pair[]): Promise<readonly Prepared[]> {
  const prepared: Prepared[] = [];
  const followed = await followedCommits(
    objects,
    pairs.map(({ upstream }) => upstream),
  );
  for (const pair of pairs) {
    const theirs = await objects.commit(pair.fork);
    const [onto] = theirs.parents;
    if (onto !== undefined)
      prepared.push({ ...pair, onto, theirs, moreFollows: followed.has(pair.upstream) });
  }
  return prepared;
}

/** Replays in order; `see` gets each pick while its objects are still known, for side by side views. */
export async function replayPairs(
  engine: Engine,
  pairs: readonly Pair[],
  see?: (replayed: Replayed, pick: DetailedPick, prepared: Prepared) => Promise<void>,
): Promise<readonly Replayed[]> {
  const prepared = await preparePairs(engine.objects, pairs);
  const requests = prepared.map(({ upstream, onto, moreFollows }) => ({ upstream, onto, moreFollows }));
  const out: Replayed[] = [];
  let index = 0;
  for await (const pick of engine.pick(requests, { keep: see !== undefined })) {
    const pair = prepared[index];
    index += 1;
    if (pair === undefined) break;
    const replayed = await score(engine, pair, pick, see !== undefined);
    out.push(replayed);
    await see?.(replayed, pick, pair);
  }
  return out;
}

/** Compares a pick with what people committed; `compare` also looks at the files that differ. */
export async function score(
  engine: Pick<Engine, 'objects' | 'pack'>,
  pair: Prepared,
  pick: DetailedPick,
  compare: boolean,
): Promise<Replayed> {
  const { status, tree, commit, doubts, conflicts } = pick.result;
  const counted = status === 'clean' || status === 'review';
  const exact = counted && tree === pair.theirs.tree;
  const wrong =
    counted && !exact && compare && tree !== undefined ? await wrongFiles(engine, pair, tree) : [];
  return {
    upstream: pair.asked ?? pair.upstream,
    picked: pair.upstream,
    moreFollows: pair.moreFollows,
    fork: pair.fork,
    subject: pair.theirs.message.split('\n', 1)[0] ?? '',
    time: pair.theirs.committer.time,
    status,
    exact,
    ...(await scoreNothing(engine.objects, pair, pick.result)),
    equalButBlanks: counted && !exact && wrong.length > 0 && wrong.every((file) => file.blanksOnly),
    wrong,
    doubts: [...new Set(doubts.map((doubt) => doubt.rule))],
    conflicts: [...new Set(conflicts.map((conflict) => conflict.type))],
    signs: [...new Set(pick.signs.map((sign) => sign.name))],
    tree,
    commit,
  };
}

/** `empty`, `skipped` and `already-applied` say that nothing is to be done: people's commit says whether that is so. */
async function scoreNothing(
  objects: Objects,
  pair: Prepared,
  { status, conflicts, files }: DetailedPick['result'],
): Promise<Pick<Replayed, 'nothing'>> {
  const isThere =
    status === 'conflict' &&
    conflicts.every((conflict) => conflict.type === 'already-applied') &&
    files.every(({ how }) => changesNothing.has(how));
  if (status !== 'empty' && status !== 'skipped' && !isThere) return {};
  const { tree } = await objects.commit(pair.onto);
  return { nothing: tree === pair.theirs.tree ? 'right' : 'wrong' };
}

const changesNothing: ReadonlySet<FileHow> = new Set(['left', 'unchanged', 'skipped', 'dropped']);

async function wrongFiles(
  engine: Pick<Engine, 'objects' | 'pack'>,
  pair: Prepared,
  tree: string,
): Promise<readonly WrongFile[]> {
  const { objects } = engine;
  const wrong: WrongFile[] = [];
  for (const change of await objects.compare(tree, pair.theirs.tree)) {
    const [ours = '', people = ''] = await Promise.all(
      [change.before, change.after].map((entry) => (entry === undefined ? '' : objects.text(entry.sha))),
    );
    const squeeze = (text: string): string => text.replace(/[ \t\r\n]+/g, '');
    wrong.push({
      path: change.path,
      class: fileClass(engine.pack, change.path),
      blanksOnly:
        change.before !== undefined && change.after !== undefined && squeeze(ours) === squeeze(people),
    });
  }
  return wrong;
}

function fileClass(pack: RulePack, path: string): string {
  const rule = pack.merge.find((candidate) => matchesAnyGlob(candidate.files, path));
  return rule?.driver ?? fileKind(path);
}

export interface Score {
  readonly pairs: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly exact: number;
  readonly cleanExact: number;
  readonly reviewExact: number;
  /** Picks of which nothing came, though people's commit changed something. */
  readonly wrongNothing: number;
  readonly equalButBlanks: number;
  readonly wrongFiles: Readonly<Record<string, number>>;
  readonly doubts: Readonly<Record<string, { readonly exact: number; readonly wrong: number }>>;
}

/** Adds results up. */
export function sumUp(replayed: readonly Replayed[]): Score {
  const byStatus: Record<string, number> = {};
  const wrongByClass: Record<string, number> = {};
  const doubts: Record<string, { exact: number; wrong: number }> = {};
  for (const one of replayed) {
    byStatus[one.status] = (byStatus[one.status] ?? 0) + 1;
    for (const file of one.wrong) wrongByClass[file.class] = (wrongByClass[file.class] ?? 0) + 1;
    if (one.status !== 'review') continue;
    for (const doubt of one.doubts) {
      const count = doubts[doubt] ?? { exact: 0, wrong: 0 };
      if (one.exact) count.exact += 1;
      else count.wrong += 1;
      doubts[doubt] = count;
    }
  }
  const count = (test: (one: Replayed) => boolean): number => replayed.filter(test).length;
  return {
    pairs: replayed.length,
    byStatus,
    exact: count((one) => one.exact),
    cleanExact: count((one) => one.exact && one.status === 'clean'),
    reviewExact: count((one) => one.exact && one.status === 'review'),
    wrongNothing: count((one) => one.nothing === 'wrong'),
    equalButBlanks: count((one) => one.equalButBlanks),
    wrongFiles: wrongByClass,
    doubts,
  };
}
