// Opens what the picks of one run share: histories, renames and lessons of everything that any of them may see.
import { cpus } from 'node:os';
import type { InstalledGo } from '../build/find-go.ts';
import { judgeWhole } from '../gate/judge-whole.ts';
import { createGate, type Gate, type Verdict } from '../gate/licence-gate.ts';
import type { Commit } from '../git/commit.ts';
import { type History, loadHistory } from '../git/history.ts';
import { createLru } from '../git/lru.ts';
import type { ObjectWriter } from '../git/object-writer.ts';
import type { Objects } from '../git/objects.ts';
import { createGoSources } from '../go/go-sources.ts';
import { isMissingObject } from '../problem.ts';
import { compileBrand } from '../rewrite/brand.ts';
import { createGoIndexer, type GoFileCache } from '../rewrite/go/go-index.ts';
import { createLineStore } from '../rewrite/line-store.ts';
import { matchesAnyGlob } from '../rules/glob.ts';
import type { RulePack } from '../rules/model.ts';
import { compileWords } from '../rules/words.ts';
import { factsOfHistory } from '../scan/commit-facts.ts';
import { type ImportCandidate, importCandidates } from '../scan/identify-imports.ts';
import { type Lesson, type LessonContext, makeLesson } from '../scan/lessons.ts';
import { createMemory } from '../scan/memory.ts';
import { type MovesCache, openRenameHistory, readMoves } from '../scan/rename-history.ts';
import { isGoFile, isLesson, isText } from './cached-values.ts';
import { type Partner, share } from './partner.ts';
import type { PickCache } from './pick-cache.ts';
import type { Workshop } from './pick-view.ts';
import { shareGoFiles } from './share-go-files.ts';

export interface WorkshopSources {
  readonly pack: RulePack;
  readonly gitDir: string;
  readonly objects: Objects;
  readonly writer: ObjectWriter;
  readonly cache: PickCache;
  readonly installedGo: InstalledGo | undefined;
  /** The other thread, where there are two: each makes half of what both need. */
  readonly partner?: Partner;
  /** What is picked first, where there are two threads. */
  readonly first?: PickRequest | undefined;
}

export interface PickRequest {
  readonly upstream: string;
  readonly onto: string;
  /** More commits of its pull request are picked after it: these finish what it begins. */
  readonly moreFollows?: boolean;
}

/** Loads what the requests can see between them; each pick still sees only its own part. */
export async function openWorkshop(
  sources: WorkshopSources,
  requests: readonly PickRequest[],
): Promise<Workshop> {
  const { pack, objects, gitDir, partner } = sources;
  const { forkPoint, forkPointTime } = pack.info;
  const [fork, upstream] = await Promise.all([
    loadHistory(
      objects,
      requests.map((request) => request.onto),
      forkPoint,
      forkPointTime,
    ),
    loadHistory(
      objects,
      requests.map((request) => request.upstream),
      forkPoint,
      forkPointTime,
    ),
  ]);
  const brand = compileBrand(pack);
  const store = createLineStore(brand.foldLine);
  const gate = createGate(objects, pack.info.licence);
  const judge = async (commit: Commit): Promise<Verdict> => (await judgeWhole(gate, objects, commit)).verdict;
  const movesCache = movesIn(sources.cache);
  const lessonContext = { objects, store, ...lessonRules(pack, brand) };
  const pairs = importCandidates(factsOfHistory(fork), factsOfHistory(upstream));
  const half = pairs.length >> 1;
  const [forkMoves, closed] = await Promise.all([
    share(partner, 0, 'fork-moves', () => readMoves(gitDir, fork, movesCache)),
    share(partner, 1, 'closed', () => closedCommits(gate, upstream)),
  ]);
  const lessonsOf = (part: readonly ImportCandidate[]) => () =>
    loadLessons(lessonContext, part, fork, upstream, closed, sources.cache);
  const indexer = createGoIndexer(objects, goFilesIn(sources.cache));
  const goFiles =
    partner === undefined || sources.first === undefined
      ? undefined
      : shareGoFiles(partner, { objects, indexer, judge }, sources.first);
  const [upstreamMoves, older, newer] = await Promise.all([
    share(partner, 1, 'upstream-moves', () => readMoves(gitDir, upstream, movesCache, closed)),
    share(partner, 1, 'older-lessons', lessonsOf(pairs.slice(0, half))),
    share(partner, 0, 'newer-lessons', lessonsOf(pairs.slice(half))),
    goFiles,
  ]);
  const lessons = [...older, ...newer].flatMap((lesson, index) => {
    const pair = pairs[index];
    return lesson === undefined || pair === undefined ? [] : [{ pair, lesson }];
  });
  return {
    pack,
    objects,
    writer: sources.writer,
    store,
    brand,
    words: compileWords(pack.words, pack.protected),
    indexer,
    goSources: createGoSources(objects, sources.installedGo),
    fork,
    upstream,
    forkMoves: openRenameHistory(fork, forkMoves),
    upstreamMoves: openRenameHistory(upstream, upstreamMoves),
    forkPointNames: await namesByFolder(objects, forkPoint),
    judge,
    closed,
    learnFrom: (theirs, ours) => lessonOf(lessonContext, theirs, ours),
    memory: createMemory(lessons, brand, pack.info.upstream.name),
    studies: createLru(studiedLines),
    successors: new Map(),
    renamedTrees: createLru(64),
    renamedPages: new Map(),
  };
}

/** Upstream commits whose files are not looked at, not even to learn from them. */
async function closedCommits(gate: Gate, upstream: History): Promise<ReadonlySet<string>> {
  const closed = new Set<string>();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let commit = upstream.commits[next]; commit !== undefined; commit = upstream.commits[next]) {
      next += 1;
      if (!(await isCleared(gate, commit))) closed.add(commit.sha);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return closed;
}

async function isCleared(gate: Gate, commit: Commit): Promise<boolean> {
  try {
    return (await gate.judge(commit)).cleared;
  } catch (error) {
    if (isMissingObject(error)) return false;
    throw error;
  }
}

/** Empty where the clone does not reach the fork point: rules and renames then have to do. */
async function namesByFolder(
  objects: Objects,
  forkPoint: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const names = new Map<string, string[]>();
  const commit = await objects.commitIfHere(forkPoint);
  if (commit === undefined) return names;
  for (const { path } of await objects.compare(undefined, commit.tree)) {
    const slash = path.lastIndexOf('/');
    const folder = path.slice(0, Math.max(0, slash));
    const list = names.get(folder);
    if (list === undefined) names.set(folder, [path.slice(slash + 1)]);
    else list.push(path.slice(slash + 1));
  }
  return names;
}

function lessonRules(
  pack: RulePack,
  brand: ReturnType<typeof compileBrand>,
): Pick<LessonContext, 'isTelling' | 'mapPath' | 'foldName' | 'isGenerated'> {
  const generated = pack.merge.filter((rule) => rule.driver === 'generated').flatMap((rule) => rule.files);
  return {
    isTelling: brand.inEither,
    mapPath(path) {
      for (const rule of pack.paths) {
        if (rule.from === path) return rule.to;
        if (rule.from.endsWith('/') && path.startsWith(rule.from))
          return rule.to + path.slice(rule.from.length);
      }
      return path;
    },
    foldName: brand.foldName,
    isGenerated: (path) => matchesAnyGlob(generated, path),
  };
}

/** Lines of both sides of the files that were studied last. */
const studiedLines = 30_000;

const atOnce = Math.max(2, cpus().length * 4);
const lessonsAtOnce = 64;

async function loadLessons(
  context: LessonContext,
  pairs: readonly ImportCandidate[],
  fork: History,
  upstream: History,
  closed: ReadonlySet<string>,
  cache: PickCache,
): Promise<readonly (Lesson | undefined)[]> {
  const lessons: (Lesson | undefined)[] = [];
  let next = 0;
  const work = async (end: number): Promise<void> => {
    while (next < end) {
      const index = next;
      next += 1;
      const pair = pairs[index];
      if (pair === undefined) return;
      const [one, two] = [upstream.commits[pair.upstream], fork.commits[pair.fork]];
      if (one === undefined || two === undefined || closed.has(one.sha)) continue;
      const key = `${one.sha} ${two.sha}`;
      const known = cache.get('lesson', key, isLesson);
      lessons[index] = known ?? (await lessonOf(context, one, two));
      if (known === undefined && lessons[index] !== undefined) cache.set('lesson', key, lessons[index]);
    }
  };
  // Numbers of lines hold until the store is trimmed: that is between lessons, not in the middle of some.
  for (let end = 0; end < pairs.length; ) {
    end += lessonsAtOnce;
    await Promise.all(Array.from({ length: atOnce }, () => work(end)));
    context.store.trim();
  }
  return pairs.map((_, index) => lessons[index]);
}

function movesIn(cache: PickCache): MovesCache {
  return {
    get: (comparison) => cache.get('moves', comparison, isText),
    set: (comparison, fields) => cache.set('moves', comparison, fields),
  };
}

/** Go files that were read before. */
export function goFilesIn(cache: PickCache): GoFileCache {
  return {
    get: (blob) => cache.get('go-file', blob, isGoFile),
    set: (blob, file) => cache.set('go-file', blob, file),
  };
}

/** Nothing is learned from an import whose objects are not all here. */
async function lessonOf(context: LessonContext, upstream: Commit, fork: Commit): Promise<Lesson | undefined> {
  try {
    const [theirs, ours] = await Promise.all([
      sides(context.objects, upstream),
      sides(context.objects, fork),
    ]);
    return await makeLesson(context, theirs, ours);
  } catch (error) {
    if (isMissingObject(error)) return undefined;
    throw error;
  }
}

async function sides(
  objects: Objects,
  commit: Commit,
): Promise<{ readonly before: string | undefined; readonly after: string }> {
  const [parent] = commit.parents;
  return {
    before: parent === undefined ? undefined : (await objects.commit(parent)).tree,
    after: commit.tree,
  };
}
