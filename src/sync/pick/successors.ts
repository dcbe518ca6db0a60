// What took the place of functions that the fork had and deleted: read off the commits that replaced their calls.
import { diffSequences } from '../merge/diff-sequences.ts';
import { pairAlike } from '../rewrite/align.ts';
import { createEvidence, type Evidence, widestLevel } from '../rewrite/evidence.ts';
import { type GoContext, upstreamFolder } from '../rewrite/go/go-names.ts';
import { defaultName, hashWord, type ImportSpec, localName } from '../rewrite/go/scan-go.ts';
import type { Successor } from '../rewrite/translate.ts';
import type { FileTouch } from '../scan/rename-history.ts';
import type { PickView } from './pick-view.ts';

/** Commits before a deletion in which its callers were changed: they come in the same pull request. */
const commitsBefore = 120;
const qualifiedCall = /(?<![\w.])([A-Za-z_]\w*)\.([A-Z]\w*)\(/g;

/** Successors of what lines call, by upstream's qualified names; only of those that the fork has no longer. */
export async function findSuccessors(
  view: PickView,
  go: GoContext,
  imports: readonly ImportSpec[],
  lines: readonly string[],
): Promise<ReadonlyMap<string, Successor>> {
  const folders = new Map<string, string>();
  for (const spec of imports) {
    const folder = upstreamFolder(go, spec.path);
    if (folder !== undefined) folders.set(localName(spec), folder);
  }
  const found = new Map<string, Successor>();
  const seen = new Set<string>();
  for (const line of lines)
    for (const [, qualifier = '', name = ''] of line.matchAll(qualifiedCall)) {
      const folder = folders.get(qualifier);
      const key = `${qualifier}.${name}`;
      if (folder === undefined || seen.has(key)) continue;
      seen.add(key);
      const successor = await successorOf(view, go, folder, name);
      if (successor !== undefined) found.set(key, successor);
    }
  return found;
}

/** Whether a name is asked of a package of the fork that is imported by it, and that declares no such thing. */
export function isGone(go: GoContext, name: string): boolean {
  const dot = name.indexOf('.');
  const prefix = `${go.fork.module}/`;
  const places = [...go.fork.importPathsFor(name.slice(0, dot)).keys()].filter((path) =>
    path.startsWith(prefix),
  );
  const known = places.flatMap((path) => go.fork.packages.get(path.slice(prefix.length)) ?? []);
  return known.length > 0 && known.every(({ exported }) => !exported.has(name.slice(dot + 1)));
}

async function successorOf(
  view: PickView,
  go: GoContext,
  folder: string,
  name: string,
): Promise<Successor | undefined> {
  const former = go.symbols.flatMap((rule) => {
    if (rule.foreign === true || rule.package !== folder) return [];
    const renamed = rule.renamed?.[name] ?? (rule.names?.includes(name) === true ? name : undefined);
    return renamed === undefined ? [] : [{ place: rule.to, name: renamed }];
  });
  const places = [...former, { place: go.folderOf(folder), name }];
  // What is there still is found without its history.
  if (places.some((one) => go.fork.packages.get(one.place)?.exported.has(one.name) === true))
    return undefined;
  for (const one of places) {
    const found = await replacedBy(view, one.place, one.name);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function replacedBy(view: PickView, place: string, name: string): Promise<Successor | undefined> {
  const { forkMoves, fork, indexer } = view.shop;
  const visible = fork.visibleFrom(view.onto.sha);
  const isSeen = (touch: FileTouch): boolean => visible[touch.index] === 1;
  const hash = hashWord(name);
  const declares = async (blob: string | undefined): Promise<boolean> =>
    blob !== undefined && (await indexer.file(blob)).declared.includes(hash);
  let removal: number | undefined;
  for (const { path, touch } of forkMoves.touched((path) => isGoFileIn(path, place)).toReversed()) {
    if (!isSeen(touch) || touch.before === undefined || path.endsWith('_test.go')) continue;
    if (!(await declares(touch.before)) || (await declares(touch.after))) continue;
    removal = touch.index;
    break;
  }
  if (removal === undefined) return undefined;
  // What the deletion itself could see decides: then the answer is the same for every pick that sees it.
  const key = `${removal} ${place} ${name}`;
  const known = view.shop.successors.get(key) ?? learnSuccessor(view, place, name, removal);
  view.shop.successors.set(key, known);
  return known;
}

async function learnSuccessor(
  view: PickView,
  place: string,
  name: string,
  removal: number,
): Promise<Successor | undefined> {
  const { objects, forkMoves, fork, brand } = view.shop;
  const visible = fork.visibleFrom(fork.commits[removal]?.sha ?? '');
  const call = `.${name}(`;
  const evidence = createEvidence(brand);
  const changes = forkMoves.touched((path) => path.endsWith('.go'), removal - commitsBefore, removal);
  for (const { touch } of changes) {
    if (visible[touch.index] !== 1 || touch.before === undefined || touch.after === undefined) continue;
    const [before, after] = [await objects.text(touch.before), await objects.text(touch.after)];
    if (before.includes(call)) learnReplaced(view, evidence, call, before, after);
  }
  const found = evidence.find([`${defaultName(place)}.${name}`], 0, { from: widestLevel, to: widestLevel });
  if (found === undefined) return undefined;
  return { name: found.value, ...(found.order === undefined ? {} : { order: found.order }) };
}

function isGoFileIn(path: string, folder: string): boolean {
  return path.endsWith('.go') && path.slice(0, Math.max(0, path.lastIndexOf('/'))) === folder;
}

/** Learns what lines with the call became; a call that stayed says nothing. */
function learnReplaced(
  view: PickView,
  evidence: Evidence,
  call: string,
  before: string,
  after: string,
): void {
  const { store } = view.shop;
  const [old, now] = [store.split(before), store.split(after)];
  for (const edit of diffSequences(old, now)) {
    const left = Array.from(old.subarray(edit.aStart, edit.aEnd));
    const right = Array.from(now.subarray(edit.bStart, edit.bEnd));
    // A short line is little like what it became; of two blocks of one length each line is the other's.
    const byPlace = left.map((_, index) => [index, index] as const);
    for (const [one, two] of left.length === right.length ? byPlace : pairAlike(store, left, right)) {
      const [was, is] = [store.line(left[one] ?? 0), store.line(right[two] ?? 0)];
      if (was.includes(call) && !is.includes(call)) evidence.learn(was, is);
    }
  }
}
