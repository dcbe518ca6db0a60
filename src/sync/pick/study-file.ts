// What the fork's copy of an upstream file shows about spellings, and for a new file what the copies next to it show.
import { fileMode } from '../git/tree.ts';
import type { Sequence } from '../merge/diff-sequences.ts';
import { alignLines } from '../rewrite/align.ts';
import type { Brand } from '../rewrite/brand.ts';
import { createEvidence, visitSubstitutions } from '../rewrite/evidence.ts';
import { fileKind } from '../rewrite/file-kind.ts';
import type { FoldKind } from '../rewrite/line-store.ts';
import { tokenize } from '../rewrite/tokens.ts';
import { spellingKey, standsAlone } from '../rewrite/translate.ts';
import type { FileStudy, PickView } from './pick-view.ts';

const mostNeighbours = 14;
const largestNeighbour = 120_000;

/** Aligns the fork's copy with upstream's and learns its spellings; kept for files that many commits touch. */
export function studyFile(
  view: PickView,
  key: string,
  base: Sequence,
  ours: Sequence,
  fold: FoldKind,
): FileStudy {
  const { store, brand, studies } = view.shop;
  const known = studies.get(key);
  if (known !== undefined) return known;
  const alignment = alignLines(store, base, ours, fold);
  const evidence = createEvidence(brand);
  const lines = new Map<string, string | undefined>();
  const pairs: (readonly [string, string])[] = [];
  const learn = (upstreamLine: number, forkLine: number): void => {
    const before = store.line(base[upstreamLine] ?? 0);
    const after = store.line(ours[forkLine] ?? 0);
    if (before !== after) pairs.push([before, after]);
    if (before !== after || brand.inEither(before)) evidence.learn(before, after);
    const trimmed = before.trim();
    if (trimmed === '') return;
    const spelt = after.trim();
    lines.set(trimmed, lines.has(trimmed) && lines.get(trimmed) !== spelt ? undefined : spelt);
  };
  for (const [line, forkLine] of alignment.exact.entries()) if (forkLine >= 0) learn(line, forkLine);
  for (const [line, forkLine] of alignment.alike) learn(line, forkLine);
  const study = {
    alignment,
    evidence,
    lines,
    ...(fold === 'go'
      ? { spellings: new Map(), unsure: new Map() }
      : ownSpellings(brand, pairs, () => Array.from(ours, (id) => store.line(id)))),
  };
  studies.set(key, study, base.length + ours.length);
  return study;
}

/** Seen less often, another spelling may be that of one line. */
const fewestSeen = 3;

/**
 * From the lines that differ: words that the fork's copy spells otherwise wherever they stand before the same character,
 * as `$(GO)` for `go` in a Makefile. Names of the projects are not among them; those hang on more than that.
 */
function ownSpellings(
  brand: Brand,
  pairs: readonly (readonly [string, string])[],
  own: () => readonly string[],
): Pick<FileStudy, 'spellings' | 'unsure'> {
  const found = new Map<string, { readonly to: string; count: number } | undefined>();
  for (const [before, after] of pairs) {
    const tokens = tokenize(before);
    visitSubstitutions(tokens, tokenize(after), (index, from, to) => {
      if (from === to || to === '' || brand.inEither(from + to) || !standsAlone(tokens, index)) return;
      const key = spellingKey(tokens, index);
      const known = found.get(key);
      if (known === undefined) found.set(key, found.has(key) ? undefined : { to, count: 1 });
      else if (known.to === to) known.count += 1;
      else found.set(key, undefined);
    });
  }
  const often = new Map(
    [...found].flatMap(([key, one]) =>
      one !== undefined && one.count >= fewestSeen ? [[key, one.to] as const] : [],
    ),
  );
  const unsure = new Map<string, string>();
  if (often.size === 0) return { spellings: often, unsure };
  for (const line of own()) {
    const tokens = tokenize(line);
    for (const index of tokens.keys()) {
      const key = spellingKey(tokens, index);
      const to = often.get(key);
      if (to === undefined || !standsAlone(tokens, index)) continue;
      unsure.set(key, to);
      often.delete(key);
    }
  }
  return { spellings: often, unsure };
}

/** The word of a line that the file spells otherwise in most places, and so in some. */
export function unsureSpelling({ unsure }: FileStudy, lines: readonly string[]): string | undefined {
  if (unsure.size === 0) return undefined;
  for (const line of lines) {
    const tokens = tokenize(line);
    for (const [index, token] of tokens.entries()) {
      const to = unsure.get(spellingKey(tokens, index));
      if (to !== undefined && standsAlone(tokens, index)) return `${token} -> ${to}`;
    }
  }
  return undefined;
}

export async function studyNeighbours(view: PickView, from: string): Promise<readonly FileStudy[]> {
  return countNeighbours(view, from, new Map(), (study) => study);
}

/** What is counted in the studies of the files next to one; what is known of two blobs already is not studied again. */
export async function countNeighbours<Count>(
  view: PickView,
  from: string,
  known: Map<string, Count | undefined>,
  count: (study: FileStudy) => Count,
): Promise<readonly Count[]> {
  const fold = fileKind(from) === 'go' ? 'go' : 'text';
  const counts: Count[] = [];
  for (const sibling of await view.resolver.siblings(from)) {
    if (counts.length >= mostNeighbours) break;
    const blobs = await neighbourBlobs(view, sibling.upstream, sibling.fork);
    if (blobs === undefined) continue;
    const key = `${blobs.before} ${blobs.now}`;
    let made = known.get(key);
    if (!known.has(key)) {
      const study = await studyNeighbour(view, blobs, fold);
      made = study === undefined ? undefined : count(study);
      known.set(key, made);
    }
    if (made !== undefined) counts.push(made);
  }
  return counts;
}

/** Majority of what the fork's copies of the files next to a new one say, narrow contexts only. */
export function askNeighbours(
  studies: readonly FileStudy[],
): (tokens: readonly string[], index: number) => string | undefined {
  return (tokens, index) => {
    const votes = new Map<string, number>();
    for (const study of studies) {
      const found = study.evidence.find(tokens, index, { from: 0, to: 3 });
      // A call with its arguments in another order is no word that a vote could settle.
      if (found !== undefined && found.order === undefined)
        votes.set(found.value, (votes.get(found.value) ?? 0) + 1);
    }
    const total = [...votes.values()].reduce((sum, count) => sum + count, 0);
    const [best] = [...votes].toSorted((left, right) => right[1] - left[1]);
    return best !== undefined && best[1] / total >= 0.6 ? best[0] : undefined;
  };
}

interface NeighbourBlobs {
  readonly before: string;
  readonly now: string;
}

/** The file when the two projects parted, and the fork's copy now. */
async function neighbourBlobs(
  view: PickView,
  upstream: string,
  fork: string,
): Promise<NeighbourBlobs | undefined> {
  const { objects } = view.shop;
  const forkPoint = await objects.commitIfHere(view.shop.pack.info.forkPoint);
  if (forkPoint === undefined) return undefined;
  const [before, now] = await Promise.all([
    objects.entry(forkPoint.tree, upstream),
    objects.entry(view.onto.tree, fork),
  ]);
  if (before === undefined || now === undefined || now.mode === fileMode.tree) return undefined;
  return { before: before.sha, now: now.sha };
}

async function studyNeighbour(
  view: PickView,
  { before, now }: NeighbourBlobs,
  fold: FoldKind,
): Promise<FileStudy | undefined> {
  const { objects, store } = view.shop;
  const [theirs, ours] = await Promise.all([objects.text(before), objects.text(now)]);
  if (theirs.length > largestNeighbour || theirs.includes('\0') || ours.includes('\0')) return undefined;
  return studyFile(view, `${fold} ${before} ${now} false`, store.split(theirs), store.split(ours), fold);
}
